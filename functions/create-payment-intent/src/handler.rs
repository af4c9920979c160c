//! The flow of one checkout.

use crate::checkout::{self, NoIntent, Wanted};
use crate::{fact, problem};
use domain::catalogue::Catalogue;
use domain::consent::Consent;
use domain::destination::Destination;
use domain::id::EventId;
use domain::journey::Journey;
use domain::order::Order;
use domain::pepper::PersonKey;
use intake::door::{self, Caller, Limit};
use intake::{ConsentUpdate, Desk, Purchase, consent_changed};
use jiff::Timestamp;
use lambda::http::{Incoming, Notes, Problem, Reply};
use lambda::secret::Secret;
use ledger::{Attempt, Checkout, Pointer, Recorded, Room};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::time::Duration;
use stripe::metadata::{Details, Ids};
use stripe::{Budget, Intent, Metadata, StripeClient, StripeError};
use uuid::Uuid;

/// Nobody buys ten times a minute; whoever tries stolen cards does. Without a counter nobody is let in.
const LIMIT: Limit =
    Limit { route: "payment-intents", per_minute: 10, open_without_counter: false };

/// The longest that one call to Stripe takes: its usual answer comes within a second.
pub(crate) const STRIPE_ATTEMPT: Duration = Duration::from_secs(3);
/// The longest that all calls of one checkout take: the function has 15 s, and the ledger needs some.
/// Two attempts without an answer fit, and never a third: with the waits between them it would end
/// after 9.75 s at the earliest, and not every buyer should wait for luck.
const STRIPE_BUDGET: Duration = Duration::from_millis(9_500);

/// What a checkout is made with.
#[derive(Debug)]
pub struct App {
    pub(crate) desk: Desk,
    pub(crate) catalogue: Catalogue,
    pub(crate) stripe: StripeClient,
    pub(crate) stripe_key: Secret,
}

/// What the page pays with. The secret is shown to whoever may pay, and to nobody else.
#[derive(Serialize)]
struct Payable<'a> {
    event_id: EventId,
    payment_intent_id: &'a str,
    client_secret: &'a str,
    amount: i64,
    currency: String,
}

/// A visitor wants to pay: find or make their intent, keep whose it is, answer.
///
/// # Errors
/// [`Problem`] is what the page is told.
pub async fn handle(
    app: &App,
    request: &Incoming,
    now: Timestamp,
    random: fn() -> Uuid,
) -> Result<Reply, Problem> {
    LIMIT.admit(&app.desk, request.source_ip, now).await?;
    let body = door::open(request)?;
    let purchase = Purchase::read(&body.fields).map_err(Problem::invalid)?;
    let order = order(&app.catalogue, &purchase)?;
    let journey = app.desk.ledger.journey(purchase.event_id).await?;
    door::same_session(&journey, purchase.session_id)?;
    let checkouts = app.desk.ledger.checkouts(purchase.event_id).await?;
    let person = app.desk.pepper.person(&purchase.contact.email);
    let consent = purchase.answer.as_ref().map(|answer| answer.heard(now, request.source_ip));
    let caller = app.desk.caller(request.source_ip);
    let buyer = Buyer { purchase: &purchase, order: &order, journey: &journey, person, consent };
    let wanted = buyer.wanted(app, random).await?;
    let begin =
        async |attempt| buyer.begin(&app.desk, checkout::room(&journey), attempt, now).await;
    let known = checkout::known(&checkouts, &order);
    let (intent, attempt) = find_or_make(app, &wanted, known, begin).await?;
    if buyer.keep(&app.desk, &intent, attempt, now).await? == Started::Before {
        buyer.keep_answer(&app.desk, caller, now).await?;
    }
    Ok(payable(purchase.event_id, &intent))
}

/// The order at the catalogue's price.
fn order(catalogue: &Catalogue, purchase: &Purchase) -> Result<Order, Problem> {
    let language = purchase.contact.language;
    catalogue
        .order(&purchase.product_id, purchase.quantity, language)
        .ok_or_else(|| problem::no_order(catalogue.order(&purchase.product_id, 1, language)))
}

/// Somebody who wants something.
struct Buyer<'a> {
    purchase: &'a Purchase,
    order: &'a Order,
    journey: &'a Journey,
    person: PersonKey,
    consent: Option<Consent>,
}

impl Buyer<'_> {
    /// What Stripe shall know: what this page says, completed from the journey.
    async fn wanted<'b>(&'b self, app: &App, random: fn() -> Uuid) -> Result<Wanted<'b>, Problem> {
        let journey = self.journey;
        let known = app.desk.ledger.person(&self.person).await?;
        let ids = Ids {
            event_id: self.purchase.event_id,
            session_id: self.purchase.session_id,
            order: self.order,
        };
        let answers = self.consent.iter().chain(journey.consent());
        let metadata = Metadata::of(Details {
            ids,
            contact: &self.purchase.contact,
            crm_contact_id: known.vendor_id(Destination::Hubspot),
            consent: answers.reduce(Consent::latest),
            context: &self.purchase.context.or(&journey.context()),
        });
        Ok(Wanted { ids, metadata, random })
    }

    /// Takes the journey's room for an attempt before Stripe is asked, so that no two calls take
    /// the last one.
    async fn begin(
        &self,
        desk: &Desk,
        most: u32,
        attempt: u32,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let Order { product_id, quantity, .. } = self.order;
        let event_id = self.purchase.event_id;
        let attempt = Attempt { event_id, product_id, quantity: *quantity, number: attempt };
        match desk.ledger.begin_checkout(attempt, most, desk.kept_until(now)).await? {
            Room::Taken => Ok(()),
            Room::Full => Err(problem::too_many_open()),
        }
    }

    /// Keeps whose the intent is, which attempt it belongs to, and that a checkout has begun. All of
    /// it may be repeated.
    async fn keep(
        &self,
        desk: &Desk,
        intent: &Intent,
        attempt: u32,
        now: Timestamp,
    ) -> Result<Started, Problem> {
        let (event_id, until) = (self.purchase.event_id, desk.kept_until(now));
        let pointer =
            Pointer { event_id, session_id: self.purchase.session_id, person: self.person.clone() };
        desk.ledger.point(&intent.id, &pointer, until).await?;
        let checkout = Checkout {
            product_id: self.order.product_id.clone(),
            quantity: self.order.quantity,
            attempt,
            payment_intent: intent.id.clone(),
        };
        desk.ledger.keep_checkout(event_id, &checkout, until).await?;
        let started = fact::Started {
            purchase: self.purchase,
            order: self.order,
            person: &self.person,
            consent: self.consent.as_ref(),
        };
        match desk.record(&started.fact(&intent.id, now)).await? {
            Recorded::New => Ok(Started::Now),
            Recorded::Known(_) => Ok(Started::Before),
        }
    }

    /// Keeps an answer about consent that came with a checkout which had begun already: the fact of
    /// its beginning holds an older one.
    async fn keep_answer(
        &self,
        desk: &Desk,
        caller: Caller<'_>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let Purchase { event_id, session_id, .. } = *self.purchase;
        let Some(answer) = self.purchase.answer.clone() else { return Ok(()) };
        let known = self.journey.recorded_consent();
        let is_known = known.is_some_and(|known| {
            (known.marketing, known.analytics, known.preferences)
                == (answer.marketing, answer.analytics, answer.preferences)
        });
        if is_known {
            return Ok(());
        }
        let update = ConsentUpdate { event_id, session_id, answer };
        desk.record(&consent_changed(&update, self.journey, caller, now)).await?;
        Ok(())
    }
}

/// When a checkout began.
#[derive(PartialEq, Eq)]
enum Started {
    /// With this call.
    Now,
    /// With an earlier one.
    Before,
}

/// Asks Stripe, and once more where Stripe refuses the key and another has been set meanwhile.
async fn find_or_make(
    app: &App,
    wanted: &Wanted<'_>,
    known: Option<&Checkout>,
    begin: impl AsyncFn(u32) -> Result<(), Problem>,
) -> Result<(Intent, u32), NoIntent> {
    let budget = Budget::starting_now(STRIPE_BUDGET, STRIPE_ATTEMPT);
    let ask = async || {
        let key = app.stripe_key.value().ok_or_else(problem::no_key)?;
        checkout::find_or_make(&app.stripe.calls(&key, budget), wanted, known, &begin).await
    };
    match ask().await {
        Err(NoIntent::Stripe(StripeError::Misconfigured(_))) if app.stripe_key.refused().await => {
            ask().await
        }
        answered => answered,
    }
}

fn payable(event_id: EventId, intent: &Intent) -> Reply {
    let payable = Payable {
        event_id,
        payment_intent_id: intent.id.as_str(),
        client_secret: intent.client_secret.expose_secret(),
        amount: intent.amount.minor,
        currency: intent.amount.currency.code().to_ascii_lowercase(),
    };
    let notes = Notes { event_id: Some(event_id.to_string()), ..Notes::default() };
    Reply::json(200, &payable).noting(notes)
}

#[cfg(test)]
mod tests {
    use super::order;
    use domain::catalogue::Catalogue;
    use intake::{Body, Purchase};
    use serde_json::{Value, json};

    fn file(path: &str) -> String {
        std::fs::read_to_string(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn purchase(sample: &str, change: impl FnOnce(&mut Value)) -> Purchase {
        let request = file(&format!("events/create-payment-intent/{sample}.json"));
        let request: Value = serde_json::from_str(&request).unwrap();
        let mut body = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
        change(&mut body);
        let body = Body::from_json(body.to_string().as_bytes()).unwrap();
        Purchase::read(&body.fields).unwrap()
    }

    fn catalogue() -> Catalogue {
        Catalogue::parse(&file("config/catalogue.sample.json")).unwrap()
    }

    #[test]
    fn every_sample_is_an_order_at_the_catalogues_price() {
        let one = order(&catalogue(), &purchase("payment-intent", |_| {})).unwrap();
        assert_eq!(one.total().unwrap().minor, 9700);
        assert_eq!(one.product_name, "Café com Vendas – Lisboa");
        let two = order(&catalogue(), &purchase("payment-intent-in-english", |_| {})).unwrap();
        assert_eq!(two.total().unwrap().minor, 19400);
        assert_eq!(two.product_name, "Café com Vendas – Lisbon");
    }

    #[test]
    fn what_is_not_sold_is_404_and_what_costs_too_much_is_422() {
        let tea = purchase("payment-intent", |body| body["product_id"] = json!("tea"));
        assert_eq!(order(&catalogue(), &tea).unwrap_err().status(), 404);
        let dear = file("config/catalogue.sample.json").replace("9700", "99999999");
        let dear = Catalogue::parse(&dear).unwrap();
        let two = purchase("payment-intent", |body| body["quantity"] = json!(2));
        assert_eq!(order(&dear, &two).unwrap_err().status(), 422);
    }
}
