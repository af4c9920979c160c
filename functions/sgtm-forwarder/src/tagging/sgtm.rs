//! Server-side Google Tag Manager: one Measurement-Protocol hit for an effect.
//!
//! <https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference>. The tagging
//! server's own client claims the hit. Like Google's collectors it answers 2xx to anything, so that
//! nothing it takes counts as verified.

mod event;
mod user_data;

use crate::config::Config;
use delivery::courier::{Errand, Receipt};
use domain::attribution::Field;
use domain::consent::{Leave, Permit};
use domain::delivery::SkipReason;
use domain::destination::RetrySafety;
use domain::fault::{Fault, Remedy};
use domain::journey::Journey;
use event::Event;
use jiff::{SignedDuration, Timestamp};
use lambda::secret::Secret;
use outbound::{Answer, Body, HeaderMap, Method, Outbound};
use secrecy::ExposeSecret;
use serde::Serialize;
use url::Url;
use user_data::UserData;

/// Tagging servers name no requests; Cloud Run, where most of them run, does.
const REQUEST_ID: &str = "x-cloud-trace-context";
/// How far hits may be dated back
/// (<https://developers.google.com/analytics/devguides/collection/protocol/ga4/use-cases>).
const OLDEST: SignedDuration = SignedDuration::from_hours(72);

/// The tagging server.
pub(super) struct Sgtm {
    endpoint: Option<Url>,
    outbound: Outbound,
    api_secret: Secret,
}

/// One hit.
pub struct Call {
    endpoint: Url,
    safety: RetrySafety,
    body: Vec<u8>,
}

type Skip = (SkipReason, &'static str);

impl Call {
    /// The body, byte for byte.
    pub(super) fn statement(&self) -> &[u8] {
        &self.body
    }

    /// Whether the hit may be repeated blindly.
    pub(super) fn safety(&self) -> RetrySafety {
        self.safety
    }
}

impl Sgtm {
    /// Opens the way to the tagging server. The address says which web stream is measured.
    pub(super) fn new(config: &Config, outbound: Outbound, api_secret: Secret) -> Self {
        let mut endpoint = config.endpoint.clone();
        if let (Some(endpoint), Some(id)) = (&mut endpoint, &config.measurement_id) {
            name_once(endpoint, "measurement_id", id);
        }
        Self { endpoint, outbound, api_secret }
    }

    /// What it knows us by.
    pub(super) fn secret(&self) -> &Secret {
        &self.api_secret
    }

    /// Maps an effect to a hit, with as much of the person as they allow.
    pub(super) fn prepare(&self, errand: &Errand<'_>) -> Result<Call, Skip> {
        let off = |detail| (SkipReason::NotConfigured, detail);
        let endpoint = self
            .endpoint
            .clone()
            .ok_or(off("server-side tagging is off: SGTM_ENDPOINT is empty"))?;
        if !names(&endpoint, "measurement_id") {
            return Err(off("server-side tagging is off: SGTM_MEASUREMENT_ID is empty"));
        }
        let Leave::Permit(permit) = errand.leave else {
            return Err((SkipReason::Consent, "the person does not allow measurement"));
        };
        let event = Event::of(errand, permit).ok_or((
            SkipReason::NotApplicable,
            "server-side tagging has no event for this kind of fact",
        ))?;
        let client_id = client_id(errand.journey).ok_or((
            SkipReason::NotApplicable,
            "no browser session is known, and Google counts none without",
        ))?;
        let hit = Hit::of(errand, permit, client_id, event);
        let safety =
            if hit.events[0].is_keyed() { RetrySafety::Keyed } else { RetrySafety::AtMostOnce };
        // Texts and numbers under texts always encode.
        let body = serde_json::to_vec(&hit).unwrap_or_default();
        Ok(Call { endpoint, safety, body })
    }

    /// Sends the hit.
    pub(super) async fn send(&self, call: Call, attempt: u32) -> Result<Receipt, Fault> {
        let mut endpoint = call.endpoint;
        // Optional: many tagging servers check no secret.
        if let Some(secret) = self.api_secret.value() {
            name_once(&mut endpoint, "api_secret", secret.expose_secret().trim());
        }
        let call = outbound::Call {
            verb: "collect",
            method: Method::POST,
            url: endpoint.as_str(),
            headers: HeaderMap::new(),
            body: Body::Json(call.body),
            attempt,
        };
        let answer = self.outbound.call(call).await?;
        match answer.status() {
            200..=299 => Ok(receipt(&answer)),
            // The address is whole and fixed: where nobody claims it, SGTM_ENDPOINT is wrong.
            404 => Err(Fault { remedy: Remedy::Setup, ..answer.fault(REQUEST_ID) }),
            401 | 403 => {
                self.api_secret.refused().await;
                Err(answer.fault(REQUEST_ID))
            }
            _ => Err(answer.fault(REQUEST_ID)),
        }
    }
}

fn receipt(answer: &Answer) -> Receipt {
    let request_id = answer.header(REQUEST_ID).map(str::to_owned);
    Receipt { unverifiable: true, request_id, ..Receipt::default() }
}

fn names(address: &Url, name: &str) -> bool {
    address.query_pairs().any(|(known, value)| known == name && !value.is_empty())
}

/// Adds a query parameter, unless the address names it itself.
fn name_once(address: &mut Url, name: &str, value: &str) {
    if !names(address, name) {
        address.query_pairs_mut().append_pair(name, value);
    }
}

/// The browser, as `gtag.js` names it; the cookie's form (`GA1.1.123.456`) is cut to the id. Where
/// the page sent none, the session stands in, so that its hits at least belong together.
fn client_id(journey: &Journey) -> Option<String> {
    let context = journey.context();
    let from_page = context.get(Field::ClientId).map(|id| {
        let cookie = id.strip_prefix("GA1.").and_then(|rest| rest.split_once('.'));
        event::cut(cookie.map_or(id, |(_, id)| id), event::LONGEST_VALUE)
    });
    from_page.or_else(|| journey.session().map(|session| session.as_client_id()))
}

#[derive(Serialize)]
struct Hit {
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_micros: Option<i64>,
    consent: Consent,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_data: Option<UserData>,
    events: [Event; 1],
}

#[derive(Serialize)]
struct Consent {
    ad_user_data: &'static str,
    ad_personalization: &'static str,
}

impl Hit {
    fn of(errand: &Errand<'_>, permit: &Permit, client_id: String, event: Event) -> Self {
        let contact = permit.for_marketing(errand.contact);
        let answer = if contact.is_some() { "GRANTED" } else { "DENIED" };
        // Google asks for a stable id beside user data; ours is a keyed hash, which names nobody
        // (https://developers.google.com/analytics/devguides/collection/ga4/uid-data).
        let person = contact.and(errand.journey.person_of(errand.fact));
        Self {
            client_id,
            user_id: person.map(|key| key.as_str().to_owned()),
            timestamp_micros: dated(errand.fact.occurred_at, errand.now),
            consent: Consent { ad_user_data: answer, ad_personalization: answer },
            user_data: contact.map(UserData::of),
            events: [event],
        }
    }
}

/// When it happened, where Google takes that: not in the future, and not too long ago.
fn dated(at: Timestamp, now: Timestamp) -> Option<i64> {
    let age = now.duration_since(at);
    (SignedDuration::ZERO..OLDEST).contains(&age).then(|| at.as_microsecond())
}

#[cfg(test)]
mod tests;
