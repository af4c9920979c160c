//! Stripe tells us what happened: signed bytes come in, facts go into the ledger. It calls no vendor.

mod config;
mod handler;
mod signature;

use config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("stripe-webhook");
    let config = lambda::settings::read(Config::read)?;
    let app = &config.open(&lambda::aws::open().await).await?;
    lambda::http::serve(Config::route(), move |request| async move {
        handler::handle(app, &request, lambda::clock::now()).await
    })
    .await
}
