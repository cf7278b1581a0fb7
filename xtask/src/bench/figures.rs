//! Medians of rounds, side by side, as a table or as JSON.

use std::fmt;

use serde::Serialize;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// What it was measured on, a line each.
    pub(super) machine: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// One thing, measured on both sides in turn.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// `pam` or `radius`.
    pub(super) door: &'static str,
    /// What was done.
    pub(super) name: String,
    /// What the figures count.
    pub(super) unit: Unit,
    pub(super) ours: Spread,
    pub(super) peer: Spread,
    /// Ours by the peer's, of the medians.
    pub(super) ratio: f64,
    /// The peer, and what has to be known to compare.
    pub(super) note: &'static str,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unit {
    /// Less is better.
    MillisecondsPerLogin,
    /// Less is better.
    MillisecondsP99,
    /// More is better.
    LoginsPerSecond,
}

/// The rounds of one side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Row {
    pub(super) fn new(
        (door, name): (&'static str, &str),
        unit: Unit,
        ours: &[f64],
        peer: &[f64],
        note: &'static str,
    ) -> Self {
        let (ours, peer) = (Spread::of(ours), Spread::of(peer));
        Self { door, name: name.to_owned(), unit, ours, peer, ratio: ours.median / peer.median, note }
    }
}

impl Unit {
    const fn text(self) -> &'static str {
        match self {
            Self::MillisecondsPerLogin => "ms, median",
            Self::MillisecondsP99 => "ms, p99",
            Self::LoginsPerSecond => "logins/s",
        }
    }
}

impl Spread {
    /// Of no figures: not a number.
    pub(super) fn of(figures: &[f64]) -> Self {
        Self { median: quantile(figures, 0.5), min: quantile(figures, 0.0), max: quantile(figures, 1.0) }
    }
}

/// The figure below which this part (0 to 1) of all lies, by the nearest rank.
pub(super) fn quantile(figures: &[f64], part: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rank among thousands, rounded"
    )]
    let rank = (part * last as f64).round() as usize;
    sorted.get(rank).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fact in &self.machine {
            writeln!(formatter, "{fact}")?;
        }
        writeln!(formatter, "\nMedian of the rounds [smallest – largest]; ratio: ours by the peer's\n")?;
        writeln!(
            formatter,
            "{:<7} {:<34} {:<11} {:>26} {:>26} {:>7}",
            "door", "row", "unit", "ours", "peer", "ratio"
        )?;
        for row in &self.rows {
            let (unit, ours, peer) = (row.unit.text(), row.ours.to_string(), row.peer.to_string());
            let (door, name, ratio) = (row.door, &row.name, row.ratio);
            let places = if ratio < 0.1 { 4 } else { 2 };
            writeln!(formatter, "{door:<7} {name:<34} {unit:<11} {ours:>26} {peer:>26} {ratio:>7.places$}")?;
        }
        let mut notes: Vec<&str> = self.rows.iter().map(|row| row.note).collect();
        notes.dedup();
        notes.iter().try_for_each(|note| write!(formatter, "\n{note}"))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, min, max } = self;
        let places = if *median >= 100.0 { 0 } else { 2 };
        write!(formatter, "{median:.places$} [{min:.places$} – {max:.places$}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_figures_of_the_list() {
        let figures = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(Spread::of(&figures), Spread { median: 3.0, min: 1.0, max: 5.0 });
        assert_eq!(quantile(&figures, 0.99), 5.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
