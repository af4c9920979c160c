//! Reads fields one by one, and gathers what is wrong with any of them.

use crate::body::{Node, Object};
use domain::Refusal;
use lambda::http::FieldError;
use std::ops::RangeInclusive;

/// Longer texts are no answer to anything we ask, and are not worth a parser's time.
const LONGEST_TEXT: usize = 2000;

/// The fields of an object, with what was wrong so far. A field is named as the caller knows it;
/// its name in the object is what follows the last dot.
pub(crate) struct Fields<'a> {
    object: &'a Object,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(object: &'a Object) -> Self {
        Self { object, errors: Vec::new() }
    }

    /// A text that must be there.
    pub(crate) fn required<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        match self.text(field) {
            Ok(Some(text)) => self.parsed(field, parse(text)),
            Ok(None) => self.refuse(field, Refusal("is missing")),
            Err(refusal) => self.refuse(field, refusal),
        }
    }

    /// A text that may be missing, null or blank.
    pub(crate) fn optional<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        match self.text(field) {
            Ok(Some(text)) => self.parsed(field, parse(text)),
            Ok(None) => None,
            Err(refusal) => self.refuse(field, refusal),
        }
    }

    /// A whole number within a range.
    pub(crate) fn whole(
        &mut self,
        field: &'static str,
        default: u32,
        range: RangeInclusive<u32>,
        rule: Refusal,
    ) -> u32 {
        let number = match self.object.get(key(field)) {
            None | Some(Node::Null) => return default,
            Some(Node::Number(number)) => whole(number),
            Some(Node::Flag(_) | Node::Text(_) | Node::List | Node::Object(_)) => None,
        };
        number.filter(|number| range.contains(number)).unwrap_or_else(|| {
            self.refuse::<u32>(field, rule);
            default
        })
    }

    /// A text that must be there, and that some write as a number: a version.
    pub(crate) fn required_word<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        match self.object.get(key(field)) {
            Some(Node::Number(number)) => match whole(number) {
                Some(number) => self.parsed(field, parse(&number.to_string())),
                None => self.refuse(field, Refusal("must be a text or a whole number")),
            },
            Some(Node::Null | Node::Flag(_) | Node::Text(_) | Node::List | Node::Object(_))
            | None => self.required(field, parse),
        }
    }

    /// A yes or no in any of the spellings of pages and boxes; missing is no.
    pub(crate) fn flag(&mut self, field: &'static str) -> bool {
        const RULE: Refusal = Refusal("must be true or false");
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "granted" | "on" => Ok(true),
            "false" | "denied" | "off" => Ok(false),
            _ => Err(RULE),
        };
        match self.object.get(key(field)) {
            Some(Node::Flag(flag)) => *flag,
            Some(Node::Number(_)) => self.refuse(field, RULE).unwrap_or(false),
            Some(Node::Text(_) | Node::Null | Node::List | Node::Object(_)) | None => {
                self.optional(field, parse).unwrap_or(false)
            }
        }
    }

    /// An object inside; its own faults are added to these by [`Fields::take`].
    pub(crate) fn object(&mut self, field: &'static str) -> Option<&'a Object> {
        match self.object.get(key(field)) {
            Some(Node::Object(object)) => Some(object),
            Some(Node::Null) | None => None,
            Some(Node::Flag(_) | Node::Number(_) | Node::Text(_) | Node::List) => {
                self.refuse(field, Refusal("must be an object"))
            }
        }
    }

    /// Adds the faults of an object inside.
    pub(crate) fn take<T>(&mut self, inner: Result<T, Vec<FieldError>>) -> Option<T> {
        inner.map_err(|errors| self.errors.extend(errors)).ok()
    }

    /// Notes that a field must be there.
    pub(crate) fn missing(&mut self, field: &'static str) {
        self.errors.push(FieldError { field, detail: "is missing" });
    }

    /// The whole, or all faults. A whole that lacks a part without a fault cannot be: the part
    /// that is missing is among the faults.
    pub(crate) fn finish<T>(self, whole: Option<T>) -> Result<T, Vec<FieldError>> {
        match whole {
            Some(whole) if self.errors.is_empty() => Ok(whole),
            Some(_) | None => Err(self.errors),
        }
    }

    fn text(&self, field: &'static str) -> Result<Option<&'a str>, Refusal> {
        let text = match self.object.get(key(field)) {
            Some(Node::Text(text)) => text.trim(),
            Some(Node::Null) | None => return Ok(None),
            Some(Node::Flag(_) | Node::Number(_) | Node::List | Node::Object(_)) => {
                return Err(Refusal("must be a text"));
            }
        };
        match text.len() {
            0 => Ok(None),
            1..=LONGEST_TEXT => Ok(Some(text)),
            _ => Err(Refusal("is too long")),
        }
    }

    fn parsed<T>(&mut self, field: &'static str, result: Result<T, Refusal>) -> Option<T> {
        result.map_or_else(|refusal| self.refuse(field, refusal), Some)
    }

    fn refuse<T>(&mut self, field: &'static str, refusal: Refusal) -> Option<T> {
        self.errors.push(FieldError { field, detail: refusal.0 });
        None
    }
}

/// JSON has one kind of number: `1` and `1.0` are the same.
fn whole(number: &serde_json::Number) -> Option<u32> {
    let text = number.to_string();
    text.strip_suffix(".0").unwrap_or(&text).parse().ok()
}

/// `consent.marketing` → `marketing`.
fn key(field: &'static str) -> &'static str {
    field.rsplit('.').next().unwrap_or(field)
}
