//! Runs one of the measuring programs.

use std::process::{Command, Stdio};
use std::thread;

use bench::Measured;
use serde::Serialize;
use test_ground::Machine;

use crate::bench::unreadable;
use crate::problem::Problem;

/// The core that a server gets, where there are several.
pub(super) const SERVER_CORE: &str = "0";
/// The core that asks it.
const CLIENT_CORE: &str = "1";

/// Does a job with a measuring program. Whoever is refused in it spoils the figures, so all have to be let in.
pub(super) fn measure(
    machine: &Machine,
    program: &str,
    job: &impl Serialize,
    logins: usize,
) -> Result<Measured, Problem> {
    let mut child = on_core(CLIENT_CORE, &machine.built(program).display().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Problem::run(program))?;
    if let Some(input) = child.stdin.take() {
        serde_json::to_writer(input, job).map_err(unreadable)?;
    }
    let output = child.wait_with_output().map_err(Problem::run(program))?;
    if !output.status.success() {
        return Err(Problem::Failed(program.to_owned()));
    }
    let measured: Measured = serde_json::from_slice(&output.stdout).map_err(unreadable)?;
    match measured.accepted == logins {
        true => Ok(measured),
        false => {
            Err(Problem::Failed(format!("{program}: {} of {logins} logins were let in", measured.accepted)))
        }
    }
}

/// A command that keeps to one core, where there are two: server and client do not take turns then.
pub(super) fn on_core(core: &str, program: &str) -> Command {
    match thread::available_parallelism().map_or(1, usize::from) {
        1 => Command::new(program),
        _ => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", core, program]);
            command
        }
    }
}
