//! What runs and where: `.local/stack.json`, which tests, scripts and the demo read.

use crate::aws::KEY;
use crate::place::{Place, shown};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A running stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stack {
    /// Base address of the HTTP API.
    pub(crate) api_url: String,
    /// The demonstration page.
    pub(crate) page_url: String,
    /// The vendors' stand-ins; nothing when another recorder plays them.
    pub(crate) sandbox_url: Option<String>,
    /// What the functions take for AWS after `up --faults`: the proxy that fails on command.
    pub(crate) faults_url: Option<String>,
    /// Where AWS's APIs answer.
    pub(crate) aws_endpoint: String,
    /// The region to name in calls.
    pub(crate) region: String,
    /// The CloudFormation stack.
    pub(crate) stack_name: String,
    /// The ledger.
    pub(crate) table_name: String,
    /// Consumer → its queue's URL.
    pub(crate) queues: BTreeMap<String, String>,
    /// Consumer → its dead letters' URL.
    pub(crate) dead_letters: BTreeMap<String, String>,
    /// Folder → deployed name.
    pub(crate) functions: BTreeMap<String, String>,
    /// What webhooks are signed with, made for this start.
    pub(crate) stripe_webhook_secret: String,
}

impl Stack {
    /// The stack that runs in a folder, if one is ready.
    pub(crate) fn read(place: &Place) -> Result<Option<Self>> {
        let path = place.file("stack.json");
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path)?;
        let stack = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a stack of ours", shown(&path)))?;
        Ok(Some(stack))
    }

    /// Says that the stack is ready. The file appears whole or not at all.
    pub(crate) fn write(&self, place: &Place) -> Result<()> {
        let draft = place.file("stack.json.new");
        std::fs::write(&draft, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(&draft, place.file("stack.json"))?;
        Ok(())
    }

    /// Says that no stack runs.
    pub(crate) fn forget(place: &Place) -> Result<()> {
        let path = place.file("stack.json");
        if path.exists() {
            std::fs::remove_file(path)?;
        }
        Ok(())
    }

    /// The addresses a person wants to see.
    pub(crate) fn summary(&self) -> String {
        let sandbox = self.sandbox_url.as_deref().unwrap_or("none (--vendors-url)");
        [
            format!("page      {}", self.page_url),
            format!("api       {}", self.api_url),
            format!("sandbox   {sandbox}"),
            format!("aws       {}  (region {}, key {KEY})", self.aws_endpoint, self.region),
            format!("table     {}", self.table_name),
        ]
        .join("\n")
    }
}
