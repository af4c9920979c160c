//! What a webhook costs before anything of it is read: `cargo bench -p stripe`.
//!
//! Each figure stands beside two references of the same run: the bare HMAC-SHA256 over the same
//! bytes, which no check can do without, and serde_json's reading of them, which a forgery never gets to.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "a bench measures time and prints it"
)]

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::hint::black_box;
use std::time::{Duration, Instant};
use stripe::webhook::{SigningSecrets, verify};

const SECRET: &str = "whsec_0123456789abcdef0123456789abcdef";
const AT: i64 = 1_800_000_000;

fn main() {
    let secrets = SigningSecrets::parse(SECRET).unwrap();
    let now = Timestamp::from_second(AT).unwrap();
    println!("| body | HMAC alone | genuine | forged | malformed header | reading the JSON |");
    println!("|---|---|---|---|---|---|");
    for size in [1_000, 4_000, 64_000] {
        let body = event(size);
        let good = format!("t={AT},v1={}", hex::encode(mac(&body)));
        let forged = format!("t={AT},v1={}", "0".repeat(64));
        assert!(verify(Some(&good), &body, &secrets, now).is_ok());
        assert!(verify(Some(&forged), &body, &secrets, now).is_err());
        let alone = timed(|| mac(&body));
        let check = |header: &str| timed(|| verify(Some(header), &body, &secrets, now).is_ok());
        let parsed = timed(|| serde_json::from_slice::<serde_json::Value>(&body).is_ok());
        let beside = |time: Duration| {
            let ratio = time.as_secs_f64() / alone.as_secs_f64();
            format!("{:.2} µs ({ratio:.2}×)", time.as_secs_f64() * 1e6)
        };
        println!(
            "| {size} bytes | {:.2} µs | {} | {} | {} | {} |",
            alone.as_secs_f64() * 1e6,
            beside(check(&good)),
            beside(check(&forged)),
            beside(check("v1=00")),
            beside(parsed),
        );
    }
}

/// An event of about so many bytes.
fn event(size: usize) -> Vec<u8> {
    let line = r#"{"id":"li_1","object":"item","amount":9700,"currency":"eur","description":null}"#;
    let lines = vec![line; size / line.len()].join(",");
    format!(r#"{{"id":"evt_1","object":"event","lines":[{lines}]}}"#).into_bytes()
}

fn mac(body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(AT.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

/// The median of many rounds, each of a hundred calls.
fn timed<T>(call: impl Fn() -> T) -> Duration {
    let mut rounds: Vec<Duration> = (0..200)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..100 {
                black_box(call());
            }
            began.elapsed() / 100
        })
        .collect();
    rounds.sort_unstable();
    rounds[rounds.len() / 2]
}
