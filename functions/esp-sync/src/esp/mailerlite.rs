//! MailerLite: one subscriber for a person, upserted by e-mail.
//!
//! <https://developers.mailerlite.com/docs/subscribers.html>. `POST /subscribers` adds and changes
//! what it names and leaves the rest. Nobody who left by themselves is brought back: no status is
//! sent, except to tell of a withdrawal, and to take that one back when the person allows it again
//! (and again, while nobody knows whether it arrived).

mod fields;

use crate::config::Config;
use delivery::courier::{Errand, Receipt, Synced};
use domain::consent::{Leave, MarketingContact};
use domain::delivery::SkipReason;
use domain::destination::UNKNOWN_GROUP;
use domain::fault::{Fault, Remedy};
use fields::{Fields, fields, moment};
use lambda::secret::Secret;
use outbound::{Answer, Body, HeaderValue, Method, Outbound, bearer, header};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// MailerLite documents no id of requests; this is where one would be.
const REQUEST_ID: &str = "x-request-id";
const EMAIL: &str = "email";
const GROUPS: &str = "groups";
const ACTIVE: &str = "active";
const UNSUBSCRIBED: &str = "unsubscribed";
/// What is remembered while a withdrawal, or the end of one, may or may not have arrived: whatever
/// comes next says the whole again.
const UNSURE: &str = "unsure";

/// MailerLite's API.
pub(super) struct Mailerlite {
    base_url: String,
    group_id: Option<String>,
    outbound: Outbound,
    api_key: Secret,
}

/// What MailerLite is told of one person.
pub struct Call {
    act: Act,
    statement: Vec<u8>,
    in_doubt: Option<&'static str>,
}

enum Act {
    /// What a permit allows: the subscriber under this address, who may be known. `left` is one under
    /// an address that was corrected, where a withdrawal may not have arrived.
    Upsert { subscriber_id: Option<String>, left: Option<String> },
    /// The same, where the person corrected the address that this subscriber has.
    Readdress { subscriber_id: String, change: Vec<u8> },
    /// What a withdrawal allows: that this subscriber left.
    Leave { subscriber_id: String },
    /// The same, where MailerLite's id is not known.
    LeaveByAddress,
}

/// What MailerLite was told of whom, where its answer does not say.
#[derive(Clone, Copy)]
struct Told<'a> {
    status: &'static str,
    subscriber_id: Option<&'a str>,
}

type Skip = (SkipReason, &'static str);

impl Call {
    /// The body, byte for byte.
    pub(super) fn statement(&self) -> &[u8] {
        &self.statement
    }

    /// What holds while it is unknown whether MailerLite took it: a call that names a status changes
    /// whether the person is subscribed.
    pub(super) fn in_doubt(&self) -> Option<&'static str> {
        self.in_doubt
    }
}

impl Mailerlite {
    /// Opens the way to MailerLite.
    pub(super) fn new(config: &Config, outbound: Outbound, api_key: Secret) -> Self {
        let base_url = config.mailerlite_base_url.trim_end_matches('/').to_owned();
        Self { base_url, group_id: config.mailerlite_group_id.clone(), outbound, api_key }
    }

    /// What it knows us by.
    pub(super) fn secret(&self) -> &Secret {
        &self.api_key
    }

    /// Maps the fold of a person's facts to a subscriber, as far as the person allows.
    pub(super) fn prepare(&self, errand: &Errand<'_>) -> Result<Call, Skip> {
        if !self.api_key.is_configured() {
            let detail = "MailerLite is off: the secret MAILERLITE_API_KEY is empty";
            return Err((SkipReason::NotConfigured, detail));
        }
        match errand.leave {
            Leave::Permit(permit) => match permit.for_marketing(&errand.person.contact) {
                Some(contact) => Ok(self.subscribe(contact, errand)),
                None => Err((SkipReason::Consent, "the person does not allow marketing")),
            },
            Leave::Withdrawal(_) if knows_of_withdrawal(errand.synced) => {
                Err((SkipReason::Consent, "the person withdrew, and MailerLite knows"))
            }
            Leave::Withdrawal(_) => Ok(unsubscribe(errand)),
        }
    }

    fn subscribe(&self, contact: MarketingContact<'_>, errand: &Errand<'_>) -> Call {
        let consent = errand.person.consent.as_ref();
        // We unsubscribed them ourselves, or may have, and they allow it again. A status alone brings
        // nobody back at MailerLite (https://github.com/mailerlite/mailerlite-nodejs/issues/37).
        let returns = matches!(errand.synced.status.as_deref(), Some(UNSUBSCRIBED | UNSURE));
        let subscriber = Subscriber {
            email: contact.contact().email.expose(),
            fields: fields(contact, errand),
            groups: self.group_id.as_deref().map(|group| [group]),
            opted_in_at: consent.map(|consent| moment(consent.given_at)),
            optin_ip: consent.and_then(|consent| consent.ip),
            status: returns.then_some(ACTIVE),
            resubscribe: returns.then_some(true),
        };
        let statement = encoded(&subscriber);
        let act = match readdressed(errand) {
            Some(subscriber_id) if !returns => {
                // PUT drops the groups that its list does not name: it is sent without a list.
                let change = encoded(&Subscriber { groups: None, ..subscriber });
                Act::Readdress { subscriber_id, change }
            }
            old => {
                let unsure = errand.synced.status.as_deref() == Some(UNSURE);
                Act::Upsert { subscriber_id: known_id(errand), left: old.filter(|_| unsure) }
            }
        };
        Call { act, statement, in_doubt: returns.then_some(UNSURE) }
    }

    /// Makes the call, and says what MailerLite was told.
    pub(super) async fn send(&self, call: &Call, attempt: u32) -> Result<Receipt, Fault> {
        match &call.act {
            Act::Upsert { subscriber_id, left } => {
                let told = Told { status: ACTIVE, subscriber_id: subscriber_id.as_deref() };
                let now = self.upsert(&call.statement, told, attempt).await?;
                self.part_from(left.as_deref(), &now, attempt).await?;
                Ok(now)
            }
            Act::LeaveByAddress => {
                let told = Told { status: UNSUBSCRIBED, subscriber_id: None };
                self.upsert(&call.statement, told, attempt).await
            }
            Act::Leave { subscriber_id } => self.part(subscriber_id, attempt).await,
            Act::Readdress { subscriber_id, change } => {
                self.readdress(subscriber_id, change, &call.statement, attempt).await
            }
        }
    }

    async fn upsert(&self, body: &[u8], told: Told<'_>, attempt: u32) -> Result<Receipt, Fault> {
        let request = (Method::POST, String::new(), body.to_vec());
        let answer = self.call("upsert_subscriber", request, attempt).await?;
        match answer.status() {
            // A success that cannot be read is one all the same; the id comes with the next.
            200..=299 => Ok(receipt(&answer, told)),
            _ => Err(self.fault(&answer).await),
        }
    }

    /// Tells of a withdrawal. A subscriber that is gone hears no more newsletters: that is done too.
    async fn part(&self, subscriber_id: &str, attempt: u32) -> Result<Receipt, Fault> {
        let body = encoded(&Parting { email: None, status: UNSUBSCRIBED });
        let request = (Method::PUT, format!("/{subscriber_id}"), body);
        let answer = self.call("unsubscribe", request, attempt).await?;
        match answer.status() {
            200..=299 => {
                let told = Told { status: UNSUBSCRIBED, subscriber_id: Some(subscriber_id) };
                Ok(receipt(&answer, told))
            }
            404 => Ok(receipt(&answer, Told { status: UNSUBSCRIBED, subscriber_id: None })),
            _ => Err(self.fault(&answer).await),
        }
    }

    /// Gives the subscriber the corrected address. `email` is not in the documented parameters of
    /// PUT, and is taken (<https://github.com/mailerlite/mailerlite-nodejs/issues/73>). Where it is
    /// not, or somebody has the new address already, the person is upserted under it, and the old
    /// address, which may be a stranger's, hears no more.
    async fn readdress(
        &self,
        subscriber_id: &str,
        change: &[u8],
        upsert: &[u8],
        attempt: u32,
    ) -> Result<Receipt, Fault> {
        let request = (Method::PUT, format!("/{subscriber_id}"), change.to_vec());
        let answer = self.call("readdress_subscriber", request, attempt).await?;
        let afresh = Told { status: ACTIVE, subscriber_id: None };
        match answer.status() {
            200..=299 => {
                Ok(receipt(&answer, Told { subscriber_id: Some(subscriber_id), ..afresh }))
            }
            404 => self.upsert(upsert, afresh, attempt).await,
            422 if is_about(&answer, EMAIL) => {
                let moved = self.upsert(upsert, afresh, attempt).await?;
                self.part_from(Some(subscriber_id), &moved, attempt).await?;
                Ok(moved)
            }
            _ => Err(self.fault(&answer).await),
        }
    }

    /// The subscriber under an address that was corrected hears no more, unless it is the same one.
    async fn part_from(&self, old: Option<&str>, now: &Receipt, attempt: u32) -> Result<(), Fault> {
        match old {
            Some(old) if now.vendor_id.as_deref() != Some(old) => {
                self.part(old, attempt).await.map(|_| ())
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn call(
        &self,
        verb: &'static str,
        (method, path, body): (Method, String, Vec<u8>),
        attempt: u32,
    ) -> Result<Answer, Fault> {
        let mut headers = bearer(self.api_key.expose()?.expose_secret())?;
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let url = format!("{}/subscribers{path}", self.base_url);
        let body = Body::Json(body);
        let call = outbound::Call { verb, method, url: &url, headers, body, attempt };
        self.outbound.call(call).await
    }

    /// What a status that is no success means at MailerLite. 422 refuses the record, as usual.
    async fn fault(&self, answer: &Answer) -> Fault {
        let fault = answer.fault(REQUEST_ID);
        match answer.status() {
            401 | 403 => {
                self.api_key.refused().await;
                fault
            }
            // The path is ours and fixed: where it is unknown, MAILERLITE_BASE_URL is wrong.
            404 => Fault { remedy: Remedy::Setup, ..fault },
            // The group is everybody's: where it is refused, the record is good.
            422 if is_about(answer, GROUPS) => {
                Fault { remedy: Remedy::Setup, seen: fault.seen.with_code(UNKNOWN_GROUP) }
            }
            _ => fault,
        }
    }
}

/// What was told, and not been doubted since: an operator who doubts it has it told again.
fn knows_of_withdrawal(synced: &Synced) -> bool {
    synced.status.as_deref() == Some(UNSUBSCRIBED) && synced.digest.is_some()
}

fn unsubscribe(errand: &Errand<'_>) -> Call {
    let (act, email) = match known_id(errand) {
        Some(subscriber_id) => (Act::Leave { subscriber_id }, None),
        None => (Act::LeaveByAddress, Some(errand.person.contact.email.expose())),
    };
    let statement = encoded(&Parting { email, status: UNSUBSCRIBED });
    Call { act, statement, in_doubt: Some(UNSURE) }
}

/// The subscriber that has an address which a lead of this journey corrected.
fn readdressed(errand: &Errand<'_>) -> Option<String> {
    errand.journey.superseded_persons().next()?;
    known_id(errand)
}

/// Ids are digits; anything else has no place in a path.
fn known_id(errand: &Errand<'_>) -> Option<String> {
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    errand.synced.vendor_id.clone().filter(is_id)
}

/// Whether a refusal names this field, or (as `groups.0`) an entry of it.
fn is_about(answer: &Answer, field: &str) -> bool {
    let names = |named: &String| named.split('.').next() == Some(field);
    answer.json::<Refusal>().is_some_and(|refusal| refusal.errors.keys().any(names))
}

fn receipt(answer: &Answer, told: Told<'_>) -> Receipt {
    let known: Option<Subscribed> = answer.json();
    let vendor_id = known.map(|subscribed| subscribed.data.id);
    Receipt {
        request_id: answer.header(REQUEST_ID).map(str::to_owned),
        vendor_id: vendor_id.or(told.subscriber_id.map(str::to_owned)),
        status: Some(told.status.to_owned()),
        ..Receipt::default()
    }
}

/// Texts under texts always encode.
fn encoded(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[derive(Serialize)]
struct Subscriber<'a> {
    email: &'a str,
    fields: Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opted_in_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    optin_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resubscribe: Option<bool>,
}

#[derive(Serialize)]
struct Parting<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    status: &'static str,
}

#[derive(Deserialize)]
struct Subscribed {
    data: Identified,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: BTreeMap<String, serde_json::Value>,
}

#[cfg(test)]
mod tests;
