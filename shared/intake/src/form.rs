//! What an HTML form sends, brought into the shape of the JSON body: `consent_marketing=on` becomes
//! `marketing` of `consent`, and a box that is not ticked, which a form leaves out, is a refusal.

use crate::body::{Malformed, Node, Object};
use std::collections::BTreeMap;

/// How the fields of a consent begin in a form.
const CONSENT: &str = "consent_";
/// What stands for an octet that is no UTF-8.
const REPLACEMENT: char = '\u{FFFD}';

pub(crate) fn read(bytes: &[u8]) -> Result<Object, Malformed> {
    let (mut fields, mut consent) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in url::form_urlencoded::parse(bytes) {
        if name.contains(REPLACEMENT) || value.contains(REPLACEMENT) {
            return Err(Malformed::NotUtf8);
        }
        let (place, name) = match name.strip_prefix(CONSENT) {
            Some(name) => (&mut consent, name.to_owned()),
            None => (&mut fields, name.into_owned()),
        };
        let value = match value.parse::<u32>() {
            // Everything in a form is text; this one is a number in JSON.
            Ok(number) if name == "revision" => Node::Number(number.into()),
            Ok(_) | Err(_) => Node::Text(value.into_owned()),
        };
        if place.insert(name, value).is_some() {
            return Err(Malformed::DuplicateField);
        }
    }
    if !consent.is_empty() {
        // A form asks by boxes; one that asks otherwise says so.
        consent.entry("method".to_owned()).or_insert(Node::Text("checkbox".to_owned()));
        fields.insert("consent".to_owned(), Node::Object(Object(consent)));
    }
    Ok(Object(fields))
}
