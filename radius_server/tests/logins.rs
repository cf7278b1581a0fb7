//! The whole server in one process, on loopback and a real store, as an ordinary user: logins and packets as a gateway
//! sends them.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use assembly::config::Settings;
use assembly::{key_file, places};
use common::account::{Role, State};
use common::acts::{Act, EnrolmentProof, Label, NewTotp};
use common::record::Actor;
use common::totp::TotpParameters;
use common::{Reason, Secret, Username, Verdict};
use nix::sys::eventfd::EventFd;
use radius_protocol::dictionary::{PROMPT, PROXY_STATE, REPLY_MESSAGE, SESSION_TIMEOUT, STATE};
use radius_protocol::{
    Code, MessageAuthenticatorDemand, Packet, PacketBuffer, ReplyVerdict, RequestBuilder, SharedSecret,
};
use radius_server::queue::Queue;
use radius_server::server::Server;
use radius_server::socket::Listener;
use radius_server::worker::{self, Workers};
use radius_server::world::{self, World};
use radius_server::{limits, receiver};
use tempfile::TempDir;

const SETTINGS: &str = r#"
default-state = "enforced"
state-directory = "STATE"
clients-file = "CLIENTS"
[primary]
backend = "local"
[audit.syslog]
target = "unix:STATE/no-collector"
"#;

const CLIENTS: &str = r#"
[[client]]
name = "gate"
addresses = ["127.0.0.1"]
secret = "a secret shared with the gate"
[[client]]
name = "append"
addresses = ["127.0.0.2"]
secret = "a secret shared with the gate"
kind = "append"
"#;

const GATE_SECRET: &[u8] = b"a secret shared with the gate";
const PASSWORD: &str = "correct horse";
const APP_SECRET: &str = "12345678901234567890";

/// A running server and what it stands on.
struct Site {
    server: Arc<Server>,
    stop: Arc<EventFd>,
    receiver: Option<JoinHandle<()>>,
    workers: Workers,
    folder: TempDir,
}

impl Site {
    /// With alice, who has a password and an authenticator app.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = write_settings(&folder);
        key_file::create(&places::master_key(&settings), &assembly::SystemRandom, None).unwrap();
        assembly::store::Sqlite::create(&places::store(&settings), None).unwrap();
        add_alice(&settings);
        let listener = Listener::open("127.0.0.1:0".parse().unwrap()).unwrap();
        let other = Listener::open("127.0.0.2:0".parse().unwrap()).unwrap();
        let world = World::open(settings, None).unwrap();
        let server = Arc::new(Server::new(vec![listener, other], world));
        let queue = Arc::new(Queue::default());
        let workers = worker::start(&server, &queue).unwrap();
        let stop = Arc::new(EventFd::new().unwrap());
        let (shared, until) = (Arc::clone(&server), Arc::clone(&stop));
        let receiver = thread::spawn(move || receiver::run(&shared, &queue, &until));
        Self { server, stop, receiver: Some(receiver), workers, folder }
    }

    fn counter(&self, name: &str) -> u64 {
        let counters = &self.server.counters;
        let all = counters.events().chain(counters.drops()).chain(counters.refusals());
        all.filter(|(own, _)| *own == name).map(|(_, number)| number).next().unwrap()
    }
}

/// Stops as the service does, and everything must end.
impl Drop for Site {
    fn drop(&mut self) {
        self.stop.write(1).unwrap();
        self.receiver.take().unwrap().join().unwrap();
        let ended = self.workers.ended.recv_timeout(limits::STOP_PATIENCE);
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected));
    }
}

fn write_settings(folder: &TempDir) -> Settings {
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    let clients = folder.path().join("clients.toml");
    fs::write(&clients, CLIENTS).unwrap();
    fs::set_permissions(&clients, fs::Permissions::from_mode(0o600)).unwrap();
    let settings = SETTINGS.replace("STATE", state.to_str().unwrap());
    let settings = settings.replace("CLIENTS", clients.to_str().unwrap());
    let file = folder.path().join("countersign.toml");
    fs::write(&file, settings).unwrap();
    world::load(&file).unwrap_or_else(|error| panic!("{error}"))
}

fn add_alice(settings: &Settings) {
    let office = assembly::office(settings).unwrap();
    let password =
        assembly::primary::hash_password(&assembly::SystemRandom, &Secret::from(PASSWORD)).unwrap();
    let totp = NewTotp {
        label: Label::parse("phone").unwrap(),
        parameters: TotpParameters::default(),
        secret: Secret::from(APP_SECRET),
        proof: EnrolmentProof::Imported,
    };
    let act = Act::Add {
        state: Some(State::Enforced),
        role: Role::User,
        password: Some(password),
        totp: Some(totp),
    };
    let actor = Actor { login_uid: None, uid: 0, tty: None, host: "test".to_owned() };
    office.engine.act(&actor, &Username::parse("alice").unwrap(), &act).map(drop).unwrap();
}

/// The code that alice's app shows now.
fn code() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let totp = totp_rs::Builder::new().with_secret(APP_SECRET.as_bytes().to_vec()).build().unwrap();
    totp.generate(now).to_string()
}

/// A gateway.
struct Gate {
    socket: UdpSocket,
    secret: SharedSecret,
    next: u8,
}

/// A reply that was genuine, in pieces.
#[derive(Debug)]
struct Heard {
    code: Code,
    state: Vec<u8>,
    text: String,
    octets: Vec<u8>,
}

impl Gate {
    fn at(site: &Site, listener: usize) -> Self {
        let address = site.server.listeners[listener].address();
        let socket = UdpSocket::bind(SocketAddr::new(address.ip(), 0)).unwrap();
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { socket, secret: SharedSecret::new(GATE_SECRET).unwrap(), next: 0 }
    }

    /// A request with a new identifier and authenticator.
    fn request(&mut self, name: &str, password: &str, state: Option<&[u8]>) -> Vec<u8> {
        self.next = self.next.wrapping_add(1);
        let mut buffer: PacketBuffer = [0; 4096];
        let mut authenticator = [0; 16];
        common::ports::Random::fill(&assembly::SystemRandom, &mut authenticator);
        let mut request = RequestBuilder::access_request(&mut buffer, &self.secret, self.next, authenticator);
        request.user_name(name).unwrap().user_password(password.as_bytes()).unwrap();
        if let Some(state) = state {
            request.state(state).unwrap();
        }
        request.attribute(PROXY_STATE, b"one").unwrap().attribute(PROXY_STATE, b"two").unwrap();
        request.finish().to_vec()
    }

    fn exchange(&self, request: &[u8]) -> Heard {
        self.socket.send(request).unwrap();
        self.hear(request).expect("an answer")
    }

    fn hear(&self, request: &[u8]) -> Option<Heard> {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).ok()?;
        let reply = Packet::parse(&buffer[..length]).unwrap();
        let request = Packet::parse(request).unwrap();
        let verdict = reply.verify_reply(&request, &self.secret, MessageAuthenticatorDemand::Required);
        assert_eq!(verdict, ReplyVerdict::Genuine);
        let proxy_states: Vec<_> = reply.all(PROXY_STATE).map(|one| one.value().to_vec()).collect();
        assert_eq!(proxy_states, [b"one".to_vec(), b"two".to_vec()]);
        let value = |kind| reply.first(kind).map(|it| it.value().to_vec()).unwrap_or_default();
        Some(Heard {
            code: reply.code(),
            state: value(STATE),
            text: String::from_utf8(value(REPLY_MESSAGE)).unwrap(),
            octets: buffer[..length].to_vec(),
        })
    }

    fn ask(&mut self, name: &str, password: &str, state: Option<&[u8]>) -> Heard {
        let request = self.request(name, password, state);
        self.exchange(&request)
    }
}

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
    while site.counter("received") < 20 {
        thread::yield_now();
    }
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
    while site.counter("status-unhealthy") == 0 {
        thread::yield_now();
    }
    site.server.health.probed(&site.server.world().probe());
    assert_eq!(gate.exchange(&request).code, Code::AccessAccept);
    assert_eq!(site.counter("status-answered"), 2);
}

#[test]
fn a_store_that_takes_no_write_and_a_lost_key_file_are_no_health() {
    let site = Site::start();
    let world = site.server.world();
    assert!(world.probe().is_ok());
    let queue = fs::File::open(places::store(&world.settings).with_extension("db-queue")).unwrap();
    queue.lock().unwrap();
    assert!(world.probe().is_err());
    queue.unlock().unwrap();
    let key = places::master_key(&world.settings);
    fs::rename(&key, key.with_extension("away")).unwrap();
    assert!(world.probe().is_err());
    fs::rename(key.with_extension("away"), &key).unwrap();
    assert!(world.probe().is_ok());
}
