//! The PAM services of this machine, to find names that no login will ever have.

use std::path::Path;

/// Where Linux-PAM looks for stacks (pam.conf(5)).
const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];

/// Whether a stack has this name.
pub(crate) fn is_there(service: &str) -> bool {
    FOLDERS.iter().any(|folder| Path::new(folder).join(service).is_file())
}

/// What to say of a service that is not there.
pub(crate) fn absence(service: &str) -> String {
    let [own, vendors] = FOLDERS;
    format!("there is no PAM service {service:?} in {own} or {vendors}: is the name right?")
}
