//! The webhook, asked as Stripe would: an event of a type that nobody sends, signed right and wrong.
//! Nothing of it is stored. The clock is compared with the one of whoever answers.

use super::Check;
use crate::secrets::SecretName;
use crate::{Fault, Operator};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use outbound::{Answer, Body, Call, HeaderMap, HeaderValue, Limits, Method, Outbound, Roots};
use secrecy::ExposeSecret;
use sha2::Sha256;
use std::time::Duration;

/// A cold start of the function, and its calls.
const PATIENCE: Limits = Limits { connect: Duration::from_secs(5), total: Duration::from_secs(20) };

/// A signature is stale after five minutes; half of that is a warning.
const SKEW_SECONDS: i64 = 150;

/// A secret that is nobody's.
const WRONG: &str = "whsec_this_is_nobodys_secret";

impl Operator {
    pub(super) async fn check_webhook(&self, now: impl Fn() -> Timestamp) -> Vec<Check> {
        const WHAT: &str = "webhook";
        let secret = match self.secret(SecretName::StripeWebhookSecret).await {
            Ok(Some(secret)) => secret,
            Ok(None) => {
                return vec![Check::fail(WHAT, "its secret is not set, so it cannot be asked")];
            }
            Err(fault) => return vec![Check::impossible(WHAT, &fault)],
        };
        // While one rolls there are several: the first is the newest or the oldest, and both fit.
        let exposed = secret.expose_secret();
        let first = exposed.split(|c: char| c.is_whitespace() || c == ',').find(|s| !s.is_empty());
        let asked_at = now();
        let right = match self.ask_webhook(first.unwrap_or_default(), asked_at).await {
            Ok(answer) => answer,
            Err(fault) => return vec![Check::impossible(WHAT, &fault)],
        };
        let mut checks = vec![judge_right(&right)];
        match self.ask_webhook(WRONG, now()).await {
            Ok(answer) => checks.push(judge_wrong(&answer)),
            Err(fault) => checks.push(Check::impossible("forged webhook", &fault)),
        }
        checks.push(clock(right.header("date"), asked_at));
        checks
    }

    async fn ask_webhook(&self, secret: &str, now: Timestamp) -> Result<Answer, Fault> {
        let settings = self.stage.settings.as_ref();
        let livemode = settings.is_some_and(|settings| settings.stripe_livemode == "true");
        let body = serde_json::json!({
            "id": format!("evt_doctor{}", now.as_millisecond()), "object": "event",
            "type": "throughline.doctor", "created": now.as_second(), "livemode": livemode,
            "data": {"object": {"id": "doctor", "object": "doctor"}},
        });
        let body = body.to_string();
        let mut headers = HeaderMap::new();
        let signature = HeaderValue::from_str(&signature(secret, &body, now));
        let signature = signature.map_err(|_| Fault::refused("the webhook's secret is no text"))?;
        headers.insert("stripe-signature", signature);
        let door = Outbound::new("stage", PATIENCE, Roots::Machine);
        let door = door.map_err(|unbuildable| Fault::refused(unbuildable.to_string()))?;
        let url = format!("{}/webhooks/stripe", self.stage.api_url);
        let call = Call {
            verb: "check_webhook",
            method: Method::POST,
            url: &url,
            headers,
            body: Body::Json(body.into_bytes()),
            attempt: 1,
        };
        let answer = door.call(call).await;
        answer.map_err(|fault| {
            Fault::refused(format!(
                "{url} does not answer ({fault}): is the stage deployed, and its API there?"
            ))
        })
    }
}

/// `t=<seconds>,v1=<HMAC of seconds, a dot and the body>`, as Stripe signs.
fn signature(secret: &str, body: &str, now: Timestamp) -> String {
    let at = now.as_second();
    // HMAC takes a key of any length, so this constructor cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

fn judge_right(answer: &Answer) -> Check {
    const WHAT: &str = "webhook";
    match (answer.status(), kind(answer).as_str()) {
        (200, _) => Check::ok(WHAT, "reachable, and its secret is the one in SSM"),
        (400, "signature-mismatch") => Check::fail(
            WHAT,
            "it does not know the secret in SSM yet: it reads it again within a minute; ask again then",
        ),
        (400, "signature-stale") => {
            Check::fail(WHAT, "this machine's clock and the stage's disagree")
        }
        (400, "wrong-mode") => {
            Check::fail(WHAT, "StripeLivemode of the function is not the stage's: deploy once more")
        }
        (status, kind) => Check::fail(
            WHAT,
            format!("it answers {status} {kind}: read the log of stripe-webhook, which says why"),
        ),
    }
}

fn judge_wrong(answer: &Answer) -> Check {
    const WHAT: &str = "forged webhook";
    match (answer.status(), kind(answer).as_str()) {
        (400, "signature-mismatch") => Check::ok(WHAT, "a wrong signature is refused"),
        (200, _) => {
            Check::fail(WHAT, "a forged event is TAKEN: roll STRIPE_WEBHOOK_SECRET at once")
        }
        (status, kind) => Check::warn(WHAT, format!("refused as {status} {kind}")),
    }
}

/// The problem's kind: `signature-mismatch` of `urn:throughline:problem:signature-mismatch`.
fn kind(answer: &Answer) -> String {
    let problem: Option<serde_json::Value> = answer.json();
    let urn = problem.and_then(|problem| Some(problem.get("type")?.as_str()?.to_owned()));
    urn.and_then(|urn| urn.rsplit(':').next().map(str::to_owned)).unwrap_or_default()
}

/// Compares this machine's clock with an answer's.
fn clock(date: Option<&str>, asked_at: Timestamp) -> Check {
    const WHAT: &str = "clock";
    let theirs = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let Some(theirs) = theirs else {
        return Check::warn(WHAT, "the stage's answer has no date to compare with");
    };
    let apart = theirs.timestamp().duration_since(asked_at).as_secs().abs();
    if apart > SKEW_SECONDS {
        return Check::fail(
            WHAT,
            format!(
                "this machine and the stage are {apart} s apart: set the clock, or ages and signatures mislead"
            ),
        );
    }
    Check::ok(WHAT, format!("{apart} s from the stage's"))
}

#[cfg(test)]
mod tests {
    use super::{clock, signature};
    use crate::Verdict;
    use jiff::Timestamp;
    use stripe::webhook::{self, SigningSecrets};

    #[test]
    fn what_is_signed_here_is_stripes_to_the_function() {
        let (secret, now) =
            ("whsec_0123456789abcdef", Timestamp::from_second(1_790_000_000).unwrap());
        let secrets = SigningSecrets::parse(secret).unwrap();
        let header = signature(secret, "{}", now);
        assert!(webhook::verify(Some(&header), b"{}", &secrets, now).is_ok());
        assert!(webhook::verify(Some(&header), b"{ }", &secrets, now).is_err());
    }

    #[test]
    fn clocks_that_are_minutes_apart_are_named() {
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        assert_eq!(clock(Some("Fri, 20 Nov 2026 10:00:03 GMT"), now).verdict, Verdict::Ok);
        assert_eq!(clock(Some("Fri, 20 Nov 2026 10:04:00 GMT"), now).verdict, Verdict::Fail);
        assert_eq!(clock(None, now).verdict, Verdict::Warn);
    }
}
