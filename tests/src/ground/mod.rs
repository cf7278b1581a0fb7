//! Throw-away copies of the machine: an overlay of `/` in namespaces of its own, gone with its last process.
//!
//! Nothing of the host is changed and nothing is started on it. What needs root is in two places only: [`Ground`],
//! which [`rooted`] starts, and the first process of each copy, [`first_process`].

mod copy;
mod devices;
mod layer;
mod packages;
mod process;

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use copy::{Blueprint, Changes, Network};
use layer::Layer;
pub use process::first_process;

/// First argument of our own executable when it is to become the first process of a copy.
pub const FIRST_PROCESS: &str = "ground-first-process";

/// Where suites find the built programs: the name of an environment variable that holds a folder.
pub const PROGRAMS: &str = "COUNTERSIGN_BIN_DIR";

/// Where a copy sees the folder that it may write to, if it was given one.
pub const DISK: &str = "/mnt";

/// What programs in a copy find in their environment, whoever started the run.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("HOME", "/root"),
    ("LANG", "C.UTF-8"),
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("RUST_BACKTRACE", "0"),
];

/// A file that exists in copies only; the tools that change a machine refuse to work without it.
pub(crate) const MARK: &str = "/run/countersign-ground";

/// The folders of the host that a run works with. Copies see the first two, read-only and under their own names.
#[derive(Clone, Debug)]
pub struct Place {
    /// The checkout.
    pub repository: PathBuf,
    /// Cargo's target folder; what the ground keeps is in its `ground/`.
    pub target: PathBuf,
    /// Where in it the built programs are.
    pub programs: PathBuf,
}

/// What all copies of one run have in common.
#[derive(Debug)]
pub struct Ground {
    place: Place,
    layer: Layer,
}

impl Ground {
    /// Finds the kept layer of Debian packages, or builds it. Needs root and a private mount namespace (see [`rooted`]).
    pub fn prepare(place: Place) -> Result<Self, Failure> {
        if !nix::unistd::Uid::effective().is_root() || shares_mounts_with_parent()? {
            return Err(Failure::NotRoot);
        }
        let layer = Layer::find_or_build(&place)?;
        Ok(Self { place, layer })
    }

    /// A command that runs `program` as root in a fresh copy; the copy is gone when it ends, or when its caller does.
    pub fn command<S: AsRef<OsStr>>(&self, program: &[S]) -> Result<Command, Failure> {
        self.command_with(program, None)
    }

    /// As [`Ground::command`], with a folder of the host at [`DISK`] that can be written to: a real disk, where a copy
    /// has memory only. What is in it stays.
    pub fn command_with_disk<S: AsRef<OsStr>>(
        &self,
        program: &[S],
        folder: &Path,
    ) -> Result<Command, Failure> {
        self.command_with(program, Some(folder.to_owned()))
    }

    fn command_with<S: AsRef<OsStr>>(
        &self,
        program: &[S],
        disk: Option<PathBuf>,
    ) -> Result<Command, Failure> {
        let blueprint = Blueprint {
            lower: self.layer.lower.clone(),
            changes: Changes::InMemory,
            network: Network::LoopbackOnly,
            scratch: scratch(&self.place)?,
            shown: vec![self.place.repository.clone(), self.place.target.clone()],
            disk,
        };
        let mut command = blueprint.command(program)?;
        command.env_clear().envs(ENVIRONMENT).env(PROGRAMS, &self.place.programs);
        if let Some(kind) = env::var_os("TERM") {
            command.env("TERM", kind);
        }
        Ok(command)
    }
}

/// A command that runs our own executable again as root in a private mount namespace; by sudo for an ordinary user.
pub fn rooted<S: AsRef<OsStr>>(arguments: &[S]) -> io::Result<Command> {
    let mut command = if nix::unistd::Uid::effective().is_root() {
        Command::new("setpriv")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--preserve-env=http_proxy,https_proxy,no_proxy", "--", "setpriv"]);
        sudo
    };
    // Dies with its parent, so that an interrupted run leaves nothing behind.
    command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--"]);
    command.arg(env::current_exe()?).args(arguments);
    Ok(command)
}

/// The folder of what is kept between runs.
fn kept(place: &Place) -> PathBuf {
    place.target.join("ground")
}

/// An empty folder that every copy mounts its own memory on.
fn scratch(place: &Place) -> Result<PathBuf, Failure> {
    let folder = kept(place).join("scratch");
    std::fs::create_dir_all(&folder).map_err(Failure::file("make", &folder))?;
    Ok(folder)
}

/// Mounts must not be seen by the host, so the caller has to have left its parent's namespace.
fn shares_mounts_with_parent() -> Result<bool, Failure> {
    let parent = format!("/proc/{}/ns/mnt", nix::unistd::getppid());
    let read = |path: &str| std::fs::read_link(path).map_err(Failure::file("read", Path::new(path)));
    Ok(read("/proc/self/ns/mnt")? == read(&parent)?)
}
