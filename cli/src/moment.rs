//! Moments and spans of time as administrators write and read them.

use common::UnixTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment as RFC 3339 in UTC.
pub(crate) fn rfc3339(moment: UnixTime) -> String {
    let parsed = i64::try_from(moment.seconds())
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let written = parsed.and_then(|moment| moment.format(&Rfc3339).ok());
    // Only moments after the year 9999 have no such form.
    written.unwrap_or_else(|| format!("@{}", moment.seconds()))
}

/// Some time from now, or ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Its length.
    pub(crate) seconds: u64,
}

impl Span {
    /// Reads a whole number with its unit: `90s`, `30m`, `2h`, `7d` or `4w`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "write a whole number and a unit: 90s, 30m, 2h, 7d or 4w".to_owned();
        let (count, unit) = text
            .char_indices()
            .next_back()
            .and_then(|(at, _)| text.split_at_checked(at))
            .ok_or_else(wrong)?;
        let unit_seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return Err(wrong()),
        };
        let count: u64 = count.parse().map_err(|_| wrong())?;
        let seconds = count.checked_mul(unit_seconds).filter(|seconds| *seconds > 0).ok_or_else(wrong)?;
        Ok(Self { seconds })
    }
}

/// The beginning of a time that lasts until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// So long ago.
    Ago(Span),
    /// A moment.
    Moment(UnixTime),
}

impl Since {
    /// Reads `2h`, `2026-11-22` (midnight in UTC) or `2026-11-22T12:00:00Z`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(span) = Span::parse(text) {
            return Ok(Self::Ago(span));
        }
        let midnight = format!("{text}T00:00:00Z");
        let moment =
            [text, midnight.as_str()].iter().find_map(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        let seconds = moment.and_then(|moment| u64::try_from(moment.unix_timestamp()).ok());
        let wrong = || "write a span such as 2h or 7d, a day such as 2026-11-22, or a moment such as 2026-11-22T12:00:00Z";
        seconds.map(|seconds| Self::Moment(UnixTime::from_seconds(seconds))).ok_or_else(|| wrong().to_owned())
    }

    /// The moment that is meant.
    pub(crate) fn moment(self, now: UnixTime) -> UnixTime {
        match self {
            Self::Ago(span) => now.minus_seconds(span.seconds),
            Self::Moment(moment) => moment,
        }
    }
}

/// The end of something that begins now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// In so long.
    In(Span),
    /// A moment.
    Moment(UnixTime),
}

impl Until {
    /// Reads what [`Since`] reads, the other way round in time.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Since::parse(text).map(|since| match since {
            Since::Ago(span) => Self::In(span),
            Since::Moment(moment) => Self::Moment(moment),
        })
    }

    /// The moment that is meant.
    pub(crate) fn moment(self, now: UnixTime) -> UnixTime {
        match self {
            Self::In(span) => now.plus_seconds(span.seconds),
            Self::Moment(moment) => moment,
        }
    }
}

#[cfg(test)]
mod tests {
    use common::UnixTime;

    use super::{Since, Span, Until, rfc3339};

    #[test]
    fn spans_have_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800), ("1w", 604_800)] {
            assert_eq!(Span::parse(text), Ok(Span { seconds }), "{text}");
        }
        for text in [
            "",
            "2",
            "h",
            "0h",
            "-1h",
            "2 h",
            "2y",
            "1.5h",
            "99999999999999999999h",
            "9999999999999999999w",
            "2ü",
        ] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_read_as_they_are_written() {
        let noon = UnixTime::from_seconds(1_795_348_800);
        assert_eq!(rfc3339(noon), "2026-11-22T12:00:00Z");
        assert_eq!(Since::parse("2026-11-22T12:00:00Z"), Ok(Since::Moment(noon)));
        assert_eq!(Since::parse("2026-11-22").unwrap().moment(noon), noon.minus_seconds(12 * 3600));
        assert_eq!(Since::parse("2h").unwrap().moment(noon), noon.minus_seconds(7200));
        assert!(Since::parse("yesterday").is_err());
        assert_eq!(Until::parse("2h").unwrap().moment(noon), noon.plus_seconds(7200));
        assert_eq!(Until::parse("2026-11-22T12:00:00Z").unwrap().moment(noon), noon);
    }
}
