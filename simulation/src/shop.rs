//! The functions, wired as their `main.rs` wires them, over the AWS of the world.

mod buyer;
mod open;

pub(crate) use open::{Settings, outbound};

use crate::clock;
use crate::fault::Function;
use crm_sync::Crm;
use delivery::Consumer;
use dispatch::Dispatch;
use esp_sync::Esp;
use intake::Desk;
use lambda::batch::{SqsBatchResponse, SqsEvent};
use lambda::http::Route;
use ledger::Ledger;
use notifier::Notify;
use operator::{Author, Filter, Operator, Pace, Remedy};
use serde_json::Value;
use sgtm_forwarder::Tagging;
use std::rc::Rc;

/// The queues, by function.
pub(crate) const QUEUES: [&str; 4] = ["crm-sync", "esp-sync", "sgtm-forwarder", "notifier"];

/// All functions, each as often as it may run at once.
pub(crate) struct Shop {
    lead: (Route, lead_capture::App),
    consent: (Route, Desk),
    checkout: (Route, create_payment_intent::App),
    webhook: stripe_webhook::App,
    reconciler: reconciler::App,
    operator: Operator,
    dispatch: Dispatch,
    crm: Vec<Consumer<Crm>>,
    esp: Vec<Consumer<Esp>>,
    tagging: Vec<Consumer<Tagging>>,
    notify: Vec<Consumer<Notify>>,
}

/// How many instances of one consumer may run at once.
pub(crate) const INSTANCES: usize = 3;

impl Shop {
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
            Function::Checkout => {
                let (route, app) = &self.checkout;
                let handle = |request| async move {
                    let (now, random) = (clock::read(), uuid::Uuid::new_v4);
                    create_payment_intent::handle(app, &request, now, random).await
                };
                lambda::http::answer(route, event, &handle).await
            }
            Function::Webhook
            | Function::Dispatcher
            | Function::Consumer(_)
            | Function::Sweeper
            | Function::Reconciler
            | Function::Redrive => {
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
        let is_known = match function {
            Function::Lead | Function::Consent | Function::Checkout | Function::Webhook => {
                serde_json::from_value::<lambda::http::Event>(event.clone()).is_ok()
            }
            Function::Dispatcher => {
                serde_json::from_value::<dispatcher::Batch>(event.clone()).is_ok()
            }
            Function::Consumer(_) => serde_json::from_value::<SqsEvent>(event.clone()).is_ok(),
            Function::Sweeper | Function::Reconciler | Function::Redrive => true,
        };
        if !is_known {
            return Value::Null;
        }
        match function {
            Function::Lead | Function::Consent | Function::Checkout | Function::Webhook => {
                self.answer(function, event).await
            }
            Function::Dispatcher => Value::Bool(self.dispatch(event).await),
            Function::Consumer(queue) => self.consume(queue, 0, event).await,
            Function::Sweeper => {
                self.sweep().await;
                Value::Null
            }
            Function::Reconciler => {
                self.reconcile().await;
                Value::Null
            }
            Function::Redrive => self.redrive().await.into(),
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

    /// A quarter of an hour is over.
    pub(crate) async fn reconcile(self: Rc<Self>) {
        reconciler::reconcile(&self.reconciler, clock::read).await;
    }

    /// Somebody begins again what is dead, but not what may have happened. Says how many there were,
    /// unless the command failed.
    pub(crate) async fn redrive(self: Rc<Self>) -> Option<usize> {
        let author = Author::new("ana", "the vendor takes it again").expect("an author");
        let now = clock::read();
        let mut dead = self.operator.dead(&Filter::default(), now).await.ok()?;
        dead.retain(|one| !one.is_unknown());
        let remedy = Remedy::Redrive(Pace::per_minute(60));
        self.operator.mend(&dead, remedy, &author, now, |_| {}).await.ok()?;
        Some(dead.len())
    }

    /// What a person has before them: the commands, and the ledger itself.
    pub(crate) fn desk(&self) -> (&Operator, &Ledger) {
        (&self.operator, &self.dispatch.ledger)
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
}
