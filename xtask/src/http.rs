//! Plain HTTP to programs on this machine. Nothing in xtask talks to the internet but pip and cargo.

use anyhow::{Context, Result, ensure};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::time::Duration;

/// Nothing on a loopback interface should take longer than this.
const LIMIT: Duration = Duration::from_secs(30);
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// A complete answer.
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

/// Sends a request and waits for the whole answer, whatever its status.
pub(crate) async fn send(
    method: Method,
    url: &str,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Answer> {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = url.parse().with_context(|| format!("{url} is not an address"))?;
    *request.headers_mut() = headers;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let exchange = async {
        let answer = client.request(request).await?;
        let status = answer.status().as_u16();
        let body = to_bytes(Body::new(answer.into_body()), LARGEST_ANSWER).await?;
        anyhow::Ok(Answer { status, body: body.to_vec() })
    };
    tokio::time::timeout(LIMIT, exchange)
        .await
        .with_context(|| format!("{url} did not answer within {} s", LIMIT.as_secs()))?
        .with_context(|| format!("{url} cannot be reached"))
}

/// Gets JSON.
pub(crate) async fn get_json(url: &str) -> Result<Value> {
    read_json(url, &send(Method::GET, url, HeaderMap::new(), Vec::new()).await?)
}

/// Posts JSON and reads the JSON that comes back.
pub(crate) async fn post_json(url: &str, headers: HeaderMap, body: &Value) -> Result<Value> {
    read_json(url, &send(Method::POST, url, headers, serde_json::to_vec(body)?).await?)
}

fn read_json(url: &str, answer: &Answer) -> Result<Value> {
    let text = String::from_utf8_lossy(&answer.body);
    ensure!((200..300).contains(&answer.status), "{url} answered {}: {text}", answer.status);
    serde_json::from_str(&text).with_context(|| format!("{url} answered something else than JSON"))
}
