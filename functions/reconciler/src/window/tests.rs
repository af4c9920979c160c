//! Every second is looked at, in order, wherever a run stops.

use super::{HORIZON, MARGIN, OVERLAP, Windows};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const NOW: i64 = 1_763_700_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn seconds(duration: SignedDuration) -> i64 {
    duration.as_secs()
}

/// What happens to a window.
#[derive(Debug, Clone, Copy)]
enum Step {
    Done { held_little: bool },
    Narrow,
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<bool>().prop_map(|held_little| Step::Done { held_little }),
        1 => Just(Step::Narrow),
    ]
}

/// Plays a run: answers with the stretches that were worked, in order, and whether it came to its end.
fn play(windows: &mut Windows, steps: &[Step]) -> (Vec<(i64, i64)>, bool) {
    let mut worked = Vec::new();
    for step in steps {
        let Some(window) = windows.current() else { return (worked, true) };
        match step {
            Step::Done { held_little } => {
                worked.push((window.from.as_second(), window.until.as_second()));
                windows.done(*held_little);
            }
            Step::Narrow => windows.narrow(),
        }
    }
    (worked, windows.current().is_none())
}

/// Whatever is left, window by window.
fn finish(windows: &mut Windows) -> Vec<(i64, i64)> {
    play(windows, &[Step::Done { held_little: true }; 50_000]).0
}

#[test]
fn a_quiet_quarter_of_an_hour_is_one_window_with_the_hour_before_it() {
    let mut windows = Windows::of_run(at(NOW - 900 - seconds(MARGIN)), at(NOW));
    let window = windows.current().unwrap();
    let from = NOW - 900 - seconds(MARGIN) - seconds(OVERLAP);
    assert_eq!((window.from, window.until), (at(from), at(NOW - seconds(MARGIN))));
    windows.done(true);
    assert_eq!(windows.current(), None);
}

#[test]
fn nothing_older_than_stripe_keeps_is_asked_for_and_nothing_younger_than_the_margin() {
    let mut windows = Windows::of_run(at(0), at(NOW));
    let worked = finish(&mut windows);
    assert_eq!(worked.first().unwrap().0, NOW - seconds(HORIZON));
    assert_eq!(worked.last().unwrap().1, NOW - seconds(MARGIN));
    assert!(worked.len() <= 120, "30 days of silence: {}", worked.len());
}

#[test]
fn a_cursor_ahead_of_the_clock_is_no_harm() {
    let ahead = Windows::of_run(at(NOW + 86_400), at(NOW));
    assert_eq!(ahead.current(), None);
}

#[test]
fn a_busy_second_is_taken_whole() {
    let mut windows = Windows::of_run(at(NOW), at(NOW));
    for _ in 0..100 {
        windows.narrow();
    }
    let window = windows.current().unwrap();
    assert_eq!(window.until.as_second() - window.from.as_second(), 1);
}

proptest! {
    #[test]
    fn every_second_is_covered_once_and_in_order(
        behind in 0_i64..40 * 86_400,
        steps in prop::collection::vec(a_step(), 0..200),
    ) {
        let mut windows = Windows::of_run(at(NOW - behind), at(NOW));
        let first = windows.current().unwrap().from.as_second();
        let (mut worked, _) = play(&mut windows, &steps);
        worked.extend(finish(&mut windows));
        let mut next = first;
        for (from, until) in worked {
            prop_assert_eq!(from, next);
            prop_assert!(until > from);
            next = until;
        }
        prop_assert_eq!(next, NOW - seconds(MARGIN));
    }

    /// Each run gets as far as it gets, and moves the cursor to the end of its last whole window.
    #[test]
    fn runs_that_stop_anywhere_leave_no_second_out(
        behind in 0_i64..29 * 86_400,
        runs in prop::collection::vec((0_i64..3_600, prop::collection::vec(a_step(), 0..8)), 1..30),
    ) {
        let (begun, mut now) = (NOW - behind, NOW);
        let mut cursor = begun;
        let mut covered = begun;
        let last = [(900, vec![Step::Done { held_little: true }; 50_000])];
        for (later, steps) in runs.into_iter().chain(last) {
            now += later;
            let (worked, ended) = play(&mut Windows::of_run(at(cursor), at(now)), &steps);
            for (from, until) in worked {
                prop_assert!(from <= covered, "nobody looked at {covered} to {from}");
                covered = covered.max(until);
                cursor = cursor.max(until);
            }
            prop_assert!(cursor <= covered);
            prop_assert!(!ended || covered >= now - seconds(MARGIN));
        }
        prop_assert!(covered >= now - seconds(MARGIN));
    }
}

/// An event may be listed some time after it happened.
#[test]
fn a_run_looks_an_hour_back_behind_what_it_had_reached() {
    let windows = Windows::of_run(at(NOW - 900), at(NOW));
    let from = windows.current().unwrap().from;
    assert!(from <= at(NOW - 900 - 3_600), "{from}");
}

/// Else it would say what is lost already.
#[test]
fn the_alarm_of_the_gap_goes_off_while_stripe_still_remembers() {
    let template = include_str!("../../../../template.yaml");
    let (_, alarm) = template.split_once("MetricName: gap_seconds").unwrap();
    let (_, threshold) = alarm.split_once("Threshold: ").unwrap();
    let seconds = threshold.lines().next().and_then(|line| line.parse().ok()).unwrap();
    let gap = SignedDuration::from_secs(seconds);
    assert!(gap > SignedDuration::from_hours(1) && gap * 2 < HORIZON, "{gap:?}");
}
