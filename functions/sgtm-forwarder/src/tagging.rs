//! Tagging: which collector a delivery is for. One file for each.

mod sgtm;

use crate::config::Config;
use delivery::courier::{Courier, Errand, Prepared, Receipt, Warrant};
use domain::delivery::SkipReason;
use domain::destination::Destination;
use domain::fault::Fault;
use lambda::secret::Secret;
use outbound::Outbound;
use sgtm::Sgtm;

/// Every collector that this function knows.
pub struct Tagging {
    sgtm: Sgtm,
}

/// A call to one of them.
pub enum Call {
    /// To server-side Google Tag Manager.
    Sgtm(sgtm::Call),
}

impl Tagging {
    /// Wires the providers.
    #[must_use]
    pub fn new(config: &Config, outbound: &Outbound, sgtm_api_secret: Secret) -> Self {
        let outbound = outbound.to(Destination::Sgtm.name());
        Self { sgtm: Sgtm::new(config, outbound, sgtm_api_secret) }
    }
}

impl Courier for Tagging {
    type Call = Call;

    fn secrets(&self) -> Vec<&Secret> {
        vec![self.sgtm.secret()]
    }

    fn prepare(&self, errand: &Errand<'_>) -> Prepared<Call> {
        match errand.id.destination {
            Destination::Sgtm => match self.sgtm.prepare(errand) {
                Ok(call) => {
                    let safety = call.safety();
                    Prepared::Send { call: Call::Sgtm(call), safety }
                }
                Err((reason, detail)) => Prepared::Skip(reason, detail),
            },
            Destination::Hubspot
            | Destination::Mailerlite
            | Destination::Sendgrid
            | Destination::Slack => {
                Prepared::Skip(SkipReason::NotApplicable, "this destination is no tagging server")
            }
        }
    }

    fn statement<'c>(&self, call: &'c Call) -> &'c [u8] {
        match call {
            Call::Sgtm(call) => call.statement(),
        }
    }

    async fn send(&self, call: Call, warrant: &Warrant) -> Result<Receipt, Fault> {
        match call {
            Call::Sgtm(call) => self.sgtm.send(call, warrant.attempt()).await,
        }
    }
}
