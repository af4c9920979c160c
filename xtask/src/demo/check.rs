//! What should have come of each visitor, and how it is compared with what did.

use super::timeline::Timeline;
use super::visitor::Visitor;
use crate::http;
use anyhow::{Context, Result};
use serde_json::Value;

/// A destination that should have heard of a kind of effect, once.
pub(crate) struct Expected {
    kind: &'static str,
    destinations: &'static [&'static str],
}

/// Full consent: everybody hears what they have a use for.
pub(crate) fn buyer() -> [Expected; 5] {
    [
        Expected {
            kind: "lead_captured",
            destinations: &["hubspot", "mailerlite", "sgtm", "slack"],
        },
        Expected { kind: "lead_corrected", destinations: &["hubspot", "mailerlite"] },
        Expected { kind: "checkout_started", destinations: &["hubspot", "mailerlite", "sgtm"] },
        Expected {
            kind: "payment_succeeded",
            destinations: &["hubspot", "mailerlite", "sgtm", "sendgrid", "slack"],
        },
        Expected {
            kind: "payment_refunded",
            destinations: &["hubspot", "mailerlite", "sgtm", "sendgrid", "slack"],
        },
    ]
}

/// No consent: those who need it hear nothing.
pub(crate) fn silent() -> [Expected; 3] {
    [
        Expected { kind: "lead_captured", destinations: &["hubspot", "slack"] },
        Expected { kind: "checkout_started", destinations: &["hubspot"] },
        Expected { kind: "payment_succeeded", destinations: &["hubspot", "sendgrid", "slack"] },
    ]
}

/// Compares the ledger's deliveries with what should be there: no more, no less, all done.
pub(crate) fn deliveries(timeline: &Timeline, expected: &[Expected]) -> Vec<String> {
    let mut faults = Vec::new();
    for Expected { kind, destinations } in expected {
        for destination in *destinations {
            let found: Vec<_> = timeline
                .deliveries()
                .filter(|(of, to, _)| of == kind && to == destination)
                .collect();
            let done = found.iter().filter(|(_, _, delivery)| {
                ["delivered", "accepted_unverifiable"].contains(&delivery.state.as_str())
            });
            if (found.len(), done.count()) != (1, 1) {
                faults.push(format!("{destination} should have {kind} delivered once"));
            }
        }
    }
    // A refusal is looked at by the newsletter's own function, which may have to unsubscribe.
    for (kind, destination, _) in timeline.deliveries().filter(|(_, _, d)| d.state != "skipped") {
        let wanted =
            expected.iter().any(|e| e.kind == kind && e.destinations.contains(&destination));
        if !wanted {
            faults.push(format!("{destination} should not have got {kind}"));
        }
    }
    faults
}

/// Compares what each stand-in remembers of the visitor with the number of effects it should have
/// heard of; a destination that should have heard nothing must not know them at all.
pub(crate) async fn vendors(
    sandbox: &str,
    visitor: &Visitor,
    expected: &[Expected],
) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for vendor in ["hubspot", "mailerlite", "sgtm", "sendgrid", "slack"] {
        let wanted = expected.iter().filter(|e| e.destinations.contains(&vendor)).count();
        let requests =
            http::get_json(&format!("{sandbox}/_control/requests?vendor={vendor}")).await?;
        let requests = requests.as_array().context("the sandbox answered no list")?;
        let theirs: Vec<&Value> =
            requests.iter().filter(|request| visitor.is_in(request)).collect();
        if theirs.len() != wanted {
            faults.push(format!(
                "{vendor} should have got {wanted} requests and got {}",
                theirs.len()
            ));
        }
        for request in theirs {
            let status = request["answered"].as_u64().unwrap_or(0);
            if !(200..300).contains(&status) {
                faults.push(format!("{vendor} answered {} to a request", request["answered"]));
            }
            if request["problems"].as_array().is_some_and(|problems| !problems.is_empty()) {
                faults.push(format!("{vendor} was sent something wrong: {}", request["problems"]));
            }
        }
    }
    Ok(faults)
}
