//! Refunds (docs.stripe.com/api/refunds), by the API and by hand in the dashboard.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::params::Params;
use super::refusal::Refusal;
use super::{Account, Context, Done, Happening, Refused, found, new_id};

const CREATE: [&str; 11] = [
    "amount",
    "charge",
    "currency",
    "customer",
    "expand",
    "instructions_email",
    "metadata",
    "origin",
    "payment_intent",
    "reason",
    "refund_application_fee",
];
const REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];

/// A refund that may be made.
struct Order {
    charge_id: String,
    amount: i64,
    reason: Value,
    metadata: Value,
}

/// Why a charge cannot be refunded.
enum Obstacle {
    NotPaid,
    AlreadyRefunded,
    TooMuch,
}

impl Obstacle {
    fn words(&self) -> &'static str {
        match self {
            Self::NotPaid => "This PaymentIntent does not have a successful charge to refund.",
            Self::AlreadyRefunded => "This charge has already been refunded.",
            Self::TooMuch => "Refund amount is greater than unrefunded amount on charge.",
        }
    }

    fn refusal(&self) -> Refusal {
        match self {
            Self::NotPaid => Refusal::execution("payment_intent_unexpected_state", self.words()),
            Self::AlreadyRefunded => Refusal::execution("charge_already_refunded", self.words()),
            Self::TooMuch => {
                Refusal::execution("amount_too_large", self.words()).with_param("amount")
            }
        }
    }
}

impl Account {
    pub(super) fn create_refund(
        &mut self,
        params: &Params,
        context: &Context,
    ) -> Result<Done, Refusal> {
        params.only(&CREATE)?;
        let amount = params.integer("amount")?;
        let reason = params.word("reason", &REASONS)?;
        let metadata = params.merge_metadata(&json!({}))?;
        if amount == Some(0) {
            let refusal = Refusal::validation("This value must be greater than or equal to 1.");
            return Err(refusal.with_code("parameter_invalid_integer").with_param("amount"));
        }
        let charge_id = self.charge_to_refund(params)?;
        let amount = self.refundable(&charge_id, amount).map_err(|obstacle| obstacle.refusal())?;
        let order = Order { charge_id, amount, reason: reason.into(), metadata };
        let (refund, events) = self.refund(&order, &context.cause(), context.now);
        Ok(Done { object: refund, events })
    }

    /// Refunds by hand: `amount`, or all that is left.
    pub(crate) fn refund_by_hand(
        &mut self,
        intent_id: &str,
        amount: Option<i64>,
        now: Timestamp,
    ) -> Result<Happening, Refused> {
        if amount.is_some_and(|amount| amount < 1) {
            return Err(Refused { status: 400, why: "amount must be at least 1".to_owned() });
        }
        let intent = self.intent_to_play(intent_id)?;
        let charge_id = intent["latest_charge"].as_str().unwrap_or_default().to_owned();
        let amount = self
            .refundable(&charge_id, amount)
            .map_err(|obstacle| Refused { status: 409, why: obstacle.words().to_owned() })?;
        let order = Order {
            charge_id,
            amount,
            reason: "requested_by_customer".into(),
            metadata: json!({}),
        };
        // What is done in the dashboard has no idempotency key.
        let cause = json!({ "id": new_id("req", 14), "idempotency_key": null });
        let (refund, events) = self.refund(&order, &cause, now);
        Ok(Happening { about: json!({ "refund": refund }), events })
    }

    fn charge_to_refund(&self, params: &Params) -> Result<String, Refusal> {
        match (params.one("charge"), params.one("payment_intent")) {
            (Some(id), _) => found(&self.charges, "charge", id).map(|_| id.to_owned()),
            (None, Some(id)) => {
                let intent = found(&self.intents, "payment_intent", id)?;
                let charge = intent["latest_charge"].as_str();
                charge.map(ToOwned::to_owned).ok_or_else(|| Obstacle::NotPaid.refusal())
            }
            (None, None) => Err(Refusal::validation(
                "One of the following params should be provided for this request: payment_intent or charge.",
            )),
        }
    }

    /// How much is refunded when this much is asked of this charge.
    fn refundable(&self, charge_id: &str, amount: Option<i64>) -> Result<i64, Obstacle> {
        let charge = self.charges.get(charge_id).filter(|charge| charge["paid"] == true);
        let charge = charge.ok_or(Obstacle::NotPaid)?;
        let number = |name: &str| charge[name].as_i64().unwrap_or(0);
        let left = number("amount_captured") - number("amount_refunded");
        match amount.unwrap_or(left) {
            _ if left == 0 => Err(Obstacle::AlreadyRefunded),
            wanted if wanted > left => Err(Obstacle::TooMuch),
            wanted => Ok(wanted),
        }
    }

    /// Makes the refund. Two events describe it, and a third the charge, as Stripe does.
    fn refund(&mut self, order: &Order, cause: &Value, now: Timestamp) -> (Value, Vec<String>) {
        let Some(charge) = self.charges.get_mut(&order.charge_id) else {
            return (Value::Null, Vec::new());
        };
        let before = charge["amount_refunded"].as_i64().unwrap_or(0);
        let previous = json!({ "amount_refunded": before, "refunded": charge["refunded"], "receipt_url": charge["receipt_url"] });
        let refunded = before + order.amount;
        charge["amount_refunded"] = refunded.into();
        charge["refunded"] = (Some(refunded) == charge["amount_captured"].as_i64()).into();
        let charge = charge.clone();
        let mut refund = blank(order, &charge, now);
        let created = self.events.record("refund.created", &refund, None, cause.clone(), now);
        let pending = json!({ "destination_details": refund["destination_details"] });
        refund["destination_details"]["card"]["reference"] = "7901 3622 0051".into();
        refund["destination_details"]["card"]["reference_status"] = "available".into();
        let no_cause = json!({ "id": null, "idempotency_key": null });
        let updated = self.events.record("refund.updated", &refund, Some(pending), no_cause, now);
        let of_charge =
            self.events.record("charge.refunded", &charge, Some(previous), cause.clone(), now);
        let id = refund["id"].as_str().unwrap_or_default().to_owned();
        self.refunds.insert(id, refund.clone());
        (refund, vec![created, updated, of_charge])
    }
}

fn blank(order: &Order, charge: &Value, now: Timestamp) -> Value {
    json!({
        "id": new_id("re", 24),
        "object": "refund",
        "amount": order.amount,
        "balance_transaction": new_id("txn", 24),
        "charge": order.charge_id,
        "created": now.as_second(),
        "currency": charge["currency"],
        "destination_details": {
            "type": "card",
            "card": { "reference": null, "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund" },
        },
        "metadata": order.metadata,
        "payment_intent": charge["payment_intent"],
        "reason": order.reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": "succeeded",
        "transfer_reversal": null,
    })
}
