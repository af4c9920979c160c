//! Google's recommended events and their parameters.
//!
//! <https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference/events>. A
//! session is attributed by its `session_id`, which joins the hit to what the browser sent; the
//! campaign's parameters are part of `page_location`, and documented for no event of ours.

use delivery::courier::Errand;
use domain::attribution::{self, Context, Field};
use domain::consent::Permit;
use domain::fact::Happening;
use domain::money::Money;
use domain::order::Order;
use serde::Serialize;
use serde_json::{Number, Value, json};
use std::collections::BTreeMap;

/// The longest value of a parameter; Google drops longer ones
/// (<https://support.google.com/analytics/answer/9267744>).
pub(super) const LONGEST_VALUE: usize = 100;
const LONGEST_LOCATION: usize = 1000;
const LONGEST_REFERRER: usize = 420;

const PURCHASE: &str = "purchase";

/// An event with its parameters: at most 25, none null, none nested but `items`.
#[derive(Serialize)]
pub(super) struct Event {
    name: &'static str,
    params: BTreeMap<&'static str, Value>,
}

impl Event {
    /// The event of an effect; `None` where Google has no use for it.
    pub(super) fn of(errand: &Errand<'_>, permit: &Permit) -> Option<Self> {
        let order_of = |intent| errand.journey.order_of(intent);
        let (name, own) = match &errand.fact.happening {
            Happening::LeadCaptured => ("generate_lead", Vec::new()),
            Happening::CheckoutStarted { order, .. } => ("begin_checkout", of_order(order)),
            Happening::PaymentSucceeded { payment } => {
                let id = payment.payment_intent.as_str();
                let items = order_of(&payment.payment_intent).map(items);
                (PURCHASE, of_money(id, payment.amount).into_iter().chain(items).collect())
            }
            // The purchase's own id is what tells Google which revenue to take back.
            Happening::PaymentRefunded { payment, .. } => {
                ("refund", of_money(payment.payment_intent.as_str(), payment.amount).into())
            }
            Happening::LeadCorrected { .. }
            | Happening::ConsentChanged
            | Happening::PaymentFailed { .. } => return None,
        };
        let for_marketing = permit.for_marketing(errand.contact).is_some();
        let mut params = of_visit(&errand.journey.context(), for_marketing);
        // The browser's own tag sends the same id: by it and the name, the container drops one.
        params.push(("event_id", json!(errand.fact.event_id.to_string())));
        params.extend(own);
        Some(Self { name, params: params.into_iter().collect() })
    }

    /// Whether Google recognises a repetition: it does by the id of a purchase, and of nothing else.
    pub(super) fn is_keyed(&self) -> bool {
        self.name == PURCHASE
    }
}

/// The first characters of a text.
pub(super) fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

type Param = (&'static str, Value);

/// The visit. Without `engagement_time_msec` the hit is in no realtime report; the value is that of
/// Google's own examples, since a server sees nobody engage. A click follows a person: who allows
/// measurement alone, or no longer allows more, came from an address without its id.
fn of_visit(context: &Context, for_marketing: bool) -> Vec<Param> {
    let text = |field, longest| {
        let address = context.get(field)?;
        let address =
            if for_marketing { address.to_owned() } else { attribution::without_clicks(address) };
        Some(json!(cut(&address, longest)))
    };
    let is_number = |id: &&str| id.bytes().all(|byte| byte.is_ascii_digit());
    let session = context.get(Field::GaSessionId).filter(is_number);
    let location = text(Field::PageUrl, LONGEST_LOCATION)
        .or_else(|| text(Field::LandingPage, LONGEST_LOCATION));
    [
        ("engagement_time_msec", Some(json!(100))),
        ("session_id", session.map(|id| json!(cut(id, LONGEST_VALUE)))),
        ("page_location", location),
        ("page_referrer", text(Field::Referrer, LONGEST_REFERRER)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn of_order(order: &Order) -> Vec<Param> {
    let Some(total) = order.total() else { return Vec::new() };
    let currency = ("currency", json!(total.currency.code()));
    vec![("value", number(total)), currency, items(order)]
}

fn of_money(transaction_id: &str, amount: Money) -> [Param; 3] {
    [
        ("transaction_id", json!(cut(transaction_id, LONGEST_VALUE))),
        ("value", number(amount)),
        ("currency", json!(amount.currency.code())),
    ]
}

fn items(order: &Order) -> Param {
    let item = json!({
        "item_id": order.product_id.as_str(),
        "item_name": cut(&order.product_name, LONGEST_VALUE),
        "price": number(order.unit_price),
        "quantity": order.quantity,
    });
    ("items", json!([item]))
}

/// An amount in major units, as a JSON number read from its decimal text, which always is one:
/// nothing is divided.
fn number(amount: Money) -> Value {
    serde_json::from_str::<Number>(&amount.major()).map_or(Value::from(0), Value::Number)
}
