//! Who does something by hand, and why: what every audit keeps.

use crate::Fault;
use jiff::Timestamp;
use ledger::Deed;

/// The longest name or reason that is kept.
const LONGEST: usize = 200;

/// Somebody who does something, with a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    who: String,
    why: String,
}

impl Author {
    /// Takes a name and a reason.
    ///
    /// # Errors
    /// Refuses empty and over-long ones, and a reason that holds an e-mail address: it is kept in
    /// the ledger and shown to everybody who looks at the journey.
    pub fn new(who: &str, why: &str) -> Result<Self, Fault> {
        let (who, why) = (who.trim(), why.trim());
        let fits = |text: &str| {
            (1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control)
        };
        if !fits(who) {
            return Err(Fault::refused("say who you are with --as: 1 to 200 characters, one line"));
        }
        if !fits(why) {
            return Err(Fault::refused("say why with --why: 1 to 200 characters, one line"));
        }
        if why.contains('@') {
            return Err(Fault::refused(
                "--why is kept for everybody to see: name an event_id, not a person's address",
            ));
        }
        Ok(Self { who: who.to_owned(), why: why.to_owned() })
    }

    /// Who.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Why.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    pub(crate) fn deed(&self, at: Timestamp) -> Deed<'_> {
        Deed { who: &self.who, why: &self.why, at }
    }
}

#[cfg(test)]
mod tests {
    use super::Author;

    #[test]
    fn a_reason_is_asked_for_and_names_nobody() {
        assert!(Author::new("ana", "the property exists now").is_ok());
        for (who, why) in [("", "x"), ("ana", " "), ("ana", "for ana.silva@example.pt")] {
            assert!(Author::new(who, why).is_err(), "{who} {why}");
        }
        assert!(Author::new("ana", &"x".repeat(201)).is_err());
    }
}
