//! A collector: a real rsyslogd that takes structured data apart by its own parser (mmpstrucdata), and keeps what it
//! received as text beside it, as collectors do. Pairs of RFC 3164, which it does not know, are taken apart here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use test_ground::{Daemon, Failure, Machine, wait_for};

/// How long a line may take from a program to the file.
const LINE_SECONDS: u64 = 10;

/// The one element of our structured data (docs/records.md).
const STRUCTURED_DATA_ID: &str = "countersign@32473";

/// Who else writes to `/dev/log` here: other tests start collectors, and make the system user.
const OTHER_PROGRAMS: [&str; 2] = ["rsyslogd", "useradd"];

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Rfc5424,
    Rfc3164,
}

impl Form {
    /// As the settings name it; rsyslogd's own files here are named the same.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rfc5424 => "rfc5424",
            Self::Rfc3164 => "rfc3164",
        }
    }
}

/// Names and values of one line.
pub(crate) type Fields = BTreeMap<String, String>;

/// A running rsyslogd; it is ended when dropped.
pub(crate) struct Collector {
    _daemon: Daemon,
    port: u16,
    folder: PathBuf,
}

/// One message as rsyslogd took it apart.
#[derive(Debug, Deserialize)]
struct Parsed {
    app: String,
    facility: String,
    version: String,
    message: String,
    #[serde(default, rename = "rfc5424-sd")]
    structured: BTreeMap<String, Fields>,
}

impl Collector {
    /// On this Unix socket, and on a loopback port by UDP and TCP.
    pub(crate) fn start(machine: &Machine, socket: &Path) -> Result<Self, Failure> {
        let folder = machine.new_folder("collector")?;
        let port = machine.free_port()?;
        let settings = include_str!("rsyslog.conf")
            .replace("@FOLDER@", &folder.display().to_string())
            .replace("@SOCKET@", &socket.display().to_string())
            .replace("@PORT@", &port.to_string());
        machine.write(&folder.join("rsyslog.conf"), &settings)?;
        let mut command = Command::new("rsyslogd");
        command.args(["-n", "-i", "NONE", "-f"]).arg(folder.join("rsyslog.conf"));
        let mut daemon = Daemon::start(&mut command, &folder.join("log"))?;
        daemon.wait_for_port(port)?;
        wait_for("the collector's socket", LINE_SECONDS, || {
            if socket.exists() { Ok(()) } else { Err(format!("no {}", socket.display())) }
        })?;
        Ok(Self { _daemon: daemon, port, folder })
    }

    /// The same with a socket that nobody uses.
    pub(crate) fn on_network(machine: &Machine) -> Result<Self, Failure> {
        let socket = machine.new_folder("socket")?.join("log");
        Self::start(machine, &socket)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// What it received, as text in one of its own formats.
    pub(crate) fn file(&self, form: Form) -> PathBuf {
        self.folder.join(format!("{}.log", form.name()))
    }

    /// Waits for at least so many lines besides anchors, and gives the fields of all of these. Every line must be whole,
    /// ours and in this form: what is anything else was forged.
    pub(crate) fn records(&self, form: Form, count: usize) -> Result<Vec<Fields>, Failure> {
        wait_for(&format!("{count} lines"), LINE_SECONDS, || {
            let records = self.records_so_far(form).map_err(|failure| failure.to_string())?;
            if records.len() < count { Err(format!("{}: {records:#?}", records.len())) } else { Ok(records) }
        })
    }

    /// Waits until its file of text has as many lines as it received messages: none was torn in two.
    pub(crate) fn has_one_line_of_text_for_each(&self, form: Form) -> Result<(), Failure> {
        let count = |file: &Path| {
            fs::read(file).map_or(0, |text| text.iter().filter(|octet| **octet == b'\n').count())
        };
        wait_for("a line of text for each message", LINE_SECONDS, || {
            let (messages, lines) = (count(&self.parsed()), count(&self.file(form)));
            if messages == lines { Ok(()) } else { Err(format!("{lines} lines of {messages} messages")) }
        })
    }

    fn parsed(&self) -> PathBuf {
        self.folder.join("parsed.json")
    }

    fn records_so_far(&self, form: Form) -> Result<Vec<Fields>, Failure> {
        let text = fs::read(self.parsed()).unwrap_or_default();
        let text = String::from_utf8(text).map_err(|error| unreadable("UTF-8 of rsyslogd", &error))?;
        // The last line may still be on its way.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let parsed: Vec<Parsed> = whole.lines().map(read).collect::<Result<_, _>>()?;
        let fields = parsed.iter().filter(|parsed| !parsed.is_of_another()).map(|parsed| parsed.fields(form));
        let fields: Vec<Fields> = fields.collect::<Result<_, _>>()?;
        let is_anchor = |fields: &Fields| fields.get("event").is_some_and(|event| event == "anchor");
        Ok(fields.into_iter().filter(|fields| !is_anchor(fields)).collect())
    }
}

fn read(line: &str) -> Result<Parsed, Failure> {
    serde_json::from_str(line)
        .map_err(|error| unreadable("a message of rsyslogd", &format!("{line}\n{error}")))
}

impl Parsed {
    /// From a program that others than we have run here.
    fn is_of_another(&self) -> bool {
        OTHER_PROGRAMS.contains(&self.app.as_str())
    }

    fn fields(&self, form: Form) -> Result<Fields, Failure> {
        let ours = ["pam_countersign", "countersign-radiusd", "countersign"].contains(&self.app.as_str());
        let fields = match form {
            Form::Rfc5424 => (self.version == "1" && self.structured.len() == 1)
                .then(|| self.structured.get(STRUCTURED_DATA_ID).cloned())
                .flatten(),
            Form::Rfc3164 => (self.version == "0" && self.structured.is_empty())
                .then(|| pairs(self.message.trim_start()))
                .flatten(),
        };
        let fields = fields.filter(|_| ours && self.facility == "authpriv");
        fields.ok_or_else(|| unreadable("one of our lines", &format!("{self:#?}")))
    }
}

/// `name="value"` pairs with one space between them and nothing else; `\"` and `\\` stand for themselves. No name may
/// come twice.
fn pairs(mut text: &str) -> Option<Fields> {
    let mut fields = Fields::new();
    loop {
        let (name, rest) = text.split_once("=\"")?;
        let (value, rest) = unquoted(rest)?;
        let is_name =
            !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'-');
        if !is_name || fields.insert(name.to_owned(), value).is_some() {
            return None;
        }
        if rest.is_empty() {
            return Some(fields);
        }
        text = rest.strip_prefix(' ')?;
    }
}

/// A value up to its closing quotation mark, and what follows that.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return Some((value, rest.as_str())),
            '\\' => value.push(rest.next().filter(|next| ['"', '\\'].contains(next))?),
            other => value.push(other),
        }
    }
}

fn unreadable(what: &'static str, found: &dyn std::fmt::Display) -> Failure {
    Failure::Unreadable { what, found: found.to_string() }
}
