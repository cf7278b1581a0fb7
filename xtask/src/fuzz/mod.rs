//! `cargo xtask fuzz`: libFuzzer makes up inputs for the targets of `fuzz/`, led by the code that they reach.
//!
//! The stable toolchain does it all: the compiler's flags for coverage are LLVM's, and the fuzzer is C++ in a crate. No
//! address sanitizer: what is fuzzed is safe Rust, which panics where C would go astray.

mod build;
mod run;

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::cargo;
use crate::problem::Problem;
use crate::suites::Tally;
use run::Fuzzer;

/// The name under which `cargo xtask test` is asked for all of this.
pub(crate) const SUITE: &str = "fuzz";
/// Seconds of each target, where nobody says.
const SECONDS: u64 = 60;
/// All targets among the other tests, with what it takes to build them.
const AMONG_TESTS: Duration = Duration::from_secs(225);
/// What a target gets at least, however long the build took.
const SECONDS_MIN: u64 = 5;

/// `[TARGET] [--seconds N]`.
pub(crate) fn run(options: &[String]) -> Result<ExitCode, Problem> {
    let known = targets()?;
    let (mut chosen, mut seconds) = (known.clone(), SECONDS);
    let mut words = options.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => seconds = number(words.next())?,
            name if known.iter().any(|target| target == name) => chosen = vec![name.to_owned()],
            _ => return Err(usage(&known)),
        }
    }
    let tally = Fuzzer::build()?.run(&chosen, seconds)?;
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All targets, for so long that the build and they take no more than [`AMONG_TESTS`]; each is a test.
pub(crate) fn among_tests() -> Result<Tally, Problem> {
    let begun = Instant::now();
    let fuzzer = Fuzzer::build()?;
    all(&fuzzer, AMONG_TESTS.saturating_sub(begun.elapsed()))
}

/// All targets within this time, as many at once as there are cores.
pub(crate) fn soak(within: Duration) -> Result<Tally, Problem> {
    all(&Fuzzer::build()?, within)
}

fn all(fuzzer: &Fuzzer, within: Duration) -> Result<Tally, Problem> {
    let targets = targets()?;
    let rounds = targets.len().div_ceil(fuzzer.at_once());
    let rounds = u64::try_from(rounds).unwrap_or(u64::MAX);
    let seconds = within.as_secs().checked_div(rounds).unwrap_or(0).max(SECONDS_MIN);
    fuzzer.run(&targets, seconds)
}

/// The names of the folders in `fuzz/corpus/`; a test there holds them against the targets.
fn targets() -> Result<Vec<String>, Problem> {
    let folder = cargo::repository().join("fuzz/corpus");
    let reading = || Problem::run(format!("ls {}", folder.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(reading())? {
        names.push(entry.map_err(reading())?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn number(word: Option<&String>) -> Result<u64, Problem> {
    let number = word.and_then(|word| word.parse().ok());
    number.ok_or_else(|| Problem::Usage("`--seconds` takes a number, such as `--seconds 600`".to_owned()))
}

fn usage(known: &[String]) -> Problem {
    Problem::Usage(format!("`fuzz` takes --seconds NUMBER and one of these targets: {}", known.join(", ")))
}
