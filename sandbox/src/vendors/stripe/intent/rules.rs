//! What Stripe refuses of a PaymentIntent's parameters.

use serde_json::Value;

use super::{is_open, status, unexpected_state};
use crate::currency;
use crate::vendors::stripe::Context;
use crate::vendors::stripe::params::Params;
use crate::vendors::stripe::refusal::Refusal;

/// docs.stripe.com/changelog/endive/2026-09-30
const TYPES_GONE_SINCE: &str = "2026-09-30";
/// docs.stripe.com/changelog/dahlia/2026-07-29/allowed-payment-method-types-parameter
const ALLOWED_SINCE: &str = "2026-07-29";
/// What may still change once an intent cannot be paid any more.
const UPDATE_WHEN_ENDED: [&str; 3] = ["metadata", "description", "expand"];

/// Refuses what may not change any more.
pub(super) fn check_may_update(intent: &Value, params: &Params) -> Result<(), Refusal> {
    if is_open(intent) || params.only(&UPDATE_WHEN_ENDED).is_ok() {
        return Ok(());
    }
    let what = if params.has("amount") { "amount" } else { "parameters" };
    let message = format!(
        "This PaymentIntent's {what} could not be updated because it has a status of {}. You may only update the {what} of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action.",
        status(intent)
    );
    Err(unexpected_state(intent, message))
}

/// What can be said of the parameters without looking at any intent.
pub(super) fn check_shape(params: &Params, context: &Context) -> Result<(), Refusal> {
    check_methods(params, &context.version)?;
    params.only_within("automatic_payment_methods", &["enabled", "allow_redirects"])?;
    params.only_within("shipping", &["address", "carrier", "name", "phone", "tracking_number"])?;
    params.word("automatic_payment_methods[enabled]", &["true", "false"])?;
    params.word("automatic_payment_methods[allow_redirects]", &["always", "never"])?;
    params.word("capture_method", &["automatic", "automatic_async", "manual"])?;
    params.word("setup_future_usage", &["off_session", "on_session", ""])?;
    if params.has("automatic_payment_methods")
        && params.one("automatic_payment_methods[enabled]").is_none()
    {
        return Err(Refusal::missing_parameter("automatic_payment_methods[enabled]"));
    }
    if params.one("confirm").is_some_and(|confirm| confirm != "false") {
        return Err(Refusal::validation(
            "The sandbox does not confirm: the customer pays with POST /_control/pay.",
        )
        .with_param("confirm"));
    }
    let customer = params.one("customer").filter(|id| !id.is_empty() && !id.starts_with("cus_"));
    customer.map_or(Ok(()), |id| Err(Refusal::no_such("customer", "customer", id)))
}

fn check_methods(params: &Params, version: &str) -> Result<(), Refusal> {
    if params.has("payment_method_types") && version >= TYPES_GONE_SINCE {
        let message = "The payment_method_types parameter is no longer supported on this API version. Use allowed_payment_method_types, excluded_payment_method_types or dynamic payment methods.";
        return Err(Refusal::validation(message)
            .with_code("payment_method_types_no_longer_supported")
            .with_param("payment_method_types"));
    }
    if !params.has("allowed_payment_method_types") {
        return Ok(());
    }
    if version < ALLOWED_SINCE {
        return Err(Refusal::unknown_parameter("allowed_payment_method_types"));
    }
    let rivals = [
        "payment_method_types",
        "excluded_payment_method_types",
        "automatic_payment_methods",
        "payment_method_configuration",
    ];
    match rivals.iter().find(|rival| params.has(rival)) {
        Some(rival) => Err(Refusal::validation(format!(
            "You may only specify one of these parameters: allowed_payment_method_types, {rival}."
        ))
        .with_param(*rival)),
        None => Ok(()),
    }
}

/// A supported currency in lower case.
pub(super) fn check_currency(code: &str) -> Result<(), Refusal> {
    if currency::is_known(code) {
        return Ok(());
    }
    let message = format!(
        "Invalid currency: {code}. It must be a three-letter ISO code in lower case that Stripe supports."
    );
    Err(Refusal::validation(message).with_param("currency"))
}

/// docs.stripe.com/api/payment_intents/create: a positive integer of at most eight digits.
pub(super) fn check_amount(amount: i64, code: &str) -> Result<(), Refusal> {
    let (code, message) = match amount {
        ..1 => ("parameter_invalid_integer", "This value must be greater than or equal to 1."),
        100_000_000.. => ("amount_too_large", "Amount must be no more than 99999999."),
        _ if amount < currency::minimum(code) => {
            ("amount_too_small", "Amount must convert to at least 50 cents.")
        }
        _ => return Ok(()),
    };
    Err(Refusal::validation(message).with_code(code).with_param("amount"))
}
