//! Durable writes: counted under every contestant, and made as slow as those of a real disk.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use bench::{FSYNC_COUNT_OCTETS, FSYNC_COUNT_VARIABLE, FSYNC_WAIT_VARIABLE};
use test_ground::{Failure, Machine};

/// The library that every measured program runs under.
const LIBRARY: &str = "examples/libcounted_fsyncs.so";

/// How long a durable write takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disk {
    /// As long as here.
    AsItIs,
    /// So much longer.
    Slower(Duration),
}

/// A count that all programs of one measurement share.
#[derive(Debug)]
pub(super) struct FsyncCount {
    library: PathBuf,
    file: PathBuf,
    disk: Disk,
}

impl FsyncCount {
    /// Begins at nothing.
    pub(super) fn begin(machine: &Machine, disk: Disk) -> Result<Self, Failure> {
        let file = machine.new_folder("fsyncs")?.join("count");
        machine.write(&file, &"\0".repeat(FSYNC_COUNT_OCTETS))?;
        // The server opens it when it is no longer root.
        let everybody = fs::Permissions::from_mode(0o666);
        fs::set_permissions(&file, everybody).map_err(Failure::file("open up", &file))?;
        Ok(Self { library: machine.built(LIBRARY), file, disk })
    }

    /// Makes a command one that is counted.
    pub(super) fn watch<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        if let Disk::Slower(wait) = self.disk {
            command.env(FSYNC_WAIT_VARIABLE, wait.as_micros().to_string());
        }
        command.env("LD_PRELOAD", &self.library).env(FSYNC_COUNT_VARIABLE, &self.file)
    }

    /// How many there were so far.
    pub(super) fn so_far(&self) -> Result<u64, Failure> {
        let octets = fs::read(&self.file).map_err(Failure::file("read", &self.file))?;
        let octets = octets.try_into().map_err(|found| Failure::Unreadable {
            what: "a count of eight octets",
            found: format!("{found:?}"),
        })?;
        Ok(u64::from_ne_bytes(octets))
    }
}
