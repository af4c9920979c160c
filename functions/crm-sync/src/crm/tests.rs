//! Who is in the CRM at all.

use super::Crm;
use crate::config::Config;
use delivery::courier::{Courier, Prepared};
use domain::delivery::SkipReason;
use domain::destination::Destination;
use lambda::secret::Secret;
use outbound::{Limits, Outbound, Roots};
use testkit::facts::{a_checkout, a_lead, a_payment, a_refund};
use testkit::scene::Scene;
use testkit::secret::{a_secret, no_secret};

fn crm(enable_lead_capture: bool, access_token: Secret) -> Crm {
    let config =
        Config { hubspot_base_url: "https://api.hubapi.com".to_owned(), enable_lead_capture };
    let outbound = Outbound::new("crm-sync", Limits::default(), Roots::BuiltIn).unwrap();
    Crm::new(&config, &outbound, access_token)
}

fn is_sent(crm: &Crm, scene: &Scene) -> bool {
    matches!(crm.prepare(&scene.errand()), Prepared::Send { .. })
}

#[tokio::test]
async fn leads_stay_out_of_the_crm_until_they_pay_where_the_business_wants_it_so() {
    let (lead, checkout, paid, refunded) = (a_lead(), a_checkout(), a_payment(), a_refund());
    let stages = [
        (vec![lead.clone()], false),
        (vec![lead.clone(), checkout.clone()], false),
        (vec![lead.clone(), checkout.clone(), paid.clone()], true),
        (vec![lead, checkout, paid, refunded], true),
    ];
    let key = a_secret("HUBSPOT_ACCESS_TOKEN", "pat-eu1-test").await;
    let (with_leads, without_leads) = (crm(true, key.clone()), crm(false, key));
    for (facts, sent) in stages {
        let scene = Scene::of(Destination::Hubspot, &facts);
        assert!(is_sent(&with_leads, &scene), "{} facts", facts.len());
        assert_eq!(is_sent(&without_leads, &scene), sent, "{} facts", facts.len());
    }
}

#[tokio::test]
async fn without_a_key_the_crm_is_off_and_says_so() {
    let crm = crm(true, no_secret("HUBSPOT_ACCESS_TOKEN").await);
    let scene = Scene::of(Destination::Hubspot, &[a_lead()]);
    let Prepared::Skip(reason, detail) = crm.prepare(&scene.errand()) else { panic!("sent") };
    assert_eq!(reason, SkipReason::NotConfigured);
    assert!(detail.contains("HUBSPOT_ACCESS_TOKEN"), "{detail}");
}
