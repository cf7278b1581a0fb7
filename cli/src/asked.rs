//! Programs of the system that are asked something: no shell, no environment, no input, and an end in time.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long one may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often is looked whether it has.
const POLL: Duration = Duration::from_millis(10);
/// Octets of an answer: more fit into no pipe, and a program that waits for room there is ended.
const ANSWER_OCTETS_MAX: u64 = 64 * 1024;

/// What a program says on standard output; why there is nothing, where it is not there, fails or takes too long.
pub(crate) fn asked(program: &str, arguments: &[&str]) -> Result<String, String> {
    if !Path::new(program).exists() {
        return Err(format!("there is no {program}"));
    }
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("LC_ALL", "C").current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{program} does not start: {error}"))?;
    let is_success = ends(&mut child).map_err(|why| format!("{program} {why}"))?;
    let said = said_on(child.stdout.take());
    if is_success {
        return Ok(said);
    }
    let complaint = said_on(child.stderr.take());
    Err(format!("{program} says: {}", complaint.lines().next_back().unwrap_or("nothing").trim()))
}

fn ends(child: &mut Child) -> Result<bool, String> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if begun.elapsed() < PATIENCE => thread::sleep(POLL),
            Ok(None) => {
                // It may have ended by itself meanwhile; nothing is left to do then.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("did not answer within {} s", PATIENCE.as_secs()));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}

/// What has been written to a pipe whose other end has gone.
fn said_on(pipe: Option<impl std::io::Read>) -> String {
    let mut octets = Vec::new();
    if let Some(pipe) = pipe {
        // What cannot be read was not said.
        let _ = pipe.take(ANSWER_OCTETS_MAX).read_to_end(&mut octets);
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn a_program_is_asked_without_our_environment() {
        assert_eq!(asked("/usr/bin/env", &[]).unwrap(), "LC_ALL=C\n");
        assert!(asked("/nowhere", &[]).unwrap_err().contains("there is no /nowhere"));
        assert!(asked("/bin/ls", &["/nowhere"]).unwrap_err().contains("No such file"));
    }
}
