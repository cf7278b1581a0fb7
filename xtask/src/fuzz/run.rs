//! Runs targets side by side, and says what each came to.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::cargo;
use crate::fuzz::build::build;
use crate::problem::Problem;
use crate::suites::Tally;

/// A datagram of RADIUS has no more; nothing else needs more to show what it does.
const INPUT_OCTETS_MAX: &str = "4096";
/// An input that takes longer is a finding; of a busy machine it may take much.
const INPUT_SECONDS_MAX: &str = "60";
/// The end of a log that is shown where something was found.
const LINES_SHOWN: usize = 60;

/// The program with all targets, and where it keeps what it finds.
pub(super) struct Fuzzer {
    program: PathBuf,
    /// Under the target folder: inputs that reached something new, kept for the next time; crashes; logs.
    folder: PathBuf,
}

/// What a run of one target came to.
struct Outcome {
    name: String,
    passed: bool,
    log: String,
}

impl Fuzzer {
    pub(super) fn build() -> Result<Self, Problem> {
        Ok(Self { program: build()?, folder: cargo::place()?.target.join("fuzz") })
    }

    pub(super) fn at_once(&self) -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }

    /// Runs each of the targets for so many seconds.
    pub(super) fn run(&self, targets: &[String], seconds: u64) -> Result<Tally, Problem> {
        eprintln!("fuzz: {} for {seconds} s each, {} at once", targets.join(", "), self.at_once());
        let queue: Mutex<VecDeque<&String>> = Mutex::new(targets.iter().collect());
        let tally = Mutex::new(Tally::default());
        let work = || -> Result<(), Problem> {
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(name) = next else { return Ok(()) };
                let outcome = self.run_one(name, seconds)?;
                self.show(&outcome);
                tally.lock().unwrap_or_else(PoisonError::into_inner).add(outcome.tally());
            }
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..self.at_once()).map(|_| scope.spawn(work)).collect();
            let mut ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
            ended.try_for_each(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn run_one(&self, name: &str, seconds: u64) -> Result<Outcome, Problem> {
        let (found, seeds) = (self.made("corpus", name)?, cargo::repository().join("fuzz/corpus").join(name));
        let log = self.made("logs", "")?.join(format!("{name}.txt"));
        let file = File::create(&log).map_err(Problem::run(format!("touch {}", log.display())))?;
        let both = file.try_clone().map_err(Problem::run("dup"))?;
        let mut command = Command::new(&self.program);
        command.arg(format!("--target={name}")).arg(format!("-max_total_time={seconds}"));
        command.arg(format!("-max_len={INPUT_OCTETS_MAX}")).arg(format!("-timeout={INPUT_SECONDS_MAX}"));
        command.arg(format!("-artifact_prefix={}/", self.made("crashes", name)?.display()));
        // New inputs go into the first folder; both are read.
        command.arg("-print_final_stats=1").args([found, seeds]);
        command.stdin(Stdio::null()).stdout(file).stderr(both);
        let status = command.status().map_err(Problem::run(self.program.display().to_string()))?;
        let log = fs::read(&log).map_err(Problem::run(format!("cat {}", log.display())))?;
        let log = String::from_utf8_lossy(&log).into_owned();
        Ok(Outcome { name: name.to_owned(), passed: status.success(), log })
    }

    /// A folder of our own, made if need be.
    fn made(&self, what: &str, name: &str) -> Result<PathBuf, Problem> {
        let folder = self.folder.join(what).join(name);
        fs::create_dir_all(&folder).map_err(Problem::run(format!("mkdir {}", folder.display())))?;
        Ok(folder)
    }

    fn show(&self, outcome: &Outcome) {
        println!("{}", outcome.line());
        if outcome.passed {
            return;
        }
        let Outcome { name, log, .. } = outcome;
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(LINES_SHOWN);
        println!("---- {name} ----\n{}\n----", lines.get(from..).unwrap_or_default().join("\n"));
        println!(
            "the input is in {}: copy it to fuzz/corpus/{name}/, where `cargo test --package fuzz` runs it again, \
             and leave it there when the fault is mended",
            self.folder.join("crashes").join(name).display()
        );
    }
}

impl Outcome {
    fn tally(&self) -> Tally {
        if self.passed { Tally { passed: 1, failed: 0 } } else { Tally { passed: 0, failed: 1 } }
    }

    fn line(&self) -> String {
        let verdict = if self.passed { "ok" } else { "FAILED" };
        let statistic = |name: &str| last_after(&self.log, name).unwrap_or("?").to_owned();
        let (runs, speed) =
            (statistic("stat::number_of_executed_units:"), statistic("stat::average_exec_per_sec:"));
        // ` cov: 468 ft: 1186 corp: 269/19Kb`: edges, edges with how often each was taken, inputs kept.
        let (edges, features) = (statistic(" cov:"), statistic(" ft:"));
        format!(
            "fuzz {:<18} {verdict}. {runs} inputs, {speed} a second; {edges} edges, {features} features",
            self.name
        )
    }
}

/// The word after the last place of this text.
fn last_after<'a>(log: &'a str, text: &str) -> Option<&'a str> {
    log.rsplit_once(text).and_then(|(_, rest)| rest.split_whitespace().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_the_log_does() {
        let log = "#2\tINITED cov: 67 ft: 67 corp: 1/1b exec/s: 0 rss: 30Mb\n\
                   #99\tDONE   cov: 90 ft: 250 corp: 55/3690b lim: 4096 exec/s: 125461 rss: 31Mb\n\
                   stat::number_of_executed_units: 99\nstat::average_exec_per_sec:     33\n";
        let outcome = Outcome { name: "packet".to_owned(), passed: true, log: log.to_owned() };
        assert_eq!(
            outcome.line(),
            "fuzz packet             ok. 99 inputs, 33 a second; 90 edges, 250 features"
        );
        assert_eq!(Outcome { passed: false, ..outcome }.tally(), Tally { passed: 0, failed: 1 });
    }
}
