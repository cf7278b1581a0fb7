//! What the doctor has to say: findings, the worst first; then who gets in with what.

use assembly::doctor::finding::FindingView;
use assembly::doctor::{Diagnosis, Finding, ServiceView, Severity, SshdView};
use serde::Serialize;

use crate::report::Report;
use crate::table::table;

/// What was asked beside the files.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Known {
    /// `synchronised`, `not-synchronised`, or null where nobody could tell.
    pub(super) clock: Option<&'static str>,
    /// Whether sshd itself was asked what it would do.
    pub(super) asked_sshd: bool,
    /// What could not be told, in sentences.
    pub(super) unknown: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Checked<'a> {
    sound: bool,
    findings: Vec<FindingView>,
    services: &'a [ServiceView],
    sshd: &'a [SshdView],
    #[serde(flatten)]
    known: Known,
    #[serde(skip)]
    of_people: &'a [Finding],
}

impl<'a> Checked<'a> {
    pub(super) fn new(diagnosis: &'a Diagnosis, known: Known) -> Self {
        let Diagnosis { findings, services, sshd, .. } = diagnosis;
        let sound = findings.is_empty();
        let views = findings.iter().map(FindingView::from).collect();
        Self { sound, findings: views, services, sshd, known, of_people: findings }
    }

    fn summary(&self) -> String {
        let count = |severity: Severity| {
            let number = self.of_people.iter().filter(|it| it.kind.severity() == severity).count();
            (number > 0).then(|| format!("{number} {}", severity.words()))
        };
        let all = [Severity::WouldLetIn, Severity::WouldLockOut, Severity::WorthALook];
        let counts: Vec<String> = all.into_iter().filter_map(count).collect();
        match counts.as_slice() {
            [] => "Nothing was found.\n".to_owned(),
            counts => format!("Findings: {}.\n", counts.join(", ")),
        }
    }

    fn who_gets_in(&self) -> String {
        let services = self.services.iter().map(|it| {
            let step = match (it.second_step, it.stack) {
                (true, Some(letter)) => format!("stack ({letter})"),
                (true, None) => "another stack".to_owned(),
                (false, _) => "no second step".to_owned(),
            };
            vec![it.service.clone(), step, or(&it.words)]
        });
        let services = table(&["service", "second step", "gets in with"], services);
        let sshd = self.sshd.iter().map(|it| {
            let who = it.criteria.as_ref().map_or_else(|| "everybody".to_owned(), |it| format!("Match {it}"));
            vec![who, or(&it.words)]
        });
        match self.sshd {
            [] => format!("\n{services}"),
            _ => format!("\n{services}\n{}", table(&["sshd lets in", "with"], sshd)),
        }
    }
}

/// The ways that there are, any of which will do.
fn or(ways: &[String]) -> String {
    match ways {
        [] => "nobody".to_owned(),
        ways => ways.join("; or "),
    }
}

impl Report for Checked<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        for finding in self.of_people {
            let Finding { kind, place, found, instead, .. } = finding;
            text.push_str(&format!(
                "{}: {} ({})\n  found: {found}\n  why:   {}\n  do:    {instead}\n\n",
                kind.severity().words(),
                place,
                kind.name(),
                kind.meaning(),
            ));
        }
        text.push_str(&self.summary());
        text.push_str(&self.who_gets_in());
        for sentence in &self.known.unknown {
            text.push_str(&format!("\n{sentence}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use assembly::doctor::Kind;

    const PAGE: &str = include_str!("../../../../docs/doctor.md");

    #[test]
    fn every_kind_of_finding_is_in_the_page_as_it_is() {
        for kind in Kind::ALL {
            let row = format!("\n| `{}` | {} | {} | ", kind.name(), kind.severity().words(), kind.meaning());
            assert!(PAGE.contains(&row), "docs/doctor.md should have this row:{row}");
        }
        let rows = PAGE.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, Kind::ALL.len());
    }
}
