//! Whether a server of ours is still in use: what it needs must not go while it is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::install::placing::below;

/// A server: its program, the links that `systemctl enable` makes for its units, and these units.
struct Server {
    name: &'static str,
    enabled: &'static [&'static str],
    units: &'static str,
}

const SERVERS: [Server; 2] = [
    Server {
        name: "countersign-radiusd",
        enabled: &["multi-user.target.wants/countersign-radiusd.service"],
        units: "countersign-radiusd",
    },
    Server {
        name: "countersign-local",
        enabled: &[
            "sockets.target.wants/countersign-local.socket",
            "multi-user.target.wants/countersign-local.service",
        ],
        units: "countersign-local.socket countersign-local.service",
    },
];

/// Why a server of the installation below `destination` is in use, if one is, and which units it has.
pub(super) fn still_serving(destination: &Path) -> Option<(String, &'static str)> {
    SERVERS.iter().find_map(|server| Some((use_of(server, destination)?, server.units)))
}

fn use_of(server: &Server, destination: &Path) -> Option<String> {
    let name = server.name;
    let program = Path::new("/usr/sbin").join(name);
    if let Some(process) = process_of(&below(destination, &program)) {
        return Some(format!("{name} runs as process {process}"));
    }
    let folder = Path::new("/etc/systemd/system");
    let links = server.enabled.iter().map(|link| below(destination, &folder.join(link)));
    let enabled = links.into_iter().find(|link| fs::symlink_metadata(link).is_ok())?;
    Some(format!("{} starts {name} at boot", enabled.display()))
}

/// The process that runs this program, as proc(5) shows it to root.
fn process_of(program: &Path) -> Option<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let runs_it = |folder: &PathBuf| fs::read_link(folder.join("exe")).is_ok_and(|exe| exe == program);
    let found = processes.map(|entry| entry.path()).find(runs_it)?;
    Some(found.file_name()?.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_program_is_found_and_an_enabled_unit_too() {
        let own = std::env::current_exe().unwrap();
        assert!(process_of(&own).is_some());
        let root = tempfile::tempdir().unwrap();
        assert_eq!(process_of(&root.path().join("program")), None);
        assert_eq!(still_serving(root.path()), None);
        let link = root.path().join("etc/systemd/system/sockets.target.wants/countersign-local.socket");
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("/nowhere", &link).unwrap();
        let (why, units) = still_serving(root.path()).unwrap();
        assert!(why.contains("at boot") && units.starts_with("countersign-local.socket"), "{why}");
    }
}
