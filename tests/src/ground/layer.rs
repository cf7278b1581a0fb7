//! The kept layer: the Debian packages of the list, installed once, between the host and all copies.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

use nix::mount::{MntFlags, MsFlags, umount2};
use sha2::{Digest, Sha256};

use super::copy::{Blueprint, Changes, Network, make_folder, mount_at, mount_overlay};
use super::{Place, kept, packages, scratch};
use crate::failure::{Failure, spelled};

/// Installs the packages given as arguments. `policy-rc.d` keeps services from starting, even for the moment. SSSD is in
/// nobody's name service and PAM stack but of those suites that put it there: it does not run in the others.
const INSTALL: &str = "set -e
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get --quiet=2 update
apt-get --quiet=2 --yes --no-install-recommends install \"$@\"
apt-get clean
sed -i '/^automount:/d; s/ sss\\b//' /etc/nsswitch.conf
pam-auth-update --package --remove sss";

/// A layer in use.
#[derive(Debug)]
pub(super) struct Layer {
    /// Overlayfs' `lowerdir` for copies.
    pub(super) lower: String,
    /// Held shared while in use: who clears old layers away takes it alone.
    _lock: File,
}

impl Layer {
    pub(super) fn find_or_build(place: &Place) -> Result<Self, Failure> {
        let folder = kept(place);
        make_folder(&folder)?;
        let lock_file = folder.join("lock");
        let lock = File::create(&lock_file).map_err(Failure::file("make", &lock_file))?;
        let lower = Builder { place, packages: packages::listed()? }.lower(&lock)?;
        Ok(Self { lower, _lock: lock })
    }
}

struct Builder<'a> {
    place: &'a Place,
    packages: Vec<String>,
}

impl Builder<'_> {
    fn lower(&self, lock: &File) -> Result<String, Failure> {
        let layer = kept(self.place).join(format!("layer-{}", self.fingerprint()?));
        let locked = |result: std::io::Result<()>| result.map_err(Failure::file("lock", &kept(self.place)));
        locked(lock.lock_shared())?;
        if layer.exists() {
            return self.base(&layer);
        }
        if lock.try_lock().is_err() {
            eprintln!("ground: waiting for another run, which uses an older layer or builds this one");
            locked(lock.lock())?;
        }
        if !layer.exists() && !self.build(&layer)? {
            return self.build_in_memory();
        }
        locked(lock.lock_shared())?;
        self.base(&layer)
    }

    /// Names the layer after all that it depends on: the list, the release and the host's own packages.
    fn fingerprint(&self) -> Result<String, Failure> {
        let mut hash = Sha256::new();
        hash.update(self.packages.join("\n"));
        hash.update(INSTALL);
        for file in ["/etc/os-release", "/var/lib/dpkg/status"] {
            hash.update(fs::read(file).map_err(Failure::file("read", Path::new(file)))?);
        }
        let short = hash.finalize();
        Ok(short.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Mounts host and layer as one read-only tree. The kernel refuses a layer as `lowerdir` beside a `/` that holds
    /// it (`ELOOP`), but takes it as the upper folder of an overlay that is never written to.
    fn base(&self, layer: &Path) -> Result<String, Failure> {
        let base = kept(self.place).join("base");
        make_folder(&base)?;
        mount_overlay("/", &layer.join("upper"), &layer.join("work"), MsFlags::MS_RDONLY, &base)?;
        Ok(base.display().to_string())
    }

    /// Builds under another name, so that a layer is there wholly or not at all. False: this file system cannot hold one.
    fn build(&self, layer: &Path) -> Result<bool, Failure> {
        self.clear_old()?;
        let building = kept(self.place).join(format!("building-{}", process::id()));
        let (upper, work) = (building.join("upper"), building.join("work"));
        for folder in [&building, &upper, &work] {
            make_folder(folder)?;
        }
        if !self.can_hold_changes(&upper, &work)? {
            fs::remove_dir_all(&building).map_err(Failure::file("remove", &building))?;
            return Ok(false);
        }
        self.install("/", upper, work)?;
        fs::rename(&building, layer).map_err(Failure::file("rename", &building))?;
        Ok(true)
    }

    /// For target folders on overlayfs, NFS and the like: the packages are installed anew in each run.
    fn build_in_memory(&self) -> Result<String, Failure> {
        eprintln!(
            "ground: the target folder's file system cannot hold a layer, so packages are installed in memory"
        );
        let memory = kept(self.place).join("memory");
        make_folder(&memory)?;
        mount_at("tmpfs", &memory, "layer", MsFlags::empty(), Some("mode=755"))?;
        let (upper, work) = (memory.join("upper"), memory.join("work"));
        self.install("/", upper.clone(), work)?;
        Ok(format!("{}:/", upper.display()))
    }

    fn can_hold_changes(&self, upper: &Path, work: &Path) -> Result<bool, Failure> {
        let trial = scratch(self.place)?;
        let tried = mount_overlay("/", upper, work, MsFlags::empty(), &trial);
        if tried.is_ok() {
            umount2(&trial, MntFlags::MNT_DETACH).map_err(Failure::kernel("take the trial mount away"))?;
        }
        Ok(tried.is_ok())
    }

    fn install(&self, lower: &str, upper: PathBuf, work: PathBuf) -> Result<(), Failure> {
        eprintln!(
            "ground: installing into a layer above this machine, not on it: {}",
            self.packages.join(" ")
        );
        let blueprint = Blueprint {
            lower: lower.to_owned(),
            changes: Changes::Kept { upper, work },
            network: Network::Host,
            scratch: scratch(self.place)?,
            shown: vec![self.place.target.clone()],
            disk: None,
        };
        let mut program: Vec<&str> = vec!["sh", "-c", INSTALL, "install"];
        program.extend(self.packages.iter().map(String::as_str));
        let mut command = blueprint.command(&program)?;
        command.env("DEBIAN_FRONTEND", "noninteractive");
        let log = kept(self.place).join("install.log");
        run_logged(&mut command, &log)
    }

    /// Layers of other lists, and what an interrupted build left.
    fn clear_old(&self) -> Result<(), Failure> {
        let folder = kept(self.place);
        for entry in fs::read_dir(&folder).map_err(Failure::file("list", &folder))? {
            let path = entry.map_err(Failure::file("list", &folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("layer-") || name.starts_with("building-") {
                fs::remove_dir_all(&path).map_err(Failure::file("remove", &path))?;
            }
        }
        Ok(())
    }
}

/// Runs a command with all its output in a file; the file is shown when it fails.
fn run_logged(command: &mut Command, log: &Path) -> Result<(), Failure> {
    let file = File::create(log).map_err(Failure::file("make", log))?;
    let both = file.try_clone().map_err(Failure::file("open", log))?;
    command.stdin(Stdio::null()).stdout(file).stderr(both);
    let status = command.status().map_err(|source| Failure::Start { command: spelled(command), source })?;
    if status.success() {
        return Ok(());
    }
    let output = fs::read_to_string(log).map_err(Failure::file("read", log))?;
    Err(Failure::Ended { command: "apt-get install".to_owned(), status, output })
}
