//! How fast something is done: so many a minute, each at a time of its own, so that whoever asked
//! need not wait for it.

use jiff::{SignedDuration, Timestamp};

/// So many a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    per_minute: u32,
}

impl Pace {
    /// The fastest. What is due is on sixteen lists, not quite as long as each other, and of each the
    /// sweeper takes at most two hundred entries a minute.
    pub const FASTEST: u32 = 3_000;

    /// A pace of 1 to [`Self::FASTEST`] a minute.
    #[must_use]
    pub fn per_minute(number: u32) -> Self {
        Self { per_minute: number.clamp(1, Self::FASTEST) }
    }

    /// When the one with this place in the row has its turn: the first one at once.
    #[must_use]
    pub fn turn(self, begin: Timestamp, place: usize) -> Timestamp {
        begin.checked_add(self.lasts(place)).unwrap_or(begin)
    }

    /// How long so many take, until the last one has its turn.
    #[must_use]
    pub fn lasts(self, number: usize) -> SignedDuration {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        SignedDuration::from_millis(number.saturating_mul(60_000) / i64::from(self.per_minute))
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use jiff::Timestamp;

    #[test]
    fn so_many_have_their_turn_in_every_minute() {
        let (begin, pace) = (Timestamp::UNIX_EPOCH, Pace::per_minute(120));
        assert_eq!(pace.turn(begin, 0), begin);
        let second = |place| pace.turn(begin, place).as_millisecond();
        assert_eq!((second(1), second(120), second(10_000)), (500, 60_000, 5_000_000));
        assert_eq!(Pace::per_minute(0).lasts(2).as_secs(), 120, "never none at all");
        let fastest = Pace::per_minute(6_000).lasts(6_000).as_secs();
        assert_eq!(fastest, 120, "no more than the sweeper takes");
    }
}
