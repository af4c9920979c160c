//! create-payment-intent: the wiring. What it does is in `lib.rs`.

use create_payment_intent::Config;
use lambda::aws::Service;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("create-payment-intent");
    let config = lambda::settings::read(Config::read)?;
    let route = config.route();
    domain::contact::PhoneNumber::prepare();
    let (aws, connected) = lambda::aws::open_towards(&[Service::DynamoDb])?;
    let (app, ()) = tokio::join!(config.open(&aws), connected);
    let app = &app?;
    lambda::http::serve(route, move |request| async move {
        create_payment_intent::handle(app, &request, lambda::clock::now(), uuid::Uuid::new_v4).await
    })
    .await
}
