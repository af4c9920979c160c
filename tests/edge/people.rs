//! People as they write themselves: names, addresses and telephone numbers of the world.

use super::answers::{a_few_at_a_time, ask, with};
use crate::sandbox::peace;
use crate::stack::Stack;
use crate::visitor::a_visitor;
use domain::contact::Contact;
use lambda::http::Kind;
use serde_json::Value;

/// What is kept of a lead with this field.
async fn kept(stack: &Stack, field: &str, value: &str) -> Contact {
    let visitor = a_visitor().without_consent();
    let lead = with(&visitor.lead(1), field, value);
    ask("/leads").json(&lead).post(stack).await.is(202, &value);
    let facts = stack.timeline(visitor.event_id).await.facts;
    facts.into_iter().next().unwrap().contact.unwrap()
}

async fn refused(stack: &Stack, field: &'static str, value: &str) {
    let visitor = a_visitor();
    for (path, body) in [("/leads", visitor.lead(1)), ("/payment-intents", visitor.purchase())] {
        let told = ask(path).json(&with(&body, field, Value::from(value))).post(stack).await;
        told.is_problem(Kind::InvalidField, &[field], &(path, value));
    }
}

#[tokio::test]
async fn a_name_is_kept_in_any_script_and_without_what_nobody_can_see() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let long = "n".repeat(200);
    let names = [
        ("Ana Silva", "Ana Silva"),
        ("  Ana \t\n Silva ", "Ana Silva"),
        ("Ana\u{200b}Sil\u{feff}va\u{ad}", "AnaSilva"),
        ("Ana\u{202e}avliS\u{202c}", "AnaavliS"),
        ("\u{2066}Ana\u{2069} \u{200f}Silva\u{200e}", "Ana Silva"),
        ("Ana\u{0}\u{7f}\u{85} Silva", "Ana Silva"),
        ("אנה כהן", "אנה כהן"),
        ("آنا سيلفا", "آنا سيلفا"),
        ("王小明", "王小明"),
        ("Zoë Østergård-Þórsdóttir", "Zoë Østergård-Þórsdóttir"),
        ("क्\u{200d}ष", "क्\u{200d}ष"),
        ("👩\u{200d}👧 Ana", "👩\u{200d}👧 Ana"),
        ("O'Neil <b>\"; DROP TABLE--", "O'Neil <b>\"; DROP TABLE--"),
        (&long, &long),
    ];
    a_few_at_a_time(names.iter().map(async |(sent, stored)| {
        let contact = kept(&stack, "full_name", sent).await;
        assert_eq!(contact.full_name.unwrap().expose(), *stored, "{sent:?}");
    }))
    .await;
    for name in [
        "\u{200b}",
        "\u{202e}\u{202c}",
        "\u{feff} \u{ad}",
        "\u{200d} \u{200d}",
        "\u{1}\u{2}",
        &"é".repeat(201),
    ] {
        refused(&stack, "full_name", name).await;
    }
}

#[tokio::test]
async fn an_address_is_kept_as_mail_servers_compare_it() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let longest_local = format!("{}@example.pt", "a".repeat(64));
    let addresses = [
        ("ana.silva@example.pt", "ana.silva@example.pt"),
        (" Ana.Silva@EXAMPLE.PT\n", "Ana.Silva@example.pt"),
        ("ana+lisboa@example.pt", "ana+lisboa@example.pt"),
        ("o'neil!#$%&'*/=?^_`{|}~@example.pt", "o'neil!#$%&'*/=?^_`{|}~@example.pt"),
        ("inês@example.pt", "inês@example.pt"),
        ("用户@example.com", "用户@example.com"),
        ("ana@bücher.example.com", "ana@xn--bcher-kva.example.com"),
        ("\"ana silva\"@example.pt", "\"ana silva\"@example.pt"),
        ("\"ana@silva\"@example.pt", "\"ana@silva\"@example.pt"),
        ("\"a\\\"b\"@example.pt", "\"a\\\"b\"@example.pt"),
        (&longest_local, &longest_local),
    ];
    a_few_at_a_time(addresses.iter().map(async |(sent, stored)| {
        assert_eq!(kept(&stack, "email", sent).await.email.expose(), *stored);
    }))
    .await;
    let long_local = format!("{}@example.pt", "a".repeat(65));
    let long = format!("ana@{}example.pt", "aaaaaaaaaa.".repeat(24));
    let stray = [
        "ana.silva",
        "@example.pt",
        "ana@",
        "ana@example",
        "ana@@example.pt",
        "ana silva@example.pt",
        ".ana@example.pt",
        "ana.@example.pt",
        "an..a@example.pt",
        "ana@.example.pt",
        "ana@example..pt",
        "ana@-example.pt",
        "ana@example-.pt",
        "ana@exa_mple.pt",
        "ana@[127.0.0.1]",
        "ana@127.0.0.1",
        "ana@example.pt, rui@example.pt",
        "Ana <ana@example.pt>",
        "ana@example.pt\r\nBcc: rui@example.pt",
        "ana\u{0}@example.pt",
        "\"ana\u{7}silva\"@example.pt",
        "ana@exam\u{200b}ple.pt@",
        "mailto:ana@example.pt",
        &long_local,
        &long,
    ];
    a_few_at_a_time(stray.iter().map(async |address| refused(&stack, "email", address).await))
        .await;
}

/// A telephone number of each of thirty countries, as people there might write it.
const PHONES: [(&str, &str); 34] = [
    ("912 345 678", "+351912345678"),
    ("21 234 56 78", "+351212345678"),
    ("00351912345678", "+351912345678"),
    ("351912345678", "+351912345678"),
    ("+351 (912) 345-678", "+351912345678"),
    ("+34 612 34 56 78", "+34612345678"),
    ("+33 6 12 34 56 78", "+33612345678"),
    ("+49 1512 3456789", "+4915123456789"),
    ("+44 7400 123456", "+447400123456"),
    ("+353 85 012 3456", "+353850123456"),
    ("+39 312 345 6789", "+393123456789"),
    ("+31 6 12345678", "+31612345678"),
    ("+32 470 12 34 56", "+32470123456"),
    ("+352 628 123 456", "+352628123456"),
    ("+41 78 123 45 67", "+41781234567"),
    ("+43 664 123456", "+43664123456"),
    ("+45 32 12 34 56", "+4532123456"),
    ("+46 70 123 45 67", "+46701234567"),
    ("+47 406 12 345", "+4740612345"),
    ("+358 41 2345678", "+358412345678"),
    ("+48 512 345 678", "+48512345678"),
    ("+420 601 123 456", "+420601123456"),
    ("+36 20 123 4567", "+36201234567"),
    ("+40 712 034 567", "+40712034567"),
    ("+30 691 234 5678", "+306912345678"),
    ("+380 50 123 4567", "+380501234567"),
    ("+1 (201) 555-0123", "+12015550123"),
    ("+55 11 96123-4567", "+5511961234567"),
    ("+244 923 123 456", "+244923123456"),
    ("+258 82 123 4567", "+258821234567"),
    ("+238 991 12 34", "+2389911234"),
    ("+91 81234 56789", "+918123456789"),
    ("+81 90-1234-5678", "+819012345678"),
    ("+61 412 345 678", "+61412345678"),
];

#[tokio::test]
async fn a_telephone_number_of_any_country_is_kept_in_one_spelling() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    a_few_at_a_time(PHONES.iter().map(async |(sent, stored)| {
        let contact = kept(&stack, "phone", sent).await;
        assert_eq!(contact.phone.unwrap().expose(), *stored, "{sent}");
    }))
    .await;
    let stray = [
        "12",
        "abcdefghi",
        "+999 123 456 789",
        "+351 123",
        "000000000",
        "+",
        "112",
        "91234567",
        "+1 555",
        "tel:+351912345678;ext=1;x",
        "912345678912345678912345678912345678912345",
        "+351912345678\u{0}; DROP",
    ];
    a_few_at_a_time(stray.iter().map(async |phone| refused(&stack, "phone", phone).await)).await;
}
