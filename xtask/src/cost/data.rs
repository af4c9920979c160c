//! The three files of the model, as they are: counts from the tests, the rest of what a step uses,
//! and prices.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Everything the model knows.
pub(super) struct Data {
    pub(super) designs: Vec<Design>,
    pub(super) prices: Prices,
    pub(super) assumed: String,
    /// How long a call to the table or a queue takes.
    pub(super) table_ms: u128,
    /// How many secrets a start reads.
    pub(super) secrets_read: u128,
    /// Events a month, and cold starts in a thousand invocations.
    pub(super) volumes: Vec<(u128, u128)>,
}

/// A way to build it.
#[derive(Deserialize)]
pub(super) struct Design {
    pub(super) name: String,
    pub(super) what: String,
    /// What it does not promise, beside ours.
    pub(super) lacks: String,
    pub(super) memory_mb: u128,
    pub(super) start_ms: u128,
    pub(super) steps: Vec<Step>,
}

/// One piece of work, and how often it is done for a lead, a webhook, a purchase, or in a month.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Step {
    pub(super) step: String,
    pub(super) lead: u128,
    pub(super) webhook: u128,
    pub(super) purchase: u128,
    pub(super) monthly: u128,
    pub(super) http: u128,
    /// CPU at a whole core; a step without any is no invocation.
    pub(super) cpu_us: u128,
    /// What is waited for beside the table: Stripe, a vendor.
    pub(super) waits_ms: u128,
    /// Calls one after the other; where it is not said, all of them.
    in_turn: Option<u128>,
    /// The row of the counts that says what it calls.
    counted: Option<String>,
    writes: u128,
    reads: u128,
    /// Messages sent, each by a request.
    sends: u128,
    /// Batches taken off a queue: received and deleted.
    pub(super) receives: u128,
    pub(super) requests_of_sqs: u128,
    pub(super) schedules: u128,
    pub(super) alarms: u128,
    pub(super) metrics: u128,
    pub(super) log_bytes: u128,
    pub(super) out_bytes: u128,
    #[serde(skip)]
    pub(super) calls: Calls,
    #[serde(skip)]
    pub(super) needed: Calls,
}

/// Calls and units of one step, in thousandths: a batch shares them among its events.
#[derive(Default, Clone, PartialEq, Eq, Debug)]
pub(super) struct Calls {
    pub(super) calls: u128,
    pub(super) writes: u128,
    pub(super) reads: u128,
    pub(super) requests_of_sqs: u128,
    pub(super) in_turn: u128,
}

/// What each thing costs, by its name.
pub(super) type Prices = BTreeMap<String, Price>;

/// A price, in picodollars, with tiers: up to so many a month, then the next.
#[derive(Deserialize)]
pub(super) struct Price {
    pub(super) service: String,
    #[serde(rename = "for")]
    pub(super) of: String,
    /// How many of them the tables price together.
    pub(super) per: u128,
    /// When it was read; `None` where it could not be checked.
    pub(super) read: Option<String>,
    pub(super) tiers: Vec<(Option<u128>, u128)>,
    pub(super) source: String,
}

#[derive(Deserialize)]
struct PriceList {
    prices: Prices,
}

#[derive(Deserialize)]
struct Usage {
    assumed: String,
    table_ms: u128,
    secrets_read: u128,
    volumes: Vec<(u128, u128)>,
    designs: Vec<Design>,
}

impl Data {
    /// Reads the files under `cost/`.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let file = |name: &str| {
            let path = root.join("cost").join(name);
            std::fs::read_to_string(&path).with_context(|| format!("cannot read cost/{name}"))
        };
        let list: PriceList =
            serde_json::from_str(&file("prices.json")?).context("cost/prices.json")?;
        let mut usage: Usage =
            serde_json::from_str(&file("usage.json")?).context("cost/usage.json")?;
        let counts = counts(&file("calls.snap")?)?;
        for step in usage.designs.iter_mut().flat_map(|design| &mut design.steps) {
            step.count(&counts)?;
        }
        let Usage { assumed, table_ms, secrets_read, volumes, designs } = usage;
        Ok(Self { designs, prices: list.prices, assumed, table_ms, secrets_read, volumes })
    }
}

impl Step {
    /// Takes the calls from the counts, or from the file where nobody counts them.
    fn count(&mut self, counts: &BTreeMap<String, (Calls, Calls)>) -> Result<()> {
        (self.calls, self.needed) = match &self.counted {
            Some(name) => counts
                .get(name)
                .cloned()
                .with_context(|| format!("cost/calls.snap has no row {name:?}"))?,
            None => {
                let calls = Calls {
                    calls: 0,
                    writes: self.writes * 1000,
                    reads: self.reads * 1000,
                    requests_of_sqs: self.sends * 1000,
                    in_turn: 0,
                };
                (calls.clone(), calls)
            }
        };
        for calls in [&mut self.calls, &mut self.needed] {
            calls.in_turn = self.in_turn.map_or(calls.in_turn, |calls| calls * 1000);
        }
        Ok(())
    }
}

/// The rows of the snapshot: by event, what was counted and what is needed.
fn counts(snapshot: &str) -> Result<BTreeMap<String, (Calls, Calls)>> {
    let mut rows = BTreeMap::new();
    let body = snapshot.rsplit_once("---\n").map_or(snapshot, |(_, body)| body);
    for line in body.lines().skip(1).filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [event, calls, writes, reads, n_calls, n_writes, n_reads, operations, _] = cells[..]
        else {
            bail!("cost/calls.snap: not nine cells: {line}")
        };
        let queue = |operation: &&str| {
            operation.starts_with("SendMessage") || operation.starts_with("ChangeMessage")
        };
        let mut requests_of_sqs = 0;
        for operation in operations.split(", ").filter(queue) {
            let (_, count) = operation.rsplit_once(' ').context("an operation without a count")?;
            requests_of_sqs += thousandths(count)?;
        }
        let of = |calls: &str, writes: &str, reads: &str| -> Result<Calls> {
            let (writes, reads) = (thousandths(writes)?, thousandths(reads)?);
            let calls = thousandths(calls)?;
            Ok(Calls { calls, writes, reads, requests_of_sqs, in_turn: calls })
        };
        let both = (of(calls, writes, reads)?, of(n_calls, n_writes, n_reads)?);
        rows.insert(event.to_owned(), both);
    }
    Ok(rows)
}

/// `3.25` as 3250, exactly.
fn thousandths(text: &str) -> Result<u128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<3}");
    let parsed = whole.parse::<u128>().ok().zip(part.parse::<u128>().ok());
    let (whole, part) = parsed.with_context(|| format!("{text:?} is no count"))?;
    Ok(whole * 1000 + part)
}

#[cfg(test)]
mod tests {
    use super::{Calls, counts, thousandths};

    #[test]
    fn counts_are_read_exactly() {
        assert_eq!(thousandths("3").unwrap(), 3000);
        assert_eq!(thousandths("0.5").unwrap(), 500);
        assert_eq!(thousandths("12.25").unwrap(), 12_250);
        assert!(thousandths("?").is_err());
    }

    #[test]
    fn a_row_says_what_was_counted_and_what_is_needed() {
        let snapshot = "---\nsource: x\n---\nevent | calls\n\
            a | 3 | 4.5 | 1 | 2 | 3 | 0.5 | PutItem 1, SendMessageBatch 2 | because\n";
        let counts = counts(snapshot).unwrap();
        let of = |calls, writes, reads| Calls {
            calls,
            writes,
            reads,
            requests_of_sqs: 2000,
            in_turn: calls,
        };
        assert_eq!(counts["a"], (of(3000, 4500, 1000), of(2000, 3000, 500)));
    }
}
