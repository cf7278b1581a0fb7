//! One copy of the machine: what it is made of, and the mounts that make it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::pivot_root;
use serde::{Deserialize, Serialize};

use super::{DISK, FIRST_PROCESS, MARK, devices};
use crate::failure::{Failure, checked};

/// What a copy is made of; handed to its first process as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Blueprint {
    /// Overlayfs' `lowerdir`: what the copy shows before anything is changed in it.
    pub(super) lower: String,
    pub(super) changes: Changes,
    pub(super) network: Network,
    /// An empty folder to mount on.
    pub(super) scratch: PathBuf,
    /// Folders of the host that are seen in the copy, read-only, under their own names; work begins in the first.
    pub(super) shown: Vec<PathBuf>,
    /// A folder of the host that the copy may write to, at [`DISK`].
    pub(super) disk: Option<PathBuf>,
}

/// Where the changes made in a copy go.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Changes {
    /// They vanish with the copy.
    InMemory,
    /// They are kept, to become a layer.
    Kept { upper: PathBuf, work: PathBuf },
}

/// What a copy can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Network {
    /// A network namespace of its own.
    LoopbackOnly,
    /// The host's network: only for fetching packages.
    Host,
}

impl Blueprint {
    /// The command that becomes the first process of the copy and runs `program` in it.
    pub(super) fn command<S: AsRef<OsStr>>(&self, program: &[S]) -> Result<Command, Failure> {
        let own = Path::new("/proc/self/exe");
        let own = env::current_exe().map_err(Failure::file("find", own))?;
        let spelled = serde_json::to_string(self)
            .map_err(|error| Failure::Unreadable { what: "blueprint of a copy", found: error.to_string() })?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"]);
        command.args(["--uts", "--ipc", "--pid", "--fork", "--kill-child"]);
        if self.network == Network::LoopbackOnly {
            command.arg("--net");
        }
        command.arg("--").arg(own).arg(FIRST_PROCESS).arg(spelled).args(program);
        Ok(command)
    }

    /// Makes the calling process live in the copy. Its namespaces must be its own already.
    pub(super) fn enter(&self) -> Result<(), Failure> {
        let root = self.overlay()?;
        mount_at("proc", &root.join("proc"), "proc", MsFlags::MS_NOSUID, None)?;
        mount_at("sysfs", &root.join("sys"), "sysfs", MsFlags::MS_RDONLY, None)?;
        devices::provide(&root.join("dev"))?;
        mount_at("tmpfs", &root.join("tmp"), "tmp", MsFlags::MS_NOSUID, Some("mode=1777"))?;
        let resolver = fs::read("/etc/resolv.conf").ok();
        mount_at("tmpfs", &root.join("run"), "run", MsFlags::MS_NOSUID, Some("mode=755"))?;
        make_folder(&root.join("run/lock"))?;
        for folder in &self.shown {
            show(folder, &root)?;
        }
        if let Some(folder) = &self.disk {
            bind(folder, &below(&root, Path::new(DISK)))?;
        }
        change_root(&root)?;
        write(Path::new(MARK), b"")?;
        nix::unistd::sethostname("ground").map_err(Failure::kernel("name the copy"))?;
        match self.network {
            Network::LoopbackOnly => start_loopback()?,
            Network::Host => keep_resolver(resolver.as_deref())?,
        }
        let working = self.shown.first().map_or(Path::new("/"), PathBuf::as_path);
        env::set_current_dir(working).map_err(Failure::file("enter", working))
    }

    /// Mounts the overlay and says where.
    fn overlay(&self) -> Result<PathBuf, Failure> {
        let memory = &self.scratch;
        mount_at("tmpfs", memory, "copy", MsFlags::empty(), Some("mode=755"))?;
        let (upper, work) = match &self.changes {
            Changes::InMemory => (memory.join("upper"), memory.join("work")),
            Changes::Kept { upper, work } => (upper.clone(), work.clone()),
        };
        let root = memory.join("root");
        for folder in [&upper, &work, &root] {
            make_folder(folder)?;
        }
        mount_overlay(&self.lower, &upper, &work, MsFlags::empty(), &root)?;
        Ok(root)
    }
}

/// Mounts an overlay; `index=off` because the base of a run shares its upper folder with the base of another run.
pub(super) fn mount_overlay(
    lower: &str,
    upper: &Path,
    work: &Path,
    flags: MsFlags,
    at: &Path,
) -> Result<(), Failure> {
    let options =
        format!("index=off,lowerdir={lower},upperdir={},workdir={}", upper.display(), work.display());
    mount_at("overlay", at, "overlay", flags, Some(&options))
}

pub(super) fn mount_at(
    kind: &str,
    at: &Path,
    name: &str,
    flags: MsFlags,
    options: Option<&str>,
) -> Result<(), Failure> {
    let operation = format!("mount {kind} at {}", at.display());
    mount(Some(name), at, Some(kind), flags, options).map_err(Failure::kernel(operation))
}

/// Shows `from` at `at` too.
pub(super) fn bind(from: &Path, at: &Path) -> Result<(), Failure> {
    let operation = format!("show {} at {}", from.display(), at.display());
    mount(Some(from), at, None::<&str>, MsFlags::MS_BIND, None::<&str>).map_err(Failure::kernel(operation))
}

/// A folder that anybody may pass, whatever the caller's umask.
pub(super) fn make_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(Failure::file("make", folder))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(Failure::file("open up", folder))
}

/// A bind mount becomes read-only only when mounted once more.
fn show(folder: &Path, root: &Path) -> Result<(), Failure> {
    let at = below(root, folder);
    fs::create_dir_all(&at).map_err(Failure::file("make", &at))?;
    bind(folder, &at)?;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(None::<&str>, &at, None::<&str>, flags, None::<&str>)
        .map_err(Failure::kernel(format!("protect {}", folder.display())))
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The copy becomes `/`, and nothing of the host's tree is left to reach.
fn change_root(root: &Path) -> Result<(), Failure> {
    env::set_current_dir(root).map_err(Failure::file("enter", root))?;
    // The old root stacks upon the new one and is taken away from there: pivot_root(2), "pivot_root(".", ".")".
    pivot_root(".", ".").map_err(Failure::kernel("change the root"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(Failure::kernel("let go of the host's tree"))?;
    env::set_current_dir("/").map_err(Failure::file("enter", Path::new("/")))
}

fn start_loopback() -> Result<(), Failure> {
    write(Path::new("/etc/hosts"), b"127.0.0.1 localhost ground\n::1 localhost\n")?;
    checked(Command::new("ip").args(["link", "set", "lo", "up"])).map(drop)
}

/// `/etc/resolv.conf` often points into `/run`, which a copy has empty.
fn keep_resolver(resolver: Option<&[u8]>) -> Result<(), Failure> {
    let file = Path::new("/etc/resolv.conf");
    let (Some(resolver), Ok(target)) = (resolver, fs::read_link(file)) else { return Ok(()) };
    let target = Path::new("/etc").join(target);
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(Failure::file("make", folder))?;
    }
    write(&target, resolver)
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    fs::write(path, content).map_err(Failure::file("write", path))
}
