//! Who sits here: the login uid, the uid, the terminal and the host, for the record of each act.

use std::fs;

use common::record::Actor;
use nix::unistd::{gethostname, getuid, ttyname};

/// The login uid of a process that nobody logged in for (`proc_pid_loginuid(5)`).
const UNSET: u32 = u32::MAX;

/// Who runs this process.
pub(crate) fn actor() -> Actor {
    Actor { login_uid: login_uid(), uid: Some(getuid().as_raw()), tty: tty(), host: host() }
}

/// The kernel keeps it through su and sudo; a kernel without audit has none.
fn login_uid() -> Option<u32> {
    parse(&fs::read_to_string("/proc/self/loginuid").ok()?)
}

fn parse(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|uid| *uid != UNSET)
}

fn tty() -> Option<String> {
    let path = ttyname(std::io::stdin()).or_else(|_| ttyname(std::io::stderr())).ok()?;
    Some(path.to_string_lossy().into_owned())
}

fn host() -> String {
    gethostname().map_or_else(|_| "unknown".to_owned(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_unset_login_uid_is_none() {
        assert_eq!(super::parse("4294967295"), None);
        assert_eq!(super::parse("1000\n"), Some(1000));
    }
}
