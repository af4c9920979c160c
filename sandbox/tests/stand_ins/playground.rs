//! A sandbox on a free port, a client for it, and a receiver of its webhooks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::{Client, Method, RequestBuilder, Response};
use sandbox::Options;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const SECRET: &str = "whsec_0123456789abcdef";

pub(crate) struct Playground {
    base: String,
    client: Client,
}

/// An answer, read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Playground {
    pub(crate) async fn open() -> Self {
        let options = Options { port: 0, webhook_url: None, webhook_secret: SECRET.to_owned() };
        let base = sandbox::start(options).await.unwrap().url();
        Self { base, client: client() }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        read(self.request("GET", path).send().await.unwrap()).await.json()
    }

    pub(crate) async fn control(&self, path: &str, body: Value) -> Answer {
        send(self.request("POST", &format!("/_control/{path}")).json(&body)).await
    }

    pub(crate) async fn requests(&self, vendor: &str) -> Vec<Value> {
        let listed = self.get(&format!("/_control/requests?vendor={vendor}")).await;
        listed.as_array().unwrap().clone()
    }

    /// A form call to Stripe with a key of the right kind.
    pub(crate) async fn stripe(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        send(self.stripe_request("POST", path).form_body(form)).await
    }

    pub(crate) fn stripe_request(&self, method: &str, path: &str) -> RequestBuilder {
        self.request(method, &format!("/stripe/v1{path}")).bearer_auth("sk_test_sandbox")
    }

    pub(crate) async fn stripe_get(&self, path: &str) -> Answer {
        send(self.stripe_request("GET", path)).await
    }

    /// An intent over 97 EUR with our ids in its metadata.
    pub(crate) async fn intent(&self) -> String {
        let form = [
            ("amount", "9700"),
            ("currency", "eur"),
            ("automatic_payment_methods[enabled]", "true"),
            ("metadata[event_id]", "018f2b7e-0000-4000-8000-000000000001"),
        ];
        let answer = self.stripe("/payment_intents", &form).await;
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Sends webhooks to a receiver that answers with these statuses, then with 200.
    pub(crate) async fn receiver(&self, statuses: &[u16]) -> Receiver {
        let receiver = Receiver::open(statuses).await;
        let told = self.control("webhook", json!({ "url": receiver.url })).await;
        assert_eq!(told.status, 200);
        receiver
    }
}

/// `application/x-www-form-urlencoded`, without reqwest's feature for it.
pub(crate) trait FormBody {
    fn form_body(self, form: &[(&str, &str)]) -> Self;
}

impl FormBody for RequestBuilder {
    fn form_body(self, form: &[(&str, &str)]) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(form).finish();
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    read(request.send().await.unwrap()).await
}

async fn read(response: Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

#[expect(clippy::disallowed_methods, reason = "the test is the vendor's caller, outbound is not")]
fn client() -> Client {
    Client::builder().timeout(Duration::from_secs(10)).build().unwrap()
}

/// A webhook as it arrived.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) signature: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    async fn open(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/webhooks/stripe", listener.local_addr().unwrap()),
            received: Arc::default(),
            statuses: Arc::new(Mutex::new(statuses.iter().copied().collect())),
        };
        let router =
            Router::new().route("/webhooks/stripe", post(receive)).with_state(receiver.clone());
        background(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until this many webhooks arrived.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        for _ in 0..400 {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("only {} of {count} webhooks arrived", self.received().len());
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| {
        headers.get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    };
    let received = Received {
        signature: header("stripe-signature"),
        content_type: header("content-type"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    receiver.received.lock().unwrap().push(received);
    let status = receiver.statuses.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the ban protects Lambda; this is a test's server")]
fn background(work: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(work));
}
