//! The whole server in one process, on loopback and a real store, as an ordinary user: logins and packets as a gateway
//! sends them.
#![cfg(test)]

mod gate;
mod site;

use assembly::places;
use common::{Reason, Verdict};
use radius_protocol::dictionary::{PROMPT, PROXY_STATE, SESSION_TIMEOUT};
use radius_protocol::{Code, Packet, PacketBuffer, RequestBuilder};
use radius_server::duplicates::RequestKey;
use radius_server::floor::{self, Outgoing};
use radius_server::limits;
use radius_server::server::Path;
use radius_server::socket::LocalAddress;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::gate::Gate;
use crate::site::{PASSWORD, PATIENCE, Site, code};

#[test]
fn a_password_is_challenged_and_a_code_works_once() {
    let site = Site::start();
    let mut gate = Gate::at(&site, 0);
    let challenge = gate.ask("alice", PASSWORD, None);
    assert_eq!(challenge.code, Code::AccessChallenge);
    let challenge_packet = Packet::parse(&challenge.octets).unwrap();
    assert_eq!(challenge_packet.first(PROMPT).and_then(radius_protocol::Attribute::integer), Some(0));
    let seconds = challenge_packet.first(SESSION_TIMEOUT).and_then(radius_protocol::Attribute::integer);
    assert!(seconds.is_some_and(|seconds| (290..=300).contains(&seconds)));
    let code = code();
    assert_eq!(gate.ask("alice", &code, Some(&challenge.state)).code, Code::AccessAccept);
    let again = gate.ask("alice", PASSWORD, None);
    let refused = gate.ask("alice", &code, Some(&again.state));
    assert_eq!(refused.code, Code::AccessChallenge);
    assert!(refused.text.starts_with("That did not work."), "{}", refused.text);
    assert_eq!((site.counter("accepted"), site.counter("challenged")), (1, 3));
}

#[test]
fn after_the_last_wrong_code_it_is_over() {
    let site = Site::start();
    let mut gate = Gate::at(&site, 0);
    let mut heard = gate.ask("alice", PASSWORD, None);
    for _ in 0..3 {
        assert_eq!(heard.code, Code::AccessChallenge);
        heard = gate.ask("alice", "000000", Some(&heard.state));
    }
    assert_eq!((heard.code, heard.text.as_str()), (Code::AccessReject, "Login refused."));
}

#[test]
fn an_appended_code_needs_no_challenge() {
    let site = Site::start();
    let mut gate = Gate::at(&site, 1);
    let heard = gate.ask("alice", &format!("{PASSWORD},{}", code()), None);
    assert_eq!(heard.code, Code::AccessAccept);
    let heard = gate.ask("alice", PASSWORD, None);
    assert_eq!(heard.code, Code::AccessReject);
}

#[test]
fn of_a_hundred_parallel_uses_of_one_code_one_is_accepted() {
    let site = Site::start();
    let mut gate = Gate::at(&site, 1);
    let both = format!("{PASSWORD},{}", code());
    let requests: Vec<_> = (0..100).map(|_| gate.request("alice", &both, None)).collect();
    for request in &requests {
        gate.socket.send(request).unwrap();
    }
    let mut accepted = 0;
    for _ in &requests {
        let mut reply = [0; 4096];
        let octets = gate.socket.recv(&mut reply).unwrap();
        accepted += u32::from(Packet::parse(&reply[..octets]).unwrap().code() == Code::AccessAccept);
    }
    assert_eq!((accepted, site.counter("accepted"), site.counter("rejected")), (1, 1, 99));
}

#[test]
fn a_request_that_was_replaced_while_it_waited_spends_no_code() {
    let site = Site::start();
    let mut gate = Gate::at(&site, 1);
    let both = format!("{PASSWORD},{}", code());
    let before = (0..60).map(|number| gate.request(&format!("nobody-{number}"), "x,000000", None));
    let mut requests: Vec<_> = before.collect();
    requests.push(gate.request("alice", &both, None));
    gate.next = gate.next.wrapping_sub(1);
    requests.push(gate.request("nobody", "x,000000", None));
    for request in &requests {
        gate.socket.send(request).unwrap();
    }
    for _ in 1..requests.len() {
        gate.socket.recv(&mut [0; 4096]).unwrap();
    }
    assert_eq!(site.counter("superseded"), 1);
    assert_eq!(gate.ask("alice", &both, None).code, Code::AccessAccept);
}

#[test]
fn the_same_packet_gets_the_same_octets() {
    let site = Site::start();
    let mut gate = Gate::at(&site, 0);
    let request = gate.request("alice", PASSWORD, None);
    let (first, second) = (gate.exchange(&request), gate.exchange(&request));
    assert_eq!(first.octets, second.octets);
    assert_eq!((site.counter("challenged"), site.counter("answered-again")), (1, 1));
}

#[test]
fn a_success_answers_its_retransmission_under_a_new_identifier_and_nothing_else() {
    let site = Site::start();
    let mut gate = Gate::at(&site, 0);
    let challenge = gate.ask("alice", PASSWORD, None);
    let code = code();
    assert_eq!(gate.ask("alice", &code, Some(&challenge.state)).code, Code::AccessAccept);
    assert_eq!(gate.ask("alice", &code, Some(&challenge.state)).code, Code::AccessAccept);
    assert_eq!(gate.ask("alice", "123456", Some(&challenge.state)).code, Code::AccessReject);
}

#[test]
fn a_state_is_good_for_its_client_and_name_only() {
    let site = Site::start();
    let (mut gate, mut other) = (Gate::at(&site, 0), Gate::at(&site, 1));
    let state = gate.ask("alice", PASSWORD, None).state;
    assert_eq!(other.ask("alice", &code(), Some(&state)).code, Code::AccessReject);
    assert_eq!(gate.ask("bob", &code(), Some(&state)).code, Code::AccessReject);
    let mut changed = state.clone();
    changed[30] ^= 1;
    assert_eq!(gate.ask("alice", &code(), Some(&changed)).code, Code::AccessReject);
    assert_eq!(gate.ask("alice", &code(), Some(b"")).code, Code::AccessReject);
    assert_eq!(site.counter("state-invalid"), 4);
    assert_eq!(gate.ask("alice", &code(), Some(&state)).code, Code::AccessAccept);
}

#[test]
fn nobody_can_tell_an_unknown_name_or_a_wrong_password_by_the_challenge() {
    let site = Site::start();
    let mut gate = Gate::at(&site, 0);
    let right = gate.ask("alice", PASSWORD, None);
    for (name, password) in [("alice", "wrong"), ("nobody-of-that-name", PASSWORD), ("a\nb", PASSWORD)] {
        let heard = gate.ask(name, password, None);
        assert_eq!((heard.code, &heard.text), (right.code, &right.text), "{name:?}");
        assert_eq!(heard.octets.len(), right.octets.len(), "{name:?}");
    }
}

#[test]
fn a_reload_with_a_mistake_keeps_what_is_good() {
    let site = Site::start();
    let mut gate = Gate::at(&site, 0);
    let file = site.folder.path().join("countersign.toml");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, "default-state = \"perhaps\"\n").unwrap();
    assert!(site.server.world().reload(None).is_err());
    assert_eq!(gate.ask("alice", PASSWORD, None).code, Code::AccessChallenge);
    fs::write(&file, good).unwrap();
    site.server.replace_world(site.server.world().reload(None).unwrap());
    let state = gate.ask("alice", PASSWORD, None).state;
    assert_eq!(gate.ask("alice", &code(), Some(&state)).code, Code::AccessAccept);
}

#[test]
fn what_was_received_before_the_stop_is_answered() {
    let site = Site::start();
    let mut gate = Gate::at(&site, 0);
    let requests: Vec<_> = (0..20).map(|_| gate.request("alice", PASSWORD, None)).collect();
    for request in &requests {
        gate.socket.send(request).unwrap();
    }
    site.wait_for("received", 20);
    drop(site);
    let mut waiting: BTreeSet<u8> = requests.iter().map(|request| request[1]).collect();
    for _ in &requests {
        let mut reply = [0; 4096];
        gate.socket.recv(&mut reply).unwrap();
        assert!(waiting.remove(&reply[1]), "answered twice");
    }
    assert!(waiting.is_empty());
}

#[test]
fn status_server_is_answered_while_the_store_can_be_used_and_silent_else() {
    let site = Site::start();
    let gate = Gate::at(&site, 0);
    let mut buffer: PacketBuffer = [0; 4096];
    let mut request = RequestBuilder::status_server(&mut buffer, &gate.secret, 9, [5; 16]);
    request.attribute(PROXY_STATE, b"one").unwrap().attribute(PROXY_STATE, b"two").unwrap();
    let request = request.finish().to_vec();
    assert_eq!(gate.exchange(&request).code, Code::AccessAccept);
    site.server.health.saw(&Verdict::Unavailable(Reason::StoreUnavailable));
    gate.socket.send(&request).unwrap();
    site.wait_for("status-unhealthy", 1);
    site.server.health.probed(&site.server.world().probe());
    assert_eq!(gate.exchange(&request).code, Code::AccessAccept);
    assert_eq!(site.counter("status-answered"), 2);
}

#[test]
fn a_store_that_takes_no_write_and_a_lost_key_file_are_no_health() {
    let site = Site::start();
    let world = site.server.world();
    assert!(world.probe().is_ok());
    let queue = fs::File::open(places::store(&world.base.settings).with_extension("db-queue")).unwrap();
    queue.lock().unwrap();
    assert!(world.probe().is_err());
    queue.unlock().unwrap();
    let key = places::master_key(&world.base.settings);
    fs::rename(&key, key.with_extension("away")).unwrap();
    assert!(world.probe().is_err());
    fs::rename(key.with_extension("away"), &key).unwrap();
    assert!(world.probe().is_ok());
}

#[test]
fn a_question_or_refusal_after_a_first_password_leaves_no_earlier_than_the_floor() {
    let site = Site::start();
    let floor = site.server.world().base.engine.policy().floor;
    assert!(floor > Duration::ZERO);
    for (listener, name, password) in
        [(0, "alice", PASSWORD), (0, "alice", "no"), (0, "bob", "no"), (1, "bob", "no")]
    {
        let mut gate = Gate::at(&site, listener);
        let begun = Instant::now();
        let heard = gate.ask(name, password, None);
        assert_ne!(heard.code, Code::AccessAccept);
        assert!(begun.elapsed() >= floor, "{name} {password}");
    }
}

#[test]
fn so_does_what_follows_a_wish_for_a_code_and_a_guess() {
    let site = Site::start();
    let floor = site.server.world().base.engine.policy().floor;
    for (name, password) in [("alice", PASSWORD), ("alice", "no"), ("bob", "no")] {
        let mut gate = Gate::at(&site, 0);
        let mut state = gate.ask(name, password, None).state;
        for wish in ["sms", "000000"] {
            let begun = Instant::now();
            let heard = gate.ask(name, wish, Some(&state));
            assert!(begun.elapsed() >= floor, "{name} {password} {wish}");
            state = heard.state;
        }
    }
}

#[test]
fn an_answer_beyond_those_that_may_wait_for_the_floor_leaves_at_once_and_is_counted() {
    let site = Site::start();
    let gate = Gate::at(&site, 0);
    let world = site.server.world();
    let peer = gate.socket.local_addr().unwrap();
    let client = world.clients.find(peer.ip()).unwrap();
    let outgoing = |octet: u8| {
        Box::new(Outgoing {
            client: Arc::clone(client),
            key: RequestKey { socket: 0, peer, identifier: octet },
            authenticator: [octet; 16],
            path: Path { socket: 0, peer, local: LocalAddress::Unknown },
            octets: Box::new([octet]),
            due: Instant::now() + PATIENCE,
        })
    };
    let (shelf, _left) = floor::shelf();
    for _ in 0..limits::SHELF_MAX {
        shelf.put(&site.server, outgoing(1));
    }
    shelf.put(&site.server, outgoing(2));
    let waited = u64::try_from(limits::SHELF_MAX).unwrap();
    assert_eq!((site.counter("held-back"), site.counter("left-early")), (waited, 1));
}
