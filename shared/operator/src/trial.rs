//! A trial: one lead that anybody can tell from a visitor's, sent in at the front door as a page
//! would, and followed to one destination. It asks no more consent than that destination needs.

use crate::{Fault, Line, Operator, story};
use domain::consent::Purpose;
use domain::contact::EmailAddress;
use domain::delivery::State;
use domain::destination::Destination;
use domain::id::EventId;
use domain::routing::Decision;
use jiff::Timestamp;
use ledger::DeliveryRecord;
use outbound::{Body, Call, HeaderMap, Limits, Method, Outbound, Roots};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long the lead is followed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// For one request, a cold start included.
const LIMITS: Limits = Limits { connect: Duration::from_secs(5), total: Duration::from_secs(20) };

impl Operator {
    /// Sends a marked lead and follows it to a destination, for a minute.
    ///
    /// # Errors
    /// Refuses a destination that hears of no lead, and says why a lead did not get there.
    pub async fn try_out(
        &self,
        to: Destination,
        address: &str,
        now: Timestamp,
    ) -> Result<(EventId, Line), Fault> {
        if to == Destination::Sendgrid {
            return Err(Fault::refused(
                "sendgrid hears of payments alone: pay once in Stripe's test mode, and `throughline trace` it",
            ));
        }
        if let Some(off) = self.off(to).await? {
            return Err(Fault::refused(format!("{to} is off: {off}")));
        }
        let email = EmailAddress::parse(address)
            .map_err(|refusal| Fault::refused(format!("the address {refusal}")))?;
        let event_id = EventId::minted(Uuid::new_v4());
        let event_id = event_id.map_err(|refusal| Fault::refused(refusal.to_string()))?;
        self.send_lead(event_id, to, &email, now).await?;
        self.follow(event_id, to).await
    }

    async fn send_lead(
        &self,
        event_id: EventId,
        to: Destination,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let purpose = to.purpose();
        let body = serde_json::json!({
            "event_id": event_id, "user_session_id": Uuid::new_v4(),
            "full_name": "Throughline Test", "email": email.expose(), "language": "en",
            "utm_source": "throughline-test",
            "consent": {
                "marketing": purpose == Purpose::Marketing, "analytics": purpose == Purpose::Analytics,
                "preferences": false, "method": "modal", "timestamp": now, "version": "999999",
            },
        });
        let door = Outbound::new("stage", LIMITS, Roots::Machine);
        let door = door.map_err(|unbuildable| Fault::refused(unbuildable.to_string()))?;
        let url = format!("{}/leads", self.stage.api_url);
        let call = Call {
            verb: "send_test_lead",
            method: Method::POST,
            url: &url,
            headers: HeaderMap::new(),
            body: Body::Json(body.to_string().into_bytes()),
            attempt: 1,
        };
        let answer = door.call(call).await;
        let answer = answer.map_err(|fault| {
            Fault::refused(format!(
                "{url} does not answer ({fault}): `throughline doctor` looks why"
            ))
        })?;
        if answer.status() == 202 {
            return Ok(());
        }
        let status = answer.status();
        Err(Fault::refused(format!("{url} answers {status}: read the log of lead-capture")))
    }

    async fn follow(&self, event_id: EventId, to: Destination) -> Result<(EventId, Line), Fault> {
        let began = Instant::now();
        loop {
            let timeline = self.ledger.timeline(event_id).await?;
            let found = timeline.deliveries.iter().find(|record| record.id.destination == to);
            if let Some(record) = found.filter(|record| is_settled(record)) {
                return Ok((event_id, story::delivery_line(record)));
            }
            let routes = timeline.routes.iter().flat_map(|record| &record.routes);
            let mut decisions = routes.filter(|route| route.destination == to).map(|r| &r.decision);
            if let Some(Decision::Skip { reason, detail }) = decisions.next_back() {
                return Err(Fault::refused(format!(
                    "the lead arrived ({event_id}) and is not sent to {to}: {}, {detail}",
                    reason.name()
                )));
            }
            if began.elapsed() > PATIENCE {
                return Err(Fault::refused(format!(
                    "the lead arrived ({event_id}), and after a minute {to} had not heard of it: \
                     `throughline trace` it, and look at `throughline destinations list`"
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Over, or waiting for something that a person must know of.
fn is_settled(record: &DeliveryRecord) -> bool {
    record.state.is_terminal() || record.state == State::Waiting
}
