//! crm-sync: the wiring. What it does is in `lib.rs`.

use crm_sync::{Config, Crm};
use outbound::{Limits, Outbound, Roots};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("crm-sync");
    let (shared, own) = lambda::settings::read(|settings| {
        (delivery::Config::read(settings), Config::read(settings))
    })?;
    let aws = lambda::aws::open()?;
    let prefix = &shared.secrets_prefix;
    let hubspot_access_token = aws.secret(prefix, "HUBSPOT_ACCESS_TOKEN").await?;
    let pepper = aws.pepper(prefix).await?;
    let outbound =
        Outbound::new("crm-sync", Limits::default(), Roots::of(aws.trusts_the_machine()))?;
    let courier = Crm::new(&own, &outbound, hubspot_access_token);
    let consumer = &shared.open(&aws, courier, Some(pepper));
    lambda::serve(move |batch| async move { Ok(consumer.consume(batch).await) }).await
}
