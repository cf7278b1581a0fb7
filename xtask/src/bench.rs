//! `cargo xtask bench`: a login at each door beside the peer that administrators use today, in one run, in a throw-away
//! copy of this machine. Rows are reported whatever they are.

mod bulk;
mod contestants;
mod crowd;
mod durable;
mod figures;
mod job;
mod machine;
mod pam;
mod part;
mod radius;
mod site;
mod timing;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nix::sys::statvfs::statvfs;
use serde::{Deserialize, Serialize};
use test_ground::ground::{Ground, rooted};

use crate::cargo;
use crate::ground::announce;
use crate::problem::Problem;
use figures::Report;
use part::Part;

/// Our first argument when we run again as root for this.
pub(crate) const AS_ROOT: &str = "bench-as-root";
/// Our first argument when we run again in the copy.
pub(crate) const IN_COPY: &str = "bench-in-copy";

/// What one account takes of the disk with all contestants together.
const OCTETS_OF_AN_ACCOUNT: u64 = 3_000;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Options {
    length: Length,
    form: Form,
    /// More accounts than these are left out.
    accounts_max: usize,
    /// In the order of [`Part::ALL`].
    parts: Vec<Part>,
}

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Length {
    /// Few accounts, few rounds.
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

    /// How many accounts one command makes and changes.
    const fn accounts_of_bulk(self) -> usize {
        match self {
            Self::Short => 10_000,
            Self::Long => 100_000,
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

impl Options {
    fn read(words: &[String]) -> Result<Self, Problem> {
        let (length, form, accounts_max) = (Length::Short, Form::Text, usize::MAX);
        let mut options = Self { length, form, accounts_max, parts: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match (word.as_str(), Part::named(word)) {
                ("--long", _) => options.length = Length::Long,
                ("--json", _) => options.form = Form::Json,
                ("--up-to", _) => options.accounts_max = number(words.next())?,
                (_, Some(part)) => options.parts.push(part),
                (_, None) => {
                    return Err(Problem::Usage(format!("`{word}` is no part of it\n\n{}", part::HELP)));
                }
            }
        }
        let is_asked = |part: &Part| options.parts.is_empty() || options.parts.contains(part);
        options.parts = Part::ALL.into_iter().filter(is_asked).collect();
        Ok(options)
    }

    /// Among how many accounts a PAM login is measured.
    fn accounts(&self) -> impl Iterator<Item = usize> {
        let all = self.length.accounts().iter().copied();
        all.filter(|accounts| *accounts <= self.accounts_max)
    }
}

fn number(word: Option<&String>) -> Result<usize, Problem> {
    let number = word.and_then(|word| word.parse().ok()).filter(|number| *number >= pam::FEW);
    number.ok_or_else(|| {
        Problem::Usage(format!("`--up-to` takes a number from {}, such as `--up-to 100000`", pam::FEW))
    })
}

pub(crate) fn run(words: &[String]) -> Result<ExitCode, Problem> {
    if words.iter().any(|word| matches!(word.as_str(), "--help" | "-h")) {
        println!("{}", part::HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options::read(words)?;
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
    let disk = OwnDisk::open(place.target.join("ground/bench"))?;
    let asked: Options = serde_json::from_str(options).map_err(unreadable)?;
    if asked.parts.contains(&Part::Pam) {
        disk.has_room_for(asked.accounts().max().unwrap_or_default())?;
    }
    let own = env::current_exe().map_err(Problem::run("xtask"))?;
    let ground = Ground::prepare(place)?;
    let words = [own.as_os_str(), IN_COPY.as_ref(), options.as_ref()];
    let status = ground.command_with_disk(&words, &disk.0)?.status().map_err(Problem::run("the copy"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A folder that is empty at the beginning, and gone at the end.
struct OwnDisk(PathBuf);

impl OwnDisk {
    fn open(folder: PathBuf) -> Result<Self, Problem> {
        let made = clear(&folder).and_then(|()| fs::create_dir_all(&folder));
        made.map_err(Problem::run(format!("mkdir {}", folder.display())))?;
        Ok(Self(folder))
    }

    fn has_room_for(&self, accounts: usize) -> Result<(), Problem> {
        let found = statvfs(&self.0).map_err(|error| Problem::run("statvfs")(error.into()))?;
        let free = found.blocks_available().saturating_mul(found.fragment_size());
        let needed = u64::try_from(accounts).unwrap_or(u64::MAX).saturating_mul(OCTETS_OF_AN_ACCOUNT);
        let [free, needed] = [free, needed].map(|octets| octets.div_euclid(1_000_000));
        if free > needed {
            return Ok(());
        }
        let folder = self.0.display();
        let text = format!("{folder} has {free} MB, and {accounts} accounts need {needed} MB: see `--up-to`");
        Err(Problem::Usage(text))
    }
}

impl Drop for OwnDisk {
    fn drop(&mut self) {
        if let Err(error) = clear(&self.0) {
            eprintln!("bench: could not remove {}: {error}", self.0.display());
        }
    }
}

/// Removes a folder, if it is there.
fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The part that runs in the copy.
pub(crate) fn in_copy(options: &str) -> Result<ExitCode, Problem> {
    let options: Options = serde_json::from_str(options).map_err(unreadable)?;
    let machine = test_ground::Machine::here()?;
    site::prepare(&machine)?;
    let tables = options.parts.iter().map(|part| part.table(&machine, &options));
    let tables = tables.collect::<Result<Vec<_>, _>>()?;
    let report = Report { machine: machine::facts()?, tables };
    match options.form {
        Form::Text => println!("{report}"),
        Form::Json => println!("{}", serde_json::to_string_pretty(&report).map_err(unreadable)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn unreadable(source: serde_json::Error) -> Problem {
    Problem::Unreadable { from: "xtask bench", source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::read(&words).map_err(|problem| problem.to_string())
    }

    #[test]
    fn parts_run_in_their_order_and_without_any_all_of_them() {
        assert!(read("").is_ok_and(|options| options.parts == Part::ALL && options.length == Length::Short));
        let options = read("timing --long --up-to 100000 pam").expect("options");
        assert_eq!(options.parts, [Part::Pam, Part::Timing]);
        assert_eq!(options.accounts().collect::<Vec<_>>(), [10, 1000, 100_000]);
    }

    #[test]
    fn a_wrong_word_is_told() {
        assert!(read("papm").is_err_and(|problem| problem.starts_with("`papm` is no part of it")));
        assert!(read("--up-to many").is_err_and(|problem| problem.contains("--up-to 100000")));
    }
}
