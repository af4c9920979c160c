//! The sandbox, started whole and spoken to over HTTP: each vendor takes what it should and
//! refuses what it would refuse.

#[cfg(test)]
mod control;
#[cfg(test)]
mod hubspot;
#[cfg(test)]
mod mailerlite;
#[cfg(test)]
mod playground;
#[cfg(test)]
mod sendgrid;
#[cfg(test)]
mod sgtm;
#[cfg(test)]
mod slack;
#[cfg(test)]
mod stripe;
#[cfg(test)]
mod webhooks;
