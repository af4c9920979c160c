//! When something happened, by a clock that may be years off.

use jiff::Timestamp;

/// Nothing here happened before 2020: an earlier time is a clock that was never set.
const EARLIEST: Timestamp = Timestamp::constant(1_577_836_800, 0);

/// The moment that counts: the one that was told, or the one of hearing where none was told, or one
/// that cannot be (in the future, or before there was anything to happen).
#[must_use]
pub fn settle(told: Option<Timestamp>, heard: Timestamp) -> Timestamp {
    told.filter(|told| (EARLIEST..=heard).contains(told)).unwrap_or(heard)
}

#[cfg(test)]
mod tests {
    use super::settle;

    #[test]
    fn a_clock_that_is_off_is_not_believed() {
        let at = |text: &str| text.parse().unwrap();
        let heard = at("2026-11-21T10:00:00Z");
        for (told, settled) in [
            (Some("2026-11-21T09:59:59.5Z"), "2026-11-21T09:59:59.5Z"),
            (Some("2026-10-01T00:00:00+01:00"), "2026-09-30T23:00:00Z"),
            (Some("2026-11-21T10:00:00.001Z"), "2026-11-21T10:00:00Z"),
            (Some("9999-12-30T22:00:00Z"), "2026-11-21T10:00:00Z"),
            (Some("1970-01-01T00:00:00Z"), "2026-11-21T10:00:00Z"),
            (None, "2026-11-21T10:00:00Z"),
        ] {
            assert_eq!(settle(told.map(at), heard), at(settled), "{told:?}");
        }
    }
}
