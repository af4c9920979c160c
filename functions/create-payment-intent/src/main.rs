//! A visitor wants to pay: a price comes from the catalogue, an intent from Stripe, a fact goes into
//! the ledger. The client secret passes through and is stored nowhere.

mod checkout;
mod config;
mod fact;
mod handler;
mod problem;

use config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("create-payment-intent");
    let config = lambda::settings::read(Config::read)?;
    let route = config.route();
    let app = &config.open(&lambda::aws::open()?).await?;
    lambda::http::serve(route, move |request| async move {
        handler::handle(app, &request, lambda::clock::now(), uuid::Uuid::new_v4).await
    })
    .await
}
