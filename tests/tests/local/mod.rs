//! A running countersign-local, and programs that ask it as other users than root.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::Signal;
use test_ground::{Daemon, Failure, Terminal};

use crate::site::Site;
use crate::transaction::converse;

/// A service on a socket of its own, so that a test can take it away without taking it from the others.
pub(crate) struct Local {
    pub(crate) program: PathBuf,
    pub(crate) socket: PathBuf,
    folder: PathBuf,
    daemon: Option<Daemon>,
}

impl Local {
    /// A service that runs.
    pub(crate) fn start(site: &Site) -> Result<Self, Failure> {
        let mut local = Self::stopped(site)?;
        local.start_again()?;
        Ok(local)
    }

    /// A place for one that does not run yet. Its user owns the folder.
    pub(crate) fn stopped(site: &Site) -> Result<Self, Failure> {
        let folder = site.machine.new_folder("local")?;
        // Made by the service itself, as root.
        let program = site.machine.built("countersign-local");
        Ok(Self { program, socket: folder.join("run/local.sock"), folder, daemon: None })
    }

    pub(crate) fn start_again(&mut self) -> Result<(), Failure> {
        let mut daemon = Daemon::start(&mut self.command(), &self.log())?;
        daemon.wait_for_output("ready as uid ")?;
        self.daemon = Some(daemon);
        Ok(())
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--socket").arg(&self.socket);
        command
    }

    /// Waits until it has written this to its log.
    pub(crate) fn wait_for_output(&mut self, text: &str) -> Result<(), Failure> {
        self.daemon.as_mut().map_or(Ok(()), |daemon| daemon.wait_for_output(text))
    }

    /// What it has written to its log.
    pub(crate) fn output(&self) -> Result<String, Failure> {
        fs::read_to_string(self.log()).map_err(Failure::file("read", &self.log()))
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Failure> {
        self.daemon.as_ref().map_or(Ok(()), |daemon| daemon.signal(signal))
    }

    /// Its end without a word, as by kill -9.
    pub(crate) fn kill(&mut self) {
        self.daemon = None;
    }

    /// Its end as systemd brings it about.
    pub(crate) fn stop(&mut self) -> Result<(), Failure> {
        self.daemon.take().map_or(Ok(()), |daemon| daemon.stop().map(drop))
    }

    /// A line of a PAM stack that asks this service.
    pub(crate) fn line(&self, primary: &str) -> String {
        format!("auth required pam_countersign.so primary={primary} socket={}", self.socket.display())
    }

    /// Stack (b) of docs/pam.md, asking this service.
    pub(crate) fn stack_b(&self) -> [String; 3] {
        let socket = self.socket.display();
        [
            "auth [success=1 default=ignore] pam_unix.so nodelay".to_owned(),
            format!("auth [success=done default=die] pam_countersign.so primary=failed socket={socket}"),
            self.line("stack"),
        ]
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

/// The command, run by a user with all rights that a shell of theirs has.
pub(crate) fn as_user(user: &str, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--init-groups", program]).args(arguments);
    command
}

/// A PAM transaction of a program that this user runs, about that user.
pub(crate) fn tried_by(
    user: &str,
    service: &str,
    about: &str,
    dialogue: &[(&str, &str)],
) -> Result<(&'static str, String), Failure> {
    converse(&as_user(user, "pamtester", &[service, about, "authenticate"]), dialogue)
}

/// Types these answers to these questions; how it ended, and what stood on the terminal.
pub(crate) fn typed(command: &Command, dialogue: &[(&str, &str)]) -> Result<(i32, String), Failure> {
    let mut terminal = Terminal::start(command)?;
    for (question, answer) in dialogue {
        terminal.expect(question)?.send(answer)?;
    }
    let ended = terminal.end()?;
    Ok((ended.code, ended.transcript))
}
