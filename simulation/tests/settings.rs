//! What functions read from their environment, and what the template gives them.

use lambda::settings::{Misconfigured, Settings, read_from};
use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// How many values of each parameter are tried.
const TRIES: usize = 1_000;

/// Where a function's variables are looked up.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How a function reads its settings.
type Read = fn(Lookup<'_>) -> Result<(), Misconfigured>;

fn reading<T>(lookup: Lookup<'_>, parse: fn(&mut Settings<'_>) -> T) -> Result<(), Misconfigured> {
    read_from(lookup, parse).map(|_| ())
}

/// As the consumers' own starts have it.
fn consuming<T>(
    lookup: Lookup<'_>,
    parse: fn(&mut Settings<'_>) -> T,
) -> Result<(), Misconfigured> {
    read_from(lookup, |settings| {
        delivery::Config::read(settings);
        parse(settings);
    })
}

/// Every function, by its name in the template.
const FUNCTIONS: [(&str, Read); 11] = [
    ("LeadCapture", |from| reading(from, lead_capture::Config::read)),
    ("ConsentCapture", |from| reading(from, consent_capture::Config::read)),
    ("CreatePaymentIntent", |from| reading(from, create_payment_intent::Config::read)),
    ("StripeWebhook", |from| reading(from, stripe_webhook::Config::read)),
    ("Dispatcher", |from| reading(from, dispatch::Config::read)),
    ("CrmSync", |from| consuming(from, crm_sync::Config::read)),
    ("EspSync", |from| consuming(from, esp_sync::Config::read)),
    ("SgtmForwarder", |from| consuming(from, sgtm_forwarder::Config::read)),
    ("Notifier", |from| consuming(from, notifier::Config::read)),
    ("Sweeper", |from| reading(from, dispatch::Config::read)),
    ("Reconciler", |from| reading(from, reconciler::Config::read)),
];

fn template() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")).unwrap()
}

/// The lines of one block, by the line that begins it.
fn block<'a>(template: &'a str, begin: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let (_, rest) = template.split_once(&format!("\n{begin}\n")).unwrap();
    let depth = begin.len() - begin.trim_start().len();
    rest.lines()
        .take_while(move |line| line.is_empty() || line.len() - line.trim_start().len() > depth)
}

/// The variables of a block, each with what the template says of it.
fn variables<'a>(template: &'a str, begin: &str) -> BTreeMap<&'a str, &'a str> {
    let pairs = block(template, begin).filter_map(|line| line.trim().split_once(": "));
    let is_variable = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    pairs.filter(|(name, _)| is_variable(name)).collect()
}

/// What a function is given: its own variables, and everybody's.
fn given<'a>(template: &'a str, function: &str) -> [BTreeMap<&'a str, &'a str>; 2] {
    [format!("  {function}:"), "Globals:".to_owned()].map(|begin| variables(template, &begin))
}

/// A property of a parameter.
fn property<'a>(template: &'a str, parameter: &str, name: &str) -> Option<&'a str> {
    let mut lines = block(template, &format!("  {parameter}:"));
    lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "))
}

/// What a function is given where nobody sets anything but what must be set, which is an address.
fn value(template: &str, said: &str) -> String {
    let of = |name| property(template, said.strip_prefix("!Ref ")?, name);
    let must_be_set = of("Type") == Some("String") && of("Default").is_none();
    let said = if must_be_set { "https://example.pt" } else { of("Default").unwrap_or(said) };
    said.trim_matches('"').to_owned()
}

#[test]
fn each_function_reads_what_the_template_gives_it_and_is_given_what_it_reads() {
    let template = template();
    for (function, read) in FUNCTIONS {
        let [own, common] = given(&template, function);
        let asked = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            own.get(name).or(common.get(name)).map(|said| value(&template, said))
        };
        let read = read(&lookup);
        let asked = asked.into_inner();
        let unread: Vec<_> = own.keys().filter(|name| !asked.contains(**name)).collect();
        let is_given = |name: &str| own.contains_key(name) || common.contains_key(name);
        let missing: Vec<_> = asked.iter().filter(|name| !is_given(name)).collect();
        assert!(unread.is_empty() && missing.is_empty(), "{function}: {unread:?} {missing:?}");
        assert_eq!(read, Ok(()), "{function} starts with the template's defaults");
    }
}

/// Else a deploy would succeed, and the functions would not start.
#[test]
fn no_number_that_the_template_takes_is_refused_by_a_function() {
    let (template, mut runner) = (template(), TestRunner::deterministic());
    let mut seen = BTreeSet::new();
    for (function, read) in FUNCTIONS {
        let [own, common] = given(&template, function);
        for (name, said) in &own {
            let parameter = said.strip_prefix("!Ref ");
            let pattern = parameter.and_then(|one| property(&template, one, "AllowedPattern"));
            let Some(pattern) = pattern.filter(|pattern| is_of_numbers(pattern)) else { continue };
            let strategy = string_regex(pattern.trim_matches(['^', '$'])).unwrap();
            for _ in 0..TRIES {
                let number = strategy.new_tree(&mut runner).unwrap().current();
                let lookup = |asked: &str| match asked {
                    _ if asked == *name => Some(number.clone()),
                    _ => own.get(asked).or(common.get(asked)).map(|said| value(&template, said)),
                };
                let faults = read(&lookup).err().map(|faults| faults.to_string());
                let refused = faults.filter(|faults| faults.contains(*name));
                assert_eq!(refused, None, "{function} is given {name}={number}");
            }
            seen.insert(*name);
        }
    }
    assert!(seen.len() >= 7, "{seen:?}");
}

fn is_of_numbers(pattern: &str) -> bool {
    pattern.contains("-9]") && !pattern.contains(|c: char| c.is_ascii_alphabetic() || c == '\\')
}
