//! Who sent this? Raw bytes and a header enter; a [`VerifiedEvent`] leaves, and nothing is parsed
//! before. <https://docs.stripe.com/webhooks#verify-manually>

use domain::Refusal;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// How far Stripe's clock and ours may lie apart, either way: the tolerance of Stripe's own SDKs.
const TOLERANCE_SECONDS: u64 = 300;
/// Stripe's headers are some 200 bytes; one with a dozen signatures is below a thousand.
const LONGEST_HEADER: usize = 4096;
/// A time, and two schemes for each secret of an endpoint while it is rolled.
const MOST_PARTS: usize = 32;
/// Enough digits for any second until the year 33658.
const MOST_DIGITS: usize = 12;
/// More secrets than anybody rolls at once; each costs one pass over the body.
const MOST_SECRETS: usize = 8;
/// Stripe's secrets have 32 characters or more after their prefix; a placeholder has few.
const SHORTEST_SECRET: usize = 16;

type Signature = [u8; 32];

/// A body that Stripe signed, not yet parsed. Made by [`verify`] alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifiedEvent<'a> {
    body: &'a [u8],
}

impl<'a> VerifiedEvent<'a> {
    /// The bytes that were signed.
    pub(crate) fn body(self) -> &'a [u8] {
        self.body
    }

    /// As if Stripe had signed it, for the tests of what comes after.
    #[cfg(test)]
    pub(crate) fn trusted(body: &'a [u8]) -> Self {
        Self { body }
    }
}

impl std::fmt::Debug for VerifiedEvent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[verified event of {} bytes]", self.body.len())
    }
}

/// The endpoint's signing secrets: one, or several while one is being rolled.
#[derive(Debug, Clone)]
pub struct SigningSecrets(Vec<SecretString>);

/// Why a request is not taken for Stripe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No `Stripe-Signature` header.
    #[error("the Stripe-Signature header is missing")]
    Missing,
    /// The header is longer or has more parts than Stripe would ever send.
    #[error("the Stripe-Signature header is too long")]
    TooLong,
    /// The header is not `t=<seconds>,v1=<hexadecimal>`.
    #[error("the Stripe-Signature header is malformed")]
    Malformed,
    /// The header holds no `v1` signature: other schemes prove nothing.
    #[error("the Stripe-Signature header has no v1 signature")]
    NoKnownScheme,
    /// Signed too long ago, or too far in the future.
    #[error("the signature's time is more than 300 seconds from ours")]
    Stale,
    /// No signature fits the body under any of the secrets.
    #[error("the signature does not fit the body")]
    Mismatch,
}

impl Refused {
    /// Whether a secret that was rolled meanwhile could explain it.
    #[must_use]
    pub fn may_be_an_old_secret(self) -> bool {
        match self {
            Self::Mismatch => true,
            Self::Missing | Self::TooLong | Self::Malformed | Self::NoKnownScheme | Self::Stale => {
                false
            }
        }
    }
}

impl SigningSecrets {
    /// Reads one or several secrets, separated by blanks or commas.
    ///
    /// # Errors
    /// Refuses an empty or blank text (anybody can sign with an empty secret), and secrets that
    /// Stripe would not mint.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let secrets: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|part| !part.is_empty())
            .collect();
        if secrets.is_empty() {
            return Err(Refusal("must hold at least one signing secret of Stripe's"));
        }
        if secrets.len() > MOST_SECRETS {
            return Err(Refusal("must hold at most 8 signing secrets"));
        }
        if !secrets.iter().all(|secret| is_stripes(secret)) {
            return Err(Refusal(
                "must hold whole signing secrets: whsec_ and at least 16 letters or digits",
            ));
        }
        Ok(Self(secrets.into_iter().map(SecretString::from).collect()))
    }
}

fn is_stripes(secret: &str) -> bool {
    secret.strip_prefix("whsec_").is_some_and(|rest| {
        rest.len() >= SHORTEST_SECRET
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-+/=".contains(&b))
    })
}

/// Makes sure that Stripe signed these bytes, lately.
///
/// # Errors
/// [`Refused`] says why not; nothing of the body has been looked at.
pub fn verify<'a>(
    header: Option<&str>,
    body: &'a [u8],
    secrets: &SigningSecrets,
    now: Timestamp,
) -> Result<VerifiedEvent<'a>, Refused> {
    let signed = Signed::parse(header.ok_or(Refused::Missing)?)?;
    if now.as_second().abs_diff(signed.at) > TOLERANCE_SECONDS {
        return Err(Refused::Stale);
    }
    // Every signature is compared under every secret, so that the time taken tells nothing.
    let fits = secrets.0.iter().fold(Choice::from(0), |fits, secret| {
        let Some(expected) = sign(secret, signed.time, body) else { return fits };
        signed.signatures.iter().fold(fits, |fits, given| fits | given.ct_eq(&expected))
    });
    if bool::from(fits) { Ok(VerifiedEvent { body }) } else { Err(Refused::Mismatch) }
}

/// What the header says.
struct Signed<'a> {
    /// The time as written: these digits are what was signed.
    time: &'a str,
    at: i64,
    signatures: Vec<Signature>,
}

impl<'a> Signed<'a> {
    fn parse(header: &'a str) -> Result<Self, Refused> {
        if header.len() > LONGEST_HEADER || header.split(',').count() > MOST_PARTS {
            return Err(Refused::TooLong);
        }
        let (mut time, mut signatures) = (None, Vec::new());
        for part in header.split(',') {
            match part.split_once('=').ok_or(Refused::Malformed)? {
                // Which of two times was signed is not for us to guess.
                ("t", _) if time.is_some() => return Err(Refused::Malformed),
                ("t", digits) => time = Some((digits, seconds(digits)?)),
                ("v1", digits) => signatures.push(signature(digits)?),
                _ => {}
            }
        }
        let (time, at) = time.ok_or(Refused::Malformed)?;
        if signatures.is_empty() {
            return Err(Refused::NoKnownScheme);
        }
        Ok(Self { time, at, signatures })
    }
}

fn seconds(digits: &str) -> Result<i64, Refused> {
    let plain = digits.len() <= MOST_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().map_err(|_| Refused::Malformed) } else { Err(Refused::Malformed) }
}

/// Lower-case hexadecimal digits, as Stripe writes them, and no other spelling.
fn signature(digits: &str) -> Result<Signature, Refused> {
    let mut bytes = [0; 32];
    let upper = digits.bytes().any(|b| b.is_ascii_uppercase());
    match hex::decode_to_slice(digits, &mut bytes) {
        Ok(()) if !upper => Ok(bytes),
        Ok(()) | Err(_) => Err(Refused::Malformed),
    }
}

/// HMAC takes a key of any length: there is always a signature.
fn sign(secret: &SecretString, time: &str, body: &[u8]) -> Option<Signature> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests;
