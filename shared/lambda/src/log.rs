//! Log lines: flat JSON with Powertools' key names, and CloudWatch's embedded metrics where an
//! event asks for them.
//!
//! An event with the fields `metrics = "duration_ms:Milliseconds"` and `dimensions = "vendor,verb"`
//! becomes a line that CloudWatch reads as a metric too:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::fmt::Debug;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Crates of others that log what they are handed: they are not heard.
const QUIET: [&str; 7] = [
    "lambda_runtime",
    "aws_config",
    "aws_smithy_runtime",
    "aws_runtime",
    "hyper",
    "reqwest",
    "rustls",
];

/// What every line says of the event at work.
#[derive(Debug, Default)]
struct Invocation {
    request_id: String,
    trace_id: Option<String>,
    events: u64,
}

static INVOCATION: Mutex<Invocation> =
    Mutex::new(Invocation { request_id: String::new(), trace_id: None, events: 0 });

/// Begins logging for a function, and sees to it that a panic leaves its place and not its text.
pub fn start(service: &'static str) {
    // The deployed name holds the stage: two stages in one account keep their metrics apart.
    let function = crate::settings::read(|settings| settings.optional("AWS_LAMBDA_FUNCTION_NAME"));
    let function = function.ok().flatten().unwrap_or_else(|| service.to_owned());
    let quiet = QUIET.map(|name| (name, LevelFilter::OFF));
    let filter = Targets::new().with_default(LevelFilter::INFO).with_targets(quiet);
    tracing_subscriber::registry().with(filter).with(Lines { service, function }).init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
        tracing::error!(place, "a handler panicked");
    }));
}

/// Notes the event that begins, for the lines that follow.
pub(crate) fn begin(request_id: &str, trace_id: Option<&str>) {
    let mut invocation = INVOCATION.lock().unwrap_or_else(PoisonError::into_inner);
    request_id.clone_into(&mut invocation.request_id);
    invocation.trace_id = trace_id.map(str::to_owned);
    invocation.events += 1;
}

/// Turns events into lines on standard output.
struct Lines {
    service: &'static str,
    function: String,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let now = crate::clock::now();
        let line = self.line(event.metadata().level().as_str(), fields.0, now);
        // A closed standard output is the end of the process; there is nobody to tell.
        std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap_or_default();
    }
}

impl Lines {
    fn line(&self, level: &str, mut fields: Map<String, Value>, now: Timestamp) -> Value {
        let metrics = take_text(&mut fields, "metrics");
        let dimensions = take_text(&mut fields, "dimensions");
        let mut line = Map::new();
        line.insert("timestamp".into(), now.to_string().into());
        line.insert("level".into(), level.into());
        line.insert("message".into(), fields.remove("message").unwrap_or_default());
        line.insert("service".into(), self.service.into());
        line.insert("function_name".into(), self.function.as_str().into());
        {
            let invocation = INVOCATION.lock().unwrap_or_else(PoisonError::into_inner);
            line.insert("cold_start".into(), (invocation.events <= 1).into());
            line.insert("function_request_id".into(), invocation.request_id.as_str().into());
            if let Some(trace) = &invocation.trace_id {
                line.insert("xray_trace_id".into(), trace.as_str().into());
            }
        }
        if let Some(event_id) = fields.get("event_id") {
            line.insert("correlation_id".into(), event_id.clone());
        }
        line.extend(fields);
        if let Some(metrics) = metrics {
            line.insert("_aws".into(), embedded(&metrics, dimensions.as_deref(), now));
        }
        Value::Object(line)
    }
}

fn take_text(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    match fields.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
        )
        | None => None,
    }
}

/// The directive by which CloudWatch reads metrics out of a line: `name:Unit,name:Unit`, with the
/// function and the named fields as dimensions.
fn embedded(metrics: &str, dimensions: Option<&str>, now: Timestamp) -> Value {
    let metrics: Vec<Value> = metrics
        .split(',')
        .filter_map(|metric| metric.split_once(':'))
        .map(|(name, unit)| json!({"Name": name, "Unit": unit}))
        .collect();
    let named = dimensions.into_iter().flat_map(|names| names.split(','));
    let dimensions: Vec<&str> = std::iter::once("function_name").chain(named).collect();
    json!({
        "Timestamp": now.as_millisecond(),
        "CloudWatchMetrics": [{"Namespace": "Throughline", "Dimensions": [dimensions], "Metrics": metrics}],
    })
}

/// Gathers an event's fields as JSON.
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().into(), format!("{value:?}").into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().into(), value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use jiff::Timestamp;
    use serde_json::{Map, Value, json};

    fn line(fields: Value) -> Value {
        let Value::Object(fields) = fields else { panic!("not an object") };
        Lines { service: "crm-sync", function: "throughline-dev-crm-sync".into() }.line(
            "INFO",
            fields,
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn a_line_has_powertools_keys_and_ours() {
        let line = line(json!({"message": "delivery ended", "event_id": "e-1", "attempt": 2}));
        assert_eq!(line["service"], "crm-sync");
        assert_eq!(line["correlation_id"], "e-1");
        assert_eq!(line["attempt"], 2);
        assert_eq!(line.get("_aws"), None);
    }

    #[test]
    fn a_line_with_metrics_is_one_that_cloudwatch_reads() {
        let line = line(json!({"message": "outbound call", "duration_ms": 7, "vendor": "hubspot",
            "metrics": "duration_ms:Milliseconds", "dimensions": "vendor"}));
        assert_eq!(line.get("metrics"), None);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["function_name", "vendor"]]));
        assert_eq!(directive["Metrics"], json!([{"Name": "duration_ms", "Unit": "Milliseconds"}]));
        let _: &Map<String, Value> = line.as_object().unwrap();
    }
}
