//! One act on many accounts: how long it takes, how much memory, and what a second run does.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use test_ground::{Failure, Machine};

use crate::bench::Length;
use crate::bench::figures::{Spread, Table, Unit};
use crate::bench::site::{Site, Users};
use crate::problem::Problem;

const TITLE: &str = "Many accounts by one command: time and peak memory";
const RUNS: [&str; 2] = ["first run", "the same again"];
const NOTE: &str = "\
Ours alone, on this disk: `countersign user enable --from-file` makes the accounts, each with a record of its own, then
`user enforce` changes all of them; `user list --json` reads them. What is as asked already is not written again.";
/// How often the memory of the program is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What one run came to.
struct Run {
    seconds: f64,
    mebibytes: f64,
}

/// Measures making, changing and listing.
pub(super) fn table(machine: &Machine, length: Length) -> Result<Table, Problem> {
    let count = length.accounts_of_bulk();
    eprintln!("bench: one command for {count} accounts");
    let first = Users { family: "first", count: 1, password: "" };
    let site = Site::set_up(machine, "bulk", "local", first)?;
    let file = users_of_file(machine, count)?;
    let file = file.display().to_string();
    let mut table = Table::new(TITLE, &RUNS, &[], NOTE);
    let many = ["--from-file", file.as_str(), "--create", "--yes"];
    for (name, command) in [("made from a file", "enable"), ("changed", "enforce")] {
        let words = [&["user", command], &many[..]].concat();
        add(&mut table, &format!("{count} {name}"), &[run(&site, &words)?, run(&site, &words)?]);
    }
    let list = ["user", "list", "--json"];
    add(&mut table, &format!("{count} listed"), &[run(&site, &list)?, run(&site, &list)?]);
    Ok(table)
}

fn users_of_file(machine: &Machine, count: usize) -> Result<PathBuf, Problem> {
    let lines: String = (0..count).map(|number| format!("user{number:07}\n")).collect();
    let file = machine.new_folder("bulk")?.join("users.csv");
    machine.write(&file, &lines)?;
    Ok(file)
}

fn add(table: &mut Table, name: &str, runs: &[Run; 2]) {
    let figures = |figure: fn(&Run) -> f64| runs.iter().map(|run| Some(Spread::one(figure(run)))).collect();
    table.add(name, Unit::Seconds, figures(|run| run.seconds));
    table.add(name, Unit::Mebibytes, figures(|run| run.mebibytes));
}

/// Runs the command to its end; it must succeed.
fn run(site: &Site, words: &[&str]) -> Result<Run, Problem> {
    let mut command = Command::new("countersign");
    command.arg("--config").arg(&site.settings).args(words).stdin(Stdio::null()).stdout(Stdio::null());
    let failed = |source| Failure::Start { command: words.join(" "), source };
    let begun = Instant::now();
    let mut child = command.stderr(Stdio::null()).spawn().map_err(failed)?;
    let mut kibibytes = 0;
    loop {
        kibibytes = kibibytes.max(peak_kibibytes(&child));
        if let Some(status) = child.try_wait().map_err(failed)? {
            let seconds = begun.elapsed().as_secs_f64();
            if !status.success() {
                let (command, output) = (words.join(" "), String::new());
                return Err(Failure::Ended { command, status, output }.into());
            }
            return Ok(Run { seconds, mebibytes: f64::from(kibibytes) / 1024.0 });
        }
        thread::sleep(LOOK);
    }
}

/// What the kernel has seen of its memory at most (proc(5): `VmHWM`); nothing once it has ended.
fn peak_kibibytes(child: &Child) -> u32 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
