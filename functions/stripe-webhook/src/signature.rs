//! Whether it is Stripe who speaks, and with which secrets that is told: they change while we run.

use domain::Refusal;
use jiff::Timestamp;
use lambda::secret::Secret;
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, PoisonError, RwLock};
use stripe::webhook::{self, Refused, SigningSecrets, VerifiedEvent};

/// The signing secrets now in use, and where new ones come from.
#[derive(Debug)]
pub(crate) struct Signatures {
    secret: Secret,
    held: RwLock<Arc<SigningSecrets>>,
}

impl Signatures {
    /// Takes the secrets that are set now. Without a usable one the function must not start: anybody
    /// could sign with what it was given.
    pub(crate) fn open(secret: Secret) -> Result<Self, lambda::Error> {
        let secrets = parse(secret.value().as_ref())
            .map_err(|refusal| format!("{} {refusal}", secret.parameter()))?;
        Ok(Self { secret, held: RwLock::new(Arc::new(secrets)) })
    }

    /// Makes sure that Stripe signed these bytes. A signature that fits nowhere may be made with a
    /// secret that was set meanwhile: then the secrets are read again, at most once a minute. One
    /// that was taken away is forgotten after five minutes.
    pub(crate) async fn verify<'a>(
        &self,
        header: Option<&str>,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<VerifiedEvent<'a>, Refused> {
        if self.secret.refresh().await {
            self.adopt();
        }
        match webhook::verify(header, body, &self.current(), now) {
            Err(refused) if refused.may_be_an_old_secret() && self.secret.refused().await => {
                self.adopt();
                webhook::verify(header, body, &self.current(), now)
            }
            result => result,
        }
    }

    fn current(&self) -> Arc<SigningSecrets> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes what the parameter holds now. Where it is empty, or holds something else, the last good
    /// secrets stay.
    fn adopt(&self) {
        let Ok(secrets) = parse(self.secret.value().as_ref()) else {
            tracing::error!(
                parameter = self.secret.parameter(),
                "the signing secret was changed to something that is none; the last good one stays"
            );
            return;
        };
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(secrets);
    }
}

fn parse(secret: Option<&SecretString>) -> Result<SigningSecrets, Refusal> {
    SigningSecrets::parse(secret.map_or("", |secret| secret.expose_secret()))
}

#[cfg(test)]
mod tests {
    use super::{Signatures, parse};
    use jiff::SignedDuration;
    use secrecy::SecretString;
    use stripe::webhook::Refused;
    use testkit::clock;
    use testkit::secret::a_changed_secret;

    const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
    const SECRET: &str = "whsec_0123456789abcdefABCDEF";
    const OTHER: &str = "whsec_FEDCBA9876543210fedcba";

    /// Computed with Python's hmac module over `1700000000.` and the body, with `SECRET`.
    const HEADER: &str =
        "t=1700000000,v1=3b5852719e95b0e754d2067dc9b986f81de38e12eaa239e9982e3a041024fb08";

    async fn outcome(signatures: &Signatures) -> Result<(), Refused> {
        signatures.verify(Some(HEADER), BODY, clock::now()).await.map(|_| ())
    }

    #[test]
    fn without_a_usable_secret_there_is_no_start() {
        assert!(parse(None).is_err());
        for text in ["", "  ", "whsec_", "secret", "sk_test_0123456789abcdef"] {
            assert!(parse(Some(&SecretString::from(text))).is_err(), "{text:?}");
        }
        assert!(parse(Some(&SecretString::from("whsec_0123456789abcdef"))).is_ok());
    }

    #[tokio::test]
    async fn a_secret_that_was_taken_away_stops_counting_after_five_minutes() {
        clock::pass(SignedDuration::from_mins(-5));
        let (secret, _ssm) =
            a_changed_secret("STRIPE_WEBHOOK_SECRET", Some(SECRET), Some(OTHER)).await;
        let signatures = Signatures::open(secret).unwrap();
        clock::pass(SignedDuration::from_secs(299));
        assert_eq!(outcome(&signatures).await, Ok(()), "nothing makes us read it again");
        clock::pass(SignedDuration::from_secs(1));
        assert_eq!(outcome(&signatures).await, Err(Refused::Mismatch));
    }

    #[tokio::test]
    async fn a_secret_that_was_set_meanwhile_counts_once_a_signature_asks_for_it() {
        let (secret, ssm) =
            a_changed_secret("STRIPE_WEBHOOK_SECRET", Some(OTHER), Some(SECRET)).await;
        let signatures = Signatures::open(secret).unwrap();
        assert_eq!(outcome(&signatures).await, Err(Refused::Mismatch), "it was read a moment ago");
        assert_eq!(ssm.requests().len(), 1);
        clock::pass(SignedDuration::from_mins(1));
        assert_eq!(outcome(&signatures).await, Ok(()));
    }

    #[tokio::test]
    async fn a_parameter_that_holds_no_secret_leaves_the_last_good_one() {
        for then in [None, Some("not a secret")] {
            clock::pass(SignedDuration::from_mins(-5));
            let (secret, ssm) = a_changed_secret("STRIPE_WEBHOOK_SECRET", Some(SECRET), then).await;
            let signatures = Signatures::open(secret).unwrap();
            clock::pass(SignedDuration::from_mins(5));
            assert_eq!(outcome(&signatures).await, Ok(()));
            assert_eq!(ssm.requests().len(), 2, "it was read again");
        }
    }
}
