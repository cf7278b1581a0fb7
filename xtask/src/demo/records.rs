//! Records as rsyslogd has received them, in a table for people.

use std::collections::BTreeMap;

use test_ground::LogLine;

/// The SD-ID of our records (docs/records.md).
const RECORD: &str = "[countersign@32473 ";

/// One record of a login or an act.
pub(super) struct Record(BTreeMap<String, String>);

impl Record {
    /// Reads a line's structured data; other programs' lines are none, and anchors neither.
    pub(super) fn read(line: &LogLine) -> Option<Self> {
        let mut rest = line.structured.strip_prefix(RECORD)?;
        let mut fields = BTreeMap::new();
        while let Some((name, after)) = rest.split_once("=\"") {
            let end = closing_quote(after)?;
            let (value, after) = after.split_at_checked(end)?;
            fields.insert(name.trim().to_owned(), value.to_owned());
            rest = after.strip_prefix('"')?;
        }
        // The heads of chains are for `countersign audit verify`.
        (fields.get("event")? != "anchor").then_some(Self(fields))
    }

    /// A field, or nothing.
    pub(super) fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// One row: time, where, who, what came of it and why.
    pub(super) fn row(&self) -> String {
        let time = self.field("time").get(11..19).unwrap_or_default();
        let place = [self.field("service"), self.field("client")].concat();
        let door = self.field("door");
        let (user, ending) = (self.field("user"), self.field("ending"));
        let why = [self.field("act"), self.field("reason"), self.field("factor")];
        let why: Vec<&str> = why.into_iter().filter(|text| !text.is_empty()).collect();
        format!("{time}  {door:<12}  {place:<11}  {user}  {ending:<9}  {}", why.join(", "))
    }
}

/// The lines in the form of RFC 5424, as a collector keeps them.
pub(super) fn as_received(lines: &[LogLine]) -> String {
    let line = |line: &LogLine| {
        let LogLine { version, time, host, app, pid, msgid, structured, message, .. } = line;
        format!("<85>{version} {time} {host} {app} {pid} {msgid} {structured} {}\n", message.trim_start())
    };
    lines.iter().filter(|line| line.version == "1").map(line).collect()
}

/// Where a value ends: at the first quote without a backslash before it (RFC 5424 §6.3.3).
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' if !is_escaped => return Some(at),
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::closing_quote;

    #[test]
    fn an_escaped_quote_ends_no_value() {
        assert_eq!(closing_quote(r#"al\"ice" b"#), Some(7));
        assert_eq!(closing_quote(r#"\\" b"#), Some(2));
        assert_eq!(closing_quote("open"), None);
    }
}
