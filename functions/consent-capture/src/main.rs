//! consent-capture: the wiring. What it does is in `lib.rs`.

use consent_capture::Config;
use lambda::aws::Service;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("consent-capture");
    let config = lambda::settings::read(Config::read)?;
    let route = config.route();
    let (aws, connected) = lambda::aws::open_towards(&[Service::DynamoDb])?;
    let (desk, ()) = tokio::join!(config.open(&aws), connected);
    let desk = &desk?;
    lambda::http::serve(route, move |request| async move {
        consent_capture::handle(desk, &request, lambda::clock::now()).await
    })
    .await
}
