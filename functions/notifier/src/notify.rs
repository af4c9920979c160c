//! The messengers: which one a delivery is for. One file for each.

mod amount;
mod sendgrid;
mod slack;

use crate::config::Config;
use delivery::courier::{Courier, Errand, Prepared, Receipt, Warrant};
use domain::delivery::SkipReason;
use domain::destination::{Destination, RetrySafety};
use domain::fault::Fault;
use lambda::secret::Secret;
use outbound::Outbound;
use sendgrid::Sendgrid;
use slack::Slack;

/// Every messenger that this function knows.
pub struct Notify {
    sendgrid: Sendgrid,
    slack: Slack,
}

/// A call to one of them.
pub enum Call {
    /// An e-mail by SendGrid.
    Sendgrid(sendgrid::Call),
    /// A message in Slack.
    Slack(slack::Call),
}

/// Why nothing is written.
type Skip = (SkipReason, &'static str);

impl Notify {
    /// Wires the providers.
    #[must_use]
    pub fn new(
        config: &Config,
        outbound: &Outbound,
        sendgrid_api_key: Secret,
        slack_webhook_url: Secret,
    ) -> Self {
        let to = |destination: Destination| outbound.to(destination.name());
        Self {
            sendgrid: Sendgrid::new(config, to(Destination::Sendgrid), sendgrid_api_key),
            slack: Slack::new(to(Destination::Slack), slack_webhook_url),
        }
    }
}

impl Courier for Notify {
    type Call = Call;

    fn secrets(&self) -> Vec<&Secret> {
        vec![self.sendgrid.secret(), self.slack.secret()]
    }

    fn prepare(&self, errand: &Errand<'_>) -> Prepared<Call> {
        let prepared = match errand.id.destination {
            Destination::Sendgrid => self.sendgrid.prepare(errand).map(Call::Sendgrid),
            Destination::Slack => self.slack.prepare(errand).map(Call::Slack),
            Destination::Hubspot | Destination::Mailerlite | Destination::Sgtm => {
                Err((SkipReason::NotApplicable, "this destination is no messenger"))
            }
        };
        match prepared {
            // No messenger recognises a repetition, and nobody wants to read a thing twice.
            Ok(call) => Prepared::Send { call, safety: RetrySafety::AtMostOnce },
            Err((reason, detail)) => Prepared::Skip(reason, detail),
        }
    }

    fn statement<'c>(&self, call: &'c Call) -> &'c [u8] {
        match call {
            Call::Sendgrid(call) => call.statement(),
            Call::Slack(call) => call.statement(),
        }
    }

    async fn send(&self, call: Call, warrant: &Warrant) -> Result<Receipt, Fault> {
        match call {
            Call::Sendgrid(call) => self.sendgrid.send(call, warrant.attempt()).await,
            Call::Slack(call) => self.slack.send(call, warrant.attempt()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Notify;
    use crate::config::Config;
    use delivery::Consumer;
    use delivery::courier::Courier;
    use jiff::SignedDuration;
    use lambda::aws::{self, Aws};
    use lambda::secret::Secret;
    use lambda::settings::read_from;
    use outbound::{Limits, Outbound, Roots};
    use serde_json::json;
    use testkit::clock;
    use testkit::secret::{a_changed_secret, no_secret};

    /// A consumer without AWS.
    fn consumer(sendgrid_api_key: Secret, slack_webhook_url: Secret) -> Consumer<Notify> {
        let must_be_there = [
            "LEDGER_TABLE",
            "SECRETS_PREFIX",
            "QUEUE_URL",
            "DEAD_LETTER_URL",
            "CONSENT_VERSION",
            "SENDGRID_BASE_URL",
        ];
        let set = |name: &str| must_be_there.contains(&name).then(|| "set".to_owned());
        let both = read_from(&set, |from| (delivery::Config::read(from), Config::read(from)));
        let (shared, own) = both.unwrap();
        let outbound = Outbound::new("notifier", Limits::default(), Roots::BuiltIn).unwrap();
        let courier = Notify::new(&own, &outbound, sendgrid_api_key, slack_webhook_url);
        shared.open(&Aws::over(aws::settings().build(), false), courier, None)
    }

    #[tokio::test]
    async fn a_message_that_nobody_can_read_comes_back_until_it_is_a_dead_letter() {
        // Putting the message off fails, and its queue hides it all the same.
        let consumer =
            consumer(no_secret("SENDGRID_API_KEY").await, no_secret("SLACK_WEBHOOK_URL").await);
        let message = json!({"messageId": "m-1", "receiptHandle": "r", "body": "no delivery's id"});
        let batch = serde_json::from_value(json!({"Records": [message]})).unwrap();
        let answer = serde_json::to_value(consumer.consume(batch).await).unwrap();
        assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "m-1"}]}));
    }

    #[tokio::test]
    async fn secrets_that_were_set_meanwhile_count_from_a_batch_of_five_minutes_later_on() {
        let (key, _ssm) = a_changed_secret("SENDGRID_API_KEY", None, Some("SG.1")).await;
        let hook = "https://hooks.slack.com/services/1";
        let (address, _too) = a_changed_secret("SLACK_WEBHOOK_URL", None, Some(hook)).await;
        let consumer = consumer(key, address);
        let configured = async || {
            consumer.consume(serde_json::from_value(json!({"Records": []})).unwrap()).await;
            consumer.courier.secrets().into_iter().map(Secret::is_configured).collect::<Vec<_>>()
        };
        assert_eq!(configured().await, [false, false]);
        clock::pass(SignedDuration::from_mins(5));
        assert_eq!(configured().await, [true, true]);
    }
}
