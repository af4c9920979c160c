//! Keyed hashes: how a person, an IP address or a body is named where it must not be known.
//!
//! A plain hash of an e-mail can be guessed from a list of e-mails; an HMAC under a secret pepper
//! cannot. The pepper carries a version, which every hash begins with, so that it can be changed.

use crate::Refusal;
use crate::contact::EmailAddress;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use std::net::IpAddr;

/// The secret behind every keyed hash.
#[derive(Clone)]
pub struct Pepper {
    version: String,
    key: Vec<u8>,
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[pepper {}]", self.version)
    }
}

/// The name of a person in keys, messages and logs: `v1_` and 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonKey(String);

impl PersonKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes a key that the ledger holds.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }
}

impl Pepper {
    /// Reads `<version>:<hexadecimal digits>`, at least 32 bytes of key.
    ///
    /// # Errors
    /// Refuses other shapes and shorter keys.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        const SHAPE: Refusal =
            Refusal("must be a version, a colon and at least 64 hexadecimal digits, as in v1:3f…");
        let (version, digits) = text.trim().split_once(':').ok_or(SHAPE)?;
        let key = hex::decode(digits).map_err(|_| SHAPE)?;
        let named =
            (1..=8).contains(&version.len()) && version.bytes().all(|b| b.is_ascii_alphanumeric());
        if named && key.len() >= 32 {
            Ok(Self { version: version.to_owned(), key })
        } else {
            Err(SHAPE)
        }
    }

    /// The key of the person behind an address.
    #[must_use]
    pub fn person(&self, email: &EmailAddress) -> PersonKey {
        PersonKey(self.keyed("person", email.identity().as_bytes()))
    }

    /// The key of an address on the internet; IPv6 counts by /64, which is one household.
    #[must_use]
    pub fn ip(&self, address: IpAddr) -> String {
        match address.to_canonical() {
            IpAddr::V4(v4) => self.keyed("ip", &v4.octets()),
            IpAddr::V6(v6) => self.keyed("ip", &v6.octets()[..8]),
        }
    }

    /// The digest of a content, to tell whether two are the same.
    #[must_use]
    pub fn digest(&self, content: &[u8]) -> String {
        self.keyed("digest", content)
    }

    fn keyed(&self, purpose: &str, content: &[u8]) -> String {
        // HMAC takes a key of any length, so this constructor cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return String::new() };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(content);
        let hash = hex::encode(&mac.finalize().into_bytes()[..16]);
        format!("{}_{hash}", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::Pepper;
    use crate::contact::EmailAddress;

    fn pepper(byte: &str) -> Pepper {
        Pepper::parse(&format!("v1:{}", byte.repeat(32))).unwrap()
    }

    #[test]
    fn one_person_has_one_key_whatever_the_case_of_the_address() {
        let (a, b) = (
            EmailAddress::parse("Ana@example.pt").unwrap(),
            EmailAddress::parse("ana@EXAMPLE.pt").unwrap(),
        );
        assert_eq!(pepper("ab").person(&a), pepper("ab").person(&b));
        assert_ne!(pepper("ab").person(&a), pepper("ac").person(&a));
        assert!(pepper("ab").person(&a).as_str().starts_with("v1_"));
    }

    #[test]
    fn a_household_with_ipv6_is_one_address() {
        let key = |ip: &str| pepper("ab").ip(ip.parse().unwrap());
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }

    #[test]
    fn a_short_or_blank_pepper_is_refused() {
        for text in ["", "v1:", "v1:abcd", ":ab", "abababab", &format!("v1:{}", "zz".repeat(32))] {
            assert!(Pepper::parse(text).is_err(), "{text}");
        }
        let named = |version: &str, bytes| format!("{version}:{}", "ab".repeat(bytes));
        for (version, bytes, fits) in
            [("v1", 32, true), ("v1", 31, false), ("v-1", 32, false), ("version12", 32, false)]
        {
            assert_eq!(Pepper::parse(&named(version, bytes)).is_ok(), fits, "{version}, {bytes}");
        }
    }
}
