//! Charges (docs.stripe.com/api/charges/object), as an attempt to pay leaves them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Outcome, new_id};

/// A new charge of an intent, pending.
pub(super) fn begin(intent: &Value, now: Timestamp) -> Value {
    json!({
        "id": new_id("ch", 24),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "balance_transaction": null,
        "billing_details": {
            "address": { "city": null, "country": "PT", "line1": null, "line2": null, "postal_code": null, "state": null },
            "email": intent["receipt_email"],
            "name": null,
            "phone": null,
            "tax_id": null,
        },
        "calculated_statement_descriptor": "THROUGHLINE",
        "captured": false,
        "created": now.as_second(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": false,
        "failure_balance_transaction": null,
        "failure_code": null,
        "failure_message": null,
        "fraud_details": {},
        "livemode": false,
        "metadata": intent["metadata"],
        "on_behalf_of": null,
        "outcome": null,
        "paid": false,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm", 24),
        "payment_method_details": card(),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": null,
        "receipt_url": null,
        "refunded": false,
        "review": null,
        "shipping": null,
        "source": null,
        "source_transfer": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": "pending",
        "transfer_data": null,
        "transfer_group": null,
    })
}

fn card() -> Value {
    json!({
        "type": "card",
        "card": {
            "brand": "visa", "country": "PT", "exp_month": 12, "exp_year": 2030, "funding": "credit",
            "last4": "4242", "network": "visa", "three_d_secure": null, "wallet": null,
            "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
        },
    })
}

/// Turns a charge into what the outcome makes of it.
pub(super) fn settle(charge: &mut Value, outcome: Outcome) {
    match outcome {
        Outcome::Processing => {}
        Outcome::Succeeded => {
            charge["status"] = "succeeded".into();
            charge["paid"] = true.into();
            charge["captured"] = true.into();
            charge["amount_captured"] = charge["amount"].clone();
            charge["balance_transaction"] = new_id("txn", 24).into();
            charge["receipt_url"] = "https://pay.stripe.com/receipts/payment/sandbox".into();
            charge["outcome"] = json!({
                "advice_code": null, "network_advice_code": null, "network_decline_code": null,
                "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
                "risk_score": 12, "seller_message": "Payment complete.", "type": "authorized",
            });
        }
        Outcome::Declined => {
            charge["status"] = "failed".into();
            charge["failure_code"] = "card_declined".into();
            charge["failure_message"] = "Your card has insufficient funds.".into();
            charge["outcome"] = json!({
                "advice_code": "try_again_later", "network_advice_code": null, "network_decline_code": "51",
                "network_status": "declined_by_network", "reason": "insufficient_funds", "risk_level": "normal",
                "risk_score": 12, "seller_message": "The bank returned the decline code `insufficient_funds`.", "type": "issuer_declined",
            });
        }
    }
}

/// Why the last attempt failed, as the intent tells it.
pub(super) fn payment_error(charge: &Value) -> Value {
    json!({
        "advice_code": "try_again_later",
        "charge": charge["id"],
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": charge["failure_message"],
        "network_decline_code": "51",
        "payment_method": {
            "id": charge["payment_method"],
            "object": "payment_method",
            "type": "card",
            "card": charge["payment_method_details"]["card"],
            "billing_details": charge["billing_details"],
            "livemode": false,
            "metadata": {},
        },
        "type": "card_error",
    })
}
