//! The door of the routes that pages call: how often, by which session, and how a body is refused.

use crate::Desk;
use crate::body::{Body, Malformed};
use domain::id::SessionId;
use domain::journey::Journey;
use domain::pepper::Pepper;
use jiff::Timestamp;
use lambda::http::{Incoming, Kind, Problem};
use ledger::Admission;
use std::net::{IpAddr, Ipv4Addr};

/// The media type of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of everything else.
pub const JSON: &str = "application/json";

/// How often one caller may call a route.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The route, as its counter is named.
    pub route: &'static str,
    /// How often a minute.
    pub per_minute: u32,
    /// Whether callers are let in while nobody can count them.
    pub open_without_counter: bool,
}

impl Limit {
    /// Counts a caller in, or turns them away. Those without an address are one caller.
    ///
    /// # Errors
    /// 429 with the seconds until the minute is over; 503 where a closed route cannot count.
    pub async fn admit(
        self,
        desk: &Desk,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let caller = desk.caller(ip).key();
        match desk.ledger.admit(self.route, &caller, self.per_minute, now).await {
            Ok(Admission::Admitted) => Ok(()),
            Ok(Admission::Refused { retry_after }) => Err(too_many(retry_after)),
            Err(unavailable) if self.open_without_counter => {
                tracing::warn!(route = self.route, %unavailable, "callers are not counted");
                Ok(())
            }
            Err(unavailable) => Err(unavailable.into()),
        }
    }
}

/// Who calls, and with what they are named.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The address, as API Gateway saw it: kept with an answer about consent, counted by its hash.
    pub ip: Option<IpAddr>,
    /// What the hashes are made with.
    pub pepper: &'a Pepper,
}

impl Caller<'_> {
    fn key(self) -> String {
        self.pepper.ip(self.ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}

/// Reads a request's body in the form in which it says that it is.
///
/// # Errors
/// 400 where it cannot be read.
pub fn open(request: &Incoming) -> Result<Body, Problem> {
    let body = if request.media_type() == FORM {
        Body::from_form(&request.body)
    } else {
        Body::from_json(&request.body)
    };
    body.map_err(malformed)
}

/// Sees that a call comes from the session that the journey belongs to; a new journey is anybody's.
///
/// # Errors
/// 409 where it is another.
pub fn same_session(journey: &Journey, session: SessionId) -> Result<(), Problem> {
    match journey.session() {
        Some(own) if own != session => Err(Problem::new(
            Kind::SessionMismatch,
            "send the user_session_id that the journey began with, or begin a new event_id",
        )),
        Some(_) | None => Ok(()),
    }
}

fn malformed(malformed: Malformed) -> Problem {
    Problem::new(Kind::MalformedBody, &malformed.to_string())
}

fn too_many(retry_after: u32) -> Problem {
    let detail = "come back after the time in Retry-After; nothing was stored";
    Problem::new(Kind::RateLimited, detail).retry_after(retry_after)
}
