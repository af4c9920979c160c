//! One intent for one purchase: the open one where there is one, a new one where the last is over.

use crate::problem;
use domain::fact::Happening;
use domain::id::StripeId;
use domain::journey::Journey;
use domain::order::Order;
use lambda::http::Problem;
use ledger::Checkout;
use stripe::client::{Calls, Standing};
use stripe::metadata::Ids;
use stripe::{Intent, Metadata, NewIntent, StripeError};
use uuid::Uuid;

/// How many unpaid checkouts a journey may have; more is somebody trying cards.
const MOST_OPEN: usize = 5;
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

/// Finds the checkout of this order among a journey's; where there is none, sees that the journey
/// has room for one.
pub(crate) fn admit<'a>(
    checkouts: &'a [Checkout],
    order: &Order,
    journey: &Journey,
) -> Result<Option<&'a Checkout>, Problem> {
    let this = |checkout: &&Checkout| {
        checkout.product_id == order.product_id && checkout.quantity == order.quantity
    };
    let known = checkouts.iter().find(this);
    let open = checkouts.iter().filter(|one| !is_paid(journey, &one.payment_intent)).count();
    if known.is_none() && open >= MOST_OPEN {
        return Err(problem::too_many_open());
    }
    Ok(known)
}

fn is_paid(journey: &Journey, intent: &StripeId) -> bool {
    journey.facts().iter().any(|fact| match &fact.happening {
        Happening::PaymentSucceeded { payment } => payment.payment_intent == *intent,
        Happening::LeadCaptured
        | Happening::LeadCorrected { .. }
        | Happening::ConsentChanged
        | Happening::CheckoutStarted { .. }
        | Happening::PaymentFailed { .. }
        | Happening::PaymentRefunded { .. } => false,
    })
}

/// Finds the open intent of a purchase or makes one, and writes what is wanted beside it. Says to
/// which attempt it belongs.
pub(crate) async fn find_or_make(
    stripe: &Calls<'_>,
    wanted: &Wanted<'_>,
    known: Option<&Checkout>,
) -> Result<(Intent, u32), StripeError> {
    let (intent, attempt) = match find(stripe, wanted, known).await? {
        Found::Open(intent, attempt) => (intent, attempt),
        Found::NoneUntil(attempt) => make(stripe, wanted, attempt).await?,
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

/// Makes the intent of an attempt; a key that is spent gives way to the next.
async fn make(
    stripe: &Calls<'_>,
    wanted: &Wanted<'_>,
    first: u32,
) -> Result<(Intent, u32), StripeError> {
    let mut attempt = first;
    loop {
        let error = match create(stripe, wanted, attempt).await {
            Ok(intent) => return Ok((intent, attempt)),
            Err(error) => error,
        };
        if !is_spent_key(&error) || attempt >= first + MOST_NEW_KEYS {
            return Err(error);
        }
        attempt += 1;
    }
}

async fn create(
    stripe: &Calls<'_>,
    wanted: &Wanted<'_>,
    attempt: u32,
) -> Result<Intent, StripeError> {
    let Ids { event_id, order, .. } = wanted.ids;
    let amount = order.total().ok_or_else(problem::no_price)?;
    let key = format!("{event_id}:{}:{}:{attempt}", order.product_id, order.quantity);
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
