//! Tables of figures side by side, with their units and their ratios, as text or as JSON.

use std::fmt;

use serde::Serialize;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// What it was measured on, a line each.
    pub(super) machine: Vec<String>,
    pub(super) tables: Vec<Table>,
}

/// What was measured in the same way, on all contestants in turn.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    pub(super) title: &'static str,
    /// Who was measured.
    pub(super) contestants: Vec<&'static str>,
    /// Whose figure is divided by whose.
    #[serde(skip)]
    pub(super) ratios: Vec<Ratio>,
    pub(super) rows: Vec<Row>,
    /// What has to be known to compare.
    pub(super) note: &'static str,
}

/// A column that divides one contestant by another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ratio {
    pub(super) name: &'static str,
    pub(super) of: &'static str,
    pub(super) by: &'static str,
}

/// One thing, measured on each contestant.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// What was done.
    pub(super) name: String,
    /// What the figures count.
    pub(super) unit: Unit,
    /// In the order of the contestants; none where it was not measured.
    pub(super) figures: Vec<Option<Spread>>,
    /// In the order of the table's ratios, of the medians.
    pub(super) ratios: Vec<NamedRatio>,
}

/// A ratio with its name, for whoever reads the JSON.
#[derive(Debug, Serialize)]
pub(super) struct NamedRatio {
    pub(super) name: &'static str,
    pub(super) ratio: Option<f64>,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unit {
    /// Less is better.
    MillisecondsMedian,
    /// Less is better.
    MillisecondsP99,
    /// More is better.
    LoginsPerSecond,
    /// Less is better.
    FsyncsPerLogin,
    /// Of 100 logins; each had a right code.
    PercentLetIn,
    /// The figure above by another one above.
    Times,
    /// Less is better.
    Seconds,
    /// Of memory at most. Less is better.
    Mebibytes,
}

/// The rounds of one contestant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(
        title: &'static str,
        contestants: &[&'static str],
        ratios: &[Ratio],
        note: &'static str,
    ) -> Self {
        Self { title, contestants: contestants.to_vec(), ratios: ratios.to_vec(), rows: Vec::new(), note }
    }

    /// Adds a row; figures in the order of the contestants.
    pub(super) fn add(&mut self, name: impl Into<String>, unit: Unit, figures: Vec<Option<Spread>>) {
        let median = |name| {
            let place = self.contestants.iter().position(|contestant| *contestant == name)?;
            Some(figures.get(place).copied().flatten()?.median)
        };
        let ratio = |ratio: &Ratio| NamedRatio {
            name: ratio.name,
            ratio: median(ratio.of).zip(median(ratio.by)).filter(|_| unit.divides()).and_then(divided),
        };
        let ratios = self.ratios.iter().map(ratio).collect();
        self.rows.push(Row { name: name.into(), unit, figures, ratios });
    }
}

/// Nothing is a part of nothing.
fn divided((of, by): (f64, f64)) -> Option<f64> {
    (by > 0.0).then(|| of / by)
}

impl Unit {
    /// Whether one contestant's figure by another's says something.
    const fn divides(self) -> bool {
        match self {
            Self::MillisecondsMedian
            | Self::MillisecondsP99
            | Self::LoginsPerSecond
            | Self::FsyncsPerLogin => true,
            Self::PercentLetIn | Self::Times | Self::Seconds | Self::Mebibytes => false,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::MillisecondsMedian => "ms, median",
            Self::MillisecondsP99 => "ms, p99",
            Self::LoginsPerSecond => "logins/s",
            Self::FsyncsPerLogin => "fsyncs/login",
            Self::PercentLetIn => "% let in",
            Self::Times => "times",
            Self::Seconds => "s",
            Self::Mebibytes => "MiB at most",
        }
    }
}

impl Spread {
    /// Of no figures: not a number.
    pub(super) fn of(figures: &[f64]) -> Self {
        Self { median: quantile(figures, 0.5), min: quantile(figures, 0.0), max: quantile(figures, 1.0) }
    }

    /// Of one figure.
    pub(super) const fn one(figure: f64) -> Self {
        Self { median: figure, min: figure, max: figure }
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
        writeln!(formatter, "\nWhere there were several rounds: median of the rounds [smallest – largest].")?;
        self.tables.iter().try_for_each(|table| write!(formatter, "\n{table}"))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![self.heading()];
        lines.extend(self.rows.iter().map(Row::cells));
        let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
        let wide = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(wide).collect();
        writeln!(formatter, "{}\n", self.title)?;
        for line in &lines {
            writeln!(formatter, "{}", aligned(line, &widths).trim_end())?;
        }
        writeln!(formatter, "\n{}", self.note)
    }
}

/// Words on the left, figures on the right.
fn aligned(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths).enumerate();
    let cells = cells.map(|(place, (cell, width))| match place {
        0 | 1 => format!("{cell:<width$}"),
        _ => format!("{cell:>width$}"),
    });
    cells.collect::<Vec<_>>().join("  ")
}

impl Table {
    fn heading(&self) -> Vec<String> {
        let names = self.contestants.iter().copied().chain(self.ratios.iter().map(|ratio| ratio.name));
        ["", ""].into_iter().chain(names).map(str::to_owned).collect()
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let figures =
            self.figures.iter().map(|figure| figure.map_or_else(String::new, |figure| figure.to_string()));
        let ratios = self.ratios.iter().map(|ratio| match ratio.ratio {
            Some(ratio) => format!("{ratio:.*}", places(ratio)),
            None => String::new(),
        });
        [self.name.clone(), self.unit.text().to_owned()].into_iter().chain(figures).chain(ratios).collect()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, min, max } = self;
        let places = places(*median);
        write!(formatter, "{median:.places$}")?;
        if min < max {
            write!(formatter, " [{min:.places$} – {max:.places$}]")?;
        }
        Ok(())
    }
}

/// Three digits that mean something.
fn places(figure: f64) -> usize {
    match figure.abs() {
        figure if figure >= 100.0 => 0,
        figure if figure < 0.1 && figure > 0.0 => 4,
        _ => 2,
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

    #[test]
    fn a_table_aligns_and_divides() {
        let ratio = Ratio { name: "ours/peer", of: "ours", by: "peer" };
        let mut table = Table::new("Logins", &["ours", "peer"], &[ratio], "A note.");
        table.add("10 accounts", Unit::MillisecondsMedian, vec![Some(Spread::one(3.0)), None]);
        table.add(
            "100 accounts",
            Unit::LoginsPerSecond,
            vec![Some(Spread::of(&[3.0, 4.0, 5.0])), Some(Spread::one(2.0))],
        );
        let lines = [
            "                                        ours  peer  ours/peer",
            "10 accounts   ms, median                3.00",
            "100 accounts  logins/s    4.00 [3.00 – 5.00]  2.00       2.00",
        ];
        let expected = format!("Logins\n\n{}\n\nA note.\n", lines.join("\n"));
        assert_eq!(table.to_string(), expected);
    }
}
