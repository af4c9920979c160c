//! Stripe's PaymentIntents, refunds and events over the API.

use serde_json::json;

use crate::playground::{FormBody, Playground, send};

const GOOD: [(&str, &str); 3] =
    [("amount", "9700"), ("currency", "eur"), ("metadata[event_id]", "e1")];

#[tokio::test]
async fn an_intent_is_created_read_updated_and_cancelled() {
    let play = Playground::open().await;
    let made = play.stripe("/payment_intents", &GOOD).await;
    assert_eq!(made.status, 200);
    assert!(made.header("request-id").starts_with("req_"));
    let made = made.json();
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("pi_"));
    assert!(made["client_secret"].as_str().unwrap().starts_with(&format!("{id}_secret_")));
    assert_eq!(made["status"], "requires_payment_method");
    assert_eq!(made["livemode"], false);
    let path = format!("/payment_intents/{id}");
    let change =
        [("metadata[phone]", "+351912345678"), ("metadata[event_id]", ""), ("amount", "100")];
    let changed = play.stripe(&path, &change).await.json();
    assert_eq!(changed["metadata"], json!({ "phone": "+351912345678" }));
    assert_eq!(play.stripe_get(&path).await.json()["amount"], 100);
    let gone = play.stripe(&format!("{path}/cancel"), &[]).await;
    assert_eq!((gone.status, &gone.json()["status"]), (200, &json!("canceled")));
}

#[tokio::test]
async fn stripe_names_the_parameter_it_refuses() {
    let long_key = format!("metadata[{}]", "k".repeat(41));
    let long_value = "v".repeat(501);
    let refused = [
        (("colour", "red"), "parameter_unknown", "colour"),
        (
            ("payment_method_types[]", "card"),
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        (
            ("automatic_payment_methods[on]", "true"),
            "parameter_unknown",
            "automatic_payment_methods[on]",
        ),
        (("receipt_email", "ana"), "email_invalid", "receipt_email"),
        ((&long_key, "v"), "", "metadata"),
        (("metadata[a[b]]", "v"), "", "metadata"),
        (("metadata[a]", &long_value), "", "metadata[a]"),
        (("automatic_payment_methods[enabled]", "yes"), "", "automatic_payment_methods[enabled]"),
    ];
    let play = Playground::open().await;
    for (pair, code, param) in refused {
        let mut form = GOOD.to_vec();
        form.push(pair);
        let answer = play.stripe("/payment_intents", &form).await;
        let error = answer.json()["error"].clone();
        assert_eq!((answer.status, error["type"].as_str()), (400, Some("invalid_request_error")));
        assert_eq!(error["code"].as_str().unwrap_or_default(), code, "{error}");
        assert_eq!(error["param"], param, "{error}");
    }
}

#[tokio::test]
async fn stripe_checks_amount_and_currency() {
    let play = Playground::open().await;
    for (amount, currency, code) in [
        ("0", "eur", "parameter_invalid_integer"),
        ("-1", "eur", "parameter_invalid_integer"),
        ("97.00", "eur", "parameter_invalid_integer"),
        ("49", "eur", "amount_too_small"),
        ("100000000", "eur", "amount_too_large"),
        ("9700", "EUR", ""),
        ("9700", "euro", ""),
    ] {
        let answer =
            play.stripe("/payment_intents", &[("amount", amount), ("currency", currency)]).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"]["code"].as_str().unwrap_or_default(), code);
    }
    let missing = play.stripe("/payment_intents", &[("currency", "eur")]).await.json();
    assert_eq!(missing["error"]["code"], "parameter_missing");
}

#[tokio::test]
async fn metadata_holds_fifty_keys_and_no_more() {
    let play = Playground::open().await;
    let names: Vec<String> = (0..51).map(|n| format!("metadata[k{n}]")).collect();
    let mut form = vec![("amount", "9700"), ("currency", "eur")];
    form.extend(names.iter().map(|name| (name.as_str(), "v")));
    assert_eq!(play.stripe("/payment_intents", &form).await.status, 400);
    form.pop();
    assert_eq!(play.stripe("/payment_intents", &form).await.status, 200);
}

#[tokio::test]
async fn stripe_wants_a_secret_key_a_form_and_a_version_that_exists() {
    let play = Playground::open().await;
    let post = || play.request("POST", "/stripe/v1/payment_intents").form_body(&GOOD);
    assert_eq!(send(post()).await.status, 401);
    assert_eq!(send(post().bearer_auth("pk_test_x")).await.status, 401);
    assert_eq!(send(post().bearer_auth("sk_live_x")).await.status, 401);
    let wrong = post().bearer_auth("sk_test_x").header("stripe-version", "latest");
    assert_eq!(send(wrong).await.status, 400);
    let json = play.stripe_request("POST", "/payment_intents").json(&json!({ "amount": 1 }));
    assert_eq!(send(json).await.status, 400);
    let old = [("amount", "9700"), ("currency", "eur"), ("payment_method_types[]", "card")];
    let old = play.stripe_request("POST", "/payment_intents").form_body(&old);
    let old = send(old.header("stripe-version", "2025-09-30.clover")).await;
    assert_eq!((old.status, old.header("stripe-version")), (200, "2025-09-30.clover"));
    assert_eq!(play.stripe_get("/nothing").await.status, 404);
}

#[tokio::test]
async fn the_same_key_with_the_same_parameters_is_the_same_intent() {
    let play = Playground::open().await;
    let call = |form: &[(&str, &str)]| {
        play.stripe_request("POST", "/payment_intents")
            .header("idempotency-key", "journey-1")
            .form_body(form)
    };
    let bad = send(call(&[("amount", "0"), ("currency", "eur")])).await;
    assert_eq!(bad.status, 400, "a validation failure is not kept under its key");
    let first = send(call(&GOOD)).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, ""));
    let again = send(call(&GOOD)).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, "true"));
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("original-request"), first.header("request-id"));
    let other = send(call(&[("amount", "9800"), ("currency", "eur")])).await;
    assert_eq!((other.status, &other.json()["error"]["type"]), (400, &json!("idempotency_error")));
}

#[tokio::test]
async fn a_key_that_is_in_use_is_a_conflict() {
    let play = Playground::open().await;
    play.control("faults", json!({ "vendor": "stripe", "latency_ms": 400 })).await;
    let call = || {
        let request = play.stripe_request("POST", "/payment_intents");
        send(request.header("idempotency-key", "journey-1").form_body(&GOOD))
    };
    let later = async {
        while play.requests("stripe").await.is_empty() {
            tokio::task::yield_now().await;
        }
        call().await
    };
    let (first, second) = tokio::join!(call(), later);
    assert_eq!(first.status, 200);
    assert_eq!(
        (second.status, &second.json()["error"]["code"]),
        (409, &json!("idempotency_key_in_use"))
    );
    assert_eq!(call().await.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn a_stored_500_is_replayed_until_the_key_changes() {
    let play = Playground::open().await;
    play.control("faults", json!({ "vendor": "stripe", "status": 500 })).await;
    let call = |key: &'static str| {
        let request = play.stripe_request("POST", "/payment_intents");
        send(request.header("idempotency-key", key).form_body(&GOOD))
    };
    assert_eq!(call("a").await.status, 500);
    let again = call("a").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (500, "true"));
    assert_eq!(call("b").await.status, 200);
}

#[tokio::test]
async fn a_paid_intent_keeps_its_amount_but_takes_metadata() {
    let play = Playground::open().await;
    let id = play.intent().await;
    play.control("pay", json!({ "payment_intent_id": id, "outcome": "succeeded" })).await;
    let path = format!("/payment_intents/{id}");
    let refused = play.stripe(&path, &[("amount", "100")]).await;
    assert_eq!(refused.json()["error"]["code"], "payment_intent_unexpected_state");
    assert_eq!(refused.json()["error"]["payment_intent"]["id"], id.as_str());
    assert_eq!(play.stripe(&path, &[("metadata[crm_contact_id]", "512")]).await.status, 200);
    assert_eq!(play.stripe(&format!("{path}/cancel"), &[]).await.status, 400);
    let read = play.stripe_get(&format!("{path}?expand[]=latest_charge")).await.json();
    assert_eq!(read["latest_charge"]["status"], "succeeded");
}

#[tokio::test]
async fn a_refund_never_exceeds_what_was_paid() {
    let play = Playground::open().await;
    let id = play.intent().await;
    let early = play.stripe("/refunds", &[("payment_intent", &id)]).await;
    assert_eq!(early.status, 400);
    play.control("pay", json!({ "payment_intent_id": id, "outcome": "succeeded" })).await;
    let part = play.stripe("/refunds", &[("payment_intent", &id), ("amount", "700")]).await.json();
    assert!(part["id"].as_str().unwrap().starts_with("re_"));
    assert_eq!((&part["amount"], &part["status"]), (&json!(700), &json!("succeeded")));
    let much = play.stripe("/refunds", &[("payment_intent", &id), ("amount", "9001")]).await;
    assert_eq!(much.status, 400);
    let rest = play.stripe("/refunds", &[("payment_intent", &id)]).await.json();
    assert_eq!(rest["amount"], 9000);
    let over = play.stripe("/refunds", &[("payment_intent", &id)]).await.json();
    assert_eq!(over["error"]["code"], "charge_already_refunded");
    let charge = play.stripe_get(&format!("/charges/{}", rest["charge"].as_str().unwrap())).await;
    assert_eq!(charge.json()["refunded"], true);
}

#[tokio::test]
async fn events_are_listed_newest_first_in_pages() {
    let play = Playground::open().await;
    let receiver = play.receiver(&[]).await;
    let id = play.intent().await;
    play.control("pay", json!({ "payment_intent_id": id, "outcome": "declined" })).await;
    play.control("pay", json!({ "payment_intent_id": id, "outcome": "succeeded" })).await;
    receiver.wait_for(4).await;
    let kinds = |list: &serde_json::Value| -> Vec<String> {
        let data = list["data"].as_array().unwrap();
        data.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    };
    let page = play.stripe_get("/events?limit=2").await.json();
    assert_eq!(kinds(&page), ["charge.succeeded", "payment_intent.succeeded"]);
    assert_eq!(page["has_more"], true);
    let last = page["data"][1]["id"].as_str().unwrap();
    let next = play.stripe_get(&format!("/events?limit=9&starting_after={last}")).await.json();
    assert_eq!(
        kinds(&next),
        ["charge.failed", "payment_intent.payment_failed", "payment_intent.created"]
    );
    let oldest = next["data"][2]["id"].as_str().unwrap();
    let back = play.stripe_get(&format!("/events?limit=1&ending_before={oldest}")).await.json();
    assert_eq!(kinds(&back), ["payment_intent.payment_failed"]);
    let typed =
        play.stripe_get("/events?types[]=charge.failed&types[]=charge.succeeded").await.json();
    assert_eq!(kinds(&typed).len(), 2);
    assert_eq!(kinds(&play.stripe_get("/events?delivery_success=true").await.json()).len(), 4);
    assert_eq!(play.stripe_get("/events?limit=0").await.status, 400);
    assert_eq!(play.stripe_get("/events?colour=red").await.status, 400);
}

/// Events of one kind, so many seconds ago each, by the ids `evt_<seconds>`.
async fn invent(play: &Playground, now: i64, ages: &[i64]) {
    for age in ages {
        let event = json!({
            "id": format!("evt_{age}"), "type": "refund.created", "object": { "id": "re_1" },
            "created": now - age, "deliveries": 0,
        });
        assert_eq!(play.control("event", event).await.status, 200);
    }
}

fn ids(list: &serde_json::Value) -> Vec<String> {
    let data = list["data"].as_array().unwrap();
    data.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// The second of the sandbox's own clock.
async fn now(play: &Playground) -> i64 {
    let intent = play.stripe("/payment_intents", &GOOD).await.json();
    intent["created"].as_i64().unwrap()
}

#[tokio::test]
async fn events_are_listed_by_the_second_they_carry_and_for_thirty_days() {
    let play = Playground::open().await;
    let now = now(&play).await;
    invent(&play, now, &[60, 3_600, 5, 31 * 86_400]).await;
    let all = play.stripe_get("/events?types[]=refund.created").await.json();
    assert_eq!(ids(&all), ["evt_5", "evt_60", "evt_3600"]);
    assert_eq!(play.stripe_get(&format!("/events/evt_{}", 31 * 86_400)).await.status, 404);
    let (from, until) = (now - 3_600, now - 5);
    for (bounds, found) in [
        (format!("created[gte]={from}&created[lt]={until}"), vec!["evt_60", "evt_3600"]),
        (format!("created[gt]={from}&created[lte]={until}"), vec!["evt_5", "evt_60"]),
        (format!("created={from}"), vec!["evt_3600"]),
    ] {
        let path = format!("/events?types[]=refund.created&{bounds}");
        assert_eq!(ids(&play.stripe_get(&path).await.json()), found, "{bounds}");
    }
    let page = format!("/events?types[]=refund.created&created[gte]={from}&limit=1");
    let first = play.stripe_get(&page).await.json();
    assert_eq!((ids(&first), &first["has_more"]), (vec!["evt_5".to_owned()], &json!(true)));
    let second = play.stripe_get(&format!("{page}&starting_after=evt_5")).await.json();
    assert_eq!(ids(&second), ["evt_60"]);
}

#[tokio::test]
async fn what_stripe_would_not_read_in_a_list_of_events_is_refused() {
    let play = Playground::open().await;
    let now = now(&play).await;
    invent(&play, now, &[1, 2]).await;
    for (query, param) in [
        ("created[from]=1", "created[from]"),
        ("created[gte]=yesterday", "created[gte]"),
        ("limit=101", "limit"),
        ("type=refund.created&types[]=refund.updated", "type"),
        ("starting_after=evt_1&ending_before=evt_2", "starting_after"),
        ("page=2", "page"),
    ] {
        let answer = play.stripe_get(&format!("/events?{query}")).await;
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &json!(param)));
    }
    assert_eq!(play.stripe_get("/events?starting_after=evt_none").await.status, 404);
    let many: String = (0..21).map(|number| format!("types[]=a.b{number}&")).collect();
    assert_eq!(play.stripe_get(&format!("/events?{many}")).await.status, 400);
}

#[tokio::test]
async fn the_webhook_endpoint_is_listed_until_there_is_none() {
    let play = Playground::open().await;
    let none = play.stripe_get("/webhook_endpoints?limit=100").await.json();
    assert_eq!((&none["data"], &none["has_more"]), (&json!([]), &json!(false)));
    let receiver = play.receiver(&[]).await;
    let one = play.stripe_get("/webhook_endpoints").await.json();
    let endpoint = &one["data"][0];
    assert_eq!((&endpoint["url"], &endpoint["status"]), (&json!(receiver.url), &json!("enabled")));
    assert_eq!(endpoint["secret"], json!(null), "a secret is shown once, when it is made");
    let behind = endpoint["id"].as_str().unwrap();
    let page = play.stripe_get(&format!("/webhook_endpoints?starting_after={behind}")).await;
    assert_eq!(page.json()["data"], json!([]));
    assert_eq!(play.stripe_get("/webhook_endpoints?limit=0").await.status, 400);
    assert_eq!(play.stripe_get("/webhook_endpoints?colour=red").await.status, 400);
}
