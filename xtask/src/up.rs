//! `up`: tools, build, local AWS, vendors, deploy; then what happens, until it is stopped.

use crate::daemon::{Daemon, end_leftovers};
use crate::engine::Engine;
use crate::faults::Faults;
use crate::lock::{Charge, Keeper, take};
use crate::page::Page;
use crate::place::{CONSUMERS, Place, functions};
use crate::settings::Values;
use crate::stack::Stack;
use crate::tools::Tool;
use crate::{
    aws, background, compile, deploy, engine, faults, http, page, sandbox, say, settings, tail,
    tools, web,
};
use anyhow::{Context, Result, bail};
use axum::http::HeaderMap;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// Options of `up`.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    /// Return when everything is ready; `down` stops it.
    #[arg(long)]
    pub(crate) detach: bool,
    /// Let another recorder play the vendors, each under its name below this address.
    #[arg(long, value_name = "URL")]
    pub(crate) vendors_url: Option<String>,
    /// Put a proxy between the functions and AWS that fails on command.
    #[arg(long)]
    pub(crate) faults: bool,
    /// The profile with which cargo builds what runs: `test` is what the tests are built with.
    #[arg(long, default_value = "dev")]
    pub(crate) profile: String,
}

/// Starts the stack, here or in the background.
pub(crate) async fn run(place: &Place, arguments: Arguments) -> Result<()> {
    let vendors_url = arguments.vendors_url.map(|url| url.trim_end_matches('/').to_owned());
    if let Some(url) = vendors_url.as_deref().filter(|url| !url.starts_with("http")) {
        bail!("--vendors-url {url} is not an address (http://127.0.0.1:9000)");
    }
    let Arguments { faults, profile, .. } = arguments;
    let keeper = Keeper { pid: std::process::id(), vendors_url, faults, profile };
    if arguments.detach {
        background::start(place, &keeper).await
    } else {
        here(place, &keeper).await
    }
}

/// Runs the stack in this process.
async fn here(place: &Place, keeper: &Keeper) -> Result<()> {
    let _lock = match take(place, keeper)? {
        Charge::Taken(lock) => lock,
        Charge::Busy(other) => return background::explain(place, keeper, other),
    };
    Stack::forget(place)?;
    let ended = end_leftovers(place)?;
    if ended > 0 {
        say::line(format!("ended {ended} programs that an earlier `up` left running"));
    }
    let begun = Instant::now();
    let running = tokio::select! {
        started = start(place, keeper) => started?,
        stopped = told_to_stop() => return stopped.and_then(|()| bail!("stopped before it was ready")),
    };
    say::line(format!(
        "\nready after {:.1} s\n{}\n",
        begun.elapsed().as_secs_f32(),
        running.stack.summary()
    ));
    let ended = running.watch().await;
    Stack::forget(place)?;
    ended
}

/// Everything that runs.
struct Running {
    engine: Engine,
    vendors: Option<Daemon>,
    page: Page,
    faults: Option<Faults>,
    stripe_key: Option<String>,
    stack: Stack,
}

async fn start(place: &Place, keeper: &Keeper) -> Result<Running> {
    // A person's own stack obeys `.env`; a test's does not.
    let mut wishes = if place.is_default() { settings::read_env_file()? } else { Values::new() };
    if keeper.vendors_url.is_some() {
        // Whoever records the vendors' requests must get them all.
        wishes.retain(|name, _| !settings::is_address(name));
    }
    let faults = if keeper.faults { Some(faults::open().await?) } else { None };
    let functions_see = faults.as_ref().map(|faults| faults.url.as_str());
    let engine = async {
        say::step("tools", tools::prepare(&[Tool::Engine, Tool::Sam])).await?;
        say::step("local AWS", engine::run(place, functions_see)).await
    };
    let (engine, program, ()) = tokio::try_join!(
        engine,
        say::step("build", compile::build(place, &keeper.profile)),
        say::step("web", web::build_or_say())
    )?;
    say::step("pack", compile::pack()).await?;
    let stripe_key = wishes.remove(settings::PUBLISHABLE_KEY);
    let endpoint = engine.endpoint.clone();
    let page = page::open().await?;
    let secret = settings::new_webhook_secret();
    let (vendors, vendors_url) = match &keeper.vendors_url {
        Some(url) => (None, url.clone()),
        None => {
            let started = sandbox::run(place, &program, &secret);
            let (daemon, url) = say::step("sandbox", started).await?;
            (Some(daemon), url)
        }
    };
    let settings = settings::local(&vendors_url, &page.url, &secret).with(&wishes);
    say::step("secrets", deploy::put_secrets(&endpoint, &settings.secrets)).await?;
    let outputs = say::step("deploy", deploy::deploy(place, &endpoint, &settings)).await?;
    let stack = Stack {
        api_url: api_url(&endpoint, &outputs)?,
        page_url: page.url.clone(),
        sandbox_url: vendors.is_some().then_some(vendors_url),
        faults_url: faults.as_ref().map(|faults| faults.url.clone()),
        aws_endpoint: endpoint,
        region: aws::REGION.into(),
        stack_name: deploy::STACK.into(),
        table_name: output(&outputs, "TableName")?,
        queues: named(&CONSUMERS, &outputs, "QueueUrl")?,
        dead_letters: named(&CONSUMERS, &outputs, "DeadLettersUrl")?,
        functions: named(&functions()?, &outputs, "FunctionName")?,
        stripe_webhook_secret: settings
            .secrets
            .get("STRIPE_WEBHOOK_SECRET")
            .cloned()
            .unwrap_or(secret),
    };
    if let Some(sandbox) = &stack.sandbox_url {
        let hook = json!({ "url": format!("{}/webhooks/stripe", stack.api_url) });
        http::post_json(&format!("{sandbox}/_control/webhook"), HeaderMap::new(), &hook).await?;
    }
    stack.write(place)?;
    Ok(Running { engine, vendors, page, faults, stripe_key, stack })
}

/// The address that needs no host name of the API's own.
fn api_url(endpoint: &str, outputs: &Values) -> Result<String> {
    Ok(format!("{endpoint}/restapis/{}/live/_user_request_", output(outputs, "ApiId")?))
}

fn output(outputs: &Values, name: &str) -> Result<String> {
    outputs.get(name).cloned().with_context(|| format!("the stack has no output {name}"))
}

/// Each folder's output: `crm-sync` → `CrmSync<what>`.
fn named<Name: AsRef<str>>(
    folders: &[Name],
    outputs: &Values,
    what: &str,
) -> Result<BTreeMap<String, String>> {
    let find = |folder: &Name| {
        let folder = folder.as_ref();
        let camel: String = folder
            .split('-')
            .flat_map(|word| {
                let (first, rest) = word.split_at(word.len().min(1));
                [first.to_uppercase(), rest.to_owned()]
            })
            .collect();
        Ok((folder.to_owned(), output(outputs, &format!("{camel}{what}"))?))
    };
    folders.iter().map(find).collect()
}

impl Running {
    /// Shows what happens until somebody stops it or a part of it ends.
    async fn watch(mut self) -> Result<()> {
        let engine_log = self.engine.daemon.log().to_owned();
        let ended = tokio::select! {
            stopped = told_to_stop() => stopped,
            failed = self.page.serve(&self.stack, self.stripe_key.as_ref()) => failed,
            failed = fail_on_command(self.faults.as_ref(), &self.engine.endpoint) => failed,
            failed = tail::follow(&self.stack, &engine_log) => failed,
            failed = all_alive(&mut self.engine.daemon, self.vendors.as_mut()) => failed,
        };
        say::line("stopping");
        if let Some(vendors) = self.vendors {
            vendors.stop().await?;
        }
        self.engine.daemon.stop().await?;
        ended
    }
}

/// Serves the proxy, where there is one.
async fn fail_on_command(faults: Option<&Faults>, engine: &str) -> Result<()> {
    match faults {
        Some(faults) => faults.serve(engine).await,
        None => std::future::pending().await,
    }
}

/// Fails as soon as a program has ended by itself.
async fn all_alive(engine: &mut Daemon, mut vendors: Option<&mut Daemon>) -> Result<()> {
    loop {
        engine.check()?;
        if let Some(vendors) = vendors.as_deref_mut() {
            vendors.check()?;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Ctrl-C, `down`, or the terminal's end.
pub(crate) async fn told_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
