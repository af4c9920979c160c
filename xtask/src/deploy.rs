//! The real template, deployed into the local AWS by the real SAM CLI.

use crate::aws::{KEY, REGION, Service, call};
use crate::daemon::last_lines;
use crate::place::{Place, repository, shown};
use crate::settings::{Settings, Values};
use crate::tools::Tool;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

/// The stack's name.
pub(crate) const STACK: &str = "throughline-local";
const SECRETS_PREFIX: &str = "/throughline/local";

/// Puts the secrets and the sample catalogue where the functions look for them at their start.
pub(crate) async fn put_secrets(endpoint: &str, secrets: &Values) -> Result<((), String)> {
    for (name, value) in secrets {
        put_parameter(endpoint, name, "SecureString", value).await?;
    }
    let catalogue = std::fs::read_to_string(repository().join("config/catalogue.sample.json"))
        .context("cannot read config/catalogue.sample.json")?;
    put_parameter(endpoint, "CATALOGUE", "String", &catalogue).await?;
    Ok(((), format!("{} secrets and the catalogue under {SECRETS_PREFIX}", secrets.len())))
}

async fn put_parameter(endpoint: &str, name: &str, kind: &str, value: &str) -> Result<()> {
    let name = format!("{SECRETS_PREFIX}/{name}");
    let input = json!({ "Name": name, "Type": kind, "Value": value, "Overwrite": true });
    call(endpoint, Service::Ssm, "PutParameter", &input).await?;
    Ok(())
}

/// Deploys, and answers with the stack's outputs.
pub(crate) async fn deploy(
    place: &Place,
    endpoint: &str,
    settings: &Settings,
) -> Result<(Values, String)> {
    let said = sam(&["deploy", "--stack-name", STACK, "--resolve-s3", "--output", "json"])
        .args(["--language-extensions", "--no-progressbar", "--no-confirm-changeset"])
        .args(["--config-env", "laptop"])
        .args(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
        .arg("--parameter-overrides")
        .args(settings.parameters.iter().map(|(name, value)| format!("{name}=\"{value}\"")))
        .env("AWS_ENDPOINT_URL", endpoint)
        .output()
        .await
        .context("the SAM CLI cannot be started")?;
    let (report, complaints) =
        (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    let log = place.log("deploy")?;
    std::fs::write(&log, format!("{report}\n{complaints}"))?;
    ensure!(
        said.status.success(),
        "sam deploy failed (all of it is in {}):\n{}",
        shown(&log),
        last_lines(&complaints)
    );
    let outputs = outputs(&report).context("sam deploy named no outputs")?;
    expire_items(endpoint, outputs.get("TableName").context("the stack names no table")?).await?;
    Ok((outputs, STACK.into()))
}

/// The SAM CLI, told of nobody's AWS account.
pub(crate) fn sam(arguments: &[&str]) -> Command {
    let mut sam = Command::new(Tool::Sam.program("sam"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            sam.env_remove(&name);
        }
    }
    sam.args(arguments)
        .current_dir(repository())
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", KEY)
        .env("SAM_CLI_TELEMETRY", "0")
        .env("SAM_CLI_POLL_DELAY", "0.2")
        .kill_on_drop(true);
    sam
}

/// The outputs among the CLI's lines of JSON.
fn outputs(report: &str) -> Option<Values> {
    let line = report
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["type"] == "outputs")?;
    let pairs = line["stack_outputs"].as_array()?.iter().filter_map(|output| {
        Some((output["key"].as_str()?.to_owned(), output["value"].as_str()?.to_owned()))
    });
    Some(pairs.collect())
}

/// The engine reads past the template's TTL.
async fn expire_items(endpoint: &str, table: &str) -> Result<()> {
    let rule = json!({ "Enabled": true, "AttributeName": "expires_at" });
    let input = json!({ "TableName": table, "TimeToLiveSpecification": rule });
    call(endpoint, Service::DynamoDb, "UpdateTimeToLive", &input).await?;
    Ok(())
}
