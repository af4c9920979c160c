//! The dispatcher: a batch of the table's stream comes in, routed and queued deliveries go out.
//! It calls no vendor.

mod handler;
mod stream;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("dispatcher");
    let config = lambda::settings::read(dispatch::Config::read)?;
    let dispatch = &config.open(&lambda::aws::open().await);
    lambda::serve(move |batch| async move {
        Ok(handler::handle(dispatch, batch, lambda::clock::now()).await?)
    })
    .await
}
