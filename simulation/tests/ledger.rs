//! The ledger's own promises, with nothing but the table in memory under it.

use crate::lab;
use domain::destination::Destination;
use domain::pepper::PersonKey;
use jiff::SignedDuration;
use ledger::{Admission, Ledger};
use simulation::trial::Gates;
use simulation::{Lab, Options, Plan, Snapshot};

/// A world in which nothing has happened yet.
fn empty(lab: &mut Lab) -> Snapshot {
    lab.run(&Options::default(), Plan::default(), &[], Vec::new());
    lab.snapshot()
}

#[test]
fn a_gate_of_many_who_ask_lets_a_few_through() {
    let mut lab = lab();
    let from = empty(&mut lab);
    lab.command(&from, &Options::default(), async |_, ledger, now| {
        let gates = Gates { ledger, to: Destination::Sendgrid, now };
        gates.breaker().await;
        gates.counts().await;
        gates.slots().await;
    });
    let gone = lab.snapshot().days_later(1);
    lab.command(&gone, &Options::default(), async |_, ledger, now| {
        let day = SignedDuration::from_hours(24);
        let to = Destination::Sendgrid;
        assert_eq!(ledger.recent_calls(to, now - day).await, Ok(Vec::new()), "kept for ever");
        assert!(!ledger.gate_history(to, now - day).await.unwrap().is_empty(), "gone too soon");
    });
}

#[test]
fn a_caller_has_so_many_calls_in_a_minute_and_is_told_when_the_next_begins() {
    let mut lab = lab();
    let from = empty(&mut lab);
    lab.command(&from, &Options::default(), async |_, ledger, now| {
        let second = |second| now + SignedDuration::from_secs(second);
        let into = now.as_second().rem_euclid(60);
        let ask = async |caller, at| ledger.admit("/leads", caller, 3, at).await.unwrap();
        for _ in 0..3 {
            assert_eq!(ask("one", now).await, Admission::Admitted);
        }
        let left = |past| Admission::Refused { retry_after: u32::try_from(60 - past).unwrap() };
        assert_eq!(ask("one", now).await, left(into));
        assert_eq!(ask("one", second(59 - into)).await, left(59));
        assert_eq!(ask("two", now).await, Admission::Admitted, "another caller");
        assert_eq!(ask("one", second(60 - into)).await, Admission::Admitted, "another minute");
    });
    // A caller is forgotten soon; a minute is not forgotten while it lasts.
    let day = lab.snapshot().days_later(1);
    assert_eq!(day.items_like("RATE#"), 0);
}

#[test]
fn who_is_erased_is_known_as_that_and_no_more() {
    let mut lab = lab();
    let from = empty(&mut lab);
    lab.command(&from, &Options::default(), async |_, ledger: &Ledger, now| {
        let person = PersonKey::stored(format!("v1_{}", "ab".repeat(32)));
        assert_eq!(ledger.person(&person).await.unwrap().profile.erased_at, None);
        assert_eq!(ledger.mark_erased(&person, now).await, Ok(()));
        assert_eq!(ledger.person(&person).await.unwrap().profile.erased_at, Some(now));
    });
}
