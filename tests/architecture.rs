//! The walls between the crates, and the agreement of template, functions and events.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|_| panic!("{path} is missing"))
}

pub(crate) fn folders(path: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(path)).unwrap();
    entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

/// Each crate of the workspace with the crates it names, tests' own left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let named =
                package["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"].is_null());
            let named =
                named.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect();
            (package["name"].as_str().unwrap().to_owned(), named)
        })
        .collect()
}

pub(crate) fn to_camel(folder: &str) -> String {
    folder
        .split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect::<String>())
                .unwrap_or_default()
        })
        .collect()
}

#[test]
fn architecture_the_words_and_decisions_do_no_io() {
    let domain = &dependencies()["domain"];
    for banned in
        ["tokio", "reqwest", "tracing", "lambda_runtime", "lambda_http", "futures-util", "fastrand"]
    {
        assert!(!domain.contains(banned), "domain names {banned}");
    }
    assert!(!domain.iter().any(|name| name.starts_with("aws-")), "{domain:?}");
    for file in walk(&root().join("shared/domain/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in ["std::env", "Timestamp::now", "SystemTime", "async fn", "Instant::now"] {
            assert!(!text.contains(word), "{} says {word}", file.display());
        }
    }
}

pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn architecture_only_one_crate_opens_the_door_to_the_internet_and_one_the_table() {
    for (name, named) in dependencies() {
        let laptop =
            ["sandbox", "xtask", "tests", "testkit", "simulation"].contains(&name.as_str());
        assert!(laptop || name == "outbound" || !named.contains("reqwest"), "{name} names reqwest");
        let aws = named
            .iter()
            .any(|dependency| dependency.starts_with("aws-sdk") || dependency == "aws-config");
        // `operator` signs in as a person does, not as a function, and reads queues and parameters.
        let hands = ["ledger", "lambda", "operator"].contains(&name.as_str());
        assert!(laptop || hands || !aws, "{name} names AWS's SDK");
    }
}

#[test]
fn architecture_dispatcher_and_sweeper_cannot_call_a_vendor() {
    let dependencies = dependencies();
    for function in ["dispatcher", "sweeper", "lead-capture", "consent-capture", "stripe-webhook"] {
        assert!(!dependencies[function].contains("outbound"), "{function} names outbound");
    }
}

#[test]
fn architecture_what_stripe_tells_becomes_a_fact_in_one_place() {
    let dependencies = dependencies();
    for function in ["stripe-webhook", "reconciler"] {
        assert!(dependencies[function].contains("payments"), "{function} has a door of its own");
        for file in walk(&root().join("functions").join(function)) {
            let text = std::fs::read_to_string(&file).unwrap();
            for word in ["domain::fact", "Fact {", "Happening", ".told()"] {
                assert!(!text.contains(word), "{} says {word}", file.display());
            }
        }
    }
}

#[test]
fn architecture_no_function_has_the_operators_hands() {
    let dependencies = dependencies();
    for function in folders("functions") {
        assert!(!dependencies[&function].contains("operator"), "{function} names operator");
    }
    let named = |name: &str| dependencies[name].iter().any(|d| d.starts_with("aws-"));
    assert!(!named("cli"), "the command asks and prints; what is done is in `operator`");
    for file in
        walk(&root().join("functions")).into_iter().chain(walk(&root().join("shared/dispatch")))
    {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(!text.contains("scan_facts"), "{} reads through the table", file.display());
    }
}

#[test]
fn architecture_template_functions_and_events_agree() {
    let template = read("template.yaml");
    for function in folders("functions") {
        let resource = format!("\n  {}:\n    Type: AWS::Serverless::Function", to_camel(&function));
        assert!(template.contains(&resource), "template.yaml has no {}", to_camel(&function));
        assert!(
            template.contains(&format!("CodeUri: target/lambda/{function}/bootstrap.zip")),
            "{function} has no CodeUri"
        );
        assert!(
            template.contains(&format!("\n  {}Role:", to_camel(&function))),
            "{function} has no role of its own"
        );
        let samples = walk(&root().join("events").join(&function));
        assert!(!samples.is_empty(), "events/{function} holds no sample");
        for sample in samples {
            let text = std::fs::read_to_string(&sample).unwrap();
            assert!(
                serde_json::from_str::<Value>(&text).is_ok(),
                "{} is not JSON",
                sample.display()
            );
        }
    }
    let declared = template.matches("Type: AWS::Serverless::Function").count();
    assert_eq!(
        declared,
        folders("functions").len(),
        "the template declares functions that have no folder"
    );
}

#[test]
fn architecture_timeouts_leases_and_visibility_are_in_order() {
    let template = read("template.yaml");
    let lease = 60;
    assert_eq!(template.matches(&format!("LEASE_SECONDS: \"{lease}\"")).count(), 4);
    assert_eq!(
        template.matches("Timeout: 30").count(),
        4,
        "consumers stop before their lease is over"
    );
    assert_eq!(
        template.matches("VisibilityTimeout: 180").count(),
        4,
        "six times the function's timeout"
    );
    assert_eq!(template.matches("[ReportBatchItemFailures]").count(), 4);
    assert!(template.contains("FACT#"), "the stream's filter names what the ledger writes");
    assert_eq!(ledger::fact_key_prefix(), "FACT#");
}

/// The sources of a folder, each with its place.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let files = walk(&root().join(folder)).into_iter();
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.map(|file| (file.clone(), std::fs::read_to_string(file).unwrap())).collect()
}

#[test]
fn architecture_no_log_line_is_given_how_to_reach_somebody() {
    let personal = ["ip", "email", "phone", "full_name", "contact", "expose", "expose_secret"];
    let levels = ["trace!", "debug!", "info!", "warn!", "error!"];
    let mut seen = 0;
    for (file, text) in [sources("functions"), sources("shared")].concat() {
        let events = text.split("tracing::").skip(1);
        for event in events.filter(|rest| levels.iter().any(|level| rest.starts_with(level))) {
            seen += 1;
            // Fields and not sentences: every other piece is between quotes.
            let event = event.split(");\n").next().unwrap();
            let fields: String = event.split('"').step_by(2).collect();
            let mut words = fields.split(|c: char| !c.is_alphanumeric() && c != '_');
            let found = words.find(|word| personal.contains(word));
            assert!(found.is_none(), "{} logs {found:?}: {event}", file.display());
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn architecture_whoever_calls_a_vendor_with_a_secret_reads_it_again_when_it_is_refused() {
    let mut seen = 0;
    for (file, text) in sources("functions") {
        let calls = text.contains("outbound::Call {") && text.contains("lambda::secret::Secret;");
        if calls && file.file_name().is_none_or(|name| name != "tests.rs") {
            assert!(text.contains(".refused().await"), "{} keeps an old key", file.display());
            seen += 1;
        }
    }
    assert_eq!(seen, 5, "every vendor but Stripe");
}

#[test]
fn architecture_no_sample_names_a_real_person() {
    let allowed = ["ana.silva", "bilhetes", "example"];
    for sample in walk(&root().join("events")) {
        let text = std::fs::read_to_string(&sample).unwrap();
        for (at, _) in text.match_indices('@') {
            let local: String = text[..at]
                .chars()
                .rev()
                .take_while(|c| c.is_ascii_alphanumeric() || "._+-".contains(*c))
                .collect();
            let local: String = local.chars().rev().collect();
            let domain = &text[at + 1..];
            assert!(
                domain.starts_with("example.")
                    && allowed.iter().any(|name| local.starts_with(name)),
                "{} names {local}@",
                sample.display()
            );
        }
    }
}

#[test]
fn architecture_every_file_says_what_it_is() {
    for folder in [
        "functions",
        "shared",
        "cli",
        "sandbox",
        "xtask",
        "simulation",
        "bench/src",
        "bench/limit",
        "tests",
    ] {
        for file in walk(&root().join(folder)) {
            if file.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&file).unwrap();
                assert!(
                    text.starts_with("//!"),
                    "{} does not open with its //! line",
                    file.display()
                );
            }
        }
    }
}

/// A patch that no longer applies shows nothing: the long run would say so weeks later.
#[test]
fn every_planted_mistake_can_still_be_planted() {
    let planted = std::fs::read_dir(root().join("simulation/planted")).unwrap();
    for patch in planted.map(|entry| entry.unwrap().path()) {
        let mut apply = Command::new("git");
        let tried = apply.args(["apply", "--check"]).arg(&patch).current_dir(root()).output();
        let tried = tried.unwrap();
        let why = String::from_utf8_lossy(&tried.stderr);
        assert!(tried.status.success(), "{}: {why}", patch.display());
    }
}
