//! `cargo xtask soak`: the property tests, the races and the fuzz targets, over and over with fresh randomness, for as
//! long as one likes.
//!
//! What CI runs for seconds runs here for an hour by default. The first failure ends it and stays on the screen.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::cargo;
use crate::fuzz;
use crate::problem::Problem;

/// The crates with property tests, crash tests and races.
const CRATES: [&str; 5] = ["common", "store", "config", "radius_protocol", "radius_server"];
/// Cases of each property in one round.
const CASES: &str = "5000";
const MINUTES: u64 = 60;

pub(crate) fn run(options: &[String]) -> Result<ExitCode, Problem> {
    let minutes = match options {
        [] => MINUTES,
        [minutes] => minutes.parse().map_err(|_| usage())?,
        _ => return Err(usage()),
    };
    let length = Duration::from_secs(minutes.saturating_mul(60));
    let begun = Instant::now();
    let mut rounds = 0_u64;
    while rounds == 0 || begun.elapsed() < length {
        rounds = rounds.saturating_add(1);
        println!("soak: round {rounds}, {} s of {} s", begun.elapsed().as_secs(), length.as_secs());
        if !round()? {
            println!("soak: round {rounds} failed after {} s", begun.elapsed().as_secs());
            return Ok(ExitCode::FAILURE);
        }
    }
    println!("soak: {rounds} rounds passed in {} s", begun.elapsed().as_secs());
    Ok(ExitCode::SUCCESS)
}

fn usage() -> Problem {
    Problem::Usage("`soak` takes a number of minutes, such as `cargo xtask soak 10`".to_owned())
}

/// Every test of the crates once; properties draw [`CASES`] new cases. Then the fuzz targets for as long as that took.
fn round() -> Result<bool, Problem> {
    let begun = Instant::now();
    let mut arguments = vec!["test", "--quiet"];
    for name in CRATES {
        arguments.extend(["--package", name]);
    }
    let mut command = cargo::cargo(&arguments);
    let status = command.env("PROPTEST_CASES", CASES).status();
    if !status.map_err(Problem::run("cargo test"))?.success() {
        return Ok(false);
    }
    Ok(fuzz::soak(begun.elapsed())?.failed == 0)
}
