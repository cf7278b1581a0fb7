//! The PAM services of this machine, to find names that no login will ever have.

use std::fs;
use std::path::Path;

use assembly::config::near;

/// Where Linux-PAM looks for stacks (pam.conf(5)).
const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];

/// Whether a stack has this name.
pub(crate) fn is_there(service: &str) -> bool {
    FOLDERS.iter().any(|folder| Path::new(folder).join(service).is_file())
}

/// What to say of a service that is not there.
pub(crate) fn absence(service: &str) -> String {
    let names = names();
    let help = match near(service, names.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant:?}?"),
        None => "is the name right?".to_owned(),
    };
    let [own, vendors] = FOLDERS;
    format!("there is no PAM service {service:?} in {own} or {vendors}: {help}")
}

fn names() -> Vec<String> {
    let entries = FOLDERS.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
