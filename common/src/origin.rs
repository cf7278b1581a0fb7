//! Where answers come from, as far as they are counted apart.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::attempt::{Attempt, Door, LOCAL_SOURCE};

/// Where answers come from. What one kind of it says, no other kind can say: a text that somebody sends from far away
/// is never the machine itself, and no place, and no other user of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    kind: Kind,
    text: String,
    /// Who tries another one's name; empty for nobody.
    by: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// This machine.
    Machine,
    /// An address that a connection to this machine came from, or the first half of one of IPv6.
    Address,
    /// A Calling-Station-Id. Where it is an address it is none that we have seen: many a gateway lets its users choose it,
    /// and what somebody does there must not close, nor open, the way in of somebody here.
    Station,
    /// A service or client that does not say more.
    Place,
}

impl Kind {
    const fn octets(self) -> &'static [u8] {
        match self {
            Self::Machine => b"machine",
            Self::Address => b"address",
            Self::Station => b"station",
            Self::Place => b"place",
        }
    }
}

impl Origin {
    /// Where the answers of an attempt at a user come from. Whoever tries another user's name does not fill that user's
    /// own lanes.
    #[must_use]
    pub fn of(attempt: &Attempt, user: &str) -> Self {
        let (kind, text) = match (&attempt.source, attempt.door) {
            (None, _) => (Kind::Place, attempt.place.to_string()),
            (Some(source), Door::Radius) => (Kind::Station, place_of(source)),
            (Some(source), Door::Pam | Door::CommandLine | Door::Delivery) => seen_from_here(source),
        };
        let by_another = attempt.parties.caller.as_deref().filter(|caller| *caller != user);
        Self { kind, text, by: by_another.unwrap_or_default().to_owned() }
    }

    /// What a digest is made of, each part apart.
    pub(crate) fn parts(&self) -> [&[u8]; 3] {
        [self.kind.octets(), self.text.as_bytes(), self.by.as_bytes()]
    }
}

/// A source, however it is written.
pub(crate) fn place_of(source: &str) -> String {
    address_of(source).map_or_else(|| source.to_owned(), network)
}

/// What this machine says of its own callers. Which of its own addresses it was makes no difference.
fn seen_from_here(source: &str) -> (Kind, String) {
    match address_of(source) {
        Some(address) if address.is_loopback() => (Kind::Machine, String::new()),
        None if source == LOCAL_SOURCE => (Kind::Machine, String::new()),
        Some(_) | None => (Kind::Address, place_of(source)),
    }
}

/// The port is taken off, which differs between two attempts of one user. Some gateways write `192.0.2.7[4500]` or
/// `192.0.2.7:4500` as Calling-Station-Id.
pub(crate) fn address_of(source: &str) -> Option<IpAddr> {
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
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        IpAddr::V4(address) => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Origin;
    use crate::attempt::Parties;
    use crate::lane::LaneKey;
    use crate::world::{at_sshd, at_vpn, keys};
    use crate::{Attempt, Place};

    fn by_pam(source: &str) -> Origin {
        Origin::of(&Attempt { source: Some(source.to_owned()), ..at_sshd("alice") }, "alice")
    }

    fn by_radius(source: &str) -> Origin {
        Origin::of(&Attempt { source: Some(source.to_owned()), ..at_vpn("alice") }, "alice")
    }

    #[test]
    fn ports_and_own_addresses_make_no_new_source() {
        let same = [
            ["192.0.2.7", "192.0.2.7[4500]", "192.0.2.7:4500", "::ffff:192.0.2.7"],
            ["2001:db8::1", "2001:db8::2[500]", "[2001:db8::3]:500", "2001:db8:0:0:ffff::"],
        ];
        for sources in same {
            for source in sources {
                assert_eq!(by_radius(source), by_radius(sources[0]), "{source}");
                assert_eq!(by_pam(source), by_pam(sources[0]), "{source}");
                assert_ne!(by_pam(source), by_radius(source), "a client may say what its users like");
            }
        }
        for own in ["127.0.0.1", "127.9.9.9", "::1"] {
            assert_eq!(by_pam(own), by_pam("local"), "{own}");
        }
        let others = ["00-11-22-33-44-55:wifi", "+15551234567", "[500]", "tty1[x]", "192.0.2.8"];
        for (number, other) in others.iter().enumerate() {
            assert!(others[..number].iter().all(|another| by_radius(another) != by_radius(other)), "{other}");
        }
    }

    /// Everything that a login at this machine can be counted under.
    fn local_origins() -> Vec<Origin> {
        let users_of_it = ["bob", "local", "127.0.0.1"];
        let by = |source: Option<&str>, caller: Option<&str>| {
            let parties = Parties { caller: caller.map(str::to_owned), ..Parties::default() };
            let source = source.map(str::to_owned);
            Origin::of(&Attempt { source, parties, ..at_sshd("alice") }, "alice")
        };
        let callers = || users_of_it.into_iter().map(Some).chain([None]);
        let here = ["local", "127.0.0.1", "::1"].into_iter().map(Some).chain([None]);
        here.flat_map(|source| callers().map(move |caller| by(source, caller))).collect()
    }

    #[test]
    fn a_station_that_calls_itself_local_is_not_this_machine() {
        for text in [
            "local",
            "127.0.0.1",
            "127.0.0.1:22",
            "::1",
            "[::1]:1",
            "::ffff:127.0.0.1",
            "local by bob",
            "127.0.0.1 by bob",
            "machine",
            "service sshd",
        ] {
            assert!(!local_origins().contains(&by_radius(text)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_radius_client_sends_is_counted_as_this_machine(
            text in ".{0,40}|(local|127\\.0\\.0\\.1|::1|service sshd|client vpn)( by [a-z]{1,5})?|[0-9a-f.:\\[\\]]{1,20}"
        ) {
            prop_assert!(!local_origins().contains(&by_radius(&text)));
        }

        /// No text runs into the next one: two lanes are one only where all that they are made of is the same.
        #[test]
        fn lanes_differ_where_anything_differs(one in person(), other in person()) {
            let lane = |(user, source, caller): &(String, Option<String>, String)| {
                let parties = Parties { caller: Some(caller.clone()), ..Parties::default() };
                let attempt = Attempt { source: source.clone(), parties, ..at_vpn(user) };
                LaneKey::new(&keys(), user, &Origin::of(&attempt, user)).unwrap()
            };
            prop_assert_eq!(lane(&one) == lane(&other), one == other);
        }
    }

    /// A user, a source, and who tries that user.
    fn person() -> impl Strategy<Value = (String, Option<String>, String)> {
        let source = prop_oneof![Just(None), "[ab]{0,2}( by [ab]{1,2})?".prop_map(Some)];
        ("[ab]{1,2}", source, "c?")
    }

    #[test]
    fn a_gateway_that_names_nobody_is_one_origin_and_no_station() {
        let place = |name: &str| {
            Origin::of(
                &Attempt { source: None, place: Place::Client(name.to_owned()), ..at_vpn("alice") },
                "alice",
            )
        };
        assert_eq!(place("vpn"), place("vpn"));
        assert_ne!(place("vpn"), place("wifi"));
        assert_ne!(place("vpn"), by_radius("client vpn"));
    }
}
