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

/// What has been seen of each pair since its last line. Taking note is cheap; lines are made by whoever asks for them.
#[derive(Debug, Default)]
pub struct DropLog {
    pairs: HashMap<Pair, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// `None` where nothing has been told yet.
    told_at: Option<Instant>,
    count: u64,
    latest: SocketAddr,
}

impl DropLog {
    /// Takes note of a packet.
    pub fn note(&mut self, pair: Pair, peer: SocketAddr) {
        if let Some(waiting) = self.pairs.get_mut(&pair) {
            waiting.count = waiting.count.saturating_add(1);
            waiting.latest = peer;
        } else if self.pairs.len() < limits::LOGGED_PAIRS_MAX {
            self.pairs.insert(pair, Waiting { told_at: None, count: 1, latest: peer });
        }
    }

    /// The lines that are due: the first of each pair at once, the next ones when its minute is over. A pair that was
    /// quiet for a minute is forgotten.
    pub fn due(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        self.pairs.retain(|pair, waiting| {
            if waiting.told_at.is_some_and(|at| now.saturating_duration_since(at) < limits::LOG_INTERVAL) {
                return true;
            }
            if waiting.count == 0 {
                return false;
            }
            lines.push(line(pair, waiting.count, waiting.latest));
            (waiting.told_at, waiting.count) = (Some(now), 0);
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
    fn the_first_packet_is_told_at_once_and_a_flood_once_a_minute() {
        let (mut log, begun) = (DropLog::default(), Instant::now());
        log.note(pair("oversized"), peer());
        assert_eq!(log.due(begun), ["1 packet of client gate: oversized (latest from 192.0.2.1:1024)"]);
        for _ in 0..1000 {
            log.note(pair("oversized"), peer());
        }
        assert!(log.due(begun).is_empty());
        let due = log.due(begun + limits::LOG_INTERVAL);
        assert_eq!(due, ["1000 packets of client gate: oversized (latest from 192.0.2.1:1024)"]);
    }

    #[test]
    fn another_reason_has_its_own_line() {
        let mut log = DropLog::default();
        log.note(pair("oversized"), peer());
        log.note(pair("overloaded"), peer());
        assert_eq!(log.due(Instant::now()).len(), 2);
    }

    #[test]
    fn after_a_quiet_minute_the_next_packet_is_told_at_once() {
        let (mut log, now) = (DropLog::default(), Instant::now());
        log.note(pair("oversized"), peer());
        assert_eq!(log.due(now).len(), 1);
        assert!(log.due(now + limits::LOG_INTERVAL).is_empty());
        log.note(pair("oversized"), peer());
        assert_eq!(log.due(now + limits::LOG_INTERVAL).len(), 1);
    }

    #[test]
    fn the_number_of_pairs_is_bounded() {
        let mut log = DropLog::default();
        for number in 0..2 * limits::LOGGED_PAIRS_MAX {
            let client = Some(Arc::from(number.to_string()));
            log.note(Pair { reason: "oversized", client }, peer());
        }
        assert_eq!(log.pairs.len(), limits::LOGGED_PAIRS_MAX);
    }
}
