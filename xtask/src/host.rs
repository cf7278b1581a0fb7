//! Holds the promise that a run of the suites changes nothing on the machine itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What suites change in their copies: a leak would show here first.
const WATCHED: [&str; 12] = [
    "/dev/log",
    "/etc/group",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/pam.d",
    "/etc/passwd",
    "/etc/security",
    "/etc/shadow",
    "/etc/ssh",
    "/etc/sudoers.d",
    "/run/countersign-ground",
    "/var/lib/dpkg/status",
];

/// Size and time of change of everything watched, at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HostState(BTreeMap<PathBuf, (u64, Option<SystemTime>)>);

impl HostState {
    pub(crate) fn read() -> Self {
        let mut state = Self(BTreeMap::new());
        for path in WATCHED {
            state.note(Path::new(path));
        }
        state
    }

    /// What is not as it was in `before`: changed, new or gone.
    pub(crate) fn changed_since(&self, before: &Self) -> Vec<PathBuf> {
        let paths = self.0.keys().chain(before.0.keys());
        let mut changed: Vec<_> =
            paths.filter(|path| self.0.get(*path) != before.0.get(*path)).cloned().collect();
        changed.sort();
        changed.dedup();
        changed
    }

    /// What is not there, or not ours to see, is left out.
    fn note(&mut self, path: &Path) {
        let Ok(metadata) = fs::symlink_metadata(path) else { return };
        self.0.insert(path.to_owned(), (metadata.len(), metadata.modified().ok()));
        if metadata.is_dir() {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                self.note(&entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_gone_and_changed_files_are_named_once() {
        let state = |files: &[(&str, u64)]| {
            HostState(files.iter().map(|(path, size)| (PathBuf::from(path), (*size, None))).collect())
        };
        let before = state(&[("/a", 1), ("/b", 1), ("/c", 1)]);
        let after = state(&[("/a", 1), ("/b", 2), ("/d", 1)]);
        assert_eq!(after.changed_since(&before), ["/b", "/c", "/d"].map(PathBuf::from));
        assert_eq!(before.changed_since(&before), Vec::<PathBuf>::new());
    }
}
