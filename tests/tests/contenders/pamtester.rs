//! pamtester behind a pipe: lighter than one at a terminal, so that many of them fit on a small machine.

use std::io::{PipeReader, Read as _, Write as _, pipe};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use test_ground::Failure;

/// How long a prompt or the end may take, in milliseconds.
const PATIENCE_MILLISECONDS: u16 = 30_000;

/// What it says when the user was let in, in its own spelling.
const SUCCESS: &str = "sucessfully authenticated";
const SUCCESS_MENDED: &str = "successfully authenticated";

/// A PAM transaction in a process of its own; it is killed when dropped.
pub(crate) struct Pamtester {
    child: Child,
    input: Option<ChildStdin>,
    output: PipeReader,
    /// What was heard and not yet gone past.
    pending: String,
}

impl Pamtester {
    /// Starts it for a user who sits at this address.
    pub(crate) fn start(service: &str, user: &str, source: &str) -> Result<Self, Failure> {
        let mut command = Command::new("pamtester");
        command.args(["-I", &format!("rhost={source}"), service, user, "authenticate"]);
        let mut started = || {
            let (output, both) = pipe()?;
            command.stdin(Stdio::piped()).stdout(both.try_clone()?).stderr(both);
            Ok((command.spawn()?, output))
        };
        let failed = |source| Failure::Start { command: "pamtester".to_owned(), source };
        let (mut child, output) = started().map_err(failed)?;
        // Ours are the only ends that write: the command holds copies of them.
        drop(command);
        let input = child.stdin.take();
        Ok(Self { child, input, output, pending: String::new() })
    }

    /// Waits for a question.
    pub(crate) fn expect(&mut self, question: &str) -> Result<&mut Self, Failure> {
        match self.reads_until(&[question])? {
            Some(_) => Ok(self),
            None => Err(self.unreadable("a question")),
        }
    }

    /// Answers.
    pub(crate) fn send(&mut self, line: &str) -> Result<&mut Self, Failure> {
        let failed = Failure::file("write to", Path::new("pamtester"));
        let input = self.input.as_mut().expect("a pipe");
        input.write_all(format!("{line}\n").as_bytes()).map_err(failed)?;
        Ok(self)
    }

    /// Whether the last answer let the user in; another question is a no.
    pub(crate) fn is_let_in(&mut self, question: &str) -> Result<bool, Failure> {
        let heard = self.reads_until(&[SUCCESS, SUCCESS_MENDED, question])?;
        Ok(heard.is_some_and(|heard| heard != question))
    }

    /// What it has said since the last question.
    pub(crate) fn pending(&self) -> &str {
        &self.pending
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it in whatever it does, and says whether it had let the user in by then.
    pub(crate) fn kill_and_ask_what_it_said(&mut self) -> Result<bool, Failure> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        Ok(self.reads_until(&[SUCCESS, SUCCESS_MENDED])?.is_some())
    }

    /// Which of these texts comes first; `None` if it ends before.
    fn reads_until<'t>(&mut self, texts: &[&'t str]) -> Result<Option<&'t str>, Failure> {
        loop {
            let found = texts.iter().filter_map(|text| Some((self.pending.find(text)?, *text)));
            if let Some((at, text)) = found.min() {
                self.pending.drain(..at.saturating_add(text.len()));
                return Ok(Some(text));
            }
            if !self.reads_some()? {
                return Ok(None);
            }
        }
    }

    /// False at the end.
    fn reads_some(&mut self) -> Result<bool, Failure> {
        let mut descriptors = [PollFd::new(self.output.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut descriptors, PollTimeout::from(PATIENCE_MILLISECONDS));
        if ready.unwrap_or(0) == 0 {
            return Err(self.unreadable("the next word of pamtester"));
        }
        let mut buffer = [0; 1024];
        let octets = self.output.read(&mut buffer);
        let octets = octets.map_err(Failure::file("read from", Path::new("pamtester")))?;
        self.pending.push_str(&String::from_utf8_lossy(buffer.get(..octets).unwrap_or_default()));
        Ok(octets > 0)
    }

    fn unreadable(&self, what: &'static str) -> Failure {
        Failure::Unreadable { what, found: self.pending.clone() }
    }
}

impl Drop for Pamtester {
    fn drop(&mut self) {
        // It may have ended by itself; nothing is left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
