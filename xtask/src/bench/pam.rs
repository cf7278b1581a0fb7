//! A login with a code at the PAM door, beside libpam-google-authenticator: one process, `pam_start` to `pam_end`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use bench::{CodeOf, Login, PamJob, secret_of};
use test_ground::ground::DISK;
use test_ground::{Failure, Machine};

use crate::bench::figures::{Row, Unit, quantile};
use crate::bench::job::measure;
use crate::bench::site::{Site, Users};
use crate::problem::Problem;

/// Many enough to show what grows with them.
const MANY: usize = 10_000;
/// Logins of one round among many accounts; each is another user.
const LOGINS_OF_MANY: usize = 200;
/// Few accounts: each of them signs in with the codes of three steps, then the next round needs new accounts.
const FEW: usize = 10;
const STEPS: [CodeOf; 3] = [CodeOf::StepBefore, CodeOf::StepNow, CodeOf::StepAfter];

/// What every user of the bench has in `/etc/passwd`, and nobody else.
const MARK: &str = ":/nonexistent/bench:/bin/false";
/// Below it are the users of Debian's packages.
const FIRST_UID: u32 = 20_000;

const NOTE: &str = "\
pam: no password is asked on either side (primary=none), a code is used once, and syslog has no listener. The peer is
Debian's libpam-google-authenticator with DISALLOW_REUSE: a file for each user, written once a login, and no record.
Ours writes durably three times a login: the question as a record, the try before anybody looks at it, and the accept
with the spent code and its chained record. State is on the target folder's disk. /etc/passwd holds only the users of a
round: reading it is not what is measured.";

/// The rows of this door.
pub(super) fn rows(machine: &Machine, rounds: usize) -> Result<Vec<Row>, Problem> {
    let mut rows = few(machine, rounds)?;
    rows.extend(many(machine, rounds)?);
    Ok(rows)
}

/// Times of both sides, of all rounds.
#[derive(Default)]
struct Times {
    medians: Vec<f64>,
    p99s: Vec<f64>,
}

fn few(machine: &Machine, rounds: usize) -> Result<Vec<Row>, Problem> {
    let users = Users { family: "few", count: FEW, password: "" };
    let logins: Vec<Login> = STEPS.iter().flat_map(|step| users.logins(*step)).collect();
    let (mut ours, mut peer) = (Times::default(), Times::default());
    for round in 0..rounds {
        let own = our_service(machine, &format!("ours-few-{round}"), users)?;
        let other = peer_service(machine, &format!("peer-few-{round}"), users)?;
        ours.take(machine, &own, &logins)?;
        peer.take(machine, &other, &logins)?;
    }
    Ok(ours.beside(&peer, "code, 10 accounts"))
}

fn many(machine: &Machine, rounds: usize) -> Result<Vec<Row>, Problem> {
    let users = Users { family: "many", count: MANY, password: "" };
    eprintln!("bench: making {MANY} accounts on both sides");
    let own = our_service(machine, "ours-many", users)?;
    let other = peer_service(machine, "peer-many", users)?;
    let logins = users.logins(CodeOf::StepNow);
    let (mut ours, mut peer) = (Times::default(), Times::default());
    for logins in logins.chunks(LOGINS_OF_MANY).take(rounds) {
        peer.take(machine, &other, logins)?;
        ours.take(machine, &own, logins)?;
    }
    Ok(ours.beside(&peer, "code, 10,000 accounts"))
}

impl Times {
    fn take(&mut self, machine: &Machine, service: &str, logins: &[Login]) -> Result<(), Problem> {
        make_known(machine, logins)?;
        let job = PamJob { service: service.to_owned(), logins: logins.to_vec() };
        let measured = measure(machine, "bench-pam", &job, logins.len())?;
        self.medians.push(quantile(&measured.micros, 0.5) / 1000.0);
        self.p99s.push(quantile(&measured.micros, 0.99) / 1000.0);
        Ok(())
    }

    fn beside(&self, peer: &Self, name: &str) -> Vec<Row> {
        vec![
            Row::new(("pam", name), Unit::MillisecondsPerLogin, &self.medians, &peer.medians, NOTE),
            Row::new(("pam", name), Unit::MillisecondsP99, &self.p99s, &peer.p99s, NOTE),
        ]
    }
}

fn our_service(machine: &Machine, name: &str, users: Users) -> Result<String, Failure> {
    let site = Site::set_up(machine, name, "none", users)?;
    let line = format!("auth required pam_countersign.so primary=none config={}", site.settings.display());
    machine.write_pam_service(name, &[&line])?;
    Ok(name.to_owned())
}

/// As its manual proposes, a file that belongs to the user, in a folder that belongs to the user.
fn peer_service(machine: &Machine, name: &str, users: Users) -> Result<String, Failure> {
    let folder = Path::new(DISK).join(name);
    for (user, uid) in users.names().zip(FIRST_UID..) {
        let home = folder.join(&user);
        let file = home.join("state");
        let state = format!("{}\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n", secret_of(&user));
        machine.write(&file, &state)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))
            .map_err(Failure::file("close", &file))?;
        for path in [&file, &home] {
            chown(path, Some(uid), Some(FIRST_UID)).map_err(Failure::file("give away", path))?;
        }
    }
    let secret = format!("secret={}/${{USER}}/state", folder.display());
    machine.write_pam_service(name, &[&format!("auth required pam_google_authenticator.so {secret}")])?;
    Ok(name.to_owned())
}

/// Makes these users Linux users, in place of those of the round before.
fn make_known(machine: &Machine, logins: &[Login]) -> Result<(), Failure> {
    let file = Path::new("/etc/passwd");
    let before = fs::read_to_string(file).map_err(Failure::file("read", file))?;
    let mut lines: Vec<String> =
        before.lines().filter(|line| !line.ends_with(MARK)).map(str::to_owned).collect();
    for Login { user, .. } in logins {
        let number: u32 = user.trim_start_matches(char::is_alphabetic).parse().unwrap_or(0);
        lines.push(format!("{user}:x:{}:{FIRST_UID}:{MARK}", FIRST_UID.saturating_add(number)));
    }
    lines.dedup();
    machine.write(file, &(lines.join("\n") + "\n"))
}
