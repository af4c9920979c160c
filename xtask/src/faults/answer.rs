//! What a caller of the proxy gets: a whole answer, one that breaks off in the middle, or none.

use axum::body::Bytes;
use axum::http::{Response, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use serde_json::Value;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The connection is closed here; there is nobody to tell why.
#[derive(Debug)]
pub(super) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("cut on purpose")
    }
}

impl std::error::Error for Cut {}

/// A body whose length is announced whole, whether or not all of it comes.
pub(super) struct Answer {
    length: u64,
    rest: Option<Bytes>,
    torn: bool,
}

impl Answer {
    /// All of it.
    pub(super) fn whole(bytes: Bytes) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { length, rest: Some(bytes).filter(|bytes| !bytes.is_empty()), torn: false }
    }

    /// Half of it, and then the connection's end.
    pub(super) fn torn(self) -> Self {
        let half = self.rest.map(|bytes| bytes.slice(..bytes.len() / 2));
        Self { length: self.length, rest: half.filter(|half| !half.is_empty()), torn: true }
    }

    /// JSON of the proxy's own.
    pub(super) fn json(status: StatusCode, value: &Value) -> Response<Self> {
        let mut answer = Response::new(Self::whole(Bytes::from(value.to_string())));
        *answer.status_mut() = status;
        let kind = header::HeaderValue::from_static("application/x-amz-json-1.0");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.rest.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Ready(std::mem::take(&mut self.torn).then_some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && !self.torn
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
