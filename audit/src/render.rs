//! One record, one line: RFC 5424 with structured data, or RFC 3164 with `key="value"`.
//! The `syslog` crate writes headers and structured data; what goes into them is made harmless before.

use std::collections::BTreeMap;
use std::io::{self, Write};

use common::UnixTime;
use common::chain::ChainPosition;
use common::record::{Record, Severity};
use syslog::{Facility, Formatter3164, Formatter5424, LogFormat as _};

use crate::escape::quoted;
use crate::fields::{Values, of_anchor, of_record};

/// The SD-ID of our structured data (RFC 5424 §6.3.2). 32473 is the enterprise number for documentation
/// (RFC 5612): the project has none of its own at IANA.
pub(crate) const STRUCTURED_DATA_ID: &str = "countersign@32473";
/// Octets of a line; every record fits, whatever is in it.
pub(crate) const LINE_OCTETS_MAX: usize = 16 * 1024;
/// Characters of APP-NAME (RFC 5424 §6.2.5); a TAG of RFC 3164 may be shorter in old collectors.
const PROGRAM_CHARACTERS_MAX: usize = 48;
/// Characters of HOSTNAME (RFC 5424 §6.2.4).
const HOST_CHARACTERS_MAX: usize = 255;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 5424 with structured data.
    Rfc5424,
    /// RFC 3164 with key="value". Its stamp is in UTC.
    Rfc3164,
}

/// Whose lines they are.
#[derive(Clone, Debug)]
pub struct Origin {
    facility: Facility,
    host: Option<String>,
    program: String,
}

impl Origin {
    /// Lines of `program` under a facility, `authpriv` by custom, without a host name: right for the
    /// local socket. The verifier of anchors knows our programs by a name that contains `countersign`.
    #[must_use]
    pub fn local(facility: Facility, program: &str) -> Self {
        Self { facility, host: None, program: header_word(program, PROGRAM_CHARACTERS_MAX) }
    }

    /// The same with this machine's host name, for collectors elsewhere.
    #[must_use]
    pub fn of_this_host(facility: Facility, program: &str) -> Self {
        let host = nix::unistd::gethostname().ok().map(|name| name.to_string_lossy().into_owned());
        let host = header_word(host.as_deref().unwrap_or_default(), HOST_CHARACTERS_MAX);
        Self { host: Some(host), ..Self::local(facility, program) }
    }
}

/// A word for the header: printable ASCII without spaces (RFC 5424 §6), nor what ends a TAG, never empty.
fn header_word(text: &str, characters_max: usize) -> String {
    let fit = |c: char| if c.is_ascii_graphic() && !matches!(c, '[' | ']' | ':') { c } else { '-' };
    let word: String = text.chars().take(characters_max).map(fit).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}

/// Makes lines.
#[derive(Clone, Debug)]
pub struct Renderer {
    format: Format,
    origin: Origin,
}

impl Renderer {
    /// Lines of one format.
    #[must_use]
    pub fn new(format: Format, origin: Origin) -> Self {
        Self { format, origin }
    }

    /// The line of a record, without a line end.
    pub fn record(&self, record: &Record, position: Option<&ChainPosition>) -> io::Result<Vec<u8>> {
        let text = format!("{} {}", record.ending.name(), record.reason.name());
        self.line(syslog_severity(record.severity), &of_record(record, position), MessageId::Record, &text)
    }

    /// The line that says where a chain stood at a moment. A server sends one for each chain each minute.
    pub fn anchor(&self, position: &ChainPosition, at: UnixTime) -> io::Result<Vec<u8>> {
        let severity = syslog::Severity::LOG_INFO;
        self.line(severity, &of_anchor(position, at), MessageId::Anchor, "anchor of the chain of records")
    }

    fn line(
        &self,
        severity: syslog::Severity,
        values: &Values,
        id: MessageId,
        text: &str,
    ) -> io::Result<Vec<u8>> {
        let mut line = BoundedLine(Vec::new());
        let written = match self.format {
            Format::Rfc5424 => {
                let message = (id.number(), structured_data(values), text);
                self.formatter_5424().format(&mut line, severity, message)
            }
            Format::Rfc3164 => self.formatter_3164().format(&mut line, severity, pairs(values)),
        };
        written.map_err(io::Error::other)?;
        Ok(line.0)
    }

    /// The process id is asked for each line: a server may have forked since.
    fn formatter_5424(&self) -> Formatter5424 {
        let Origin { facility, host, program } = self.origin.clone();
        let host = host.or_else(|| Some("-".to_owned()));
        Formatter5424 { facility, hostname: host, process: program, pid: std::process::id() }
    }

    fn formatter_3164(&self) -> Formatter3164 {
        let Origin { facility, host, program } = self.origin.clone();
        Formatter3164 { facility, hostname: host, process: program, pid: std::process::id() }
    }
}

/// MSGID (RFC 5424 §6.2.7): the kind of message. The `syslog` crate allows numbers only.
#[derive(Clone, Copy)]
enum MessageId {
    Record,
    Anchor,
}

impl MessageId {
    fn number(self) -> u32 {
        match self {
            Self::Record => 1,
            Self::Anchor => 2,
        }
    }
}

/// The `syslog` crate escapes `"`, `\` and `]` in values (RFC 5424 §6.3.3) and sorts fields by name.
fn structured_data(values: &Values) -> BTreeMap<String, BTreeMap<String, String>> {
    let parameters = values.iter().map(|(field, value)| (field.name().to_owned(), value.clone()));
    [(STRUCTURED_DATA_ID.to_owned(), parameters.collect())].into()
}

fn pairs(values: &Values) -> String {
    let pairs: Vec<_> =
        values.iter().map(|(field, value)| format!("{}={}", field.name(), quoted(value))).collect();
    pairs.join(" ")
}

/// The word for a severity in records.
pub(crate) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Notice => "notice",
        Severity::Error => "error",
        Severity::Alert => "alert",
    }
}

fn syslog_severity(severity: Severity) -> syslog::Severity {
    match severity {
        Severity::Info => syslog::Severity::LOG_INFO,
        Severity::Notice => syslog::Severity::LOG_NOTICE,
        Severity::Error => syslog::Severity::LOG_ERR,
        Severity::Alert => syslog::Severity::LOG_ALERT,
    }
}

/// A line that refuses to grow past [`LINE_OCTETS_MAX`].
struct BoundedLine(Vec<u8>);

impl Write for BoundedLine {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.0.len().saturating_add(octets.len()) > LINE_OCTETS_MAX {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.0.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
