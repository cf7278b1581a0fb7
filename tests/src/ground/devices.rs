//! A private, minimal `/dev`, so that a suite may own `/dev/log` without the host seeing it.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::mount::MsFlags;

use super::copy::{bind, make_folder, mount_at};
use crate::failure::Failure;

/// Device files taken over from the host.
const DEVICES: [&str; 7] = ["full", "net/tun", "null", "random", "tty", "urandom", "zero"];

/// Links that programs expect.
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("ptmx", "pts/ptmx"),
    ("stderr", "/proc/self/fd/2"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
];

/// Fills the folder `dev` of a copy.
pub(super) fn provide(dev: &Path) -> Result<(), Failure> {
    mount_at("tmpfs", dev, "dev", MsFlags::MS_NOSUID, Some("mode=755"))?;
    for folder in ["net", "pts", "shm"] {
        make_folder(&dev.join(folder))?;
    }
    mount_at("tmpfs", &dev.join("shm"), "shm", MsFlags::MS_NOSUID, Some("mode=1777"))?;
    let terminals = "newinstance,gid=5,mode=620,ptmxmode=666";
    mount_at("devpts", &dev.join("pts"), "devpts", MsFlags::MS_NOSUID, Some(terminals))?;
    for device in DEVICES {
        take_over(device, dev)?;
    }
    for (name, target) in LINKS {
        let link = dev.join(name);
        symlink(target, &link).map_err(Failure::file("link", &link))?;
    }
    Ok(())
}

/// A host without a device (tun in small virtual machines) has copies without it.
fn take_over(device: &str, dev: &Path) -> Result<(), Failure> {
    let host = Path::new("/dev").join(device);
    if !fs::exists(&host).map_err(Failure::file("look for", &host))? {
        return Ok(());
    }
    let own = dev.join(device);
    File::create(&own).map_err(Failure::file("make", &own))?;
    bind(&host, &own)
}
