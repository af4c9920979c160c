//! reconciler: the wiring. What it does is in `lib.rs`.

use reconciler::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start("reconciler");
    let config = lambda::settings::read(Config::read)?;
    let app = &config.open(&lambda::aws::open()?).await?;
    lambda::serve(move |_tick: serde_json::Value| async move {
        reconciler::reconcile(app, lambda::clock::now).await;
        Ok(())
    })
    .await
}
