//! Why something was not done, in a sentence for the person who asked: what, and what to do next.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use ledger::Unavailable;

/// Something was refused, or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The table did not do it.
    #[error("{0}")]
    Ledger(#[from] Unavailable),
    /// AWS did not do it.
    #[error("could not {doing}: {kind}")]
    Aws {
        /// What was to be done.
        doing: &'static str,
        /// What AWS said, in a word or two.
        kind: String,
    },
    /// It must not be done, or makes no sense.
    #[error("{0}")]
    Refused(String),
}

impl Fault {
    /// Refuses, with the sentence that says why.
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }

    /// Reduces what an SDK says to AWS's code: its text may hold what was sent.
    pub(crate) fn aws<E: ProvideErrorMetadata>(doing: &'static str, error: &SdkError<E>) -> Self {
        let kind = match error {
            SdkError::ConstructionFailure(_) => "the request could not be built".to_owned(),
            SdkError::TimeoutError(_) => "no answer in time".to_owned(),
            // A missing credential is reported as a connection that could not be made.
            SdkError::DispatchFailure(_) => {
                "AWS cannot be reached, or there are no credentials; sign in (aws sso login), name a \
                 profile with --profile and a region with --region"
                    .to_owned()
            }
            SdkError::ResponseError(_) => "an answer that cannot be read".to_owned(),
            SdkError::ServiceError(refused) => {
                format!("AWS says {}", refused.err().code().unwrap_or("no"))
            }
            _ => "unknown".to_owned(),
        };
        Self::Aws { doing, kind }
    }
}
