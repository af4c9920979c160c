//! A person who can be found again: every text of theirs holds one random mark.

use crate::visitor::{Visitor, a_visitor};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The marked texts of one test.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    /// The mark itself: no other text in the world holds it.
    pub(crate) mark: String,
    pub(crate) email: String,
    pub(crate) name: String,
    /// As people write it; other spellings are looked for too.
    pub(crate) phone: String,
    /// What a bank says of a card.
    pub(crate) card: String,
    /// An address of a page that holds all of it.
    pub(crate) page: String,
}

impl Marks {
    pub(crate) fn new() -> Self {
        let random = Uuid::new_v4();
        let mark = format!("q{}", &random.simple().to_string()[..10]);
        let email = format!("ana.silva+{mark}@example.pt");
        // Portuguese mobile numbers begin with 91 and have nine digits.
        let [a, b, ..] = *random.as_bytes();
        let phone = format!("912 {:03} {:03}", 300 + u16::from(a), 300 + u16::from(b));
        Self {
            name: format!("Ana {mark} Silva"),
            card: format!("Your card {mark} has insufficient funds"),
            page: format!(
                "https://example.pt/{mark}?email={email}&phone={phone}&t=pi_1_secret_{mark}",
                phone = phone.replace(' ', "")
            ),
            mark,
            email,
            phone,
        }
    }

    /// A visitor with these texts.
    pub(crate) fn visitor(&self) -> Visitor {
        let mut visitor = a_visitor();
        visitor.email.clone_from(&self.email);
        visitor.phone.clone_from(&self.phone);
        visitor
    }

    /// Puts the marks wherever a body has room for them.
    pub(crate) fn fill(&self, body: &mut Value) {
        body["full_name"] = json!(self.name);
        for field in ["page_url", "landing_page", "referrer"] {
            body[field] = json!(self.page);
        }
        for field in ["utm_source", "utm_campaign", "gclid"] {
            body[field] = json!(self.mark);
        }
        body[&self.email] = json!(self.card);
    }

    /// What must be nowhere, in lower case.
    pub(crate) fn texts(&self) -> Vec<String> {
        let digits = self.phone.replace(' ', "");
        let mut texts = vec![self.mark.clone(), self.phone.clone(), digits];
        texts.extend(self.hashes());
        texts
    }

    /// Plain hashes of the address: whoever has a list of addresses can undo them.
    pub(crate) fn hashes(&self) -> Vec<String> {
        vec![hex::encode(Sha256::digest(self.email.as_bytes()))]
    }
}
