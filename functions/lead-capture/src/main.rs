//! lead-capture: the wiring. What it does is in `lib.rs`.

use lambda::aws::Service;
use lead_capture::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("lead-capture");
    let config = lambda::settings::read(Config::read)?;
    let route = config.route();
    domain::contact::PhoneNumber::prepare();
    let (aws, connected) = lambda::aws::open_towards(&[Service::DynamoDb])?;
    let (app, ()) = tokio::join!(config.open(&aws), connected);
    let app = &app?;
    lambda::http::serve(route, move |request| async move {
        lead_capture::handle(app, &request, lambda::clock::now(), uuid::Uuid::new_v4).await
    })
    .await
}
