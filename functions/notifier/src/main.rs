//! notifier: the wiring. What it does is in `lib.rs`.

use notifier::{Config, Notify};
use outbound::{Limits, Outbound, Roots};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("notifier");
    let (shared, own) = lambda::settings::read(|settings| {
        (delivery::Config::read(settings), Config::read(settings))
    })?;
    let aws = lambda::aws::open()?;
    let prefix = &shared.secrets_prefix;
    let sendgrid_api_key = aws.secret(prefix, "SENDGRID_API_KEY").await?;
    let slack_webhook_url = aws.secret(prefix, "SLACK_WEBHOOK_URL").await?;
    let outbound =
        Outbound::new("notifier", Limits::default(), Roots::of(aws.trusts_the_machine()))?;
    let courier = Notify::new(&own, &outbound, sendgrid_api_key, slack_webhook_url);
    let consumer = &shared.open(&aws, courier, None);
    lambda::serve(move |batch| async move { Ok(consumer.consume(batch).await) }).await
}
