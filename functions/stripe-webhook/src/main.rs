//! stripe-webhook: the wiring. What it does is in `lib.rs`.

use lambda::aws::Service;
use stripe_webhook::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("stripe-webhook");
    let config = lambda::settings::read(Config::read)?;
    let (aws, connected) = lambda::aws::open_towards(&[Service::DynamoDb])?;
    let (app, ()) = tokio::join!(config.open(&aws), connected);
    let app = &app?;
    lambda::http::serve(Config::route(), move |request| async move {
        stripe_webhook::handle(app, &request, lambda::clock::now()).await
    })
    .await
}
