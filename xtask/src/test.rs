//! `cargo xtask test`: the unit tests and the fuzz targets as whoever calls, each suite of `tests/tests/` in a copy of its
//! own.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Instant;

use crate::cargo;
use crate::fuzz;
use crate::problem::Problem;
use crate::suites::{self, Tally};

/// The name under which the tests inside the crates are asked for.
const UNIT: &str = "unit";

pub(crate) fn run(asked: &[String]) -> Result<ExitCode, Problem> {
    let on_ground = suites_on_ground()?;
    for name in asked {
        if name != UNIT && name != fuzz::SUITE && !on_ground.contains(name) {
            let known = on_ground.iter().cloned().collect::<Vec<_>>().join(", ");
            return Err(Problem::Usage(format!(
                "there is no suite `{name}`; there are {UNIT}, {}, {known}",
                fuzz::SUITE
            )));
        }
    }
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    let mut tally = Tally::default();
    if wanted(UNIT) {
        tally.add(unit()?);
    }
    if wanted(fuzz::SUITE) {
        tally.add(fuzz::among_tests()?);
    }
    let on_ground: Vec<String> = on_ground.into_iter().filter(|name| wanted(name)).collect();
    let mut in_short = Vec::new();
    if !on_ground.is_empty() {
        let results = suites::run(&on_ground)?;
        tally.add(results.tally);
        in_short = results.in_short;
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    in_short.iter().for_each(|words| println!("{words}"));
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The name of a file in `tests/tests/` is the name of a suite.
fn suites_on_ground() -> Result<BTreeSet<String>, Problem> {
    let folder = cargo::repository().join("tests/tests");
    let reading = || Problem::run(format!("ls {}", folder.display()));
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).map_err(reading())? {
        let path = entry.map_err(reading())?.path();
        if let (Some(name), true) =
            (path.file_stem(), path.extension().is_some_and(|extension| extension == "rs"))
        {
            names.insert(name.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// All crates' own tests. Those of the crate `tests` are the suites, but for its library's.
fn unit() -> Result<Tally, Problem> {
    let runs: [&[&str]; 2] =
        [&["test", "--workspace", "--exclude", "tests"], &["test", "--package", "tests", "--lib"]];
    let begun = Instant::now();
    let mut tally = Tally::default();
    for run in runs {
        tally.add(one_run(run)?);
    }
    let verdict = if tally.failed == 0 { "ok" } else { "FAILED" };
    let (passed, failed) = (tally.passed, tally.failed);
    let seconds = begun.elapsed().as_secs_f32();
    println!(
        "{UNIT:<12} test result: {verdict}. {passed} passed; {failed} failed; finished in {seconds:.2}s"
    );
    Ok(tally)
}

fn one_run(arguments: &[&str]) -> Result<Tally, Problem> {
    let spelled = format!("cargo {}", arguments.join(" "));
    eprintln!("{UNIT}: {spelled}");
    let log = cargo::place()?.target.join("unit-tests.txt");
    let file = File::create(&log).map_err(Problem::run(&spelled))?;
    let mut command = cargo::cargo(arguments);
    command.arg("--no-fail-fast").stdin(Stdio::null()).stdout(file);
    let status = command.status().map_err(Problem::run(&spelled))?;
    let output = read(&log)?;
    let mut tally = Tally::read(&output);
    if !status.success() {
        println!("{output}");
        // Code that does not compile has no test that could fail.
        tally.failed = tally.failed.max(1);
    }
    Ok(tally)
}

fn read(log: &Path) -> Result<String, Problem> {
    fs::read_to_string(log).map_err(Problem::run(format!("cat {}", log.display())))
}
