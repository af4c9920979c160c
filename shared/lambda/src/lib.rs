//! The only code that knows it runs on Lambda: start, settings, secrets, logs, HTTP, queues.
//!
//! Functions are wired from these parts in their `main.rs`: settings → app → serve.

pub mod aws;
pub mod batch;
pub mod clock;
pub mod http;
mod log;
pub mod queue;
pub mod secret;
pub mod settings;

pub use lambda_runtime::{Error, LambdaEvent};
pub use log::start;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Serves events until Lambda ends the process; each is handed over with its context already in
/// the log lines. A panic fails the event, not the process, and its text goes nowhere; nor does
/// serde's of an event that is not of the kind that the function takes.
///
/// # Errors
/// Only where the Runtime API itself cannot be reached.
pub async fn serve<Event, Answer, Handled>(handle: impl Fn(Event) -> Handled) -> Result<(), Error>
where
    Event: DeserializeOwned,
    Answer: Serialize + Send,
    Handled: Future<Output = Result<Answer, Error>>,
{
    use futures_util::FutureExt;
    let handle = &handle;
    // Decoded here and not by the runtime, which reports serde's text with a piece of the event in it.
    lambda_runtime::run(lambda_runtime::service_fn(
        move |event: LambdaEvent<Box<RawValue>>| async move {
            log::begin(&event.context.request_id, event.context.xray_trace_id.as_deref());
            let Ok(event) = serde_json::from_str(event.payload.get()) else {
                tracing::error!("an event is not of the kind that this function takes");
                return Err(Error::from("the event is not of the kind that this function takes"));
            };
            let handled = std::panic::AssertUnwindSafe(handle(event)).catch_unwind().await;
            handled.unwrap_or_else(|_| {
                Err(Error::from("the handler panicked; its log line says where"))
            })
        },
    ))
    .await
}
