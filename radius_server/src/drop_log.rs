//! Lines about dropped and refused packets, at a bounded rate: at most one a minute for each reason and client, with
//! the number of packets that it stands for. Counters see every packet; this is for somebody who reads a log.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::limits;

/// What a line is about. Packets of unknown clients are one pair each reason, whatever their addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The name of the reason.
    pub reason: &'static str,
    /// The client, where one is known.
    pub client: Option<Arc<str>>,
}

/// What has been seen of each pair since its last line.
#[derive(Debug, Default)]
pub struct DropLog {
    pairs: HashMap<Pair, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    count: u64,
    latest: SocketAddr,
}

impl DropLog {
    /// Takes note of a packet. The first of a pair gives its line at once; the others wait.
    pub fn note(&mut self, pair: Pair, peer: SocketAddr, now: Instant) -> Option<String> {
        if let Some(waiting) = self.pairs.get_mut(&pair) {
            waiting.count = waiting.count.saturating_add(1);
            waiting.latest = peer;
            return None;
        }
        if self.pairs.len() >= limits::LOGGED_PAIRS_MAX {
            return None;
        }
        let line = line(&pair, 1, peer);
        self.pairs.insert(pair, Waiting { since: now, count: 0, latest: peer });
        Some(line)
    }

    /// The lines of all pairs whose minute is over. A pair that was quiet for a minute is forgotten.
    pub fn due(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        self.pairs.retain(|pair, waiting| {
            if now.saturating_duration_since(waiting.since) < limits::LOG_INTERVAL {
                return true;
            }
            if waiting.count == 0 {
                return false;
            }
            lines.push(line(pair, waiting.count, waiting.latest));
            (waiting.since, waiting.count) = (now, 0);
            true
        });
        lines
    }
}

fn line(pair: &Pair, count: u64, latest: SocketAddr) -> String {
    let packets = if count == 1 { "packet" } else { "packets" };
    match &pair.client {
        Some(client) => {
            format!("{count} {packets} of client {client}: {} (latest from {latest})", pair.reason)
        }
        None => format!("{count} {packets}: {} (latest from {latest})", pair.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(reason: &'static str) -> Pair {
        Pair { reason, client: Some(Arc::from("gate")) }
    }

    fn peer() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], 1024))
    }

    #[test]
    fn the_first_packet_is_logged_at_once_and_a_flood_once_a_minute() {
        let (mut log, begun) = (DropLog::default(), Instant::now());
        let first = log.note(pair("oversized"), peer(), begun);
        assert_eq!(first.as_deref(), Some("1 packet of client gate: oversized (latest from 192.0.2.1:1024)"));
        for _ in 0..1000 {
            assert_eq!(log.note(pair("oversized"), peer(), begun), None);
        }
        assert!(log.due(begun).is_empty());
        let due = log.due(begun + limits::LOG_INTERVAL);
        assert_eq!(due, ["1000 packets of client gate: oversized (latest from 192.0.2.1:1024)"]);
    }

    #[test]
    fn another_reason_has_its_own_line() {
        let (mut log, now) = (DropLog::default(), Instant::now());
        assert!(log.note(pair("oversized"), peer(), now).is_some());
        assert!(log.note(pair("overloaded"), peer(), now).is_some());
    }

    #[test]
    fn after_a_quiet_minute_the_next_packet_is_logged_at_once() {
        let (mut log, now) = (DropLog::default(), Instant::now());
        assert!(log.note(pair("oversized"), peer(), now).is_some());
        assert!(log.due(now + limits::LOG_INTERVAL).is_empty());
        assert!(log.note(pair("oversized"), peer(), now).is_some());
    }

    #[test]
    fn the_number_of_pairs_is_bounded() {
        let (mut log, now) = (DropLog::default(), Instant::now());
        for number in 0..2 * limits::LOGGED_PAIRS_MAX {
            let client = Some(Arc::from(number.to_string()));
            let _ = log.note(Pair { reason: "oversized", client }, peer(), now);
        }
        assert_eq!(log.pairs.len(), limits::LOGGED_PAIRS_MAX);
    }
}
