//! How the functions are opened: the settings that the template gives them, and cold starts.

use super::{INSTANCES, Shop};
use crate::{aws, clock, queue, world};
use crm_sync::Crm;
use esp_sync::Esp;
use lambda::settings;
use notifier::Notify;
use operator::{Operator, Stage};
use outbound::{Limits, Outbound, Roots};
use sgtm_forwarder::Tagging;
use std::collections::BTreeMap;
use std::time::Duration;
use stripe::StripeClient;

/// Pages of Stripe's events are as long as in AWS.
const LARGEST: usize = 8 << 20;

/// What is said to the functions of one history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) destinations: &'static str,
    /// What is not as the template has it.
    pub(crate) set: &'static [(&'static str, &'static str)],
}

/// What the template and the parameters say.
fn setting(name: &str, said: Settings, queue: &str) -> Option<String> {
    let vendor = |vendor: &str| world::with(|world| world.vendors.url(vendor));
    if let Some((_, value)) = said.set.iter().find(|(set, _)| *set == name) {
        return Some((*value).to_owned());
    }
    Some(match name {
        "LEDGER_TABLE" => "ledger".to_owned(),
        "SECRETS_PREFIX" => "/throughline/simulation".to_owned(),
        "DESTINATIONS" => said.destinations.to_owned(),
        "CONSENT_VERSION" => "1".to_owned(),
        "ALLOWED_ORIGINS" => "https://example.pt".to_owned(),
        "QUEUE_URL" => queue::url(queue),
        "DEAD_LETTER_URL" => queue::url(&format!("{queue}-dead")),
        "QUEUE_CRM_SYNC" => queue::url("crm-sync"),
        "QUEUE_ESP_SYNC" => queue::url("esp-sync"),
        "QUEUE_SGTM_FORWARDER" => queue::url("sgtm-forwarder"),
        "QUEUE_NOTIFIER" => queue::url("notifier"),
        "STRIPE_BASE_URL" => vendor("stripe"),
        "HUBSPOT_BASE_URL" => vendor("hubspot"),
        "MAILERLITE_BASE_URL" => vendor("mailerlite"),
        "SGTM_ENDPOINT" => vendor("sgtm"),
        "SGTM_MEASUREMENT_ID" => "G-SIMULATION".to_owned(),
        "SENDGRID_BASE_URL" => vendor("sendgrid"),
        "SENDGRID_FROM_EMAIL" => "bilhetes@example.pt".to_owned(),
        _ => return None,
    })
}

fn read<T>(said: Settings, queue: &str, parse: impl FnOnce(&mut settings::Settings<'_>) -> T) -> T {
    settings::read_from(&|name| setting(name, said, queue), parse)
        .expect("the world's own settings")
}

/// What an operator is told of the stage.
fn stage() -> Stage {
    let urls = |end: &str| -> BTreeMap<String, String> {
        let url = |name: &&str| ((*name).to_owned(), queue::url(&format!("{name}{end}")));
        super::QUEUES.iter().map(url).collect()
    };
    Stage {
        name: "simulation".to_owned(),
        is_local: true,
        is_deployed: true,
        api_url: String::new(),
        table: "ledger".to_owned(),
        queues: urls(""),
        dead_letters: urls("-dead"),
        settings: None,
    }
}

impl Shop {
    /// Wires everything anew: cold starts. `outbound` is the one thing that is dear to make.
    pub(crate) async fn open(said: Settings, region: u64, outbound: &Outbound) -> Self {
        let config = aws::config(region);
        // Nobody changes a secret here, so none is read again in the middle of a history.
        let at_rest = || clock::moment(clock::BEGINNING);
        let aws = lambda::aws::Aws::over(config.clone(), false).by_the_clock(at_rest);
        let door = outbound.to("stripe").reading_up_to(LARGEST);
        let stripe = world::with(|world| world.vendors.url("stripe"));
        // Where a call is made again, nobody here waits for real.
        let stripe = StripeClient::new(&stripe, door).waiting_first(Duration::ZERO);
        let lead = read(said, "", lead_capture::Config::read);
        let consent = read(said, "", consent_capture::Config::read);
        let checkout = read(said, "", create_payment_intent::Config::read);
        let webhook = read(said, "", stripe_webhook::Config::read);
        let reconciler = read(said, "", reconciler::Config::read);
        let mut shop = Self {
            lead: (lead.route(), lead.open(&aws).await.expect("lead-capture opens")),
            consent: (consent.route(), consent.open(&aws).await.expect("consent-capture opens")),
            checkout: (
                checkout.route(),
                checkout
                    .open_over(&aws, stripe.clone())
                    .await
                    .expect("create-payment-intent opens"),
            ),
            webhook: webhook.open(&aws).await.expect("stripe-webhook opens"),
            reconciler: reconciler.open_over(&aws, stripe).await.expect("reconciler opens"),
            operator: Operator::over(stage(), &config),
            dispatch: read(said, "", dispatch::Config::read).open(&aws),
            crm: Vec::new(),
            esp: Vec::new(),
            tagging: Vec::new(),
            notify: Vec::new(),
        };
        shop.hire(said, &aws, outbound).await;
        shop.set_clocks();
        shop
    }

    /// Opens the consumers. All instances of one read the same secrets.
    async fn hire(&mut self, said: Settings, aws: &lambda::aws::Aws, outbound: &Outbound) {
        let of = |queue: &'static str| read(said, queue, delivery::Config::read);
        let prefix = "/throughline/simulation";
        let secret = async |name| aws.secret(prefix, name).await.expect("the world's own secrets");
        let pepper = aws.pepper(prefix).await.expect("the world's own pepper");
        let crm_config = read(said, "", crm_sync::Config::read);
        let esp_config = read(said, "", esp_sync::Config::read);
        let tagging_config = read(said, "", sgtm_forwarder::Config::read);
        let notify_config = read(said, "", notifier::Config::read);
        let (hubspot, mailerlite) =
            (secret("HUBSPOT_ACCESS_TOKEN").await, secret("MAILERLITE_API_KEY").await);
        let sgtm = secret("SGTM_API_SECRET").await;
        let (mail, chat) = (secret("SENDGRID_API_KEY").await, secret("SLACK_WEBHOOK_URL").await);
        for _ in 0..INSTANCES {
            let crm = Crm::new(&crm_config, outbound, hubspot.clone());
            self.crm.push(of("crm-sync").open(aws, crm, Some(pepper.clone())));
            let esp = Esp::new(&esp_config, outbound, mailerlite.clone());
            self.esp.push(of("esp-sync").open(aws, esp, Some(pepper.clone())));
            let tagging = Tagging::new(&tagging_config, outbound, sgtm.clone());
            self.tagging.push(of("sgtm-forwarder").open(aws, tagging, None));
            let notify = Notify::new(&notify_config, outbound, mail.clone(), chat.clone());
            self.notify.push(of("notifier").open(aws, notify, None));
        }
    }

    fn set_clocks(&mut self) {
        self.crm.iter_mut().for_each(|consumer| consumer.clock = clock::read);
        self.esp.iter_mut().for_each(|consumer| consumer.clock = clock::read);
        self.tagging.iter_mut().for_each(|consumer| consumer.clock = clock::read);
        self.notify.iter_mut().for_each(|consumer| consumer.clock = clock::read);
    }

    /// Forgets what instances remember: each begins cold.
    pub(crate) fn cool(&mut self) {
        self.crm.iter_mut().for_each(|consumer| consumer.gates = Default::default());
        self.esp.iter_mut().for_each(|consumer| consumer.gates = Default::default());
        self.tagging.iter_mut().for_each(|consumer| consumer.gates = Default::default());
        self.notify.iter_mut().for_each(|consumer| consumer.gates = Default::default());
    }
}

/// The door to all vendors.
pub(crate) fn outbound() -> Outbound {
    Outbound::new("simulation", Limits::default(), Roots::BuiltIn).expect("TLS roots")
}
