//! Slack: one message to the people who run the business, by an incoming webhook.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>. The address is the
//! secret. What people typed is sent as plain text, so that no mark-up, mention or link can be in it.

use super::{Skip, amount::amount};
use delivery::courier::{Errand, Receipt};
use domain::attribution::Field;
use domain::contact::{Contact, Language};
use domain::delivery::SkipReason;
use domain::fact::{Happening, Payment};
use domain::fault::{Fault, Remedy};
use lambda::secret::Secret;
use outbound::{Answer, Body, HeaderMap, Method, Outbound};
use secrecy::ExposeSecret;
use serde::Serialize;

/// The header in which Slack names a request.
const REQUEST_ID: &str = "x-slack-unique-id";
/// The longest text of a field (<https://docs.slack.dev/reference/block-kit/blocks/section-block>).
const LONGEST_FIELD: usize = 2000;

/// An incoming webhook.
pub(super) struct Slack {
    outbound: Outbound,
    webhook_url: Secret,
}

/// One message.
pub struct Call {
    body: Vec<u8>,
}

/// A message before it is put into blocks: a line, and what belongs to it.
struct Note {
    title: String,
    facts: Vec<(&'static str, String)>,
}

impl Call {
    /// The body, byte for byte.
    pub(super) fn statement(&self) -> &[u8] {
        &self.body
    }
}

impl Slack {
    /// Opens the way to Slack.
    pub(super) fn new(outbound: Outbound, webhook_url: Secret) -> Self {
        Self { outbound, webhook_url }
    }

    /// What it knows us by.
    pub(super) fn secret(&self) -> &Secret {
        &self.webhook_url
    }

    /// Writes the note that an effect calls for.
    pub(super) fn prepare(&self, errand: &Errand<'_>) -> Result<Call, Skip> {
        if !self.webhook_url.is_configured() {
            let detail = "Slack is off: the secret SLACK_WEBHOOK_URL is empty";
            return Err((SkipReason::NotConfigured, detail));
        }
        let detail = "the business hears of leads, payments and refunds alone";
        let note = note(errand).ok_or((SkipReason::NotApplicable, detail))?;
        // Texts under texts always encode.
        Ok(Call { body: serde_json::to_vec(&Message::of(&note)).unwrap_or_default() })
    }

    /// Posts the note.
    pub(super) async fn send(&self, call: Call, attempt: u32) -> Result<Receipt, Fault> {
        let url = self.webhook_url.expose()?;
        let call = outbound::Call {
            verb: "post_message",
            method: Method::POST,
            url: url.expose_secret().trim(),
            headers: HeaderMap::new(),
            body: Body::Json(call.body),
            attempt,
        };
        let answer = self.outbound.call(call).await?;
        match answer.status() {
            200..=299 => Ok(receipt(&answer)),
            // No such webhook, an archived channel, a workspace that forbids it: the address is to
            // be replaced (https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks).
            401 | 403 | 404 | 410 => {
                self.webhook_url.refused().await;
                Err(Fault { remedy: Remedy::Setup, ..fault(&answer) })
            }
            _ => Err(fault(&answer)),
        }
    }
}

/// Slack says `ok`; a success in other words is not Slack's.
fn receipt(answer: &Answer) -> Receipt {
    let request_id = answer.header(REQUEST_ID).map(str::to_owned);
    let unverifiable = answer.text().trim() != "ok";
    Receipt { unverifiable, request_id, ..Receipt::default() }
}

/// Slack's errors are one word; anything longer is somebody else's.
fn fault(answer: &Answer) -> Fault {
    let fault = answer.fault(REQUEST_ID);
    let is_letter = |c: char| c.is_ascii_lowercase() || c == '_';
    match answer.text().trim() {
        word if !word.is_empty() && word.len() <= 64 && word.chars().all(is_letter) => {
            Fault { seen: fault.seen.with_code(word), ..fault }
        }
        _ => fault,
    }
}

fn note(errand: &Errand<'_>) -> Option<Note> {
    let sum = |payment: &Payment| amount(payment.amount, Language::English);
    let (title, mut facts) = match &errand.fact.happening {
        Happening::LeadCaptured => ("New lead".to_owned(), of_visit(errand)),
        Happening::PaymentSucceeded { payment } => {
            (format!("Payment of {}", sum(payment)), of_payment(errand, payment))
        }
        Happening::PaymentRefunded { payment, .. } => {
            (format!("Refund of {}", sum(payment)), of_payment(errand, payment))
        }
        Happening::LeadCorrected { .. }
        | Happening::ConsentChanged
        | Happening::CheckoutStarted { .. }
        | Happening::PaymentFailed { .. } => return None,
    };
    facts.push(("Journey", errand.id.event_id.to_string()));
    facts.splice(0..0, of_contact(errand.contact));
    Some(Note { title, facts })
}

fn of_contact(contact: &Contact) -> Vec<(&'static str, String)> {
    let name = contact.full_name.as_ref().map(|name| name.expose());
    let phone = contact.phone.as_ref().map(|phone| phone.expose());
    [("Name", name), ("E-mail", Some(contact.email.expose())), ("Phone", phone)]
        .into_iter()
        .filter_map(|(label, value)| Some((label, value?.to_owned())))
        .collect()
}

fn of_visit(errand: &Errand<'_>) -> Vec<(&'static str, String)> {
    let context = errand.journey.context();
    let campaign = [Field::UtmSource, Field::UtmMedium, Field::UtmCampaign]
        .into_iter()
        .filter_map(|field| context.get(field))
        .collect::<Vec<_>>()
        .join(" / ");
    if campaign.is_empty() { Vec::new() } else { vec![("Came from", campaign)] }
}

fn of_payment(errand: &Errand<'_>, payment: &Payment) -> Vec<(&'static str, String)> {
    let order = errand.journey.order_of(&payment.payment_intent);
    let bought = order.map(|order| format!("{} × {}", order.quantity, order.product_name));
    let mut facts: Vec<_> = bought.map(|bought| ("Bought", bought)).into_iter().collect();
    facts.push(("Payment", payment.payment_intent.to_string()));
    facts
}

/// Slack reads these three as control characters in every text, and these three alone
/// (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[derive(Serialize)]
struct Message {
    text: String,
    /// `text` is what notifications show: no bold, italics or code may come out of a name.
    mrkdwn: bool,
    unfurl_links: bool,
    unfurl_media: bool,
    blocks: (Header, Section),
}

#[derive(Serialize)]
struct Header {
    r#type: &'static str,
    text: Plain,
}

#[derive(Serialize)]
struct Section {
    r#type: &'static str,
    fields: Vec<Plain>,
}

/// Text without mark-up: `*`, `_`, `~` and backquotes mean themselves in it.
#[derive(Serialize)]
struct Plain {
    r#type: &'static str,
    text: String,
    emoji: bool,
}

impl Message {
    fn of(note: &Note) -> Self {
        let lines = note.facts.iter().map(|(label, value)| format!("{label}: {value}"));
        let fields: Vec<Plain> = lines.map(|line| Plain::of(&line)).collect();
        // A notification shows whom it is about, and nothing else that is personal.
        let about = note.facts.first().map_or("", |(_, value)| value);
        Self {
            text: escaped(&format!("{} – {about}", note.title)),
            mrkdwn: false,
            unfurl_links: false,
            unfurl_media: false,
            blocks: (
                Header { r#type: "header", text: Plain::of(&note.title) },
                Section { r#type: "section", fields },
            ),
        }
    }
}

impl Plain {
    fn of(text: &str) -> Self {
        let text = text.chars().take(LONGEST_FIELD / 5).collect::<String>();
        Self { r#type: "plain_text", text: escaped(&text), emoji: false }
    }
}

#[cfg(test)]
mod tests;
