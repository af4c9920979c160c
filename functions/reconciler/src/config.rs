//! What the reconciler reads from its environment and from SSM.

use crate::handler::{App, STRIPE_ATTEMPT};
use jiff::SignedDuration;
use lambda::aws::Aws;
use lambda::settings::Settings;
use outbound::{Limits, Outbound, Roots};
use std::time::Duration;
use stripe::StripeClient;

/// A page of a hundred events. Metadata makes one 27 KB at most (50 keys, 500 characters each), the
/// rest of an intent some 10 more.
const LARGEST_PAGE: usize = 8 << 20;

/// The settings of the reconciler.
#[derive(Debug, Clone)]
pub struct Config {
    payments: payments::Config,
    /// `STRIPE_BASE_URL`, without `/v1`.
    stripe_base_url: String,
    /// `QUIET_HOURS`: after so many without an event somebody is told; 0, nobody is.
    quiet_hours: u32,
}

impl Config {
    /// Reads the settings; faults are reported together by whoever made `settings`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            payments: payments::Config::read(settings),
            stripe_base_url: settings.text("STRIPE_BASE_URL"),
            quiet_hours: settings.number("QUIET_HOURS", 0, 0),
        }
    }

    /// Opens the ledger and Stripe's door. Without a key of Stripe's the function starts, and every
    /// run says so.
    ///
    /// # Errors
    /// Says which secret cannot be read.
    pub async fn open(self, aws: &Aws) -> Result<App, lambda::Error> {
        let limits = Limits { connect: Duration::from_secs(2), total: STRIPE_ATTEMPT };
        let outbound = Outbound::new("stripe", limits, Roots::of(aws.trusts_the_machine()))?
            .reading_up_to(LARGEST_PAGE);
        let stripe = StripeClient::new(&self.stripe_base_url, outbound);
        self.open_over(aws, stripe).await
    }

    /// The same with a door to Stripe that is open already.
    ///
    /// # Errors
    /// As [`Config::open`].
    pub async fn open_over(self, aws: &Aws, stripe: StripeClient) -> Result<App, lambda::Error> {
        let payments = self.payments.open(aws).await?;
        let prefix = self.payments.secrets_prefix();
        let stripe_key = aws.secret(prefix, "STRIPE_SECRET_KEY").await?;
        let quiet = SignedDuration::from_hours(i64::from(self.quiet_hours));
        Ok(App { payments, stripe, stripe_key, quiet })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Config;
    use crate::handler::{App, budget};
    use aws_sdk_dynamodb::config::{Credentials, Region, SharedCredentialsProvider};
    use jiff::Timestamp;
    use lambda::aws::{self, Aws};
    use lambda::settings::read_from;
    use secrecy::SecretString;
    use serde_json::json;
    use stripe::Window;
    use testkit::clock;
    use testkit::vendor::{Reply, Vendor, reply};

    /// A parameter of SSM's.
    pub(crate) fn holding(value: &str) -> Reply {
        reply(200).json(&json!({ "Parameter": { "Value": value } }))
    }

    /// What all keyed hashes are made with; the first thing that is read at a start.
    pub(crate) fn pepper() -> Reply {
        holding(&format!("v1:{}", "ab".repeat(32)))
    }

    /// A reconciler between a Stripe and an SSM of ours.
    pub(crate) async fn between(stripe: &Vendor, ssm: &Vendor) -> App {
        let set = |name: &str| match name {
            "LEDGER_TABLE" | "SECRETS_PREFIX" => Some("set".to_owned()),
            "STRIPE_BASE_URL" => Some(stripe.url()),
            "QUIET_HOURS" => Some("3".to_owned()),
            _ => None,
        };
        let credentials = Credentials::new("key", "secret", None, None, "test");
        let aws = aws::settings()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .region(Region::new("eu-west-1"))
            .endpoint_url(ssm.url());
        let config = read_from(&set, Config::read).unwrap();
        config.open(&Aws::over(aws.build(), false).by_the_clock(clock::now)).await.unwrap()
    }

    #[tokio::test]
    async fn a_page_of_a_hundred_events_with_all_the_metadata_that_stripe_takes_is_read() {
        let event = json!({"id": "evt_1", "metadata": "x".repeat(27_000 + 10_000)});
        let page = json!({"object": "list", "has_more": false, "data": vec![event; 100]});
        let stripe = Vendor::answering(&[reply(200).json(&page)]);
        let app = between(&stripe, &Vendor::answering(&[pepper()])).await;
        let key = SecretString::from("sk_test_1");
        let window = Window { from: Timestamp::UNIX_EPOCH, until: Timestamp::MAX };
        let page = app.stripe.calls(&key, budget()).list_events(window, None).await.unwrap();
        assert_eq!(page.events.len(), 100);
    }
}
