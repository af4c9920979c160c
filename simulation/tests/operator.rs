//! What a person does to a stage with the operator's commands, and what becomes of it.

use crate::scene::Scene;
use crate::{ana, id, lab};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use domain::delivery::DeliveryId;
use domain::destination::Destination::{self, Hubspot, Sgtm, Slack};
use domain::destination::Queue;
use domain::fact::Effect;
use domain::id::EventId;
use domain::routing::{Decision, Route};
use jiff::{SignedDuration, Timestamp};
use ledger::{GateEvent, Ledger, List};
use operator::{
    Author, Fault, Fill, Intent, Operator, Pace, ReplayOutcome, ReplayPlan, SecretName, Stage,
    Verdict,
};
use serde_json::{Value, json};
use simulation::{Function, Lab, Options, Plan, Report, Said, Snapshot, Sweeping, Visitor};
use std::collections::BTreeMap;
use testkit::vendor::{Reply, Request, Vendor, cut, reply};

fn author() -> Author {
    Author::new("ana", "restored a backup").unwrap()
}

fn options(destinations: &'static str) -> Options {
    Options { destinations, sweeping: Sweeping::EachMinute, ..Options::default() }
}

fn begun(lab: &mut Lab, options: &Options, said: Vec<Said>) -> Report {
    let report = lab.run(options, Plan::default(), &[], said);
    assert!(report.wrong.is_empty(), "{:#?}", report.wrong);
    report
}

fn went_on(lab: &mut Lab, options: &Options) -> Report {
    let report = lab.resume(&lab.snapshot(), options, Plan::default(), Vec::new());
    assert!(report.wrong.is_empty(), "{:#?}\n{}", report.wrong, report.told.join("\n"));
    report
}

/// How often a vendor was told something.
fn told(report: &Report, vendor: &str) -> usize {
    let said = |line: &&String| line.contains("POST") || line.contains("PATCH");
    report.told.iter().filter(said).filter(|line| line.contains(&format!(" /{vendor}"))).count()
}

fn event_id() -> EventId {
    id(&ana())
}

fn again(at: &[Destination]) -> Intent {
    Intent { destinations: at.to_vec(), again: true, even_if_it_happened: false }
}

/// What a plan would do at each destination.
fn does(plan: &ReplayPlan) -> Vec<&'static str> {
    plan.facts.iter().flat_map(|fact| &fact.at).map(|told| told.does).collect()
}

async fn wish(operator: &Operator, plan: &ReplayPlan, now: Timestamp) -> ReplayOutcome {
    operator.replay(plan, Pace::per_minute(60), &author(), now, |_| {}).await.unwrap()
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, Fault>) -> String {
    answer.unwrap_err().to_string()
}

/// A payment was told to the CRM, the tagging server and people; and it is wished that some of them
/// hear of it again.
fn wished(lab: &mut Lab, at: &[Destination]) -> Snapshot {
    let options = options("hubspot,sgtm,slack");
    begun(lab, &options, vec![ana().pays(60_000, 1)]);
    lab.command(&lab.snapshot(), &options, async |operator, _, now| {
        let fact = "stripe#evt_1_paid_1";
        let plan = operator.plan_replay(event_id(), fact, again(at)).await.unwrap();
        assert_eq!(does(&plan), vec!["begin_again"; at.len()]);
        assert_eq!(wish(operator, &plan, now).await, ReplayOutcome { wished: 1, left: 0 });
        let twice = operator.plan_replay(event_id(), fact, again(at)).await;
        assert!(refusal(twice).contains("wished for already"));
        assert_eq!(wish(operator, &plan, now).await, ReplayOutcome { wished: 0, left: 1 });
    });
    lab.snapshot()
}

#[test]
fn one_fact_is_told_again_where_it_is_named_and_nowhere_else() {
    let mut lab = lab();
    wished(&mut lab, &[Hubspot]);
    let options = options("hubspot,sgtm,slack");
    let report = went_on(&mut lab, &options);
    // What the CRM was told last must not make the call look needless.
    let calls = ["hubspot", "sgtm", "slack"].map(|vendor| told(&report, vendor));
    assert_eq!(calls, [1, 0, 0], "{}", report.told.join("\n"));
    lab.command(&lab.snapshot(), &options, async |operator, ledger, _| {
        let timeline = ledger.timeline(event_id()).await.unwrap();
        let replays = timeline.deliveries.iter().map(|one| (one.id.destination, one.replays));
        assert!(replays.clone().all(|(to, times)| times == u32::from(to == Hubspot)));
        assert!(timeline.open.is_empty(), "the wish is fulfilled: {:?}", timeline.open);
        assert_eq!(timeline.audits.len(), 1);
        assert!(timeline.audits[0].note.contains("at hubspot"), "{:?}", timeline.audits);
        let unknown = operator.plan_replay(event_id(), "stripe#evt_none", again(&[Hubspot])).await;
        assert!(refusal(unknown).contains("no such fact"));
        let only = Intent { again: false, ..again(&[Hubspot]) };
        let told = operator.plan_replay(event_id(), "stripe#evt_1_paid_1", only).await.unwrap();
        assert_eq!(does(&told), ["leave"], "who was told is not told again");
    });
    assert_eq!(told(&went_on(&mut lab, &options), "hubspot"), 0, "a wish is fulfilled once");
}

#[test]
fn a_replay_is_fulfilled_once_whatever_goes_wrong() {
    let mut lab = lab();
    let from = wished(&mut lab, &[Hubspot, Sgtm]);
    let (name, function) = ("replay", Function::Sweeper);
    let options = options("hubspot,sgtm,slack");
    Scene { name, function, options, from, said: Vec::new(), pairs: 50 }.enumerate(&mut lab);
}

#[test]
fn a_destination_that_was_switched_on_later_is_filled_with_the_facts_of_a_time() {
    let mut lab = lab();
    let visitor = |number| Visitor::new(number, &format!("ana.silva{number}@example.pt"));
    let leads =
        (2..62).map(|number| visitor(number).lead(i64::from(number) * 500, 1, (true, true)));
    begun(&mut lab, &options("hubspot"), leads.collect());
    let options = options("hubspot,sgtm");
    let beginning = lab.command(&lab.snapshot(), &options, async |_, ledger: &Ledger, _| {
        let event_id = id(&visitor(2));
        ledger.timeline(event_id).await.unwrap().facts[0].recorded_at
    });
    let fill = |again| Fill {
        destination: Sgtm,
        since: beginning,
        until: beginning + SignedDuration::from_secs(15),
        again,
    };
    lab.command(&lab.snapshot(), &options, async |operator, _, now| {
        let plan = operator.plan_fill(&fill(false), |_| {}).await.unwrap();
        assert!(does(&plan).iter().all(|does| *does == "open"), "{plan:?}");
        assert_eq!(plan.facts.len(), 30, "those of its time");
        assert!(plan.looked_at > 100, "the whole table is read: {}", plan.looked_at);
        assert_eq!(wish(operator, &plan, now).await.wished, 30);
        let waiting = operator.plan_fill(&fill(false), |_| {}).await.unwrap();
        assert!(waiting.facts.is_empty(), "what waits already is left: {waiting:?}");
    });
    let report = went_on(&mut lab, &options);
    assert_eq!((told(&report, "sgtm"), told(&report, "hubspot")), (30, 0));
    lab.command(&lab.snapshot(), &options, async |operator, ledger, _| {
        let routes = ledger.timeline(id(&visitor(2))).await.unwrap().routes;
        let sent = |route: &&Route| matches!(route.decision, Decision::Send { .. });
        assert_eq!(routes[0].routes.iter().filter(sent).count(), 2, "{routes:?}");
        let told = operator.plan_fill(&fill(false), |_| {}).await.unwrap();
        assert!(told.facts.is_empty(), "who was told is not told again: {told:?}");
        let all = operator.plan_fill(&fill(true), |_| {}).await.unwrap();
        assert_eq!(all.facts.len(), 30, "unless that is wished");
    });
}

/// A lead that nobody has dispatched.
fn recorded(lab: &mut Lab) -> Snapshot {
    let doors = Options { stream: false, sweeping: Sweeping::Off, ..options("hubspot,slack") };
    begun(lab, &doors, vec![ana().lead(0, 1, (true, true))]);
    lab.snapshot()
}

/// Runs a version that cannot read the facts, until it has passed them.
fn passed(lab: &mut Lab, from: &Snapshot, options: &Options) -> Snapshot {
    lab.resume(&from.clone().from_a_newer_version(), options, Plan::default(), Vec::new());
    lab.command(&lab.snapshot(), options, async |operator, ledger, _| {
        let plan = operator.plan_replay(event_id(), "lead#1", again(&[Hubspot])).await;
        assert!(refusal(plan).contains("cannot read that fact"));
        assert!(ledger.timeline(event_id()).await.unwrap().deliveries.is_empty());
        assert_eq!(ledger.length(List::Undecodable).await, Ok(1));
    });
    lab.snapshot()
}

/// Deploys the version that can, and wishes a replay.
fn wished_for_the_first_time(lab: &mut Lab, from: &Snapshot, options: &Options) -> Snapshot {
    lab.command(from, options, async |operator, ledger, now| {
        let plan = operator.plan_replay(event_id(), "lead#1", again(&[Hubspot])).await.unwrap();
        assert!(plan.intent.destinations.contains(&Slack), "its first time");
        assert_eq!(wish(operator, &plan, now).await.wished, 1);
        assert_eq!(ledger.length(List::Undecodable).await, Ok(0));
    });
    lab.snapshot()
}

#[test]
fn what_a_newer_version_wrote_waits_for_it_and_is_told_when_it_can_be_read() {
    let mut lab = lab();
    let readable = recorded(&mut lab);
    // Brought by the stream, or found by the sweeper.
    for stream in [true, false] {
        let options = Options { stream, ..options("hubspot,slack") };
        let passed = passed(&mut lab, &readable, &options);
        wished_for_the_first_time(&mut lab, &passed.with_facts_of(&readable), &options);
        let report = went_on(&mut lab, &options);
        assert_eq!((told(&report, "hubspot"), told(&report, "slack")), (1, 1));
    }
}

#[test]
fn a_wish_that_meets_an_older_version_can_be_wished_again() {
    let mut lab = lab();
    let readable = recorded(&mut lab);
    let options = Options { stream: false, ..options("hubspot,slack") };
    let mended = passed(&mut lab, &readable, &options).with_facts_of(&readable);
    let wished = wished_for_the_first_time(&mut lab, &mended, &options);
    let rolled_back = passed(&mut lab, &wished, &options);
    wished_for_the_first_time(&mut lab, &rolled_back.with_facts_of(&readable), &options);
    assert_eq!(told(&went_on(&mut lab, &options), "hubspot"), 1);
}

#[test]
fn a_paused_destination_hears_nothing_and_misses_nothing() {
    let mut lab = lab();
    let still = Options { sweeping: Sweeping::Off, ..options("slack") };
    begun(&mut lab, &still, Vec::new());
    lab.command(&lab.snapshot(), &still, async |operator, _, now| {
        assert_eq!(operator.pause(Slack, &author(), now).await, Ok(()));
        let twice = operator.pause(Slack, &author(), now).await;
        assert!(refusal(twice).contains("by ana: restored a backup"));
    });
    let report =
        lab.resume(&lab.snapshot(), &still, Plan::default(), vec![ana().lead(0, 1, (true, true))]);
    assert_eq!((told(&report, "slack"), report.wrong), (0, Vec::new()));
    lab.command(&lab.snapshot(), &still, async |operator, ledger, now| {
        let timeline = ledger.timeline(event_id()).await.unwrap();
        assert_eq!(timeline.deliveries[0].reason, "paused");
        let slack = operator.standing(Slack, now).await.unwrap();
        assert_eq!((slack.gate, slack.by.as_deref()), ("paused", Some("ana")));
        assert_eq!((slack.backlog.due, slack.backlog.dead), (1, 0));
        assert_eq!(operator.resume(Slack, &author(), now).await, Ok(()));
        let idle = operator.resume(Slack, &author(), now).await;
        assert!(refusal(idle).contains("neither paused nor shut"));
        assert_eq!(operator.standing(Slack, now).await.unwrap().gate, "closed");
        let history = ledger.gate_history(Slack, now - SignedDuration::from_hours(1)).await;
        let told = |event: GateEvent| format!("{} by {}", event.what, event.by);
        let history: Vec<String> = history.unwrap().into_iter().map(told).collect();
        assert_eq!(history, ["paused by ana", "resumed by ana"]);
    });
    assert_eq!(told(&went_on(&mut lab, &options("slack")), "slack"), 1);
}

#[test]
fn a_journey_of_any_length_is_read_to_its_end() {
    let mut lab = lab();
    let doors = Options { stream: false, sweeping: Sweeping::Off, ..options("slack") };
    let refused = (0..120).map(|charge| ana().fails_to_pay(60_000 + i64::from(charge), charge));
    begun(&mut lab, &doors, refused.collect());
    lab.command(&lab.snapshot(), &doors, async |operator, ledger, _| {
        assert_eq!(ledger.journey(event_id()).await.unwrap().facts().len(), 120);
        let story = operator.story(event_id()).await.unwrap().unwrap();
        assert!(story.lines.len() >= 120, "{}", story.lines.len());
    });
}

#[test]
fn what_waits_for_its_first_dispatch_is_not_filled_in() {
    let mut lab = lab();
    let readable = recorded(&mut lab);
    let options = options("hubspot,slack");
    let fill = Fill {
        destination: Slack,
        since: Timestamp::UNIX_EPOCH,
        until: Timestamp::MAX,
        again: false,
    };
    let found = |lab: &mut Lab, from: &Snapshot| {
        lab.command(from, &options, async |operator, _, _| {
            operator.plan_fill(&fill, |_| {}).await.unwrap().facts.len()
        })
    };
    assert_eq!(found(&mut lab, &readable), 0, "it waits");
    let passed = passed(&mut lab, &readable, &options);
    assert_eq!(found(&mut lab, &passed), 0, "nobody can read it");
    assert_eq!(found(&mut lab, &passed.with_facts_of(&readable)), 1);
}

#[test]
fn a_stages_table_tells_how_it_is() {
    let mut lab = lab();
    begun(&mut lab, &options("slack"), vec![ana().lead(0, 1, (true, true))]);
    let table = lab.command(&lab.snapshot(), &options("slack"), async |operator, _, _| {
        operator.table().await.unwrap()
    });
    assert!(table.active && table.expires && table.streams, "{table:?}");
    assert!(table.items > 3 && table.bytes > table.items, "{table:?}");
}

/// The commands in a stage whose AWS answers as it is told to.
fn operator_at(aws: &Vendor) -> Operator {
    let credentials = Credentials::new("key", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new("eu-west-1"))
        .endpoint_url(aws.url())
        .build();
    let url = |queue: Queue| (queue.function().to_owned(), format!("{}/dead", aws.url()));
    let stage = Stage {
        name: "test".to_owned(),
        is_local: true,
        is_deployed: true,
        api_url: String::new(),
        table: "ledger".to_owned(),
        queues: BTreeMap::new(),
        dead_letters: Queue::ALL.map(url).into_iter().collect(),
        settings: None,
    };
    Operator::over(stage, &config)
}

/// The names of the calls that AWS was sent.
fn asked(aws: &Vendor) -> Vec<String> {
    let name = |call: &Request| call.headers["x-amz-target"].rsplit('.').next().unwrap().to_owned();
    aws.requests().iter().map(name).collect()
}

fn answer(body: &Value) -> Reply {
    reply(200).json(body)
}

fn nothing() -> Reply {
    answer(&json!({}))
}

/// A secret in SSM. To the table and the queues it says nothing.
fn holding(secret: &str) -> Reply {
    answer(&json!({"Parameter": {"Type": "SecureString", "Value": secret}}))
}

/// A command that dies in the middle leaves no change of which nobody knows whose it was; and who
/// repeats a call whose answer was lost is not told that somebody else was faster.
#[tokio::test]
async fn a_hand_on_a_gate_and_who_it_was_are_one_call() {
    let aws = Vendor::answering(&[cut(), nothing()]);
    let (operator, now) = (operator_at(&aws), Timestamp::UNIX_EPOCH);
    assert_eq!(operator.pause(Slack, &author(), now).await, Ok(()));
    assert_eq!(operator.resume(Slack, &author(), now).await, Ok(()));
    assert_eq!(asked(&aws), ["TransactWriteItems"; 3], "the first of them twice");
    let calls: Vec<Value> = aws.requests().iter().map(Request::json).collect();
    let token = |call: usize| calls[call]["ClientRequestToken"].as_str().unwrap();
    assert_eq!(token(0), token(1), "the same, said again");
    assert_ne!(token(1), token(2));
    for (call, what) in calls[1..].iter().zip(["paused", "resumed"]) {
        let parts = &call["TransactItems"];
        assert_eq!(parts[0]["Update"]["Key"]["sk"]["S"], "GATE", "{parts}");
        let kept = &parts[1]["Put"]["Item"];
        let kept = ["what", "changed_by", "detail"].map(|name| kept[name]["S"].as_str().unwrap());
        assert_eq!(kept, [what, "ana", "restored a backup"]);
    }
}

/// A key and a pepper together, as a file of secrets names them.
async fn rotated(operator: &Operator, pepper: &str) -> Result<(), Fault> {
    let secrets =
        &[(SecretName::SendgridApiKey, "SG.a.b".into()), (SecretName::Pepper, pepper.into())];
    operator.set_secrets(secrets, false, |_| {}).await
}

#[tokio::test]
async fn no_secret_is_written_beside_a_pepper_that_is_refused() {
    let [held, other] = ["v1", "v2"].map(|version| format!("{version}:{}", "ab".repeat(32)));
    let aws = Vendor::answering(&[holding(&held)]);
    let operator = operator_at(&aws);
    assert!(refusal(rotated(&operator, &other).await).contains("--replace-pepper"));
    assert_eq!(asked(&aws), ["GetParameter"], "it is looked at, and nothing is written");
    assert_eq!(rotated(&operator, &held).await, Ok(()), "the same again changes nothing");
    assert_eq!(asked(&aws)[1..], ["GetParameter", "PutParameter", "PutParameter"]);
}

#[tokio::test]
async fn where_ssm_fails_among_secrets_it_is_said_which_are_written() {
    let denied = reply(400).json(&json!({"__type": "AccessDeniedException"}));
    let aws = Vendor::answering(&[nothing(), denied]);
    let (operator, mut written) = (operator_at(&aws), Vec::new());
    let secrets = &[
        (SecretName::SendgridApiKey, "SG.a.b".into()),
        (SecretName::SgtmApiSecret, "abc".into()),
        (SecretName::MailerliteApiKey, "eyJ0".into()),
    ];
    let half = operator.set_secrets(secrets, false, |name| written.push(name)).await;
    let fault = refusal(half);
    for part in [
        "AWS says AccessDeniedException",
        "Written: SENDGRID_API_KEY.",
        "Not written, as far as is known: SGTM_API_SECRET, MAILERLITE_API_KEY.",
    ] {
        assert!(fault.contains(part), "{part}: {fault}");
    }
    assert_eq!(written, [SecretName::SendgridApiKey]);
    assert_eq!(asked(&aws), ["PutParameter"; 2], "what follows is not tried");
}

/// As the functions have it.
#[tokio::test]
async fn a_blank_secret_is_a_missing_one() {
    let now = Timestamp::UNIX_EPOCH;
    for (value, is_set) in [(" \n", false), ("abc", true)] {
        let aws = Vendor::answering(&[holding(value)]);
        let operator = operator_at(&aws);
        let secrets = operator.secrets().await.unwrap();
        assert!(secrets.iter().all(|secret| secret.is_set == is_set), "{value:?}: {secrets:?}");
        let slack = operator.standing(Slack, now).await.unwrap();
        assert_eq!(slack.off.is_none(), is_set, "{value:?}: {slack:?}");
    }
    let aws = Vendor::answering(&[holding(" ")]);
    let checks = operator_at(&aws).check_up(|| now).await;
    let slack = checks.iter().find(|check| check.check == "slack").unwrap();
    assert_eq!(slack.verdict, Verdict::Warn);
    assert!(slack.says.contains("SLACK_WEBHOOK_URL is not set"), "{slack:?}");
}

/// A message among the dead letters, as SQS hands it over.
fn letter(number: u32, body: &str) -> Value {
    json!({"MessageId": format!("m-{number}"), "ReceiptHandle": format!("h-{number}"), "Body": body})
}

/// SQS's answer to a batch of deletions, of which it does not carry out one.
fn without(deleted: &[&str], kept: &str) -> Reply {
    let deleted: Vec<Value> = deleted.iter().map(|id| json!({ "Id": id })).collect();
    let kept = json!({"Id": kept, "SenderFault": true, "Code": "ReceiptHandleIsInvalid"});
    answer(&json!({ "Successful": deleted, "Failed": [kept] }))
}

#[tokio::test]
async fn a_copy_that_sqs_keeps_is_not_counted_as_taken_away() {
    let copy = |number: u32| {
        let effect = Effect::stored(format!("payment_failed:ch_{number}"));
        let id = DeliveryId { event_id: event_id(), effect, destination: Slack };
        letter(number, &serde_json::to_string(&id).unwrap())
    };
    let length = answer(&json!({"Attributes": {"ApproximateNumberOfMessages": "2"}}));
    let both = answer(&json!({"Messages": [copy(1), copy(2)]}));
    // Nothing more, twice; both are shown again; and neither delivery is kept.
    let looked = [vec![length, both.clone()], vec![nothing(); 5]].concat();
    let aws = Vendor::answering(&[looked, vec![both, without(&["0"], "1")]].concat());
    let operator = operator_at(&aws);
    let strays = operator.strays(Some(Slack)).await.unwrap();
    assert_eq!(strays.len(), 2, "{strays:?}");
    assert_eq!(operator.drop_copies(&strays, Timestamp::MAX).await, Ok(1));
    assert_eq!(asked(&aws).last().unwrap(), "DeleteMessageBatch");
}

#[tokio::test]
async fn a_message_that_sqs_keeps_is_not_said_to_be_gone() {
    let length = answer(&json!({"Attributes": {"ApproximateNumberOfMessages": "1"}}));
    let one = answer(&json!({"Messages": [letter(1, "no delivery")]}));
    // Nothing more, twice; it is shown again; and three other queues are empty.
    let looked = [vec![length, one.clone()], vec![nothing(); 6]].concat();
    let aws = Vendor::answering(&[looked, vec![one, without(&[], "0")]].concat());
    let fault = refusal(operator_at(&aws).drop_stray("m-1").await);
    assert!(fault.contains("could not be taken away"), "{fault}");
    assert_eq!(asked(&aws).last().unwrap(), "DeleteMessageBatch");
}
