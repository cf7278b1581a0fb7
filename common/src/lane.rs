//! Back-off, not lock-out: wrong answers are counted by user and source, and a lane with too many must wait.
//!
//! [`crate::throttle`] has what is counted over all sources.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::attempt::Place;
use crate::keys::{KeyError, KeyRing, Purpose};
use crate::{UnixTime, limits};

/// The name of a lane: a keyed digest of user and source, so that the table tells no names and has rows of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LaneKey([u8; 16]);

impl LaneKey {
    /// The lane of a user (canonical name, or what was typed) from a source. Without one, it is a lane of the place.
    pub fn new(keys: &KeyRing, user: &str, source: Option<&str>, place: &Place) -> Result<Self, KeyError> {
        let source = source.map_or_else(|| place.to_string(), network);
        Self::named(keys, &[b"lane", user.as_bytes(), source.as_bytes()])
    }

    /// The lane of answers from a source that count against nobody.
    pub fn of_nobody(keys: &KeyRing, source: Option<&str>) -> Result<Self, KeyError> {
        Self::named(keys, &[b"nobody", source.unwrap_or_default().as_bytes()])
    }

    /// Where answers that count against nobody are counted over all accounts: the same work as against one.
    pub fn of_no_account(keys: &KeyRing, source: Option<&str>) -> Result<Self, KeyError> {
        Self::named(keys, &[b"no account", source.unwrap_or_default().as_bytes()])
    }

    /// One name, whatever the source: what is recorded about it is kept within bounds under this.
    pub fn of_name(keys: &KeyRing, user: &str) -> Result<Self, KeyError> {
        Self::named(keys, &[b"name", user.as_bytes()])
    }

    fn named(keys: &KeyRing, parts: &[&[u8]]) -> Result<Self, KeyError> {
        let mac = keys.mac(keys.newest(), Purpose::Digest, parts)?;
        let (short, _) = mac.split_first_chunk::<16>().ok_or(KeyError::DoesNotSeal)?;
        Ok(Self(*short))
    }

    /// One that a store kept.
    #[must_use]
    pub const fn from_bytes(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// Its octets, for the store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What differs between two attempts of one user at one machine is taken off: the port, and which address of the
/// machine itself it was. Some gateways write `192.0.2.7[4500]` or `192.0.2.7:4500` as Calling-Station-Id.
fn address_of(source: &str) -> Option<IpAddr> {
    let without_port =
        source.strip_suffix(']').and_then(|text| text.split_once('[')).map_or(source, |(address, port)| {
            if address.is_empty() || !port.bytes().all(|octet| octet.is_ascii_digit()) {
                source
            } else {
                address
            }
        });
    let address =
        without_port.parse().or_else(|_| without_port.parse().map(|socket: SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// One household has 2^64 addresses of IPv6: the first half of them is one source (RFC 6177).
fn network(source: &str) -> String {
    match address_of(source) {
        Some(address) if address.is_loopback() => "local".to_owned(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Some(IpAddr::V4(address)) => address.to_string(),
        None => source.to_owned(),
    }
}

/// What a lane has seen since its last success, or since a day in which nothing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Lane {
    /// Answers counted; the count rises before an answer is looked at.
    pub failures: u32,
    /// When the last one came.
    pub last_at: UnixTime,
}

impl Lane {
    /// Until when an answer is refused without being looked at.
    #[must_use]
    pub fn closed_until(&self) -> UnixTime {
        let Some(beyond) = self.failures.checked_sub(limits::FREE_FAILURES) else {
            return UnixTime::default();
        };
        let doubled = limits::FIRST_WAIT_SECONDS.checked_shl(beyond.min(10)).unwrap_or(u64::MAX);
        self.last_at.plus_seconds(doubled.min(limits::LONGEST_WAIT_SECONDS))
    }

    /// Whether an answer may be looked at now. A count from a clock that ran ahead closes nothing.
    #[must_use]
    pub fn is_open(&self, now: UnixTime) -> bool {
        let ahead = now.plus_seconds(limits::CLOCK_DIFFERENCE_SECONDS);
        now >= self.closed_until() || self.last_at > ahead
    }

    /// The lane with one answer more, at `now`. What is older than a day is forgotten.
    #[must_use]
    pub fn counted(&self, now: UnixTime) -> Self {
        let is_old = now.seconds_since(self.last_at) > limits::LANE_KEPT_SECONDS;
        let before = if is_old { 0 } else { self.failures };
        Self { failures: before.saturating_add(1), last_at: now }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lane, network};
    use crate::UnixTime;

    #[test]
    fn ports_and_own_addresses_make_no_new_source() {
        let same = [
            ["192.0.2.7", "192.0.2.7[4500]", "192.0.2.7:4500", "::ffff:192.0.2.7"],
            ["2001:db8::1", "2001:db8::2[500]", "[2001:db8::3]:500", "2001:db8:0:0:ffff::"],
            ["127.0.0.1", "127.9.9.9", "::1", "local"],
        ];
        for sources in same {
            for source in sources {
                assert_eq!(network(source), network(sources[0]), "{source}");
            }
        }
        for other in ["00-11-22-33-44-55:wifi", "+15551234567", "[500]", "tty1[x]"] {
            assert_eq!(network(other), other);
        }
    }

    #[test]
    fn waits_begin_after_five_failures_and_double_to_a_quarter_of_an_hour() {
        let waits = [(4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (1_000_000, 900)];
        let last_at = UnixTime::from_seconds(1000);
        for (failures, seconds) in waits {
            let lane = Lane { failures, last_at };
            assert!(lane.is_open(last_at.plus_seconds(seconds)), "{failures}");
            assert_eq!(
                lane.is_open(last_at.plus_seconds(seconds).minus_seconds(1)),
                seconds == 0,
                "{failures}"
            );
        }
    }
}
