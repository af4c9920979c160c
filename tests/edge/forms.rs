//! Leads from pages without JavaScript: a form in, a page out.

use super::answers::ask;
use crate::sandbox::peace;
use crate::stack::{PATIENCE, Stack, pause};
use crate::visitor::a_visitor;
use lambda::http::Kind;
use std::time::Instant;

impl Stack {
    /// Where forms may go on.
    async fn form_page(&self) -> String {
        let pages = self.environment("lead-capture").await["FORM_REDIRECT_URLS"].clone();
        pages.as_str().unwrap().split(',').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_form_is_taken_and_its_visitor_goes_on_to_a_page_of_ours() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let (page, visitor) = (stack.form_page().await, a_visitor());
    let (event_id, session) = (visitor.event_id.to_string(), visitor.session.to_string());
    let form = [
        ("event_id", event_id.as_str()),
        ("user_session_id", &session),
        ("full_name", "Inês & José"),
        ("email", &visitor.email),
        ("phone", "+351 912 345 678"),
        ("revision", "1"),
        ("consent_marketing", "on"),
        ("consent_version", "3"),
        ("utm_source", "cartaz"),
        ("website", ""),
        ("redirect_to", &page),
    ];
    for _ in 0..2 {
        let told = ask("/leads").form(&form).post(&stack).await;
        told.is(303, &"a form");
        assert_eq!((told.header("location"), told.text.as_str()), (page.as_str(), ""));
        assert_eq!(told.header("cache-control"), "no-store");
    }
    let facts = stack.timeline(visitor.event_id).await.facts;
    assert_eq!(facts.len(), 1, "the same form twice is one lead");
    let consent = facts[0].consent.as_ref().unwrap();
    assert!(consent.marketing && !consent.analytics, "a box that is not ticked is a refusal");
    assert_eq!((consent.method.name(), consent.version.as_str()), ("checkbox", "3"));
    assert_eq!(
        facts[0].contact.as_ref().unwrap().full_name.as_ref().unwrap().expose(),
        "Inês & José"
    );
}

#[tokio::test]
async fn a_form_that_cannot_mint_ids_is_given_a_journey_of_its_own() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let (page, visitor) = (stack.form_page().await, a_visitor());
    let form = [
        ("full_name", "Ana Silva"),
        ("email", visitor.email.as_str()),
        ("event_id", ""),
        ("phone", ""),
    ];
    let told = ask("/leads").form(&form).post(&stack).await;
    told.is(303, &"the first page of the list");
    assert_eq!(told.header("location"), page, "without a word of who came");
    let began = Instant::now();
    while stack.sandbox.seen("hubspot", &visitor.email).await.is_empty() {
        assert!(began.elapsed() < PATIENCE, "the CRM never heard of the form");
        pause().await;
    }
    let told = &stack.sandbox.seen("hubspot", &visitor.email).await[0];
    let journey = told.body()["inputs"][0]["objectWriteTraceId"].as_str().unwrap_or_default();
    assert!(uuid::Uuid::try_parse(journey).is_ok_and(|id| !id.is_nil()), "{told:?}");
}

#[tokio::test]
async fn a_form_never_goes_on_to_a_page_of_others() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let (page, visitor) = (stack.form_page().await, a_visitor());
    let event_id = visitor.event_id.to_string();
    for elsewhere in [
        "https://example.com/".to_owned(),
        "//example.com".to_owned(),
        "/thanks.html".to_owned(),
        "javascript:alert(1)".to_owned(),
        "data:text/html,x".to_owned(),
        format!("{page}/"),
        format!("{page}?x=1"),
        format!("{page}#x"),
        format!("{page}@example.com"),
        format!("{page}.example.com"),
        format!("{page}\r\nset-cookie: a=b"),
        format!("{page}\u{0}"),
        page.to_uppercase(),
        page.replace("127.0.0.1", "127.1"),
        format!("https://example.com/?{page}"),
    ] {
        let form = [
            ("event_id", event_id.as_str()),
            ("full_name", "Ana Silva"),
            ("email", &visitor.email),
            ("redirect_to", &elsewhere),
        ];
        let told = ask("/leads").form(&form).post(&stack).await;
        told.is_problem(Kind::InvalidField, &["redirect_to"], &elsewhere);
        assert_eq!(told.header("location"), "", "{elsewhere}");
    }
    assert!(stack.timeline(visitor.event_id).await.facts.is_empty());
}

#[tokio::test]
async fn a_form_is_held_to_the_rules_of_every_lead() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let email = visitor.email.as_str();
    type Fields<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Fields<'_>, &[&str]); 8] = [
        (&[], &["full_name", "email"]),
        (&[("full_name", "Ana Silva"), ("email", "not.an.address")], &["email"]),
        (&[("full_name", "Ana Silva"), ("email", email), ("phone", "91x2345")], &["phone"]),
        (&[("full_name", "Ana Silva"), ("email", email), ("revision", "21")], &["revision"]),
        (&[("full_name", "Ana Silva"), ("email", email), ("revision", "two")], &["revision"]),
        (&[("full_name", "Ana Silva"), ("email", email), ("event_id", "nobodys")], &["event_id"]),
        (
            &[("full_name", "Ana Silva"), ("email", email), ("consent_marketing", "on")],
            &["consent.version"],
        ),
        (
            &[
                ("full_name", "Ana Silva"),
                ("email", email),
                ("consent_marketing", "perhaps"),
                ("consent_version", "1"),
            ],
            &["consent.marketing"],
        ),
    ];
    for (form, fields) in cases {
        let told = ask("/leads").form(form).post(&stack).await;
        told.is_problem(Kind::InvalidField, fields, &form);
    }
    let machine =
        [("full_name", "Ana Silva"), ("email", email), ("website", "https://example.com")];
    ask("/leads").form(&machine).post(&stack).await.is(303, &"a machine is thanked and dropped");
    assert!(stack.sandbox.seen("hubspot", email).await.is_empty());
}
