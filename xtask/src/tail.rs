//! Follows what the deployed functions print, by asking the engine's CloudWatch Logs.

use crate::aws::{Service, call};
use crate::happenings::happening;
use crate::say;
use crate::stack::Stack;
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often the engine is asked. It answers in a millisecond.
const PACE: Duration = Duration::from_millis(400);
/// Lines may be stored this much later than they are dated.
const LATE_MS: u64 = 3_000;

/// How long the engine may be too busy to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tells every happening for as long as it is awaited.
///
/// The engine's own log is read too: a function that refuses to start has no log of its own yet.
pub(crate) async fn follow(stack: &Stack, engine_log: &Path) -> Result<()> {
    let mut seen = Seen::default();
    let mut engine = Complaints::default();
    let mut answered = Instant::now();
    loop {
        match tell_new(stack, &mut seen).await {
            Ok(()) => answered = Instant::now(),
            Err(error) if answered.elapsed() > PATIENCE => return Err(error),
            Err(_busy) => {}
        }
        engine.tell_new(engine_log);
        tokio::time::sleep(PACE).await;
    }
}

/// The errors in the engine's log, each with the lines that follow it up to the next dated one.
#[derive(Default)]
struct Complaints {
    read: u64,
    inside: bool,
}

impl Complaints {
    fn tell_new(&mut self, log: &Path) {
        let new = since(log, self.read).unwrap_or_default();
        let complete = new.rfind('\n').map_or(0, |end| end + 1);
        for line in new.get(..complete).unwrap_or_default().lines() {
            let dated = line.get(4..5) == Some("-") && line.get(10..11) == Some(" ");
            self.inside = if dated { line.contains(" ERROR [") } else { self.inside };
            if self.inside {
                say::line(format!("!!   {line}"));
            }
        }
        self.read += u64::try_from(complete).unwrap_or_default();
    }
}

/// The rest of a file.
fn since(path: &Path, place: u64) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(place))?;
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    Ok(String::from_utf8_lossy(&rest).into_owned())
}

async fn tell_new(stack: &Stack, seen: &mut Seen) -> Result<()> {
    let mut told = Vec::new();
    for (folder, deployed) in &stack.functions {
        for event in events(stack, deployed, seen.since()).await? {
            if seen.first_time(&event) {
                told.push((at(&event), folder, event));
            }
        }
    }
    told.sort_by_key(|(at, _, _)| *at);
    for (_, folder, event) in &told {
        let logged = event["message"].as_str().unwrap_or_default();
        happening(folder, logged).into_iter().for_each(say::line);
    }
    seen.forget_old();
    Ok(())
}

async fn events(stack: &Stack, deployed: &str, since: u64) -> Result<Vec<Value>> {
    let input = json!({ "logGroupName": format!("/aws/lambda/{deployed}"), "startTime": since });
    let mut answer = call(&stack.aws_endpoint, Service::Logs, "FilterLogEvents", &input).await?;
    Ok(answer["events"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

fn at(event: &Value) -> u64 {
    event["timestamp"].as_u64().unwrap_or_default()
}

/// The invocations told already. The engine stores each under a stream of its own, all lines at once.
#[derive(Default)]
struct Seen {
    newest: u64,
    /// Stream and line's place in it → when.
    lines: HashMap<(String, String), u64>,
}

impl Seen {
    fn since(&self) -> u64 {
        self.newest.saturating_sub(LATE_MS)
    }

    fn first_time(&mut self, event: &Value) -> bool {
        self.newest = self.newest.max(at(event));
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        self.lines.insert((text("logStreamName"), text("message")), at(event)).is_none()
    }

    fn forget_old(&mut self) {
        let since = self.since();
        self.lines.retain(|_, at| *at >= since);
    }
}
