//! Collects the findings of one file, each with its line as it may be shown. Lines that may hold a secret are not.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

use crate::file::{Contents, Line, SourceFile};
use crate::finding::{Finding, Severity, ShownLine};
use crate::keys::{CLIENT_PREVIOUS_SECRET, CLIENT_SECRET, Part};
use crate::limits;

/// What stands where a line is not shown.
const HIDDEN: &str = "(hidden)";

/// The octets that a finding points at.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A key or a header of a table.
    Key(Range<usize>),
    /// Anything else.
    Value(Range<usize>),
}

impl Place {
    fn range(&self) -> &Range<usize> {
        match self {
            Self::Key(range) | Self::Value(range) => range,
        }
    }
}

/// A finding before its line is looked up.
#[derive(Debug)]
pub(crate) struct Remark {
    pub(crate) place: Place,
    pub(crate) key: String,
    pub(crate) message: String,
    pub(crate) allowed: Option<String>,
    pub(crate) help: Option<String>,
}

/// The findings of one file.
pub(crate) struct Report<'a> {
    file: &'a SourceFile,
    findings: Vec<Finding>,
    errors: usize,
    warnings: usize,
    /// Lines with syntax errors, and the key that each begins with, where it has one.
    unparsed: BTreeMap<usize, Option<String>>,
}

impl<'a> Report<'a> {
    /// Parses the file. What can be made out in spite of syntax errors is checked as well.
    pub(crate) fn parse(file: &'a SourceFile) -> (Self, Spanned<DeTable<'a>>) {
        let (table, errors) = DeTable::parse_recoverable(file.text());
        let mut report =
            Self { file, findings: Vec::new(), errors: 0, warnings: 0, unparsed: BTreeMap::new() };
        for error in &errors {
            report.syntax(error.message(), error.span().unwrap_or(0..0));
        }
        (report, table)
    }

    fn syntax(&mut self, message: &str, span: Range<usize>) {
        let line = self.file.line_at(span.start);
        let number = line.number;
        let written = leading_key(line.text).map(str::to_owned);
        let key =
            leading_key(line.text).filter(|key| self.file.contents == Contents::Settings || is_known(key));
        let remark = Remark {
            place: Place::Value(span),
            key: key.unwrap_or("").to_owned(),
            message: format!("this is not TOML: {message}"),
            allowed: None,
            help: None,
        };
        self.keep(Severity::Error, remark);
        self.unparsed.insert(number, written);
    }

    /// Takes an error, unless it is only the echo of a syntax error on the same line.
    pub(crate) fn error(&mut self, remark: Remark) {
        if !self.is_unparsed(&remark.place) {
            self.keep(Severity::Error, remark);
        }
    }

    /// Takes an unknown key. After syntax errors in a file with secrets, what looks like a key may be a piece of one.
    pub(crate) fn unknown_key(&mut self, remark: Remark) {
        if self.unparsed.is_empty() || self.file.contents == Contents::Settings {
            self.error(remark);
        }
    }

    /// Takes a key that is missing, unless it may stand where the syntax was not understood.
    pub(crate) fn missing_key(&mut self, name: &str, remark: Remark) {
        let may_be_there = |key: &Option<String>| key.as_deref().is_none_or(|key| key == name);
        if !self.unparsed.values().any(may_be_there) {
            self.keep(Severity::Error, remark);
        }
    }

    /// Takes a warning.
    pub(crate) fn warning(&mut self, remark: Remark) {
        if !self.is_unparsed(&remark.place) {
            self.keep(Severity::Warning, remark);
        }
    }

    /// Whether the file is refused.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// The findings in the order of the file.
    pub(crate) fn into_findings(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|finding| (finding.line, finding.column));
        self.findings
    }

    fn is_unparsed(&self, place: &Place) -> bool {
        !self.unparsed.is_empty()
            && self.unparsed.contains_key(&self.file.line_at(place.range().start).number)
    }

    fn keep(&mut self, severity: Severity, remark: Remark) {
        let kept = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *kept = kept.saturating_add(1);
        if *kept > limits::FINDINGS_MAX {
            return;
        }
        let line = self.file.line_at(remark.place.range().start);
        let before = remark.place.range().start.saturating_sub(line.start);
        let column = line.text.get(..before).map_or(0, |text| text.chars().count()).saturating_add(1);
        self.findings.push(Finding {
            severity,
            file: self.file.path.clone(),
            line: line.number,
            column,
            key: remark.key,
            message: remark.message,
            allowed: remark.allowed,
            help: remark.help,
            shown: shown(self.file.contents, &line, &remark.place),
        });
    }
}

fn shown(contents: Contents, line: &Line<'_>, place: &Place) -> ShownLine {
    let in_line = |offset: usize| offset.saturating_sub(line.start).min(line.text.len());
    let marked = in_line(place.range().start)..in_line(place.range().end);
    if contents != Contents::Settings && !is_harmless(line.text) {
        return hidden(line, place, marked);
    }
    if line.text.len() > limits::SHOWN_LINE_OCTETS_MAX {
        return whole(format!("(a line of {} octets)", line.text.len()));
    }
    ShownLine { text: line.text.to_owned(), marked }
}

/// Of a line that may hold a secret, only a key is shown.
fn hidden(line: &Line<'_>, place: &Place, marked: Range<usize>) -> ShownLine {
    let key = line.text.get(marked).filter(|text| is_bare_key(text));
    match (place, key) {
        (Place::Key(_), Some(key)) => ShownLine { text: format!("{key} = {HIDDEN}"), marked: 0..key.len() },
        (Place::Key(_), None) | (Place::Value(_), _) => whole(HIDDEN.to_owned()),
    }
}

fn whole(text: String) -> ShownLine {
    let marked = 0..text.len();
    ShownLine { text, marked }
}

/// Whether a line of a file with secrets can hold none: a header, or one of the keys that are not secret.
fn is_harmless(line: &str) -> bool {
    if line.to_ascii_lowercase().contains("secret") {
        return false;
    }
    line.trim() == Part::Client.header() || leading_key(line).is_some_and(is_known)
}

fn is_known(key: &str) -> bool {
    let secret = [CLIENT_SECRET.name, CLIENT_PREVIOUS_SECRET.name];
    Part::Client.keys().any(|known| known.name == key && !secret.contains(&key))
}

fn leading_key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    is_bare_key(key).then_some(key)
}

/// Whether a key needs no quotes (TOML 1.0, "Keys").
pub(crate) fn is_bare_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
