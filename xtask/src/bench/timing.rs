//! Whether the time tells who is known: questions and refusals for people with a right first password, with a wrong one,
//! and for names that nobody has. The second answer is always wrong.

use bench::{CodeOf, Form, Login, Measured, PamJob};
use std::time::SystemTime;
use test_ground::Machine;

use crate::bench::Length;
use crate::bench::contestants::make_known;
use crate::bench::durable::{Disk, FsyncCount};
use crate::bench::figures::{Ratio, Spread, Table, Unit, quantile};
use crate::bench::job::measure;
use crate::bench::radius::start_ours;
use crate::bench::site::{Site, Users};
use crate::problem::Problem;

/// Logins of each kind in a round.
const LOGINS: usize = 6;
const PASSWORD: &str = "correct horse";
const SERVICE: &str = "bench-timing";

const TITLE: &str = "Known and unknown names: time until the second question, and until the refusal";
const KINDS: [&str; 3] = ["right password", "wrong password", "unknown name"];
const RATIO: Ratio = Ratio { name: "unknown/wrong password", of: KINDS[2], by: KINDS[1] };
const NOTE: &str = "\
Ours alone, neutral dialogue, primary \"local\": a first password, then a code that is wrong in every case. The three
kinds take turns. Beside a remote attacker's noise, what must not show is a difference between the medians.";

/// A kind of attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    RightPassword,
    WrongPassword,
    UnknownName,
}

/// Milliseconds of all rounds of one kind.
#[derive(Debug, Default)]
struct Times {
    questions: Vec<f64>,
    refusals: Vec<f64>,
}

/// Measures both doors.
pub(super) fn table(machine: &Machine, length: Length) -> Result<Table, Problem> {
    let rounds = length.rounds();
    let count = LOGINS.saturating_mul(rounds).saturating_mul(2);
    let users = Users { family: "guest", count, password: PASSWORD };
    eprintln!("bench: known and unknown names at both doors");
    let mut table = Table::new(TITLE, &KINDS, &[RATIO], NOTE);
    let site = Site::set_up(machine, SERVICE, "local", users)?;
    let line = format!("auth required pam_countersign.so primary=own config={}", site.settings.display());
    machine.write_pam_service(SERVICE, &[&line])?;
    let known: Vec<_> = users.names().collect();
    make_known(known.iter().map(String::as_str))?;
    rows(&mut table, "PAM", rounds, |logins| by_pam(machine, logins))?;
    let server = start_ours(machine, "challenge", users)?;
    rows(&mut table, "RADIUS", rounds, |logins| server.ask(machine, Form::PasswordThenCode, 1, &logins))?;
    server.daemon.stop()?;
    Ok(table)
}

fn rows(
    table: &mut Table,
    door: &str,
    rounds: usize,
    mut sign_in: impl FnMut(Vec<Login>) -> Result<Measured, Problem>,
) -> Result<(), Problem> {
    let mut times = [Times::default(), Times::default(), Times::default()];
    for round in 0..rounds {
        let kinds = [Kind::RightPassword, Kind::WrongPassword, Kind::UnknownName];
        for (kind, times) in kinds.into_iter().zip(&mut times) {
            let measured = sign_in(logins(kind, round, rounds))?;
            let millis = |micros: &Vec<f64>| micros.iter().map(|micros| micros / 1000.0).collect::<Vec<_>>();
            times.questions.extend(millis(&measured.question_micros));
            times.refusals.extend(millis(&measured.micros));
        }
    }
    let figures = |figures: fn(&Times) -> &[f64]| {
        times.iter().map(|times| Some(Spread::one(quantile(figures(times), 0.5)))).collect()
    };
    table.add(format!("{door}, question"), Unit::MillisecondsMedian, figures(|times| &times.questions));
    table.add(format!("{door}, refusal"), Unit::MillisecondsMedian, figures(|times| &times.refusals));
    Ok(())
}

/// Everybody signs in once, so that nobody is held up for guessing.
fn logins(kind: Kind, round: usize, rounds: usize) -> Vec<Login> {
    let first = match kind {
        Kind::WrongPassword => round.saturating_add(rounds),
        Kind::RightPassword | Kind::UnknownName => round,
    };
    let first = first.saturating_mul(LOGINS);
    let (family, password) = match kind {
        Kind::RightPassword => ("guest", PASSWORD),
        Kind::WrongPassword => ("guest", "wrong horse"),
        Kind::UnknownName => ("ghost", "wrong horse"),
    };
    let count = first.saturating_add(LOGINS);
    Users { family, count, password }.some_logins(first, LOGINS, CodeOf::NoStep)
}

fn by_pam(machine: &Machine, logins: Vec<Login>) -> Result<Measured, Problem> {
    let job = PamJob {
        service: SERVICE.to_owned(),
        form: Form::PasswordThenCode,
        begin_at: SystemTime::now(),
        logins,
    };
    measure(machine, "bench-pam", &job, &FsyncCount::begin(machine, Disk::AsItIs)?)
}
