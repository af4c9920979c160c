//! Everything that can go wrong, with a marked person in it.

use super::echo::{Echo, Mood};
use super::marks::Marks;
use crate::aws::now_ms;
use crate::stack::{Stack, pause};
use crate::stripe::{now, payment_event, send_event, signature};
use crate::visitor::Visitor;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::delivery::State;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The functions that have a queue.
const CONSUMERS: [&str; 4] = ["crm-sync", "esp-sync", "sgtm-forwarder", "notifier"];

/// The functions that call a vendor whose address is in their environment.
const CALLERS: [(&str, &str); 5] = [
    ("create-payment-intent", "STRIPE_BASE_URL"),
    ("crm-sync", "HUBSPOT_BASE_URL"),
    ("esp-sync", "MAILERLITE_BASE_URL"),
    ("sgtm-forwarder", "SGTM_ENDPOINT"),
    ("notifier", "SENDGRID_BASE_URL"),
];

/// What went wrong, and what was seen of it.
pub(crate) struct Failures<'a> {
    stack: &'a Stack,
    marks: &'a Marks,
    /// What callers were answered.
    pub(crate) answers: Vec<String>,
    /// What was on the queues while nobody took it.
    pub(crate) messages: BTreeMap<String, Vec<Value>>,
    /// The messages that we put on queues ourselves.
    pub(crate) poison: BTreeSet<String>,
    spoilt: Vec<String>,
}

/// How the vendors' addresses were before.
pub(crate) struct Before {
    environments: Vec<(&'static str, Map<String, Value>)>,
    slack: String,
}

impl<'a> Failures<'a> {
    pub(crate) fn new(stack: &'a Stack, marks: &'a Marks) -> Self {
        Self {
            stack,
            marks,
            answers: Vec::new(),
            messages: BTreeMap::new(),
            poison: BTreeSet::new(),
            spoilt: Vec::new(),
        }
    }

    /// A journey from lead to refund whose messages are looked at on their queues.
    pub(crate) async fn hold_queues(&mut self) {
        for consumer in CONSUMERS {
            self.stack.switch_source(consumer, false).await;
        }
        let visitor = self.marks.visitor();
        let mut lead = visitor.lead(1);
        self.marks.fill(&mut lead);
        assert_eq!(self.stack.post("/leads", &visitor.ip, &lead).await.status, 202);
        let intent = visitor.checks_out(self.stack).await;
        self.stack.sandbox.pay(&intent, "succeeded", 2).await;
        self.stack.sandbox.refund(&intent, None).await;
        let seen = self.stack.wait_for(visitor.event_id, "all routed", |timeline| {
            timeline.facts.len() == 5 && timeline.routes.len() == 5
        });
        seen.await;
        self.messages = self.stack.messages().await;
        for consumer in CONSUMERS {
            self.stack.switch_source(consumer, true).await;
        }
        let waiting: usize = CONSUMERS
            .iter()
            .map(|consumer| {
                let queue = self.messages.iter().find(|(url, _)| {
                    url.rsplit('/').next() == self.stack.queue(consumer).rsplit('/').next()
                });
                queue.map_or(0, |(_, messages)| messages.len())
            })
            .sum();
        assert!(waiting >= 15, "every queue's messages were seen: {waiting}");
    }

    /// Bodies, headers and addresses that are refused.
    pub(crate) async fn refuse_bodies(&mut self) {
        let visitor = self.marks.visitor();
        let Marks { email, name, phone, card, page, mark } = self.marks;
        let mut taken = visitor.lead(1);
        self.marks.fill(&mut taken);
        assert_eq!(self.stack.post("/leads", &visitor.ip, &taken).await.status, 202);
        let mut conflict = taken.clone();
        conflict["full_name"] = json!(format!("{name} {card}"));
        let mut foreign = visitor.lead(2);
        foreign["user_session_id"] = json!(Uuid::new_v4());
        let mut wrong = visitor.lead(3);
        for field in
            ["event_id", "user_session_id", "email", "phone", "lead_created_at", "revision"]
        {
            wrong[field] = json!(format!("{email} {phone}"));
        }
        wrong["consent"] =
            json!({"marketing": email, "method": name, "version": email, "timestamp": phone});
        let bodies = [
            conflict.to_string(),
            foreign.to_string(),
            wrong.to_string(),
            json!({"event_id": [email], "email": {"a": name}, "consent": card}).to_string(),
            json!([email, phone, card]).to_string(),
            json!(email).to_string(),
            format!("{{\"email\": \"{email}\", \"email\": \"{email}\"}}"),
            format!("{{\"{email}\": \"{phone}\","),
            format!("{email} {phone} {card} {page}"),
            format!("{}\"{email}\"{}", "[".repeat(200), "]".repeat(200)),
            format!("{{\"email\": \"{}\"}}", email.repeat(20_000)),
            String::new(),
        ];
        for path in ["/leads", "/consents", "/payment-intents"] {
            for body in &bodies {
                self.post(path, &[("content-type", "application/json")], body).await;
            }
            let form = format!("email={email}&full_name={name}&redirect_to={page}");
            self.post(path, &[("content-type", "application/x-www-form-urlencoded")], &form).await;
            self.post(path, &[("content-type", &format!("text/{mark}"))], email).await;
            let headers = [
                ("content-type", "application/json"),
                ("origin", &format!("https://{mark}.example.pt")),
                ("referer", page),
                ("user-agent", email),
                ("cookie", email),
                ("x-amzn-trace-id", email),
            ];
            self.post(path, &headers, &wrong.to_string()).await;
            self.post(&format!("{path}?email={email}&phone={mark}"), &headers[..1], "{}").await;
        }
        let mut unknown = visitor.purchase();
        unknown["product_id"] = json!(format!("tea-{mark}"));
        self.post(
            "/payment-intents",
            &[("content-type", "application/json")],
            &unknown.to_string(),
        )
        .await;
        // The lead was taken, and its answer about consent, which is a body of `/consents` too.
        self.stack.settled(visitor.event_id, 2).await;
    }

    async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        let mut request = self.stack.http.post(self.stack.url(path)).body(body.to_owned());
        // A new address for each: this is about what is answered, and not about how often.
        let [a, b, c, ..] = *Uuid::new_v4().as_bytes();
        request = request.header("x-forwarded-for", format!("10.{a}.{b}.{c}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let headers = format!("{:?}", answer.headers());
        self.answers.push(format!("{status} {headers} {}", answer.text().await.unwrap()));
        status
    }

    /// Webhooks that Stripe did not sign, or that cannot be read.
    pub(crate) async fn forge_webhooks(&mut self) {
        let Marks { email, name, card, .. } = self.marks;
        let secret = self.stack.webhook_secret().to_owned();
        let metadata = json!({"event_id": email, "email": email, "full_name": name, "x": card});
        let event = payment_event("evt_forged", "pi_forged", &metadata);
        let mut strange = Vec::new();
        for pointer in ["/id", "/type", "/data/object/id", "/data/object/currency", "/created"] {
            let mut event = event.clone();
            *event.pointer_mut(pointer).unwrap() = json!(email);
            strange.push(event.to_string());
        }
        let mut live = event.clone();
        live["livemode"] = json!(true);
        strange.extend([live.to_string(), json!([email]).to_string(), format!("{{\"{email}\":")]);
        for body in &strange {
            let good = signature(&secret, body, now());
            let mut answers = vec![send_event(self.stack, body, &good).await];
            for forged in [format!("t={},v1={email}", now()), format!("v1={card}"), email.clone()] {
                answers.push(send_event(self.stack, body, &forged).await);
            }
            let wrong = signature(&format!("whsec_{card}"), body, now());
            answers.push(send_event(self.stack, body, &wrong).await);
            let forged = answers.iter().skip(1).all(|(status, _)| *status == 400);
            assert!(forged, "{answers:?}");
            self.answers.extend(answers.iter().map(|answer| format!("{answer:?}")));
        }
    }

    /// Payments that a bank declines, in words that name the buyer.
    pub(crate) async fn decline_cards(&mut self) {
        let Marks { email, name, phone, card, .. } = self.marks;
        let visitor = self.marks.visitor();
        for code in ["card_declined", email, name, phone] {
            let id = Uuid::new_v4().simple();
            let metadata = json!({"event_id": visitor.event_id, "email": email, "full_name": name});
            let (event, intent) = (format!("evt_{id}"), format!("pi_{id}"));
            let mut event = payment_event(&event, &intent, &metadata);
            event["type"] = json!("payment_intent.payment_failed");
            event["data"]["object"]["status"] = json!("requires_payment_method");
            event["data"]["object"]["receipt_email"] = json!(email);
            event["data"]["object"]["last_payment_error"] = json!({
                "type": "card_error", "code": code, "decline_code": code, "message": card,
                "payment_method": {"id": "pm_1", "object": "payment_method", "type": "card",
                    "billing_details": {"name": name, "email": email, "phone": phone}},
            });
            let body = event.to_string();
            let signature = signature(self.stack.webhook_secret(), &body, now());
            let (status, answer) = send_event(self.stack, &body, &signature).await;
            assert_eq!(status, 200, "{answer}");
            self.answers.push(answer.to_string());
        }
        self.stack
            .wait_for(visitor.event_id, "the declined payments, routed", |timeline| {
                timeline.facts.len() == 4 && timeline.routes.len() == 4
            })
            .await;
    }

    /// Messages that are no delivery's ids.
    pub(crate) async fn poison_queues(&mut self) {
        let Marks { email, name, card, .. } = self.marks;
        let since = now_ms();
        let bodies = [
            format!("{email} {name}"),
            json!({"event_id": email, "effect": email, "destination": "hubspot"}).to_string(),
            json!({"event_id": Uuid::new_v4(), "effect": card, "destination": email}).to_string(),
            json!({"event_id": Uuid::new_v4(), "effect": email, "destination": "hubspot"})
                .to_string(),
            json!([email]).to_string(),
        ];
        for consumer in CONSUMERS {
            for body in &bodies {
                let send = self.stack.sqs().send_message().queue_url(self.stack.queue(consumer));
                let sent = send.message_body(body).send().await.unwrap();
                self.poison.insert(sent.message_id.unwrap());
            }
            self.stack.wait_for_line(consumer, since, "a message is no delivery's id").await;
        }
    }

    /// Facts that no version of ours has written.
    pub(crate) async fn spoil_facts(&mut self) {
        let Marks { email, card, .. } = self.marks;
        let visitor = self.marks.visitor();
        let since = now_ms();
        let documents = [
            json!({"schema": 99, "email": email, "happened": card}).to_string(),
            json!({"schema": 1, "event_id": email}).to_string(),
            format!("{email} {card}"),
        ];
        for (number, document) in documents.into_iter().enumerate() {
            let event_id = if number == 0 { Uuid::from(visitor.event_id) } else { Uuid::new_v4() };
            let pk = format!("JOURNEY#{event_id}");
            let text = |text: &str| AttributeValue::S(text.to_owned());
            let put = self.stack.dynamodb().put_item().table_name(self.stack.table());
            let put = put.item("pk", text(&pk)).item("sk", text("FACT#lead#9"));
            put.item("fact", text(&document)).send().await.unwrap();
            self.spoilt.push(pk);
        }
        self.stack.wait_for_line("dispatcher", since, "cannot be decoded").await;
        // Whatever needs this journey finds a fact that it cannot read.
        let lead = visitor.lead(1).to_string();
        let json = [("content-type", "application/json")];
        assert_eq!(self.post("/leads", &json, &lead).await, 503);
        let purchase = visitor.purchase().to_string();
        assert_eq!(self.post("/payment-intents", &json, &purchase).await, 503);
    }

    /// Events that are not of the kind a function takes.
    pub(crate) async fn invoke_wrongly(&mut self) {
        let Marks { email, name, card, .. } = self.marks;
        let image = json!({"pk": email, "sk": {"S": [email]}, "fact": name});
        let events = [
            json!(email),
            json!({"Records": email}),
            json!({"Records": [{"messageId": "m", "body": [email], "attributes": card}]}),
            json!({"Records": [{"eventName": "INSERT", "dynamodb": {"NewImage": image}}]}),
            json!({"httpMethod": {"a": email}, "requestContext": card, "body": [name]}),
            json!({"httpMethod": "POST", "path": format!("/{email} \u{1}"), "body": email,
                "headers": {"x": email}, "requestContext": {"identity": {"sourceIp": email}}}),
        ];
        for function in self.stack.functions() {
            for event in &events {
                let invoked = self.stack.invoke(function, event).await;
                self.answers.push(format!("{function}: {invoked:?}"));
            }
        }
    }

    /// Has every vendor called at an address.
    pub(crate) async fn point_vendors_at(&self, url: &str) -> Before {
        let mut environments = Vec::new();
        for (function, variable) in CALLERS {
            let environment = self.stack.environment(function).await;
            let mut changed = environment.clone();
            changed.insert(variable.to_owned(), json!(url));
            environments.push((function, environment));
            self.stack.set_environment(function, &changed).await;
        }
        let slack = self.stack.parameter("SLACK_WEBHOOK_URL").await;
        self.stack.set_secret("SLACK_WEBHOOK_URL", url).await;
        self.stack.restart("notifier").await;
        Before { environments, slack }
    }

    pub(crate) async fn point_vendors_back(&self, before: Before) {
        self.stack.set_secret("SLACK_WEBHOOK_URL", &before.slack).await;
        for (function, environment) in before.environments {
            self.stack.set_environment(function, &environment).await;
        }
    }

    /// Vendors that fail in every way, each time with everything they were told in their answer.
    pub(crate) async fn break_vendors(&mut self, echo: &Echo) {
        for mood in Mood::ALL {
            echo.be(mood);
            self.travel().await;
        }
        // And an address where nobody listens.
        let nobody = format!("http://127.0.0.1:1/{}", self.marks.mark);
        self.point_vendors_at(&nobody).await;
        self.travel().await;
    }

    /// A lead, a checkout that fails, and a payment: every vendor is called.
    async fn travel(&mut self) {
        self.stack.opens_gates().await;
        let visitor = self.marks.visitor();
        let mut lead = visitor.lead(1);
        self.marks.fill(&mut lead);
        assert_eq!(self.stack.post("/leads", &visitor.ip, &lead).await.status, 202);
        let purchase = visitor.purchase().to_string();
        let status =
            self.post("/payment-intents", &[("content-type", "application/json")], &purchase).await;
        assert!((500..505).contains(&status), "{status}: {:?}", self.answers.last());
        self.pay(&visitor).await;
        self.stack
            .wait_for(visitor.event_id, "every vendor called", |timeline| {
                timeline.routes.len() == 2
                    && timeline.deliveries.len() == 9
                    && timeline.deliveries.iter().all(|delivery| {
                        delivery.attempts > 0
                            || delivery.state == State::Waiting
                            || delivery.state.is_terminal()
                    })
            })
            .await;
    }

    async fn pay(&self, visitor: &Visitor) {
        let id = Uuid::new_v4().simple();
        let metadata = json!({"event_id": visitor.event_id, "user_session_id": visitor.session,
            "email": self.marks.email, "full_name": self.marks.name, "phone": self.marks.phone});
        let body = payment_event(&format!("evt_{id}"), &format!("pi_{id}"), &metadata).to_string();
        let signature = signature(self.stack.webhook_secret(), &body, now());
        let (status, answer) = send_event(self.stack, &body, &signature).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Lines that must be among those that are searched: each tells of a failure.
    pub(crate) fn expected_lines(&self) -> [&'static str; 14] {
        [
            "\"problem\":\"malformed-body\"",
            "\"problem\":\"invalid-field\"",
            "\"problem\":\"revision-conflict\"",
            "\"reason\":\"signature-mismatch\"",
            "\"reason\":\"wrong-mode\"",
            "a message is no delivery's id",
            "cannot be decoded",
            "the breaker opened",
            "\"outcome\":\"dead\"",
            "\"outcome\":\"waiting\"",
            "\"status_class\":\"4xx\"",
            "connect_failed",
            "Stripe refuses our calls",
            "\"vendor\":\"slack\"",
        ]
    }

    /// Takes away what would trouble other tests.
    pub(crate) async fn clean_up(&self) {
        self.stack.opens_gates().await;
        for pk in &self.spoilt {
            let delete = self.stack.dynamodb().delete_item().table_name(self.stack.table());
            let delete = delete.key("pk", AttributeValue::S(pk.clone()));
            delete.key("sk", AttributeValue::S("FACT#lead#9".to_owned())).send().await.unwrap();
        }
        // The poison would come back every three minutes, twenty times.
        for consumer in CONSUMERS {
            self.stack
                .sqs()
                .purge_queue()
                .queue_url(self.stack.queue(consumer))
                .send()
                .await
                .unwrap();
        }
        pause().await;
    }
}
