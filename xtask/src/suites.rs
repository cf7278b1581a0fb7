//! Runs suites side by side, each in a fresh copy of the machine. Building is done by whoever calls; what needs root is
//! one process that reports by a line of JSON for each suite.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use test_ground::ground::{Ground, rooted};
use test_ground::{IN_SHORT, MEASURED, wait_for};

use crate::cargo;
use crate::ground::announce;
use crate::host::HostState;
use crate::problem::Problem;

/// Our first argument when we run again as root for this.
pub(crate) const AS_ROOT: &str = "suites-as-root";

/// A suite that takes longer hangs.
const SUITE_SECONDS: u64 = 600;

/// Numbers of tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

/// A suite to be run.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Suite {
    name: String,
    program: PathBuf,
}

/// A suite that has been run.
#[derive(Debug, Serialize, Deserialize)]
struct Report {
    name: String,
    tally: Tally,
    closing_line: String,
    /// What it has measured, in its own words.
    measured: Vec<String>,
    in_short: Vec<String>,
    seconds: f32,
    output: PathBuf,
}

/// What all suites of a run came to.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) tally: Tally,
    /// What belongs at the very end, because it says it all.
    pub(crate) in_short: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
    }

    /// Adds up the closing lines of test programs: `test result: ok. 3 passed; 0 failed; …`.
    pub(crate) fn read(output: &str) -> Self {
        let mut tally = Self::default();
        for line in output.lines().filter(|line| line.starts_with("test result: ")) {
            let words: Vec<&str> = line.split(' ').collect();
            let before = |word: &str| {
                let pair = words.windows(2).find(|pair| pair.last() == Some(&word));
                pair.and_then(<[&str]>::first).and_then(|number| number.parse().ok()).unwrap_or(0)
            };
            tally.add(Self { passed: before("passed;"), failed: before("failed;") });
        }
        tally
    }
}

/// Builds and runs these suites; each report is printed as it comes.
pub(crate) fn run(names: &[String]) -> Result<Results, Problem> {
    cargo::build_programs("dev")?;
    cargo::build_panicking_module()?;
    let built = cargo::build_suites(names)?;
    let suites: Vec<Suite> = built.into_iter().map(|(name, program)| Suite { name, program }).collect();
    let list = serde_json::to_string(&suites).map_err(unreadable)?;
    announce(
        "installing the test packages into a kept layer under the target folder, and running the suites in copies",
    );
    let mut runner = rooted(&[AS_ROOT, &list]).map_err(Problem::run("xtask"))?;
    let mut runner = runner.stdout(Stdio::piped()).spawn().map_err(Problem::run("xtask"))?;
    let before = HostState::read();
    let mut results = Results::default();
    let mut reported = 0_usize;
    if let Some(reports) = runner.stdout.take() {
        for line in BufReader::new(reports).lines() {
            let line = line.map_err(Problem::run("xtask"))?;
            let report: Report = serde_json::from_str(&line).map_err(unreadable)?;
            show(&report)?;
            results.tally.add(report.tally);
            results.in_short.extend(report.in_short.iter().map(|words| format!("{}: {words}", report.name)));
            reported = reported.saturating_add(1);
        }
    }
    let status = runner.wait().map_err(Problem::run("xtask"))?;
    results.tally.add(host_unchanged_since(&before));
    match status.success() && reported == names.len() {
        true => Ok(results),
        false => Err(Problem::Failed("the run of the suites".to_owned())),
    }
}

/// The part that needs root: `list` is JSON.
pub(crate) fn as_root(list: &str) -> Result<ExitCode, Problem> {
    let suites: VecDeque<Suite> = serde_json::from_str(list).map_err(unreadable)?;
    let place = cargo::place()?;
    let outputs = place.target.join("ground/output");
    let ground = Ground::prepare(place)?;
    fs::create_dir_all(&outputs).map_err(Problem::run(format!("mkdir {}", outputs.display())))?;
    let queue = Mutex::new(suites);
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    let work = || -> Result<(), Problem> {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(suite) = next else { return Ok(()) };
            let report = one_suite(&ground, &suite, &outputs)?;
            let line = serde_json::to_string(&report).map_err(unreadable)?;
            writeln!(std::io::stdout(), "{line}").map_err(Problem::run("xtask"))?;
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        let mut ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ended.try_for_each(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn one_suite(ground: &Ground, suite: &Suite, outputs: &Path) -> Result<Report, Problem> {
    eprintln!("{}: running", suite.name);
    let begun = Instant::now();
    let path = outputs.join(format!("{}.txt", suite.name));
    let file = File::create(&path).map_err(Problem::run(format!("touch {}", path.display())))?;
    let both = file.try_clone().map_err(Problem::run("dup"))?;
    let mut command = ground.command(&[&suite.program])?;
    let child = command.stdin(Stdio::null()).stdout(file).stderr(both).spawn();
    let ended_well = ends_well(child.map_err(Problem::run(&suite.name))?);
    let output = fs::read(&path).map_err(Problem::run(format!("cat {}", path.display())))?;
    let output = String::from_utf8_lossy(&output);
    let closing_line = output.lines().rev().find(|line| line.starts_with("test result: "));
    let mut tally = Tally::read(&output);
    if !ended_well || closing_line.is_none() {
        tally.failed = tally.failed.max(1);
    }
    Ok(Report {
        name: suite.name.clone(),
        tally,
        closing_line: closing_line.unwrap_or("test result: FAILED. ended without a result").to_owned(),
        measured: said(&output, MEASURED),
        in_short: said(&output, IN_SHORT),
        seconds: begun.elapsed().as_secs_f32(),
        output: path,
    })
}

/// The lines that begin so, without that.
fn said(output: &str, beginning: &str) -> Vec<String> {
    output.lines().filter_map(|line| line.strip_prefix(beginning)).map(str::to_owned).collect()
}

/// Waits for a suite, and ends it when it hangs.
fn ends_well(mut child: Child) -> bool {
    let ended = wait_for("the end of a suite", SUITE_SECONDS, || match child.try_wait() {
        Ok(Some(status)) => Ok(status.success()),
        Ok(None) => Err("it still runs".to_owned()),
        Err(error) => Err(error.to_string()),
    });
    ended.unwrap_or_else(|hangs| {
        eprintln!("{hangs}");
        // The copy goes with this process; if it has ended meanwhile, all is well.
        let _ = child.kill();
        let _ = child.wait();
        false
    })
}

/// Counts as one more test.
fn host_unchanged_since(before: &HostState) -> Tally {
    let changed = HostState::read().changed_since(before);
    for path in &changed {
        println!("{} of this machine has changed during the run", path.display());
    }
    let (verdict, tally) = match changed.as_slice() {
        [] => ("ok", Tally { passed: 1, failed: 0 }),
        [_, ..] => ("FAILED", Tally { passed: 0, failed: 1 }),
    };
    println!(
        "{:<12} test result: {verdict}. {} passed; {} failed; nothing of this machine may change",
        "host", tally.passed, tally.failed
    );
    tally
}

fn show(report: &Report) -> Result<(), Problem> {
    if report.tally.failed > 0 {
        let path = &report.output;
        let output = fs::read(path).map_err(Problem::run(format!("cat {}", path.display())))?;
        println!("---- {} ----\n{}----", report.name, String::from_utf8_lossy(&output));
    }
    println!("{:<12} {} ({:.1} s with its copy)", report.name, report.closing_line, report.seconds);
    for words in &report.measured {
        println!("{:<12} {words}", "");
    }
    Ok(())
}

fn unreadable(source: serde_json::Error) -> Problem {
    Problem::Unreadable { from: "xtask", source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up() {
        let output = "test a ... ok\ntest result: ok. 3 passed; 0 failed; 1 ignored; finished in 0.01s\n\
                      test result: FAILED. 2 passed; 1 failed; 0 ignored\n";
        assert_eq!(Tally::read(output), Tally { passed: 5, failed: 1 });
    }

    #[test]
    fn what_a_test_prints_counts_for_nothing() {
        assert_eq!(Tally::read("it said test result: ok. 9 passed; 0 failed;\n"), Tally::default());
    }
}
