//! Everything that a caller could make grow has its limit here, with a name. Those of a request are in
//! `assembly::local::wire`.

use std::time::Duration;

/// Connections that wait for the gate; those after them wait in their own `connect`. The socket unit says the same.
pub const BACKLOG: i32 = 64;
/// Connections whose request is being read.
pub const CONNECTIONS_MAX: usize = 256;
/// Of these, connections of all users but root.
pub const CONNECTIONS_OF_OTHERS_MAX: usize = 128;
/// Of these, connections of one user who is not root.
pub const CONNECTIONS_PER_USER_MAX: usize = 4;
/// Connections taken before those that are being read have their turn.
pub const CONNECTIONS_PER_TURN_MAX: usize = 64;
/// How long a caller may take to send its request.
pub const REQUEST_PATIENCE: Duration = Duration::from_secs(1);
/// Requests of one user who is not root, waiting or being worked on in one line.
pub const REQUESTS_PER_USER_MAX: usize = 4;
/// Requests of root that may wait for a worker.
pub const QUEUE_OF_ROOT_MAX: usize = 256;
/// Requests that may wait of programs with root's rights that a user has called.
pub const QUEUE_OF_SETUID_MAX: usize = 128;
/// Requests of all others that may wait for a worker.
pub const QUEUE_OF_OTHERS_MAX: usize = 128;
/// Threads that ask the engine. They wait for the disk or the primary most of the time.
pub const WORKERS: usize = 20;
/// Of these, threads that root's requests may have at once: slow ssh logins leave some to sudo.
pub const WORKERS_OF_ROOT_MAX: usize = 12;
/// Of these, threads that sudo, su and their like may have at once, whoever has called them.
pub const WORKERS_OF_SETUID_MAX: usize = 6;
/// Of these, threads that requests of all others may have at once.
pub const WORKERS_OF_OTHERS_MAX: usize = 4;
/// Refusals `not-the-caller` that are recorded in one second. They stay far below `TALLY_FREE_OF_ALL` of the core, so
/// that a flood of them leaves the records of other refusals single.
pub const REFUSALS_RECORDED_MAX: u32 = 4;
/// The second.
pub const REFUSALS_INTERVAL: Duration = Duration::from_secs(1);
/// How long no connection is taken after the kernel could not give us one.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_unit_has_the_backlog() {
        let unit = include_str!("../../config/etc/systemd/countersign-local.socket");
        assert!(unit.lines().any(|line| line == format!("Backlog={BACKLOG}")));
    }

    #[test]
    fn the_documentation_has_these_numbers() {
        let page = include_str!("../../docs/operating.md");
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(REQUEST_PATIENCE.as_secs(), 1, "the page says one second");
        assert_eq!(REFUSALS_INTERVAL.as_secs(), 1, "the page says a second");
        for sentence in [
            format!(
                "has more than {CONNECTIONS_PER_USER_MAX} connections and {REQUESTS_PER_USER_MAX} requests"
            ),
            format!("at most {WORKERS_OF_ROOT_MAX} of the {WORKERS} workers"),
            format!("that somebody has called at most {WORKERS_OF_SETUID_MAX}"),
            format!("those of all others at most {WORKERS_OF_OTHERS_MAX}"),
            format!("At most {REFUSALS_RECORDED_MAX} refusals `not-the-caller` a second are recorded"),
        ] {
            assert!(page.contains(&sentence), "{sentence}");
        }
    }
}
