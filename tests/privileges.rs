//! Least privilege, by experiment. Each action that our code calls is taken from its function's
//! role, one at a time: the function's work is seen to fail. Then it is given back, and the work is
//! seen to succeed. A permission that nothing needs, or one that is missing, makes a test fail that
//! is named after it.
//!
//! What the local AWS does not check is held by a snapshot of all policies. Run without the rest:
//! `cargo test -p tests privileges`.

use crate::aws::{Grant, Role, now_ms};
use crate::sandbox::{peace, war};
use crate::stack::{PATIENCE, Stack, pause};
use crate::stripe;
use crate::visitor::a_visitor;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::delivery::{DeliveryId, Outcome, State};
use domain::destination::Destination;
use domain::fact::Effect;
use domain::id::{EventId, StripeId};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use ledger::{Claimed, Completion, FactKey, OpeningTimes};
use serde_json::json;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Instant;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// What a permission is on.
#[derive(Debug, Clone, Copy)]
enum On {
    Table,
    Agenda,
    Parameter(&'static str),
    Queue(&'static str),
    DeadLetters(&'static str),
}

/// A permission that a function's code needs.
#[derive(Debug, Clone, Copy)]
struct Need {
    function: &'static str,
    action: &'static str,
    on: On,
}

/// One test for each permission of each function, and the list of them all.
macro_rules! needs {
    ($($module:ident = $function:literal { $($test:ident: $action:literal on $on:expr;)+ })+) => {
        /// Every permission that our code needs.
        const NEEDS: &[Need] = {
            use On::{Agenda, DeadLetters, Parameter, Queue, Table};
            &[$($(Need { function: $function, action: $action, on: $on },)+)+]
        };
        $(mod $module {
            use super::{Need, On::*, fails_without};
            $(#[tokio::test]
            async fn $test() {
                fails_without(Need { function: $function, action: $action, on: $on }).await;
            })+
        })+
    };
}

needs! {
    lead_capture = "lead-capture" {
        needs_to_put_facts: "dynamodb:PutItem" on Table;
        needs_to_query_journeys: "dynamodb:Query" on Table;
        needs_to_update_counters: "dynamodb:UpdateItem" on Table;
        needs_the_pepper: "ssm:GetParameter" on Parameter("PEPPER");
    }
    consent_capture = "consent-capture" {
        needs_to_put_facts: "dynamodb:PutItem" on Table;
        needs_to_query_journeys: "dynamodb:Query" on Table;
        needs_to_update_counters: "dynamodb:UpdateItem" on Table;
        needs_the_pepper: "ssm:GetParameter" on Parameter("PEPPER");
    }
    create_payment_intent = "create-payment-intent" {
        needs_to_put_facts: "dynamodb:PutItem" on Table;
        needs_to_query_journeys: "dynamodb:Query" on Table;
        needs_to_update_counters: "dynamodb:UpdateItem" on Table;
        needs_the_catalogue: "ssm:GetParameter" on Parameter("CATALOGUE");
        needs_the_pepper: "ssm:GetParameter" on Parameter("PEPPER");
        needs_stripes_key: "ssm:GetParameter" on Parameter("STRIPE_SECRET_KEY");
    }
    stripe_webhook = "stripe-webhook" {
        needs_to_get_pointers: "dynamodb:GetItem" on Table;
        needs_to_put_facts: "dynamodb:PutItem" on Table;
        needs_the_pepper: "ssm:GetParameter" on Parameter("PEPPER");
        needs_the_signing_secret: "ssm:GetParameter" on Parameter("STRIPE_WEBHOOK_SECRET");
    }
    dispatcher = "dispatcher" {
        needs_to_put_routes_and_deliveries: "dynamodb:PutItem" on Table;
        needs_to_query_people: "dynamodb:Query" on Table;
        needs_to_update_people_and_facts: "dynamodb:UpdateItem" on Table;
        needs_to_send_to_crm_sync: "sqs:SendMessage*" on Queue("crm-sync");
        needs_to_send_to_esp_sync: "sqs:SendMessage*" on Queue("esp-sync");
        needs_to_send_to_sgtm_forwarder: "sqs:SendMessage*" on Queue("sgtm-forwarder");
        needs_to_send_to_notifier: "sqs:SendMessage*" on Queue("notifier");
    }
    crm_sync = "crm-sync" {
        needs_to_get_dead_deliveries: "dynamodb:GetItem" on Table;
        needs_to_query_journeys: "dynamodb:Query" on Table;
        needs_to_update_deliveries: "dynamodb:UpdateItem" on Table;
        needs_to_send_to_its_dead_letters: "sqs:SendMessage*" on DeadLetters("crm-sync");
        needs_to_put_messages_off: "sqs:ChangeMessageVisibility" on Queue("crm-sync");
        needs_hubspots_key: "ssm:GetParameter" on Parameter("HUBSPOT_ACCESS_TOKEN");
        needs_the_pepper: "ssm:GetParameter" on Parameter("PEPPER");
    }
    esp_sync = "esp-sync" {
        needs_to_get_dead_deliveries: "dynamodb:GetItem" on Table;
        needs_to_query_journeys: "dynamodb:Query" on Table;
        needs_to_update_deliveries: "dynamodb:UpdateItem" on Table;
        needs_to_send_to_its_dead_letters: "sqs:SendMessage*" on DeadLetters("esp-sync");
        needs_to_put_messages_off: "sqs:ChangeMessageVisibility" on Queue("esp-sync");
        needs_mailerlites_key: "ssm:GetParameter" on Parameter("MAILERLITE_API_KEY");
        needs_the_pepper: "ssm:GetParameter" on Parameter("PEPPER");
    }
    sgtm_forwarder = "sgtm-forwarder" {
        needs_to_get_dead_deliveries: "dynamodb:GetItem" on Table;
        needs_to_query_journeys: "dynamodb:Query" on Table;
        needs_to_update_deliveries: "dynamodb:UpdateItem" on Table;
        needs_to_send_to_its_dead_letters: "sqs:SendMessage*" on DeadLetters("sgtm-forwarder");
        needs_to_put_messages_off: "sqs:ChangeMessageVisibility" on Queue("sgtm-forwarder");
        needs_the_tagging_servers_secret: "ssm:GetParameter" on Parameter("SGTM_API_SECRET");
    }
    notifier = "notifier" {
        needs_to_get_dead_deliveries: "dynamodb:GetItem" on Table;
        needs_to_query_journeys: "dynamodb:Query" on Table;
        needs_to_update_deliveries: "dynamodb:UpdateItem" on Table;
        needs_to_send_to_its_dead_letters: "sqs:SendMessage*" on DeadLetters("notifier");
        needs_to_put_messages_off: "sqs:ChangeMessageVisibility" on Queue("notifier");
        needs_sendgrids_key: "ssm:GetParameter" on Parameter("SENDGRID_API_KEY");
        needs_slacks_address: "ssm:GetParameter" on Parameter("SLACK_WEBHOOK_URL");
    }
    sweeper = "sweeper" {
        needs_to_get_facts: "dynamodb:GetItem" on Table;
        needs_to_put_routes_and_deliveries: "dynamodb:PutItem" on Table;
        needs_to_query_people: "dynamodb:Query" on Table;
        needs_to_query_the_agenda: "dynamodb:Query" on Agenda;
        needs_to_update_people_and_facts: "dynamodb:UpdateItem" on Table;
        needs_to_send_to_crm_sync: "sqs:SendMessage*" on Queue("crm-sync");
        needs_to_send_to_esp_sync: "sqs:SendMessage*" on Queue("esp-sync");
        needs_to_send_to_sgtm_forwarder: "sqs:SendMessage*" on Queue("sgtm-forwarder");
        needs_to_send_to_notifier: "sqs:SendMessage*" on Queue("notifier");
    }
    reconciler = "reconciler" {
        needs_to_get_its_cursor_and_pointers: "dynamodb:GetItem" on Table;
        needs_to_put_facts: "dynamodb:PutItem" on Table;
        needs_the_pepper: "ssm:GetParameter" on Parameter("PEPPER");
        needs_stripes_key: "ssm:GetParameter" on Parameter("STRIPE_SECRET_KEY");
    }
}

/// What Lambda itself does under a function's role. The local AWS does it unasked.
const UNCHECKED: [(&str, &str); 10] = [
    ("dynamodb:DescribeStream", "/stream/"),
    ("dynamodb:GetRecords", "/stream/"),
    ("dynamodb:GetShardIterator", "/stream/"),
    ("dynamodb:ListStreams", "*"),
    ("logs:CreateLogStream", ":log-group:/aws/lambda/"),
    ("logs:PutLogEvents", ":log-group:/aws/lambda/"),
    ("sqs:DeleteMessage", ":throughline-"),
    ("sqs:GetQueueAttributes", ":throughline-"),
    ("sqs:ReceiveMessage", ":throughline-"),
    ("sqs:SendMessage", "-stream-failures"),
];

impl Need {
    /// Whether a grant of a role is this permission.
    fn is(&self, grant: &Grant, table: &str) -> bool {
        let end = match self.on {
            On::Table => format!(":table/{table}"),
            On::Agenda => format!(":table/{table}/index/agenda"),
            On::Parameter(name) => format!("/{name}"),
            On::Queue(function) => format!("-{function}"),
            On::DeadLetters(function) => format!("-{function}-dead"),
        };
        grant.action == self.action && grant.resource.ends_with(&end)
    }

    fn grant(&self, role: &Role, table: &str) -> Grant {
        let mut found = role.grants().into_iter().filter(|grant| self.is(grant, table));
        let grant = found.next();
        grant.unwrap_or_else(|| panic!("{} may not do {} on {:?}", role.name, self.action, self.on))
    }
}

/// Takes a permission away, sees the function's work fail, gives it back, sees it succeed.
async fn fails_without(need: Need) {
    let (stack, _alone) = (Stack::running().await, war().await);
    prepare(&stack, need).await;
    let role = stack.role(need.function).await;
    let grant = need.grant(&role, stack.table());
    stack.put_policy(&role, &role.without(&grant)).await;
    let without = AssertUnwindSafe(work(&stack, need)).catch_unwind().await;
    stack.put_policy(&role, &role.document).await;
    let without = without.unwrap_or_else(|panic| resume_unwind(panic));
    assert!(
        without.is_err(),
        "{} works without {} on {}: its role need not hold it",
        need.function,
        grant.action,
        grant.resource
    );
    // On a busy machine a call may take too long; one that is not allowed always fails.
    let mut why = String::new();
    for _ in 0..3 {
        match work(&stack, need).await {
            Ok(()) => return,
            Err(failed) => why = failed,
        }
    }
    panic!("{} fails with all its permissions: {why}", need.function);
}

/// What must be there before anything is taken away.
async fn prepare(stack: &Stack, need: Need) {
    match need.function {
        "lead-capture"
        | "consent-capture"
        | "create-payment-intent"
        | "stripe-webhook"
        | "reconciler" => {}
        _ => drop(a_dispatched_lead(stack).await),
    }
}

/// Does what a function is for, so that a permission is needed. Parameters are read at start.
async fn work(stack: &Stack, need: Need) -> Result<(), String> {
    if let On::Parameter(_) = need.on {
        stack.restart(need.function).await;
    }
    match need.function {
        "lead-capture" => takes_a_lead(stack).await,
        "consent-capture" => takes_an_answer(stack).await,
        "create-payment-intent" => makes_an_intent(stack).await,
        "stripe-webhook" => hears_stripe(stack).await,
        "dispatcher" => dispatches(stack).await,
        "sweeper" => sweeps(stack).await,
        "reconciler" => makes_up_for_a_webhook(stack).await,
        consumer => match (need.action, need.on) {
            ("sqs:ChangeMessageVisibility", _) => puts_off(stack, consumer).await,
            ("dynamodb:GetItem", _) | (_, On::DeadLetters(_)) => buries(stack, consumer).await,
            _ => delivers(stack, consumer).await,
        },
    }
}

async fn takes_a_lead(stack: &Stack) -> Result<(), String> {
    let (visitor, since) = (a_visitor(), now_ms());
    let answer = stack.post("/leads", &visitor.ip, &visitor.lead(1)).await;
    expect(answer.status == 202, &answer)?;
    is_counted(stack, "lead-capture", since).await
}

async fn takes_an_answer(stack: &Stack) -> Result<(), String> {
    let (visitor, since) = (a_visitor(), now_ms());
    let answer = visitor.answers_consent(stack, true, "2026-11-20T11:00:00Z").await;
    expect(answer.status == 202, &answer)?;
    is_counted(stack, "consent-capture", since).await
}

/// Leads and answers are taken even where nobody can count their senders; that is said, though.
async fn is_counted(stack: &Stack, function: &str, since: i64) -> Result<(), String> {
    stack.wait_for_line(function, since, "request answered").await;
    let lines = stack.printed(function, since).await;
    expect(!lines.iter().any(|line| line.contains("callers are not counted")), &lines)
}

async fn makes_an_intent(stack: &Stack) -> Result<(), String> {
    let visitor = a_visitor();
    let answer = stack.post("/payment-intents", &visitor.ip, &visitor.purchase()).await;
    expect(answer.status == 200, &answer)
}

/// An event without our metadata: its intent is looked up, and the fact is recorded.
async fn hears_stripe(stack: &Stack) -> Result<(), String> {
    let mark = Uuid::new_v4().simple();
    let event = stripe::payment_event(&format!("evt_{mark}"), &format!("pi_{mark}"), &json!({}));
    let body = event.to_string();
    let signature = stripe::signature(stack.webhook_secret(), &body, stripe::now());
    let (status, answer) = stripe::send_event(stack, &body, &signature).await;
    expect(status == 200, &answer)
}

/// One lead that went everywhere, for all tests of what comes after.
async fn a_dispatched_lead(stack: &Stack) -> EventId {
    static LEAD: OnceCell<EventId> = OnceCell::const_new();
    let leave = async || {
        let visitor = a_visitor();
        visitor.leaves_a_lead(stack).await;
        stack.settled(visitor.event_id, 1).await;
        visitor.event_id
    };
    *LEAD.get_or_init(leave).await
}

/// The stream brings the lead once more.
async fn dispatches(stack: &Stack) -> Result<(), String> {
    let item = fact_item(stack, a_dispatched_lead(stack).await).await;
    let text = |name: &str| json!({"S": item[name].as_s().unwrap()});
    let image = json!({"pk": text("pk"), "sk": text("sk"), "fact": text("fact")});
    let record = json!({"eventName": "INSERT", "dynamodb": {"NewImage": image}});
    let invoked = stack.invoke("dispatcher", &json!({"Records": [record]})).await;
    expect(!invoked.failed, &invoked)
}

type Item = std::collections::HashMap<String, AttributeValue>;

async fn fact_item(stack: &Stack, lead: EventId) -> Item {
    let get = stack.dynamodb().get_item().table_name(stack.table()).consistent_read(true);
    let get = get.set_key(Some(key(lead, LEAD_FACT)));
    get.send().await.unwrap().item.unwrap()
}

const LEAD_FACT: &str = "FACT#lead#1";

fn key(journey: EventId, sk: &str) -> Item {
    [("pk", format!("JOURNEY#{journey}")), ("sk", sk.to_owned())]
        .map(|(name, text)| (name.to_owned(), AttributeValue::S(text)))
        .into()
}

/// The lead was forgotten long ago: a sweep dispatches it and takes it off the list.
async fn sweeps(stack: &Stack) -> Result<(), String> {
    let lead = a_dispatched_lead(stack).await;
    let [first, ..] = *Uuid::from(lead).as_bytes();
    let agenda = format!("undispatched#{:02}", u32::from(first) % ledger::SHARDS);
    let long_ago = (now_ms() - 600_000).to_string();
    let forget = stack.dynamodb().update_item().table_name(stack.table());
    forget
        .set_key(Some(key(lead, LEAD_FACT)))
        .update_expression("SET agenda = :agenda, agenda_at = :at")
        .expression_attribute_values(":agenda", AttributeValue::S(agenda))
        .expression_attribute_values(":at", AttributeValue::N(long_ago))
        .send()
        .await
        .unwrap();
    let invoked = stack.invoke("sweeper", &json!({})).await;
    expect(!invoked.failed, &invoked)?;
    let item = fact_item(stack, lead).await;
    expect(!item.contains_key("agenda"), &"the fact is still on the agenda")
}

/// A payment that Stripe never told of is fetched: its intent is looked up, and the fact is recorded.
async fn makes_up_for_a_webhook(stack: &Stack) -> Result<(), String> {
    let mark = Uuid::new_v4().simple();
    let (event, intent) = (format!("evt_{mark}"), format!("pi_{mark}"));
    let mut event = stripe::payment_event(&event, &intent, &json!({}));
    let written = json!({"id": event["id"], "type": event["type"], "object": event["data"]["object"].take(),
        "created": stripe::now() - 300});
    stack.sandbox.write_unheard(written).await;
    let invoked = stack.invoke("reconciler", &json!({})).await;
    expect(!invoked.failed, &invoked)?;
    let journey = EventId::of_foreign(&StripeId::parse(&intent).unwrap());
    let timeline = stack.timeline(journey).await;
    expect(timeline.facts.len() == 1, &timeline.facts.len())
}

/// A delivery of the lead that nobody but the test knows of.
async fn open_delivery(stack: &Stack, function: &str) -> DeliveryId {
    let event_id = a_dispatched_lead(stack).await;
    let destination = Destination::ALL.into_iter().rfind(|d| d.queue().function() == function);
    let effect = Effect::stored(format!("lead_captured:{}", Uuid::new_v4()));
    let id = DeliveryId { event_id, effect, destination: destination.unwrap() };
    let fact = FactKey { event_id, sk: LEAD_FACT.to_owned() };
    let hour = SignedDuration::from_hours(1);
    let times = OpeningTimes { now: now(), look_at: now() + hour, keep: hour };
    stack.ledger().open_delivery(&id, &fact, times).await.unwrap();
    id
}

#[expect(clippy::disallowed_methods, reason = "deliveries of a test expire like any other")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// A message reaches a consumer; what it answers says that the message is done with.
async fn consumes(stack: &Stack, function: &str, id: &DeliveryId) -> Result<(), String> {
    let message = json!({"messageId": "m-1", "receiptHandle": "none", "eventSource": "aws:sqs",
        "body": serde_json::to_string(id).unwrap(), "attributes": {"ApproximateReceiveCount": "1"}});
    let invoked = stack.invoke(function, &json!({"Records": [message]})).await;
    expect(!invoked.failed && invoked.answer["batchItemFailures"] == json!([]), &invoked)
}

async fn delivers(stack: &Stack, function: &str) -> Result<(), String> {
    let id = open_delivery(stack, function).await;
    consumes(stack, function, &id).await?;
    let record = stack.ledger().delivery(&id).await.unwrap().unwrap();
    expect(matches!(record.state, State::Delivered | State::AcceptedUnverifiable), &record)
}

/// A delivery that has killed its workers again and again is given up: its ids go to the dead letters.
async fn buries(stack: &Stack, function: &str) -> Result<(), String> {
    let id = open_delivery(stack, function).await;
    let sk = format!("DELIVERY#{}#{}", id.effect, id.destination);
    let claimed = stack.dynamodb().update_item().table_name(stack.table());
    claimed
        .set_key(Some(key(id.event_id, &sk)))
        .update_expression("SET claims = :many")
        .expression_attribute_values(":many", AttributeValue::N("1000".to_owned()))
        .send()
        .await
        .unwrap();
    consumes(stack, function, &id).await?;
    let record = stack.ledger().delivery(&id).await.unwrap().unwrap();
    expect(record.state == State::Dead && record.dead_lettered, &record)
}

/// A message whose delivery another worker holds comes back after a second, and not after the
/// queue's three minutes.
async fn puts_off(stack: &Stack, function: &str) -> Result<(), String> {
    let id = open_delivery(stack, function).await;
    let held = stack.ledger().claim(&id, now(), SignedDuration::from_mins(5)).await.unwrap();
    let Claimed::Held(claim) = held else { panic!("not held") };
    let body = serde_json::to_string(&id).unwrap();
    let since = now_ms();
    let send = stack.sqs().send_message().queue_url(stack.queue(function)).message_body(body);
    let message = send.send().await.unwrap().message_id.unwrap();
    let put_off = comes_back(stack, function, &message, since).await;
    // Then the delivery is over, and so is its message when it comes again.
    let ended = Completion {
        outcome: Outcome::Delivered,
        detail: String::new(),
        request_id: None,
        look_at: now(),
    };
    stack.ledger().complete(&claim, &ended, now()).await.unwrap();
    put_off
}

async fn comes_back(
    stack: &Stack,
    function: &str,
    message: &str,
    since: i64,
) -> Result<(), String> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let lines = stack.printed(function, since).await;
        expect(!lines.iter().any(|line| line.contains("could not be put off")), &lines)?;
        let mut messages = stack.messages().await.into_values().flatten();
        let seen = messages.find(|seen| seen["MessageId"] == message);
        if seen.is_some_and(|seen| seen["ReceiveCount"].as_u64() >= Some(2)) {
            return Ok(());
        }
        pause().await;
    }
    Err("the message did not come back".to_owned())
}

fn expect(holds: bool, seen: &dyn std::fmt::Debug) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{seen:?}")) }
}

#[tokio::test]
async fn no_role_holds_a_permission_that_no_test_takes_away() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let mut roles = Vec::new();
    for function in stack.functions() {
        let role = stack.role(function).await;
        for grant in role.grants() {
            let unchecked = UNCHECKED.iter().any(|(action, resource)| {
                grant.action == *action && grant.resource.contains(resource)
            });
            let needs = NEEDS.iter().filter(|need| need.function == function);
            let tried = needs.filter(|need| need.is(&grant, stack.table())).count();
            assert_eq!(tried, usize::from(!unchecked), "{function}: {grant:?}");
        }
        roles.push(role.name);
    }
    roles.sort();
    roles.dedup();
    assert_eq!(roles.len(), stack.functions().count(), "two functions share a role: {roles:?}");
}

#[tokio::test]
async fn every_role_is_as_it_was_read_last() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let mut told = String::new();
    for function in stack.functions() {
        let role = stack.role(function).await;
        let trusted = &stack.trust(&role).await["Statement"];
        let trusted = trusted.get(0).unwrap_or(trusted)["Principal"].to_string();
        told.push_str(&format!("{function}, as {trusted}, may\n"));
        for Grant { action, resource } in role.grants() {
            // The stream's name ends in the time when the table was made.
            let resource = match resource.split_once("/stream/") {
                Some((table, _)) => format!("{table}/stream/its-label"),
                None => resource,
            };
            told.push_str(&format!("    {action} on {resource}\n"));
        }
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn every_role_knows_one_table_and_its_own_queues_and_secrets() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    for function in stack.functions() {
        for Grant { action, resource } in stack.role(function).await.grants() {
            let kept = match action.split(':').next().unwrap() {
                "dynamodb" => {
                    let table = format!(":table/{}", stack.table());
                    resource.contains(&table) || action == "dynamodb:ListStreams"
                }
                "sqs" => resource.contains(":throughline-"),
                "ssm" => resource.contains(":parameter/throughline/"),
                "logs" => {
                    resource.ends_with(&format!("/aws/lambda/{}:*", stack.deployed(function)))
                }
                _ => false,
            };
            assert!(kept, "{function} may do {action} on {resource}");
        }
    }
}
