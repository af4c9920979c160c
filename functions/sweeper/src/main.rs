//! sweeper: the wiring. What it does is in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("sweeper");
    let config = lambda::settings::read(dispatch::Config::read)?;
    let dispatch = &config.open(&lambda::aws::open()?);
    lambda::serve(move |_tick: serde_json::Value| async move {
        sweeper::sweep(dispatch, lambda::clock::now).await;
        Ok(())
    })
    .await
}
