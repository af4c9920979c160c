//! The template as a text: what no emulator plays is held here, line by line.

use crate::architecture::{folders, read, root, to_camel, walk};
use serde_json::Value;
use std::collections::BTreeSet;

/// The template's lines without their comments, numbered from 1.
fn lines(template: &str) -> impl Iterator<Item = (usize, &str)> {
    template.lines().enumerate().map(|(at, line)| (at + 1, line))
}

/// What comes before a comment.
fn code(line: &str) -> &str {
    if line.trim_start().starts_with('#') { "" } else { line.split(" #").next().unwrap_or(line) }
}

/// The resources (or parameters) of a section, each with its own lines.
fn blocks<'a>(template: &'a str, section: &str) -> Vec<(&'a str, String)> {
    let inside = template.split_once(&format!("\n{section}:\n")).expect("the section is there").1;
    let mut blocks: Vec<(&str, String)> = Vec::new();
    for line in inside.lines() {
        let depth = line.len() - line.trim_start().len();
        match (depth, code(line).trim_end().strip_suffix(':')) {
            (0, _) if !code(line).trim().is_empty() => break,
            (2, Some(name)) => blocks.push((name.trim(), String::new())),
            _ => {}
        }
        if let Some((_, text)) = blocks.last_mut() {
            text.push_str(code(line));
            text.push('\n');
        }
    }
    blocks
}

#[test]
fn architecture_every_wildcard_of_a_policy_says_why_it_is_there() {
    let template = read("template.yaml");
    let mut seen = 0;
    for (number, line) in lines(&template) {
        let code = code(line).trim().trim_start_matches("- ");
        let of_a_policy = ["Action:", "Resource:", "!Sub arn:", "arn:"];
        if !of_a_policy.iter().any(|start| code.starts_with(start)) || !code.contains('*') {
            continue;
        }
        seen += 1;
        let reason = line.split(" # ").nth(1).unwrap_or_default();
        assert!(reason.len() > 8, "template.yaml:{number} has a `*` and no reason: {line}");
    }
    assert!(seen > 10, "the policies are looked at: {seen}");
}

#[test]
fn architecture_every_function_has_a_role_and_a_log_group_of_its_own() {
    let template = read("template.yaml");
    let mut roles = BTreeSet::new();
    for function in folders("functions") {
        let camel = to_camel(&function);
        let role = format!("      Role: !GetAtt {camel}Role.Arn\n");
        assert_eq!(template.matches(&role).count(), 1, "{function}");
        let group = format!("/aws/lambda/throughline-${{Stage}}-{function}:*");
        assert_eq!(template.matches(&group).count(), 1, "{function} writes to its own log alone");
        roles.insert(role);
    }
    assert_eq!(template.matches("Role: !GetAtt").count(), roles.len());
    assert!(!template.contains("ManagedPolicyArns"), "a managed policy grants what we do not read");
    for forbidden in ["logs:CreateLogGroup", "dynamodb:Scan", "dynamodb:DeleteItem", "iam:", "kms:"]
    {
        assert!(!code_of(&template).contains(forbidden), "{forbidden}");
    }
}

fn code_of(template: &str) -> String {
    template.lines().map(code).collect::<Vec<_>>().join("\n")
}

#[test]
fn architecture_all_that_is_kept_is_encrypted_and_ends() {
    let template = read("template.yaml");
    let resources = blocks(&template, "Resources");
    let of = |kind: &str| {
        let wanted = format!("Type: {kind}\n");
        resources.iter().filter(move |(_, text)| text.contains(&wanted)).collect::<Vec<_>>()
    };
    assert_eq!(of("AWS::DynamoDB::Table").len(), 1, "one table");
    for (name, text) in of("AWS::DynamoDB::Table") {
        for wanted in [
            "SSESpecification: {SSEEnabled: true}",
            "PointInTimeRecoveryEnabled: true",
            "TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}",
            "DeletionProtectionEnabled: !If [IsProd, true, false]",
        ] {
            assert!(text.contains(wanted), "{name}: {wanted}");
        }
    }
    assert_eq!(of("AWS::SQS::Queue").len(), 9);
    let refusal = resources.iter().find(|(name, _)| *name == "QueuesOverTlsOnly").unwrap();
    for (name, text) in of("AWS::SQS::Queue") {
        assert!(text.contains("SqsManagedSseEnabled: true"), "{name} is not encrypted");
        assert!(text.contains("MessageRetentionPeriod: 1209600"), "{name} keeps for 14 days");
        assert!(refusal.1.contains(&format!("- !Ref {name}\n")), "{name} answers plain HTTP");
    }
    for (name, text) in of("AWS::Logs::LogGroup") {
        assert!(text.contains("RetentionInDays: !Ref LogRetentionDays"), "{name} is kept for ever");
    }
    assert!(of("AWS::S3::Bucket").is_empty(), "there is no bucket that could be public");
}

#[test]
fn architecture_the_access_log_names_nobody() {
    let template = read("template.yaml");
    let format = template.split_once("Format: >-\n").expect("there is a format").1;
    let format: Vec<&str> =
        format.lines().map(str::trim).take_while(|l| !l.starts_with("- ")).collect();
    let format: Value = serde_json::from_str(&format.join(" ")).expect("a line is JSON");
    // An address, a path, a query, a user agent or a message may hold a person; these cannot.
    let harmless = [
        "$context.requestId",
        "$context.extendedRequestId",
        "$context.requestTimeEpoch",
        "$context.httpMethod",
        "$context.resourcePath",
        "$context.status",
        "$context.responseLatency",
        "$context.integrationLatency",
        "$context.responseLength",
        "$context.error.responseType",
        "$context.wafResponseCode",
    ];
    for (name, variable) in format.as_object().unwrap() {
        assert!(harmless.contains(&variable.as_str().unwrap()), "{name}: {variable}");
    }
    let code = code_of(&template);
    assert_eq!(code.matches("DataTraceEnabled: false").count(), 2, "no bodies in any log");
    assert_eq!(code.matches("LoggingLevel: \"OFF\"").count(), 2, "no headers in any log");
    assert!(!code.contains("SampledRequestsEnabled: true"), "the firewall keeps no samples");
}

#[test]
fn architecture_every_parameter_is_explained_offered_and_used() {
    let template = read("template.yaml");
    let (interface, rest) = template.split_once("\nConditions:\n").unwrap();
    let groups = interface.split_once("\nMetadata:\n").unwrap().1;
    let parameters = blocks(&template, "Parameters");
    for (name, text) in &parameters {
        let description = text.split_once("Description: ").map_or("", |(_, rest)| rest.trim());
        assert!(description.len() > 20, "{name} is not explained");
        let offered = groups.split([',', '[', ']', '\n', '-']).any(|word| word.trim() == *name);
        assert!(offered, "{name} is in no group");
        let uses = [format!("!Ref {name}"), format!("${{{name}}}")];
        assert!(uses.iter().any(|used| rest.contains(used)), "{name} is used nowhere");
    }
    let known: BTreeSet<&str> = parameters.iter().map(|(name, _)| *name).collect();
    for line in read("samconfig.toml").lines().map(str::trim) {
        let parameter = line.strip_prefix('"').and_then(|rest| rest.split_once('='));
        if let Some((name, _)) = parameter {
            assert!(known.contains(name), "samconfig.toml sets {name}, which is no parameter");
        }
    }
}

/// The dimensions of each event in the code that counts something, beside the function's name.
fn dimensions_told(code: &str, metric: &str) -> Vec<String> {
    let mut told = Vec::new();
    for unit in ["Count", "Seconds"] {
        for event in code.split(&format!("{metric}:{unit}")).skip(1) {
            let event = event.split(");").next().unwrap();
            let named = event.split_once("dimensions = \"").map(|(_, rest)| rest);
            told.push(named.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned());
        }
    }
    told
}

#[test]
fn architecture_every_alarm_says_what_to_do_and_tells_somebody() {
    let template = read("template.yaml");
    let declared = template.matches("Type: AWS::CloudWatch::Alarm\n").count();
    assert!(declared > 10, "{declared}");
    for wanted in
        ["AlarmDescription: >-", "TreatMissingData: notBreaching", "AlarmActions: [!Ref Alarms]"]
    {
        assert_eq!(template.matches(wanted).count(), declared, "{wanted}");
    }
    let code: String = ["functions", "shared"]
        .iter()
        .flat_map(|folder| walk(&root().join(folder)))
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let alarms = template.split("Type: AWS::CloudWatch::Alarm\n").skip(1);
    let ours = alarms.filter(|alarm| {
        alarm.split("TreatMissingData").next().unwrap().contains("Namespace: Throughline\n")
    });
    let mut seen = 0;
    for alarm in ours {
        let alarm = alarm.split("TreatMissingData").next().unwrap();
        let name = alarm.split_once("MetricName: ").unwrap().1.lines().next().unwrap();
        let told = dimensions_told(&code, name);
        assert!(!told.is_empty(), "no code counts {name}");
        let dimensions = alarm.split("{Name: ").skip(1).map(|one| one.split(',').next().unwrap());
        let dimensions: Vec<&str> = dimensions.collect();
        let (function, beside) = dimensions.split_first().unwrap();
        assert_eq!(*function, "function_name", "{name}");
        assert!(told.contains(&beside.join(",")), "{name} is counted by {told:?}, not {beside:?}");
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
    for reason in [
        "wrong-mode",
        "signature-mismatch",
        "signature-missing",
        "signature-malformed",
        "signature-stale",
        "signature-no-known-scheme",
    ] {
        assert!(code.contains(&format!("\"{reason}\"")), "no code refuses a webhook as {reason}");
        assert!(template.contains(reason), "nobody is told of {reason}");
    }
}

#[test]
fn architecture_no_secret_is_in_a_file() {
    let keys = ["sk_live_", "rk_live_", "xoxb-", "AKIA", "-----BEGIN", "pat-na1-", "pat-eu1-"];
    let mut files = vec![root().join("template.yaml"), root().join("samconfig.toml")];
    files.extend([root().join(".env.example"), root().join("README.md")]);
    for folder in ["config", "docs", "events", "web/snippet", "web/page", "web/tests"] {
        files.extend(walk(&root().join(folder)));
    }
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for key in keys {
            assert!(!text.contains(key), "{} holds {key}", file.display());
        }
    }
    let template = read("template.yaml");
    for word in ["SECRET_KEY:", "API_KEY:", "TOKEN:", "WEBHOOK_SECRET:", "WEBHOOK_URL:", "PEPPER:"]
    {
        assert!(!code_of(&template).contains(word), "{word} is in a function's environment");
    }
}
