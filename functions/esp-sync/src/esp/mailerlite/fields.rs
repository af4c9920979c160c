//! A subscriber's fields. All but MailerLite's own (`name`, `last_name`, `phone`) must exist in
//! MailerLite, as texts, before the first subscriber is sent: it drops unknown ones in silence.

use delivery::courier::Errand;
use domain::attribution::Field;
use domain::consent::{Consent, MarketingContact};
use domain::fold::{Person, Stage};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Fields by key.
pub(super) type Fields = BTreeMap<&'static str, String>;

/// Maps the fold of a person's facts; what is not known is left as MailerLite has it.
pub(super) fn fields(contact: MarketingContact<'_>, errand: &Errand<'_>) -> Fields {
    let person = errand.person;
    let utm = Field::UTM.map(|field| (field.name(), person.context.get(field)));
    of_contact(contact)
        .into_iter()
        .chain(of_journey(person))
        .chain(person.consent.iter().flat_map(of_consent))
        .chain(known(utm))
        .chain(known([("crm_contact_id", errand.crm_contact_id)]))
        .collect()
}

/// A moment as MailerLite reads it, in UTC: `2026-01-05 10:00:00`.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn of_contact(contact: MarketingContact<'_>) -> Fields {
    let contact = contact.contact();
    let name = contact.full_name.as_ref();
    known([
        ("name", name.map(|name| name.given())),
        ("last_name", name.map(|name| name.family())),
        ("phone", contact.phone.as_ref().map(|phone| phone.expose())),
        ("language", Some(contact.language.tag())),
    ])
    .collect()
}

fn of_journey(person: &Person) -> Fields {
    let facts = [
        ("event_id", Some(person.event_id.to_string())),
        ("user_session_id", person.session_id.map(|session| session.to_string())),
        ("lead_created_at", person.lead_created_at.map(moment)),
        ("checkout_started_at", person.checkout_started_at.map(moment)),
        ("payment_status", payment_status(person.stage).map(str::to_owned)),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn payment_status(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Lead | Stage::Checkout => None,
        Stage::Won => Some("paid"),
        Stage::Refunded => Some("refunded"),
    }
}

fn of_consent(consent: &Consent) -> Fields {
    Fields::from([
        ("marketing_consent", consent.marketing.to_string()),
        ("consent_method", consent.method.name().to_owned()),
        ("consent_timestamp", moment(consent.given_at)),
    ])
}

/// What is known of these; an empty value would clear what a person wrote in MailerLite.
fn known<const N: usize>(
    values: [(&'static str, Option<&str>); N],
) -> impl Iterator<Item = (&'static str, String)> {
    values.into_iter().filter_map(|(name, value)| {
        value.filter(|value| !value.is_empty()).map(|value| (name, value.to_owned()))
    })
}
