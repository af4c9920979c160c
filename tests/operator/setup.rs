//! `secrets`, `catalogue`, `doctor`: a stage is set up, and looked over.

use super::command::{json, throughline, told};
use crate::sandbox::{peace, war};
use crate::stack::Stack;
use serde_json::Value;

#[tokio::test]
async fn a_secret_goes_in_by_standard_input_and_comes_out_nowhere() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let value = "sgtm-0a1b2c3d4e5f";
    let set = told(&["secrets", "set", "SGTM_API_SECRET"], &format!("{value}\n")).await;
    let listed = throughline(&["secrets", "list"]).await;
    let as_json = throughline(&["secrets", "list", "--output", "json"]).await;
    let misshapen = told(&["secrets", "set", "SENDGRID_API_KEY"], "nokey-0a1b2c3d4e5f").await;
    let second_pepper = format!("v2:{}", "0a1b2c3d4e5f".repeat(6));
    let pepper = told(&["secrets", "set", "PEPPER"], &second_pepper).await;
    for said in [&set, &listed, &as_json, &misshapen, &pepper] {
        assert!(
            !said.out.contains("0a1b2c3d4e5f") && !said.err.contains("0a1b2c3d4e5f"),
            "{said:?}"
        );
    }
    assert_eq!([set.code, listed.code, misshapen.code, pepper.code], [0, 0, 1, 1]);
    assert_eq!(stack.parameter("SGTM_API_SECRET").await, value, "without its end of line");
    assert!(misshapen.err.contains("SENDGRID_API_KEY"), "{misshapen:?}");
    assert!(
        pepper.err.contains("--replace-pepper") && pepper.err.contains("consent"),
        "{pepper:?}"
    );
    assert!(stack.parameter("PEPPER").await.starts_with("v1:"));
    let secrets = as_json.well().json();
    let secrets = secrets["secrets"].as_array().unwrap();
    assert_eq!(secrets.len(), 8);
    assert!(
        secrets.iter().all(|secret| secret["is_set"] == true && secret["changed_at"].is_string())
    );

    // Several at once: all of them, or none.
    let lines = "# keys\nSGTM_API_SECRET=sgtm-local\nMAILERLITE_API_KEY=two words\n";
    let half = told(&["secrets", "set", "--all", "-"], lines).await;
    assert_eq!(half.code, 1, "{half:?}");
    assert_eq!(stack.parameter("SGTM_API_SECRET").await, value);
    let all = told(&["secrets", "set", "--all", "-"], "SGTM_API_SECRET=sgtm-local\n").await;
    assert_eq!((all.code, stack.parameter("SGTM_API_SECRET").await.as_str()), (0, "sgtm-local"));
    assert_eq!(throughline(&["secrets", "set", "SGTM_API_SECRET=x"]).await.code, 2, "an argument");
}

#[tokio::test]
async fn a_catalogue_that_the_functions_could_not_read_does_not_get_in() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let good = crate::architecture::read("config/catalogue.sample.json");
    let free = good.replace("9700", "0");
    let refused = told(&["catalogue", "push", "-"], &free).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("cafe-com-vendas-ticket"), "it names the product: {refused:?}");
    assert_eq!(stack.parameter("CATALOGUE").await, good);
    let file = crate::architecture::root().join("config/catalogue.sample.json");
    throughline(&["catalogue", "push", file.to_str().unwrap()]).await.well();
    assert_eq!(stack.parameter("CATALOGUE").await, good);
}

/// What a check found.
fn verdict<'a>(checks: &'a Value, of: &str) -> &'a str {
    let mut all = checks["checks"].as_array().unwrap().iter();
    let check = all.find(|check| check["check"] == of);
    check.unwrap_or_else(|| panic!("no check of {of}: {checks}"))["verdict"].as_str().unwrap()
}

#[tokio::test]
async fn a_check_up_says_what_is_well_and_what_is_not() {
    let (stack, _war) = (Stack::running().await, war().await);
    stack.opens_gates().await;
    let checks = json(&["doctor"]).await;
    for well in [
        "PEPPER",
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "CATALOGUE",
        "template",
        "hubspot",
        "slack",
        "table",
        "webhook",
        "forged webhook",
    ] {
        assert_eq!(verdict(&checks, well), "ok", "{well}: {checks}");
    }
    let catalogue = stack.parameter("CATALOGUE").await;
    stack.set_secret("CATALOGUE", "{").await;
    stack.set_secret("STRIPE_SECRET_KEY", "sk_live_0").await;
    let ill = throughline(&["doctor", "--output", "json"]).await;
    let read = throughline(&["doctor"]).await;
    stack.set_secret("STRIPE_SECRET_KEY", "sk_test_local").await;
    told(&["catalogue", "push", "-"], &catalogue).await.well();
    assert_eq!((ill.code, read.code), (1, 1));
    let ill = ill.json();
    assert_eq!((verdict(&ill, "CATALOGUE"), verdict(&ill, "STRIPE_SECRET_KEY")), ("fail", "fail"));
    assert!(!ill.to_string().contains("sk_live_0") && read.out.contains("a live key"), "{read:?}");
}
