//! What comes twice, what is replaced, and what a flood may push out.

use super::*;

const FIRST: Authenticator = [1; 16];
const SECOND: Authenticator = [2; 16];

fn key(port: u16, identifier: u8) -> RequestKey {
    RequestKey { socket: 0, peer: SocketAddr::from(([192, 0, 2, 1], port)), identifier }
}

fn client(name: &str) -> Arc<str> {
    Arc::from(name)
}

fn octets(text: &str) -> Arc<[u8]> {
    Arc::from(text.as_bytes())
}

#[test]
fn a_request_in_flight_is_not_begun_again() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, now), Seen::New);
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, now), Seen::InFlight);
}

#[test]
fn an_answered_request_gets_the_same_octets_until_they_are_too_old() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, now), Seen::New);
    assert_eq!(memory.answered("gate", &key(1, 7), &FIRST, octets("yes"), now), Kept::Yes);
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, now), Seen::Answered(octets("yes")));
    let later = now + limits::ANSWER_KEPT;
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, later), Seen::New);
}

#[test]
fn another_port_identifier_or_socket_is_another_request() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, now), Seen::New);
    assert_eq!(memory.admit(&gate, key(2, 7), &FIRST, now), Seen::New);
    assert_eq!(memory.admit(&gate, key(1, 8), &FIRST, now), Seen::New);
    let elsewhere = RequestKey { socket: 1, ..key(1, 7) };
    assert_eq!(memory.admit(&gate, elsewhere, &FIRST, now), Seen::New);
}

#[test]
fn a_new_authenticator_replaces_the_old_request() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, now), Seen::New);
    assert_eq!(memory.admit(&gate, key(1, 7), &SECOND, now), Seen::New);
    assert_eq!(memory.answered("gate", &key(1, 7), &FIRST, octets("old"), now), Kept::Superseded);
    assert_eq!(memory.answered("gate", &key(1, 7), &SECOND, octets("new"), now), Kept::Yes);
    assert_eq!(memory.admit(&gate, key(1, 7), &SECOND, now), Seen::Answered(octets("new")));
}

#[test]
fn a_request_without_an_answer_may_be_tried_again() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, now), Seen::New);
    memory.done("gate", &key(1, 7), &FIRST);
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, now), Seen::New);
    assert_eq!(memory.answered("gate", &key(1, 7), &FIRST, octets("yes"), now), Kept::Yes);
    memory.done("gate", &key(1, 7), &FIRST);
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, now), Seen::Answered(octets("yes")));
}

#[test]
fn one_client_has_only_so_many_requests_in_flight() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    for port in 0..u16::try_from(limits::IN_FLIGHT_PER_CLIENT_MAX).unwrap() {
        assert_eq!(memory.admit(&gate, key(port, 0), &FIRST, now), Seen::New);
    }
    assert_eq!(memory.admit(&gate, key(9999, 0), &FIRST, now), Seen::TooMany);
    assert_eq!(memory.admit(&client("other"), key(9999, 0), &FIRST, now), Seen::New);
    assert_eq!(memory.answered("gate", &key(0, 0), &FIRST, octets("yes"), now), Kept::Yes);
    memory.done("gate", &key(0, 0), &FIRST);
    assert_eq!(memory.admit(&gate, key(9999, 0), &FIRST, now), Seen::New);
}

#[test]
fn a_replaced_request_is_in_flight_until_its_worker_is_done() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    for number in 0..limits::IN_FLIGHT_PER_CLIENT_MAX {
        assert_eq!(memory.admit(&gate, key(1, 7), &numbered(number), now), Seen::New);
    }
    assert_eq!(memory.admit(&gate, key(1, 7), &SECOND, now), Seen::TooMany);
    memory.done("gate", &key(1, 7), &numbered(0));
    assert_eq!(memory.admit(&gate, key(1, 7), &SECOND, now), Seen::New);
}

#[test]
fn a_replaced_request_is_not_worth_working_on() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    assert_eq!(memory.admit(&gate, key(1, 7), &FIRST, now), Seen::New);
    assert!(memory.is_awaited("gate", &key(1, 7), &FIRST));
    assert_eq!(memory.admit(&gate, key(1, 7), &SECOND, now), Seen::New);
    assert!(!memory.is_awaited("gate", &key(1, 7), &FIRST));
    assert!(memory.is_awaited("gate", &key(1, 7), &SECOND));
}

#[test]
fn one_client_cannot_push_out_the_answers_of_another() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    fill(&mut memory, "gate", 1, now);
    for flood in 0..20 {
        fill(&mut memory, &format!("flood-{flood}"), limits::REMEMBERED_PER_CLIENT_MAX + 10, now);
    }
    assert!(memory.remembered <= limits::REMEMBERED_MAX);
    assert_eq!(memory.admit(&gate, key(0, 0), &FIRST, now), Seen::Answered(octets("yes")));
}

#[test]
fn a_slow_login_is_not_forgotten_for_a_flood_of_quick_ones() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    assert_eq!(memory.admit(&gate, key(1, 7), &SECOND, now), Seen::New);
    fill(&mut memory, "gate", 2 * limits::REMEMBERED_PER_CLIENT_MAX, now);
    assert_eq!(memory.admit(&gate, key(1, 7), &SECOND, now), Seen::InFlight);
    assert_eq!(memory.remembered, limits::REMEMBERED_PER_CLIENT_MAX);
}

#[test]
fn replacing_one_identifier_for_ever_fills_nothing() {
    let (mut memory, gate, now) = (Duplicates::default(), client("gate"), Instant::now());
    for number in 0..3 * limits::REMEMBERED_PER_CLIENT_MAX {
        assert_eq!(memory.admit(&gate, key(1, 7), &numbered(number), now), Seen::New);
        memory.done("gate", &key(1, 7), &numbered(number));
    }
    assert!(memory.remembered <= limits::REMEMBERED_PER_CLIENT_MAX);
    assert_eq!(memory.shelves["gate"].in_flight, 0);
}

#[test]
fn a_full_memory_is_purged_at_most_once_a_second() {
    let (mut memory, begun) = (Duplicates::default(), Instant::now());
    for flood in 0..limits::REMEMBERED_MAX / limits::REMEMBERED_PER_CLIENT_MAX {
        fill(&mut memory, &format!("flood-{flood}"), limits::REMEMBERED_PER_CLIENT_MAX, begun);
    }
    let soon = begun + limits::PURGE_INTERVAL / 2;
    fill(&mut memory, "first", 1, begun);
    fill(&mut memory, "second", 1, soon);
    assert_eq!((memory.purged_at, memory.remembered), (Some(begun), limits::REMEMBERED_MAX));
    fill(&mut memory, "third", 1, begun + limits::PURGE_INTERVAL);
    assert_eq!(memory.purged_at, Some(begun + limits::PURGE_INTERVAL));
}

#[test]
fn what_is_too_old_is_forgotten() {
    let (mut memory, now) = (Duplicates::default(), Instant::now());
    fill(&mut memory, "gate", 100, now);
    memory.purge(now);
    assert_eq!(memory.remembered, 100);
    memory.purge(now + limits::ANSWER_KEPT);
    assert_eq!((memory.remembered, memory.shelves.len()), (0, 0));
}

fn fill(memory: &mut Duplicates, name: &str, count: usize, now: Instant) {
    let client = client(name);
    for number in 0..count {
        let key = key(u16::try_from(number).unwrap(), 0);
        assert_eq!(memory.admit(&client, key, &FIRST, now), Seen::New);
        assert_eq!(memory.answered(name, &key, &FIRST, octets("yes"), now), Kept::Yes);
        memory.done(name, &key, &FIRST);
    }
}

fn numbered(number: usize) -> Authenticator {
    let mut authenticator = [0; 16];
    authenticator[..8].copy_from_slice(&number.to_be_bytes());
    authenticator
}
