//! `cargo xtask demo`: one account signs in through both doors, in a throw-away copy of this machine.

mod narrator;
mod records;
mod scenes;
mod stage;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use test_ground::Failure;
use test_ground::ground::{FIRST_PROCESS, Ground, rooted};

use crate::cargo;
use crate::ground::announce;
use crate::host::HostState;
use crate::problem::Problem;
use narrator::Narrator;

/// Our first argument when we run again as root for this.
pub(crate) const AS_ROOT: &str = "demo-as-root";
/// Our first argument when we run again in the copy.
pub(crate) const IN_COPY: &str = "demo-in-copy";

/// What becomes of the copy at the end.
const KEEP: &str = "keep";
const DISCARD: &str = "discard";

const INTRODUCTION: &str = "\
Countersign: a demonstration

This builds Countersign and installs it in a throw-away copy of this machine. There a user registers an authenticator
app and signs in: by ssh, RADIUS, sftp and sudo, with real programs on both sides. Debian packages that are missing go
into a layer below the target folder. Nothing is installed or started on the machine itself, and the copy has no
network but its own loopback.
";

pub(crate) fn run(options: &[String]) -> Result<ExitCode, Problem> {
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    match options.as_slice() {
        [] => play(DISCARD),
        ["--keep"] => play(KEEP),
        ["--enter", program @ ..] => enter(program),
        _ => Err(Problem::Usage("cargo xtask demo [--keep | --enter [COMMAND...]]".to_owned())),
    }
}

fn play(afterwards: &str) -> Result<ExitCode, Problem> {
    let begun = Instant::now();
    println!("{INTRODUCTION}");
    say("Building (the first time takes some minutes) …");
    cargo::build_programs("dev")?;
    println!("Built in {:.1} s.", begun.elapsed().as_secs_f32());
    announce("installing test packages into a layer below the target folder, and entering the copy");
    let before = HostState::read();
    let mut command = rooted(&[AS_ROOT, afterwards]).map_err(Problem::run("xtask"))?;
    let status = command.status().map_err(Problem::run("xtask"))?;
    let changed = HostState::read().changed_since(&before);
    for path in &changed {
        println!("{} of this machine has changed meanwhile", path.display());
    }
    if !status.success() || !changed.is_empty() {
        println!("\nThe demonstration failed; see above.");
        return Ok(ExitCode::FAILURE);
    }
    println!("The copy is gone with all that ran in it; nothing of this machine has changed.");
    println!("{:.1} s in all.", begun.elapsed().as_secs_f32());
    Ok(ExitCode::SUCCESS)
}

/// The part that needs root.
pub(crate) fn as_root(afterwards: &str) -> Result<ExitCode, Problem> {
    let begun = Instant::now();
    say("Making the copy (the first time, packages are fetched) …");
    let place = cargo::place()?;
    let pid_file = pid_file()?;
    let own = place.programs.join("xtask");
    let ground = Ground::prepare(place)?;
    println!("The copy is ready after {:.1} s.", begun.elapsed().as_secs_f32());
    let mut child = ground.command(&[own.as_os_str(), IN_COPY.as_ref(), afterwards.as_ref()])?;
    let mut child = child.spawn().map_err(Problem::run("the copy"))?;
    fs::write(&pid_file, child.id().to_string()).map_err(Problem::run("the copy"))?;
    let status = child.wait().map_err(Problem::run("the copy"))?;
    fs::remove_file(&pid_file).map_err(Problem::run("the copy"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The part that runs in the copy.
pub(crate) fn in_copy(afterwards: &str) -> Result<ExitCode, Problem> {
    let mut narrator = Narrator::new();
    match scenes::play(&mut narrator) {
        Ok(stage) if afterwards == KEEP => {
            narrator.closing();
            println!("{}", stage.by_hand());
            io::stdout().flush().map_err(Problem::run("xtask"))?;
            // Ctrl-C ends us, and the copy ends with its first process.
            loop {
                std::thread::park();
            }
        }
        Ok(_) => {
            narrator.closing();
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            narrator.broken(&failure);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A command or a shell in the copy that `--keep` has left running.
fn enter(program: &[&str]) -> Result<ExitCode, Problem> {
    let outside =
        || Problem::Usage("no demonstration is running: start one with cargo xtask demo --keep".to_owned());
    let parent = fs::read_to_string(pid_file()?).map_err(|_| outside())?;
    let children =
        fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).map_err(|_| outside())?;
    let first = children.split_whitespace().next().ok_or_else(outside)?;
    // A process id may belong to somebody else by now, and then the command would run on the machine itself.
    let command_line = fs::read_to_string(format!("/proc/{first}/cmdline")).map_err(|_| outside())?;
    if !command_line.contains(FIRST_PROCESS) {
        return Err(outside());
    }
    let is_root = nix::unistd::Uid::effective().is_root();
    announce("entering the copy");
    let mut command = if is_root { Command::new("nsenter") } else { Command::new("sudo") };
    if !is_root {
        command.args(["--", "nsenter"]);
    }
    command.args(["--target", first, "--all", "--", "env", "--chdir=/root", "HOME=/root", "LANG=C.UTF-8"]);
    command.args(if program.is_empty() { &["bash"] } else { program });
    let status =
        command.status().map_err(|source| Failure::Start { command: "nsenter".to_owned(), source })?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where a running demonstration leaves the id of the process above its copy.
fn pid_file() -> Result<PathBuf, Problem> {
    Ok(cargo::place()?.target.join("ground/demo.pid"))
}

/// A line that must stand there before something that takes long.
fn say(line: &str) {
    println!("{line}");
    // Nobody can be told that nobody listens.
    let _ = io::stdout().flush();
}
