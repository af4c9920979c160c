//! Every problem that the API tells, by its stable kind. `openapi.yaml` lists the same ones.

macro_rules! kinds {
    ($($kind:ident $slug:literal $status:literal $title:literal)+) => {
        /// What is wrong, in a word that callers may rely on: its status and title never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $title] $kind,)+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The word: the end of a problem's `type`, and its name in logs and metrics.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug),+ }
            }

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$kind => $status),+ }
            }

            /// What is wrong, in a sentence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),+ }
            }
        }
    };
}

kinds! {
    MalformedBody "malformed-body" 400 "The body cannot be read"
    SignatureMissing "signature-missing" 400 "This is not signed by Stripe"
    SignatureTooLong "signature-too-long" 400 "This is not signed by Stripe"
    SignatureMalformed "signature-malformed" 400 "This is not signed by Stripe"
    SignatureNoKnownScheme "signature-no-known-scheme" 400 "This is not signed by Stripe"
    SignatureStale "signature-stale" 400 "This is not signed by Stripe"
    SignatureMismatch "signature-mismatch" 400 "This is not signed by Stripe"
    UnreadableEvent "unreadable-event" 400 "The event cannot be read"
    WrongMode "wrong-mode" 400 "The event is of the other mode: live or test"
    OriginNotAllowed "origin-not-allowed" 403 "This page may not call the API"
    UnknownProduct "unknown-product" 404 "There is no such product"
    MethodNotAllowed "method-not-allowed" 405 "Only POST is taken here"
    SessionMismatch "session-mismatch" 409 "This journey belongs to another session"
    RevisionConflict "revision-conflict" 409 "This revision is known, and says something else"
    BodyTooLarge "body-too-large" 413 "The body is larger than 256 KiB"
    UnsupportedMediaType "unsupported-media-type" 415 "The content type is not read here"
    InvalidField "invalid-field" 422 "Some fields are not valid"
    RateLimited "rate-limited" 429 "Too many requests from this address"
    TooManyOpenCheckouts "too-many-open-checkouts" 429 "This journey has 5 unpaid checkouts"
    Internal "internal" 500 "Something went wrong on our side"
    StripeRefused "stripe-refused" 502 "Stripe refuses this checkout"
    StripeUnreadable "stripe-unreadable" 502 "Stripe's answer cannot be read"
    Unavailable "unavailable" 503 "The ledger does not answer"
    StripeUnavailable "stripe-unavailable" 503 "Stripe does not answer"
    StripeBusy "stripe-busy" 503 "Stripe takes no more calls for now"
    PaymentsNotConfigured "payments-not-configured" 503 "Payments are not set up"
    StripeTooSlow "stripe-too-slow" 504 "Stripe does not answer in time"
}
