//! A program at a terminal of its own, driven as a person would: read until a prompt, type an answer.
//!
//! Written for this purpose because rexpect takes bytes for characters (a QR code becomes noise), switches echo off
//! and looks for a prompt ten times a second only.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};

use crate::failure::{Failure, checked, spelled};
use crate::screen::Screen;

/// What differs between one terminal and another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Characters of a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
    /// What it takes besides ASCII.
    pub letters: Letters,
}

/// What a terminal takes besides ASCII, as it tells the kernel (`IUTF8` of termios(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// Letters of more than one octet.
    Utf8,
    /// One octet, one letter.
    Octets,
}

impl Form {
    /// A window that holds whatever a test wants to see.
    pub const LARGE: Self = Self { columns: 100, rows: 50, letters: Letters::Octets };
    /// The size that every terminal has, and that many windows begin with.
    pub const USUAL: Self = Self { columns: 80, rows: 24, letters: Letters::Utf8 };

    fn settings(self) -> [String; 5] {
        let letters = match self.letters {
            Letters::Utf8 => "iutf8",
            Letters::Octets => "-iutf8",
        };
        let (columns, rows) = (self.columns.to_string(), self.rows.to_string());
        ["columns".to_owned(), columns, "rows".to_owned(), rows, letters.to_owned()]
    }
}

/// How long a prompt or the end may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running program and the terminal it sits at; it is killed when dropped.
pub struct Terminal {
    name: String,
    form: Form,
    child: Child,
    master: PtyMaster,
    /// Output not yet passed by an `expect`.
    pending: Vec<u8>,
    /// All output ever.
    transcript: Vec<u8>,
}

/// How a program at a terminal ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; 128 and the signal's number when a signal ended it.
    pub code: i32,
    /// All that stood on the terminal, with `\r\n` line ends, from start to end.
    pub transcript: String,
}

impl Terminal {
    /// Starts a program at a new terminal.
    pub fn start(command: &Command) -> Result<Self, Failure> {
        Self::start_at(Form::LARGE, command)
    }

    /// Starts a program at a new terminal of this form.
    pub fn start_at(form: Form, command: &Command) -> Result<Self, Failure> {
        let name = spelled(command);
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC);
        let master = master.map_err(Failure::kernel("open a terminal"))?;
        grantpt(&master).map_err(Failure::kernel("own a terminal"))?;
        unlockpt(&master).map_err(Failure::kernel("unlock a terminal"))?;
        let slave = ptsname_r(&master).map_err(Failure::kernel("name a terminal"))?;
        // A new terminal has no size, and programs draw no picture on it.
        checked(Command::new("stty").args(["-F", &slave]).args(form.settings()))?;
        let child = at_terminal(command, Path::new(&slave))?
            .spawn()
            .map_err(|source| Failure::Start { command: name.clone(), source })?;
        Ok(Self { name, form, child, master, pending: Vec::new(), transcript: Vec::new() })
    }

    /// The process id of the program: setsid(1) and what executes another program in its place keep it.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Reads until `text` stands on the terminal, and goes past it.
    pub fn expect(&mut self, text: &str) -> Result<&mut Self, Failure> {
        self.read_until(text)?;
        Ok(self)
    }

    /// Reads until `text` stands on the terminal, and hands over what stood before it.
    pub fn read_until(&mut self, text: &str) -> Result<String, Failure> {
        let deadline = after(PATIENCE);
        loop {
            if let Some(at) = find(&self.pending, text.as_bytes()) {
                let mut passed: Vec<u8> = self.pending.drain(..at.saturating_add(text.len())).collect();
                passed.truncate(at);
                return Ok(String::from_utf8_lossy(&passed).into_owned());
            }
            if !self.read_some(deadline)? {
                return Err(self.in_vain(text));
            }
        }
    }

    /// Types a line and the return key.
    pub fn send(&mut self, line: &str) -> Result<&mut Self, Failure> {
        self.press(&format!("{line}\n"))
    }

    /// Types just these keys; `\u{3}` is Ctrl-C.
    pub fn press(&mut self, keys: &str) -> Result<&mut Self, Failure> {
        let name = Path::new(&self.name);
        self.master.write_all(keys.as_bytes()).map_err(Failure::file("type to", name))?;
        Ok(self)
    }

    /// Reads until the program closes its terminal, and says how it ended.
    pub fn end(&mut self) -> Result<Ended, Failure> {
        let deadline = after(PATIENCE);
        while self.read_some(deadline)? {}
        if Instant::now() > deadline {
            return Err(self.in_vain("its end"));
        }
        let status = self.child.wait().map_err(Failure::file("wait for", Path::new(&self.name)))?;
        let by_signal = status.signal().map(|number| number.saturating_add(128));
        let code = status.code().or(by_signal).unwrap_or(-1);
        Ok(Ended { code, transcript: self.transcript() })
    }

    /// What stood on the terminal after all that an `expect` went past.
    pub fn rest(&self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }

    /// Kills the program, as a closed window does.
    pub fn vanish(mut self) -> Result<(), Failure> {
        self.child.kill().map_err(Failure::file("kill", Path::new(&self.name)))
    }

    /// What its window shows now, of all that has been read so far.
    pub fn screen(&self) -> Screen {
        Screen::showing(&self.transcript, self.form.rows, self.form.columns)
    }

    /// All that stood on the terminal so far.
    pub fn transcript(&self) -> String {
        String::from_utf8_lossy(&self.transcript).into_owned()
    }

    /// False at the end of the output, or when the time is over.
    fn read_some(&mut self, deadline: Instant) -> Result<bool, Failure> {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut descriptors = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        if poll(&mut descriptors, left).map_err(Failure::kernel("wait for a terminal"))? == 0 {
            return Ok(false);
        }
        let mut buffer = [0; 4096];
        match self.master.read(&mut buffer) {
            Ok(count) => {
                let read = buffer.get(..count).unwrap_or_default();
                self.pending.extend_from_slice(read);
                self.transcript.extend_from_slice(read);
                Ok(count > 0)
            }
            // Linux says so when the last holder of the other side has closed it.
            Err(error) if io::Error::from(Errno::EIO).raw_os_error() == error.raw_os_error() => Ok(false),
            Err(source) => Err(Failure::file("read from", Path::new(&self.name))(source)),
        }
    }

    fn in_vain(&self, text: &str) -> Failure {
        let what = format!("`{text}` from `{}`", self.name);
        Failure::Deadline { what, seconds: PATIENCE.as_secs(), seen: self.transcript() }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself; nothing is left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Terminal({}: {:?})", self.name, self.transcript())
    }
}

/// setsid(1) gives the terminal to the program as its controlling one: ssh reads passwords from there, not from stdin.
fn at_terminal(command: &Command, slave: &Path) -> Result<Command, Failure> {
    let open = || {
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits());
        options.open(slave).map(Stdio::from).map_err(Failure::file("open", slave))
    };
    let mut seated = Command::new("setsid");
    // Whoever runs the tests in the background has these signals ignored, and a child would inherit that.
    seated.args(["--ctty", "env", "--default-signal=HUP,INT,QUIT"]);
    seated.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => seated.env(name, value),
            None => seated.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        seated.current_dir(folder);
    }
    seated.stdin(open()?).stdout(open()?).stderr(open()?);
    Ok(seated)
}

fn after(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or(now)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_asked_and_answers() -> crate::Outcome {
        let mut command = Command::new("sh");
        command.args(["-c", "printf 'wörd? '; read w; echo \"got $w\"; exit 3"]);
        let mut shell = Terminal::start(&command)?;
        shell.expect("wörd? ")?.send("blue")?.expect("got blue")?;
        let ended = shell.end()?;
        assert_eq!(ended.code, 3);
        Ok(())
    }

    #[test]
    fn a_prompt_that_never_comes_is_a_failure_with_what_stood_there() -> crate::Outcome {
        let mut command = Command::new("echo");
        command.arg("something else");
        let failure = Terminal::start(&command)?.expect("Password:").map(|_| ()).expect_err("no such prompt");
        assert!(failure.to_string().contains("something else"));
        Ok(())
    }
}
