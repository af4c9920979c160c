//! Which properties a HubSpot contact has, and what HubSpot says of those it has not.

use serde_json::{Map, Value, json};

use crate::email;

/// HubSpot's own contact properties that a caller may write
/// (knowledge.hubspot.com/properties/hubspots-default-contact-properties).
const STANDARD: &str = "email firstname lastname salutation jobtitle company phone mobilephone fax \
    address city state zip country website lifecyclestage hs_lead_status hs_language \
    hs_legal_basis hs_marketable_status hs_timezone hubspot_owner_id message date_of_birth gender \
    industry annualrevenue numemployees work_email twitterhandle \
    hs_analytics_source hs_google_click_id hs_facebook_click_id";
/// Our own properties, made in HubSpot before the first sync, begin with this.
const OURS: &str = "throughline_";
/// The internal names of HubSpot's default lifecycle stages.
const STAGES: &str = "subscriber lead marketingqualifiedlead salesqualifiedlead opportunity \
    customer evangelist other";

/// Why HubSpot refuses an input.
pub(super) struct Complaint {
    category: &'static str,
    code: &'static str,
    property: String,
    text: String,
}

impl Complaint {
    fn invalid(code: &'static str, property: &str, text: String) -> Self {
        Self { category: "VALIDATION_ERROR", code, property: property.to_owned(), text }
    }

    /// Another contact has the e-mail.
    pub(super) fn conflict(holder: u64) -> Self {
        Self {
            category: "CONFLICT",
            code: "CONTACT_EXISTS",
            property: "email".to_owned(),
            text: format!("Contact already exists. Existing ID: {holder}"),
        }
    }

    /// The message of the error.
    pub(super) fn message(&self) -> String {
        if self.category == "CONFLICT" {
            return self.text.clone();
        }
        let listed = json!([{
            "isValid": false, "message": self.text, "error": self.code, "name": self.property,
            "localizedErrorMessage": self.text,
        }]);
        format!("Property values were not valid: {listed}")
    }

    /// The error as one of a multi-status answer's `errors`.
    pub(super) fn in_batch(&self, trace: Option<&str>) -> Value {
        json!({
            "status": "error",
            "category": self.category,
            "message": self.message(),
            "context": { "objectWriteTraceId": [trace] },
            "errors": [{
                "message": self.text,
                "code": self.code,
                "context": { "propertyName": [self.property] },
            }],
        })
    }
}

/// What is wrong with an e-mail address.
pub(super) fn check_email(address: &str) -> Option<Complaint> {
    let bad = !email::is_address(address);
    bad.then(|| {
        Complaint::invalid("INVALID_EMAIL", "email", format!("Email address {address} is invalid"))
    })
}

/// The first property that HubSpot does not know, or not with this value.
pub(super) fn check(properties: &Map<String, Value>) -> Option<Complaint> {
    properties.iter().find_map(|(name, value)| check_one(name, value.as_str().unwrap_or_default()))
}

fn check_one(name: &str, value: &str) -> Option<Complaint> {
    if !is_known(name) {
        let text = format!("Property \"{name}\" does not exist");
        return Some(Complaint::invalid("PROPERTY_DOESNT_EXIST", name, text));
    }
    let stage = name == "lifecyclestage" && !value.is_empty();
    if stage && !STAGES.split_ascii_whitespace().any(|stage| stage == value) {
        let text = format!("{value} was not one of the allowed options");
        return Some(Complaint::invalid("INVALID_OPTION", name, text));
    }
    // The limit of a text property: knowledge.hubspot.com/properties/property-field-types-in-hubspot
    (value.chars().count() > 65_536)
        .then(|| Complaint::invalid("INVALID_LENGTH", name, format!("{name} is too long")))
}

fn is_known(name: &str) -> bool {
    let standard = STANDARD.split_ascii_whitespace().any(|known| known == name);
    // HubSpot's internal names: lower-case letters, digits and underscores, at most 100.
    let spelt = |name: &str| {
        name.len() <= 100
            && name.chars().all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '_'))
    };
    standard || (name.starts_with(OURS) && spelt(name))
}
