//! Every order in which the words of a history may arrive, and every word twice: vendors that keep
//! state end alike.

use crate::{lab, say};
use simulation::{Lab, Options, Plan, Report, Said, Visitor};
use std::time::Instant;

/// Puts the words into an order, a word every minute.
fn arriving(said: &[Said], order: &[usize]) -> Vec<Said> {
    let minutes = (0_i64..).map(|minute| 1_000_000 + minute * 60_000);
    order.iter().zip(minutes).map(|(at, when)| said[*at].clone().arriving(when)).collect()
}

fn orders(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(of - 1);
    let with = |order: &Vec<usize>, place: usize| {
        let mut longer = order.clone();
        longer.insert(place, of - 1);
        longer
    };
    shorter
        .iter()
        .flat_map(|order| (0..=order.len()).map(move |place| with(order, place)))
        .collect()
}

fn run(lab: &mut Lab, buyers: &[(Visitor, i64)], said: Vec<Said>) -> Report {
    let options = Options { destinations: "hubspot,mailerlite", batch: 10, ..Options::default() };
    let report = lab.run(&options, Plan::default(), buyers, said);
    assert!(report.wrong.is_empty(), "{:#?}\n{}", report.wrong, report.told.join("\n"));
    report
}

fn every_order_of(name: &str, buyers: &[(Visitor, i64)], said: &[Said]) {
    let (mut lab, began) = (lab(), Instant::now());
    let plain: Vec<usize> = (0..said.len()).collect();
    let expected = run(&mut lab, buyers, arriving(said, &plain)).rest.state;
    for order in orders(said.len()) {
        let doubled: Vec<usize> =
            order.iter().flat_map(|at| [*at, (*at + 1) % said.len()]).collect();
        for order in [order, doubled].into_iter().take(1 + usize::from(lab.histories % 5 == 0)) {
            let report = run(&mut lab, buyers, arriving(said, &order));
            let told = report.told.join("\n");
            assert_eq!(report.rest.state, expected, "{name} in the order {order:?}\n{told}");
        }
    }
    say(&format!("{name}: {} histories, one state, {:.1?}", lab.histories, began.elapsed()));
}

#[test]
fn every_order_and_every_copy_of_a_purchase_ends_in_one_state() {
    let ana = Visitor::new(1, "ana.silva@example.pt");
    let said = [
        ana.lead(0, 1, (true, true)),
        ana.fails_to_pay(60_000, 1),
        ana.pays(120_000, 1),
        ana.is_refunded(180_000, 1, 9_700),
    ];
    every_order_of("a purchase and its refund", &[(ana.clone(), 30_000)], &said);
}

#[test]
fn every_order_of_two_journeys_and_a_withdrawal_ends_in_one_state() {
    let (first, second) =
        (Visitor::new(1, "ana.silva@example.pt"), Visitor::new(2, "ana.silva@example.pt"));
    let said = [
        first.lead(0, 1, (true, true)),
        first.answer(60_000, false, true),
        second.pays(120_000, 1),
        first.lead(130_000, 2, (false, true)),
    ];
    every_order_of("two journeys and a withdrawal", &[(second.clone(), 90_000)], &said);
}

#[test]
fn every_order_of_two_journeys_and_a_refused_payment_ends_in_one_state() {
    let (first, second) =
        (Visitor::new(1, "ana.silva@example.pt"), Visitor::new(2, "ana.silva@example.pt"));
    // The CRM alone hears of a refusal: what the newsletter tool holds must not depend on it.
    let said = [
        first.lead(0, 1, (true, true)),
        second.lead(60_000, 1, (true, true)),
        first.fails_to_pay(120_000, 1),
        second.answer(90_000, true, false),
    ];
    every_order_of("two journeys and a refusal", &[(first.clone(), 30_000)], &said);
}
