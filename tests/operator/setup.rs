//! `secrets`, `catalogue`, `doctor`: a stage is set up, and looked over.

use super::command::{json, started, throughline, told};
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

    // Several at once: nothing is written unless all of it could be.
    let lines = "# keys\nSGTM_API_SECRET=sgtm-local\nMAILERLITE_API_KEY=two words\n";
    let half = told(&["secrets", "set", "--all", "-"], lines).await;
    assert_eq!(half.code, 1, "{half:?}");
    let lines = format!("SGTM_API_SECRET=sgtm-local\nPEPPER={second_pepper}\n");
    let pepper = told(&["secrets", "set", "--all", "-"], &lines).await;
    assert!(pepper.code == 1 && pepper.err.contains("--replace-pepper"), "{pepper:?}");
    assert_eq!(stack.parameter("SGTM_API_SECRET").await, value);
    let same = stack.parameter("PEPPER").await;
    let lines = format!("SGTM_API_SECRET=sgtm-local\nPEPPER={same}\n");
    let all = told(&["secrets", "set", "--all", "-"], &lines).await;
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

#[tokio::test]
async fn a_deployed_stage_is_found_by_its_name_with_the_profile_that_is_named() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = crate::visitor::a_visitor();
    visitor.leaves_a_lead(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    let event_id = visitor.event_id.to_string();
    // A person's ~/.aws, whose AWS is the local one.
    let home = std::env::temp_dir().join(format!("throughline-{event_id}"));
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    let profile = format!(
        "[profile ops]\nregion = eu-west-1\nendpoint_url = {}\naws_access_key_id = test\naws_secret_access_key = test\n",
        stack.aws_endpoint()
    );
    std::fs::write(home.join(".aws/config"), profile).unwrap();
    let variables = [("HOME", home.to_str().unwrap())];
    let stage = ["--stage", "local", "--profile", "ops", "--output", "json"];
    let words = [&["trace", &event_id], &stage[..]].concat();
    let told = started(&words, &variables, "").await.well().json();
    assert_eq!(told, json(&["trace", &event_id]).await);
    let words = [&["replay", &event_id, "lead#1", "--why", "who am I?", "--yes"], &stage[..]];
    started(&[&words.concat()[..], &["--destination", "hubspot"]].concat(), &variables, "")
        .await
        .well();
    let timeline = stack.timeline(visitor.event_id).await;
    assert!(timeline.audits[0].who.starts_with("arn:aws:"), "{:?}", timeline.audits);

    let elsewhere = ["--stage", "nowhere", "--profile", "ops"];
    let lost = started(&[&["trace", &event_id], &elsewhere[..]].concat(), &variables, "").await;
    assert_eq!(lost.code, 1, "{lost:?}");
    assert!(lost.err.contains("there is no stage nowhere"), "{lost:?}");
    let bare = started(&[&["secrets", "list"], &elsewhere[..]].concat(), &variables, "").await;
    assert_eq!((bare.code, bare.out.matches("missing").count()), (0, 8), "before the first deploy");
    let nobody = started(&[&["trace", &event_id, "--stage", "local"][..]].concat(), &[], "").await;
    assert_eq!(nobody.code, 1, "{nobody:?}");
    assert!(nobody.err.contains("--region"), "{nobody:?}");
    std::fs::remove_dir_all(home).unwrap();
}
