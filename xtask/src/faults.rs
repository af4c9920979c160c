//! A proxy between the functions and the local AWS that fails on command: it cuts, delays, throttles
//! and drops answers. Test equipment; it stands there only after `up --faults`.
//!
//! What it passes on it passes on unchanged, the `Host` that was signed included, so IAM stays on. The
//! local AWS itself, which polls queues and streams, does not come through here.

mod answer;
mod schedule;

use answer::{Answer, Cut};
use anyhow::{Context, Result};
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderName, Method, Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use schedule::{Fault, Operation, Orders, Schedule};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Where it is commanded and asked; no API of AWS's has such a path.
const CONTROL: &str = "/_faults";
const LARGEST: usize = 64 * 1024 * 1024;
/// Slow, but an answer in time: the functions wait three seconds for one.
const LATE: Duration = Duration::from_millis(900);
/// Longer than that: the caller has gone, and may have said the same again.
const TOO_LATE: Duration = Duration::from_millis(3_400);

/// A port of our own, taken before the local AWS starts, because it hands this address to the functions.
pub(crate) struct Faults {
    listener: TcpListener,
    /// What the functions are told AWS's address is.
    pub(crate) url: String,
}

/// Takes a port.
pub(crate) async fn open() -> Result<Faults> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port for the proxy")?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok(Faults { listener, url })
}

impl Faults {
    /// Stands between until it is dropped.
    pub(crate) async fn serve(&self, engine: &str) -> Result<()> {
        let door = Arc::new(Door {
            engine: engine.to_owned(),
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
            schedule: Mutex::new(Schedule::default()),
        });
        loop {
            let (stream, _) = self.listener.accept().await.context("the proxy's port is gone")?;
            beside(connection(stream, Arc::clone(&door)));
        }
    }
}

/// Runs on, whoever has gone in the meantime: what a caller no longer waits for still happens.
#[expect(
    clippy::disallowed_methods,
    reason = "the ban protects Lambda, which freezes after the answer; this is a server on a laptop"
)]
fn beside<Work>(work: Work) -> tokio::task::JoinHandle<Work::Output>
where
    Work: Future + Send + 'static,
    Work::Output: Send + 'static,
{
    tokio::spawn(work)
}

async fn connection(stream: TcpStream, door: Arc<Door>) {
    let service = service_fn(move |request| {
        let work = beside(Arc::clone(&door).take(request));
        async move { work.await.map_err(|_| Cut)? }
    });
    if http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.is_err() {
        // Cut on purpose, or left by the caller: either is what this is for.
    }
}

/// What every connection shares.
struct Door {
    engine: String,
    client: Client<HttpConnector, Body>,
    schedule: Mutex<Schedule>,
}

/// A request that was read to its end.
type Whole = (axum::http::request::Parts, Bytes);

impl Door {
    /// Takes one request, and lets happen to it what the schedule says.
    async fn take(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Answer>, Cut> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), LARGEST).await.map_err(|_| Cut)?;
        if parts.uri.path() == CONTROL {
            return Ok(self.control(&parts.method, &body));
        }
        let operation = Operation::of(&parts.headers);
        let fault = self.schedule.lock().unwrap_or_else(PoisonError::into_inner).draw(&operation);
        let whole = (parts, body);
        match fault {
            None => self.pass(whole).await,
            Some(Fault::Throttled) => Ok(operation.refusal(StatusCode::BAD_REQUEST)),
            Some(Fault::Failed) => Ok(operation.refusal(StatusCode::INTERNAL_SERVER_ERROR)),
            Some(Fault::Dropped) => Err(Cut),
            Some(Fault::Lost) => self.pass(whole).await.and(Err(Cut)),
            Some(Fault::Torn) => self.pass(whole).await.map(|answer| answer.map(Answer::torn)),
            Some(Fault::Late) => {
                tokio::time::sleep(LATE).await;
                self.pass(whole).await
            }
            Some(Fault::AnsweredTooLate) => {
                let answer = self.pass(whole).await;
                tokio::time::sleep(TOO_LATE).await;
                answer
            }
            Some(Fault::DoneTooLate) => {
                tokio::time::sleep(TOO_LATE).await;
                self.pass(whole).await
            }
        }
    }

    /// Has the local AWS answer.
    async fn pass(&self, (mut parts, body): Whole) -> Result<Response<Answer>, Cut> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{}{path}", self.engine).parse::<Uri>().map_err(|_| Cut)?;
        for name in HOPS {
            parts.headers.remove(name);
        }
        let request = Request::from_parts(parts, Body::from(body));
        let answer = self.client.request(request).await.map_err(|_| Cut)?;
        let (mut parts, body) = answer.into_parts();
        let body = to_bytes(Body::new(body), LARGEST).await.map_err(|_| Cut)?;
        for name in HOPS {
            parts.headers.remove(name);
        }
        parts.headers.remove(header::CONTENT_LENGTH);
        Ok(Response::from_parts(parts, Answer::whole(body)))
    }

    /// `POST` with orders, or `GET`: both answer with what has been done so far.
    fn control(&self, method: &Method, body: &Bytes) -> Response<Answer> {
        let mut schedule = self.schedule.lock().unwrap_or_else(PoisonError::into_inner);
        if method == Method::POST {
            match serde_json::from_slice::<Orders>(body) {
                Ok(orders) if orders.percent <= 100 => schedule.obey(orders),
                Ok(_) | Err(_) => {
                    return Answer::json(
                        StatusCode::BAD_REQUEST,
                        &serde_json::json!({"error": "send {\"seed\": N, \"percent\": 0 to 100}"}),
                    );
                }
            }
        }
        Answer::json(StatusCode::OK, &schedule.told())
    }
}

/// What belongs to one connection and is not passed on.
const HOPS: [HeaderName; 2] = [header::CONNECTION, header::TRANSFER_ENCODING];
