//! The CRMs: which one a delivery is for, and who is in them at all. One file for each.

mod hubspot;

use crate::config::Config;
use delivery::courier::{Courier, Errand, Prepared, Receipt, Warrant};
use domain::delivery::SkipReason;
use domain::destination::{Destination, RetrySafety};
use domain::fault::Fault;
use domain::fold::Stage;
use hubspot::Hubspot;
use lambda::secret::Secret;
use outbound::Outbound;

/// Every CRM that this function knows.
pub struct Crm {
    enable_lead_capture: bool,
    hubspot: Hubspot,
}

/// A call to one of them.
pub enum Call {
    /// To HubSpot.
    Hubspot(hubspot::Call),
}

impl Crm {
    /// Wires the providers.
    #[must_use]
    pub fn new(config: &Config, outbound: &Outbound, hubspot_access_token: Secret) -> Self {
        let hubspot = Hubspot::new(
            &config.hubspot_base_url,
            outbound.to(Destination::Hubspot.name()),
            hubspot_access_token,
        );
        Self { enable_lead_capture: config.enable_lead_capture, hubspot }
    }
}

impl Courier for Crm {
    type Call = Call;

    fn secrets(&self) -> Vec<&Secret> {
        vec![self.hubspot.secret()]
    }

    fn prepare(&self, errand: &Errand<'_>) -> Prepared<Call> {
        if !self.enable_lead_capture && errand.person.stage < Stage::Refunded {
            return Prepared::Skip(
                SkipReason::NotApplicable,
                "leads stay out of the CRM until they pay (CRM_ENABLE_LEAD_CAPTURE=false)",
            );
        }
        match errand.id.destination {
            Destination::Hubspot => match self.hubspot.prepare(errand) {
                // Upserts by key: repeating one changes nothing.
                Ok(call) => Prepared::Send { call: Call::Hubspot(call), safety: RetrySafety::Safe },
                Err((reason, detail)) => Prepared::Skip(reason, detail),
            },
            Destination::Mailerlite
            | Destination::Sgtm
            | Destination::Sendgrid
            | Destination::Slack => {
                Prepared::Skip(SkipReason::NotApplicable, "this destination is no CRM")
            }
        }
    }

    fn statement<'c>(&self, call: &'c Call) -> &'c [u8] {
        match call {
            Call::Hubspot(call) => call.statement(),
        }
    }

    async fn send(&self, call: Call, warrant: &Warrant) -> Result<Receipt, Fault> {
        match call {
            Call::Hubspot(call) => self.hubspot.send(&call, warrant.attempt()).await,
        }
    }
}

#[cfg(test)]
mod tests;
