//! The newsletter tools: which one a delivery is for. One file for each.

mod mailerlite;

use crate::config::Config;
use delivery::courier::{Courier, Errand, Prepared, Receipt, Warrant};
use domain::delivery::SkipReason;
use domain::destination::{Destination, RetrySafety};
use domain::fault::Fault;
use lambda::secret::Secret;
use mailerlite::Mailerlite;
use outbound::Outbound;

/// Every newsletter tool that this function knows.
pub struct Esp {
    mailerlite: Mailerlite,
}

/// A call to one of them.
pub enum Call {
    /// To MailerLite.
    Mailerlite(mailerlite::Call),
}

impl Esp {
    /// Wires the providers.
    #[must_use]
    pub fn new(config: &Config, outbound: &Outbound, mailerlite_api_key: Secret) -> Self {
        let outbound = outbound.to(Destination::Mailerlite.name());
        Self { mailerlite: Mailerlite::new(config, outbound, mailerlite_api_key) }
    }
}

impl Courier for Esp {
    type Call = Call;

    fn secrets(&self) -> Vec<&Secret> {
        vec![self.mailerlite.secret()]
    }

    fn prepare(&self, errand: &Errand<'_>) -> Prepared<Call> {
        match errand.id.destination {
            Destination::Mailerlite => match self.mailerlite.prepare(errand) {
                // Upserts by key: repeating one changes nothing.
                Ok(call) => {
                    Prepared::Send { call: Call::Mailerlite(call), safety: RetrySafety::Safe }
                }
                Err((reason, detail)) => Prepared::Skip(reason, detail),
            },
            Destination::Hubspot
            | Destination::Sgtm
            | Destination::Sendgrid
            | Destination::Slack => {
                Prepared::Skip(SkipReason::NotApplicable, "this destination is no newsletter tool")
            }
        }
    }

    fn statement<'c>(&self, call: &'c Call) -> &'c [u8] {
        match call {
            Call::Mailerlite(call) => call.statement(),
        }
    }

    fn in_doubt(&self, call: &Call) -> Option<&'static str> {
        match call {
            Call::Mailerlite(call) => call.in_doubt(),
        }
    }

    async fn send(&self, call: Call, warrant: &Warrant) -> Result<Receipt, Fault> {
        match call {
            Call::Mailerlite(call) => self.mailerlite.send(&call, warrant.attempt()).await,
        }
    }
}
