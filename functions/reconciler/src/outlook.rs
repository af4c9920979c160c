//! How things stand at Stripe: whether it takes our key, how long it has been quiet, and whether it
//! sends webhooks to us at all.

use crate::handler::{App, Stopped, budget};
use crate::report::Report;
use crate::window::HORIZON;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use stripe::{FetchedEvent, StripeError, WebhookEndpoint};

/// The end of our endpoint's address, whatever domain is before it.
const OUR_PATH: &str = "/webhooks/stripe";

/// Looks at Stripe's side, and answers with the key that Stripe takes.
pub(crate) async fn look(
    app: &App,
    now: Timestamp,
    report: &mut Report,
) -> Result<SecretString, Stopped> {
    let (key, newest) = enter(app).await?;
    let quiet = quiet(newest.as_ref(), now);
    report.quiet_seconds = Some(quiet.as_secs());
    if is_too_quiet(quiet, app.quiet) {
        tracing::error!(
            quiet_hours = quiet.as_hours(),
            too_quiet = 1,
            metrics = "too_quiet:Count",
            "nobody has paid, failed to pay or been refunded for longer than QUIET_HOURS"
        );
    }
    report.endpoint_enabled = endpoint_enabled(app, &key).await;
    Ok(key)
}

/// Asks with the key, and once more where it will not do and another has been set meanwhile.
async fn enter(app: &App) -> Result<(SecretString, Option<FetchedEvent>), Stopped> {
    let ask = async || {
        let key = app.stripe_key.value().ok_or(Stopped::NoKey)?;
        same_mode(&key, app.payments.livemode())?;
        let newest = app.stripe.calls(&key, budget()).newest_event().await?;
        Ok((key, newest))
    };
    match ask().await {
        Err(
            Stopped::NoKey | Stopped::OtherMode | Stopped::Stripe(StripeError::Misconfigured(_)),
        ) if app.stripe_key.refused().await => ask().await,
        answered => answered,
    }
}

/// A key of the other mode lists that mode's events alone: all would be passed, and the cursor with
/// them, and ours of that time would never be looked at.
fn same_mode(key: &SecretString, livemode: bool) -> Result<(), Stopped> {
    let other = if livemode { "k_test_" } else { "k_live_" };
    if key.expose_secret().contains(other) { Err(Stopped::OtherMode) } else { Ok(()) }
}

/// How long ago the newest event was made; where Stripe remembers none, at least as long as it
/// remembers any.
fn quiet(newest: Option<&FetchedEvent>, now: Timestamp) -> SignedDuration {
    let created = newest.and_then(FetchedEvent::created);
    created.map_or(HORIZON, |created| now.duration_since(created).max(SignedDuration::ZERO))
}

/// A limit of nothing is none.
fn is_too_quiet(quiet: SignedDuration, limit: SignedDuration) -> bool {
    limit.is_positive() && quiet > limit
}

/// Whether Stripe sends to us; `None` where it does not say.
async fn endpoint_enabled(app: &App, key: &SecretString) -> Option<bool> {
    let endpoints = match app.stripe.calls(key, budget()).list_webhook_endpoints().await {
        Ok(endpoints) => endpoints,
        Err(StripeError::Misconfigured(report)) => {
            tracing::warn!(
                error = report.to_string(),
                "STRIPE_SECRET_KEY may not list webhook endpoints: nobody sees when Stripe disables ours"
            );
            return None;
        }
        Err(error) => {
            tracing::warn!(error = error.to_string(), "Stripe did not list its webhook endpoints");
            return None;
        }
    };
    let enabled = endpoints.iter().any(is_ours);
    if !enabled {
        tracing::error!(
            endpoints = endpoints.len(),
            "Stripe has no enabled endpoint whose address ends with /webhooks/stripe"
        );
    }
    Some(enabled)
}

fn is_ours(endpoint: &WebhookEndpoint) -> bool {
    endpoint.enabled && endpoint.url.trim_end_matches('/').ends_with(OUR_PATH)
}

#[cfg(test)]
mod tests {
    use super::{enter, is_ours, is_too_quiet, quiet, same_mode};
    use crate::config::tests::{between, holding, pepper};
    use crate::window::HORIZON;
    use jiff::{SignedDuration, Timestamp};
    use secrecy::{ExposeSecret, SecretString};
    use serde_json::json;
    use stripe::WebhookEndpoint;
    use testkit::clock;
    use testkit::vendor::{Vendor, reply};

    #[tokio::test]
    async fn a_key_that_was_set_or_replaced_is_found_by_an_instance_that_is_warm() {
        let missing = reply(400).json(&json!({ "__type": "ParameterNotFound" }));
        let empty = reply(200).json(&json!({"object": "list", "has_more": false, "data": []}));
        let wrong = reply(401).json(&json!({"error": {"type": "invalid_request_error"}}));
        for (first, answers) in [
            (missing, vec![empty.clone()]),
            (holding(concat!("sk_", "live_1")), vec![empty.clone()]),
            (holding("sk_test_old"), vec![wrong.clone(), wrong, empty]),
        ] {
            let stripe = Vendor::answering(&answers);
            let ssm = Vendor::answering(&[pepper(), first, holding("sk_test_new")]);
            let app = between(&stripe, &ssm).await;
            assert!(enter(&app).await.is_err(), "the key was read a moment ago");
            clock::pass(SignedDuration::from_mins(1));
            let (key, _) = enter(&app).await.unwrap();
            assert_eq!(key.expose_secret(), "sk_test_new");
        }
    }

    #[test]
    fn a_key_of_the_other_mode_is_not_used() {
        for (key, live, test) in [
            ("sk_test_1", false, true),
            ("rk_test_1", false, true),
            (concat!("sk_", "live_1"), true, false),
            (concat!("rk_", "live_1"), true, false),
            // What it is, Stripe will say.
            ("something", true, true),
        ] {
            let key = SecretString::from(key);
            assert_eq!(same_mode(&key, true).is_ok(), live);
            assert_eq!(same_mode(&key, false).is_ok(), test);
        }
    }

    #[test]
    fn an_endpoint_is_ours_by_its_path_and_only_while_it_is_enabled() {
        let endpoint = |url: &str, enabled| WebhookEndpoint { url: url.to_owned(), enabled };
        assert!(is_ours(&endpoint("https://api.example.com/live/webhooks/stripe", true)));
        assert!(!is_ours(&endpoint("https://api.example.com/live/webhooks/stripe", false)));
        assert!(!is_ours(&endpoint("https://api.example.com/hooks", true)));
    }

    #[tokio::test]
    async fn it_has_been_quiet_since_the_newest_event() {
        let event = json!({"id": "evt_1", "created": 1_700_000_000});
        let page = json!({"object": "list", "has_more": false, "data": [event]});
        let stripe = Vendor::answering(&[reply(200).json(&page)]);
        let ssm = Vendor::answering(&[pepper(), holding("sk_test_1")]);
        let app = between(&stripe, &ssm).await;
        let (_, newest) = enter(&app).await.unwrap();
        let hour = SignedDuration::from_hours(1);
        let created = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(quiet(newest.as_ref(), created + 2 * hour), 2 * hour);
        assert_eq!(quiet(newest.as_ref(), created - hour), SignedDuration::ZERO, "a slow clock");
        assert_eq!(app.quiet, 3 * hour, "QUIET_HOURS");
    }

    #[test]
    fn quiet_is_said_only_where_a_limit_is_set() {
        let hours = SignedDuration::from_hours;
        assert!(is_too_quiet(hours(25), hours(24)));
        assert!(!is_too_quiet(hours(23), hours(24)));
        assert!(!is_too_quiet(hours(700), hours(0)));
        assert_eq!(quiet(None, Timestamp::UNIX_EPOCH), HORIZON);
    }
}
