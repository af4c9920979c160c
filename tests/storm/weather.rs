//! What goes wrong: AWS's answers, functions that are killed while they work, vendors that fail.

use crate::aws::kill;
use crate::sandbox::Sandbox;
use crate::stack::Stack;
use serde_json::{Value, json};
use std::time::Duration;

/// Who is killed: whoever has work.
const WORKERS: [&str; 9] = [
    "lead-capture",
    "create-payment-intent",
    "stripe-webhook",
    "dispatcher",
    "crm-sync",
    "esp-sync",
    "sgtm-forwarder",
    "notifier",
    "sweeper",
];

const VENDORS: [&str; 6] = ["stripe", "hubspot", "mailerlite", "sgtm", "sendgrid", "slack"];

/// A seed's bad luck.
pub(super) struct Weather {
    luck: fastrand::Rng,
    killed: u32,
    broken: u32,
}

impl Weather {
    /// Has so many in a hundred of the functions' calls to AWS fail from now on.
    pub(super) async fn begin(stack: &Stack, seed: u64, percent: u64) -> Self {
        let told = order(stack, &json!({"seed": seed, "percent": percent})).await;
        assert_eq!(told["percent"], percent, "{told}");
        Self { luck: fastrand::Rng::with_seed(!seed), killed: 0, broken: 0 }
    }

    /// Kills and breaks, one thing after the other, for as long as it is awaited.
    pub(super) async fn blows(&mut self, stack: &Stack) {
        loop {
            let pause = Duration::from_millis(self.luck.u64(200..1_800));
            tokio::time::sleep(pause).await;
            if self.luck.bool() {
                self.kills(stack);
            } else {
                self.breaks(&stack.sandbox).await;
            }
        }
    }

    fn kills(&mut self, stack: &Stack) {
        let function = self.luck.choice(WORKERS).unwrap();
        let process = self.luck.choice(stack.processes(function));
        self.killed += u32::from(process.is_some_and(|process| kill(&process)));
    }

    /// One vendor, for a few calls. Whether a vendor did its work can be told from its journal.
    async fn breaks(&mut self, sandbox: &Sandbox) {
        let vendor = self.luck.choice(VENDORS).unwrap();
        let times = self.luck.u32(1..4);
        let late = self.luck.u64(500..4_000);
        let fault = match self.luck.u8(0..5) {
            0 => json!({"status": 503, "times": times}),
            1 => json!({"status": 429, "retry_after": 1, "times": times}),
            2 => json!({"status": 500, "times": 1}),
            3 => json!({"latency_ms": late, "times": times}),
            _ => json!({"cut": true, "worked": true, "times": 1}),
        };
        sandbox.break_vendor(vendor, fault).await;
        self.broken += 1;
    }

    /// Nothing fails any more.
    pub(super) async fn ends(&self, stack: &Stack) {
        order(stack, &json!({"seed": 0, "percent": 0})).await;
        for vendor in VENDORS {
            stack.sandbox.mend_vendor(vendor).await;
        }
    }

    /// What went wrong.
    pub(super) async fn told(&self, stack: &Stack) -> String {
        let told: Value =
            stack.http.get(control(stack)).send().await.unwrap().json().await.unwrap();
        let faults = told["faults"].as_object().unwrap();
        let sum: u64 = faults.values().filter_map(Value::as_u64).sum();
        let each: Vec<String> =
            faults.iter().map(|(name, count)| format!("{name} {count}")).collect();
        format!(
            "storm: AWS failed {sum} of {} calls ({}); {} functions killed, {} faults of vendors",
            sum + told["passed"].as_u64().unwrap(),
            each.join(", "),
            self.killed,
            self.broken
        )
    }
}

fn control(stack: &Stack) -> String {
    let url = stack.faults_url().expect("no proxy stands before AWS: start with `up --faults`");
    format!("{url}/_faults")
}

async fn order(stack: &Stack, orders: &Value) -> Value {
    stack.http.post(control(stack)).json(orders).send().await.unwrap().json().await.unwrap()
}
