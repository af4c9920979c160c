//! One vendor, one file: what it accepts, what it refuses, how it says so.

pub(crate) mod hubspot;
pub(crate) mod mailerlite;
pub(crate) mod sendgrid;
pub(crate) mod sgtm;
pub(crate) mod slack;
pub(crate) mod stripe;
