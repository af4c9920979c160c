//! What a function leaves behind when it fails: its output and what it tells Lambda, searched for
//! what came in. The function is this very program, run again with a Runtime API of the test's own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and says where")]

use domain::contact::EmailAddress;
use lambda::http::{Incoming, Problem, Reply, Route};
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::Command;
use testkit::vendor::{Request, Vendor, cut, reply};

const EMAIL: &str = "canario.amarelo@example.pt";
/// What must be nowhere, in pieces: a text that was cut or filtered is found too.
const MARKS: [&str; 3] = ["canario", "amarelo", "912345678"];

/// An event as a function of ours might take it.
#[derive(Debug, Deserialize)]
struct Event {
    email: EmailAddress,
    #[serde(default)]
    panics: bool,
}

/// A run of a function: what it was told to do, and what it left behind.
struct Traces {
    output: String,
    reports: Vec<Request>,
}

/// Runs one of the functions below over some events, as Lambda does, until there are no more.
fn traces_of(function: &str, events: &[Value]) -> Traces {
    let mut replies = Vec::new();
    for (number, event) in events.iter().enumerate() {
        replies.push(
            reply(200)
                .header("lambda-runtime-aws-request-id", &format!("request-{number}"))
                .header("lambda-runtime-deadline-ms", "4102444800000")
                .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:local:0:function:f")
                .json(event),
        );
        replies.push(reply(202));
    }
    replies.push(cut());
    let runtime = Vendor::answering(&replies);
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", function, "--nocapture", "--test-threads", "1"])
        .env("AWS_LAMBDA_RUNTIME_API", runtime.url().trim_start_matches("http://"))
        .envs([
            ("AWS_LAMBDA_FUNCTION_NAME", "throughline-dev-clumsy"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "-"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "-"),
            ("RUST_LOG", "trace"),
            ("RUST_BACKTRACE", "1"),
        ])
        .output()
        .unwrap();
    let output = [run.stdout, run.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    let reports = runtime.requests().into_iter().filter(|request| request.method == "POST");
    Traces { output: output.concat(), reports: reports.collect() }
}

impl Traces {
    /// Sees that every event was answered, and that nothing of them is left.
    fn hold_nothing_of(&self, events: &[Value]) {
        assert_eq!(self.reports.len(), events.len(), "{}", self.output);
        let reports: String = self.reports.iter().map(Request::shown).collect();
        for (place, text) in [("the output", &self.output), ("a report to Lambda", &reports)] {
            let lower = text.to_lowercase();
            for mark in MARKS {
                assert!(!lower.contains(mark), "{place} holds {mark}:\n{text}");
            }
        }
    }
}

/// The functions run only where the test's Runtime API is: as tests they do nothing.
fn is_a_function() -> bool {
    std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some()
}

#[tokio::test]
async fn a_function_of_a_queue() {
    if is_a_function() {
        lambda::start("clumsy");
        // Its Runtime API breaks off when the events are over.
        lambda::serve(move |event: Event| async move {
            assert!(!event.panics, "{} cannot be helped", event.email.expose());
            Ok::<_, lambda::Error>(Value::Null)
        })
        .await
        .unwrap_err();
    }
}

#[tokio::test]
async fn a_function_of_a_page() {
    if is_a_function() {
        lambda::start("clumsy");
        let route = Route { name: "/clumsy", accepts: &[], origins: None };
        let handle = async |request: Incoming| -> Result<Reply, Problem> {
            panic!("{} cannot be helped", String::from_utf8_lossy(&request.body))
        };
        lambda::http::serve(route, move |request| Box::pin(handle(request))).await.unwrap_err();
    }
}

#[test]
fn a_panic_and_an_event_of_the_wrong_kind_leave_no_trace_of_the_person() {
    let events = [
        json!({"email": EMAIL, "panics": true}),
        json!({"email": [EMAIL, "912345678"]}),
        json!({"email": "canario amarelo, 912345678"}),
        json!({"email": EMAIL, "panics": "912345678"}),
        json!("canario.amarelo@example.pt"),
        json!([{"canario": "amarelo"}]),
    ];
    let traces = traces_of("a_function_of_a_queue", &events);
    traces.hold_nothing_of(&events);
    assert!(traces.output.contains("a handler panicked"), "{}", traces.output);
    assert!(traces.output.contains("tests/traces.rs:"), "the panic's place: {}", traces.output);
    for report in &traces.reports {
        assert!(report.target.ends_with("/error"), "{}", report.shown());
    }
}

#[test]
fn a_line_bears_the_name_of_the_deployed_function_which_the_alarms_look_at() {
    let output =
        traces_of("a_function_of_a_queue", &[json!({"email": EMAIL, "panics": true})]).output;
    let named = [r#""service":"clumsy""#, r#""function_name":"throughline-dev-clumsy""#];
    assert!(named.iter().all(|name| output.contains(name)), "{output}");
}

#[test]
fn a_panic_behind_a_page_is_a_problem_and_leaves_no_trace_of_the_person() {
    let request = |method: &str, path: &str, body: &str| {
        json!({"resource": "/clumsy", "path": path, "httpMethod": method, "body": body,
            "headers": {"content-type": "application/json", "referer": format!("https://example.pt/?e={EMAIL}")},
            "multiValueHeaders": {"x-canario": ["amarelo\n"]},
            "queryStringParameters": {"email": EMAIL}, "multiValueQueryStringParameters": {"email": [EMAIL]},
            "requestContext": {"httpMethod": method, "path": path, "stage": "live", "requestId": "r", "identity": {"sourceIp": "192.0.2.1"}},
            "isBase64Encoded": false})
    };
    let body = json!({"email": EMAIL, "phone": "+351 912345678"}).to_string();
    let mut undecodable = request("POST", "/clumsy", "canario, not base64 at all: é");
    undecodable["isBase64Encoded"] = true.into();
    let events = [
        request("POST", "/clumsy", &body),
        request("POST", "/clumsy/canario amarelo\u{7f}/é", &body),
        request("CANARIO AMARELO", "/clumsy", &body),
        undecodable,
        json!({"canario": EMAIL}),
        json!(EMAIL),
    ];
    let traces = traces_of("a_function_of_a_page", &events);
    traces.hold_nothing_of(&events);
    let first = traces.reports[0].json();
    assert_eq!(first["statusCode"], 500, "{first}");
    assert!(traces.output.contains("a handler panicked"), "{}", traces.output);
}
