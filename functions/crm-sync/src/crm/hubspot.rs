//! HubSpot: one contact for a person, upserted by e-mail, and by its id once that is known.
//!
//! <https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide>. The fold of a person's
//! facts goes in; the contact's id comes out. `lifecyclestage` is left alone: HubSpot refuses to move
//! it backwards, and a refund is a step back.

mod properties;

use delivery::courier::{Errand, Receipt};
use domain::contact::EmailAddress;
use domain::delivery::SkipReason;
use domain::fault::{Fault, Remedy, Taken};
use domain::id::EventId;
use lambda::secret::Secret;
use outbound::{Answer, Body, Method, Outbound, bearer};
use properties::{Properties, properties};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

/// The header in which HubSpot names a request for its support.
const REQUEST_ID: &str = "x-hubspot-correlation-id";
/// HubSpot's code for a property that was not created yet.
const NO_SUCH_PROPERTY: &str = "PROPERTY_DOESNT_EXIST";

/// HubSpot's API.
pub(super) struct Hubspot {
    base_url: String,
    outbound: Outbound,
    access_token: Secret,
}

/// What HubSpot is told of one person.
pub struct Call {
    contact_id: Option<String>,
    email: EmailAddress,
    event_id: EventId,
    properties: Properties,
    statement: Vec<u8>,
}

impl Call {
    /// The properties, byte for byte. By which id the contact is found does not belong to it.
    pub(super) fn statement(&self) -> &[u8] {
        &self.statement
    }
}

impl Hubspot {
    /// Opens the way to HubSpot.
    pub(super) fn new(base_url: &str, outbound: Outbound, access_token: Secret) -> Self {
        Self { base_url: base_url.trim_end_matches('/').to_owned(), outbound, access_token }
    }

    /// What it knows us by.
    pub(super) fn secret(&self) -> &Secret {
        &self.access_token
    }

    /// Maps the fold of a person's facts to a contact.
    pub(super) fn prepare(&self, errand: &Errand<'_>) -> Result<Call, (SkipReason, &'static str)> {
        if !self.access_token.is_configured() {
            let detail = "HubSpot is off: the secret HUBSPOT_ACCESS_TOKEN is empty";
            return Err((SkipReason::NotConfigured, detail));
        }
        let properties = properties(errand.person);
        Ok(Call {
            contact_id: errand.synced.vendor_id.clone().filter(|id| is_record_id(id)),
            email: errand.person.contact.email.clone(),
            event_id: errand.person.event_id,
            statement: encoded(&properties),
            properties,
        })
    }

    /// Brings the contact up to date. Where the id is known it is used, so that a corrected e-mail
    /// changes the same contact; where that contact is gone, or another one owns the new e-mail, the
    /// e-mail decides. Two contacts of one person are for a person to merge: HubSpot cannot undo it.
    pub(super) async fn send(&self, call: &Call, attempt: u32) -> Result<Receipt, Fault> {
        let updated = match &call.contact_id {
            Some(id) => self.update(id, call, attempt).await?,
            None => None,
        };
        match updated {
            Some(receipt) => Ok(receipt),
            None => self.upsert(call, attempt).await,
        }
    }

    /// `None` where that contact cannot be the one.
    async fn update(&self, id: &str, call: &Call, attempt: u32) -> Result<Option<Receipt>, Fault> {
        let change = Change { properties: &call.properties, trace: call.event_id };
        let path = format!("/crm/v3/objects/contacts/{id}");
        let request = (Method::PATCH, path, encoded(&change));
        let answer = self.call("update_contact", request, attempt).await?;
        match answer.status() {
            200..=299 => {
                let contact: Option<Contacted> = answer.json();
                let id = contact.map_or_else(|| id.to_owned(), |contact| contact.id);
                Ok(Some(receipt(&answer, Some(id))))
            }
            404 | 409 => Ok(None),
            _ => Err(self.fault(&answer).await),
        }
    }

    async fn upsert(&self, call: &Call, attempt: u32) -> Result<Receipt, Fault> {
        let input = Input {
            id_property: "email",
            id: call.email.expose(),
            properties: &call.properties,
            trace: call.event_id,
        };
        let path = "/crm/v3/objects/contacts/batch/upsert".to_owned();
        let request = (Method::POST, path, encoded(&Batch { inputs: [input] }));
        let answer = self.call("upsert_contact", request, attempt).await?;
        match answer.status() {
            207 => self.part_taken(&answer).await,
            // A success that cannot be read is one all the same; the id comes with the next.
            200..=299 => Ok(receipt(&answer, first_id(&answer))),
            // Another writer created the contact at the same moment: it is found next time.
            409 => Err(retry(&answer, Taken::No)),
            _ => Err(self.fault(&answer).await),
        }
    }

    /// Reads a multi-status answer. With one input, an error in it is about ours.
    async fn part_taken(&self, answer: &Answer) -> Result<Receipt, Fault> {
        let Some(Outcomes { results, errors }) = answer.json() else {
            return Err(retry(answer, Taken::Unknown));
        };
        match (errors.first(), results.into_iter().next()) {
            (None, Some(contact)) => Ok(receipt(answer, Some(contact.id))),
            (None, None) => Err(retry(answer, Taken::Unknown)),
            (Some(error), _) => Err(categorised(answer, error)),
        }
    }

    async fn call(
        &self,
        verb: &'static str,
        (method, path, body): (Method, String, Vec<u8>),
        attempt: u32,
    ) -> Result<Answer, Fault> {
        let headers = bearer(self.access_token.expose()?.expose_secret())?;
        let url = format!("{}{path}", self.base_url);
        let body = Body::Json(body);
        let call = outbound::Call { verb, method, url: &url, headers, body, attempt };
        self.outbound.call(call).await
    }

    /// What a status that is no success means at HubSpot
    /// (<https://developers.hubspot.com/docs/api-reference/error-handling>).
    async fn fault(&self, answer: &Answer) -> Fault {
        let problem: Problem = answer.json().unwrap_or_default();
        let category = &problem.category;
        match answer.status() {
            // A property of ours is not there yet: the record is good, and HubSpot is to be set up.
            400 if problem.is_of_setup() => no_such_property(answer),
            // Locked by a bulk change, or being moved between HubSpot's data centres.
            423 | 477 => coded(retry(answer, Taken::No), category),
            // The path is ours and fixed: where it is unknown, HUBSPOT_BASE_URL is not HubSpot's.
            404 => Fault { remedy: Remedy::Setup, seen: answer.fault(REQUEST_ID).seen },
            401 | 403 => {
                self.access_token.refused().await;
                coded(answer.fault(REQUEST_ID), category)
            }
            _ => coded(answer.fault(REQUEST_ID), category),
        }
    }
}

/// Record ids are digits; anything else has no place in a path.
fn is_record_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Texts under texts always encode.
fn encoded(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn receipt(answer: &Answer, vendor_id: Option<String>) -> Receipt {
    let request_id = answer.header(REQUEST_ID).map(str::to_owned);
    Receipt { request_id, vendor_id, ..Receipt::default() }
}

fn first_id(answer: &Answer) -> Option<String> {
    answer.json::<Outcomes>()?.results.into_iter().next().map(|contact| contact.id)
}

/// What the category of an error inside a multi-status answer means.
fn categorised(answer: &Answer, problem: &Problem) -> Fault {
    if problem.is_of_setup() {
        return no_such_property(answer);
    }
    let remedy = match problem.category.as_str() {
        "VALIDATION_ERROR" => Remedy::Reject,
        "MISSING_SCOPES" => Remedy::Setup,
        "CONFLICT" | "RATE_LIMITS" => Remedy::Retry { after: None, taken: Taken::No },
        _ => Remedy::Retry { after: None, taken: Taken::Unknown },
    };
    coded(Fault { remedy, seen: answer.fault(REQUEST_ID).seen }, &problem.category)
}

fn retry(answer: &Answer, taken: Taken) -> Fault {
    let remedy = Remedy::Retry { after: answer.retry_after(), taken };
    Fault { remedy, seen: answer.fault(REQUEST_ID).seen }
}

fn no_such_property(answer: &Answer) -> Fault {
    let seen = answer.fault(REQUEST_ID).seen.with_code(NO_SUCH_PROPERTY);
    Fault { remedy: Remedy::Setup, seen }
}

fn coded(fault: Fault, category: &str) -> Fault {
    let seen = if category.is_empty() { fault.seen } else { fault.seen.with_code(category) };
    Fault { seen, ..fault }
}

#[derive(Serialize)]
struct Batch<'a> {
    inputs: [Input<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Input<'a> {
    id_property: &'static str,
    id: &'a str,
    properties: &'a Properties,
    #[serde(rename = "objectWriteTraceId")]
    trace: EventId,
}

#[derive(Serialize)]
struct Change<'a> {
    properties: &'a Properties,
    #[serde(rename = "objectWriteTraceId")]
    trace: EventId,
}

#[derive(Deserialize)]
struct Contacted {
    id: String,
}

#[derive(Deserialize)]
struct Outcomes {
    #[serde(default)]
    results: Vec<Contacted>,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    category: String,
    /// Ends in a list of what is wrong with each property, as JSON.
    message: String,
    errors: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default, alias = "error")]
    code: String,
}

impl Problem {
    /// Whether a property of ours is not there yet. What was refused is quoted in the message: only
    /// codes are believed, or a visitor could write one into their name.
    fn is_of_setup(&self) -> bool {
        self.errors.iter().chain(&self.listed()).any(|detail| detail.code == NO_SUCH_PROPERTY)
    }

    fn listed(&self) -> Vec<Detail> {
        let list = self.message.find('[').and_then(|at| self.message.get(at..)).unwrap_or_default();
        let mut lists = serde_json::Deserializer::from_str(list).into_iter();
        lists.next().and_then(Result::ok).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
