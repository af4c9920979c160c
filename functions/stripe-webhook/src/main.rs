//! stripe-webhook: the wiring. What it does is in `lib.rs`.

use stripe_webhook::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("stripe-webhook");
    let config = lambda::settings::read(Config::read)?;
    let app = &config.open(&lambda::aws::open()?).await?;
    lambda::http::serve(Config::route(), move |request| async move {
        stripe_webhook::handle(app, &request, lambda::clock::now()).await
    })
    .await
}
