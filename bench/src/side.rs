//! Who is measured: the functions, two references in Node and the limit program, each with an AWS and
//! vendors of its own.

use crate::aws::{self, Account, Shared};
use crate::http::Server;
use crate::process::Launch;
use crate::tls::Authority;
use crate::vendor;
use anyhow::{Context, Result};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Somebody who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Who {
    /// The functions of this repository.
    Throughline,
    /// stripe-node and AWS's SDK, plain.
    Node,
    /// The same with Powertools' idempotency.
    Powertools,
    /// One unsigned write, by hand.
    Limit,
}

impl Who {
    /// As it stands in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Throughline => "Throughline",
            Self::Node => "Node",
            Self::Powertools => "Node + Powertools",
            Self::Limit => "limit program",
        }
    }
}

/// Where the programs are, and how everybody is spoken to.
pub(crate) struct Stage {
    pub(crate) root: PathBuf,
    /// `target/bench`
    pub(crate) work: PathBuf,
    pub(crate) delay: Duration,
    pub(crate) vendor_delay: Duration,
    pub(crate) tls: Option<Authority>,
}

/// One of them, with its surroundings.
pub(crate) struct Side {
    pub(crate) who: Who,
    pub(crate) account: Shared,
    dynamodb: Server,
    sqs: Server,
    ssm: Server,
    vendor: Server,
}

impl Stage {
    /// Surrounds somebody with an empty account.
    pub(crate) async fn side(&self, who: Who) -> Result<Side> {
        let account: Shared = Arc::new(Mutex::new(Account::default()));
        let acceptor = || self.tls.as_ref().map(|tls| tls.acceptor.clone());
        // Each service has an address of its own, as in AWS: a connection to one is none to another.
        let service = || aws::serve(Arc::clone(&account), acceptor(), self.delay);
        let (dynamodb, sqs, ssm) = tokio::try_join!(service(), service(), service())?;
        let vendor = vendor::serve(Arc::clone(&account), acceptor(), self.vendor_delay).await?;
        aws::look(&account).slack = format!("{}/slack/services/T/B/X", self.url(&vendor));
        Ok(Side { who, account, dynamodb, sqs, ssm, vendor })
    }

    fn url(&self, server: &Server) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", server.address)
    }

    /// What is deployed of a function: the one file in its zip.
    pub(crate) fn package(&self, who: Who, function: &str) -> PathBuf {
        match who {
            Who::Throughline => self.root.join("target/release").join(function),
            Who::Limit => self.root.join("target/bench-player/limit"),
            Who::Node => self.bundle("node", function),
            Who::Powertools => self.bundle("powertools", function),
        }
    }

    fn bundle(&self, variant: &str, function: &str) -> PathBuf {
        self.root.join("bench/reference/dist").join(variant).join(function).join("index.mjs")
    }

    /// How somebody's function is started.
    pub(crate) fn launch(&self, side: &Side, function: &str) -> Launch {
        let package = self.package(side.who, function).into_os_string();
        let words = match side.who {
            Who::Throughline | Who::Limit => vec![package],
            Who::Node | Who::Powertools => {
                let runtime = self.root.join("bench/reference/runtime.mjs").into_os_string();
                vec!["node".into(), runtime, package]
            }
        };
        let log = self.work.join(format!("{}-{function}.log", side.who.name().replace(' ', "")));
        Launch { words, environment: self.environment(side, function), log }
    }

    fn environment(&self, side: &Side, function: &str) -> Vec<(String, String)> {
        let (dynamodb, sqs) = (self.url(&side.dynamodb), self.url(&side.sqs));
        let vendor = self.url(&side.vendor);
        let queue = |name: &str| format!("{sqs}/1/{name}");
        let mut all = vec![
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_DEFAULT_REGION", "eu-west-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIABENCH".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
            ("AWS_SESSION_TOKEN", "bench".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            ("AWS_ENDPOINT_URL_SQS", sqs.clone()),
            ("AWS_ENDPOINT_URL_SSM", self.url(&side.ssm)),
            ("AWS_LAMBDA_FUNCTION_NAME", function.to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "bench".to_owned()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
            // A line about Node's own end of life, at every start.
            ("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true".to_owned()),
            ("LEDGER_TABLE", "ledger".to_owned()),
            ("SECRETS_PREFIX", "/throughline/bench".to_owned()),
            ("ALLOWED_ORIGINS", "https://www.example.pt".to_owned()),
            ("DESTINATIONS", "hubspot,mailerlite,sgtm,sendgrid,slack".to_owned()),
            ("CONSENT_VERSION", "1".to_owned()),
            ("CALLS_PER_MINUTE", "sgtm=0".to_owned()),
            ("STRIPE_BASE_URL", format!("{vendor}/stripe")),
            ("SGTM_ENDPOINT", format!("{vendor}/sgtm/mp/collect")),
            ("SGTM_MEASUREMENT_ID", "G-BENCH00000".to_owned()),
            ("QUEUE_CRM_SYNC", queue("crm-sync")),
            ("QUEUE_ESP_SYNC", queue("esp-sync")),
            ("QUEUE_SGTM_FORWARDER", queue("sgtm-forwarder")),
            ("QUEUE_NOTIFIER", queue("notifier")),
            ("QUEUE_URL", queue(function)),
            ("DEAD_LETTER_URL", queue("dead")),
        ];
        if let Some(tls) = &self.tls {
            let file = tls.file.display().to_string();
            all.push(("SSL_CERT_FILE", file.clone()));
            all.push(("NODE_EXTRA_CA_CERTS", file));
        }
        let mut all: Vec<(String, String)> =
            all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        all.extend(path());
        all
    }
}

/// Where `node` is looked for.
fn path() -> Option<(String, String)> {
    let path = std::env::vars_os().find(|(name, _)| name == "PATH")?.1;
    Some(("PATH".to_owned(), path.into_string().ok()?))
}

/// What a zip with one file in it weighs.
pub(crate) fn zipped(file: &Path) -> Result<u64> {
    let bytes = std::fs::read(file)
        .with_context(|| format!("{} is not built; run cargo xtask bench", file.display()))?;
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&bytes)?;
    // The headers of a zip with one short name.
    Ok(packed.finish()?.len() as u64 + 120)
}
