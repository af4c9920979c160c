//! The only door to the internet: every vendor is called through here and nowhere else.
//!
//! It sets TLS, timeouts, a size cap and no redirects, reduces what went wrong to a [`Fault`] that
//! owns no foreign text, and leaves one log line with one metric for each call.

mod answer;
mod authorization;
mod client;

pub use answer::Answer;
pub use authorization::bearer;
pub use client::{Body, Call, Limits, Outbound, Roots, Unbuildable};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
