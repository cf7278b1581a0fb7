//! Everything that a stranger or a client could make grow has its limit here, with a name.

use std::time::Duration;

/// How long an answer is kept for the same request coming again (RFC 5080 §2.2.2 asks for 5 to 30 seconds).
pub const ANSWER_KEPT: Duration = Duration::from_secs(30);
/// Requests that are remembered of one client.
pub const REMEMBERED_PER_CLIENT_MAX: usize = 8_192;
/// Requests that are remembered of all clients; beyond it the client with the most loses its oldest.
pub const REMEMBERED_MAX: usize = 65_536;
/// How often a full memory is searched for what is too old.
pub const PURGE_INTERVAL: Duration = Duration::from_secs(1);
/// Requests of one client that may wait or be worked on, so that one client cannot fill the queue.
pub const IN_FLIGHT_PER_CLIENT_MAX: usize = 512;
/// Requests of all clients that may wait for a worker.
pub const QUEUE_MAX: usize = 1_024;
/// Answers that wait for the floor at once. Then [`SHELF_MAX`] more wait to be taken up, and those beyond leave early.
pub const HELD_MAX: usize = 16_384;
/// Answers that workers have left for the floor and nobody has taken up yet.
pub const SHELF_MAX: usize = 1_024;
/// How long the thread that waits with answers sleeps at most.
pub const FLOOR_TURN: Duration = Duration::from_millis(100);
/// Threads that ask the engine. They wait for the disk or the primary most of the time.
pub const WORKERS: usize = 16;
/// Threads that one client may have at once, so that slow logins of one gateway leave some to the others.
pub const WORKERS_PER_CLIENT_MAX: usize = 12;
/// Datagrams taken from one socket before the next one has its turn.
pub const DATAGRAMS_PER_TURN_MAX: usize = 64;
/// Octets that we ask the kernel to hold for each socket until we read them.
pub const SOCKET_BUFFER_OCTETS: usize = 4 << 20;
/// A line for one reason and client appears at most this often.
pub const LOG_INTERVAL: Duration = Duration::from_secs(60);
/// Pairs of reason and client that are logged apart; the others wait for the next interval.
pub const LOGGED_PAIRS_MAX: usize = 1_024;
/// How often store, keys and clock are tried.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(30);
/// How often they are tried while they cannot be used.
pub const PROBE_IN_TROUBLE_INTERVAL: Duration = Duration::from_secs(2);
/// How long a reader of the counters may take to read them.
pub const STATS_PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use assembly::daemon::limits::{FLUSH_PATIENCE, STOP_PATIENCE};

    use super::*;

    #[test]
    fn the_documentation_has_these_numbers() {
        let page = include_str!("../../docs/radius.md");
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ").replace(',', "");
        for sentence in [
            format!("sent again for {} seconds", ANSWER_KEPT.as_secs()),
            format!("Remembered are {REMEMBERED_PER_CLIENT_MAX} requests of one client"),
            format!("and {REMEMBERED_MAX} of all"),
            format!("of one client {IN_FLIGHT_PER_CLIENT_MAX} may be in flight"),
            format!("take turns at the {WORKERS} workers and none has more than {WORKERS_PER_CLIENT_MAX}"),
            format!("tries store keys and clock every {} seconds", PROBE_INTERVAL.as_secs()),
            format!("and every {} while they cannot be used", PROBE_IN_TROUBLE_INTERVAL.as_secs()),
            format!("At most {HELD_MAX} answers wait and {SHELF_MAX} more to be taken up"),
            format!("gives syslog {} seconds", FLUSH_PATIENCE.as_secs()),
            format!("({} seconds at most)", STOP_PATIENCE.as_secs()),
        ] {
            assert!(page.contains(&sentence), "{sentence}");
        }
    }
}
