//! Wall-clock time as the core sees it: whole seconds since the Unix epoch, always handed in.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(u64);

impl UnixTime {
    /// `seconds` since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// This moment and `seconds` more, stopping at the end of time.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This moment and `seconds` less, stopping at the epoch.
    #[must_use]
    pub const fn minus_seconds(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// The day, in UTC, as people write it: `2026-11-22`.
    #[must_use]
    pub fn date(self) -> String {
        let moment =
            i64::try_from(self.0).ok().and_then(|at| ::time::OffsetDateTime::from_unix_timestamp(at).ok());
        moment.map_or_else(|| "the end of time".to_owned(), |moment| moment.date().to_string())
    }

    /// Day and minute, in UTC, as people write it: `2026-11-22 21:03`.
    #[must_use]
    pub fn minute(self) -> String {
        let minutes = self.0.checked_div(60).unwrap_or(0);
        let (hours, minute) = (minutes.checked_div(60).unwrap_or(0), minutes.checked_rem(60).unwrap_or(0));
        format!("{} {:02}:{minute:02}", self.date(), hours.checked_rem(24).unwrap_or(0))
    }

    /// How many seconds have passed from `earlier` to here; none if it lies ahead.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
