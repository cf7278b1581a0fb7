//! Many processes that sign people in by PAM at once, on the disk as it is and on a slower one.

use std::time::{Duration, SystemTime};

use bench::{CodeOf, Form, Measured, PamJob};
use test_ground::Machine;

use crate::bench::Length;
use crate::bench::contestants::{Contestant, Stand, make_known};
use crate::bench::durable::{Disk, FsyncCount};
use crate::bench::figures::{Spread, Table, Unit, quantile};
use crate::bench::job::measure_together;
use crate::bench::pam::{RATIOS, per};
use crate::bench::site::Users;
use crate::problem::Problem;

const PROCESSES: usize = 8;
/// Each signs in once on each disk.
const LOGINS_EACH: usize = 60;
const LOGINS: usize = PROCESSES * LOGINS_EACH;
/// How long the durable writes of the slower disk take.
const SLOW: Duration = Duration::from_millis(2);
/// All processes have read their jobs by then.
const START: Duration = Duration::from_millis(1500);

const TITLE: &str = "PAM: eight processes at once, among 10,000 accounts (1,000 in a short run)";
const NOTE: &str = "\
As before, but eight processes sign different people in at the same time, on whatever cores there are. Every code is
right, so everybody should be let in. On the slower disk each fsync of every contestant waits 2 ms longer.";

/// Measures everybody on both disks.
pub(super) fn table(machine: &Machine, length: Length) -> Result<Table, Problem> {
    let contestants = Contestant::ALL.into_iter().filter(|one| *one != Contestant::Nobody);
    let contestants: Vec<_> = contestants.collect();
    let names: Vec<_> = contestants.iter().map(|contestant| contestant.name()).collect();
    let mut table = Table::new(TITLE, &names, &RATIOS, NOTE);
    eprintln!("bench: PAM, {PROCESSES} processes at once for each of {}", names.join(", "));
    let users = Users { family: "user", count: length.accounts_of_crowd(), password: "" };
    let set_up = |contestant: &Contestant| contestant.set_up(machine, "crowd", users);
    let stands = contestants.iter().map(set_up).collect::<Result<Vec<_>, _>>()?;
    for (disk, first) in [(Disk::AsItIs, 0), (Disk::Slower(SLOW), LOGINS)] {
        let stands = contestants.iter().zip(&stands);
        let crowds =
            stands.map(|(contestant, stand)| Crowd::measure(machine, *contestant, stand, disk, users, first));
        rows(&mut table, disk, &crowds.collect::<Result<Vec<_>, _>>()?);
    }
    stands.into_iter().try_for_each(Stand::clear)?;
    Ok(table)
}

fn rows(table: &mut Table, disk: Disk, crowds: &[Crowd]) {
    let name = match disk {
        Disk::AsItIs => "8 at once".to_owned(),
        Disk::Slower(wait) => format!("8 at once, fsyncs {} ms slower", wait.as_millis()),
    };
    let mut add = |unit, figure: fn(&Crowd) -> f64| {
        let figures = crowds.iter().map(|crowd| Some(Spread::one(figure(crowd)))).collect();
        table.add(name.clone(), unit, figures);
    };
    add(Unit::PercentLetIn, |crowd| crowd.let_in);
    add(Unit::MillisecondsMedian, |crowd| crowd.median);
    add(Unit::MillisecondsP99, |crowd| crowd.p99);
    add(Unit::LoginsPerSecond, |crowd| crowd.rate);
    add(Unit::FsyncsPerLogin, |crowd| crowd.fsyncs);
}

/// What was measured of one contestant on one disk. Times are those of all logins, refused ones too.
struct Crowd {
    let_in: f64,
    median: f64,
    p99: f64,
    rate: f64,
    fsyncs: f64,
}

impl Crowd {
    fn measure(
        machine: &Machine,
        contestant: Contestant,
        stand: &Stand,
        disk: Disk,
        users: Users,
        first: usize,
    ) -> Result<Self, Problem> {
        // A short run has fewer accounts than logins: the second disk takes the next code of the same people.
        let (first, code_of) = match users.count < LOGINS.saturating_mul(2) {
            true if first > 0 => (0, CodeOf::StepAfter),
            _ => (first, CodeOf::StepNow),
        };
        let logins = users.some_logins(first, LOGINS, code_of);
        make_known(logins.iter().map(|login| login.user.as_str()))?;
        let count = FsyncCount::begin(machine, disk)?;
        let service = stand.serve(machine, contestant, &count)?;
        let before = count.so_far()?;
        let begin_at = SystemTime::now().checked_add(START).unwrap_or_else(SystemTime::now);
        let job = |logins: &[_]| PamJob {
            service: stand.service.clone(),
            form: Form::Code,
            begin_at,
            logins: logins.to_vec(),
        };
        let jobs: Vec<_> = logins.chunks(LOGINS_EACH).map(job).collect();
        let measured = measure_together(machine, "bench-pam", &jobs, &count)?;
        let fsyncs = per(count.so_far()?.saturating_sub(before), logins.len());
        if let Some(service) = service {
            service.stop()?;
        }
        Ok(Self::of(&measured, fsyncs, logins.len()))
    }

    fn of(measured: &[Measured], fsyncs: f64, logins: usize) -> Self {
        let millis: Vec<f64> =
            measured.iter().flat_map(|one| one.micros.iter().map(|micros| micros / 1000.0)).collect();
        let accepted: usize = measured.iter().map(|one| one.accepted).sum();
        // They began together, so the longest of them lasted from begin to end.
        let seconds = measured.iter().map(|one| one.seconds).fold(0.0, f64::max);
        let accepted = u64::try_from(accepted).unwrap_or(u64::MAX);
        Self {
            let_in: per(accepted, logins) * 100.0,
            median: quantile(&millis, 0.5),
            p99: quantile(&millis, 0.99),
            rate: 1.0 / (seconds * per(1, logins)),
            fsyncs,
        }
    }
}
