//! What the vendors hold in the end, by their own memory and not by the ledger's.

use super::clients::{Journey, Kind};
use crate::sandbox::Seen;
use crate::stack::Stack;
use domain::destination::Destination::{self, Hubspot, Mailerlite, Sendgrid, Sgtm, Slack};
use serde_json::Value;
use std::collections::BTreeMap;

/// How a destination can be told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Law {
    /// It keeps a state, which in the end says what the facts say.
    State,
    /// It knows a call by its key: to repeat it changes nothing.
    Keyed,
    /// It takes every call for a new one.
    Once,
}

/// Who hears of what, and how. Written down here again: the checker believes no routing.
pub(super) const HEARS: [(Kind, Destination, Law); 17] = [
    (Kind::Lead, Hubspot, Law::State),
    (Kind::Lead, Mailerlite, Law::State),
    (Kind::Lead, Sgtm, Law::Once),
    (Kind::Lead, Slack, Law::Once),
    (Kind::Checkout, Hubspot, Law::State),
    (Kind::Checkout, Mailerlite, Law::State),
    (Kind::Checkout, Sgtm, Law::Once),
    (Kind::Payment, Hubspot, Law::State),
    (Kind::Payment, Mailerlite, Law::State),
    (Kind::Payment, Sgtm, Law::Keyed),
    (Kind::Payment, Sendgrid, Law::Once),
    (Kind::Payment, Slack, Law::Once),
    (Kind::Refund, Hubspot, Law::State),
    (Kind::Refund, Mailerlite, Law::State),
    (Kind::Refund, Sgtm, Law::Once),
    (Kind::Refund, Sendgrid, Law::Once),
    (Kind::Refund, Slack, Law::Once),
];

/// Whether a destination may hear of a visitor who refused.
pub(super) fn needs_consent(destination: Destination) -> bool {
    match destination {
        Mailerlite | Sgtm => true,
        Hubspot | Sendgrid | Slack => false,
    }
}

/// The calls that the vendors took, by journey, kind and vendor.
#[derive(Default)]
pub(super) struct Taken(BTreeMap<(String, Kind, Destination), usize>);

impl Taken {
    /// Reads the journals of those who take calls one by one.
    pub(super) async fn at(stack: &Stack) -> Self {
        let mut taken = Self::default();
        for vendor in [Sgtm, Sendgrid, Slack] {
            let journal = stack.sandbox.journal(vendor.name()).await;
            for seen in journal.iter().filter(|seen| did_its_work(seen)) {
                let named = named(vendor, seen.body());
                let (event_id, kind) =
                    named.unwrap_or_else(|| panic!("{vendor} was sent {}", seen.body()));
                *taken.0.entry((event_id, kind, vendor)).or_default() += 1;
            }
        }
        taken
    }

    /// How often a vendor took one thing.
    pub(super) fn times(&self, journey: &Journey, kind: Kind, vendor: Destination) -> usize {
        let place = (journey.visitor.event_id.to_string(), kind, vendor);
        self.0.get(&place).copied().unwrap_or(0)
    }
}

/// It did unless it refused: faults here either refuse or lose an answer.
fn did_its_work(seen: &Seen) -> bool {
    seen.0["answered"].as_u64().is_none_or(|status| status < 300)
}

/// Which journey a call is about, and what it tells.
fn named(vendor: Destination, body: &Value) -> Option<(String, Kind)> {
    match vendor {
        Sgtm => {
            let event = &body["events"][0];
            let kind = match event["name"].as_str()? {
                "generate_lead" => Kind::Lead,
                "begin_checkout" => Kind::Checkout,
                "purchase" => Kind::Payment,
                "refund" => Kind::Refund,
                _ => return None,
            };
            Some((event["params"]["event_id"].as_str()?.to_owned(), kind))
        }
        Sendgrid => {
            let about = &body["personalizations"][0]["custom_args"];
            let kind = match about["effect"].as_str()?.split_once(':')?.0 {
                "payment_succeeded" => Kind::Payment,
                "payment_refunded" => Kind::Refund,
                _ => return None,
            };
            Some((about["event_id"].as_str()?.to_owned(), kind))
        }
        Slack => {
            let kind = match body["text"].as_str()?.split_whitespace().next()? {
                "New" => Kind::Lead,
                "Payment" => Kind::Payment,
                "Refund" => Kind::Refund,
                _ => return None,
            };
            let text = body.to_string();
            let event_id = text.split_once("Journey: ")?.1.get(..36)?;
            Some((event_id.to_owned(), kind))
        }
        Hubspot | Mailerlite => None,
    }
}

/// How far a vendor with a state believes that a journey has come; nothing where it does not know it.
pub(super) async fn state_at(
    stack: &Stack,
    vendor: Destination,
    journey: &Journey,
) -> Option<Kind> {
    let email = &journey.visitor.email;
    match vendor {
        Hubspot => {
            let path = format!("/hubspot/crm/v3/objects/contacts/{email}?idProperty=email");
            let contact = stack.sandbox.look(&path).await?;
            match contact["properties"]["throughline_stage"].as_str()? {
                "lead" => Some(Kind::Lead),
                "checkout" => Some(Kind::Checkout),
                "won" => Some(Kind::Payment),
                "refunded" => Some(Kind::Refund),
                _ => None,
            }
        }
        Mailerlite => {
            let subscriber =
                stack.sandbox.look(&format!("/mailerlite/subscribers/{email}")).await?;
            let fields = &subscriber["data"]["fields"];
            match (fields["payment_status"].as_str(), fields["checkout_started_at"].as_str()) {
                (Some("paid"), _) => Some(Kind::Payment),
                (Some("refunded"), _) => Some(Kind::Refund),
                (Some(_), _) => None,
                (None, Some(_)) => Some(Kind::Checkout),
                (None, None) => Some(Kind::Lead),
            }
        }
        Sgtm | Sendgrid | Slack => None,
    }
}
