//! PaymentIntents: create, read, update, cancel (docs.stripe.com/api/payment_intents).

mod rules;

use serde_json::{Value, json};

use super::params::Params;
use super::refusal::Refusal;
use super::{Account, Context, Done, found, new_id};
use rules::{check_amount, check_currency, check_may_update, check_shape};

/// The parameters of `PaymentIntentCreateParams` in the Node SDK of this API version.
const CREATE: [&str; 38] = [
    "amount",
    "currency",
    "allowed_payment_method_types",
    "amount_details",
    "application_fee_amount",
    "automatic_payment_methods",
    "capture_method",
    "confirm",
    "confirmation_method",
    "confirmation_token",
    "customer",
    "customer_account",
    "description",
    "error_on_requires_action",
    "excluded_payment_method_types",
    "expand",
    "hooks",
    "mandate",
    "mandate_data",
    "metadata",
    "off_session",
    "on_behalf_of",
    "payment_details",
    "payment_method",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "payment_method_types",
    "radar_options",
    "receipt_email",
    "return_url",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
    "use_stripe_sdk",
];
/// The parameters of `PaymentIntentUpdateParams`.
const UPDATE: [&str; 26] = [
    "allowed_payment_method_types",
    "amount",
    "amount_details",
    "application_fee_amount",
    "capture_method",
    "currency",
    "customer",
    "customer_account",
    "description",
    "excluded_payment_method_types",
    "expand",
    "hooks",
    "metadata",
    "payment_details",
    "payment_method",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "payment_method_types",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];
const REASONS: [&str; 4] = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"];
/// Statuses from which an intent can still be changed or cancelled.
const OPEN: [&str; 4] =
    ["requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"];

impl Account {
    pub(super) fn create_intent(
        &mut self,
        params: &Params,
        context: &Context,
    ) -> Result<Done, Refusal> {
        params.only(&CREATE)?;
        check_shape(params, context)?;
        let amount =
            params.integer("amount")?.ok_or_else(|| Refusal::missing_parameter("amount"))?;
        let code = params.one("currency").ok_or_else(|| Refusal::missing_parameter("currency"))?;
        check_currency(code)?;
        check_amount(amount, code)?;
        let metadata = params.merge_metadata(&json!({}))?;
        let mut intent = blank(amount, code, context);
        intent["metadata"] = metadata;
        apply(&mut intent, params)?;
        apply_methods(&mut intent, params)?;
        let id = intent["id"].as_str().unwrap_or_default().to_owned();
        self.intents.insert(id, intent.clone());
        // Written down but not sent: our endpoint does not subscribe to it.
        self.events.record("payment_intent.created", &intent, None, context.cause(), context.now);
        Ok(intent.into())
    }

    pub(super) fn get_intent(&self, id: &str, params: &Params) -> Result<Value, Refusal> {
        params.only(&["client_secret", "expand"])?;
        let mut intent = found(&self.intents, "payment_intent", id)?;
        self.expand(&mut intent, params)?;
        Ok(intent)
    }

    pub(super) fn update_intent(
        &mut self,
        id: &str,
        params: &Params,
        context: &Context,
    ) -> Result<Done, Refusal> {
        params.only(&UPDATE)?;
        check_shape(params, context)?;
        let amount = params.integer("amount")?;
        let mut intent = found(&self.intents, "payment_intent", id)?;
        check_may_update(&intent, params)?;
        if let Some(code) = params.one("currency") {
            check_currency(code)?;
            intent["currency"] = code.into();
        }
        if let Some(amount) = amount {
            check_amount(amount, intent["currency"].as_str().unwrap_or_default())?;
            intent["amount"] = amount.into();
        }
        intent["metadata"] = params.merge_metadata(&intent["metadata"])?;
        apply(&mut intent, params)?;
        apply_methods(&mut intent, params)?;
        self.intents.insert(id.to_owned(), intent.clone());
        self.expand(&mut intent, params)?;
        Ok(intent.into())
    }

    pub(super) fn cancel_intent(
        &mut self,
        id: &str,
        params: &Params,
        context: &Context,
    ) -> Result<Done, Refusal> {
        params.only(&["cancellation_reason", "expand"])?;
        let reason = params.word("cancellation_reason", &REASONS)?;
        let mut intent = found(&self.intents, "payment_intent", id)?;
        if !is_open(&intent) {
            let message = format!(
                "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the following statuses may be canceled: {}.",
                status(&intent),
                OPEN.join(", ")
            );
            return Err(unexpected_state(&intent, message));
        }
        intent["status"] = "canceled".into();
        intent["canceled_at"] = context.now.as_second().into();
        intent["cancellation_reason"] = reason.into();
        self.intents.insert(id.to_owned(), intent.clone());
        let event = self.events.record(
            "payment_intent.canceled",
            &intent,
            None,
            context.cause(),
            context.now,
        );
        Ok(Done { object: intent, events: vec![event] })
    }

    fn expand(&self, intent: &mut Value, params: &Params) -> Result<(), Refusal> {
        for what in params.list("expand") {
            if what != "latest_charge" {
                let message = format!("This property cannot be expanded ({what}).");
                return Err(Refusal::validation(message).with_param("expand"));
            }
            let charge = intent["latest_charge"].as_str().and_then(|id| self.charges.get(id));
            if let Some(charge) = charge {
                intent["latest_charge"] = charge.clone();
            }
        }
        Ok(())
    }
}

/// The intent's status.
pub(super) fn status(intent: &Value) -> &str {
    intent["status"].as_str().unwrap_or_default()
}

/// True while the intent can still be changed, cancelled or paid.
pub(super) fn is_open(intent: &Value) -> bool {
    OPEN.contains(&status(intent))
}

fn unexpected_state(intent: &Value, message: String) -> Refusal {
    Refusal::execution("payment_intent_unexpected_state", message).with_intent(intent)
}

/// The parameters that create and update share.
fn apply(intent: &mut Value, params: &Params) -> Result<(), Refusal> {
    if let Some(address) = params.email("receipt_email")? {
        intent["receipt_email"] = address;
    }
    for name in [
        "customer",
        "description",
        "capture_method",
        "setup_future_usage",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_group",
    ] {
        match params.one(name) {
            None => {}
            Some("") => intent[name] = Value::Null,
            Some(text) => intent[name] = text.into(),
        }
    }
    Ok(())
}

fn apply_methods(intent: &mut Value, params: &Params) -> Result<(), Refusal> {
    if let Some(enabled) = params.one("automatic_payment_methods[enabled]") {
        let redirects =
            params.one("automatic_payment_methods[allow_redirects]").unwrap_or("always");
        intent["automatic_payment_methods"] =
            json!({ "enabled": enabled == "true", "allow_redirects": redirects });
    }
    let currency = intent["currency"].as_str().unwrap_or_default();
    let mut methods: Vec<&str> = match currency {
        "eur" => vec!["card", "link", "mb_way", "multibanco", "sepa_debit"],
        _ => vec!["card", "link"],
    };
    let (allowed, excluded) =
        (params.list("allowed_payment_method_types"), params.list("excluded_payment_method_types"));
    if !allowed.is_empty() {
        methods.retain(|method| allowed.contains(method));
    }
    methods.retain(|method| !excluded.contains(method));
    if methods.is_empty() {
        return Err(Refusal::validation("No valid payment method types for this Payment Intent."));
    }
    intent["payment_method_types"] = methods.into();
    if !excluded.is_empty() {
        intent["excluded_payment_method_types"] = excluded.into();
    }
    Ok(())
}

fn blank(amount: i64, code: &str, context: &Context) -> Value {
    let id = new_id("pi", 24);
    json!({
        "id": id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": { "tip": {} },
        "amount_received": 0,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": { "enabled": true, "allow_redirects": "always" },
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": "automatic_async",
        "client_secret": new_id(&format!("{id}_secret"), 25),
        "confirmation_method": "automatic",
        "created": context.now.as_second(),
        "currency": code,
        "customer": null,
        "customer_account": null,
        "description": null,
        "excluded_payment_method_types": null,
        "last_payment_error": null,
        "latest_charge": null,
        "livemode": false,
        "metadata": {},
        "next_action": null,
        "on_behalf_of": null,
        "payment_method": null,
        "payment_method_configuration_details": { "id": "pmc_1SandboxThroughline0000", "parent": null },
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": ["card"],
        "processing": null,
        "receipt_email": null,
        "review": null,
        "setup_future_usage": null,
        "shipping": null,
        "source": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": "requires_payment_method",
        "transfer_data": null,
        "transfer_group": null,
    })
}
