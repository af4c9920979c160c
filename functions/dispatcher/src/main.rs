//! dispatcher: the wiring. What it does is in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("dispatcher");
    let config = lambda::settings::read(dispatch::Config::read)?;
    let dispatch = &config.open(&lambda::aws::open()?);
    lambda::serve(move |batch| async move {
        Ok(dispatcher::handle(dispatch, batch, lambda::clock::now()).await?)
    })
    .await
}
