//! SendGrid: one e-mail to the buyer for an effect.
//!
//! <https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send>. SendGrid recognises no
//! repetition. Opens and clicks are not tracked: a receipt is no campaign.

mod letter;

use super::Skip;
use crate::config::Config;
use delivery::courier::{Errand, Receipt};
use domain::contact::EmailAddress;
use domain::delivery::SkipReason;
use domain::fact::Happening;
use domain::fault::{Fault, Remedy};
use lambda::secret::Secret;
use letter::{Letter, Matter};
use outbound::{Answer, Body, Method, Outbound, bearer};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Value, json};

/// The header in which SendGrid names the message
/// (<https://www.twilio.com/docs/sendgrid/glossary/x-message-id>).
const MESSAGE_ID: &str = "x-message-id";

/// SendGrid's API.
pub(super) struct Sendgrid {
    base_url: String,
    from: Option<EmailAddress>,
    from_name: Option<String>,
    outbound: Outbound,
    api_key: Secret,
}

/// One e-mail.
pub struct Call {
    body: Vec<u8>,
}

impl Call {
    /// The body, byte for byte.
    pub(super) fn statement(&self) -> &[u8] {
        &self.body
    }
}

impl Sendgrid {
    /// Opens the way to SendGrid.
    pub(super) fn new(config: &Config, outbound: Outbound, api_key: Secret) -> Self {
        Self {
            base_url: config.sendgrid_base_url.trim_end_matches('/').to_owned(),
            from: config.from_email.clone(),
            from_name: config.from_name.clone(),
            outbound,
            api_key,
        }
    }

    /// What it knows us by.
    pub(super) fn secret(&self) -> &Secret {
        &self.api_key
    }

    /// Writes the letter that an effect calls for, in the buyer's language.
    pub(super) fn prepare(&self, errand: &Errand<'_>) -> Result<Call, Skip> {
        let off = |detail| (SkipReason::NotConfigured, detail);
        if !self.api_key.is_configured() {
            return Err(off("e-mail is off: the secret SENDGRID_API_KEY is empty"));
        }
        let from = self.from.as_ref().ok_or(off("e-mail is off: SENDGRID_FROM_EMAIL is empty"))?;
        let matter = matter(errand)?;
        let letter = Letter::write(errand, matter, self.from_name.as_deref());
        let mail = self.mail(from, errand, &letter);
        // Texts under texts always encode.
        Ok(Call { body: serde_json::to_vec(&mail).unwrap_or_default() })
    }

    fn mail<'a>(
        &'a self,
        from: &'a EmailAddress,
        errand: &Errand<'a>,
        letter: &'a Letter,
    ) -> Mail<'a> {
        let arguments = json!({
            "event_id": errand.id.event_id.to_string(),
            "effect": errand.id.effect.as_str(),
        });
        let to = Address { email: errand.contact.email.expose(), name: None };
        Mail {
            personalizations: [Personalization { to: [to], custom_args: arguments }],
            from: Address { email: from.expose(), name: self.from_name.as_deref() },
            subject: &letter.subject,
            content: [
                Content { kind: "text/plain", value: &letter.plain },
                Content { kind: "text/html", value: &letter.html },
            ],
            tracking_settings: json!({
                "click_tracking": { "enable": false, "enable_text": false },
                "open_tracking": { "enable": false },
                "subscription_tracking": { "enable": false },
            }),
        }
    }

    /// Hands the letter over.
    pub(super) async fn send(&self, call: Call, attempt: u32) -> Result<Receipt, Fault> {
        let headers = bearer(self.api_key.expose()?.expose_secret())?;
        let url = format!("{}/v3/mail/send", self.base_url);
        let (method, body) = (Method::POST, Body::Json(call.body));
        let call = outbound::Call { verb: "send_mail", method, url: &url, headers, body, attempt };
        let answer = self.outbound.call(call).await?;
        match answer.status() {
            202 => Ok(receipt(&answer, false)),
            // SendGrid says 202 to mail it will send; another success says less.
            200..=299 => Ok(receipt(&answer, true)),
            // The path is ours and fixed: where it is unknown, SENDGRID_BASE_URL is not SendGrid's.
            404 => Err(Fault { remedy: Remedy::Setup, ..answer.fault(MESSAGE_ID) }),
            401 | 403 => {
                self.api_key.refused().await;
                Err(answer.fault(MESSAGE_ID))
            }
            _ => Err(answer.fault(MESSAGE_ID)),
        }
    }
}

fn receipt(answer: &Answer, unverifiable: bool) -> Receipt {
    let request_id = answer.header(MESSAGE_ID).map(str::to_owned);
    Receipt { unverifiable, request_id, ..Receipt::default() }
}

/// What there is to write about, if anything.
fn matter<'a>(errand: &Errand<'a>) -> Result<Matter<'a>, Skip> {
    let unfit = |detail| Err((SkipReason::NotApplicable, detail));
    match &errand.fact.happening {
        Happening::PaymentSucceeded { payment } => Ok(Matter::Paid(payment)),
        Happening::PaymentRefunded { payment, .. } => Ok(Matter::Refunded(payment)),
        Happening::PaymentFailed { .. } if errand.journey.is_paid() => {
            unfit("the buyer has paid since")
        }
        Happening::PaymentFailed { .. } if !is_last_failure(errand) => {
            unfit("a later failure is written about")
        }
        Happening::PaymentFailed { payment, .. } => Ok(Matter::Failed(payment)),
        Happening::LeadCaptured
        | Happening::LeadCorrected { .. }
        | Happening::ConsentChanged
        | Happening::CheckoutStarted { .. } => unfit("buyers are written to about payments alone"),
    }
}

/// By the effect: two events of Stripe's may describe one failure.
fn is_last_failure(errand: &Errand<'_>) -> bool {
    errand.journey.last_failure().is_some_and(|last| last.effect() == errand.fact.effect())
}

#[derive(Serialize)]
struct Mail<'a> {
    personalizations: [Personalization<'a>; 1],
    from: Address<'a>,
    subject: &'a str,
    content: [Content<'a>; 2],
    tracking_settings: Value,
}

#[derive(Serialize)]
struct Personalization<'a> {
    to: [Address<'a>; 1],
    custom_args: Value,
}

#[derive(Serialize)]
struct Address<'a> {
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    value: &'a str,
}

#[cfg(test)]
mod tests;
