//! What a buyer is told when there is no intent.

use domain::fault::Seen;
use domain::order::Order;
use lambda::http::{FieldError, Problem};
use std::time::Duration;
use stripe::StripeError;
use stripe::client::Report;

/// What Stripe is given to recover where it does not say itself.
const SOON: u32 = 5;
/// What a person is given to mend a setting.
const LATER: u32 = 60;
/// Nobody waits at a checkout for longer.
const LONGEST: u32 = 300;
/// A journey's checkouts are not counted by the minute.
const HOUR: u32 = 3600;

/// The problem of a call to Stripe that gave no intent. What a person must mend is logged as an error.
pub(crate) fn of(error: &StripeError) -> Problem {
    let after = retry_after(error.report());
    match error {
        StripeError::Unavailable(_) => {
            problem(503, "stripe-unavailable", "Stripe does not answer").retry_after(after)
        }
        StripeError::RateLimited(_) | StripeError::Conflict(_) => {
            problem(503, "stripe-busy", "Stripe takes no more calls for now").retry_after(after)
        }
        StripeError::Indeterminate(_) | StripeError::KeyReused(_) => {
            problem(503, "stripe-unavailable", "Stripe failed in the middle").retry_after(after)
        }
        StripeError::TooSlow(_) => {
            problem(504, "stripe-too-slow", "Stripe does not answer in time").retry_after(after)
        }
        StripeError::Garbage(_) => {
            problem(502, "stripe-unreadable", "Stripe's answer cannot be read").retry_after(after)
        }
        StripeError::Misconfigured(_) => {
            mend(error);
            problem(503, "payments-not-configured", "Payments are not set up").retry_after(LATER)
        }
        StripeError::Refused(_) | StripeError::Unknown(_) => {
            mend(error);
            problem(502, "stripe-refused", "Stripe refuses this checkout").retry_after(LATER)
        }
    }
}

fn problem(status: u16, kind: &'static str, title: &'static str) -> Problem {
    Problem::new(status, kind, title)
        .detail("nothing was charged; send the same again after the time in Retry-After")
}

fn retry_after(report: &Report) -> u32 {
    let asked = report.retry_after.map(|wait| u32::try_from(wait.as_secs()).unwrap_or(LONGEST));
    asked.unwrap_or(SOON).clamp(1, LONGEST)
}

/// Tells the people who run the shop, in Stripe's own words of one identifier each.
fn mend(error: &StripeError) {
    let report = error.report();
    tracing::error!(
        reason = error.to_string(),
        stripe_request_id = report.seen.request_id,
        refused = 1,
        metrics = "refused:Count",
        "Stripe refuses our calls; look the request up in Stripe's dashboard and mend the key or the setting"
    );
}

/// There is no key of Stripe's: payments are off.
pub(crate) fn no_key() -> StripeError {
    let seen = Seen::code("STRIPE_SECRET_KEY_missing");
    StripeError::Misconfigured(Report {
        seen,
        retry_after: Some(Duration::from_secs(60)),
        param: None,
    })
}

/// An order without a price: the catalogue does not make one.
pub(crate) fn no_price() -> StripeError {
    StripeError::Refused(Report { seen: Seen::code("no_price"), ..Report::default() })
}

/// There is no such order: of nothing (`one` is none), or of more than can be charged at once.
pub(crate) fn no_order(one: Option<Order>) -> Problem {
    match one {
        None => Problem::new(404, "unknown-product", "There is no such product")
            .detail("send a product_id of the catalogue"),
        Some(_) => Problem::invalid(vec![FieldError {
            field: "quantity",
            detail: "is more than can be charged at once",
        }]),
    }
}

/// The journey has as many unpaid checkouts as it may have.
pub(crate) fn too_many_open() -> Problem {
    Problem::new(429, "too-many-open-checkouts", "This journey has 5 unpaid checkouts")
        .detail("pay one of them, or begin a new journey; nothing was charged")
        .retry_after(HOUR)
}
