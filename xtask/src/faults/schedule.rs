//! Which call meets which fault: a seed and a number decide, so that the same seed fails alike.

use super::answer::Answer;
use axum::http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is asked of the proxy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Orders {
    seed: u64,
    /// How many calls in a hundred meet a fault; with 0, none.
    pub(super) percent: u64,
}

/// What may happen to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// AWS says that it is too much; nothing is done.
    Throttled,
    /// AWS says that it failed; nothing is done.
    Failed,
    /// The connection closes; nothing is done.
    Dropped,
    /// It is done, and the connection closes without an answer.
    Lost,
    /// It is done, and half of the answer comes.
    Torn,
    /// It is done and answered, late but in time.
    Late,
    /// It is done at once, and answered when nobody waits any more.
    AnsweredTooLate,
    /// It is done when nobody waits any more.
    DoneTooLate,
}

impl Fault {
    /// The likelier ones are there several times.
    const DECK: [Self; 16] = [
        Self::Throttled,
        Self::Throttled,
        Self::Throttled,
        Self::Failed,
        Self::Failed,
        Self::Dropped,
        Self::Dropped,
        Self::Lost,
        Self::Lost,
        Self::Lost,
        Self::Torn,
        Self::Torn,
        Self::Late,
        Self::Late,
        Self::AnsweredTooLate,
        Self::DoneTooLate,
    ];
}

/// One call as AWS's SDK makes it; a repetition carries the same invocation.
pub(super) struct Operation {
    target: String,
    invocation: String,
    repeated: bool,
}

impl Operation {
    /// Reads what the SDK says about itself.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let attempt = text("amz-sdk-request").unwrap_or_default();
        Self {
            target: text("x-amz-target").unwrap_or("other").to_owned(),
            invocation: text("amz-sdk-invocation-id").unwrap_or_default().to_owned(),
            repeated: !attempt.is_empty() && !attempt.starts_with("attempt=1;"),
        }
    }

    /// A refusal in the words of the service that was called.
    pub(super) fn refusal(&self, status: StatusCode) -> Response<Answer> {
        let word = match (status.is_server_error(), self.target.split_once('.')) {
            (true, _) => "InternalServerError",
            (false, Some(("DynamoDB_20120810", _))) => "ProvisionedThroughputExceededException",
            (false, Some(("AmazonSQS", _))) => "RequestThrottled",
            (false, _) => "ThrottlingException",
        };
        Answer::json(status, &json!({"__type": word, "message": "on purpose"}))
    }
}

/// The faults to come, and those that were.
#[derive(Default)]
pub(super) struct Schedule {
    seed: u64,
    percent: u64,
    /// Calls so far, by operation: a call's fault is decided by its number there.
    numbers: BTreeMap<String, u64>,
    /// Calls that fail whenever they are repeated.
    stubborn: BTreeMap<String, Fault>,
    faults: BTreeMap<String, u64>,
    passed: u64,
}

impl Schedule {
    /// Begins anew under a seed.
    pub(super) fn obey(&mut self, orders: Orders) {
        (self.seed, self.percent) = (orders.seed, orders.percent);
        self.numbers.clear();
        self.stubborn.clear();
    }

    /// The fault of one call, if it meets one. Of those that do, every third meets it again and again.
    pub(super) fn draw(&mut self, operation: &Operation) -> Option<Fault> {
        let fault = if operation.repeated {
            self.stubborn.get(&operation.invocation).copied().filter(|_| self.percent > 0)
        } else {
            self.first(operation)
        };
        match fault {
            Some(fault) => *self.faults.entry(format!("{fault:?}")).or_default() += 1,
            None => self.passed += 1,
        }
        fault
    }

    fn first(&mut self, operation: &Operation) -> Option<Fault> {
        let number = self.numbers.entry(operation.target.clone()).or_default();
        *number += 1;
        let place = operation
            .target
            .bytes()
            .fold(self.seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut luck =
            fastrand::Rng::with_seed(place.wrapping_add(number.wrapping_mul(0x9E37_79B9)));
        if luck.u64(0..100) >= self.percent {
            return None;
        }
        let fault = luck.choice(Fault::DECK)?;
        if luck.u8(0..3) == 0 {
            self.stubborn.insert(operation.invocation.clone(), fault);
        }
        Some(fault)
    }

    /// What was done so far.
    pub(super) fn told(&self) -> Value {
        json!({"seed": self.seed, "percent": self.percent, "passed": self.passed, "faults": self.faults})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(invocation: usize, repeated: bool) -> Operation {
        let target = "DynamoDB_20120810.PutItem".into();
        Operation { target, invocation: invocation.to_string(), repeated }
    }

    fn drawn(seed: u64, percent: u64) -> Vec<Option<Fault>> {
        let mut schedule = Schedule::default();
        schedule.obey(Orders { seed, percent });
        (0..400).map(|number| schedule.draw(&operation(number, false))).collect()
    }

    #[test]
    fn the_same_seed_fails_alike_and_another_does_not() {
        assert_eq!(drawn(7, 20), drawn(7, 20));
        assert_ne!(drawn(7, 20), drawn(8, 20));
        for fault in Fault::DECK {
            assert!(drawn(7, 100).contains(&Some(fault)), "{fault:?}");
        }
    }

    #[test]
    fn at_rest_nothing_fails_not_even_what_failed_before() {
        assert!(drawn(7, 0).iter().all(Option::is_none));
        let mut schedule = Schedule::default();
        schedule.obey(Orders { seed: 7, percent: 100 });
        for number in 0..100 {
            schedule.draw(&operation(number, false));
        }
        assert!((0..100).any(|number| schedule.draw(&operation(number, true)).is_some()));
        schedule.obey(Orders { seed: 7, percent: 0 });
        assert!((0..100).all(|number| schedule.draw(&operation(number, true)).is_none()));
    }
}
