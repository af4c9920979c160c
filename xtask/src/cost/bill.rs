//! The arithmetic, in whole numbers: what is used, in thousandths; what it costs, in picodollars.

use super::data::{Calls, Data, Design, Price, Step};
use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// A dollar.
pub(super) const DOLLAR: u128 = 1_000_000_000_000;

/// What is paid for, by the name of its price, in picodollars.
pub(super) type Bill = BTreeMap<String, u128>;

/// What is asked about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Lead,
    Webhook,
    Purchase,
}

impl Work {
    fn times(self, step: &Step) -> u128 {
        match self {
            Self::Lead => step.lead,
            Self::Webhook => step.webhook,
            Self::Purchase => step.purchase,
        }
    }
}

/// How much of it, and under which circumstances.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) work: Work,
    /// How many in a month.
    pub(super) events: u128,
    /// Cold starts in a thousand invocations.
    pub(super) starts: u128,
    /// Whether what runs every month, whoever comes, is added.
    pub(super) with_month: bool,
    /// Whether calls are those that were counted, or those that the protocol needs.
    pub(super) at_the_least: bool,
}

/// What a load costs in one design.
pub(super) fn bill(data: &Data, design: &Design, load: Load) -> Result<Bill> {
    let mut used = Used::default();
    for step in &design.steps {
        let month = if load.with_month { step.monthly } else { 0 };
        used.add(data, design, step, load, load.work.times(step) * load.events + month);
    }
    used.priced(data)
}

/// All of a bill.
pub(super) fn total(bill: &Bill) -> u128 {
    bill.values().sum()
}

/// Thousandths of what is paid for; the time apart, in MB and microseconds.
#[derive(Default)]
struct Used {
    amounts: BTreeMap<&'static str, u128>,
    megabyte_microseconds: u128,
}

impl Used {
    fn add(&mut self, data: &Data, design: &Design, step: &Step, load: Load, times: u128) {
        let calls = if load.at_the_least { &step.needed } else { &step.calls };
        let invocations = u128::from(step.cpu_us > 0) * times;
        let starts = invocations * load.starts;
        for (name, amount) in [
            ("api_gateway", step.http * times * 1000),
            ("lambda_requests", invocations * 1000),
            ("writes", calls.writes * times),
            ("reads", calls.reads * times),
            ("sqs", calls.requests_of_sqs * times),
            ("sqs", (step.receives * 2 + step.requests_of_sqs) * times * 1000),
            ("logs", step.log_bytes * times * 1000),
            ("alarms", step.alarms * times * 1000),
            ("metrics", step.metrics * times * 1000),
            ("schedules", step.schedules * times * 1000),
            ("kms", data.secrets_read * starts),
            ("data_out", step.out_bytes * times * 1000),
        ] {
            *self.amounts.entry(name).or_default() += amount;
        }
        let warm = billed_ms(data, design, step, calls) * 1000 * invocations;
        let cold = design.start_ms * starts;
        self.megabyte_microseconds += design.memory_mb * (warm + cold);
    }

    fn priced(mut self, data: &Data) -> Result<Bill> {
        // A GB is 1024 MB; a thousandth of a GB-second is 1024 MB for a millisecond.
        let time = self.megabyte_microseconds / (1024 * 1000);
        self.amounts.insert("lambda_time", time);
        let mut bill = Bill::new();
        for (name, amount) in self.amounts {
            let price = data.prices.get(name).with_context(|| format!("no price of {name}"))?;
            bill.insert(name.to_owned(), cost(price, amount));
        }
        Ok(bill)
    }
}

/// What one invocation is billed: its share of a core (1769 MB have one), its calls one after the
/// other, and what it waits for. <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
fn billed_ms(data: &Data, design: &Design, step: &Step, calls: &Calls) -> u128 {
    let cpu_us = step.cpu_us * 1769 / design.memory_mb.min(1769);
    let calls_us = calls.in_turn * data.table_ms;
    (cpu_us + calls_us).div_ceil(1000) + step.waits_ms
}

/// The price of so many thousandths, tier by tier.
fn cost(price: &Price, amount: u128) -> u128 {
    let (mut cost, mut from) = (0, 0);
    for (to, each) in &price.tiers {
        let to = to.map_or(u128::MAX, |to| to * 1000);
        let within = amount.min(to).saturating_sub(from);
        cost += within * each;
        from = to;
    }
    cost / 1000
}

#[cfg(test)]
mod tests {
    use super::{DOLLAR, Load, Work, bill, cost, total};
    use crate::cost::data::{Data, Price};
    use crate::place::repository;

    fn price(tiers: Vec<(Option<u128>, u128)>) -> Price {
        Price {
            service: String::new(),
            of: String::new(),
            per: 1,
            read: None,
            tiers,
            source: String::new(),
        }
    }

    #[test]
    fn each_tier_is_billed_at_its_own_price() {
        let two = price(vec![(Some(10), 100), (None, 50)]);
        assert_eq!(cost(&two, 10_000), 1000);
        assert_eq!(cost(&two, 12_000), 1100, "two beyond the first ten");
        assert_eq!(cost(&two, 500), 50, "half of one");
        assert_eq!(cost(&price(vec![(None, 3_500_000)]), 1_000_000_000), 3_500_000_000_000);
    }

    #[test]
    fn a_second_million_costs_what_the_first_did() {
        let data = Data::read(repository()).unwrap();
        let load = |events| Load {
            work: Work::Purchase,
            events,
            starts: 10,
            with_month: false,
            at_the_least: false,
        };
        for design in &data.designs {
            let one = total(&bill(&data, design, load(1_000_000)).unwrap());
            let two = total(&bill(&data, design, load(2_000_000)).unwrap());
            assert!(two.abs_diff(2 * one) < DOLLAR / 1_000_000, "{}", design.name);
        }
    }
}
