//! The sweeper: the clock comes in, messages for what was forgotten or is due go out.
//! It calls no vendor.

mod handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("sweeper");
    let config = lambda::settings::read(dispatch::Config::read)?;
    let dispatch = &config.open(&lambda::aws::open().await);
    lambda::serve(move |_tick: serde_json::Value| async move {
        handler::sweep(dispatch, lambda::clock::now).await;
        Ok(())
    })
    .await
}
