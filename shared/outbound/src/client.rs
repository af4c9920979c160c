//! One shared client; one method, `call`.

use crate::answer::{Answer, LARGEST_ANSWER, read_capped};
use domain::fault::{Fault, Remedy, Seen, Taken};
use http::{HeaderMap, Method, header};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a connection may take to open, TLS included.
const CONNECT: Duration = Duration::from_secs(2);

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For TCP and TLS.
    pub connect: Duration,
    /// For the whole call, the answer's body included.
    pub total: Duration,
}

/// Whose certificates are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots {
    /// Mozilla's certificate authorities, as they were when this was built.
    BuiltIn,
    /// The machine's own, read when the door is opened; `SSL_CERT_FILE` and `SSL_CERT_DIR` count.
    Machine,
}

impl Roots {
    /// The machine's where whoever runs it says so, or else those that are built in.
    #[must_use]
    pub fn of(machine: bool) -> Self {
        if machine { Self::Machine } else { Self::BuiltIn }
    }
}

impl Default for Limits {
    /// A provider makes at most three calls in a row (an update that falls back to an upsert, and
    /// what that leaves to clean up): 15 s, which fit into the consumers' 30 s with the 12 s after
    /// which they begin nothing new.
    fn default() -> Self {
        Self { connect: CONNECT, total: Duration::from_secs(5) }
    }
}

/// The door to one vendor. Cheap to clone: all share one pool of connections.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: reqwest::Client,
    vendor: &'static str,
    total: Duration,
    largest: usize,
}

/// The client could not be built: the machine has no usable TLS roots.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be built: no usable TLS roots on this machine")]
pub struct Unbuildable;

/// One call to a vendor.
#[derive(Debug)]
pub struct Call<'a> {
    /// What the call does, in our words, for the log: `upsert_contact`.
    pub verb: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The whole address. Never logged.
    pub url: &'a str,
    /// Headers, authorisation included. Never logged.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// Which attempt this is, from 1, for the log.
    pub attempt: u32,
}

/// A call's body, encoded. `Debug` shows its size alone.
pub enum Body {
    /// None.
    Empty,
    /// `application/json`.
    Json(Vec<u8>),
    /// `application/x-www-form-urlencoded`.
    Form(String),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("[no body]"),
            Self::Json(bytes) => write!(f, "[{} bytes of JSON]", bytes.len()),
            Self::Form(text) => write!(f, "[{} bytes of form]", text.len()),
        }
    }
}

impl Outbound {
    /// Opens the door to a vendor.
    ///
    /// # Errors
    /// [`Unbuildable`] where the machine has no TLS roots.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that builds the client")]
    pub fn new(vendor: &'static str, limits: Limits, roots: Roots) -> Result<Self, Unbuildable> {
        let mut client = reqwest::Client::builder()
            .connect_timeout(limits.connect)
            .redirect(reqwest::redirect::Policy::none())
            // Lambda freezes between events; servers close idle connections meanwhile.
            .pool_idle_timeout(Duration::from_secs(5))
            .user_agent(concat!("throughline/", env!("CARGO_PKG_VERSION")))
            .referer(false);
        if roots == Roots::BuiltIn {
            client = client.tls_backend_preconfigured(built_in()?);
        }
        let client = client.build().map_err(|_| Unbuildable)?;
        Ok(Self { client, vendor, total: limits.total, largest: LARGEST_ANSWER })
    }

    /// The same pool, for another vendor.
    #[must_use]
    pub fn to(&self, vendor: &'static str) -> Self {
        Self { vendor, ..self.clone() }
    }

    /// The same door for answers of up to so many bytes: lists of a vendor's larger objects.
    #[must_use]
    pub fn reading_up_to(self, bytes: usize) -> Self {
        Self { largest: bytes, ..self }
    }

    /// The vendor's name.
    #[must_use]
    pub fn vendor(&self) -> &'static str {
        self.vendor
    }

    /// Makes a call. Any status is an [`Answer`]: what it means is for the vendor's own file to say.
    ///
    /// # Errors
    /// A [`Fault`] where there is no answer: refused, too slow, cut, or larger than we read.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, Fault> {
        let (verb, attempt) = (call.verb, call.attempt);
        let started = Instant::now();
        let result = self.exchange(call).await;
        let (status, seen) = match &result {
            Ok(answer) => (Some(answer.status()), answer.status().to_string()),
            Err(fault) => (None, fault.to_string()),
        };
        let class = status.map_or("none".to_owned(), |status| format!("{}xx", status / 100));
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            vendor = self.vendor,
            verb,
            status = seen,
            status_class = class,
            duration_ms,
            attempt,
            metrics = "duration_ms:Milliseconds",
            dimensions = "vendor,verb,status_class",
            "outbound call"
        );
        result
    }

    /// Opens a connection that the next call to this vendor finds in the pool. It asks for the vendor's
    /// front page, and any answer will do; what goes wrong goes wrong again with that call, and is told
    /// there.
    pub async fn connect(&self, url: &str) {
        let Ok(front) = reqwest::Url::parse(url).and_then(|url| url.join("/")) else { return };
        if self.client.head(front).timeout(CONNECT).send().await.is_err() {
            tracing::debug!(vendor = self.vendor, "a connection was not open in time");
        }
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Answer, Fault> {
        let mut request =
            self.client.request(call.method, call.url).headers(call.headers).timeout(self.total);
        request = match call.body {
            Body::Empty => request,
            Body::Json(bytes) => {
                request.header(header::CONTENT_TYPE, "application/json").body(bytes)
            }
            Body::Form(text) => {
                request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(text)
            }
        };
        let response = request.send().await.map_err(|error| reduce(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read_capped(response, self.largest).await.map_err(|error| reduce(&error))?;
        Ok(Answer::new(status, headers, body))
    }
}

/// TLS with the certificate authorities that are built in.
fn built_in() -> Result<ClientConfig, Unbuildable> {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(crypto).with_safe_default_protocol_versions();
    Ok(tls.map_err(|_| Unbuildable)?.with_root_certificates(roots).with_no_client_auth())
}

/// Reduces what the transport says to what to do next. Its own text, which holds the address, ends here.
fn reduce(error: &reqwest::Error) -> Fault {
    let retry = |taken| Remedy::Retry { after: None, taken };
    let (remedy, code) = if error.is_builder() {
        (Remedy::Setup, "bad_address")
    } else if error.is_connect() {
        (retry(Taken::No), "connect_failed")
    } else if error.is_timeout() {
        (retry(Taken::Unknown), "timeout")
    } else {
        (retry(Taken::Unknown), "cut")
    };
    Fault { remedy, seen: Seen::code(code) }
}

#[cfg(test)]
mod tests {
    use super::{Body, Call, Duration, Limits, Outbound, Roots};
    use domain::fault::{Remedy, Taken};
    use http::{HeaderMap, Method};

    /// As long as there is no connection, nothing can have arrived, whatever took how long.
    #[tokio::test]
    async fn a_vendor_whose_door_does_not_open_in_time_has_taken_nothing() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", silent.local_addr().unwrap());
        let connect = Duration::from_millis(100);
        let limits = Limits { connect, total: Duration::from_secs(20) };
        let outbound = Outbound::new("silent", limits, Roots::BuiltIn).unwrap();
        let (headers, body) = (HeaderMap::new(), Body::Empty);
        let call =
            Call { verb: "knock", method: Method::POST, url: &url, headers, body, attempt: 1 };
        let fault = outbound.call(call).await.unwrap_err();
        assert_eq!(fault.remedy, Remedy::Retry { after: None, taken: Taken::No });
    }

    #[test]
    fn three_calls_to_a_slow_vendor_end_before_their_consumer_is_stopped() {
        // The function's 30 s, of which 12 may be over before the first call begins.
        let left = Duration::from_secs(30 - 12);
        assert!(Limits::default().total * 3 <= left);
    }
}
