//! The first process of a copy: it enters it, runs one program there and buries orphans meanwhile.

use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::Pid;

use super::copy::Blueprint;
use crate::failure::Failure;

/// Exit code of a copy whose program was ended by a signal.
const BY_SIGNAL: u8 = 128;

/// The whole life of the first process; `arguments` are a blueprint, then the program and its arguments.
pub fn first_process(arguments: &[String]) -> Result<ExitCode, Failure> {
    let [blueprint, program, rest @ ..] = arguments else {
        return Err(Failure::NotRoot);
    };
    // Entering from anywhere but a process namespace of our own would change the host's mounts.
    if nix::unistd::getpid() != Pid::from_raw(1) {
        return Err(Failure::NotRoot);
    }
    let blueprint: Blueprint = serde_json::from_str(blueprint)
        .map_err(|error| Failure::Unreadable { what: "blueprint of a copy", found: error.to_string() })?;
    blueprint.enter()?;
    let child = Command::new(program)
        .args(rest)
        .spawn()
        .map_err(|source| Failure::Start { command: program.clone(), source })?;
    let child = i32::try_from(child.id()).map_err(|error| wrong_child(io::Error::other(error)))?;
    bury_until(Pid::from_raw(child))
}

/// Orphans become our children; unburied they would look alive to whoever waits for their end.
fn bury_until(child: Pid) -> Result<ExitCode, Failure> {
    loop {
        match wait().map_err(|errno| wrong_child(errno.into()))? {
            WaitStatus::Exited(pid, code) if pid == child => {
                return Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)));
            }
            WaitStatus::Signaled(pid, signal, _) if pid == child => {
                eprintln!("ended by {signal}");
                return Ok(ExitCode::from(BY_SIGNAL));
            }
            _ => {}
        }
    }
}

fn wrong_child(source: io::Error) -> Failure {
    Failure::File { operation: "wait for the children of", path: Path::new("/proc/1").to_owned(), source }
}
