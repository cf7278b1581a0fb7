//! A login with a code at the PAM door, among few and among many accounts: one process, `pam_start` to `pam_end`.

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime};

use bench::{CodeOf, Form, Login, PamJob};
use test_ground::Machine;

use crate::bench::Options;
use crate::bench::contestants::{Contestant, Stand, make_known};
use crate::bench::durable::{Disk, FsyncCount};
use crate::bench::figures::{Ratio, Spread, Table, Unit, quantile};
use crate::bench::job::{measure, tell_of_refusals};
use crate::bench::site::Users;
use crate::problem::Problem;

/// Few accounts: each of them signs in with the codes of three steps, then the next round needs new accounts.
pub(super) const FEW: usize = 10;
const STEPS: [CodeOf; 3] = [CodeOf::StepBefore, CodeOf::StepNow, CodeOf::StepAfter];
/// Logins of one round among many accounts; each is another user.
const LOGINS: usize = 100;
/// Milliseconds that a round of the slowest may take.
const PATIENCE_MILLISECONDS: usize = 2000;
/// Accounts that pam_oath reads and writes in a millisecond, about.
const OATH_ACCOUNTS_A_MILLISECOND: usize = 2500;

const TITLE: &str = "PAM: a login with a code, one after the other";
const NOTE: &str = "\
No password is asked (primary=none), a code is used once, and syslog has no listener. Each login is one transaction from
pam_start to pam_end, in one process, with the module loaded anew. google-auth is libpam-google-authenticator with
DISALLOW_REUSE, a file for each user (beyond 10,000 users, those who do not sign in share files by links); pam_oath has
one file for all; pam_permit is what libpam itself costs. State is on the target folder's disk. /etc/passwd holds only the
users of a round. p99 is that of all rounds together.";

/// Ours by the peer that is the measure.
pub(super) const RATIOS: [Ratio; 2] = [
    Ratio { name: "countersign/google-auth", of: "countersign", by: "google-auth" },
    Ratio { name: "with service/google-auth", of: "with service", by: "google-auth" },
];

/// Measures everybody among each number of accounts.
pub(super) fn table(machine: &Machine, options: &Options) -> Result<Table, Problem> {
    let names = Contestant::ALL.map(Contestant::name);
    let mut table = Table::new(TITLE, &names, &RATIOS, NOTE);
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for accounts in options.accounts() {
        eprintln!("bench: PAM, {} accounts for each of {}", with_commas(accounts), names.join(", "));
        let measured = among(machine, accounts, options.length.rounds())?;
        last = measured.iter().map(Times::median).collect();
        if first.is_empty() {
            first.clone_from(&last);
        }
        let name = format!("{} accounts", with_commas(accounts));
        let column =
            |figure: fn(&Times) -> Spread| measured.iter().map(|times| Some(figure(times))).collect();
        table.add(name.clone(), Unit::MillisecondsMedian, column(Times::medians));
        table.add(name.clone(), Unit::MillisecondsP99, column(Times::p99));
        table.add(name, Unit::FsyncsPerLogin, column(Times::fsyncs_per_login));
    }
    let growth = first.iter().zip(&last).map(|(first, last)| Some(Spread::one(last / first))).collect();
    table.add("median, most by fewest accounts", Unit::Times, growth);
    Ok(table)
}

/// What was measured of one contestant.
#[derive(Debug, Default)]
struct Times {
    /// Milliseconds of each login, by round.
    rounds: Vec<Vec<f64>>,
    fsyncs: u64,
}

fn among(machine: &Machine, accounts: usize, rounds: usize) -> Result<Vec<Times>, Problem> {
    let begun = Instant::now();
    let mut times: Vec<Times> = Contestant::ALL.iter().map(|_| Times::default()).collect();
    let mut stands = set_up(machine, accounts, 0)?;
    for round in 0..rounds {
        // Few accounts have used their codes after a round.
        if round > 0 && accounts == FEW {
            clear(std::mem::replace(&mut stands, set_up(machine, accounts, round)?))?;
        }
        for ((contestant, stand), times) in Contestant::ALL.iter().zip(&stands).zip(&mut times) {
            times.take(machine, *contestant, stand, &logins(*contestant, accounts, round))?;
        }
        let (number, seconds) = (round.saturating_add(1), begun.elapsed().as_secs());
        eprintln!("bench: PAM, {} accounts: round {number} of {rounds}, {seconds} s", with_commas(accounts));
    }
    clear(stands)?;
    Ok(times)
}

fn set_up(machine: &Machine, accounts: usize, round: usize) -> Result<Vec<Stand>, Problem> {
    let users = Users { family: "user", count: accounts, password: "" };
    let set_up = |contestant: Contestant| contestant.set_up(machine, &format!("{accounts}-{round}"), users);
    Contestant::ALL.into_iter().map(set_up).collect()
}

fn clear(stands: Vec<Stand>) -> Result<(), Problem> {
    Ok(stands.into_iter().try_for_each(Stand::clear)?)
}

fn logins(contestant: Contestant, accounts: usize, round: usize) -> Vec<Login> {
    let users = Users { family: "user", count: accounts, password: "" };
    if accounts == FEW {
        return STEPS.iter().flat_map(|step| users.logins(*step)).collect();
    }
    let slow = accounts.div_euclid(OATH_ACCOUNTS_A_MILLISECOND).max(1);
    let count = match contestant {
        Contestant::PamOath => PATIENCE_MILLISECONDS.checked_div(slow).unwrap_or(LOGINS).min(LOGINS),
        Contestant::Ours | Contestant::OursServed | Contestant::GoogleAuthenticator | Contestant::Nobody => {
            LOGINS
        }
    };
    // Among a thousand accounts, a long run comes around to everybody again.
    let rounds_of_a_step = accounts.div_euclid(LOGINS);
    let code_of = if round < rounds_of_a_step { CodeOf::StepNow } else { CodeOf::StepAfter };
    let first = round.rem_euclid(rounds_of_a_step).saturating_mul(LOGINS);
    users.some_logins(first, count, code_of)
}

impl Times {
    fn take(
        &mut self,
        machine: &Machine,
        contestant: Contestant,
        stand: &Stand,
        logins: &[Login],
    ) -> Result<(), Problem> {
        let names: BTreeSet<_> = logins.iter().map(|login| login.user.as_str()).collect();
        make_known(names.into_iter())?;
        let count = FsyncCount::begin(machine, Disk::AsItIs)?;
        let service = stand.serve(machine, contestant, &count)?;
        let before = count.so_far()?;
        let job = PamJob {
            service: stand.service.clone(),
            form: Form::Code,
            begin_at: SystemTime::now(),
            logins: logins.to_vec(),
        };
        let measured = measure(machine, "bench-pam", &job, &count)?;
        tell_of_refusals(&stand.service, &measured, logins.len());
        self.fsyncs = self.fsyncs.saturating_add(count.so_far()?.saturating_sub(before));
        self.rounds.push(measured.micros.iter().map(|micros| micros / 1000.0).collect());
        if let Some(service) = service {
            service.stop()?;
        }
        Ok(())
    }

    fn medians(&self) -> Spread {
        let medians: Vec<_> = self.rounds.iter().map(|round| quantile(round, 0.5)).collect();
        Spread::of(&medians)
    }

    fn median(&self) -> f64 {
        self.medians().median
    }

    fn p99(&self) -> Spread {
        Spread::one(quantile(&self.rounds.concat(), 0.99))
    }

    fn fsyncs_per_login(&self) -> Spread {
        let logins: usize = self.rounds.iter().map(Vec::len).sum();
        Spread::one(per(self.fsyncs, logins))
    }
}

/// A count for each login.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "some thousands")]
pub(super) fn per(count: u64, logins: usize) -> f64 {
    count as f64 / logins as f64
}

fn with_commas(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", with_commas(number.div_euclid(1000)), number.rem_euclid(1000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([10, 1000, 1_000_000].map(with_commas), ["10", "1,000", "1,000,000"]);
    }

    #[test]
    fn no_code_is_used_twice() {
        for accounts in [FEW, 1000, 100_000] {
            let mut seen = BTreeSet::new();
            for round in 0..if accounts == FEW { 1 } else { 15 } {
                for login in logins(Contestant::Ours, accounts, round) {
                    assert!(seen.insert((login.user, format!("{:?}", login.code_of))), "{accounts}");
                }
            }
        }
    }
}
