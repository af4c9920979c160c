//! API Gateway's event and its answer, in the shape of REST APIs. Headers, host and address are the
//! caller's own words: they are kept as text, so that none of them can keep a request from being read.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A request as API Gateway hands it over. It has no `Debug`: it holds a person.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    http_method: Option<String>,
    headers: Option<BTreeMap<String, Option<String>>>,
    body: Option<String>,
    is_base64_encoded: bool,
    request_context: Option<Context>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Context {
    identity: Option<Identity>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identity {
    source_ip: Option<String>,
}

/// An answer as API Gateway takes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub(super) status_code: u16,
    pub(super) headers: BTreeMap<&'static str, String>,
    pub(super) body: String,
    pub(super) is_base64_encoded: bool,
}

/// Headers by lower-case name. Of one that was sent twice, the value that API Gateway chose.
#[derive(Default)]
pub(super) struct Headers(BTreeMap<String, String>);

impl Headers {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Event {
    pub(super) fn method(&self) -> &str {
        self.http_method.as_deref().unwrap_or_default()
    }

    /// Where it came from, as API Gateway saw it.
    pub(super) fn source_ip(&self) -> Option<IpAddr> {
        let identity = self.request_context.as_ref()?.identity.as_ref()?;
        identity.source_ip.as_deref()?.parse().ok()
    }

    pub(super) fn take_headers(&mut self) -> Headers {
        let given = self.headers.take().unwrap_or_default().into_iter();
        Headers(
            given.filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value?))).collect(),
        )
    }

    /// How many bytes the body has at least, told without decoding it.
    pub(super) fn body_length(&self) -> usize {
        let written = self.body.as_ref().map_or(0, String::len);
        // Four digits of base64 are three bytes, and the last two may be padding.
        if self.is_base64_encoded { (written / 4 * 3).saturating_sub(2) } else { written }
    }

    /// The body's bytes, decoded where API Gateway had encoded them; `None` where that cannot be.
    pub(super) fn take_body(&mut self) -> Option<Vec<u8>> {
        let body = self.body.take().unwrap_or_default();
        if self.is_base64_encoded { STANDARD.decode(body).ok() } else { Some(body.into_bytes()) }
    }
}

#[cfg(test)]
mod tests {
    use super::Event;

    fn event(text: &str) -> Event {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_request_is_read_whatever_its_caller_wrote_around_it() {
        let mut event = event(
            r#"{"httpMethod":"POST","path":"/leads","headers":{"Host":"a b","X-Forwarded-Proto":"\u0001",
            "Referer":"https://example.pt/?q=café","Content-TYPE":"application/json","X-Null":null},
            "multiValueHeaders":{"Host":["a b"]},"queryStringParameters":{"%":"%zz"},"body":"{}",
            "requestContext":{"identity":{"sourceIp":"192.0.2.1","userAgent":"\u007f"}}}"#,
        );
        assert_eq!((event.method(), event.body_length()), ("POST", 2));
        assert_eq!(event.source_ip().unwrap().to_string(), "192.0.2.1");
        let headers = event.take_headers();
        assert_eq!(headers.get("content-type"), Some("application/json"));
        assert_eq!((headers.get("host"), headers.get("x-null")), (Some("a b"), None));
        assert_eq!(event.take_body().unwrap(), b"{}");
    }

    #[test]
    fn what_is_missing_is_empty() {
        for text in ["{}", r#"{"headers":null,"body":null,"requestContext":null}"#] {
            let mut event = event(text);
            assert_eq!((event.method(), event.source_ip(), event.body_length()), ("", None, 0));
            assert!(event.take_headers().get("host").is_none());
            assert_eq!(event.take_body().unwrap(), b"");
        }
    }

    #[test]
    fn an_encoded_body_is_measured_before_it_is_decoded_and_a_broken_one_is_none() {
        for (body, bytes) in
            [("", &b""[..]), ("YQ==", b"a"), ("YWI=", b"ab"), ("YWJj", b"abc"), ("/w==", b"\xff")]
        {
            let mut event = event(&format!(r#"{{"body":"{body}","isBase64Encoded":true}}"#));
            assert!(event.body_length() <= bytes.len(), "{body}");
            assert_eq!(event.take_body().unwrap(), bytes);
        }
        for body in ["a", "é===", "YQ=", "Y Q="] {
            assert!(
                event(&format!(r#"{{"body":"{body}","isBase64Encoded":true}}"#))
                    .take_body()
                    .is_none()
            );
        }
    }
}
