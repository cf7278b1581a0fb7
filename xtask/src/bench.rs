//! `cargo xtask bench`: a login at each door beside the peer that administrators use today, in one run, in a throw-away
//! copy of this machine. Rows are reported whatever they are.

mod contestants;
mod crowd;
mod durable;
mod figures;
mod job;
mod machine;
mod pam;
mod radius;
mod site;
mod timing;

use std::env;
use std::fs;
use std::io;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use test_ground::ground::{Ground, rooted};

use crate::cargo;
use crate::ground::announce;
use crate::problem::Problem;
use figures::Report;

/// Our first argument when we run again as root for this.
pub(crate) const AS_ROOT: &str = "bench-as-root";
/// Our first argument when we run again in the copy.
pub(crate) const IN_COPY: &str = "bench-in-copy";

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Options {
    length: Length,
    form: Form,
}

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Length {
    /// Some minutes: few accounts, few rounds.
    Short,
    /// Three times as many rounds, and up to a million accounts.
    Long,
}

/// How it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Form {
    Text,
    Json,
}

impl Length {
    /// How often each row is measured on both sides, in turn.
    const fn rounds(self) -> usize {
        match self {
            Self::Short => 5,
            Self::Long => 15,
        }
    }

    /// Among how many accounts a PAM login is measured.
    const fn accounts(self) -> &'static [usize] {
        match self {
            Self::Short => &[10, 1000],
            Self::Long => &[10, 1000, 100_000, 1_000_000],
        }
    }

    /// Among how many accounts many processes sign people in at once.
    const fn accounts_of_crowd(self) -> usize {
        match self {
            Self::Short => 1000,
            Self::Long => 10_000,
        }
    }
}

pub(crate) fn run(words: &[String]) -> Result<ExitCode, Problem> {
    let mut options = Options { length: Length::Short, form: Form::Text };
    for word in words {
        match word.as_str() {
            "--long" => options.length = Length::Long,
            "--json" => options.form = Form::Json,
            _ => return Err(Problem::Usage("cargo xtask bench [--long] [--json]".to_owned())),
        }
    }
    eprintln!("bench: building with the profile `release` (the first time takes some minutes)");
    cargo::build_programs("release")?;
    if !cargo::succeeds(&["build", "--release", "--package", "bench", "--bins", "--examples"])? {
        return Err(Problem::Failed("cargo build --release --package bench --bins --examples".to_owned()));
    }
    announce("installing test packages into a layer below the target folder, and measuring in a copy");
    let options = serde_json::to_string(&options).map_err(unreadable)?;
    let status = rooted(&[AS_ROOT, &options]).map_err(Problem::run("xtask"))?.status();
    let succeeded = status.map_err(Problem::run("xtask"))?.success();
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The part that needs root. The stores are on the disk of the target folder: in a copy's memory, writing durably costs
/// nothing.
pub(crate) fn as_root(options: &str) -> Result<ExitCode, Problem> {
    let mut place = cargo::place()?;
    place.programs = place.target.join("release");
    let disk = place.target.join("ground/bench");
    let clear = || match fs::remove_dir_all(&disk) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    };
    let at_disk = || Problem::run(format!("mkdir {}", disk.display()));
    clear().and_then(|()| fs::create_dir_all(&disk)).map_err(at_disk())?;
    let own = env::current_exe().map_err(Problem::run("xtask"))?;
    let ground = Ground::prepare(place)?;
    let mut command =
        ground.command_with_disk(&[own.as_os_str(), IN_COPY.as_ref(), options.as_ref()], &disk)?;
    let status = command.status().map_err(Problem::run("the copy"))?;
    clear().map_err(at_disk())?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The part that runs in the copy.
pub(crate) fn in_copy(options: &str) -> Result<ExitCode, Problem> {
    let Options { length, form } = serde_json::from_str(options).map_err(unreadable)?;
    let machine = test_ground::Machine::here()?;
    site::prepare(&machine)?;
    let tables = vec![
        pam::table(&machine, length)?,
        crowd::table(&machine, length)?,
        radius::table(&machine, length)?,
        timing::table(&machine, length)?,
    ];
    let report = Report { machine: machine::facts()?, tables };
    match form {
        Form::Text => println!("{report}"),
        Form::Json => println!("{}", serde_json::to_string_pretty(&report).map_err(unreadable)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn unreadable(source: serde_json::Error) -> Problem {
    Problem::Unreadable { from: "xtask bench", source }
}
