//! The Lambda Runtime API, played to one program: it asks for events, we hand them over and hear the
//! answers, each with its moment.

use crate::http::{self, Request, Response, Server};
use anyhow::{Context, Result, bail};
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// No start and no event of ours takes as long, a batch at a small share included.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that waits for its next event.
struct Ask {
    at: Instant,
    event: oneshot::Sender<(String, Bytes)>,
}

/// What a program told.
enum Told {
    Answer(Instant, Bytes),
    Failure(String),
}

/// The Runtime API of one program.
pub(crate) struct Player {
    server: Server,
    asks: UnboundedReceiver<Ask>,
    told: UnboundedReceiver<Told>,
    waiting: Option<Ask>,
    count: u64,
}

/// An answer, and how long it took.
pub(crate) struct Answered {
    pub(crate) took: Duration,
    pub(crate) body: Bytes,
}

impl Player {
    /// Opens a Runtime API.
    pub(crate) async fn open() -> Result<Self> {
        let (ask, asks) = unbounded_channel();
        let (tell, told) = unbounded_channel();
        let channels = Arc::new((ask, tell));
        let server = http::serve(None, move |request| {
            let channels = Arc::clone(&channels);
            async move { answer(request, &channels.0, &channels.1).await }
        });
        Ok(Self { server: server.await?, asks, told, waiting: None, count: 0 })
    }

    /// `AWS_LAMBDA_RUNTIME_API`
    pub(crate) fn address(&self) -> String {
        self.server.address.to_string()
    }

    /// Waits until the program asks for an event; answers with the moment in which it did.
    pub(crate) async fn ready(&mut self) -> Result<Instant> {
        if let Some(ask) = &self.waiting {
            return Ok(ask.at);
        }
        let wait = async {
            tokio::select! {
                ask = self.asks.recv() => ask.context("the server is gone"),
                told = self.told.recv() => match told {
                    Some(Told::Failure(text)) => bail!("it failed: {text}"),
                    Some(Told::Answer(..)) | None => bail!("it answered what was not asked"),
                },
            }
        };
        let ask = tokio::time::timeout(PATIENCE, wait).await;
        let ask = ask.context("it did not ask for an event within a minute")??;
        let at = ask.at;
        self.waiting = Some(ask);
        Ok(at)
    }

    /// Hands over an event, and waits for the answer and for the program to ask again.
    pub(crate) async fn play(&mut self, event: Bytes) -> Result<Answered> {
        self.ready().await?;
        let ask = self.waiting.take().context("nobody waits")?;
        self.count += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.count);
        let handed = Instant::now();
        if ask.event.send((id, event)).is_err() {
            bail!("it closed its connection while it waited");
        }
        let told = tokio::time::timeout(PATIENCE, self.told.recv()).await;
        let told = told.context("it did not answer within a minute")?.context("no server")?;
        let answered = match told {
            Told::Answer(at, body) => Answered { took: at - handed, body },
            Told::Failure(text) => bail!("it failed an event: {text}"),
        };
        self.ready().await?;
        Ok(answered)
    }
}

async fn answer(
    request: Request,
    ask: &UnboundedSender<Ask>,
    tell: &UnboundedSender<Told>,
) -> Response {
    let at = Instant::now();
    if request.method == hyper::Method::GET {
        let (event, given) = oneshot::channel();
        // Nobody listens any more only when the bench is over.
        let gone = ask.send(Ask { at, event }).is_err();
        return match given.await {
            Ok((id, body)) if !gone => invocation(&id, body),
            Ok(_) | Err(_) => http::json(500, String::new()),
        };
    }
    let told = if request.path.ends_with("/response") {
        Told::Answer(at, request.body)
    } else {
        Told::Failure(String::from_utf8_lossy(&request.body).into_owned())
    };
    let status = if tell.send(told).is_ok() { 202 } else { 500 };
    http::json(status, r#"{"status":"OK"}"#.to_owned())
}

fn invocation(id: &str, body: Bytes) -> Response {
    let mut response = http::json(200, String::new());
    let deadline = crate::clock::now_ms() + 60_000;
    let headers = [
        ("lambda-runtime-aws-request-id", id.to_owned()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:1:function:bench".into()),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0".into()),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    *response.body_mut() = http_body_util::Full::new(body);
    response
}
