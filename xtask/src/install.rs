//! `cargo xtask install` and `uninstall`: the module, the programs and what they need, placed on this machine or below
//! a folder. No PAM stack of the machine is touched: what is to be written there is printed.

mod files;
mod placing;
mod serving;
pub(crate) mod stacks;

use std::env;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::cargo;
use crate::ground::announce;
use crate::problem::Problem;

/// Our first arguments when we run again as root for this.
pub(crate) const INSTALL_AS_ROOT: &str = "install-as-root";
/// See [`INSTALL_AS_ROOT`].
pub(crate) const UNINSTALL_AS_ROOT: &str = "uninstall-as-root";

/// The administrator's: settings, the stack for first passwords and state, which only `--purge` removes.
const KEPT: [&str; 3] = ["/etc/countersign", files::PRIMARY_STACK, "/var/lib/countersign"];

/// Why an installation stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    /// A file could not be read, written, made or removed.
    #[error("could not {operation} {}", path.display())]
    File {
        /// The verb.
        operation: &'static str,
        /// The culprit.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No folder of this machine holds PAM modules.
    #[error(
        "no folder of this machine has pam_unix.so, so the module's place is unknown: is Linux-PAM installed?"
    )]
    NoModuleFolder,
    /// Removing the module would lock people out.
    #[error(
        "{0} still names pam_countersign.so, and without it nobody gets in there: take the line out first, or say --force"
    )]
    StillNamed(String),
    /// The server would go on with files that are gone, and systemd with a unit that is.
    #[error("{why}: run 'systemctl disable --now {units}' first")]
    StillServing {
        /// What is still running, or would start.
        why: String,
        /// What belongs to it.
        units: &'static str,
    },
    /// Nobody has said that key and store may go.
    #[error("nothing was removed: --purge takes the master key and all accounts with it; say --purge --yes")]
    NotAgreed,
    /// The question got no answer.
    #[error("could not read the answer")]
    Answer(#[source] io::Error),
}

impl InstallError {
    fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { operation, path, source }
    }
}

/// Where the programs come from.
#[derive(Debug, PartialEq, Eq)]
enum Programs {
    /// They are built now, with this profile.
    Built(&'static str),
    /// They are in a folder already.
    In(PathBuf),
}

pub(crate) fn install(arguments: &[String]) -> Result<ExitCode, Problem> {
    let mut words = arguments.iter().map(String::as_str);
    let (mut destination, mut programs) = (PathBuf::from("/"), Programs::Built("release"));
    while let Some(word) = words.next() {
        match word {
            "--destdir" => destination = folder(word, words.next())?,
            "--debug" => programs = Programs::Built("dev"),
            "--from" => programs = Programs::In(folder(word, words.next())?),
            _ => return Err(unknown("install [--destdir FOLDER] [--debug | --from FOLDER]", word)),
        }
    }
    let programs = match programs {
        Programs::Built(profile) => build(profile)?,
        Programs::In(folder) => folder,
    };
    let again = [INSTALL_AS_ROOT.as_ref(), destination.as_os_str(), programs.as_os_str()];
    let step = "placing the module, the programs, the unit and the examples";
    match as_root_or_here(&destination, step, &again)? {
        Hands::Roots(status) => Ok(status),
        Hands::Ours => install_as_root(&destination, &programs),
    }
}

/// The part that may need root.
pub(crate) fn install_as_root(destination: &Path, programs: &Path) -> Result<ExitCode, Problem> {
    let placed = place(destination, programs)?;
    println!("Placed:");
    for file in placed {
        println!("  {}", file.display());
    }
    if destination == Path::new("/") {
        println!("\n{}", stacks::NEXT_STEPS);
    }
    Ok(ExitCode::SUCCESS)
}

/// Places everything and says where.
pub(crate) fn place(destination: &Path, programs: &Path) -> Result<Vec<PathBuf>, InstallError> {
    let pieces = files::pieces(programs)?;
    placing::place_all(destination, &pieces)
}

pub(crate) fn uninstall(arguments: &[String]) -> Result<ExitCode, Problem> {
    let mut words = arguments.iter().map(String::as_str);
    let mut destination = PathBuf::from("/");
    let mut flags = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "--destdir" => destination = folder(word, words.next())?,
            "--purge" | "--force" | "--yes" => flags.push(word),
            _ => return Err(unknown("uninstall [--destdir FOLDER] [--purge [--yes]] [--force]", word)),
        }
    }
    let mut again = vec![UNINSTALL_AS_ROOT.as_ref(), destination.as_os_str()];
    again.extend(flags.iter().map(AsRef::<std::ffi::OsStr>::as_ref));
    match as_root_or_here(&destination, "removing what `install` has placed", &again)? {
        Hands::Roots(status) => Ok(status),
        Hands::Ours => uninstall_as_root(&destination, &flags),
    }
}

/// The part that may need root; `flags` are `--purge`, `--yes` and `--force`, or fewer.
pub(crate) fn uninstall_as_root<S: AsRef<str>>(destination: &Path, flags: &[S]) -> Result<ExitCode, Problem> {
    let is_asked = |flag: &str| flags.iter().any(|asked| asked.as_ref() == flag);
    let naming = stacks::naming_the_module(destination);
    if !naming.is_empty() && !is_asked("--force") {
        let files: Vec<String> = naming.iter().map(|file| file.display().to_string()).collect();
        return Err(InstallError::StillNamed(files.join(", ")).into());
    }
    if let Some((why, units)) = serving::still_serving(destination) {
        return Err(InstallError::StillServing { why, units }.into());
    }
    if is_asked("--purge") && !is_asked("--yes") {
        ask_for_purge(destination)?;
    }
    for file in placing::remove_all(destination)? {
        println!("removed {}", file.display());
    }
    for kept in KEPT.map(|kept| placing::below(destination, Path::new(kept))) {
        match (kept.exists(), is_asked("--purge")) {
            (true, true) => {
                remove(&kept).map_err(InstallError::file("remove", &kept))?;
                println!("removed {}", kept.display());
            }
            (true, false) => println!("kept    {}: --purge removes it", kept.display()),
            (false, _) => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is purged comes back with nothing but a backup.
fn ask_for_purge(destination: &Path) -> Result<(), InstallError> {
    let kept = KEPT.map(|kept| placing::below(destination, Path::new(kept)));
    let names: Vec<String> =
        kept.iter().filter(|kept| kept.exists()).map(|kept| kept.display().to_string()).collect();
    if names.is_empty() {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(InstallError::NotAgreed);
    }
    eprint!("Remove {} with the master key and all accounts? [y/N] ", names.join(", "));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(InstallError::Answer)?;
    let is_yes = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if is_yes { Ok(()) } else { Err(InstallError::NotAgreed) }
}

/// A folder goes with all that is in it.
fn remove(kept: &Path) -> io::Result<()> {
    if kept.is_dir() { fs::remove_dir_all(kept) } else { fs::remove_file(kept) }
}

/// Who does the work.
enum Hands {
    Ours,
    /// Root, by sudo; it ended so.
    Roots(ExitCode),
}

/// The machine itself belongs to root; a folder belongs to whoever named it.
fn as_root_or_here(destination: &Path, step: &str, again: &[&std::ffi::OsStr]) -> Result<Hands, Problem> {
    if nix::unistd::Uid::effective().is_root() || destination != Path::new("/") {
        return Ok(Hands::Ours);
    }
    announce(step);
    let own = env::current_exe().map_err(Problem::run("xtask"))?;
    let status = Command::new("sudo").arg("--").arg(own).args(again).status();
    let succeeded = status.map_err(Problem::run("sudo"))?.success();
    Ok(Hands::Roots(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

/// Builds the doors and says where they are.
fn build(profile: &str) -> Result<PathBuf, Problem> {
    eprintln!("install: building with the profile `{profile}`");
    cargo::build_programs(profile)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(cargo::place()?.target.join(folder))
}

/// An absolute folder from the command line.
fn folder(option: &str, word: Option<&str>) -> Result<PathBuf, Problem> {
    let word = word.ok_or_else(|| Problem::Usage(format!("{option} needs a folder")))?;
    std::path::absolute(word).map_err(Problem::run(word))
}

fn unknown(usage: &str, word: &str) -> Problem {
    Problem::Usage(format!("`{word}` is not understood: cargo xtask {usage}"))
}
