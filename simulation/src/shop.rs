//! The functions, wired as their `main.rs` wires them, over the AWS of the world.

use crate::clock;
use crate::fault::Function;
use crate::story::Visitor;
use crate::{aws, queue, world};
use crm_sync::Crm;
use delivery::Consumer;
use dispatch::Dispatch;
use domain::fact::{Fact, Happening, SCHEMA, Source};
use domain::id::{EventId, ProductId, SessionId, StripeId};
use domain::money::{Currency, Money};
use domain::order::Order;
use domain::pepper::Pepper;
use esp_sync::Esp;
use intake::Desk;
use jiff::SignedDuration;
use lambda::batch::{SqsBatchResponse, SqsEvent};
use lambda::http::Route;
use lambda::settings::{Settings, read_from};
use ledger::Pointer;
use notifier::Notify;
use outbound::{Limits, Outbound, Roots};
use serde_json::Value;
use sgtm_forwarder::Tagging;
use std::rc::Rc;

/// The queues, by function.
pub(crate) const QUEUES: [&str; 4] = ["crm-sync", "esp-sync", "sgtm-forwarder", "notifier"];

/// All functions, each as often as it may run at once.
pub(crate) struct Shop {
    lead: (Route, lead_capture::App),
    consent: (Route, Desk),
    webhook: stripe_webhook::App,
    pub(crate) dispatch: Dispatch,
    crm: Vec<Consumer<Crm>>,
    esp: Vec<Consumer<Esp>>,
    tagging: Vec<Consumer<Tagging>>,
    notify: Vec<Consumer<Notify>>,
}

/// How many instances of one consumer may run at once.
pub(crate) const INSTANCES: usize = 3;

/// What the template and the parameters say.
fn setting(name: &str, destinations: &str, queue: &str) -> Option<String> {
    let vendor = |vendor: &str| world::with(|world| world.vendors.url(vendor));
    Some(match name {
        "LEDGER_TABLE" => "ledger".to_owned(),
        "SECRETS_PREFIX" => "/throughline/simulation".to_owned(),
        "DESTINATIONS" => destinations.to_owned(),
        "CONSENT_VERSION" => "1".to_owned(),
        "ALLOWED_ORIGINS" => "https://example.pt".to_owned(),
        "QUEUE_URL" => queue::url(queue),
        "DEAD_LETTER_URL" => queue::url(&format!("{queue}-dead")),
        "QUEUE_CRM_SYNC" => queue::url("crm-sync"),
        "QUEUE_ESP_SYNC" => queue::url("esp-sync"),
        "QUEUE_SGTM_FORWARDER" => queue::url("sgtm-forwarder"),
        "QUEUE_NOTIFIER" => queue::url("notifier"),
        "HUBSPOT_BASE_URL" => vendor("hubspot"),
        "MAILERLITE_BASE_URL" => vendor("mailerlite"),
        "SGTM_ENDPOINT" => vendor("sgtm"),
        "SGTM_MEASUREMENT_ID" => "G-SIMULATION".to_owned(),
        "SENDGRID_BASE_URL" => vendor("sendgrid"),
        "SENDGRID_FROM_EMAIL" => "bilhetes@example.pt".to_owned(),
        _ => return None,
    })
}

fn settings<T>(destinations: &str, queue: &str, read: impl FnOnce(&mut Settings<'_>) -> T) -> T {
    read_from(&|name| setting(name, destinations, queue), read).expect("the world's own settings")
}

impl Shop {
    /// Wires everything anew: cold starts. `outbound` is the one thing that is dear to make.
    pub(crate) async fn open(destinations: &str, region: u64, outbound: &Outbound) -> Self {
        let aws = lambda::aws::Aws::over(aws::config(region), false);
        let of = |queue: &'static str| settings(destinations, queue, delivery::Config::read);
        let prefix = "/throughline/simulation";
        let secret = async |name| aws.secret(prefix, name).await.expect("the world's own secrets");
        let pepper = async || aws.pepper(prefix).await.expect("the world's own pepper");
        let lead = settings(destinations, "", lead_capture::Config::read);
        let consent = settings(destinations, "", consent_capture::Config::read);
        let webhook = settings(destinations, "", stripe_webhook::Config::read);
        let own = settings(destinations, "", crm_sync::Config::read);
        let esp_own = settings(destinations, "", esp_sync::Config::read);
        let tagging_own = settings(destinations, "", sgtm_forwarder::Config::read);
        let notify_own = settings(destinations, "", notifier::Config::read);
        let mut shop = Self {
            lead: (lead.route(), lead.open(&aws).await.expect("lead-capture opens")),
            consent: (consent.route(), consent.open(&aws).await.expect("consent-capture opens")),
            webhook: webhook.open(&aws).await.expect("stripe-webhook opens"),
            dispatch: settings(destinations, "", dispatch::Config::read).open(&aws),
            crm: Vec::new(),
            esp: Vec::new(),
            tagging: Vec::new(),
            notify: Vec::new(),
        };
        for _ in 0..INSTANCES {
            let crm = Crm::new(&own, outbound, secret("HUBSPOT_ACCESS_TOKEN").await);
            shop.crm.push(of("crm-sync").open(&aws, crm, Some(pepper().await)));
            let esp = Esp::new(&esp_own, outbound, secret("MAILERLITE_API_KEY").await);
            shop.esp.push(of("esp-sync").open(&aws, esp, Some(pepper().await)));
            let tagging = Tagging::new(&tagging_own, outbound, secret("SGTM_API_SECRET").await);
            shop.tagging.push(of("sgtm-forwarder").open(&aws, tagging, None));
            let (mail, chat) =
                (secret("SENDGRID_API_KEY").await, secret("SLACK_WEBHOOK_URL").await);
            let notify = Notify::new(&notify_own, outbound, mail, chat);
            shop.notify.push(of("notifier").open(&aws, notify, None));
        }
        shop.set_clocks();
        shop
    }

    fn set_clocks(&mut self) {
        self.crm.iter_mut().for_each(|consumer| consumer.clock = clock::read);
        self.esp.iter_mut().for_each(|consumer| consumer.clock = clock::read);
        self.tagging.iter_mut().for_each(|consumer| consumer.clock = clock::read);
        self.notify.iter_mut().for_each(|consumer| consumer.clock = clock::read);
    }

    /// Forgets what instances remember: each begins cold.
    pub(crate) fn cool(&mut self) {
        self.crm.iter_mut().for_each(|consumer| consumer.gates = Default::default());
        self.esp.iter_mut().for_each(|consumer| consumer.gates = Default::default());
        self.tagging.iter_mut().for_each(|consumer| consumer.gates = Default::default());
        self.notify.iter_mut().for_each(|consumer| consumer.gates = Default::default());
    }

    /// A request, from API Gateway's event to its answer.
    pub(crate) async fn answer(self: Rc<Self>, to: Function, event: Value) -> Value {
        let event = serde_json::from_value(event).expect("API Gateway's event");
        let answer = match to {
            Function::Lead => {
                let (route, app) = &self.lead;
                let handle = |request| async move {
                    lead_capture::handle(app, &request, clock::read(), uuid::Uuid::new_v4).await
                };
                lambda::http::answer(route, event, &handle).await
            }
            Function::Consent => {
                let (route, desk) = &self.consent;
                let handle = |request| async move {
                    consent_capture::handle(desk, &request, clock::read()).await
                };
                lambda::http::answer(route, event, &handle).await
            }
            Function::Webhook
            | Function::Dispatcher
            | Function::Consumer(_)
            | Function::Sweeper => {
                let app = &self.webhook;
                let handle = |request| async move {
                    stripe_webhook::handle(app, &request, clock::read()).await
                };
                lambda::http::answer(&stripe_webhook::Config::route(), event, &handle).await
            }
        };
        serde_json::to_value(&answer).expect("an answer encodes")
    }

    /// Any event, if it is of the function's kind.
    pub(crate) async fn take(self: Rc<Self>, function: Function, event: Value) -> Value {
        let is = |known: bool| known.then_some(());
        let known = match function {
            Function::Lead | Function::Consent | Function::Webhook => {
                is(serde_json::from_value::<lambda::http::Event>(event.clone()).is_ok())
            }
            Function::Dispatcher => {
                is(serde_json::from_value::<dispatcher::Batch>(event.clone()).is_ok())
            }
            Function::Consumer(_) => is(serde_json::from_value::<SqsEvent>(event.clone()).is_ok()),
            Function::Sweeper => Some(()),
        };
        match (known, function) {
            (None, _) => Value::Null,
            (Some(()), Function::Lead | Function::Consent | Function::Webhook) => {
                self.answer(function, event).await
            }
            (Some(()), Function::Dispatcher) => Value::Bool(self.dispatch(event).await),
            (Some(()), Function::Consumer(queue)) => self.consume(queue, 0, event).await,
            (Some(()), Function::Sweeper) => {
                self.sweep().await;
                Value::Null
            }
        }
    }

    /// A batch of the table's stream.
    pub(crate) async fn dispatch(self: Rc<Self>, records: Value) -> bool {
        let batch = serde_json::from_value(records).expect("the stream's event");
        dispatcher::handle(&self.dispatch, batch, clock::read()).await.is_ok()
    }

    /// A minute is over.
    pub(crate) async fn sweep(self: Rc<Self>) {
        sweeper::sweep(&self.dispatch, clock::read).await;
    }

    /// A batch of a queue, at one instance of its consumer.
    pub(crate) async fn consume(
        self: Rc<Self>,
        queue: &'static str,
        instance: usize,
        event: Value,
    ) -> Value {
        let event: SqsEvent = serde_json::from_value(event).expect("SQS's event");
        let answer: SqsBatchResponse = match queue {
            "crm-sync" => self.crm[instance].consume(event).await,
            "esp-sync" => self.esp[instance].consume(event).await,
            "sgtm-forwarder" => self.tagging[instance].consume(event).await,
            _ => self.notify[instance].consume(event).await,
        };
        serde_json::to_value(answer).expect("an answer encodes")
    }

    /// What create-payment-intent leaves behind when somebody begins to pay: the pointer from the
    /// intent to the journey, and the fact. Its calls of Stripe are tested elsewhere.
    pub(crate) async fn begin_to_pay(&self, visitor: &Visitor, at: i64) {
        let pepper = Pepper::parse(&format!("v1:{}", "ab".repeat(32))).expect("a pepper");
        let email = domain::contact::EmailAddress::parse(&visitor.email).expect("an address");
        let event_id = EventId::parse(&visitor.event_id()).expect("a UUID");
        let session_id = SessionId::parse(&visitor.session()).expect("a UUID");
        let intent = StripeId::parse(&visitor.intent()).expect("an id");
        let person = pepper.person(&email);
        let now = clock::moment(clock::BEGINNING + at);
        let pointer = Pointer { event_id, session_id, person: person.clone() };
        let keep = SignedDuration::from_hours(24 * 730);
        let ledger = &self.dispatch.ledger;
        ledger.point(&intent, &pointer, now + keep).await.expect("a world without faults");
        let order = Order {
            product_id: ProductId::parse("cafe-com-vendas-ticket").expect("an id"),
            product_name: "Café com Vendas".to_owned(),
            quantity: 1,
            unit_price: Money {
                minor: 9700,
                currency: Currency::parse("EUR").expect("a currency"),
            },
        };
        let fact = Fact {
            schema: SCHEMA,
            event_id,
            session_id: Some(session_id),
            source: Source::Checkout(intent.clone()),
            occurred_at: now,
            recorded_at: now,
            person: Some(person),
            contact: Some(domain::contact::Contact {
                email,
                full_name: None,
                phone: None,
                language: domain::contact::Language::Portuguese,
            }),
            consent: None,
            context: domain::attribution::Context::default(),
            happening: Happening::CheckoutStarted { order, payment_intent: intent },
        };
        ledger.record(&fact, keep).await.expect("a world without faults");
    }
}

/// The door to all vendors.
pub(crate) fn outbound() -> Outbound {
    Outbound::new("simulation", Limits::default(), Roots::BuiltIn).expect("TLS roots")
}
