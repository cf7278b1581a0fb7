//! A running countersign-radiusd with clients of every kind, and gateways in front of it: radclient, and packets by hand
//! where radclient is too well-behaved.

#![allow(dead_code, reason = "each suite uses its part of it")]

pub(crate) mod malformed;

use std::fs;
use std::io::Read as _;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use radius_protocol::dictionary::STATE;
use radius_protocol::{
    Code, MessageAuthenticatorDemand, Packet, PacketBuffer, ReplyVerdict, RequestBuilder, SharedSecret,
};
use serde_json::Value;
use test_ground::{Daemon, Failure, RadiusAnswer, RadiusRequest, checked, receive, wait_for};

use crate::site::{Site, User};

/// The secret of every client here.
pub(crate) const SECRET: &str = "a secret between gateway and server";

/// Clients by the loopback address that they ask from.
pub(crate) const CHALLENGE: &str = "127.0.0.1";
pub(crate) const APPEND: &str = "127.0.0.11";
pub(crate) const CODE_ONLY: &str = "127.0.0.12";
pub(crate) const APP_PASSWORD_ONLY: &str = "127.0.0.13";
/// Sends no Message-Authenticator, as pam_radius_auth 2.0 does.
pub(crate) const UNSIGNED: &str = "127.0.0.14";
/// Refuses a wrong password at once.
pub(crate) const PLAIN: &str = "127.0.0.15";
/// Hears nothing when the primary backend cannot be asked.
pub(crate) const SILENT: &str = "127.0.0.16";
/// Nobody's.
pub(crate) const STRANGER: &str = "127.0.0.99";

/// Name, addresses, and whatever else its table holds.
const CLIENTS: [(&str, &str, &str); 7] = [
    ("gate", "\"127.0.0.1\", \"::1\"", ""),
    ("append", "\"127.0.0.11\"", "kind = \"append\""),
    ("code-only", "\"127.0.0.12\"", "kind = \"code-only\""),
    ("app-password-only", "\"127.0.0.13\"", "kind = \"app-password-only\""),
    ("unsigned", "\"127.0.0.14\"", "require-message-authenticator = false"),
    ("plain", "\"127.0.0.15\"", "dialogue = \"plain\""),
    ("silent", "\"127.0.0.16\"", "when-backend-fails = \"silence\""),
];

/// A running server with a configuration of its own.
pub(crate) struct Radiusd {
    daemon: Option<Daemon>,
    pub(crate) port: u16,
    folder: PathBuf,
    /// Of its settings and its log.
    name: &'static str,
}

/// Who checks first passwords.
#[derive(Clone, Copy)]
pub(crate) enum Backend {
    Local,
    /// This PAM service.
    Pam(&'static str),
}

impl Radiusd {
    /// Started as root, on the site's store.
    pub(crate) fn start(site: &Site, backend: Backend) -> Result<Self, Failure> {
        let folder = site.machine.new_folder("radiusd")?;
        let mut server = Self { daemon: None, port: site.machine.free_port()?, folder, name: "countersign" };
        site.machine.install("countersign-radiusd", &server.program())?;
        let installed = Path::new("/etc/countersign/countersign.toml");
        let installed = fs::read_to_string(installed).map_err(Failure::file("read", installed))?;
        site.machine.write(&server.settings(), &server.adapted(&installed, backend))?;
        server.write_clients(&CLIENTS.iter().map(client_table).collect::<String>())?;
        server.launch()?;
        Ok(server)
    }

    /// The same on a new store of its own, in the folder [`Radiusd::state_directory`].
    pub(crate) fn start_apart(site: &Site) -> Result<Self, Failure> {
        let mut server = Self::start(site, Backend::Local)?;
        server.stop()?;
        let settings =
            fs::read_to_string(server.settings()).map_err(Failure::file("read", &server.settings()))?;
        let apart = server.state_directory().display().to_string();
        site.machine.write(&server.settings(), &settings.replace("/var/lib/countersign", &apart))?;
        site.countersign(&["--config", &server.settings().display().to_string(), "init", "--yes"])?;
        server.launch()?;
        Ok(server)
    }

    /// Another one with the store, the clients and all other settings of this one.
    pub(crate) fn start_beside(&self, site: &Site) -> Result<Self, Failure> {
        let port = site.machine.free_port()?;
        let mut other = Self { daemon: None, port, folder: self.folder.clone(), name: "other" };
        let settings =
            fs::read_to_string(self.settings()).map_err(Failure::file("read", &self.settings()))?;
        let (ours, its) = (format!(":{}\"", self.port), format!(":{port}\""));
        site.machine.write(&other.settings(), &settings.replace(&ours, &its))?;
        other.launch()?;
        Ok(other)
    }

    pub(crate) fn state_directory(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Starts the program; it must not run already.
    pub(crate) fn launch(&mut self) -> Result<(), Failure> {
        let mut command = Command::new(self.program());
        let mut daemon =
            Daemon::start(command.arg("--config").arg(self.settings()), &self.folder.join(self.name))?;
        daemon.wait_for_output("ready as uid ")?;
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Kills it as the kernel does when memory runs out.
    pub(crate) fn kill(&mut self) {
        self.daemon = None;
    }

    /// Ends it by SIGTERM; true if it said that it went well.
    pub(crate) fn stop(&mut self) -> Result<bool, Failure> {
        self.daemon.take().map_or(Ok(false), |daemon| daemon.stop().map(|status| status.success()))
    }

    /// Waits until it ends by itself with an error that says `text`.
    pub(crate) fn wait_for_failure(&mut self, text: &str) -> Result<(), Failure> {
        let never = "\u{0}";
        let ended = self.daemon.as_mut().map(|daemon| daemon.wait_for_output(never));
        match ended {
            Some(Err(Failure::Ended { output, .. })) if output.contains(text) => Ok(()),
            Some(Err(other)) => Err(other),
            Some(Ok(())) | None => Err(Failure::Unreadable { what: "an end", found: self.log()? }),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.daemon.as_ref().map_or(0, Daemon::pid)
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Failure> {
        self.daemon.as_ref().map_or(Ok(()), |daemon| daemon.signal(signal))
    }

    /// Sends SIGHUP and waits until the log says `text`.
    pub(crate) fn reload(&mut self, text: &str) -> Result<(), Failure> {
        self.signal(Signal::SIGHUP)?;
        self.daemon.as_mut().map_or(Ok(()), |daemon| daemon.wait_for_output(text))
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> Result<String, Failure> {
        self.daemon.as_ref().map_or(Ok(String::new()), Daemon::output)
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.folder.join(format!("{}.toml", self.name))
    }

    pub(crate) fn clients(&self) -> PathBuf {
        self.folder.join("clients.toml")
    }

    /// Readable for the system user by its group, as `countersign init` makes it.
    pub(crate) fn write_clients(&self, content: &str) -> Result<(), Failure> {
        let file = self.clients();
        fs::write(&file, content).map_err(Failure::file("write", &file))?;
        checked(Command::new("chgrp").arg("countersign").arg(&file))?;
        checked(Command::new("chmod").arg("0640").arg(&file)).map(drop)
    }

    /// The gateway at one of the addresses above.
    pub(crate) fn from(&self, address: &'static str) -> Gateway {
        Gateway { port: self.port, address, secret: SECRET.to_owned() }
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.folder.join("countersign-radiusd")
    }

    /// The installed settings with our port, clients and backend.
    fn adapted(&self, installed: &str, backend: Backend) -> String {
        let listen = format!("listen = [\"127.0.0.1:{0}\", \"[::1]:{0}\"]", self.port);
        let clients = format!("clients-file = \"{}\"", self.clients().display());
        let backend = match backend {
            Backend::Local => "backend = \"local\"".to_owned(),
            Backend::Pam(service) => format!("backend = \"pam\"\npam-service = \"{service}\""),
        };
        let adapted = installed.lines().map(|line| match line.split_once(' ') {
            Some(("listen", _)) => listen.as_str(),
            Some(("clients-file", _)) => clients.as_str(),
            Some(("backend", _)) => backend.as_str(),
            Some(("pam-service", _)) => "",
            Some(_) | None => line,
        });
        adapted.collect::<Vec<_>>().join("\n")
    }
}

fn client_table((name, addresses, more): &(&str, &str, &str)) -> String {
    format!("[[client]]\nname = \"{name}\"\naddresses = [{addresses}]\nsecret = \"{SECRET}\"\n{more}\n")
}

/// A gateway that asks by radclient.
pub(crate) struct Gateway {
    pub(crate) port: u16,
    pub(crate) address: &'static str,
    pub(crate) secret: String,
}

impl Gateway {
    /// A new login.
    pub(crate) fn login(&self, user: &str, password: &str) -> Result<RadiusAnswer, Failure> {
        self.send(user, password, &[("Message-Authenticator", "0x00")])
    }

    /// The answer to a challenge.
    pub(crate) fn answer(
        &self,
        user: &str,
        answer: &str,
        challenge: &RadiusAnswer,
    ) -> Result<RadiusAnswer, Failure> {
        let state = challenge.attribute("State").unwrap_or_default();
        self.send(user, answer, &[("Message-Authenticator", "0x00"), ("State", state)])
    }

    /// The same from somebody of their own: wrong answers of one are not held against the others.
    pub(crate) fn answer_from(
        &self,
        (user, station): (&str, &str),
        answer: &str,
        challenge: &RadiusAnswer,
    ) -> Result<RadiusAnswer, Failure> {
        let state = challenge.attribute("State").unwrap_or_default();
        let station = format!("\"{station}\"");
        let more = [("Message-Authenticator", "0x00"), ("State", state), ("Calling-Station-Id", &station)];
        self.send(user, answer, &more)
    }

    /// An Access-Request with these attributes behind name and password.
    pub(crate) fn send(
        &self,
        user: &str,
        password: &str,
        more: &[(&str, &str)],
    ) -> Result<RadiusAnswer, Failure> {
        let (user, password) = (format!("\"{user}\""), format!("\"{password}\""));
        let own = [("User-Name", user.as_str()), ("User-Password", password.as_str())];
        self.request("auth", &[own.as_slice(), more].concat(), 10)
    }

    /// Challenges, and answers with a code; what comes of it.
    pub(crate) fn signs_in(&self, user: &User, password: &str) -> Result<String, Failure> {
        let challenge = self.login(user.name, password)?;
        assert_eq!(challenge.code(), "Access-Challenge", "{challenge:?}");
        Ok(self.answer(user.name, &user.code()?, &challenge)?.code().to_owned())
    }

    /// The same where nothing should come back: it does not wait long.
    pub(crate) fn is_ignored(&self, kind: &str, attributes: &[(&str, &str)]) -> Result<bool, Failure> {
        Ok(self.request(kind, attributes, 1)? == RadiusAnswer::Silence)
    }

    pub(crate) fn request(
        &self,
        kind: &str,
        attributes: &[(&str, &str)],
        seconds: u8,
    ) -> Result<RadiusAnswer, Failure> {
        let from = [("Packet-Src-IP-Address", self.address)];
        let attributes = [attributes, from.as_slice()].concat();
        let (port, secret) = (self.port, self.secret.as_str());
        RadiusRequest { port, secret, kind, attributes: &attributes, seconds }.send()
    }
}

/// A gateway that sends whatever octets it is told to.
pub(crate) struct Wire {
    socket: UdpSocket,
    secret: SharedSecret,
}

impl Wire {
    pub(crate) fn from(address: &str, port: u16) -> Self {
        let socket = UdpSocket::bind((address, 0)).expect("a loopback address");
        let server = if address.contains(':') { "::1" } else { "127.0.0.1" };
        socket.connect((server, port)).expect("a loopback address");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        Self { socket, secret: SharedSecret::new(SECRET.as_bytes()).expect("a secret") }
    }

    /// A signed Access-Request.
    pub(crate) fn request(&self, identifier: u8, user: &str, password: &str, state: &[u8]) -> Vec<u8> {
        let mut buffer: PacketBuffer = [0; 4096];
        let authenticator: [u8; 16] = fresh();
        let mut request =
            RequestBuilder::access_request(&mut buffer, &self.secret, identifier, authenticator);
        request.user_name(user).expect("room").user_password(password.as_bytes()).expect("room");
        if !state.is_empty() {
            request.state(state).expect("room");
        }
        request.finish().to_vec()
    }

    pub(crate) fn send(&self, octets: &[u8]) {
        self.socket.send(octets).expect("a datagram");
    }

    /// The same where nobody may listen, of which the kernel tells the next sender.
    pub(crate) fn send_to_whom_it_may_concern(&self, octets: &[u8]) {
        let _ = self.socket.send(octets);
    }

    /// Sends a request and takes its answer, which must be genuine.
    pub(crate) fn exchange(&self, request: &[u8]) -> Vec<u8> {
        self.send(request);
        let mut buffer = [0; 4096];
        let octets = receive(&self.socket, &mut buffer).expect("an answer");
        let octets = buffer.get(..octets).unwrap_or_default().to_vec();
        let (reply, asked) =
            (Packet::parse(&octets).expect("a reply"), Packet::parse(request).expect("ours"));
        let verdict = reply.verify_reply(&asked, &self.secret, MessageAuthenticatorDemand::Required);
        assert_eq!(verdict, ReplyVerdict::Genuine);
        octets
    }
}

/// Code and State of a reply.
pub(crate) fn code_and_state(reply: &[u8]) -> (Code, Vec<u8>) {
    let reply = Packet::parse(reply).expect("a reply");
    (reply.code(), reply.first(STATE).map(|state| state.value().to_vec()).unwrap_or_default())
}

/// Octets that no earlier request had.
fn fresh<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    let mut random = fs::File::open("/dev/urandom").expect("randomness");
    random.read_exact(&mut octets).expect("randomness");
    octets
}

/// A counter of the server whose socket is in the state directory, by its group and name.
pub(crate) fn counter(site: &Site, group: &str, name: &str) -> Result<u64, Failure> {
    let stats = site.answer(&["stats"])?;
    let found = stats.pointer(&format!("/server/{group}/{name}")).and_then(Value::as_u64);
    found
        .ok_or_else(|| Failure::Unreadable { what: "a counter", found: format!("{group}/{name} in {stats}") })
}

/// Waits until a counter has reached a number.
pub(crate) fn wait_for_count(site: &Site, group: &str, name: &str, number: u64) -> Result<(), Failure> {
    wait_for(&format!("{number} in {group}/{name}"), 10, || match counter(site, group, name) {
        Ok(count) if count >= number => Ok(()),
        Ok(count) => Err(count.to_string()),
        Err(failure) => Err(failure.to_string()),
    })
}
