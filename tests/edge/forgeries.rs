//! Webhooks that Stripe did not send, or not so, or not now. None is believed, and none leaves a
//! trace in the table.

use super::answers::{Told, ask};
use crate::sandbox::war;
use crate::stack::{Stack, pause};
use crate::stripe::{now, payment_event, send_event, signature};
use aws_sdk_dynamodb::types::AttributeValue;
use hmac::{Hmac, KeyInit, Mac};
use lambda::http::Kind;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A webhook as it is sent.
struct Forgery {
    name: &'static str,
    header: Option<String>,
    body: String,
    kind: Kind,
}

/// What a forger may have: an event, its true signature, and the time; all but the secret.
struct Seen {
    event: Value,
    body: String,
    at: i64,
    good: String,
    /// The signature's 64 digits.
    digits: String,
    secret: String,
}

impl Seen {
    fn new(secret: &str) -> Self {
        let mark = Uuid::new_v4().simple();
        let metadata = json!({"event_id": Uuid::new_v4(), "email": "forger@example.com"});
        let event =
            payment_event(&format!("evt_forged{mark}"), &format!("pi_forged{mark}"), &metadata);
        let (body, at) = (event.to_string(), now());
        let good = signature(secret, &body, at);
        let digits = good.rsplit('=').next().unwrap().to_owned();
        Self { event, body, at, good, digits, secret: secret.to_owned() }
    }

    fn forgery(&self, name: &'static str, header: impl Into<String>, kind: Kind) -> Forgery {
        Forgery { name, header: Some(header.into()), body: self.body.clone(), kind }
    }

    /// Under its true signature.
    fn body(&self, name: &'static str, body: impl Into<String>) -> Forgery {
        let (header, kind) = (Some(self.good.clone()), Kind::SignatureMismatch);
        Forgery { name, header, body: body.into(), kind }
    }

    /// Headers that are not as Stripe writes them.
    fn malformed(&self) -> Vec<Forgery> {
        use Kind::{
            SignatureMalformed as Malformed, SignatureNoKnownScheme as NoScheme,
            SignatureTooLong as TooLong,
        };
        let Self { at, digits, good, .. } = self;
        vec![
            Forgery { header: None, ..self.forgery("no header", "", Kind::SignatureMissing) },
            self.forgery("an empty header", "", Malformed),
            self.forgery("no signature", format!("t={at}"), NoScheme),
            self.forgery("no time", format!("v1={digits}"), Malformed),
            self.forgery("two times", format!("t={at},t={at},v1={digits}"), Malformed),
            self.forgery("a time of blanks", format!("t= {at},v1={digits}"), Malformed),
            self.forgery("a time with a sign", format!("t=+{at},v1={digits}"), Malformed),
            self.forgery("a time before 1970", format!("t=-{at},v1={digits}"), Malformed),
            self.forgery("a time in hexadecimal", format!("t=0x{at:x},v1={digits}"), Malformed),
            self.forgery(
                "a time that overflows",
                format!("t=18446744073709551617,v1={digits}"),
                Malformed,
            ),
            self.forgery("a time with a point", format!("t={at}.0,v1={digits}"), Malformed),
            self.forgery("v0 alone", format!("t={at},v0={digits}"), NoScheme),
            self.forgery("v2 alone", format!("t={at},v2={digits}"), NoScheme),
            self.forgery("a scheme in capitals", format!("t={at},V1={digits}"), NoScheme),
            self.forgery("an empty signature", format!("t={at},v1="), Malformed),
            self.forgery("a signature cut short", good[..good.len() - 2].to_owned(), Malformed),
            self.forgery("a signature too long", format!("{good}00"), Malformed),
            self.forgery(
                "a signature in capitals",
                format!("t={at},v1={}", digits.to_uppercase()),
                Malformed,
            ),
            self.forgery(
                "a signature that is no hexadecimal",
                format!("t={at},v1={}", "zz".repeat(32)),
                Malformed,
            ),
            self.forgery("semicolons", format!("t={at};v1={digits}"), Malformed),
            self.forgery("JSON", format!("{{\"t\":{at},\"v1\":\"{digits}\"}}"), Malformed),
            self.forgery(
                "a header of 8 kilobytes",
                format!("{good},x={}", "x".repeat(8000)),
                TooLong,
            ),
            self.forgery(
                "a hundred signatures",
                format!("t={at}{}", format!(",v1={digits}").repeat(100)),
                TooLong,
            ),
        ]
    }

    /// Well-written headers that prove nothing.
    fn unproven(&self) -> Vec<Forgery> {
        use Kind::{SignatureMismatch as Mismatch, SignatureStale as Stale};
        let Self { at, body, digits, secret, .. } = self;
        let plain = hex::encode(Sha256::digest(format!("{at}.{body}")));
        let with = |message: String| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(message.as_bytes());
            format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
        };
        vec![
            self.forgery("zeros", format!("t={at},v1={}", "0".repeat(64)), Mismatch),
            self.forgery(
                "another secret",
                signature("whsec_0123456789abcdef0123456789", body, *at),
                Mismatch,
            ),
            self.forgery("the empty secret", signature("", body, *at), Mismatch),
            self.forgery(
                "the secret without its prefix",
                signature(&secret["whsec_".len()..], body, *at),
                Mismatch,
            ),
            self.forgery(
                "the secret in capitals",
                signature(&secret.to_uppercase(), body, *at),
                Mismatch,
            ),
            self.forgery("a hash without a secret", format!("t={at},v1={plain}"), Mismatch),
            self.forgery("the body alone was signed", with(body.clone()), Mismatch),
            self.forgery("another time was signed", format!("t={},v1={digits}", at + 1), Mismatch),
            self.forgery(
                "the digits reversed",
                format!("t={at},v1={}", digits.chars().rev().collect::<String>()),
                Mismatch,
            ),
            self.forgery("a time with a zero in front", format!("t=0{at},v1={digits}"), Mismatch),
            self.forgery("five minutes ago", signature(secret, body, at - 310), Stale),
            self.forgery("a year ago", signature(secret, body, at - 31_536_000), Stale),
            self.forgery("in five minutes", signature(secret, body, at + 310), Stale),
            self.forgery(
                "in milliseconds",
                format!("t={}000,v1={digits}", at % 1_000_000_000),
                Stale,
            ),
            self.forgery("the beginning of time", signature(secret, body, 0), Stale),
        ]
    }

    /// The true signature over other bytes.
    fn other_bodies(&self) -> Vec<Forgery> {
        let Self { event, body, .. } = self;
        vec![
            self.body("another amount", body.replace("9700", "9")),
            self.body("a byte less", &body[..body.len() - 1]),
            self.body("half of it", &body[..body.len() / 2]),
            self.body("nothing", ""),
            self.body("a line break behind", format!("{body}\n")),
            self.body("a byte order mark in front", format!("\u{feff}{body}")),
            self.body("written anew", serde_json::to_string_pretty(event).unwrap()),
            self.body("twice", format!("{body}{body}")),
            self.body("one letter escaped", body.replacen("evt", "\\u0065vt", 1)),
            self.body("another event", body.replace("evt_forged", "evt_xorged")),
        ]
    }

    /// What the true secret has signed, and is not for us.
    fn truly_signed(&self) -> Vec<Forgery> {
        let signed = |name, body: String, kind| Forgery {
            name,
            header: Some(signature(&self.secret, &body, now())),
            body,
            kind,
        };
        let mut live = self.event.clone();
        live["livemode"] = json!(true);
        let mut moneyless = self.event.clone();
        moneyless["data"]["object"]["amount"] = json!("9700");
        let mut nameless = self.event.clone();
        nameless["id"] = json!("evt 1/../../x");
        vec![
            signed("a live event", live.to_string(), Kind::WrongMode),
            signed("no JSON", "signed nonsense".into(), Kind::UnreadableEvent),
            signed("no object", "[]".into(), Kind::UnreadableEvent),
            signed("an amount that is a text", moneyless.to_string(), Kind::UnreadableEvent),
            signed("an id that is none", nameless.to_string(), Kind::UnreadableEvent),
        ]
    }
}

/// The longest that a process goes on with a secret that was changed, and a moment.
const ROLLED: Duration = Duration::from_secs(75);

/// Counts the items that stay, and those that hold a text.
async fn items(stack: &Stack, mark: &str) -> (usize, usize) {
    let (mut all, mut marked, mut from) = (0, 0, None);
    loop {
        let page = stack.dynamodb().scan().table_name(stack.table()).set_exclusive_start_key(from);
        let page = page.send().await.unwrap();
        for item in page.items() {
            let key =
                |name: &str| item.get(name).map(AttributeValue::as_s).unwrap().unwrap().as_str();
            // Counters of callers expire, and the tests of the ledger's protocol write what is theirs.
            let passing =
                key("pk").starts_with("RATE#") || format!("{item:?}").contains("protocol");
            all += usize::from(!passing);
            marked += usize::from(format!("{item:?}").contains(mark));
        }
        from = page.last_evaluated_key().cloned();
        if from.is_none() {
            return (all, marked);
        }
    }
}

/// Waits until the work of other tests has come to rest.
async fn at_rest(stack: &Stack, mark: &str) -> usize {
    let (mut before, mut same) = (0, 0);
    while same < 5 {
        let (all, _) = items(stack, mark).await;
        same = if all == before { same + 1 } else { 0 };
        before = all;
        pause().await;
    }
    before
}

#[tokio::test]
async fn no_forgery_is_believed_and_the_table_stays_as_it_is() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let seen = Seen::new(stack.webhook_secret());
    let before = at_rest(&stack, "forged").await;
    let groups = [seen.malformed(), seen.unproven(), seen.other_bodies(), seen.truly_signed()];
    let forgeries: Vec<Forgery> = groups.into_iter().flatten().collect();
    assert!(forgeries.len() > 50, "{}", forgeries.len());
    for forgery in &forgeries {
        let told = send(&stack, forgery).await;
        told.is_problem(forgery.kind, &[], &forgery.name);
        assert!(!told.text.contains(&seen.digits), "{}: what would fit is not told", forgery.name);
    }
    assert_eq!(items(&stack, "forged").await, (before, 0));
    let genuine = seen.body("the true one", seen.body.as_str());
    send(&stack, &genuine).await.is(200, &"and the true one is taken");
    assert!(items(&stack, "forged").await.1 > 0, "which leaves its mark");
}

async fn send(stack: &Stack, forgery: &Forgery) -> Told {
    let asking = ask("/webhooks/stripe").body(forgery.body.as_str());
    match &forgery.header {
        Some(header) => asking.header("stripe-signature", header).post(stack).await,
        None => asking.post(stack).await,
    }
}

#[tokio::test]
async fn a_rolled_secret_is_taken_without_a_deploy_and_the_old_one_no_more() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let old = stack.webhook_secret().to_owned();
    let new = format!("whsec_{}", Uuid::new_v4().simple());
    let body = payment_event("evt_rolled", "pi_rolled", &json!({})).to_string();
    let answer =
        async |secret: &str| send_event(&stack, &body, &signature(secret, &body, now())).await.0;
    assert_eq!((answer(&old).await, answer(&new).await), (200, 400));
    stack.set_secret("STRIPE_WEBHOOK_SECRET", &new).await;
    until_taken(async || answer(&new).await).await;
    assert_eq!(answer(&old).await, 400);
    // While a secret is rolled at Stripe both hold.
    stack.set_secret("STRIPE_WEBHOOK_SECRET", &format!("{new} {old}")).await;
    until_taken(async || answer(&old).await).await;
    assert_eq!(answer(&new).await, 200);
    stack.set_secret("STRIPE_WEBHOOK_SECRET", &old).await;
    stack.restart("stripe-webhook").await;
    assert_eq!((answer(&old).await, answer(&new).await), (200, 400));
}

/// A secret is read again when a signature fits nowhere, at most once a minute.
async fn until_taken(answer: impl AsyncFn() -> u16) {
    let began = Instant::now();
    while answer().await != 200 {
        assert!(began.elapsed() < ROLLED, "the new secret was never taken");
        pause().await;
    }
}
