//! What a buyer is told when there is no intent.

use domain::fault::Seen;
use domain::order::Order;
use lambda::http::{FieldError, Kind, Problem};
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
        StripeError::Unavailable(_) | StripeError::Indeterminate(_) | StripeError::KeyReused(_) => {
            problem(Kind::StripeUnavailable, after)
        }
        StripeError::RateLimited(_) | StripeError::Conflict(_) => problem(Kind::StripeBusy, after),
        StripeError::TooSlow(_) => problem(Kind::StripeTooSlow, after),
        StripeError::Garbage(_) => problem(Kind::StripeUnreadable, after),
        StripeError::Misconfigured(_) => {
            mend(error);
            problem(Kind::PaymentsNotConfigured, LATER)
        }
        StripeError::Refused(_) | StripeError::Unknown(_) => {
            mend(error);
            problem(Kind::StripeRefused, LATER)
        }
    }
}

fn problem(kind: Kind, after: u32) -> Problem {
    let detail = "nothing was charged; send the same again after the time in Retry-After";
    Problem::new(kind, detail).retry_after(after)
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
        None => Problem::new(
            Kind::UnknownProduct,
            "send a product_id of the catalogue; nothing was charged",
        ),
        Some(_) => Problem::invalid(vec![FieldError {
            field: "quantity",
            detail: "is more than can be charged at once",
        }]),
    }
}

/// The journey has as many unpaid checkouts as it may have.
pub(crate) fn too_many_open() -> Problem {
    let detail = "pay one of them, or begin a new journey; nothing was charged";
    Problem::new(Kind::TooManyOpenCheckouts, detail).retry_after(HOUR)
}

#[cfg(test)]
mod tests {
    use super::{no_key, of};
    use testkit::log;

    #[test]
    fn the_people_who_run_the_shop_hear_that_nobody_can_pay() {
        let said = log::of(|| assert_eq!(of(&no_key()).status(), 503));
        let [line] = said.as_slice() else { panic!("{said:?}") };
        assert!(line.starts_with("ERROR") && line.contains(" refused=1 "), "{line}");
        assert!(line.contains("refused:Count"), "{line}");
    }
}
