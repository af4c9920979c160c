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
    /// that was taken away is forgotten after a quarter of an hour.
    pub(crate) async fn verify<'a>(
        &self,
        header: Option<&str>,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<VerifiedEvent<'a>, Refused> {
        if self.secret.is_old() {
            self.renew().await;
        }
        match webhook::verify(header, body, &self.current(), now) {
            Err(refused) if refused.may_be_an_old_secret() && self.renew().await => {
                webhook::verify(header, body, &self.current(), now)
            }
            result => result,
        }
    }

    fn current(&self) -> Arc<SigningSecrets> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the secrets again, and says whether there are others. An empty parameter, or one that
    /// holds something else, changes nothing: the last good secrets stay.
    async fn renew(&self) -> bool {
        if !self.secret.refused().await {
            return false;
        }
        let Ok(secrets) = parse(self.secret.value().as_ref()) else {
            tracing::error!(
                parameter = self.secret.parameter(),
                "the signing secret was changed to something that is none; the last good one stays"
            );
            return false;
        };
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(secrets);
        true
    }
}

fn parse(secret: Option<&SecretString>) -> Result<SigningSecrets, Refusal> {
    SigningSecrets::parse(secret.map_or("", |secret| secret.expose_secret()))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use secrecy::SecretString;

    #[test]
    fn without_a_usable_secret_there_is_no_start() {
        assert!(parse(None).is_err());
        for text in ["", "  ", "whsec_", "secret", "sk_test_0123456789abcdef"] {
            assert!(parse(Some(&SecretString::from(text))).is_err(), "{text:?}");
        }
        assert!(parse(Some(&SecretString::from("whsec_0123456789abcdef"))).is_ok());
    }
}
