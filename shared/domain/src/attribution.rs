//! Where a visitor came from: the context a page sends, cut to length and cleaned of people.

use serde::{Deserialize, Serialize};

/// What the page knows of the visit. All optional, all cut to [`LONGEST`] characters, all scrubbed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    fields: std::collections::BTreeMap<Field, String>,
}

/// The fields of a context, by the names pages send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own standard words")]
pub enum Field {
    UtmSource,
    UtmMedium,
    UtmCampaign,
    UtmContent,
    UtmTerm,
    Gclid,
    Gbraid,
    Wbraid,
    Fbclid,
    Referrer,
    LandingPage,
    PageUrl,
    ClientId,
    GaSessionId,
}

impl Field {
    /// Every field, in the order of the contract.
    pub const ALL: [Self; 14] = [
        Self::UtmSource,
        Self::UtmMedium,
        Self::UtmCampaign,
        Self::UtmContent,
        Self::UtmTerm,
        Self::Gclid,
        Self::Gbraid,
        Self::Wbraid,
        Self::Fbclid,
        Self::Referrer,
        Self::LandingPage,
        Self::PageUrl,
        Self::ClientId,
        Self::GaSessionId,
    ];

    /// The campaign's five parameters.
    pub const UTM: [Self; 5] =
        [Self::UtmSource, Self::UtmMedium, Self::UtmCampaign, Self::UtmContent, Self::UtmTerm];

    /// The name in JSON, forms and metadata.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UtmSource => "utm_source",
            Self::UtmMedium => "utm_medium",
            Self::UtmCampaign => "utm_campaign",
            Self::UtmContent => "utm_content",
            Self::UtmTerm => "utm_term",
            Self::Gclid => "gclid",
            Self::Gbraid => "gbraid",
            Self::Wbraid => "wbraid",
            Self::Fbclid => "fbclid",
            Self::Referrer => "referrer",
            Self::LandingPage => "landing_page",
            Self::PageUrl => "page_url",
            Self::ClientId => "client_id",
            Self::GaSessionId => "ga_session_id",
        }
    }

    /// Whether the field may hold a run of digits long enough to look like a telephone number.
    fn holds_ids(self) -> bool {
        match self {
            Self::Gclid
            | Self::Gbraid
            | Self::Wbraid
            | Self::Fbclid
            | Self::ClientId
            | Self::GaSessionId => true,
            Self::UtmSource
            | Self::UtmMedium
            | Self::UtmCampaign
            | Self::UtmContent
            | Self::UtmTerm
            | Self::Referrer
            | Self::LandingPage
            | Self::PageUrl => false,
        }
    }
}

/// The longest value kept, in characters: what Google Analytics keeps of a page's address.
pub const LONGEST: usize = 1000;

impl Context {
    /// Keeps a value under its field, cut and scrubbed; an empty one is dropped.
    pub fn insert(&mut self, field: Field, value: &str) {
        let value: String = value.trim().chars().filter(|c| !c.is_control()).collect();
        let value: String = scrub(&value, field.holds_ids()).chars().take(LONGEST).collect();
        if !value.is_empty() {
            self.fields.insert(field, value);
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&str> {
        self.fields.get(&field).map(String::as_str)
    }

    /// What `self` knows, completed from an older context.
    #[must_use]
    pub fn or(&self, older: &Self) -> Self {
        let mut fields = older.fields.clone();
        fields.extend(self.fields.iter().map(|(field, value)| (*field, value.clone())));
        Self { fields }
    }
}

/// Takes e-mail addresses, Stripe's client secrets and (but in ids) telephone numbers out of a text.
fn scrub(text: &str, holds_ids: bool) -> String {
    // Delimiters of URLs, and blanks within: a number may be written with some.
    each(text, &['&', '?', '#', '=', ';', ',', '/'], |part| {
        if !holds_ids && is_phone(&decoded(part)) {
            return REDACTED.to_owned();
        }
        each(part, &[' '], |word| {
            if is_personal(&decoded(word)) { REDACTED.to_owned() } else { word.to_owned() }
        })
    })
}

const REDACTED: &str = "redacted";

/// How the names of parameters end in which advertisers' networks number a click, in lower case.
const CLICKS: [&str; 5] = ["clid", "clkid", "braid", "sccid", "fat_id"];

/// An address without the ids of clicks, in its query or in its fragment. The rest of it stays as it is.
#[must_use]
pub fn without_clicks(address: &str) -> String {
    let is_click = |parameter: &&str| {
        let name = parameter.split_once('=').map(|(name, _)| name.to_ascii_lowercase());
        name.is_some_and(|name| CLICKS.iter().any(|end| name.ends_with(end)))
    };
    let mut rest = String::new();
    for (place, part) in address.split_inclusive(['?', '#']).enumerate() {
        let (parameters, end) = match part.char_indices().last() {
            Some((at, '?' | '#')) => part.split_at(at),
            Some(_) | None => (part, ""),
        };
        let is_path = place == 0;
        let kept = parameters.split('&').filter(|one| is_path || !is_click(one));
        let kept: Vec<&str> = kept.collect();
        if kept.is_empty() {
            // Of "?gclid=1" the mark goes too.
            rest.truncate(rest.trim_end_matches(['?', '#']).len());
        }
        rest += &kept.join("&");
        rest += end;
    }
    rest
}

/// Changes each part of a text, and leaves what stands between them.
fn each(text: &str, between: &[char], change: impl Fn(&str) -> String) -> String {
    let parts = text.split_inclusive(between).map(|token| {
        let part = token.trim_end_matches(between);
        change(part) + token.get(part.len()..).unwrap_or_default()
    });
    parts.collect()
}

/// What is percent-encoded is decoded only to look, so that `ana%40example.pt` is found, and the whole
/// of it goes.
fn decoded(part: &str) -> String {
    part.to_ascii_lowercase().replace("%40", "@").replace("%2b", "+").replace("%20", " ")
}

fn is_personal(word: &str) -> bool {
    let email = word
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    email || word.contains("_secret_") || word.starts_with("sk_") || word.starts_with("whsec_")
}

/// Nine to fifteen digits, perhaps with a plus, separators and blanks, and nothing else.
fn is_phone(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    (9..=15).contains(&digits) && part.chars().all(|c| c.is_ascii_digit() || "+-.() ".contains(c))
}

#[cfg(test)]
mod tests {
    use super::{Context, Field, LONGEST, without_clicks};

    #[test]
    fn an_address_loses_the_ids_of_clicks_and_nothing_else() {
        for (address, rest) in [
            ("https://e.pt/?gclid=1", "https://e.pt/"),
            ("https://e.pt/?gclid=1#a", "https://e.pt/#a"),
            ("https://e.pt/?gclid=1&b=2", "https://e.pt/?b=2"),
            ("https://e.pt/?a=1&GCLID=1&wbraid=2&b", "https://e.pt/?a=1&b"),
            ("https://e.pt/?msclkid=1&ScCid=2&li_fat_id=3&fbclid=4", "https://e.pt/"),
            ("https://e.pt/#/prices?gclid=1&a=1", "https://e.pt/#/prices?a=1"),
            ("https://e.pt/?a=1#gclid=1", "https://e.pt/?a=1"),
            ("https://e.pt/gclid=?q=gclid&gclidx=1&&#", "https://e.pt/gclid=?q=gclid&gclidx=1&&#"),
            ("", ""),
            ("é", "é"),
        ] {
            assert_eq!(without_clicks(address), rest, "{address}");
        }
    }

    fn kept(field: Field, value: &str) -> String {
        let mut context = Context::default();
        context.insert(field, value);
        context.get(field).unwrap_or_default().to_owned()
    }

    #[test]
    fn addresses_lose_people_and_secrets() {
        assert_eq!(
            kept(
                Field::PageUrl,
                "https://example.pt/obrigado?email=ana.silva%40example.pt&tel=+351912345678&x=1"
            ),
            "https://example.pt/obrigado?email=redacted&tel=redacted&x=1"
        );
        assert_eq!(
            kept(
                Field::LandingPage,
                "https://example.pt/?payment_intent_client_secret=pi_1_secret_2&ok=1"
            ),
            "https://example.pt/?payment_intent_client_secret=redacted&ok=1"
        );
        assert_eq!(kept(Field::UtmTerm, "ana@example.pt"), "redacted");
    }

    #[test]
    fn what_only_looks_like_somebody_or_a_secret_is_kept() {
        for value in [
            "sk_test_1",
            "whsec_1",
            "pi_1_secret_2",
            "ana@example.pt",
            "912345678",
            "912 345 678",
            "%2B351%20912%20345%20678",
            "912\u{1}345\u{1}678",
        ] {
            assert_eq!(kept(Field::UtmTerm, value), "redacted", "{value}");
        }
        for value in ["@example.pt", "ana@home", "ask_me", "12345678"] {
            assert_eq!(kept(Field::UtmTerm, value), value);
        }
    }

    #[test]
    fn the_newer_word_on_a_field_counts_and_the_older_one_fills_what_is_left() {
        let (mut older, mut newer) = (Context::default(), Context::default());
        older.insert(Field::UtmSource, "news");
        older.insert(Field::UtmTerm, "coffee");
        newer.insert(Field::UtmSource, "ads");
        let both = newer.or(&older);
        assert_eq!(
            (both.get(Field::UtmSource), both.get(Field::UtmTerm)),
            (Some("ads"), Some("coffee"))
        );
        assert_eq!(Field::UtmSource.name(), "utm_source");
    }

    #[test]
    fn ids_of_google_keep_their_digits() {
        assert_eq!(kept(Field::ClientId, "1234567890.1700000000"), "1234567890.1700000000");
        assert_eq!(kept(Field::GaSessionId, "1700000000"), "1700000000");
    }

    #[test]
    fn values_are_cut_and_empty_ones_dropped() {
        assert_eq!(kept(Field::Referrer, &"x".repeat(5000)).len(), LONGEST);
        let before = "x".repeat(LONGEST - 12);
        let straddles = kept(Field::Referrer, &format!("{before}?ana.silva@example.pt"));
        assert_eq!(straddles, format!("{before}?redacted"), "its beginning is hers too");
        let mut context = Context::default();
        context.insert(Field::Gclid, "  ");
        assert_eq!(context, Context::default());
    }
}
