//! Who can write to what decides logins: PAM files, the module, sshd_config, the folder of the local socket.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Site;
use crate::finding::{Finding, Kind};
use crate::pam::modules::OURS;
use crate::pam::stack::{ALL_SERVICES, FOLDERS};
use crate::place::Place;
use crate::sshd::config::MAIN_FILE;

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

pub(crate) fn findings(site: &Site<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        system_files(site).iter().filter_map(|file| of_file(site, file, &[])).collect();
    let system_user: Vec<u32> = site.facts.system_user.into_iter().collect();
    found.extend(site.facts.own_files.iter().filter_map(|file| of_file(site, file, &system_user)));
    found.extend(of_socket_folder(site, &system_user));
    found
}

/// What belongs to root on every machine.
fn system_files(site: &Site<'_>) -> BTreeSet<PathBuf> {
    let mut files =
        BTreeSet::from([PathBuf::from(ALL_SERVICES), PathBuf::from("/etc/ssh"), PathBuf::from(MAIN_FILE)]);
    for folder in FOLDERS.map(Path::new) {
        files.insert(folder.to_owned());
        files.extend(site.tree.names(folder).iter().map(|name| folder.join(name)));
    }
    for folder in &site.module_folders {
        files.insert(folder.clone());
        files.insert(folder.join(OURS));
    }
    if let Some(config) = &site.sshd_config {
        files.extend(config.settings.iter().map(|setting| setting.place.file.clone()));
    }
    let all = site.services.iter().flat_map(|it| it.service.auth.iter().chain(&it.service.account));
    files.extend(all.map(|step| step.place.file.clone()));
    files
}

fn of_file(site: &Site<'_>, file: &Path, owners: &[u32]) -> Option<Finding> {
    let metadata = site.tree.metadata(file)?;
    let named = file.display();
    let mode = metadata.mode() & 0o7777;
    if is_open(&metadata) {
        let found = format!("{named} has mode {mode:04o} and the group {}", metadata.gid());
        let instead = format!("chmod go-w {named}");
        return Some(Finding::new(Kind::Writable, Place::whole(file), found, instead));
    }
    let is_owner = metadata.uid() == site.facts.root || owners.contains(&metadata.uid());
    (!is_owner).then(|| {
        let found = format!("{named} belongs to uid {}", metadata.uid());
        Finding::new(Kind::WrongOwner, Place::whole(file), found, format!("chown root {named}"))
    })
}

/// What root's own group may write is root's.
fn is_open(metadata: &Metadata) -> bool {
    let mode = metadata.mode();
    mode & OTHERS_WRITE != 0 || mode & GROUP_WRITES != 0 && metadata.gid() != 0
}

/// As the module looks at it before it believes a socket.
fn of_socket_folder(site: &Site<'_>, system_user: &[u32]) -> Option<Finding> {
    let folder = site.facts.local_socket.parent()?;
    let metadata = site.tree.metadata(folder)?;
    let is_owner = metadata.uid() == site.facts.root || system_user.contains(&metadata.uid());
    let is_open = metadata.mode() & (GROUP_WRITES | OTHERS_WRITE) != 0;
    (is_open || !is_owner).then(|| {
        let (named, mode) = (folder.display(), metadata.mode() & 0o7777);
        let found = format!("{named} belongs to uid {} and has mode {mode:04o}", metadata.uid());
        let instead = format!("chown countersign:countersign {named} && chmod 0755 {named}");
        Finding::new(Kind::SocketFolder, Place::whole(folder), found, instead)
    })
}
