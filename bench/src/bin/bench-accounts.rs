//! Makes many accounts with a TOTP factor in a store of ours, a thousand in one transaction. Whoever imports a million
//! people does it by `countersign import`; here only the store that comes of it matters.

use assembly::config::Settings;
use assembly::store::{Process, Sqlite, SqliteOptions};
use assembly::{SystemClock, SystemRandom, key_file, places};
use bench::{AccountsJob, BenchError, run, secret_octets};
use common::account::{Account, Factor, FactorKind, State};
use common::bundle::{AccountChange, Bundle, Outcome, Precondition};
use common::keys::{KeyRing, Purpose};
use common::ports::{Clock as _, Store as _};
use common::totp::TotpParameters;
use common::{AccountId, AttemptId, FactorId, Secret, Username};

/// Accounts of one transaction.
const TOGETHER: usize = 1000;
/// The chain that the command line writes too.
const STREAM: &str = "main";

fn main() -> Result<(), BenchError> {
    run(make)
}

/// Says how many were made.
fn make(job: &AccountsJob) -> Result<usize, BenchError> {
    let settings = Settings::load_without_clients(&job.settings)?.settings;
    let keys = key_file::read(&places::master_key(&settings), places::owner(&settings)?)?;
    let options = SqliteOptions {
        chain_key: keys.derive(keys.newest(), Purpose::Chain)?,
        stream: STREAM.to_owned(),
        process: Process::LongLived,
        owner: Some(places::owner(&settings)?),
    };
    let store = Sqlite::open(&places::store(&settings), options)?;
    let numbers: Vec<usize> = (0..job.count).collect();
    for numbers in numbers.chunks(TOGETHER) {
        let bundles = numbers.iter().map(|number| bundle(&keys, &format!("{}{number}", job.family)));
        let outcomes = store.commit(&bundles.collect::<Result<Vec<_>, _>>()?)?;
        if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Conflict)) {
            return Err(BenchError::AccountExists(job.family.clone()));
        }
    }
    Ok(job.count)
}

/// As registering writes it, without its record: what is measured writes records of its own.
fn bundle(keys: &KeyRing, user: &str) -> Result<Bundle, BenchError> {
    let name = Username::parse(user).map_err(|_| BenchError::Name(user.to_owned()))?;
    let now = SystemClock.now();
    let mut account = Account::new(AccountId::generate(&SystemRandom), name.clone(), State::Enforced, now);
    let id = FactorId::generate(&SystemRandom);
    let secret = Secret::new(secret_octets(user));
    let secret = keys.seal(&SystemRandom, account.id, &Factor::secret_field(id), &secret)?;
    account.factors.push(Factor {
        id,
        label: "phone".to_owned(),
        kind: FactorKind::Totp { parameters: TotpParameters::default(), secret, drift: 0 },
        added_at: now,
    });
    let mut bundle = Bundle::of_records(AttemptId::generate(&SystemRandom), now, Vec::new());
    bundle.precondition = Precondition::Absent(name);
    bundle.account = Some(AccountChange::Insert(Box::new(account)));
    Ok(bundle)
}
