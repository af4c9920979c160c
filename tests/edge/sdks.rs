//! Webhooks that Stripe's own libraries have signed.

use super::answers::ask;
use crate::architecture::root;
use crate::sandbox::peace;
use crate::stack::Stack;
use crate::stripe::payment_event;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use uuid::Uuid;

/// Where the pinned tools are.
fn tools() -> PathBuf {
    root().join(".local/tools")
}

/// Stripe's library for Python.
fn python() -> Command {
    let program = tools().join("edge/bin/python");
    assert!(program.exists(), "{MISSING}: {} is missing", program.display());
    let mut python = Command::new(program);
    python.arg(root().join("tests/edge/sdks/sign.py"));
    python
}

/// Stripe's library for Node.
fn node() -> Command {
    let modules = tools().join("node/node_modules");
    assert!(modules.join("stripe").exists(), "{MISSING}: {} is missing", modules.display());
    let mut node = Command::new("node");
    node.arg(root().join("tests/edge/sdks/sign.cjs")).env("NODE_PATH", modules);
    node
}

const MISSING: &str =
    "Stripe's libraries are not installed; `cargo xtask test --only e2e` installs them and tests";

/// The headers under which a library sends bodies, one for each.
fn signed(mut library: Command, secret: &str, payloads: &[String]) -> Vec<String> {
    let mut child = library
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{library:?} cannot be started: {error}"));
    let asked = json!({"secret": secret, "payloads": payloads}).to_string();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success(), "{library:?} failed; what it said is above");
    let told: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert!(told["version"].as_str().is_some_and(|version| version.contains('.')), "{told}");
    serde_json::from_value(told["headers"].clone()).unwrap()
}

/// Bodies as Stripe writes them, each with an event of its own: indented and not, with names of
/// the world in it, large, of types that we use and of types that nobody knows.
fn payloads() -> Vec<String> {
    let mark = || Uuid::new_v4().simple().to_string();
    let paid = |metadata: Value| {
        payment_event(&format!("evt_{}", mark()), &format!("pi_{}", mark()), &metadata)
    };
    let mut other = paid(json!({}));
    other["type"] = json!("v2.core.something.happened");
    let large: Vec<String> = (0..400).map(|at| format!("line {at} – ação")).collect();
    let mut payloads = vec![
        paid(json!({})).to_string(),
        serde_json::to_string_pretty(&paid(json!({"full_name": "Inês “Zé” 王小明 👩‍👧"}))).unwrap(),
        paid(json!({"escaped": "\u{1}\\ \" \u{2028}"})).to_string().replace('ã', "\\u00e3"),
        other.to_string(),
        paid(json!({"lines": large.join("\n")})).to_string(),
    ];
    let samples = root().join("events/stripe-webhook");
    for sample in crate::architecture::walk(&samples) {
        if sample.to_string_lossy().ends_with(".stripe.json") {
            let text = std::fs::read_to_string(sample).unwrap();
            payloads.push(text.replace("SAMPLE", &mark()[..12]));
        }
    }
    payloads
}

async fn all_are_accepted(library: Command) {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let payloads = payloads();
    let headers = signed(library, stack.webhook_secret(), &payloads);
    assert_eq!(headers.len(), payloads.len());
    for (payload, header) in payloads.iter().zip(&headers) {
        let asking = ask("/webhooks/stripe").header("stripe-signature", header);
        let told = asking.clone().body(payload.as_str()).post(&stack).await;
        told.is(200, &payload);
        assert_eq!(told.json, json!({"received": true, "duplicate": false}), "{payload}");
        let changed = payload.replacen('e', "f", 1);
        let told = asking.body(changed).post(&stack).await;
        assert_eq!(told.status, 400, "{told:?}");
    }
}

#[tokio::test]
async fn what_stripes_python_library_signs_is_accepted() {
    all_are_accepted(python()).await;
}

#[tokio::test]
async fn what_stripes_node_library_signs_is_accepted() {
    all_are_accepted(node()).await;
}
