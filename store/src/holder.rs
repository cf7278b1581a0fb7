//! Who holds a lock, as the kernel tells it (proc_locks(5)).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// A process that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) process: u32,
    pub(crate) name: String,
    pub(crate) is_stopped: bool,
}

/// Who holds the flock(2) on a file. Nobody is seen from within another process namespace.
pub(crate) fn holder(file: &Path) -> Option<Holder> {
    let inode = fs::metadata(file).ok()?.ino();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let process = locks.lines().find_map(|line| process_of(line, inode))?;
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    Some(Holder {
        process,
        name: field("Name:").unwrap_or("unknown").to_owned(),
        is_stopped: field("State:").is_some_and(|state| state.starts_with(['T', 't'])),
    })
}

/// `1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF`: those who wait have an arrow instead of the kind.
fn process_of(line: &str, inode: u64) -> Option<u32> {
    let mut words = line.split_whitespace().skip(1);
    let (kind, _, _, process, place) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let is_it = kind == "FLOCK" && place.rsplit(':').next()?.parse() == Ok(inode);
    if is_it { process.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::process_of;

    #[test]
    fn holders_are_told_from_those_who_wait() {
        let line = "1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF";
        assert_eq!((process_of(line, 1234), process_of(line, 234)), (Some(4711), None));
        let others = [
            "1: -> FLOCK  ADVISORY  WRITE 4712 fd:01:1234 0 EOF",
            "2: OFDLCK ADVISORY  WRITE -1 fd:01:1234 0 0",
            "",
        ];
        assert!(others.iter().all(|line| process_of(line, 1234).is_none()));
    }
}
