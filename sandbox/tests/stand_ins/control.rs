//! The control API: what was sent can be read, and vendors fail on command and in their own words.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::playground::{FormBody, Playground, send};

const VENDORS: [(&str, &str); 6] = [
    ("stripe", "/stripe/v1/payment_intents/pi_x"),
    ("hubspot", "/hubspot/crm/v3/objects/contacts/1"),
    ("mailerlite", "/mailerlite/subscribers/1"),
    ("sgtm", "/sgtm/mp/collect"),
    ("sendgrid", "/sendgrid/v3/mail/send"),
    ("slack", "/slack/services/T/B/X"),
];

#[tokio::test]
async fn every_request_is_remembered_with_its_answer() {
    let play = Playground::open().await;
    play.stripe("/payment_intents", &[("amount", "9700"), ("currency", "eur")]).await;
    let slack = play.request("POST", "/slack/services/T/B/X?a=1").json(&json!({ "text": "Olá" }));
    send(slack).await;
    let stripe = play.requests("stripe").await;
    assert_eq!(stripe.len(), 1);
    assert_eq!(stripe[0]["method"], "POST");
    assert_eq!(stripe[0]["path"], "/stripe/v1/payment_intents");
    assert_eq!(stripe[0]["body"], json!({ "amount": "9700", "currency": "eur" }));
    assert_eq!(stripe[0]["headers"]["authorization"], "Bearer sk_test_sandbox");
    assert_eq!(stripe[0]["answered"], 200);
    let slack = play.requests("slack").await;
    assert_eq!(slack[0]["path"], "/slack/services/T/B/X?a=1");
    assert_eq!(slack[0]["body"]["text"], "Olá");
    assert!(slack[0]["at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(play.get("/_control/requests").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_vendor_fails_as_often_as_it_was_told_and_then_works() {
    let play = Playground::open().await;
    play.control(
        "faults",
        json!({ "vendor": "slack", "status": 503, "retry_after": 7, "times": 2 }),
    )
    .await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let request = play.request("POST", "/slack/services/T/B/X").json(&json!({ "text": "x" }));
        let answer = send(request).await;
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), "7");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [503, 503, 200]);
    let answered: Vec<Value> =
        play.requests("slack").await.iter().map(|one| one["answered"].clone()).collect();
    assert_eq!(answered, [503, 503, 200]);
}

#[tokio::test]
async fn a_fault_about_somebody_meets_nobody_else() {
    let play = Playground::open().await;
    let fault = json!({ "vendor": "slack", "status": 500, "times": 1, "about": "journey-2" });
    play.control("faults", fault).await;
    for (text, status) in [("journey-1", 200), ("journey-2", 500), ("journey-2", 200)] {
        let request = play.request("POST", "/slack/services/T/B/X").json(&json!({ "text": text }));
        assert_eq!(send(request).await.status, status, "{text}");
    }
}

#[tokio::test]
async fn zero_times_mends_a_vendor() {
    let play = Playground::open().await;
    play.control("faults", json!({ "vendor": "slack", "status": 500, "times": 9 })).await;
    play.control("faults", json!({ "vendor": "slack", "times": 0 })).await;
    let request = play.request("POST", "/slack/services/T/B/X").json(&json!({ "text": "x" }));
    assert_eq!(send(request).await.status, 200);
}

#[tokio::test]
async fn an_aborted_call_gets_no_answer_at_all() {
    let play = Playground::open().await;
    for (vendor, path) in VENDORS {
        play.control("faults", json!({ "vendor": vendor, "abort": true })).await;
        let error = play.request("POST", path).send().await.unwrap_err();
        assert!(!error.is_timeout() && !error.is_connect(), "{vendor}: {error:?}");
        assert_eq!(play.requests(vendor).await[0]["answered"], "aborted");
    }
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_work_was_done() {
    let play = Playground::open().await;
    play.control("faults", json!({ "vendor": "stripe", "abort": true, "worked": true })).await;
    let form = [("amount", "9700"), ("currency", "eur")];
    let call = || {
        play.stripe_request("POST", "/payment_intents")
            .header("idempotency-key", "k1")
            .form_body(&form)
    };
    call().send().await.unwrap_err();
    let again = send(call()).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn an_answer_can_be_cut_in_the_middle_after_the_work_was_done() {
    let play = Playground::open().await;
    play.control("faults", json!({ "vendor": "stripe", "cut": true })).await;
    let form = [("amount", "9700"), ("currency", "eur")];
    let call = || {
        let request = play.stripe_request("POST", "/payment_intents");
        request.header("idempotency-key", "k1").form_body(&form)
    };
    let answer = call().send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap_err();
    assert_eq!(play.requests("stripe").await[0]["answered"], "cut");
    assert_eq!(send(call()).await.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn a_vendor_can_answer_anything() {
    let play = Playground::open().await;
    let fault = json!({ "vendor": "stripe", "body": "<html>", "should_retry": false, "times": 1 });
    play.control("faults", fault).await;
    let answer = play.stripe("/payment_intents", &[("amount", "9700"), ("currency", "eur")]).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "<html>"));
    assert_eq!(answer.header("stripe-should-retry"), "false");
}

#[tokio::test]
async fn a_slow_vendor_is_slow() {
    let play = Playground::open().await;
    play.control("faults", json!({ "vendor": "slack", "latency_ms": 120 })).await;
    let begun = Instant::now();
    let request = play.request("POST", "/slack/services/T/B/X").json(&json!({ "text": "x" }));
    assert_eq!(send(request).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn a_caller_that_would_not_wait_is_noted() {
    let play = Playground::open().await;
    play.control("faults", json!({ "vendor": "slack", "latency_ms": 60_000 })).await;
    let request = play.request("POST", "/slack/services/T/B/X").json(&json!({ "text": "x" }));
    request.timeout(Duration::from_millis(50)).send().await.unwrap_err();
    let gone = async {
        while play.requests("slack").await[0]["answered"] != "caller gone" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap();
}

#[tokio::test]
async fn each_vendor_refuses_in_its_own_words() {
    let play = Playground::open().await;
    let said = |vendor: &str, text: &str| -> bool {
        let body: Value = serde_json::from_str(text).unwrap_or_default();
        match vendor {
            "stripe" => body["error"]["code"] == "rate_limit",
            "hubspot" => body["category"] == "RATE_LIMITS" && body["policyName"].is_string(),
            "mailerlite" => body["message"] == "Too Many Attempts.",
            "sendgrid" => body["errors"][0]["message"] == "too many requests",
            "slack" => text == "rate_limited",
            _ => text.is_empty(),
        }
    };
    for (vendor, path) in VENDORS {
        play.control("faults", json!({ "vendor": vendor, "status": 429 })).await;
        let answer = send(play.request("POST", path)).await;
        assert_eq!(answer.status, 429, "{vendor}");
        assert!(said(vendor, &answer.text), "{vendor}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_reset_forgets_requests_faults_and_what_vendors_stored() {
    let play = Playground::open().await;
    let id = play.intent().await;
    play.control("faults", json!({ "vendor": "stripe", "status": 500, "times": 5 })).await;
    assert_eq!(play.control("reset", json!({})).await.status, 200);
    assert_eq!(play.requests("stripe").await.len(), 0);
    assert_eq!(play.stripe_get(&format!("/payment_intents/{id}")).await.status, 404);
}

#[tokio::test]
async fn the_control_api_refuses_what_it_does_not_know() {
    let play = Playground::open().await;
    for (path, body) in [
        ("faults", json!({ "vendor": "slack", "satus": 500 })),
        ("faults", json!({ "vendor": "slack" })),
        ("faults", json!({ "vendor": "nobody", "status": 500 })),
        ("webhook", json!({ "url": "not an address" })),
        ("pay", json!({ "payment_intent_id": "pi_x", "outcome": "perhaps" })),
    ] {
        assert_eq!(play.control(path, body.clone()).await.status, 400, "{path} {body}");
    }
    assert_eq!(play.control("nothing", json!({})).await.status, 404);
    let missing = json!({ "payment_intent_id": "pi_x", "outcome": "succeeded" });
    assert_eq!(play.control("pay", missing).await.status, 404);
}

#[tokio::test]
async fn a_fault_may_concern_one_path_alone() {
    let play = Playground::open().await;
    let fault = json!({ "vendor": "stripe", "about": "/v1/webhook_endpoints", "status": 403 });
    play.control("faults", fault).await;
    assert_eq!(play.stripe_get("/events").await.status, 200);
    assert_eq!(play.stripe_get("/webhook_endpoints").await.status, 403);
    assert_eq!(play.stripe_get("/webhook_endpoints").await.status, 200);
}
