//! A batch of messages: each by itself, together, and the answer that says which come back.

use crate::config::Config;
use crate::courier::Courier;
use crate::gate::Gates;
use domain::delivery::DeliveryId;
use domain::destination::Style;
use domain::id::EventId;
use domain::pepper::Pepper;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lambda::batch::{self, Received, SqsBatchResponse, SqsEvent};
use lambda::queue::Queues;
use lambda::secret::Secret;
use ledger::Ledger;
use std::collections::BTreeMap;

/// After this long a batch begins no further delivery: a provider's three longest calls, of 5 s
/// each, still fit into the function's 30 s.
const BUDGET: SignedDuration = SignedDuration::from_secs(12);

/// A consumer of one queue.
#[derive(Debug)]
pub struct Consumer<C> {
    /// What it does for its vendors.
    pub courier: C,
    /// The table.
    pub ledger: Ledger,
    /// The queues' client.
    pub queues: Queues,
    /// Its settings.
    pub config: Config,
    /// Names what destinations that keep state were told; others need none.
    pub pepper: Option<Pepper>,
    /// Which destinations may be called, as far as this instance knows.
    pub gates: Gates,
    /// The clock.
    pub clock: fn() -> Timestamp,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is done with: SQS deletes it.
    Done,
    /// It comes back after a while.
    Back(SignedDuration),
}

impl<C: Courier> Consumer<C> {
    /// Works a batch, its messages together, and answers with those that come back.
    pub async fn consume(&self, event: SqsEvent) -> SqsBatchResponse {
        let began = (self.clock)();
        join_all(self.courier.secrets().into_iter().map(Secret::refresh)).await;
        let lanes = lanes(batch::messages(event));
        let failed = join_all(lanes.into_iter().map(|lane| self.work_lane(lane, began))).await;
        self.count_calls().await;
        batch::answer(failed.into_iter().flatten().collect())
    }

    /// Works messages one after the other, and names those that come back.
    async fn work_lane(&self, lane: Lane, began: Timestamp) -> Vec<String> {
        let mut failed = Vec::new();
        for (received, id) in lane {
            let fate = match &id {
                None => Fate::Back(SignedDuration::from_mins(3)),
                Some(_) if (self.clock)().duration_since(began) > BUDGET => {
                    Fate::Back(SignedDuration::from_secs(2))
                }
                Some(id) => self.deliver(id, received.receives).await,
            };
            if let Fate::Back(wait) = fate {
                self.queues.put_off(&self.config.queue_url, &received.receipt_handle, wait).await;
                failed.push(received.message_id);
            }
        }
        failed
    }
}

/// Messages that are worked one after the other; `None` where the body is no delivery's id.
type Lane = Vec<(Received, Option<DeliveryId>)>;

/// Sorts messages into lanes: those of one journey at a destination that keeps state share one,
/// since they would wait for each other; every other has its own.
fn lanes(messages: Vec<Received>) -> Vec<Lane> {
    let mut shared: BTreeMap<(EventId, &'static str), Lane> = BTreeMap::new();
    let mut lanes = Vec::new();
    for received in messages {
        let id: Option<DeliveryId> = serde_json::from_str(&received.body).ok();
        match &id {
            Some(id) if id.destination.style() == Style::State => {
                let lane = shared.entry((id.event_id, id.destination.name())).or_default();
                lane.push((received, Some(id.clone())));
            }
            Some(_) => lanes.push(vec![(received, id)]),
            None => {
                tracing::error!(
                    message_id = received.message_id,
                    "a message is no delivery's id; it goes to the dead letters after its last receive"
                );
                lanes.push(vec![(received, None)]);
            }
        }
    }
    lanes.extend(shared.into_values());
    lanes
}

#[cfg(test)]
mod tests {
    use super::{Received, lanes};

    fn message(id: &str, body: &str) -> Received {
        Received {
            message_id: id.into(),
            receipt_handle: String::new(),
            body: body.into(),
            receives: 1,
        }
    }

    fn body(journey: u8, destination: &str) -> String {
        format!(
            r#"{{"event_id":"6f1c1f9e-59a4-4e0a-9d0c-2f6f3f9a7c{journey:02}","effect":"lead_captured:x","destination":"{destination}"}}"#
        )
    }

    #[test]
    fn every_sample_of_a_queue_holds_deliveries() {
        for sample in [
            include_str!("../../../events/crm-sync/lead_captured.json"),
            include_str!("../../../events/esp-sync/lead_captured.json"),
            include_str!("../../../events/sgtm-forwarder/payment_succeeded.json"),
            include_str!("../../../events/notifier/payment_succeeded.json"),
        ] {
            let event = serde_json::from_str(sample).unwrap();
            let lanes = lanes(lambda::batch::messages(event));
            assert!(!lanes.is_empty() && lanes.iter().flatten().all(|(_, id)| id.is_some()));
        }
    }

    #[test]
    fn one_journey_at_a_vendor_with_state_is_worked_in_turn_and_the_rest_together() {
        let lanes = lanes(vec![
            message("a", &body(1, "hubspot")),
            message("b", &body(1, "hubspot")),
            message("c", &body(2, "hubspot")),
            message("d", &body(1, "slack")),
            message("e", &body(1, "slack")),
            message("f", "not a delivery"),
        ]);
        let names =
            |lane: &super::Lane| lane.iter().map(|(one, _)| one.message_id.clone()).collect();
        let mut lanes: Vec<String> = lanes.iter().map(names).collect();
        lanes.sort_unstable();
        assert_eq!(lanes, ["ab", "c", "d", "e", "f"]);
    }
}
