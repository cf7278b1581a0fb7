//! Cargo, run from the root of the checkout.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use test_ground::ground::Place;

use crate::problem::Problem;

/// The checkout that this xtask was built from.
pub(crate) fn repository() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The folders of this run: our own executable stands in `TARGET/PROFILE/`.
pub(crate) fn place() -> Result<Place, Problem> {
    let own = env::current_exe().map_err(Problem::run("xtask"))?;
    let folder = |path: &Path| path.parent().map(Path::to_owned).unwrap_or_default();
    let programs = folder(&own);
    Ok(Place { repository: repository().to_owned(), target: folder(&programs), programs })
}

/// Cargo with its messages on our standard error.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository()).args(arguments);
    command
}

/// Runs cargo to its end; true when it succeeded.
pub(crate) fn succeeds(arguments: &[&str]) -> Result<bool, Problem> {
    let status = cargo(arguments).status().map_err(Problem::run(spelled(arguments)))?;
    Ok(status.success())
}

/// Runs cargo and hands over its standard output.
pub(crate) fn output(arguments: &[&str]) -> Result<Vec<u8>, Problem> {
    let run = cargo(arguments).stderr(Stdio::inherit()).output();
    let output = run.map_err(Problem::run(spelled(arguments)))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(Problem::Failed(spelled(arguments))),
    }
}

/// The packages of what is installed.
const PROGRAMS: [&str; 4] = ["pam_module", "local_service", "radius_server", "cli"];

/// Builds what is installed, with this profile. Each door is built alone, so that it gets the features it asks for and no
/// others.
pub(crate) fn build_programs(profile: &str) -> Result<(), Problem> {
    for (number, package) in (1..).zip(PROGRAMS) {
        eprintln!("Building {package} ({number} of {})", PROGRAMS.len());
        let arguments = ["build", "--profile", profile, "--package", package];
        if !succeeds(&arguments)? {
            return Err(Problem::Failed(spelled(&arguments)));
        }
    }
    Ok(())
}

/// Builds the PAM module that panics on purpose, which the suite `pam` installs beside the real one.
pub(crate) fn build_panicking_module() -> Result<(), Problem> {
    let arguments = ["build", "--package", "pam_module", "--examples"];
    if succeeds(&arguments)? { Ok(()) } else { Err(Problem::Failed(spelled(&arguments))) }
}

/// Builds the suites and says where each test program is.
pub(crate) fn build_suites(names: &[String]) -> Result<Vec<(String, PathBuf)>, Problem> {
    let mut arguments =
        vec!["test", "--package", "tests", "--no-run", "--message-format=json-render-diagnostics"];
    for name in names {
        arguments.extend(["--test", name]);
    }
    let built = executables(cargo(&arguments), &spelled(&arguments))?;
    Ok(built.into_iter().filter(|(name, _)| names.contains(name)).collect())
}

/// Runs a build that speaks JSON, and says where it has put each program.
pub(crate) fn executables(mut build: Command, spelled: &str) -> Result<Vec<(String, PathBuf)>, Problem> {
    let output = build.stderr(Stdio::inherit()).output().map_err(Problem::run(spelled))?;
    if !output.status.success() {
        return Err(Problem::Failed(spelled.to_owned()));
    }
    let mut built = Vec::new();
    for message in serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Message>() {
        let message = message.map_err(|source| Problem::Unreadable { from: "cargo", source })?;
        if let (Some(target), Some(executable)) = (message.target, message.executable) {
            built.push((target.name, executable));
        }
    }
    Ok(built)
}

/// A line of `--message-format=json`; other lines lack these keys.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn spelled(arguments: &[&str]) -> String {
    format!("cargo {}", arguments.join(" "))
}
