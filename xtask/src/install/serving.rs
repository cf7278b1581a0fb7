//! Whether the RADIUS server is still in use: what it needs must not go while it is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::install::placing::below;

/// The server's program.
const SERVER: &str = "/usr/sbin/countersign-radiusd";

/// The link that `systemctl enable` makes for the unit (its `WantedBy=multi-user.target`).
const ENABLED: &str = "/etc/systemd/system/multi-user.target.wants/countersign-radiusd.service";

/// Why the server of the installation below `destination` is in use, if it is.
pub(super) fn still_serving(destination: &Path) -> Option<String> {
    if let Some(process) = process_of(&below(destination, Path::new(SERVER))) {
        return Some(format!("countersign-radiusd runs as process {process}"));
    }
    let enabled = below(destination, Path::new(ENABLED));
    let is_enabled = fs::symlink_metadata(&enabled).is_ok();
    is_enabled.then(|| format!("{} starts countersign-radiusd at boot", enabled.display()))
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
        let link = below(root.path(), Path::new(ENABLED));
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("/nowhere", &link).unwrap();
        assert!(still_serving(root.path()).unwrap().contains("at boot"));
    }
}
