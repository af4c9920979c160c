//! A lead comes in from a page, a fact goes into the ledger. It calls no vendor.

mod config;
mod exit;
mod fact;
mod handler;

use config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("lead-capture");
    let config = lambda::settings::read(Config::read)?;
    let route = config.route();
    let app = &config.open(&lambda::aws::open().await).await?;
    lambda::http::serve(route, move |request| async move {
        handler::handle(app, &request, lambda::clock::now(), uuid::Uuid::new_v4).await
    })
    .await
}
