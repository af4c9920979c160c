//! What every provider must make of a vendor's answers, whatever the vendor: the one contract test.

use crate::vendor::{Reply, Vendor, cut, nobody, reply};
use domain::fault::{Fault, Remedy, Taken};
use std::fmt::Debug;
use std::time::Duration;

/// Calls a provider against a vendor that fails in every usual way, and checks what it makes of it.
/// `send` makes one call to the vendor at this base URL.
///
/// # Panics
/// Where the provider breaks the contract.
pub async fn holds<Receipt: Debug>(send: impl AsyncFn(String) -> Result<Receipt, Fault>) {
    let retry =
        |after: Option<u64>, taken| Remedy::Retry { after: after.map(Duration::from_secs), taken };
    let table = [
        (reply(400), Remedy::Reject),
        (reply(401), Remedy::Setup),
        (reply(403), Remedy::Setup),
        (reply(302).header("location", "http://example.com/"), Remedy::Setup),
        (reply(429).header("retry-after", "7"), retry(Some(7), Taken::No)),
        (reply(503), retry(None, Taken::No)),
        (reply(408), retry(None, Taken::Unknown)),
        (reply(500), retry(None, Taken::Unknown)),
        // A gateway that gave up waiting does not know what the vendor behind it did.
        (reply(502), retry(None, Taken::Unknown)),
        (reply(504), retry(None, Taken::Unknown)),
        (cut(), retry(None, Taken::Unknown)),
    ];
    for (reply, remedy) in table {
        let shown = format!("{reply:?}");
        assert_eq!(fault(&send, reply).await.remedy, remedy, "{shown}");
    }
    let unreachable = send(nobody()).await.expect_err("nobody answered");
    assert_eq!(unreachable.remedy, retry(None, Taken::No), "a refused connection");
    garbage_is_decided(&send).await;
}

/// A success that cannot be read is a success: repeating it would do it again.
async fn garbage_is_decided<Receipt: Debug>(send: &impl AsyncFn(String) -> Result<Receipt, Fault>) {
    for body in ["", "{}", "<html>", "[1"] {
        let vendor = Vendor::answering(&[reply(200).text(body)]);
        let outcome = send(vendor.url()).await;
        assert!(outcome.is_ok(), "{body:?}: {outcome:?}");
        assert_eq!(vendor.requests().len(), 1, "called once");
    }
}

async fn fault<Receipt: Debug>(
    send: &impl AsyncFn(String) -> Result<Receipt, Fault>,
    reply: Reply,
) -> Fault {
    let vendor = Vendor::answering(&[reply]);
    send(vendor.url()).await.expect_err("the vendor did not take it")
}
