//! Random bodies for every route: whatever comes, the answer is one that the contract lists, and
//! no function falls over. 25 seconds; `THROUGHLINE_FUZZ_SECONDS=1200` makes it twenty minutes, and
//! `THROUGHLINE_FUZZ_SEED` repeats a run.

mod words;

use super::answers::{Asking, FORM, Told, ask};
use super::contract::Contract;
use crate::aws::now_ms;
use crate::sandbox::peace;
use crate::stack::Stack;
use crate::stripe::{now, payment_event, signature};
use crate::visitor::a_visitor;
use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

/// The routes, each with its function.
const ROUTES: [(&str, &str); 4] = [
    ("/leads", "lead-capture"),
    ("/consents", "consent-capture"),
    ("/payment-intents", "create-payment-intent"),
    ("/webhooks/stripe", "stripe-webhook"),
];
/// How many requests are under way at once.
const WORKERS: usize = 6;
/// How long until the logs are looked at: the local AWS shows ten thousand lines at once.
const ROUND: Duration = Duration::from_secs(8);
/// In every text that is made up here; no answer and no log line may hold it.
const MARK: &str = "canario-amarelo";

#[expect(clippy::disallowed_methods, reason = "how long a person wants it to run, and from where")]
fn wish(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// Past the test harness, which shows nothing of a test that passes.
fn say(line: &str) {
    std::io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

#[tokio::test]
async fn no_random_body_is_answered_otherwise_than_the_contract_says() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let length = Duration::from_secs(wish("THROUGHLINE_FUZZ_SECONDS").unwrap_or(25));
    let first = wish("THROUGHLINE_FUZZ_SEED").unwrap_or_else(|| Rng::new().u64(..1 << 40));
    say(&format!("fuzz: {} s from THROUGHLINE_FUZZ_SEED={first}", length.as_secs()));
    let contract = Contract::read();
    let (next, seen) = (Cell::new(first), RefCell::new(BTreeMap::<(&str, u16), usize>::new()));
    let began = Instant::now();
    while began.elapsed() < length {
        let (since, until) = (now_ms(), Instant::now() + ROUND.min(length - began.elapsed()));
        let worker = || async {
            while Instant::now() < until {
                let seed = next.replace(next.get() + 1);
                let (path, asking) = request(&stack, seed);
                let told = asking.post(&stack).await;
                check(&contract, path, seed, &told);
                *seen.borrow_mut().entry((path, told.status)).or_default() += 1;
            }
        };
        join_all((0..WORKERS).map(|_| worker())).await;
        look_at_logs(&stack, since).await;
    }
    let seen = seen.into_inner();
    let taken = |path: &str| seen.iter().any(|((p, status), _)| *p == path && *status < 400);
    assert!(ROUTES.iter().all(|(path, _)| taken(path)), "some must be taken too: {seen:?}");
    say(&format!("fuzz: {} requests: {seen:?}", seen.values().sum::<usize>()));
}

fn check(contract: &Contract, path: &str, seed: u64, told: &Told) {
    let why = format!("THROUGHLINE_FUZZ_SEED={seed} {path}: {told:?}");
    let kinds = contract.kinds(path, told.status).unwrap_or_else(|| panic!("not listed: {why}"));
    assert!(told.status < 500, "{why}");
    assert!(!told.text.contains(MARK), "repeated: {why}");
    if told.status >= 400 {
        let kind = told.kind().unwrap_or_else(|| panic!("no problem: {why}"));
        assert!(kinds.contains(kind.slug()), "not listed: {why}");
        told.is_well_formed(&why);
    }
}

/// A panic that was caught, or a text of a stranger, in any line since a moment.
async fn look_at_logs(stack: &Stack, since: i64) {
    for (_, function) in ROUTES {
        for line in stack.printed(function, since).await {
            assert!(!line.contains("panicked") && !line.contains(MARK), "{function}: {line}");
        }
    }
}

/// The request of a seed: the same seed, the same request (but for its ids and its time).
fn request(stack: &Stack, seed: u64) -> (&'static str, Asking) {
    let mut random = Rng::with_seed(seed);
    let (path, _) = ROUTES[random.usize(..ROUTES.len())];
    let valid = match path {
        "/leads" => a_visitor().lead(random.u32(1..=22)),
        "/consents" => a_visitor().consent_update(),
        "/payment-intents" => a_visitor().purchase(),
        _ => event(&mut random),
    };
    let mut asking = ask(path);
    let body = match random.u8(..12) {
        0 => words::bytes(&mut random, 2000),
        1 => words::json(&mut random, 12).to_string().into_bytes(),
        2..=6 => words::mutated(&mut random, valid).to_string().into_bytes(),
        7 | 8 => words::damaged(&mut random, valid.to_string().into_bytes()),
        9 => valid.to_string().into_bytes(),
        10 => {
            asking = asking.header("content-type", FORM);
            words::form(&mut random, &valid)
        }
        _ => words::long(&mut random, valid),
    };
    if path == "/webhooks/stripe" && random.u8(..4) > 0 {
        let text = String::from_utf8_lossy(&body).into_owned();
        asking = asking.header("stripe-signature", sign(&mut random, stack, &text));
        return (path, asking.body(text));
    }
    if random.u8(..8) == 0 {
        asking = asking.header("content-type", words::header(&mut random));
    }
    if random.u8(..8) == 0 {
        let name =
            ["origin", "referer", "user-agent", "stripe-signature", "cookie", "x-forwarded-proto"];
        asking = asking.header(name[random.usize(..name.len())], words::header(&mut random));
    }
    (path, asking.body(body))
}

fn event(random: &mut Rng) -> Value {
    let mark = uuid::Uuid::new_v4().simple().to_string();
    let metadata = json!({"event_id": a_visitor().event_id, "email": "ana.silva@example.pt"});
    let mut event = payment_event(&format!("evt_{mark}"), &format!("pi_{mark}"), &metadata);
    let kinds = [
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "refund.created",
        "refund.updated",
    ];
    event["type"] = json!(kinds[random.usize(..kinds.len())]);
    event
}

/// Mostly true, so that what comes after the signature is tried too.
fn sign(random: &mut Rng, stack: &Stack, body: &str) -> String {
    let good = signature(stack.webhook_secret(), body, now());
    match random.u8(..10) {
        0 => String::from_utf8_lossy(&words::damaged(random, good.into_bytes()))
            .chars()
            .filter(char::is_ascii_graphic)
            .collect(),
        1 => signature("whsec_0123456789abcdef", body, now()),
        _ => good,
    }
}
