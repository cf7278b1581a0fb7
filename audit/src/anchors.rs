//! Anchors: places of chains that left the machine in lines of syslog, read back from a collector's files.
//! A line counts only where one of our programs wrote it: text that a stranger got into another line does not.

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};

use common::chain::ChainMac;

use crate::AuditError;
use crate::escape::is_visible;
use crate::render::STRUCTURED_DATA_ID;
use crate::restores::Restore;

/// Octets of a line that are looked at; a longer one has no anchor of ours.
const LINE_OCTETS_MAX: u64 = 64 * 1024;
/// Anchors kept that agree with no record; those that agree need not be kept.
const DISAGREEING_MAX: u64 = 4_000_000;
/// Words before the fields: `<PRI>Mmm dd hh:mm:ss host tag:` or `<PRI>1 time host program pid message-id -`.
const HEADER_WORDS_MAX: usize = 7;
/// What all our programs have in their names.
const OUR_NAME: &str = "countersign";

/// Lines of syslog that may tell of chains, in RFC 5424 or RFC 3164, also as rsyslog and syslog-ng store them. They are
/// read one by one and not kept, however many they are.
pub struct Anchors<'a> {
    input: Box<dyn BufRead + 'a>,
    pub(crate) lines: u64,
    pub(crate) count: u64,
    pub(crate) disagreeing_max: u64,
}

impl<'a> Anchors<'a> {
    /// Those in the lines of `input`, oldest first.
    pub fn of(input: impl BufRead + 'a) -> Self {
        Self { input: Box::new(input), lines: 0, count: 0, disagreeing_max: DISAGREEING_MAX }
    }

    /// How many there are, to the end of the lines.
    pub fn count(mut self) -> Result<u64, AuditError> {
        while self.next_anchor()?.is_some() {}
        Ok(self.count)
    }

    /// The next one; other lines are passed over.
    pub(crate) fn next_anchor(&mut self) -> Result<Option<Anchor>, AuditError> {
        let mut line = Vec::new();
        while self.next_line(&mut line)? {
            if let Some(anchor) = Anchor::in_line(&String::from_utf8_lossy(&line), self.lines) {
                self.count = self.count.saturating_add(1);
                return Ok(Some(anchor));
            }
        }
        Ok(None)
    }

    fn next_line(&mut self, line: &mut Vec<u8>) -> Result<bool, AuditError> {
        line.clear();
        let number = self.lines.saturating_add(1);
        let failed = |source| AuditError::ReadAnchors { line: number, source };
        let taken = self.input.by_ref().take(LINE_OCTETS_MAX).read_until(b'\n', line).map_err(failed)?;
        if taken == 0 {
            return Ok(false);
        }
        self.lines = number;
        if line.last() != Some(&b'\n') {
            self.input.skip_until(b'\n').map_err(failed)?;
        }
        Ok(true)
    }
}

/// One anchor as a line has it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// The name of the stream, as [`crate::escape::visible`] shows it.
    pub(crate) stream: String,
    /// From 1.
    pub(crate) sequence: u64,
    pub(crate) mac: ChainMac,
    pub(crate) line: u64,
    /// What the line says, if it is that of a restore.
    pub(crate) restore: Option<Restore>,
}

impl Anchor {
    fn in_line(text: &str, line: u64) -> Option<Self> {
        let mut fields = fields_of(our_fields(text)?);
        let stream = fields.remove("stream").filter(|stream| is_visible(stream))?;
        let sequence = fields.remove("seq")?.parse().ok().filter(|sequence| *sequence > 0)?;
        let mac = fields.remove("mac")?.try_into().ok()?;
        let restore = Restore::told(&stream, sequence, &mac, &fields, line);
        Some(Self { stream, sequence, mac, line, restore })
    }
}

/// The text from the first field on, if the header names one of our programs where a header names its program.
fn our_fields(line: &str) -> Option<&str> {
    let mut words = Vec::new();
    let mut rest = line;
    for _ in 0..HEADER_WORDS_MAX {
        let (word, after) = rest.split_once(' ')?;
        words.push(word);
        rest = after.trim_start_matches(' ');
        if let Some(fields) = fields_after(&words, rest) {
            return Some(fields);
        }
        if word.ends_with(':') {
            return None;
        }
    }
    None
}

/// The fields in `rest`, if `words` are a whole header of ours: an RFC 3164 tag; RFC 5424 with or without its priority;
/// or RFC 3164 as rsyslog stores it in the form of RFC 5424, without structured data.
fn fields_after<'a>(words: &[&str], rest: &'a str) -> Option<&'a str> {
    let is_ours = |program: &str| program.contains(OUR_NAME);
    let data = || rest.strip_prefix('[')?.strip_prefix(STRUCTURED_DATA_ID);
    let pairs = || Some(rest).filter(|rest| rest.starts_with("event=\""));
    match words {
        [.., tag] if tag.ends_with(':') => pairs().filter(|_| is_ours(tag)),
        [first, _, _, program, _, _] if first.starts_with('<') && is_ours(program) => data(),
        [first, _, program, _, _] if first.starts_with(|c: char| c.is_ascii_digit()) && is_ours(program) => {
            data()
        }
        [first, _, _, program, _, _, "-"] if first.starts_with('<') && is_ours(program) => pairs(),
        _ => None,
    }
}

/// `name="value"` pairs up to the first thing that is none. Both formats undo `\"`, `\\` and `\]` alike.
fn fields_of(mut text: &str) -> BTreeMap<&str, String> {
    let mut fields = BTreeMap::new();
    while let Some((name, rest)) = text.trim_start_matches(' ').split_once("=\"") {
        let is_name = name.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'-');
        let Some((value, rest)) = unquoted(rest).filter(|_| is_name) else { break };
        fields.entry(name).or_insert(value);
        text = rest;
    }
    fields
}

/// A value up to its closing quotation mark, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return Some((value, rest.as_str())),
            '\\' => value.push(rest.next()?),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use common::UnixTime;
    use common::chain::{ChainMac, ChainPosition};

    use super::{Anchor, Anchors};
    use crate::{Facility, Format, Origin, Renderer};

    fn position() -> ChainPosition {
        ChainPosition { stream: "local".to_owned(), sequence: 7, mac: ChainMac::from_bytes([9; 32]) }
    }

    fn line(format: Format) -> String {
        let renderer =
            Renderer::new(format, Origin::of_this_host(Facility::LOG_AUTHPRIV, "countersign-radiusd"));
        String::from_utf8(renderer.anchor(&position(), UnixTime::from_seconds(0)).unwrap()).unwrap()
    }

    #[test]
    fn anchors_are_read_from_either_format() {
        for format in [Format::Rfc5424, Format::Rfc3164] {
            let anchor = Anchor::in_line(&line(format), 3).unwrap();
            let ChainPosition { stream, sequence, mac } = position();
            assert_eq!(anchor, Anchor { stream, sequence, mac, line: 3, restore: None }, "{format:?}");
        }
    }

    #[test]
    fn anchors_are_read_as_collectors_store_them() {
        let fields = format!(r#"event="anchor" stream="local" seq="7" mac="{}""#, position().mac);
        for stored in [
            format!("Nov 22 11:50:37 gate countersign-radiusd[12]: {fields}"),
            format!("2026-11-22T11:50:37.123456+00:00 gate pam_countersign[12]: {fields}"),
            format!("<86>Nov  2 11:50:37 countersign[12]: {fields}"),
            format!("<86>1 2026-11-22T11:50:37.12+00:00 gate countersign 12 - -  {fields}"),
            format!("2026-11-22T11:50:37Z gate countersign 12 2 [countersign@32473 {fields}] anchor"),
        ] {
            assert!(Anchor::in_line(&stored, 1).is_some(), "{stored}");
        }
    }

    #[test]
    fn a_line_of_another_program_is_no_anchor() {
        let fields = format!(r#"event="anchor" stream="local" seq="7" mac="{}""#, position().mac);
        for forged in [
            format!("Nov 22 11:50:37 gate sshd[12]: Invalid user countersign[1]: {fields}"),
            format!("Nov 22 11:50:37 gate sshd[12]: [countersign@32473 {fields}]"),
            format!("Nov 22 11:50:37 countersign-gate sshd[12] countersign [countersign@32473 {fields}]"),
            format!(
                "2026-11-22T11:50:37Z countersign-gate sshd[12] countersign a [countersign@32473 {fields}]"
            ),
            format!("Nov 22 11:50:37 countersign-gate sshd[12] a - {fields}"),
            format!("<38>1 2026-11-22T11:50:37Z countersign-gate sshd 12 - - {fields}"),
            format!("<38>1 2026-11-22T11:50:37Z gate sshd 12 - - user [countersign@32473 {fields}]"),
            format!("<38>1 2026-11-22T11:50:37Z gate sshd 12 - - countersign[1]: {fields}"),
            format!(
                r#"Nov 22 11:50:37 gate countersign[1]: event="login" typed="\" {} ""#,
                fields.replace('"', "\\\"")
            ),
        ] {
            assert_eq!(Anchor::in_line(&forged, 1), None, "{forged}");
        }
    }

    #[test]
    fn overlong_and_broken_lines_are_passed_over() {
        let mut input = vec![b'x'; 200_000];
        input.extend_from_slice(b"\n\xff\xfe\n");
        input.extend_from_slice(line(Format::Rfc3164).as_bytes());
        let mut anchors = Anchors::of(input.as_slice());
        assert_eq!(anchors.next_anchor().unwrap().unwrap().line, 3);
        assert_eq!(anchors.next_anchor().unwrap(), None);
        assert_eq!((anchors.lines, anchors.count), (3, 1));
    }

    #[test]
    fn a_line_without_a_place_or_with_a_name_that_we_never_write_is_no_anchor() {
        let line = line(Format::Rfc3164);
        for forged in [
            line.replace("\"7\"", "\"0\""),
            line.replace("\"local\"", "\"lo\u{202e}cal\""),
            line.replace("\"local\"", &format!("\"{}\"", "l".repeat(400))),
        ] {
            assert_eq!(Anchors::of(forged.as_bytes()).count().unwrap(), 0, "{forged}");
        }
    }
}
