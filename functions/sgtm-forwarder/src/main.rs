//! sgtm-forwarder: the wiring. What it does is in `lib.rs`.

use outbound::{Limits, Outbound, Roots};
use sgtm_forwarder::{Config, Tagging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("sgtm-forwarder");
    let (shared, own) = lambda::settings::read(|settings| {
        (delivery::Config::read(settings), Config::read(settings))
    })?;
    let aws = lambda::aws::open()?;
    let prefix = &shared.secrets_prefix;
    let sgtm_api_secret = aws.optional_secret(prefix, "SGTM_API_SECRET").await?;
    let outbound =
        Outbound::new("sgtm-forwarder", Limits::default(), Roots::of(aws.trusts_the_machine()))?;
    let courier = Tagging::new(&own, &outbound, sgtm_api_secret);
    let consumer = &shared.open(&aws, courier, None);
    lambda::serve(move |batch| async move { Ok(consumer.consume(batch).await) }).await
}
