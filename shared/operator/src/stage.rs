//! Which stage is worked on: the local one, as its file describes it, or a deployed one, as it
//! describes itself under `/throughline/<stage>/STACK`.

use crate::Fault;
use crate::parameter;
use domain::destination::Destination;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a stage is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// On this machine: the file that `cargo xtask up` writes.
    Local(PathBuf),
    /// In AWS, by its name.
    Deployed {
        /// The stage: `dev`, `staging`, `prod`.
        stage: String,
        /// The profile in `~/.aws`; otherwise as the AWS tools find one.
        profile: Option<String>,
        /// The region; otherwise as the AWS tools find one.
        region: Option<String>,
    },
}

/// A stage, found.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Whether it runs on this machine.
    pub is_local: bool,
    /// Whether it is there yet, and not only some of its parameters.
    pub is_deployed: bool,
    /// The base address of its HTTP API.
    pub api_url: String,
    /// Its table.
    pub table: String,
    /// Function → its queue's address.
    pub queues: BTreeMap<String, String>,
    /// Function → the address of its dead letters.
    pub dead_letters: BTreeMap<String, String>,
    /// What it is told by its template's parameters, as far as an operator must know.
    pub settings: Option<Settings>,
}

/// Parameters of the template, as the stage states them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The destinations that are switched on, separated by commas.
    pub destinations: String,
    /// `true` where live events are taken.
    pub stripe_livemode: String,
    /// Where tagging goes.
    pub sgtm_endpoint: String,
    /// As which property.
    pub sgtm_measurement_id: String,
    /// Whom buyers get their e-mail from.
    pub sendgrid_from_email: String,
    /// `true` where queues refuse plain HTTP.
    pub require_tls: String,
    /// `true` where somebody is told of alarms.
    pub alarms_are_sent: String,
    /// Origins whose pages may call the API.
    pub allowed_origins: String,
    /// Deliveries a minute by destination, where they are not the vendor's published limit.
    pub calls_per_minute: String,
}

impl Settings {
    /// Whether a destination is switched on.
    #[must_use]
    pub fn routes_to(&self, destination: Destination) -> bool {
        self.destinations.split(',').any(|name| name.trim() == destination.name())
    }

    /// Deliveries a minute to a destination; 0 for any number.
    #[must_use]
    pub fn calls_per_minute(&self, destination: Destination) -> u32 {
        let named = self.calls_per_minute.split(',').filter_map(|part| part.split_once('='));
        let mut ours = named.filter(|(name, _)| name.trim() == destination.name());
        let number = ours.next().and_then(|(_, number)| number.trim().parse().ok());
        number.unwrap_or_else(|| destination.calls_per_minute())
    }
}

/// How the local stack is described.
#[derive(Debug, Deserialize)]
pub(crate) struct Description {
    pub(crate) aws_endpoint: String,
    pub(crate) region: String,
    api_url: String,
    stack_name: String,
    table_name: String,
    queues: BTreeMap<String, String>,
    dead_letters: BTreeMap<String, String>,
}

/// How a deployed stage describes itself.
#[derive(Debug, Deserialize)]
struct Stack {
    api_url: String,
    table: String,
    queues: BTreeMap<String, String>,
    dead_letters: BTreeMap<String, String>,
    #[serde(default)]
    settings: Settings,
}

/// The parameter in which a stage describes itself.
const STACK: &str = "STACK";

impl Description {
    pub(crate) fn read(file: &Path) -> Result<Self, Fault> {
        let shown = file.display();
        let text = std::fs::read_to_string(file).map_err(|_| {
            Fault::refused(format!(
                "no local stack is described in {shown}: start one with `cargo xtask up`, or name a \
                 deployed stage with --stage"
            ))
        })?;
        serde_json::from_str(&text).map_err(|_| {
            Fault::refused(format!(
                "{shown} describes no stack: start it again with `cargo xtask up`"
            ))
        })
    }

    /// `throughline-local` → `local`.
    fn stage(&self) -> &str {
        self.stack_name.strip_prefix("throughline-").unwrap_or(&self.stack_name)
    }
}

impl Stage {
    pub(crate) async fn find(
        whereabouts: &Whereabouts,
        ssm: &aws_sdk_ssm::Client,
    ) -> Result<Self, Fault> {
        match whereabouts {
            Whereabouts::Local(file) => {
                let local = Description::read(file)?;
                let said = parameter::read(ssm, &path(local.stage(), STACK)).await?;
                let stack = said.and_then(|text| serde_json::from_str::<Stack>(&text).ok());
                Ok(Self {
                    name: local.stage().to_owned(),
                    is_local: true,
                    is_deployed: true,
                    api_url: local.api_url,
                    table: local.table_name,
                    queues: local.queues,
                    dead_letters: local.dead_letters,
                    settings: stack.map(|stack| stack.settings),
                })
            }
            Whereabouts::Deployed { stage, .. } => {
                let path = path(stage, STACK);
                let said = parameter::read(ssm, &path).await?.ok_or_else(|| {
                    Fault::refused(format!(
                        "there is no stage {stage} here: SSM holds no {path}; check --stage, --profile \
                         and --region, or deploy the stage once more"
                    ))
                })?;
                let stack: Stack = serde_json::from_str(&said).map_err(|_| {
                    Fault::refused(format!("{path} has another shape: deploy the stage once more"))
                })?;
                Ok(Self {
                    name: stage.clone(),
                    is_local: false,
                    is_deployed: true,
                    api_url: stack.api_url,
                    table: stack.table,
                    queues: stack.queues,
                    dead_letters: stack.dead_letters,
                    settings: Some(stack.settings),
                })
            }
        }
    }

    /// A stage that may not be deployed yet: it has a name, and parameters under that name.
    pub(crate) async fn prepare(
        whereabouts: &Whereabouts,
        ssm: &aws_sdk_ssm::Client,
    ) -> Result<Self, Fault> {
        if let Whereabouts::Deployed { stage, .. } = whereabouts
            && parameter::read(ssm, &path(stage, STACK)).await?.is_none()
        {
            return Ok(Self {
                name: stage.clone(),
                is_local: false,
                is_deployed: false,
                api_url: String::new(),
                table: format!("throughline-{stage}"),
                queues: BTreeMap::new(),
                dead_letters: BTreeMap::new(),
                settings: None,
            });
        }
        Self::find(whereabouts, ssm).await
    }

    /// The whole name of one of the stage's parameters.
    #[must_use]
    pub fn parameter(&self, name: &str) -> String {
        path(&self.name, name)
    }
}

fn path(stage: &str, name: &str) -> String {
    format!("/throughline/{stage}/{name}")
}

#[cfg(test)]
mod tests {
    use super::{Description, Settings};
    use domain::destination::Destination;

    #[test]
    fn a_missing_stack_says_how_to_start_one() {
        let fault = Description::read("nowhere/stack.json".as_ref()).unwrap_err().to_string();
        assert!(fault.contains("cargo xtask up") && fault.contains("--stage"), "{fault}");
    }

    #[test]
    fn a_destination_is_on_by_its_whole_name() {
        let settings = Settings { destinations: "hubspot, slack".into(), ..Settings::default() };
        assert!(settings.routes_to(Destination::Slack) && !settings.routes_to(Destination::Sgtm));
    }

    #[test]
    fn a_limit_is_the_vendors_unless_the_stage_says_otherwise() {
        let settings =
            Settings { calls_per_minute: "slack=30,sgtm=0".into(), ..Settings::default() };
        assert_eq!(settings.calls_per_minute(Destination::Slack), 30);
        assert_eq!(settings.calls_per_minute(Destination::Mailerlite), 120);
    }
}
