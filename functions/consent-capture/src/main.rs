//! An answer about consent comes in from a page, a fact goes into the ledger. It calls no vendor.

mod config;
mod handler;

use config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("consent-capture");
    let config = lambda::settings::read(Config::read)?;
    let route = config.route();
    let desk = &config.open(&lambda::aws::open().await).await?;
    lambda::http::serve(route, move |request| async move {
        handler::handle(desk, &request, lambda::clock::now()).await
    })
    .await
}
