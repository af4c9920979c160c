//! One intent for one purchase: the open one where there is one, a new one where the last is over.

use crate::problem;
use domain::fact::Happening;
use domain::journey::Journey;
use domain::order::Order;
use lambda::http::Problem;
use ledger::Checkout;
use std::collections::BTreeSet;
use stripe::client::{Calls, Standing};
use stripe::metadata::Ids;
use stripe::{Intent, Metadata, NewIntent, StripeError};
use uuid::Uuid;

/// How many unpaid checkouts a journey may have; more is somebody trying cards.
const MOST_OPEN: u32 = 5;
/// How many keys in a row are given up as spent before the buyer is asked to come back.
const MOST_NEW_KEYS: u32 = 3;

/// What Stripe shall know of a purchase.
pub(crate) struct Wanted<'a> {
    /// What the intent is created with.
    pub(crate) ids: Ids<'a>,
    /// What is written beside it.
    pub(crate) metadata: Metadata,
    /// Makes the keys of updates: each is a call of its own.
    pub(crate) random: fn() -> Uuid,
}

/// Why there is no intent.
#[derive(Debug)]
pub(crate) enum NoIntent {
    /// Stripe gave none.
    Stripe(StripeError),
    /// We did not ask Stripe for one.
    Refused(Problem),
}

impl From<StripeError> for NoIntent {
    fn from(error: StripeError) -> Self {
        Self::Stripe(error)
    }
}

impl From<NoIntent> for Problem {
    fn from(none: NoIntent) -> Self {
        match none {
            NoIntent::Stripe(error) => problem::of(&error),
            NoIntent::Refused(problem) => problem,
        }
    }
}

/// The checkout of this order among a journey's.
pub(crate) fn known<'a>(checkouts: &'a [Checkout], order: &Order) -> Option<&'a Checkout> {
    checkouts.iter().find(|checkout| {
        checkout.product_id == order.product_id && checkout.quantity == order.quantity
    })
}

/// How many checkouts a journey may begin: so many, and one more for each that has been paid. It
/// never falls, so that one who reads it late begins too few and never too many.
pub(crate) fn room(journey: &Journey) -> u32 {
    let mut begun = BTreeSet::new();
    let mut paid = BTreeSet::new();
    for fact in journey.facts() {
        match &fact.happening {
            Happening::CheckoutStarted { payment_intent, .. } => begun.insert(payment_intent),
            Happening::PaymentSucceeded { payment } => paid.insert(&payment.payment_intent),
            Happening::LeadCaptured
            | Happening::LeadCorrected { .. }
            | Happening::ConsentChanged
            | Happening::PaymentFailed { .. }
            | Happening::PaymentRefunded { .. } => false,
        };
    }
    MOST_OPEN.saturating_add(u32::try_from(begun.intersection(&paid).count()).unwrap_or(0))
}

/// Finds the open intent of a purchase, or makes one where `begin` has room for the attempt, and
/// writes what is wanted beside it. Says to which attempt it belongs.
pub(crate) async fn find_or_make(
    stripe: &Calls<'_>,
    wanted: &Wanted<'_>,
    known: Option<&Checkout>,
    begin: impl AsyncFnOnce(u32) -> Result<(), Problem>,
) -> Result<(Intent, u32), NoIntent> {
    let (intent, attempt) = match find(stripe, wanted, known).await? {
        Found::Open(intent, attempt) => (intent, attempt),
        Found::NoneUntil(attempt) => {
            begin(attempt).await.map_err(NoIntent::Refused)?;
            make(stripe, wanted, attempt).await?
        }
    };
    let news = wanted.metadata.beyond(&intent.metadata);
    if !is_worth_telling(&news) {
        return Ok((intent, attempt));
    }
    let key = format!("{}:{}", intent.id, (wanted.random)());
    let intent = stripe.update_intent(&intent.id, &news, &key).await?;
    Ok((intent, attempt))
}

/// Whether there is more than the same answer about consent at another time: a page without a clock
/// gives it anew with every call.
fn is_worth_telling(news: &Metadata) -> bool {
    news.pairs().any(|(key, _)| key != "consent_timestamp")
}

enum Found {
    /// This one can be paid.
    Open(Intent, u32),
    /// None can: this attempt is next.
    NoneUntil(u32),
}

/// Looks at the intent of the last attempt: over, gone, or for another price than today's, it is no
/// longer the one to pay.
async fn find(
    stripe: &Calls<'_>,
    wanted: &Wanted<'_>,
    known: Option<&Checkout>,
) -> Result<Found, StripeError> {
    let Some(known) = known else { return Ok(Found::NoneUntil(1)) };
    match stripe.retrieve_intent(&known.payment_intent).await {
        Ok(intent) if is_payable(&intent, wanted) => Ok(Found::Open(intent, known.attempt)),
        Ok(_) | Err(StripeError::Unknown(_)) => Ok(Found::NoneUntil(known.attempt + 1)),
        Err(error) => Err(error),
    }
}

fn is_payable(intent: &Intent, wanted: &Wanted<'_>) -> bool {
    let is_open = match intent.standing {
        Standing::Open => true,
        Standing::Succeeded | Standing::Canceled => false,
    };
    is_open && Some(intent.amount) == wanted.ids.order.total()
}

/// Makes the intent of an attempt; a key that is spent gives way to the next. Stripe keeps what it
/// answered under a key for a day, so the last key is one that nobody has used: a buyer must not
/// wait for a day, and an intent that nobody hears of is never paid.
async fn make(
    stripe: &Calls<'_>,
    wanted: &Wanted<'_>,
    first: u32,
) -> Result<(Intent, u32), StripeError> {
    let mut attempt = first;
    loop {
        let fresh = attempt >= first + MOST_NEW_KEYS;
        let error = match create(stripe, wanted, attempt, fresh).await {
            Ok(intent) => return Ok((intent, attempt)),
            Err(error) => error,
        };
        if fresh || !is_spent_key(&error) {
            return Err(error);
        }
        attempt += 1;
    }
}

async fn create(
    stripe: &Calls<'_>,
    wanted: &Wanted<'_>,
    attempt: u32,
    fresh: bool,
) -> Result<Intent, StripeError> {
    let Ids { event_id, order, .. } = wanted.ids;
    let amount = order.total().ok_or_else(problem::no_price)?;
    let mut key = format!("{event_id}:{}:{}:{attempt}", order.product_id, order.quantity);
    if fresh {
        key.push_str(&format!(":{}", (wanted.random)()));
    }
    stripe.create_intent(NewIntent { amount, ids: wanted.ids }, &key).await
}

/// Whether only a new key helps: Stripe repeats a failure of its own under this one, or knows it for
/// another price.
fn is_spent_key(error: &StripeError) -> bool {
    match error {
        StripeError::Indeterminate(_) | StripeError::KeyReused(_) => true,
        StripeError::Unavailable(_)
        | StripeError::TooSlow(_)
        | StripeError::RateLimited(_)
        | StripeError::Misconfigured(_)
        | StripeError::Unknown(_)
        | StripeError::Refused(_)
        | StripeError::Conflict(_)
        | StripeError::Garbage(_) => false,
    }
}

#[cfg(test)]
mod tests;
