//! The list of Debian packages for tests: data, with a reason beside each name.

use crate::failure::Failure;

/// The names, in the order of the list.
pub(super) fn listed() -> Result<Vec<String>, Failure> {
    parse(include_str!("../../ground/packages.txt"))
}

fn parse(list: &str) -> Result<Vec<String>, Failure> {
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(name_with_reason).collect()
}

fn name_with_reason(line: &str) -> Result<String, Failure> {
    match line.split_once('#') {
        Some((name, reason)) if !reason.trim().is_empty() && !name.trim().contains(' ') => {
            Ok(name.trim().to_owned())
        }
        Some(_) | None => Err(Failure::Unreadable { what: "package # reason", found: line.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_packages_can_be_read() {
        assert!(listed().expect("a list").contains(&"openssh-server".to_owned()));
    }

    #[test]
    fn a_package_without_a_reason_is_refused() {
        assert!(parse("rsyslog\n").is_err());
        assert!(parse("rsyslog #\n").is_err());
        assert!(parse("rsyslog sudo # two at once\n").is_err());
    }
}
