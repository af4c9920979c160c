//! What the world in memory assumes of AWS: each case with its source, as calls of the SDK whose
//! outcome is told in a line. The same calls go to the world in memory and to the local AWS, and must
//! come to the same lines.

mod queue;
mod table;

pub use queue::QueueTrial;
pub use table::Trial;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    error.as_service_error().and_then(|e| e.code()).unwrap_or("no answer").to_owned()
}
