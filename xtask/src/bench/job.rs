//! Runs the measuring programs.

use std::process::{Child, Command, Stdio};
use std::thread;

use bench::Measured;
use serde::Serialize;
use serde::de::DeserializeOwned;
use test_ground::Machine;

use crate::bench::durable::FsyncCount;
use crate::bench::unreadable;
use crate::problem::Problem;

/// The core that a server gets, where there are several.
pub(super) const SERVER_CORE: &str = "0";
/// The core that asks it.
const CLIENT_CORE: &str = "1";

/// Does a job with a measuring program.
pub(super) fn measure(
    machine: &Machine,
    program: &str,
    job: &impl Serialize,
    count: &FsyncCount,
) -> Result<Measured, Problem> {
    let mut command = on_core(CLIENT_CORE, &machine.built(program).display().to_string());
    answer(program, begin(program, count.watch(&mut command), job)?)
}

/// Does jobs beside each other, on whatever cores there are.
pub(super) fn measure_together(
    machine: &Machine,
    program: &str,
    jobs: &[impl Serialize],
    count: &FsyncCount,
) -> Result<Vec<Measured>, Problem> {
    let begun = jobs.iter().map(|job| {
        let mut command = Command::new(machine.built(program));
        begin(program, count.watch(&mut command), job)
    });
    let begun = begun.collect::<Result<Vec<_>, _>>()?;
    begun.into_iter().map(|child| answer(program, child)).collect()
}

/// Does a job that nobody measures.
pub(super) fn prepare<A: DeserializeOwned>(
    machine: &Machine,
    program: &str,
    job: &impl Serialize,
) -> Result<A, Problem> {
    answer(program, begin(program, &mut Command::new(machine.built(program)), job)?)
}

fn begin(program: &str, command: &mut Command, job: &impl Serialize) -> Result<Child, Problem> {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(Problem::run(program))?;
    if let Some(input) = child.stdin.take() {
        serde_json::to_writer(input, job).map_err(unreadable)?;
    }
    Ok(child)
}

fn answer<A: DeserializeOwned>(program: &str, child: Child) -> Result<A, Problem> {
    let output = child.wait_with_output().map_err(Problem::run(program))?;
    match output.status.success() {
        true => serde_json::from_slice(&output.stdout).map_err(unreadable),
        false => Err(Problem::Failed(program.to_owned())),
    }
}

/// Whoever is refused spoils the figures: whoever reads them has to know.
pub(super) fn tell_of_refusals(who: &str, measured: &Measured, logins: usize) {
    if measured.accepted < logins {
        eprintln!("bench: {who}: only {} of {logins} logins were let in", measured.accepted);
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
