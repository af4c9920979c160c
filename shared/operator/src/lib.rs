//! What a person may see and mend in a stage, local or deployed. A command asks and prints what is
//! done here; a console will. Every answer can be serialised, and none holds a visitor's own words.
//!
//! Time and the operator's name come in as arguments; what a person is asked for never does.

mod author;
mod aws;
mod catalogue;
mod dead;
mod destinations;
mod doctor;
mod fault;
mod letters;
mod pace;
mod parameter;
mod replay;
mod secrets;
mod stage;
mod story;
mod trial;
mod wanted;

pub use author::Author;
pub use dead::{Dead, Filter, Outcome, Remedy};
pub use destinations::{Backlog, Standing};
pub use doctor::{Check, Verdict};
pub use fault::Fault;
pub use letters::Stray;
pub use pace::Pace;
pub use replay::{Asked, Fill, Intent, ReplayOutcome, ReplayPlan};
pub use secrets::{Secret, SecretName};
pub use stage::{Settings, Stage, Whereabouts};
pub use story::{Amount, Line, Story};
pub use wanted::Wanted;

use ledger::Ledger;

/// The way into one stage.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Which stage it is.
    pub stage: Stage,
    ledger: Ledger,
    sqs: aws_sdk_sqs::Client,
    ssm: aws_sdk_ssm::Client,
    sts: aws_sdk_sts::Client,
}

impl Operator {
    /// Opens the way into a stage.
    ///
    /// # Errors
    /// Says where nothing is found, and what to do about it.
    pub async fn open(whereabouts: &Whereabouts) -> Result<Self, Fault> {
        let config = aws::config(whereabouts).await?;
        let ssm = aws_sdk_ssm::Client::new(&config);
        let stage = Stage::find(whereabouts, &ssm).await?;
        Ok(Self::of(stage, ssm, &config))
    }

    /// Opens the way to a stage's parameters, which may be set before it is deployed.
    ///
    /// # Errors
    /// [`Fault`] where AWS cannot be reached, or the local stack is not there.
    pub async fn prepare(whereabouts: &Whereabouts) -> Result<Self, Fault> {
        let config = aws::config(whereabouts).await?;
        let ssm = aws_sdk_ssm::Client::new(&config);
        let stage = Stage::prepare(whereabouts, &ssm).await?;
        Ok(Self::of(stage, ssm, &config))
    }

    /// Goes the way that a configuration says, to a stage that is known already.
    #[must_use]
    pub fn over(stage: Stage, config: &aws_config::SdkConfig) -> Self {
        Self::of(stage, aws_sdk_ssm::Client::new(config), config)
    }

    fn of(stage: Stage, ssm: aws_sdk_ssm::Client, config: &aws_config::SdkConfig) -> Self {
        let dynamodb = aws_sdk_dynamodb::Client::new(config);
        Self {
            ledger: Ledger::new(dynamodb, &stage.table),
            sqs: aws_sdk_sqs::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            ssm,
            stage,
        }
    }

    /// Who AWS says that the operator is; `None` on a laptop, where everybody is the same.
    ///
    /// # Errors
    /// [`Fault`] where AWS does not say.
    pub async fn caller(&self) -> Result<Option<String>, Fault> {
        if self.stage.is_local {
            return Ok(None);
        }
        let said = self.sts.get_caller_identity().send().await;
        let said = said.map_err(|error| Fault::aws("ask AWS who you are", &error))?;
        Ok(said.arn)
    }
}
