//! Programs that run beside a test: started, awaited by polling, ended by their own process id.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::failure::{Failure, spelled};

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(10);

/// How long a program may take from SIGTERM to its end.
const STOP_SECONDS: u64 = 10;

/// A running program; it is killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts a program with its standard output and standard error in the file `log`.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self, Failure> {
        let file = File::create(log).map_err(Failure::file("make", log))?;
        let both = file.try_clone().map_err(Failure::file("open", log))?;
        let name = spelled(command);
        let child = command.stdin(Stdio::null()).stdout(file).stderr(both).spawn();
        let child = child.map_err(|source| Failure::Start { command: name.clone(), source })?;
        Ok(Self { name, child, log: log.to_owned() })
    }

    /// What it has written so far.
    pub fn output(&self) -> Result<String, Failure> {
        let bytes = fs::read(&self.log).map_err(Failure::file("read", &self.log))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says `text`.
    pub fn wait_for_output(&mut self, text: &str) -> Result<(), Failure> {
        self.wait_until(&format!("`{text}` from {}", self.name), |output| output.contains(text))
    }

    /// Waits until a TCP connection to its loopback port is taken; fails at once when the program ends before.
    pub fn wait_for_port(&mut self, port: u16) -> Result<(), Failure> {
        let reachable = |_: &str| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        self.wait_until(&format!("port {port} of {}", self.name), reachable)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let pid = i32::try_from(self.child.id()).unwrap_or(i32::MAX);
        kill(Pid::from_raw(pid), signal).map_err(Failure::kernel(format!("signal {}", self.name)))
    }

    /// Ends it by SIGTERM and says how it ended.
    pub fn stop(mut self) -> Result<ExitStatus, Failure> {
        self.signal(Signal::SIGTERM)?;
        let what = format!("the end of {}", self.name);
        wait_for(&what, STOP_SECONDS, || match self.child.try_wait() {
            Ok(Some(status)) => Ok(status),
            Ok(None) => Err("still running".to_owned()),
            Err(error) => Err(error.to_string()),
        })
    }

    fn wait_until(&mut self, what: &str, met: impl Fn(&str) -> bool) -> Result<(), Failure> {
        let ended = wait_for(what, STOP_SECONDS, || {
            let output = self.output().map_err(|failure| failure.to_string())?;
            if met(&output) {
                return Ok(None);
            }
            match self.child.try_wait() {
                Ok(Some(status)) => Ok(Some((status, output))),
                Ok(None) => Err(output),
                Err(error) => Err(error.to_string()),
            }
        })?;
        match ended {
            None => Ok(()),
            Some((status, output)) => Err(Failure::Ended { command: self.name.clone(), status, output }),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself; nothing is left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tries again and again until `attempt` succeeds; its last error is shown when the time is over.
pub fn wait_for<T>(
    what: &str,
    seconds: u64,
    mut attempt: impl FnMut() -> Result<T, String>,
) -> Result<T, Failure> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Ok(found) => return Ok(found),
            Err(seen) if begun.elapsed() > Duration::from_secs(seconds) => {
                return Err(Failure::Deadline { what: what.to_owned(), seconds, seen });
            }
            Err(_) => thread::sleep(POLL),
        }
    }
}
