//! `cargo xtask ground`: a command or a shell in a throw-away copy of this machine.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use test_ground::Failure;
use test_ground::ground::{Ground, rooted};

use crate::cargo;
use crate::problem::Problem;

/// Where programs of the system are, root's too.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Our first argument when we run again as root for this.
pub(crate) const AS_ROOT: &str = "ground-as-root";

pub(crate) fn run(program: &[String]) -> Result<ExitCode, Problem> {
    let path = path_with_cargo();
    let mut arguments = vec![AS_ROOT, "env", &path];
    match program {
        [] => arguments.push("bash"),
        words => arguments.extend(words.iter().map(String::as_str)),
    }
    let command = rooted(&arguments).map_err(Problem::run("xtask"))?;
    announce("mounting a copy of this machine and entering it");
    exit_code(command)
}

/// The usual folders, and that of the cargo that has started us: it is seldom in one of them.
fn path_with_cargo() -> String {
    let cargo = env::var_os("CARGO").map(PathBuf::from);
    let folder = cargo.as_deref().and_then(Path::parent);
    let more = folder.map_or_else(String::new, |folder| format!(":{}", folder.display()));
    format!("PATH={SYSTEM_PATH}{more}")
}

pub(crate) fn as_root(program: &[String]) -> Result<ExitCode, Problem> {
    let ground = Ground::prepare(cargo::place()?)?;
    exit_code(ground.command(program)?)
}

/// Says before sudo asks for a password what it is for.
pub(crate) fn announce(step: &str) {
    if !nix::unistd::Uid::effective().is_root() {
        eprintln!("This step needs root and is done by sudo: {step}.");
    }
}

fn exit_code(mut command: Command) -> Result<ExitCode, Problem> {
    let status =
        command.status().map_err(|source| Failure::Start { command: "the copy".to_owned(), source })?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
