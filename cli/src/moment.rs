//! Times as people read and write them: UTC, and how long ago.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// `2026-11-20 10:00:00Z`
pub(crate) fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `5 min ago`, `in 5 min`.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let age = now.duration_since(at);
    let length = length(age.abs());
    // Less than a second ahead is a clock's matter.
    if age.as_secs() < 0 { format!("in {length}") } else { format!("{length} ago") }
}

/// `45 s`, `5 min`, `3 h`, `2 d`: the largest unit that is not nought, and from ten minutes on that
/// is enough.
pub(crate) fn length(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Reads `90s`, `15min`, `2h`, `3d`.
pub(crate) fn parse_length(text: &str) -> Result<SignedDuration, String> {
    const SHAPE: &str = "must be a number and a unit: 90s, 15min, 2h, 3d";
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: i64 = number.parse().map_err(|_| SHAPE.to_owned())?;
    let unit = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(SHAPE.to_owned()),
    };
    let seconds = number.checked_mul(unit).filter(|seconds| *seconds <= 3_650 * 86_400);
    seconds.map(SignedDuration::from_secs).ok_or_else(|| SHAPE.to_owned())
}

/// A time as it is written: a length is so long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    At(Timestamp),
    Ago(SignedDuration),
}

impl Written {
    /// Reads `2026-11-20`, `2026-11-20T10:00:00Z`, or a length: `2h` is two hours ago.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::At(at));
        }
        // A day and nothing more: a time without its zone would be taken for midnight.
        if text.len() == "2026-11-20".len()
            && let Ok(date) = text.parse::<Date>()
            && let Ok(midnight) = date.to_zoned(TimeZone::UTC)
        {
            return Ok(Self::At(midnight.timestamp()));
        }
        let length = parse_length(text).map(Self::Ago);
        length.map_err(|_| {
            "must be a day (2026-11-20), a time (2026-11-20T10:00:00Z) or a length (2h, 3d)".into()
        })
    }

    /// The moment it means.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(length) => now.checked_sub(length).unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Written, ago, parse_length, when};
    use jiff::{SignedDuration, Timestamp};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_is_shown_in_utc_and_by_its_age() {
        let now = at("2026-11-20T10:00:00Z");
        assert_eq!(when(at("2026-11-20T09:58:30.750Z")), "2026-11-20 09:58:30Z");
        for (then, said) in [
            ("2026-11-20T09:59:15Z", "45 s ago"),
            ("2026-11-20T09:58:30Z", "1 min ago"),
            ("2026-11-19T10:00:00Z", "24 h ago"),
            ("2026-11-10T10:00:00Z", "10 d ago"),
            ("2026-11-20T10:05:00Z", "in 5 min"),
            ("2026-11-20T10:00:00Z", "0 s ago"),
            ("2026-11-20T10:00:00.400Z", "0 s ago"),
        ] {
            assert_eq!(ago(at(then), now), said);
        }
    }

    #[test]
    fn lengths_are_written_with_their_unit() {
        assert_eq!(parse_length("90s"), Ok(SignedDuration::from_secs(90)));
        assert_eq!(parse_length("15min"), Ok(SignedDuration::from_mins(15)));
        assert_eq!(parse_length("2 h"), Ok(SignedDuration::from_hours(2)));
        assert_eq!(parse_length("3d"), Ok(SignedDuration::from_hours(72)));
        for wrong in ["", "h", "2", "2w", "-2h", "99999999999999999999s", "9999999d"] {
            assert!(parse_length(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_is_a_day_a_moment_or_so_long_ago() {
        let now = at("2026-11-20T10:00:00Z");
        let before = |text| Written::parse(text).unwrap().before(now);
        assert_eq!(before("2026-11-19"), at("2026-11-19T00:00:00Z"));
        assert_eq!(before("2026-11-19T12:30:00+01:00"), at("2026-11-19T11:30:00Z"));
        assert_eq!(before("2h"), at("2026-11-20T08:00:00Z"));
        for wrong in ["yesterday", "2026-13-01", "2026-11-19 12:30"] {
            assert!(Written::parse(wrong).is_err(), "{wrong}");
        }
    }
}
