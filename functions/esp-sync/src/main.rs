//! esp-sync: the wiring. What it does is in `lib.rs`.

use esp_sync::{Config, Esp};
use outbound::{Limits, Outbound, Roots};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("esp-sync");
    let (shared, own) = lambda::settings::read(|settings| {
        (delivery::Config::read(settings), Config::read(settings))
    })?;
    let aws = lambda::aws::open()?;
    let prefix = &shared.secrets_prefix;
    let mailerlite_api_key = aws.secret(prefix, "MAILERLITE_API_KEY").await?;
    let pepper = aws.pepper(prefix).await?;
    let outbound =
        Outbound::new("esp-sync", Limits::default(), Roots::of(aws.trusts_the_machine()))?;
    let courier = Esp::new(&own, &outbound, mailerlite_api_key);
    let consumer = &shared.open(&aws, courier, Some(pepper));
    lambda::serve(move |batch| async move { Ok(consumer.consume(batch).await) }).await
}
