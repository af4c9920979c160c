//! A server on a free port of loopback: requests come in whole, answers go out, over TCP or TLS.

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request, read to its end.
pub(crate) struct Request {
    pub(crate) method: hyper::Method,
    pub(crate) path: String,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer.
pub(crate) type Response = hyper::Response<Full<Bytes>>;

/// A server that ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Request {
    /// A header's text; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A JSON answer.
pub(crate) fn json(status: u16, body: String) -> Response {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let kind = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
    response
}

/// Serves until the server is dropped.
#[expect(clippy::disallowed_methods, reason = "nothing freezes the bench between two events")]
pub(crate) async fn serve<Answered>(
    tls: Option<TlsAcceptor>,
    answer: impl Fn(Request) -> Answered + Send + Sync + 'static,
) -> Result<Server>
where
    Answered: Future<Output = Response> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port is free")?;
    let address = listener.local_addr()?;
    let answer = Arc::new(answer);
    let accepting = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, tls.clone(), Arc::clone(&answer)));
        }
    });
    Ok(Server { address, accepting })
}

async fn connection<Answered>(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    answer: Arc<impl Fn(Request) -> Answered + Send + Sync + 'static>,
) where
    Answered: Future<Output = Response> + Send + 'static,
{
    // A connection that fails shows in the program that made it.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match tls {
        None => talk(stream, answer).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                talk(stream, answer).await;
            }
        }
    }
}

async fn talk<Answered>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: Arc<impl Fn(Request) -> Answered>,
) where
    Answered: Future<Output = Response>,
{
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let answer = Arc::clone(&answer);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let (method, headers) = (head.method, head.headers);
            let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
            Ok::<_, Infallible>(answer(Request { method, path, headers, body }).await)
        }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    let ended = http.keep_alive(true).serve_connection(TokioIo::new(stream), service).await;
    drop(ended);
}
