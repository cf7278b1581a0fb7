//! Logins at the RADIUS door, beside FreeRADIUS with rlm_totp: a closed loop, each side on one core of its own.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use bench::{CodeOf, Form, Login, RadiusJob, Replies, secret_of};
use serde_json::Value;
use test_ground::ground::DISK;
use test_ground::{Daemon, Failure, Machine};

use crate::bench::figures::{Row, Unit, quantile};
use crate::bench::job::{SERVER_CORE, measure, on_core};
use crate::bench::site::{Site, Users};
use crate::problem::Problem;

/// Requests on the way at a time.
const IN_FLIGHT: usize = 16;
/// Logins of one round; each is another user.
const CODE_LOGINS: usize = 1000;
const PASSWORD_LOGINS: usize = 60;
/// The ports of the examples that we install: only loopback is there.
const PORT: u16 = 1812;
const PEER_PORT: u16 = 11812;

const CODE_NOTE: &str = "\
radius, code: User-Password is the code, no password is checked on either side; 16 requests in flight, each side on one
core, every reply verified. The peer is FreeRADIUS with rlm_totp: this step only, no memory of used codes, nothing
written. Ours writes durably twice before it replies: the try, and the accept with the spent code and its chained record.";
const PASSWORD_NOTE: &str = "\
radius, password,code: as before with the password in front. The peer compares clear text from a file; ours hashes with
argon2id, which is slow on purpose and decides this row.";

/// The rows of this door.
pub(super) fn rows(machine: &Machine, rounds: usize) -> Result<Vec<Row>, Problem> {
    let code = Users { family: "coder", count: CODE_LOGINS.saturating_mul(rounds), password: "" };
    let password =
        Users { family: "typist", count: PASSWORD_LOGINS.saturating_mul(rounds), password: "correct horse" };
    eprintln!("bench: making {} accounts on both sides", code.count.saturating_add(password.count));
    let (mut rows, peer) = (Vec::new(), start_peer(machine, &[code, password])?);
    let trials = [
        ("code-only", Form::Code, code, CODE_LOGINS, "code", CODE_NOTE),
        ("challenge", Form::PasswordAndCode, password, PASSWORD_LOGINS, "password,code", PASSWORD_NOTE),
    ];
    for (kind, form, users, at_once, name, note) in trials {
        let ours = start_ours(machine, kind, users)?;
        let logins = users.logins(CodeOf::StepNow);
        let (mut own, mut other) = (Figures::default(), Figures::default());
        for logins in logins.chunks(at_once) {
            other.take(machine, &peer, form, logins)?;
            own.take(machine, &ours, form, logins)?;
        }
        rows.extend(own.beside(&other, name, note));
        ours.daemon.stop()?;
    }
    peer.daemon.stop()?;
    Ok(rows)
}

/// A running server, and how it is asked.
struct Server {
    daemon: Daemon,
    address: SocketAddr,
    secret: String,
    replies: Replies,
}

/// Figures of one side, of all rounds.
#[derive(Default)]
struct Figures {
    rates: Vec<f64>,
    medians: Vec<f64>,
    p99s: Vec<f64>,
}

impl Figures {
    fn take(
        &mut self,
        machine: &Machine,
        server: &Server,
        form: Form,
        logins: &[Login],
    ) -> Result<(), Problem> {
        let job = RadiusJob {
            server: server.address,
            secret: server.secret.clone(),
            form,
            replies: server.replies,
            in_flight: IN_FLIGHT,
            logins: logins.to_vec(),
        };
        let measured = measure(machine, "bench-radius", &job, logins.len())?;
        #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "some thousands")]
        let count = logins.len() as f64;
        self.rates.push(count / measured.seconds);
        self.medians.push(quantile(&measured.micros, 0.5) / 1000.0);
        self.p99s.push(quantile(&measured.micros, 0.99) / 1000.0);
        Ok(())
    }

    fn beside(&self, peer: &Self, name: &str, note: &'static str) -> Vec<Row> {
        let row = |unit, ours: &[f64], peer: &[f64]| Row::new(("radius", name), unit, ours, peer, note);
        vec![
            row(Unit::LoginsPerSecond, &self.rates, &peer.rates),
            row(Unit::MillisecondsPerLogin, &self.medians, &peer.medians),
            row(Unit::MillisecondsP99, &self.p99s, &peer.p99s),
        ]
    }
}

fn start_ours(machine: &Machine, kind: &str, users: Users) -> Result<Server, Failure> {
    let site = Site::set_up(machine, &format!("radius-{kind}"), "local", users)?;
    let answer =
        site.countersign(&["--json", "client", "add", "bench", "--address", "127.0.0.1", "--kind", kind])?;
    let secret = serde_json::from_str(&answer)
        .ok()
        .and_then(|value: Value| Some(value.get("secret")?.as_str()?.to_owned()));
    let secret = secret.ok_or(Failure::Unreadable { what: "countersign --json", found: answer })?;
    let log = machine.new_folder("radiusd")?.join("log");
    let mut command = on_core(SERVER_CORE, "/usr/sbin/countersign-radiusd");
    let mut daemon = Daemon::start(command.arg("--config").arg(&site.settings), &log)?;
    daemon.wait_for_output("listening")?;
    Ok(Server { daemon, address: ([127, 0, 0, 1], PORT).into(), secret, replies: Replies::Signed })
}

fn start_peer(machine: &Machine, users: &[Users]) -> Result<Server, Failure> {
    let folder = Path::new(DISK).join("freeradius");
    let secret = "a secret of the bench";
    let settings = include_str!("../../../tests/ground/freeradius-totp.conf")
        .replace("@FOLDER@", &folder.display().to_string())
        .replace("@SECRET@", &format!("\"{secret}\""))
        .replace("@PORT@", &PEER_PORT.to_string());
    machine.write(&folder.join("radiusd.conf"), &settings)?;
    machine.write(&folder.join("dictionary"), "")?;
    machine.write(&folder.join("users"), &users_file(users))?;
    let mut command = on_core(SERVER_CORE, "freeradius");
    let mut daemon =
        Daemon::start(command.args(["-f", "-l", "stdout", "-d"]).arg(&folder), &folder.join("log"))?;
    daemon.wait_for_output("Ready to process requests")?;
    let secret = secret.to_owned();
    Ok(Server { daemon, address: ([127, 0, 0, 1], PEER_PORT).into(), secret, replies: Replies::SignedOrNot })
}

fn users_file(users: &[Users]) -> String {
    let mut lines = String::new();
    for family in users {
        for user in family.names() {
            // Writing to a String does not fail.
            let _ = writeln!(
                lines,
                "{user} Cleartext-Password := \"{}\", TOTP-Secret := \"{}\"",
                family.password,
                secret_of(&user)
            );
        }
    }
    lines
}
