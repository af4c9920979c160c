//! Hashed user data, normalised as Google's Measurement Protocol wants it.
//!
//! <https://developers.google.com/analytics/devguides/collection/ga4/uid-data>: trimmed, in lower
//! case, SHA-256 in hexadecimal; of addresses at gmail.com and googlemail.com the dots before the
//! domain are removed (and, unlike at Google Ads, a `+suffix` stays).

use domain::consent::MarketingContact;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What Google may match a person by. Made only of a contact that may be used for marketing.
#[derive(Serialize)]
pub(super) struct UserData {
    sha256_email_address: [String; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256_phone_number: Option<[String; 1]>,
}

impl UserData {
    /// Hashes a person's address and number.
    pub(super) fn of(contact: MarketingContact<'_>) -> Self {
        let contact = contact.contact();
        // E.164 with its plus, which is how numbers are kept.
        let phone = contact.phone.as_ref().map(|phone| [sha256(phone.expose())]);
        Self {
            sha256_email_address: [sha256(&normalised(contact.email.expose()))],
            sha256_phone_number: phone,
        }
    }
}

fn normalised(address: &str) -> String {
    let lower = address.trim().to_lowercase();
    match lower.rsplit_once('@') {
        Some((local, domain @ ("gmail.com" | "googlemail.com"))) => {
            format!("{}@{domain}", local.replace('.', ""))
        }
        Some(_) | None => lower,
    }
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{normalised, sha256};

    #[test]
    fn addresses_and_numbers_hash_as_googles_own_vectors_do() {
        for (text, hash) in [
            (
                " Person@Example.com ",
                "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345",
            ),
            (
                "Cloudy.SanFrancisco@gmail.com",
                "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4",
            ),
            ("+18005550100", "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"),
            ("+351912345678", "00839c79aea2116c94def9e14c0493fa0801add3ffb50434478082030ab88e11"),
        ] {
            assert_eq!(sha256(&normalised(text)), hash, "{text}");
        }
    }

    #[test]
    fn only_googles_own_addresses_lose_their_dots_and_none_its_suffix() {
        assert_eq!(normalised("ana.silva@example.pt"), "ana.silva@example.pt");
        assert_eq!(normalised("A.N.A+lista@googlemail.com"), "ana+lista@googlemail.com");
        assert_eq!(normalised("ana@gmail.com.example.com"), "ana@gmail.com.example.com");
    }
}
