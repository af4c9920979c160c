//! The customer pays in the browser: what becomes of the intent, and which events tell of it.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::intent::{is_open, status};
use super::{Account, Happening, Outcome, Refused, charge, new_id};

impl Account {
    /// Plays one attempt to pay; an attempt that was processing is ended by a second call.
    pub(crate) fn pay(
        &mut self,
        intent_id: &str,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Happening, Refused> {
        let mut intent = self.intent_to_play(intent_id)?;
        let processing = status(&intent) == "processing";
        if !(is_open(&intent) || processing && outcome != Outcome::Processing) {
            let why = format!("the payment intent has the status {}", status(&intent));
            return Err(Refused { status: 409, why });
        }
        let running = intent["latest_charge"].as_str().filter(|_| processing);
        let mut charge = running
            .and_then(|id| self.charges.get(id).cloned())
            .unwrap_or_else(|| charge::begin(&intent, now));
        charge::settle(&mut charge, outcome);
        advance(&mut intent, &charge, outcome);
        let events = self.tell_of_attempt(&intent, &charge, outcome, now);
        let charge_id = charge["id"].as_str().unwrap_or_default().to_owned();
        self.charges.insert(charge_id, charge);
        self.intents.insert(intent_id.to_owned(), intent.clone());
        Ok(Happening { about: json!({ "payment_intent": intent }), events })
    }

    /// An intent that a control call names.
    pub(super) fn intent_to_play(&self, id: &str) -> Result<Value, Refused> {
        let missing = || Refused { status: 404, why: "no such payment intent".to_owned() };
        self.intents.get(id).cloned().ok_or_else(missing)
    }

    fn tell_of_attempt(
        &mut self,
        intent: &Value,
        charge: &Value,
        outcome: Outcome,
        now: Timestamp,
    ) -> Vec<String> {
        let (of_intent, of_charge) = match outcome {
            Outcome::Succeeded => ("payment_intent.succeeded", "charge.succeeded"),
            Outcome::Declined => ("payment_intent.payment_failed", "charge.failed"),
            Outcome::Processing => ("payment_intent.processing", "charge.pending"),
        };
        // Stripe.js confirms with a key of its own making.
        let cause =
            json!({ "id": new_id("req", 14), "idempotency_key": Uuid::new_v4().to_string() });
        vec![
            self.events.record(of_intent, intent, None, cause.clone(), now),
            self.events.record(of_charge, charge, None, cause, now),
        ]
    }
}

fn advance(intent: &mut Value, charge: &Value, outcome: Outcome) {
    intent["latest_charge"] = charge["id"].clone();
    intent["last_payment_error"] = Value::Null;
    match outcome {
        Outcome::Succeeded => {
            intent["status"] = "succeeded".into();
            intent["amount_received"] = intent["amount"].clone();
            intent["payment_method"] = charge["payment_method"].clone();
            intent["processing"] = Value::Null;
        }
        Outcome::Declined => {
            intent["status"] = "requires_payment_method".into();
            intent["payment_method"] = Value::Null;
            intent["last_payment_error"] = charge::payment_error(charge);
        }
        Outcome::Processing => {
            intent["status"] = "processing".into();
            intent["payment_method"] = charge["payment_method"].clone();
        }
    }
}
