//! The sandbox as a program: command line → server → one line of JSON when it answers → wait.

use anyhow::Context;
use clap::Parser;
use sandbox::{Options, Running};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Plays Stripe, HubSpot, MailerLite, server-side GTM, SendGrid and Slack on this machine.
#[derive(Parser)]
struct Arguments {
    /// The port on 127.0.0.1; 0 picks a free one.
    #[arg(long, env = "SANDBOX_PORT", default_value_t = 0)]
    port: u16,
    /// Where Stripe's webhooks go; can be told later with POST /_control/webhook.
    #[arg(long, env = "SANDBOX_WEBHOOK_URL")]
    webhook_url: Option<String>,
    /// What the webhooks are signed with, the whole whsec_… text.
    #[arg(long, env = "SANDBOX_WEBHOOK_SECRET", hide_env_values = true, value_parser = signing_secret)]
    webhook_secret: String,
}

fn signing_secret(text: &str) -> Result<String, &'static str> {
    let tail = text.strip_prefix("whsec_").unwrap_or_default();
    if tail.is_empty() {
        return Err("a Stripe signing secret is whsec_ and something after it");
    }
    Ok(text.to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let options = Options {
        port: arguments.port,
        webhook_url: arguments.webhook_url.filter(|url| !url.trim().is_empty()),
        webhook_secret: arguments.webhook_secret,
    };
    let port = options.port;
    let running = sandbox::start(options)
        .await
        .with_context(|| format!("the sandbox cannot listen on 127.0.0.1:{port}"))?;
    announce(&running);
    stop_signal().await.context("the sandbox cannot listen for signals")
}

#[expect(clippy::print_stdout, reason = "whoever started us waits for this one line")]
fn announce(running: &Running) {
    println!("{}", json!({ "ready": true, "url": running.url() }));
}

async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
