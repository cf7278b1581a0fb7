//! Logins at the RADIUS door, beside FreeRADIUS with rlm_totp: a closed loop, each side on one core of its own.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use bench::{CodeOf, Form, Login, Measured, RadiusJob, Replies, secret_of};
use serde_json::Value;
use test_ground::ground::DISK;
use test_ground::{Daemon, Failure, Machine};

use crate::bench::Length;
use crate::bench::durable::{Disk, FsyncCount};
use crate::bench::figures::{Ratio, Spread, Table, Unit, quantile};
use crate::bench::job::{SERVER_CORE, measure, on_core, tell_of_refusals};
use crate::bench::pam::per;
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

const TITLE: &str = "RADIUS: logins of a server that is kept busy";
const NOTE: &str = "\
16 requests in flight, each side on one core, every reply verified. code: User-Password is the code, no password is
checked on either side. The peer is FreeRADIUS with rlm_totp: this step only, no memory of used codes, nothing written.
Ours writes durably before it replies: the spent code and the accept's chained record. password,code: as before with the
password in front. The peer compares clear text from a file; ours hashes with argon2id, which is slow on purpose and
decides these rows.";
const RATIO: Ratio = Ratio { name: "countersign/freeradius", of: "countersign", by: "freeradius" };

/// Measures both sides.
pub(super) fn table(machine: &Machine, length: Length) -> Result<Table, Problem> {
    let rounds = length.rounds();
    let code = Users { family: "coder", count: CODE_LOGINS.saturating_mul(rounds), password: "" };
    let password =
        Users { family: "typist", count: PASSWORD_LOGINS.saturating_mul(rounds), password: "correct horse" };
    eprintln!("bench: RADIUS, {} accounts on both sides", code.count.saturating_add(password.count));
    let mut table = Table::new(TITLE, &[RATIO.of, RATIO.by], &[RATIO], NOTE);
    let peer = start_peer(machine, &[code, password])?;
    let trials = [
        ("code-only", Form::Code, code, CODE_LOGINS, "code"),
        ("challenge", Form::PasswordAndCode, password, PASSWORD_LOGINS, "password,code"),
    ];
    for (kind, form, users, at_once, name) in trials {
        let ours = start_ours(machine, kind, users)?;
        let logins = users.logins(CodeOf::StepNow);
        let (mut own, mut other) = (Figures::default(), Figures::default());
        for logins in logins.chunks(at_once) {
            other.take(machine, &peer, form, logins)?;
            own.take(machine, &ours, form, logins)?;
        }
        own.beside(&other, &mut table, name);
        ours.daemon.stop()?;
    }
    peer.daemon.stop()?;
    Ok(table)
}

/// A running server, and how it is asked.
pub(super) struct Server {
    pub(super) daemon: Daemon,
    address: SocketAddr,
    secret: String,
    replies: Replies,
    fsyncs: FsyncCount,
}

/// Figures of one side, of all rounds.
#[derive(Default)]
struct Figures {
    rates: Vec<f64>,
    medians: Vec<f64>,
    p99s: Vec<f64>,
    fsyncs: Vec<f64>,
}

impl Figures {
    fn take(
        &mut self,
        machine: &Machine,
        server: &Server,
        form: Form,
        logins: &[Login],
    ) -> Result<(), Problem> {
        let before = server.fsyncs.so_far()?;
        let measured = server.ask(machine, form, IN_FLIGHT, logins)?;
        tell_of_refusals(&format!("RADIUS at {}", server.address), &measured, logins.len());
        self.fsyncs.push(per(server.fsyncs.so_far()?.saturating_sub(before), logins.len()));
        self.rates.push(1.0 / (measured.seconds * per(1, logins.len())));
        self.medians.push(quantile(&measured.micros, 0.5) / 1000.0);
        self.p99s.push(quantile(&measured.micros, 0.99) / 1000.0);
        Ok(())
    }

    fn beside(&self, peer: &Self, table: &mut Table, name: &str) {
        let mut add = |unit, figures: fn(&Self) -> &[f64]| {
            table.add(name, unit, [self, peer].map(|side| Some(Spread::of(figures(side)))).to_vec());
        };
        add(Unit::LoginsPerSecond, |side| &side.rates);
        add(Unit::MillisecondsMedian, |side| &side.medians);
        add(Unit::MillisecondsP99, |side| &side.p99s);
        add(Unit::FsyncsPerLogin, |side| &side.fsyncs);
    }
}

impl Server {
    /// Sends these logins.
    pub(super) fn ask(
        &self,
        machine: &Machine,
        form: Form,
        in_flight: usize,
        logins: &[Login],
    ) -> Result<Measured, Problem> {
        let job = RadiusJob {
            server: self.address,
            secret: self.secret.clone(),
            form,
            replies: self.replies,
            in_flight,
            logins: logins.to_vec(),
        };
        measure(machine, "bench-radius", &job, &FsyncCount::begin(machine, Disk::AsItIs)?)
    }
}

/// Our server, with one client of this kind.
pub(super) fn start_ours(machine: &Machine, kind: &str, users: Users) -> Result<Server, Problem> {
    let name = format!("radius-{kind}-{}", users.family);
    let site = Site::set_up(machine, &name, "local", users)?;
    let answer =
        site.countersign(&["--json", "client", "add", "bench", "--address", "127.0.0.1", "--kind", kind])?;
    let secret = serde_json::from_str(&answer)
        .ok()
        .and_then(|value: Value| Some(value.get("secret")?.as_str()?.to_owned()));
    let secret = secret.ok_or(Failure::Unreadable { what: "countersign --json", found: answer })?;
    let log = machine.new_folder("radiusd")?.join("log");
    let fsyncs = FsyncCount::begin(machine, Disk::AsItIs)?;
    let mut command = on_core(SERVER_CORE, "/usr/sbin/countersign-radiusd");
    let mut daemon = Daemon::start(fsyncs.watch(command.arg("--config").arg(&site.settings)), &log)?;
    daemon.wait_for_output("listening")?;
    Ok(Server { daemon, address: ([127, 0, 0, 1], PORT).into(), secret, replies: Replies::Signed, fsyncs })
}

fn start_peer(machine: &Machine, users: &[Users]) -> Result<Server, Problem> {
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
    let fsyncs = FsyncCount::begin(machine, Disk::AsItIs)?;
    let command = fsyncs.watch(command.args(["-f", "-l", "stdout", "-d"]).arg(&folder));
    let mut daemon = Daemon::start(command, &folder.join("log"))?;
    daemon.wait_for_output("Ready to process requests")?;
    let secret = secret.to_owned();
    let address = ([127, 0, 0, 1], PEER_PORT).into();
    Ok(Server { daemon, address, secret, replies: Replies::SignedOrNot, fsyncs })
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
