//! The tables of docs/records.md say what the program does, no more and no less.

use std::fmt::Write as _;

use crate::Field;
use common::Reason;
use common::record::Untold;

const DOCUMENT: &str = include_str!("../../../docs/records.md");

fn table(rows: impl Iterator<Item = (&'static str, &'static str)>) -> String {
    let mut table = String::new();
    for (name, meaning) in rows {
        writeln!(table, "| `{name}` | {meaning} |").unwrap();
    }
    table
}

fn rows_under(heading: &str) -> String {
    let section = DOCUMENT.split("\n## ").find(|section| section.starts_with(heading)).unwrap_or_default();
    section.lines().filter(|line| line.starts_with("| `")).flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn the_documentation_has_every_field() {
    let expected = table(Field::ALL.iter().map(|field| (field.name(), field.meaning())));
    assert_eq!(rows_under("Fields"), expected, "\nthe table under Fields should be:\n{expected}");
}

#[test]
fn the_documentation_says_why_somebody_is_not_told() {
    let expected = table(Untold::ALL.iter().map(|untold| (untold.name(), untold.meaning())));
    assert_eq!(rows_under("Notices"), expected, "\nthe table under Notices should be:\n{expected}");
}

#[test]
fn the_documentation_has_every_reason() {
    let expected = table(Reason::ALL.iter().map(|reason| (reason.name(), reason.meaning())));
    assert_eq!(rows_under("Reasons"), expected, "\nthe table under Reasons should be:\n{expected}");
}
