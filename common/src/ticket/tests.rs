use proptest::prelude::*;

use super::{Binding, KeyFingerprint, LoginSession, Source, Station, Ticket, Tickets};
use crate::account::{Account, State};
use crate::attempt::Place;
use crate::bundle::{Bundle, Durability, TicketChange};
use crate::keys::{KeyId, KeyRing, MasterKey};
use crate::limits::{
    CLOCK_DIFFERENCE_SECONDS, STATION_OCTETS_MAX, TICKET_SECONDS_MAX, TICKET_WITH_KEY_SECONDS_MAX,
    TICKETS_MAX,
};
use crate::random::Stream;
use crate::{AccountId, AttemptId, UnixTime, Username, world};

/// As OpenSSH's `ssh-keygen -l` has written them of two keys.
const KEYS: [&str; 2] = [
    "SHA256:7NJgdyqcSZFqnXe8k9lnWJNllYXswISQ1qRvuexKM3w",
    "SHA256:yYyVmGeSRAqxD7YLwO0UlEGXoTHA1EzAMIHv1P+vzzs",
];

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(1_700_000_000 + seconds)
}

fn account(number: u8) -> Account {
    let name = Username::parse("alice").unwrap();
    Account::new(AccountId::from_bytes([number; 16]), name, State::Enforced, at(0))
}

fn from(service: &str, source: &str, key: Option<&str>) -> Binding {
    let key = key.map(|key| KeyFingerprint::parse(key).unwrap());
    Binding::Source { service: service.to_owned(), source: Source::parse(source).unwrap(), key }
}

fn within(service: &str, boot: &str, number: u32) -> Binding {
    Binding::Session { service: service.to_owned(), session: LoginSession::new(boot, number).unwrap() }
}

fn by(client: &str, station: &str) -> Binding {
    Binding::Station { client: client.to_owned(), station: Station::parse(station).unwrap() }
}

fn of(account: &Account, binding: &Binding, life_seconds: u64, now: UnixTime) -> Ticket {
    // A new id each time, as in life.
    static SEED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let seed = SEED.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
    let random = Stream::new(&seed, "tickets");
    Ticket::new(account, binding, life_seconds, now, (&world::keys(), &random)).unwrap()
}

fn remembered(tickets: impl IntoIterator<Item = Ticket>) -> Tickets {
    let mut all = Tickets::default();
    tickets.into_iter().for_each(|ticket| all.remember(ticket));
    all
}

fn knows(tickets: &Tickets, keys: &KeyRing, account: &Account, binding: &Binding, now: UnixTime) -> bool {
    let candidates = binding.candidates(keys, account.id).unwrap();
    tickets.bound_to(&candidates, account, now).next().is_some()
}

#[test]
fn a_device_is_known_by_all_that_it_is_bound_to() {
    let bindings = [
        from("sshd", "192.0.2.7", None),
        from("sshd", "192.0.2.7", Some(KEYS[0])),
        from("sshd", "192.0.2.7", Some(KEYS[1])),
        from("sshd", "192.0.2.8", None),
        from("imap", "192.0.2.7", None),
        within("sudo", "boot", 3),
        within("sudo", "boot", 4),
        within("sudo", "another boot", 3),
        within("su", "boot", 3),
        by("vpn", "192.0.2.7"),
        by("vpn", "00-11-22-33-44-55"),
        by("sshd", "192.0.2.7"),
        by("wifi", "00-11-22-33-44-55"),
    ];
    let people = [account(1), account(2)];
    let all = || people.iter().flat_map(|account| bindings.iter().map(move |binding| (account, binding)));
    for (account, binding) in all() {
        let tickets = remembered([of(account, binding, 60, at(0))]);
        for (other, another) in all() {
            let is_it = (account.id, binding) == (other.id, another);
            assert_eq!(knows(&tickets, &world::keys(), other, another, at(0)), is_it, "{another:?}");
        }
    }
}

#[test]
fn a_port_or_a_neighbour_in_one_household_makes_no_other_device() {
    let tickets = |binding: &Binding| remembered([of(&account(1), binding, 60, at(0))]);
    let is_same =
        |one: Binding, other: Binding| knows(&tickets(&one), &world::keys(), &account(1), &other, at(0));
    assert!(is_same(from("sshd", "192.0.2.7", None), from("sshd", "192.0.2.7:4500", None)));
    assert!(is_same(from("sshd", "2001:db8::1", None), from("sshd", "2001:db8::2", None)));
    assert!(!is_same(from("sshd", "2001:db8::1", None), from("sshd", "2001:db8:0:1::1", None)));
    assert!(is_same(by("vpn", "192.0.2.7[4500]"), by("vpn", "192.0.2.7[500]")));
}

#[test]
fn nothing_is_bound_to_what_tells_no_devices_apart() {
    for no_source in
        ["", "local", "127.0.0.1", "::1", "::ffff:127.0.0.1", "[::1]:22", "tty1", "gate.example.org"]
    {
        assert_eq!(Source::parse(no_source), None, "{no_source}");
    }
    let too_long = "1".repeat(STATION_OCTETS_MAX + 1);
    for no_station in ["", " ", &too_long] {
        assert_eq!(Station::parse(no_station), None, "{no_station}");
    }
    assert!(Station::parse(&too_long[1..]).is_some());
    assert_eq!(LoginSession::new("boot", u32::MAX), None, "a process outside of every session");
    assert_eq!(LoginSession::new("", 1), None);
    let of_md5 = "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48";
    for no_key in ["", "SHA256:", of_md5, &KEYS[0][7..], &KEYS[0][..49], &format!("{}A", KEYS[0])] {
        assert_eq!(KeyFingerprint::parse(no_key), None, "{no_key}");
    }
}

#[test]
fn no_device_is_remembered_for_longer_than_its_binding_allows() {
    let life =
        |binding: &Binding, asked| of(&account(1), binding, asked, at(0)).expires_at().seconds_since(at(0));
    for binding in [from("sshd", "192.0.2.7", None), within("sudo", "boot", 3), by("vpn", "192.0.2.7")] {
        assert_eq!(life(&binding, 3600), 3600);
        assert_eq!(life(&binding, u64::MAX), TICKET_SECONDS_MAX, "{binding:?}");
    }
    let by_key = from("sshd", "192.0.2.7", Some(KEYS[0]));
    assert_eq!(life(&by_key, TICKET_SECONDS_MAX + 1), TICKET_SECONDS_MAX + 1);
    assert_eq!(life(&by_key, u64::MAX), TICKET_WITH_KEY_SECONDS_MAX);
    assert_eq!(TICKET_SECONDS_MAX, 12 * 3600);
}

#[test]
fn a_device_is_strange_again_after_its_time_and_in_another_generation() {
    let alice = account(1);
    let tickets = remembered([of(&alice, &by("vpn", "a"), 60, at(100))]);
    let is_live = |account: &Account, now: u64| tickets.live(account, at(now)).count() == 1;
    assert!(is_live(&alice, 100) && is_live(&alice, 159) && !is_live(&alice, 160));
    assert!(is_live(&alice, 100 - CLOCK_DIFFERENCE_SECONDS), "clocks of servers differ");
    assert!(!is_live(&alice, 99 - CLOCK_DIFFERENCE_SECONDS), "a clock that ran ahead");
    assert!(!is_live(&Account { generation: 1, ..alice }, 100));
}

#[test]
fn of_too_many_devices_the_oldest_go_and_one_counts_once() {
    let alice = account(1);
    let station = |number: usize| by("vpn", &format!("station {number}"));
    let numbers = || 0..TICKETS_MAX + 3;
    let mut tickets =
        remembered(numbers().map(|number| of(&alice, &station(number), 600, at(number as u64))));
    let known = |tickets: &Tickets, number| knows(tickets, &world::keys(), &alice, &station(number), at(60));
    assert_eq!(tickets.live(&alice, at(60)).count(), TICKETS_MAX);
    assert!(numbers().all(|number| known(&tickets, number) == (number >= 3)));
    let again = of(&alice, &station(5), 600, at(60));
    tickets.remember(again.clone());
    assert_eq!(tickets.live(&alice, at(60)).count(), TICKETS_MAX);
    assert_eq!(tickets.live(&alice, at(60)).last(), Some(&again));
    assert!(tickets.forget(again.id()) && !tickets.forget(again.id()));
    assert!(!known(&tickets, 5) && known(&tickets, 6));
}

#[test]
fn what_has_ended_takes_no_room() {
    let alice = account(1);
    let mut tickets = remembered((0..9).map(|number| of(&alice, &by("vpn", &number.to_string()), 60, at(0))));
    tickets.remember(of(&alice, &by("vpn", "new"), 60, at(60)));
    assert_eq!(serde_json::to_value(&tickets).unwrap().as_array().unwrap().len(), 1);
    let mut later = Account { generation: 1, ..alice };
    tickets.remember(of(&later, &by("vpn", "newer"), 60, at(60)));
    assert_eq!(serde_json::to_value(&tickets).unwrap().as_array().unwrap().len(), 1);
    later.forget_devices();
    assert_eq!(tickets.live(&later, at(60)).count(), 0);
}

#[test]
fn what_is_stored_names_no_device_and_its_owner_can_read_it() {
    let alice = account(1);
    let ticket = of(&alice, &from("sshd", "192.0.2.7", Some(KEYS[0])), 60, at(0));
    let stored = serde_json::to_string(&remembered([ticket.clone()])).unwrap();
    for told in ["192.0", "sshd", "SHA256", &KEYS[0][7..20], "source"] {
        assert!(!stored.contains(told), "{stored}");
    }
    let read: Tickets = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, remembered([ticket.clone()]));
    let description = ticket.describe(&world::keys(), alice.id).unwrap();
    assert_eq!(description.place, Place::Service("sshd".to_owned()));
    assert_eq!(description.device, format!("192.0.2.7 with key {}", KEYS[0]));
    assert!(ticket.describe(&world::keys(), account(2).id).is_err(), "moved to another account");
    let vpn = of(&alice, &by("vpn", "00-11-22-33-44-55"), 60, at(0));
    assert_eq!(vpn.describe(&world::keys(), alice.id).unwrap().place, Place::Client("vpn".to_owned()));
    let moved = Ticket { description: vpn.description, ..ticket };
    assert!(moved.describe(&world::keys(), alice.id).is_err(), "moved to another ticket");
}

#[test]
fn a_new_master_key_knows_the_devices_of_the_old_one() {
    let key = |id: u32, octet| MasterKey { id: KeyId(id), octets: zeroize::Zeroizing::new([octet; 32]) };
    let (alice, binding) = (account(1), by("vpn", "a"));
    let mut tickets = remembered([of(&alice, &binding, 600, at(0))]);
    let renewed = KeyRing::new(key(2, 8), vec![key(1, 7)]);
    assert!(knows(&tickets, &renewed, &alice, &binding, at(1)));
    assert!(!knows(&tickets, &KeyRing::new(key(1, 8), Vec::new()), &alice, &binding, at(1)), "another key");
    assert!(
        !knows(&tickets, &KeyRing::new(key(2, 7), Vec::new()), &alice, &binding, at(1)),
        "the old one is gone"
    );
    let random = Stream::new(b"0", "under the new key");
    tickets.remember(Ticket::new(&alice, &binding, 600, at(1), (&renewed, &random)).unwrap());
    let candidates = binding.candidates(&renewed, alice.id).unwrap();
    assert_eq!(tickets.bound_to(&candidates, &alice, at(2)).count(), 2, "both are this device");
}

#[test]
fn what_is_remembered_or_forgotten_survives_a_power_cut() {
    let alice = account(1);
    let ticket = Box::new(of(&alice, &by("vpn", "a"), 60, at(0)));
    let forget = TicketChange::Forget { account: alice.id, ticket: ticket.id() };
    for change in [forget, TicketChange::Remember { account: alice.id, ticket }] {
        let mut bundle = Bundle::of_records(AttemptId::from_bytes([1; 16]), at(0), Vec::new());
        assert!(bundle.writes_nothing() && bundle.durability() == Durability::Process);
        bundle.tickets.push(change);
        assert!(!bundle.writes_nothing() && bundle.durability() == Durability::PowerCut);
    }
}

/// Few values, so that what runs together would be found.
fn binding() -> impl Strategy<Value = Binding> {
    let place = || "[ab]{1,2}";
    let key = prop_oneof![Just(None), Just(Some(KEYS[0])), Just(Some(KEYS[1]))];
    prop_oneof![
        (place(), 0..3u8, key).prop_map(|(service, host, key)| from(
            &service,
            &format!("192.0.2.{host}"),
            key
        )),
        (place(), place(), 0..3u32).prop_map(|(service, boot, number)| within(&service, &boot, number)),
        (place(), "[ab0-2]{1,2}|192.0.2.[0-2]").prop_map(|(client, station)| by(&client, &station)),
    ]
}

proptest! {
    /// No part runs into the next one, nor one kind of binding into another.
    #[test]
    fn two_devices_are_one_only_where_they_are_bound_to_the_same(one in binding(), other in binding()) {
        let tickets = remembered([of(&account(1), &one, 60, at(0))]);
        prop_assert_eq!(knows(&tickets, &world::keys(), &account(1), &other, at(0)), one == other);
    }

    #[test]
    fn no_text_from_outside_breaks_a_binding(text in ".{0,80}|[0-9a-f.:\\[\\]]{0,30}|SHA256:[A-Za-z0-9+/]{40,45}") {
        let texts = [
            Source::parse(&text).map(|source| source.0),
            Station::parse(&text).map(|station| station.0),
            KeyFingerprint::parse(&text).map(|key| key.0),
        ];
        prop_assert!(texts.into_iter().flatten().all(|kept| !kept.is_empty() && kept.len() <= STATION_OCTETS_MAX));
    }
}
