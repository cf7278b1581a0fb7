//! A real rsyslogd that turns what it receives into JSON lines, so that a test reads records as a collector does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::daemon::{Daemon, wait_for};
use crate::failure::Failure;
use crate::machine::Machine;

/// How long a line may take from sender to file.
const LINE_SECONDS: u64 = 10;

/// A running rsyslogd; it is ended when dropped.
#[derive(Debug)]
pub struct Rsyslogd {
    _daemon: Daemon,
    port: u16,
    lines: PathBuf,
}

/// How rsyslogd reads what comes over its Unix socket. Over UDP and TCP it takes both forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketForm {
    /// Its default, and what syslog(3) writes: RFC 3164 without a host name. RFC 5424 is *not* understood then.
    CLibrary,
    /// `UseSpecialParser="off"`: RFC 5424, or RFC 3164 with a host name.
    Network,
}

/// One message as rsyslogd understood it; an absent part is empty or `-`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LogLine {
    /// TIMESTAMP, as RFC 3339.
    pub time: String,
    /// HOSTNAME.
    pub host: String,
    /// APP-NAME, or the TAG of RFC 3164 without its process id.
    pub app: String,
    /// PROCID.
    pub pid: String,
    /// MSGID.
    pub msgid: String,
    /// STRUCTURED-DATA as received.
    pub structured: String,
    /// `1` for RFC 5424, `0` for RFC 3164.
    pub version: String,
    /// The facility's name.
    pub facility: String,
    /// The severity's name.
    pub severity: String,
    /// MSG.
    pub message: String,
}

impl Rsyslogd {
    /// Starts rsyslogd on the datagram socket `socket` (`/dev/log` is this copy's own) and on a loopback port, UDP and TCP.
    pub fn start(machine: &Machine, socket: &Path, form: SocketForm) -> Result<Self, Failure> {
        let folder = machine.new_folder("rsyslogd")?;
        let port = machine.free_port()?;
        let lines = folder.join("lines.json");
        let (local, hostname) = match form {
            SocketForm::CLibrary => ("on", "off"),
            SocketForm::Network => ("off", "on"),
        };
        let settings = include_str!("../ground/rsyslog.conf")
            .replace("@FOLDER@", &folder.display().to_string())
            .replace("@LOCAL@", local)
            .replace("@HOSTNAME@", hostname)
            .replace("@SOCKET@", &socket.display().to_string())
            .replace("@PORT@", &port.to_string());
        let file = folder.join("rsyslog.conf");
        machine.write(&file, &settings)?;
        let mut command = Command::new("rsyslogd");
        command.args(["-n", "-i", "NONE", "-f"]).arg(&file);
        let mut daemon = Daemon::start(&mut command, &folder.join("log"))?;
        daemon.wait_for_port(port)?;
        wait_for("rsyslogd's socket", LINE_SECONDS, || match socket.exists() {
            true => Ok(()),
            false => Err(format!("no {}", socket.display())),
        })?;
        Ok(Self { _daemon: daemon, port, lines })
    }

    /// Its port on 127.0.0.1, for UDP and TCP.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All messages so far, in the order of their arrival.
    pub fn lines(&self) -> Result<Vec<LogLine>, Failure> {
        if !self.lines.exists() {
            return Ok(Vec::new());
        }
        let text = fs::read_to_string(&self.lines).map_err(Failure::file("read", &self.lines))?;
        text.lines().map(parsed).collect()
    }

    /// Waits for the first message that `wanted` says yes to.
    pub fn wait_for_line(&self, wanted: impl Fn(&LogLine) -> bool) -> Result<LogLine, Failure> {
        wait_for("a log line", LINE_SECONDS, || {
            let lines = self.lines().map_err(|failure| failure.to_string())?;
            lines.iter().find(|line| wanted(line)).cloned().ok_or_else(|| format!("{lines:#?}"))
        })
    }
}

fn parsed(line: &str) -> Result<LogLine, Failure> {
    serde_json::from_str(line).map_err(|error| Failure::Unreadable {
        what: "a line of rsyslogd",
        found: format!("{line}\n{error}"),
    })
}
