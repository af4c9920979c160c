//! The properties of a contact. Those that begin with `throughline_` are ours and must exist in
//! HubSpot, as single-line texts, before the first contact is sent.

use domain::attribution::Field;
use domain::consent::Consent;
use domain::contact::{Contact, Language};
use domain::fold::{Person, Stage};
use std::collections::BTreeMap;

/// Properties by internal name: all values are texts, and an empty one clears
/// (<https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide>).
pub(super) type Properties = BTreeMap<&'static str, String>;

/// Where the campaign's parameters go.
const UTM: [(&str, Field); 5] = [
    ("throughline_utm_source", Field::UtmSource),
    ("throughline_utm_medium", Field::UtmMedium),
    ("throughline_utm_campaign", Field::UtmCampaign),
    ("throughline_utm_content", Field::UtmContent),
    ("throughline_utm_term", Field::UtmTerm),
];

/// Maps the fold of a person's facts.
pub(super) fn properties(person: &Person) -> Properties {
    let mut properties = of_contact(&person.contact);
    properties.extend(of_purchase(person));
    properties.extend(of_visit(person));
    properties.extend(person.consent.iter().flat_map(of_consent));
    properties
}

fn of_contact(contact: &Contact) -> Properties {
    let name = contact.full_name.as_ref();
    let optional = [
        ("firstname", name.map(|name| name.given())),
        ("lastname", name.map(|name| name.family())),
        ("phone", contact.phone.as_ref().map(|phone| phone.expose())),
    ];
    let mut properties = Properties::from([
        ("email", contact.email.expose().to_owned()),
        ("hs_language", language(contact.language).to_owned()),
    ]);
    properties.extend(said(optional));
    properties
}

/// The internal values of HubSpot's "Preferred language".
fn language(language: Language) -> &'static str {
    match language {
        Language::Portuguese => "pt-pt",
        Language::English => "en",
    }
}

/// Amount and problem are always said: a refund and a payment must be able to clear them.
fn of_purchase(person: &Person) -> Properties {
    let currency = person
        .paid
        .map(|paid| paid.currency)
        .or(person.order.as_ref().map(|order| order.unit_price.currency));
    let mut properties = Properties::from([
        ("throughline_stage", stage(person.stage).to_owned()),
        ("throughline_amount", person.paid.map_or_else(|| "0".to_owned(), |paid| paid.major())),
        ("throughline_payment_problem", person.payment_problem.clone().unwrap_or_default()),
    ]);
    properties.extend(said([
        ("throughline_currency", currency.as_ref().map(|currency| currency.code())),
        ("throughline_product", person.order.as_ref().map(|order| order.product_id.as_str())),
    ]));
    properties
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Lead => "lead",
        Stage::Checkout => "checkout",
        Stage::Won => "won",
        Stage::Refunded => "refunded",
    }
}

fn of_visit(person: &Person) -> Properties {
    let mut properties = Properties::from([("throughline_event_id", person.event_id.to_string())]);
    let moments = [
        ("throughline_lead_created_at", person.lead_created_at),
        ("throughline_checkout_started_at", person.checkout_started_at),
    ];
    properties.extend(moments.into_iter().filter_map(|(name, at)| Some((name, at?.to_string()))));
    properties.extend(said(UTM.map(|(name, field)| (name, person.context.get(field)))));
    properties
}

fn of_consent(consent: &Consent) -> Properties {
    Properties::from([
        ("throughline_consent_marketing", consent.marketing.to_string()),
        ("throughline_consent_analytics", consent.analytics.to_string()),
        ("throughline_consent_method", consent.method.name().to_owned()),
        ("throughline_consent_timestamp", consent.given_at.to_string()),
        ("throughline_consent_version", consent.version.clone()),
    ])
}

/// What is known of these; an empty value would clear what a person wrote in HubSpot.
fn said<const N: usize>(
    values: [(&'static str, Option<&str>); N],
) -> impl Iterator<Item = (&'static str, String)> {
    values.into_iter().filter_map(|(name, value)| {
        value.filter(|value| !value.is_empty()).map(|value| (name, value.to_owned()))
    })
}
