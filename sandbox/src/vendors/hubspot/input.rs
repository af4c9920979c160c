//! The shape of what HubSpot takes: a batch of inputs, properties that are texts.

use serde_json::{Map, Value};

use crate::exchange::Request;

const INPUT_LIMIT: usize = 100;

/// A refusal of a whole call.
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) category: &'static str,
    pub(super) message: String,
}

/// A refusal of something in the body.
pub(super) fn invalid<T>(message: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { status: 400, category: "VALIDATION_ERROR", message: message.into() })
}

/// One input of a batch, its shape checked.
pub(super) struct Input<'a> {
    pub(super) id: &'a str,
    pub(super) properties: &'a Map<String, Value>,
    pub(super) trace: Option<&'a str>,
}

/// The inputs of a batch, each of the right shape, no id twice.
pub(super) fn read_inputs(body: &Map<String, Value>) -> Result<Vec<Input<'_>>, Refused> {
    let Some(listed) = body.get("inputs").and_then(Value::as_array) else {
        return invalid("Some required fields were not set: [inputs]");
    };
    if listed.is_empty() || listed.len() > INPUT_LIMIT {
        return invalid(format!("The batch must hold 1 to 100 inputs, it holds {}", listed.len()));
    }
    let inputs = listed.iter().map(read_input).collect::<Result<Vec<_>, _>>()?;
    let mut ids: Vec<String> = inputs.iter().map(|input| input.id.to_lowercase()).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return invalid(
            "Duplicate IDs found in batch input. Please make sure that every ID is unique.",
        );
    }
    Ok(inputs)
}

fn read_input(input: &Value) -> Result<Input<'_>, Refused> {
    let Some(input) = input.as_object() else {
        return invalid("Invalid input JSON: an input is not an object");
    };
    only(input, &["id", "idProperty", "properties", "objectWriteTraceId"])?;
    if input.get("idProperty").and_then(Value::as_str) != Some("email") {
        return invalid(
            "Unable to perform update/upsert by non-unique 0-1 property. Use idProperty=email.",
        );
    }
    let Some(id) = input.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()) else {
        return invalid("Some required fields were not set: [id]");
    };
    let trace = match input.get("objectWriteTraceId") {
        None => None,
        Some(Value::String(trace)) => Some(trace.as_str()),
        Some(_) => return invalid("Invalid input JSON: objectWriteTraceId is not a string"),
    };
    Ok(Input { id, properties: texts(input.get("properties"))?, trace })
}

/// The body, which must be a JSON object.
pub(super) fn object(request: &Request) -> Result<Map<String, Value>, Refused> {
    if request.media_type() != "application/json" {
        let message = format!("HTTP 415 Unsupported Media Type: {}", request.media_type());
        return Err(Refused { status: 415, category: "VALIDATION_ERROR", message });
    }
    match request.json() {
        Some(Value::Object(body)) => Ok(body),
        _ => invalid("Invalid input JSON on line 1, column 1: the body is not an object"),
    }
}

/// Refuses the first field that is not among these.
pub(super) fn only(object: &Map<String, Value>, fields: &[&str]) -> Result<(), Refused> {
    match object.keys().find(|name| !fields.contains(&name.as_str())) {
        Some(name) => invalid(format!("Invalid input JSON: unrecognized field \"{name}\"")),
        None => Ok(()),
    }
}

/// The properties, which must all be texts.
pub(super) fn texts(properties: Option<&Value>) -> Result<&Map<String, Value>, Refused> {
    let Some(Value::Object(properties)) = properties else {
        return invalid("Some required fields were not set: [properties]");
    };
    match properties.iter().find(|(_, value)| !value.is_string()) {
        Some((name, _)) => {
            invalid(format!("Invalid input JSON: property \"{name}\" is not a string"))
        }
        None => Ok(properties),
    }
}
