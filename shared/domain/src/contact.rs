//! Who somebody is and how to reach them. `parse` is the only way in, `expose` the only way out;
//! `Debug` prints a placeholder and `Display` does not exist, so that no log line can hold a person.

use crate::Refusal;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! personal_text {
    ($name:ident, $placeholder:literal) => {
        impl $name {
            /// The text itself, for the ledger and for a vendor's body; never for a log, key or URL.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($placeholder)
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }
    };
}

/// An e-mail address in the form mail servers compare: trimmed, the domain in lower-case ASCII.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);
personal_text!(EmailAddress, "[email]");

impl EmailAddress {
    /// Reads an address, quoted local parts and international domains included.
    ///
    /// # Errors
    /// Refuses more than 254 bytes (RFC 5321 §4.5.3.1), local parts over 64, blanks and control
    /// characters, and domains without a dot.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        const SHAPE: Refusal = Refusal("must be an e-mail address");
        let (local, domain) = text.trim().rsplit_once('@').ok_or(SHAPE)?;
        let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
        let stray = |c: char| {
            c.is_control() || (!quoted && (c.is_whitespace() || "@\"<>(),;:\\[]".contains(c)))
        };
        if local.is_empty() || local.len() > 64 || local.chars().any(stray) {
            return Err(SHAPE);
        }
        if !quoted && (local.starts_with('.') || local.ends_with('.') || local.contains("..")) {
            return Err(SHAPE);
        }
        let Ok(url::Host::Domain(domain)) = url::Host::parse(domain) else { return Err(SHAPE) };
        let labels_fit = domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
        if !domain.contains('.') || !labels_fit {
            return Err(SHAPE);
        }
        let address = format!("{local}@{domain}");
        if address.len() > 254 {
            Err(Refusal("must be at most 254 bytes"))
        } else {
            Ok(Self(address))
        }
    }

    /// The spelling under which two addresses are the same person: all in lower case.
    #[must_use]
    pub fn identity(&self) -> String {
        self.0.to_lowercase()
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

/// A telephone number in E.164 (`+351912345678`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);
personal_text!(PhoneNumber, "[phone]");

/// The country whose numbers may be written without their code. The first customers are in Portugal.
const HOME: Region = Region::PT;

impl PhoneNumber {
    /// Reads a number as people write it: national Portuguese, `00` or `+` before a country code.
    ///
    /// # Errors
    /// Refuses what is no valid number of its country's numbering plan.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        const SHAPE: Refusal =
            Refusal("must be a telephone number, with its country code unless it is Portuguese");
        if text.len() > 40 {
            return Err(SHAPE);
        }
        let international = match text.trim().strip_prefix("00") {
            Some(rest) => format!("+{rest}"),
            None => text.trim().to_owned(),
        };
        // Written without the plus: 351912345678. No Portuguese number begins so.
        let candidates = [international.clone(), format!("+{international}")];
        candidates
            .iter()
            .filter_map(|candidate| PHONE_NUMBER_UTIL.parse(candidate, Some(HOME)).ok())
            .find(|number| PHONE_NUMBER_UTIL.is_valid_number(number))
            .map(|number| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned())
            .map(Self)
            .ok_or(SHAPE)
    }

    /// Unpacks the numbering plans, which takes some 4 ms of CPU once: for whoever reads what visitors
    /// type, while it starts. Lambda gives a start a whole processor, and an event its share of one.
    pub fn prepare() {
        drop(Self::parse("912345678"));
    }

    /// Takes a number that we wrote ourselves, in the ledger or beside a payment: it has passed
    /// [`PhoneNumber::parse`] once, and only its shape is looked at. The numbering plans of the world
    /// take milliseconds to unpack; what no visitor typed does without them.
    ///
    /// # Errors
    /// Refuses what is not E.164: a plus and 7 to 15 digits, the first of them not 0.
    /// <https://www.itu.int/rec/T-REC-E.164>
    pub fn kept(text: &str) -> Result<Self, Refusal> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let fits = (7..=15).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0');
        fits.then(|| Self(text.to_owned())).ok_or(Refusal("must be a telephone number in E.164"))
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::kept(&text)
    }
}

/// A person's name in full Unicode, without characters that nobody can see.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FullName(String);
personal_text!(FullName, "[name]");

impl FullName {
    /// Reads a name: blanks folded, control, zero-width and direction characters dropped.
    ///
    /// # Errors
    /// Refuses a name in which nothing can be seen and one of more than 200 characters.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let visible: String =
            text.chars().filter(|c| c.is_whitespace() || !is_unseen(*c)).collect();
        let name = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.chars().all(|c| c == JOINER || c == ' ') {
            return Err(Refusal("must not be empty"));
        }
        match name.chars().count() {
            0..=200 => Ok(Self(name)),
            201.. => Err(Refusal("must be at most 200 characters")),
        }
    }

    /// The first word: what the CRM calls the first name.
    #[must_use]
    pub fn given(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// All words but the first; empty where there is one alone.
    #[must_use]
    pub fn family(&self) -> &str {
        self.0.split_once(' ').map_or("", |(_, rest)| rest)
    }
}

impl TryFrom<String> for FullName {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

/// It joins two characters and is none itself; names in several Indian scripts need it.
const JOINER: char = '\u{200D}';

/// Control characters, zero-width characters and the marks that turn the direction of text; not
/// the [`JOINER`].
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}' | '\u{200C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{00AD}')
}

/// The language we write to somebody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Language {
    /// European Portuguese.
    #[default]
    #[serde(rename = "pt-PT")]
    Portuguese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// Reads a BCP 47 tag: any Portuguese is `pt-PT`, anything else is English.
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        if tag.trim().to_ascii_lowercase().starts_with("pt") {
            Self::Portuguese
        } else {
            Self::English
        }
    }

    /// The tag: `pt-PT` or `en`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Portuguese => "pt-PT",
            Self::English => "en",
        }
    }
}

/// How to reach a person: what a lead form asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The address; its keyed hash is the person's key.
    pub email: EmailAddress,
    /// The name as the person wrote it.
    pub full_name: Option<FullName>,
    /// The telephone number.
    pub phone: Option<PhoneNumber>,
    /// The language of our messages.
    #[serde(default)]
    pub language: Language,
}

#[cfg(test)]
mod tests;
