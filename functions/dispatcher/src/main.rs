//! dispatcher: the wiring. What it does is in `lib.rs`.

use lambda::aws::Service;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("dispatcher");
    let config = lambda::settings::read(dispatch::Config::read)?;
    let (aws, connected) = lambda::aws::open_towards(&[Service::DynamoDb, Service::Sqs])?;
    connected.await;
    let dispatch = &config.open(&aws);
    lambda::serve(move |batch| async move {
        Ok(dispatcher::handle(dispatch, batch, lambda::clock::now()).await?)
    })
    .await
}
