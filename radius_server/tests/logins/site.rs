//! A whole server in one process, on loopback and a real store, with one user.

use assembly::config::Settings;
use assembly::daemon::Started;
use assembly::{key_file, places};
use common::account::{Role, State};
use common::acts::{Act, EnrolmentProof, Label, NewTotp};
use common::record::Actor;
use common::totp::TotpParameters;
use common::{Secret, Username};
use nix::sys::eventfd::EventFd;
use radius_server::PROGRAM;
use radius_server::queue::Queue;
use radius_server::receiver;
use radius_server::server::Server;
use radius_server::socket::Listener;
use radius_server::worker;
use radius_server::world::World;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub(crate) const SETTINGS: &str = r#"
default-state = "enforced"
state-directory = "STATE"
clients-file = "CLIENTS"
[primary]
backend = "local"
[audit.syslog]
target = "unix:STATE/no-collector"
"#;

pub(crate) const CLIENTS: &str = r#"
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

pub(crate) const GATE_SECRET: &[u8] = b"a secret shared with the gate";
pub(crate) const PASSWORD: &str = "correct horse";
/// What a machine with much else to do may take, for twenty passwords each worth its hash and for the end. The service
/// itself does not wait so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const APP_SECRET: &str = "12345678901234567890";

/// A running server and what it stands on.
pub(crate) struct Site {
    pub(crate) server: Arc<Server>,
    pub(crate) stop: Arc<EventFd>,
    pub(crate) receiver: Option<JoinHandle<()>>,
    pub(crate) workers: Started,
    pub(crate) folder: TempDir,
}

impl Site {
    /// With alice, who has a password and an authenticator app.
    pub(crate) fn start() -> Self {
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

    pub(crate) fn counter(&self, name: &str) -> u64 {
        let counters = &self.server.counters;
        let all = counters.events().chain(counters.drops()).chain(counters.refusals());
        all.filter(|(own, _)| *own == name).map(|(_, number)| number).next().unwrap()
    }

    /// Waits until a counter has come so far.
    pub(crate) fn wait_for(&self, name: &str, number: u64) {
        let begun = Instant::now();
        while self.counter(name) < number {
            assert!(begun.elapsed() < PATIENCE, "{name}: {} of {number}", self.counter(name));
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Stops as the service does, and everything must end.
impl Drop for Site {
    fn drop(&mut self) {
        self.stop.write(1).unwrap();
        self.receiver.take().unwrap().join().unwrap();
        let ended = self.workers.ended.recv_timeout(PATIENCE);
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected));
    }
}

pub(crate) fn write_settings(folder: &TempDir) -> Settings {
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
    PROGRAM.settings(&file).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn add_alice(settings: &Settings) {
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
    let actor = Actor { login_uid: None, uid: Some(0), tty: None, host: "test".to_owned() };
    office.engine.act(&actor, &Username::parse("alice").unwrap(), &act).map(drop).unwrap();
}

/// The code that alice's app shows now.
pub(crate) fn code() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let totp = totp_rs::Builder::new().with_secret(APP_SECRET.as_bytes().to_vec()).build().unwrap();
    totp.generate(now).to_string()
}
