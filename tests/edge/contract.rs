//! `openapi.yaml` says what the code does: fields, limits, words, statuses and problems.

use super::answers::{Asking, Told, ask, lacking, with};
use crate::architecture::read;
use crate::sandbox::peace;
use crate::stack::Stack;
use crate::stripe::{now, signature};
use crate::visitor::a_visitor;
use domain::attribution::{Field, LONGEST};
use domain::consent::Method;
use domain::fact::HIGHEST_REVISION;
use intake::purchase::HIGHEST_QUANTITY;
use lambda::http::{Kind, LARGEST_BODY};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The contract, read.
pub(crate) struct Contract(Value);

impl Contract {
    pub(crate) fn read() -> Self {
        Self(serde_saphyr::from_str(&read("openapi.yaml")).unwrap())
    }

    /// What a reference points at.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.resolve(self.at(&reference["#/".len()..])),
            None => value,
        }
    }

    fn at(&self, path: &str) -> &Value {
        path.split('/').fold(&self.0, |value, name| {
            value.get(name).unwrap_or_else(|| panic!("openapi.yaml has no {path}"))
        })
    }

    fn schema(&self, name: &str) -> &Value {
        self.at(&format!("components/schemas/{name}"))
    }

    pub(crate) fn paths(&self) -> Vec<&str> {
        self.0["paths"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn post(&self, path: &str) -> &Value {
        &self.0["paths"][path]["post"]
    }

    pub(crate) fn requests_per_minute(&self, path: &str) -> usize {
        number(&self.post(path)["x-requests-per-minute"])
    }

    pub(crate) fn open_checkouts(&self) -> usize {
        number(&self.post("/payment-intents")["x-open-checkouts"])
    }

    /// The kinds of problem that a route may answer with this status; `None` where it may not.
    pub(crate) fn kinds(&self, path: &str, status: u16) -> Option<BTreeSet<&str>> {
        let response = self.resolve(self.post(path)["responses"].get(status.to_string())?);
        let Some(content) = response["content"].get("application/problem+json") else {
            return Some(BTreeSet::new());
        };
        let mut kinds = BTreeSet::new();
        for part in content["schema"]["allOf"].as_array().unwrap() {
            for urn in part["properties"]["type"]["enum"].as_array().into_iter().flatten() {
                kinds.insert(
                    urn.as_str().unwrap().strip_prefix("urn:throughline:problem:").unwrap(),
                );
            }
        }
        Some(kinds)
    }

    /// All properties of a schema, those of its parts included.
    fn properties(&self, name: &str) -> Map<String, Value> {
        let mut all = Map::new();
        let schema = self.schema(name);
        let parts = schema["allOf"].as_array().cloned().unwrap_or_default();
        for part in parts.iter().chain([schema]) {
            let part = self.resolve(part);
            all.extend(part["properties"].as_object().cloned().unwrap_or_default());
        }
        all
    }

    fn property(&self, schema: &str, name: &str) -> Value {
        self.resolve(&self.properties(schema)[name]).clone()
    }

    /// The examples of a request body: media type, name, value.
    fn examples(&self, path: &str) -> Vec<(&str, &str, Value)> {
        let content = self.post(path)["requestBody"]["content"].as_object().unwrap();
        let mut examples = Vec::new();
        for (media_type, content) in content {
            for (name, example) in content["examples"].as_object().unwrap() {
                let value = self.resolve(example)["value"].clone();
                examples.push((media_type.as_str(), name.as_str(), value));
            }
        }
        examples
    }
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number")).try_into().unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[test]
fn architecture_the_contract_lists_every_problem_as_the_code_tells_it() {
    let contract = Contract::read();
    let mut listed = BTreeSet::new();
    for path in contract.paths() {
        let responses = contract.post(path)["responses"].as_object().unwrap();
        for (status, response) in responses {
            let status: u16 = status.parse().unwrap();
            for slug in contract.kinds(path, status).unwrap() {
                let kind = Kind::ALL.iter().find(|kind| kind.slug() == slug);
                let kind = kind.unwrap_or_else(|| panic!("the code knows no {slug}"));
                assert_eq!(kind.status(), status, "{path} {slug}");
                let content = &contract.resolve(response)["content"]["application/problem+json"];
                let example = &contract.resolve(&content["examples"][slug])["value"];
                assert_eq!(
                    (&example["type"], &example["title"], &example["status"]),
                    (
                        &json!(format!("urn:throughline:problem:{slug}")),
                        &json!(kind.title()),
                        &json!(status)
                    ),
                    "{path}"
                );
                assert!(
                    example["detail"].as_str().is_some_and(|detail| detail.len() > 5),
                    "{slug}"
                );
                let waits = contract.resolve(response)["headers"].get("Retry-After").is_some();
                assert_eq!(waits, matches!(status, 429 | 502 | 503 | 504), "{path} {status}");
                listed.insert(slug.to_owned());
            }
        }
    }
    let told: BTreeSet<String> = Kind::ALL.iter().map(|kind| kind.slug().to_owned()).collect();
    assert_eq!(listed, told);
}

/// The fields that `shared/intake` reads one by one, by their names in its source.
fn fields_in_the_code() -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for file in ["lead", "consent", "purchase"] {
        let source = read(&format!("shared/intake/src/{file}.rs"));
        for verb in [".required(", ".required_word(", ".optional(", ".whole(", ".flag(", ".object("]
        {
            for call in source.split(verb).skip(1) {
                let name =
                    call.trim_start().strip_prefix('"').and_then(|name| name.split('"').next());
                fields.insert(
                    name.unwrap_or_else(|| panic!("{file}.rs: {verb} without a name")).to_owned(),
                );
            }
        }
    }
    fields
}

#[test]
fn architecture_the_contract_names_the_fields_that_the_code_reads() {
    let contract = Contract::read();
    let context: Vec<String> =
        contract.properties("Context").into_iter().map(|(name, _)| name).collect();
    let mut known: Vec<&str> = Field::ALL.map(Field::name).to_vec();
    known.push("context");
    assert_eq!(
        context.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        known.into_iter().collect()
    );

    let mut named = BTreeSet::new();
    for schema in ["Lead", "ConsentUpdate", "Purchase"] {
        named.extend(contract.properties(schema).into_iter().map(|(name, _)| name));
    }
    named.retain(|name| !context.contains(name));
    named.extend(
        contract.properties("Consent").into_iter().map(|(name, _)| format!("consent.{name}")),
    );
    assert_eq!(named, fields_in_the_code());

    let mut form: BTreeSet<String> =
        contract.properties("LeadForm").into_iter().map(|(name, _)| name).collect();
    assert!(form.remove("redirect_to"));
    let mut lead: BTreeSet<String> =
        contract.properties("Lead").into_iter().map(|(name, _)| name).collect();
    lead.remove("consent");
    lead.extend(
        contract.properties("Consent").into_iter().map(|(name, _)| format!("consent_{name}")),
    );
    form.extend(context);
    assert_eq!(form, lead, "a form says what JSON says");
}

#[test]
fn architecture_the_contract_has_the_limits_and_words_of_the_code() {
    let contract = Contract::read();
    assert_eq!(
        number(&contract.property("Lead", "revision")["maximum"]),
        HIGHEST_REVISION as usize
    );
    assert_eq!(
        number(&contract.property("LeadForm", "revision")["maximum"]),
        HIGHEST_REVISION as usize
    );
    assert_eq!(
        number(&contract.property("Purchase", "quantity")["maximum"]),
        HIGHEST_QUANTITY as usize
    );
    assert_eq!(number(contract.at("info/x-largest-body")), LARGEST_BODY);
    let cut = contract.schema("Context")["description"].as_str().unwrap().to_owned();
    assert!(cut.contains(&format!("cut to {LONGEST} characters")), "{cut}");
    let methods = [Method::Modal, Method::Checkbox, Method::Implied].map(Method::name);
    assert_eq!(texts(&contract.property("Consent", "method")["enum"]), methods);
    assert_eq!(texts(&contract.property("LeadForm", "consent_method")["enum"]), methods);
}

#[test]
fn architecture_the_contract_and_the_template_have_the_same_routes() {
    let (contract, template) = (Contract::read(), read("template.yaml"));
    let mut routes = 0;
    for (path, methods) in contract.0["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let route = format!("Path: {path}, Method: {}}}", method.to_uppercase());
            assert_eq!(template.matches(&route).count(), 1, "{route}");
            routes += 1;
        }
    }
    assert_eq!(template.matches("Type: Api\n").count(), routes);
}

/// An example with ids that nobody used before.
fn fresh(example: &Value) -> Value {
    let mut example = example.clone();
    for field in ["event_id", "user_session_id"] {
        if example.get(field).is_some() {
            example[field] = json!(Uuid::new_v4());
        }
    }
    example
}

fn asking(stack: &Stack, path: &str, media_type: &str, example: &Value) -> Asking {
    let asking = ask(path).header("content-type", media_type);
    if media_type == super::answers::FORM {
        let fields = example.as_object().unwrap().iter();
        let fields: Vec<(&str, &str)> =
            fields.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        return asking.form(&fields);
    }
    if path.starts_with("/webhooks") {
        let mark = Uuid::new_v4().simple().to_string();
        let body = example.to_string().replace("SAMPLE", &mark);
        let signature = signature(stack.webhook_secret(), &body, now());
        return asking.header("stripe-signature", signature).body(body);
    }
    asking.json(example)
}

#[tokio::test]
async fn every_example_of_the_contract_is_answered_as_it_says() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let contract = Contract::read();
    let mut seen = 0;
    for path in contract.paths() {
        for (media_type, name, example) in contract.examples(path) {
            let told = asking(&stack, path, media_type, &fresh(&example)).post(&stack).await;
            assert!((200..400).contains(&told.status), "{path} {name}: {told:?}");
            let response =
                contract.resolve(&contract.post(path)["responses"][told.status.to_string()]);
            if let Some(content) = response["content"].get("application/json") {
                let schema = contract.resolve(&content["schema"]);
                let promised: BTreeSet<&str> = texts(&schema["required"]).into_iter().collect();
                let keys = told.json.as_object().unwrap().keys().map(String::as_str).collect();
                assert_eq!(promised, keys, "{path} {name}");
                assert_eq!(told.header("content-type"), "application/json");
            } else {
                assert_eq!((told.status, told.text.as_str()), (303, ""), "{path} {name}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 9, "{seen}");
}

#[tokio::test]
async fn every_length_of_the_contract_is_the_longest_that_is_taken() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let (contract, visitor) = (Contract::read(), a_visitor());
    let email = |length: usize| {
        let mut domain = "example.pt".to_owned();
        while domain.len() + 65 < length {
            let label = (length - 65 - domain.len() - 1).min(63);
            if label == 0 {
                break;
            }
            domain = format!("{}.{domain}", "a".repeat(label));
        }
        format!("{}@{domain}", "a".repeat(length - domain.len() - 1))
    };
    type Fill<'a> = &'a dyn Fn(usize) -> String;
    let fill: [(&str, &str, Fill<'_>); 6] = [
        ("Lead", "full_name", &|length| "é".repeat(length)),
        ("Lead", "email", &email),
        ("Lead", "phone", &|length| format!("+351{}912345678", " ".repeat(length - 13))),
        ("Lead", "language", &|length| "x".repeat(length)),
        ("Consent", "version", &|length| "1".repeat(length)),
        ("Purchase", "product_id", &|length| "x".repeat(length)),
    ];
    for (schema, field, text) in fill {
        let property = contract.property(schema, field);
        let longest =
            property.get("maxLength").unwrap_or_else(|| &property["anyOf"][0]["maxLength"]);
        let longest = number(longest);
        let (path, body) = match schema {
            "Purchase" => ("/payment-intents", visitor.purchase()),
            _ => ("/leads", a_visitor().lead(1)),
        };
        let field = if schema == "Consent" { format!("consent.{field}") } else { field.to_owned() };
        let told = ask(path).json(&with(&body, &field, text(longest))).post(&stack).await;
        let taken = told.status == 202 || told.kind() == Some(Kind::UnknownProduct);
        assert!(taken, "{field} of {longest}: {told:?}");
        let told = ask(path).json(&with(&body, &field, text(longest + 1))).post(&stack).await;
        told.is_problem(Kind::InvalidField, &[&field], &longest);
    }
}

#[tokio::test]
async fn every_word_of_the_contract_is_taken_and_what_must_be_there_must() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let (contract, visitor) = (Contract::read(), a_visitor());
    let update = visitor.consent_update();
    let granted = &contract.schema("Granted")["anyOf"];
    let words = [json!(true), json!(false), Value::Null];
    let words = words.into_iter().chain(granted[1]["enum"].as_array().unwrap().iter().cloned());
    for word in words {
        let body = with(&update, "consent.marketing", word.clone());
        ask("/consents").json(&body).post(&stack).await.is(202, &word);
    }
    for method in texts(&contract.property("Consent", "method")["enum"]) {
        let body = with(&update, "consent.method", method);
        ask("/consents").json(&body).post(&stack).await.is(202, &method);
    }
    for (path, schema, body) in [
        ("/leads", "Lead", visitor.lead(1)),
        ("/consents", "ConsentUpdate", update.clone()),
        ("/payment-intents", "Purchase", visitor.purchase()),
    ] {
        let schema = contract.schema(schema);
        let part = schema["allOf"].get(1).unwrap_or(schema);
        let required = texts(&part["required"]);
        let told: Told = ask(path).json(&json!({})).post(&stack).await;
        told.is_problem(Kind::InvalidField, &required, &path);
        let mut least = body.clone();
        let optional =
            body.as_object().unwrap().keys().filter(|name| !required.contains(&name.as_str()));
        for name in optional {
            least = lacking(&least, name);
        }
        let told = ask(path).json(&least).post(&stack).await;
        assert!(
            told.status < 300 || told.kind() == Some(Kind::RevisionConflict),
            "{path}: {told:?}"
        );
    }
}
