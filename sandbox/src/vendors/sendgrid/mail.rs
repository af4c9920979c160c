//! What SendGrid's validation takes of a mail, field by field.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::email;

/// What a check comes to.
type Checked = Result<(), Fault>;

/// What is wrong, and where.
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) field: Option<String>,
}

fn refuse<T>(field: &str, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { message: message.into(), field: Some(field.to_owned()) })
}

const MAIL_FIELDS: [&str; 17] = [
    "personalizations",
    "from",
    "reply_to",
    "reply_to_list",
    "subject",
    "content",
    "attachments",
    "template_id",
    "headers",
    "categories",
    "custom_args",
    "send_at",
    "batch_id",
    "asm",
    "ip_pool_name",
    "mail_settings",
    "tracking_settings",
];
const PERSONALIZATION_FIELDS: [&str; 10] = [
    "to",
    "cc",
    "bcc",
    "from",
    "subject",
    "headers",
    "substitutions",
    "dynamic_template_data",
    "custom_args",
    "send_at",
];

/// Checks a whole mail.
pub(super) fn check(mail: &Map<String, Value>, now: Timestamp) -> Checked {
    only(mail, &MAIL_FIELDS)?;
    check_personalizations(mail, now)?;
    match mail.get("from") {
        Some(from) => check_address(from, "from")?,
        None => {
            return refuse(
                "from",
                "The from object must be provided for every email send. It is an object that requires the email parameter, but may also contain a name parameter.  e.g. {\"email\" : \"example@example.com\"}  or {\"email\" : \"example@example.com\", \"name\" : \"Example Recipient\"}.",
            );
        }
    }
    if let Some(address) = mail.get("reply_to") {
        check_address(address, "reply_to")?;
    }
    check_subject(mail)?;
    check_content(mail)?;
    check_args(mail.get("custom_args"), "custom_args")?;
    check_send_at(mail.get("send_at"), "send_at", now)?;
    check_categories(mail.get("categories"))
}

fn only(object: &Map<String, Value>, fields: &[&str]) -> Checked {
    match object.keys().find(|name| !fields.contains(&name.as_str())) {
        Some(name) => Err(Fault {
            message: format!("Additional property {name} is not allowed"),
            field: None,
        }),
        None => Ok(()),
    }
}

fn check_personalizations(mail: &Map<String, Value>, now: Timestamp) -> Checked {
    let field = "personalizations";
    let listed = mail.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if listed.is_empty() {
        return refuse(
            field,
            "The personalizations field is required and must have at least one personalization.",
        );
    }
    if listed.len() > 1_000 {
        return refuse(
            field,
            format!(
                "The personalization block is limited to 1000 personalizations per API request. You have provided {} personalizations.",
                listed.len()
            ),
        );
    }
    for (place, personalization) in listed.iter().enumerate() {
        check_personalization(personalization, &format!("{field}.{place}"), now)?;
    }
    Ok(())
}

fn check_personalization(personalization: &Value, field: &str, now: Timestamp) -> Checked {
    let Some(object) = personalization.as_object() else {
        return refuse(field, "Invalid type. Expected: object.");
    };
    only(object, &PERSONALIZATION_FIELDS)?;
    let mut seen = Vec::new();
    for list in ["to", "cc", "bcc"] {
        check_recipients(object, list, field, &mut seen)?;
    }
    check_args(object.get("custom_args"), &format!("{field}.custom_args"))?;
    check_send_at(object.get("send_at"), &format!("{field}.send_at"), now)
}

fn check_recipients(
    object: &Map<String, Value>,
    list: &str,
    field: &str,
    seen: &mut Vec<String>,
) -> Checked {
    let recipients = match object.get(list) {
        None if list != "to" => return Ok(()),
        Some(Value::Array(recipients)) if !recipients.is_empty() => recipients,
        _ => {
            return refuse(
                &format!("{field}.{list}"),
                format!(
                    "The {list} array is required for all personalization objects, and must have at least one email object with a valid email address."
                ),
            );
        }
    };
    for (place, recipient) in recipients.iter().enumerate() {
        let at = format!("{field}.{list}.{place}");
        check_address(recipient, &at)?;
        let address = recipient["email"].as_str().unwrap_or_default().to_lowercase();
        if seen.contains(&address) {
            return refuse(
                &at,
                "Each email address in the personalization block should be unique between to, cc, and bcc.",
            );
        }
        seen.push(address);
    }
    Ok(())
}

fn check_address(address: &Value, field: &str) -> Checked {
    let Some(object) = address.as_object() else {
        return refuse(field, "Invalid type. Expected: object.");
    };
    only(object, &["email", "name"])?;
    let good = object.get("email").and_then(Value::as_str).is_some_and(email::is_address);
    if !good {
        return refuse(&format!("{field}.email"), "Does not contain a valid address.");
    }
    if object.get("name").is_some_and(|name| !name.is_string()) {
        return refuse(&format!("{field}.name"), "Invalid type. Expected: string.");
    }
    Ok(())
}

fn check_subject(mail: &Map<String, Value>) -> Checked {
    let written = |subject: Option<&Value>| {
        subject.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
    };
    let personal = mail["personalizations"]
        .as_array()
        .is_some_and(|listed| listed.iter().all(|one| written(one.get("subject"))));
    if written(mail.get("subject")) || personal || mail.contains_key("template_id") {
        return Ok(());
    }
    refuse(
        "subject",
        "The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.",
    )
}

fn check_content(mail: &Map<String, Value>) -> Checked {
    let parts = match mail.get("content") {
        None if mail.contains_key("template_id") => return Ok(()),
        Some(Value::Array(parts)) if !parts.is_empty() => parts,
        _ => {
            return refuse(
                "content",
                "Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content block. We typically suggest both text/plain and text/html blocks are included, but only one block is required.",
            );
        }
    };
    let mut kinds = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        kinds.push(content_type(part, &format!("content.{place}"))?);
    }
    let rank = |kind: &str| match kind {
        "text/plain" => 0,
        "text/html" => 1,
        _ => 2,
    };
    let ordered =
        kinds.windows(2).all(|pair| rank(&pair[0]) < rank(&pair[1]) || rank(&pair[0]) == 2);
    if !ordered {
        return refuse(
            "content",
            "If present, text/plain and text/html may only be provided once, and text/plain must be the first, followed by text/html, then any other content.",
        );
    }
    Ok(())
}

fn content_type(part: &Value, field: &str) -> Result<String, Fault> {
    let Some(object) = part.as_object() else {
        return refuse(field, "Invalid type. Expected: object.");
    };
    only(object, &["type", "value"])?;
    let text =
        |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text("value").is_none() {
        return refuse(
            &format!("{field}.value"),
            "The content value must be a string at least one character in length.",
        );
    }
    match text("type") {
        Some(kind) if kind.contains('/') => Ok(kind.to_owned()),
        _ => refuse(&format!("{field}.type"), "The content type must be a mime type."),
    }
}

fn check_args(args: Option<&Value>, field: &str) -> Checked {
    let Some(args) = args else { return Ok(()) };
    let Some(object) = args.as_object() else {
        return refuse(field, "Invalid type. Expected: object.");
    };
    if let Some((name, _)) = object.iter().find(|(_, value)| !value.is_string()) {
        return refuse(&format!("{field}.{name}"), "Invalid type. Expected: string.");
    }
    if args.to_string().len() >= 10_000 {
        return refuse(field, "The custom_args must not exceed 10000 bytes.");
    }
    Ok(())
}

fn check_send_at(send_at: Option<&Value>, field: &str, now: Timestamp) -> Checked {
    let Some(send_at) = send_at else { return Ok(()) };
    match send_at.as_i64() {
        None => refuse(field, "The send_at parameter must be a unix timestamp."),
        Some(second) if second > now.as_second() + 72 * 3_600 => {
            refuse(field, "Scheduling more than 72 hours in advance is forbidden.")
        }
        Some(_) => Ok(()),
    }
}

fn check_categories(categories: Option<&Value>) -> Checked {
    let Some(categories) = categories else { return Ok(()) };
    let short = |name: &Value| name.as_str().is_some_and(|name| name.chars().count() <= 255);
    let good = categories.as_array().is_some_and(|all| all.len() <= 10 && all.iter().all(short));
    if good {
        Ok(())
    } else {
        refuse("categories", "There may be at most 10 categories of at most 255 characters.")
    }
}
