//! Random bundles, against a model in memory that says the same in the simplest way.

use std::collections::{BTreeMap, BTreeSet};

use common::account::Account;
use common::bundle::{AccountChange, Bundle, Outcome, Precondition, Spend, Success};
use common::limits::SPENT_KEPT_SECONDS;
use common::ports::{Listing as _, Store as _};
use common::{AccountId, AttemptId, CodeId, FactorId, UnixTime, Username};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};

use super::support::Yard;
use crate::conformance::samples::{
    account, bundle, code, id, lane, load, name, record, session, step, success, time, verified, with_codes,
};
use crate::limits::PURGE_SECONDS;
use crate::{Process, Sqlite};

const NAMES: [&str; 2] = ["alice", "bob"];
/// Purge carries many rows of each kind away at once, so with these numbers it is always complete.
const ACCOUNTS: u8 = 2;
const FACTORS: u8 = 2;
const SESSIONS: u8 = 4;

/// What the store shall be.
#[derive(Clone, Default)]
struct Model {
    accounts: BTreeMap<AccountId, Account>,
    steps: BTreeMap<(AccountId, FactorId), (u64, UnixTime, UnixTime)>,
    codes: BTreeSet<(AccountId, CodeId)>,
    successes: BTreeMap<AttemptId, Success>,
    records: u64,
    floor: UnixTime,
}

impl Model {
    fn commit(&mut self, bundle: &Bundle) -> bool {
        let mut changed = self.clone();
        let applied = changed.apply(bundle);
        if applied.is_some() {
            *self = changed;
        }
        applied.is_some()
    }

    fn apply(&mut self, bundle: &Bundle) -> Option<()> {
        self.holds(&bundle.precondition).then_some(())?;
        if let Some(change) = &bundle.account {
            self.change(change)?;
        }
        bundle.spends.iter().try_for_each(|spend| self.spend(spend))?;
        if let Some(success) = &bundle.success {
            let before = self.successes.insert(success.session, success.clone());
            before.is_none().then_some(())?;
        }
        self.records += u64::try_from(bundle.records.len()).unwrap();
        Some(())
    }

    fn holds(&self, precondition: &Precondition) -> bool {
        match precondition {
            Precondition::Nothing => true,
            Precondition::Absent(name) => self.by_name(name).is_none(),
            Precondition::Version { account, version } => {
                self.accounts.get(account).is_some_and(|found| found.version == *version)
            }
        }
    }

    fn change(&mut self, change: &AccountChange) -> Option<()> {
        match change {
            AccountChange::Insert(new) => {
                let free = self.by_name(&new.name).is_none() && !self.accounts.contains_key(&new.id);
                free.then_some(())?;
                self.accounts.insert(new.id, (**new).clone());
            }
            AccountChange::Update(new) => {
                let before = self.accounts.get(&new.id)?;
                let free = self.by_name(&new.name).is_none_or(|found| found.id == new.id);
                (free && before.version + 1 == new.version).then_some(())?;
                self.codes.retain(|(account, code)| {
                    *account != new.id || new.recovery_codes.iter().any(|kept| kept.id == *code)
                });
                self.accounts.insert(new.id, (**new).clone());
            }
            AccountChange::Remove(gone) => {
                self.accounts.remove(gone)?;
                self.steps.retain(|(account, _), _| account != gone);
                self.codes.retain(|(account, _)| account != gone);
            }
        }
        Some(())
    }

    fn spend(&mut self, spend: &Spend) -> Option<()> {
        let unspent = match spend {
            Spend::TotpStep { account, factor, step, begins_at, expires_at } => {
                self.accounts.get(account)?;
                let before = self.steps.insert((*account, *factor), (*step, *begins_at, *expires_at));
                *begins_at > self.floor && before.is_none_or(|(spent, ..)| *step > spent)
            }
            // What the strategy does not make.
            Spend::HotpCounter { .. } | Spend::SentCode { .. } => return None,
            Spend::Code { account, code } => {
                self.accounts.get(account)?;
                self.codes.insert((*account, *code))
            }
        };
        unspent.then_some(())
    }

    /// Whether it is worth the while to purge.
    fn is_overdue(&self, at: UnixTime) -> bool {
        let steps = self.steps.values().map(|(.., expires_at)| *expires_at);
        let sessions = self.successes.values().map(|success| success.expires_at);
        let oldest = steps.chain(sessions).min();
        oldest.is_some_and(|end| end < at.minus_seconds(SPENT_KEPT_SECONDS + PURGE_SECONDS))
    }

    fn purge(&mut self, at: UnixTime) {
        let ended = |expires_at: UnixTime| expires_at < at.minus_seconds(SPENT_KEPT_SECONDS);
        let steps = self
            .steps
            .values()
            .filter(|(.., expires_at)| ended(*expires_at))
            .map(|(_, begins_at, _)| *begins_at);
        let sessions = self.successes.values().map(|success| success.expires_at).filter(|end| ended(*end));
        self.floor = steps.chain(sessions).fold(self.floor, UnixTime::max);
        self.steps.retain(|_, (.., expires_at)| !ended(*expires_at));
        self.successes.retain(|_, success| !ended(success.expires_at));
    }

    fn by_name(&self, name: &Username) -> Option<&Account> {
        self.accounts.values().find(|account| account.name == *name)
    }
}

/// What a random bundle is made from, before its moment is known. Few accounts, names and codes, so that they meet.
#[derive(Clone, Debug)]
struct Parts {
    precondition: Precondition,
    account: Option<AccountChange>,
    spends: Vec<Use>,
    session: Option<u8>,
    records: usize,
}

#[derive(Clone, Debug)]
enum Use {
    /// The step so many before the next one.
    Step {
        account: u8,
        factor: u8,
        before: u64,
    },
    Code {
        account: u8,
        code: u8,
    },
}

impl Parts {
    fn bundle(&self, now: u64) -> Bundle {
        let spend = |used: &Use| match used {
            Use::Step { account, factor, before } => step(*account, *factor, now / 30 + 1 - before),
            Use::Code { account, code: used } => code(*account, *used),
        };
        Bundle {
            precondition: self.precondition.clone(),
            account: self.account.clone(),
            spends: self.spends.iter().map(spend).collect(),
            success: self.session.map(|session| success(session, now)),
            records: vec![record(now); self.records],
            ..bundle(now)
        }
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let parts =
        (precondition(), option::of(change()), vec(used(), 0..3), option::of(1..=SESSIONS), 0..3_usize);
    parts.prop_map(|(precondition, account, spends, session, records)| Parts {
        precondition,
        account,
        spends,
        session,
        records,
    })
}

fn used() -> impl Strategy<Value = Use> {
    let accounts = 1..=ACCOUNTS;
    prop_oneof![
        2 => (accounts.clone(), 1..=FACTORS, 0..4_u64)
            .prop_map(|(account, factor, before)| Use::Step { account, factor, before }),
        1 => (accounts, 0..4_u8).prop_map(|(account, code)| Use::Code { account, code }),
    ]
}

fn precondition() -> impl Strategy<Value = Precondition> {
    prop_oneof![
        3 => Just(Precondition::Nothing),
        1 => (0..NAMES.len()).prop_map(|user| Precondition::Absent(name(NAMES[user]))),
        2 => (1..=ACCOUNTS, 1..3_u64)
            .prop_map(|(account, version)| Precondition::Version { account: id(account), version }),
    ]
}

fn change() -> impl Strategy<Value = AccountChange> {
    let number = 1..=ACCOUNTS;
    let some_account = |versions| {
        (1..=ACCOUNTS, 0..NAMES.len(), versions, 0..3_u8).prop_map(|(number, user, version, renewed)| {
            let account = with_codes(account(number, NAMES[user]), [renewed, renewed + 1]);
            Box::new(Account { version, ..account })
        })
    };
    prop_oneof![
        3 => some_account(1..2_u64).prop_map(AccountChange::Insert),
        3 => some_account(2..4_u64).prop_map(AccountChange::Update),
        1 => number.prop_map(|account| AccountChange::Remove(id(account))),
    ]
}

fn compare(store: &Sqlite, model: &Model) {
    for user in NAMES {
        let loaded = load(store, user);
        let account = model.by_name(&name(user));
        assert_eq!((loaded.account.as_ref(), loaded.floor), (account, model.floor));
        let Some(id) = account.map(|account| account.id) else {
            continue;
        };
        let steps = model.steps.iter().filter(|((account, _), _)| *account == id);
        let steps: Vec<_> = steps.map(|((_, factor), (step, ..))| (*factor, *step)).collect();
        let codes: Vec<_> =
            model.codes.iter().filter(|(account, _)| *account == id).map(|(_, code)| *code).collect();
        assert_eq!((loaded.spent_steps, loaded.spent_codes), (steps, codes));
    }
    for number in 1..=SESSIONS {
        let loaded = store.load(&name("alice"), &lane("alice"), Some(session(number))).unwrap();
        assert_eq!(loaded.success.as_ref(), model.successes.get(&session(number)));
    }
}

/// At least `least` cases; `cargo xtask soak` asks for more.
pub(crate) fn cases(least: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { least },
        ..asked
    }
}

proptest! {
    #![proptest_config(cases(96))]
    #[test]
    fn the_store_does_what_the_model_does(batches in vec((0..2500_u64, vec(parts(), 1..4)), 1..25)) {
        let yard = Yard::new(Process::LongLived);
        let store = yard.sqlite();
        let mut model = Model::default();
        let mut now = 10_000;
        for (seconds, batch) in batches {
            now += seconds;
            let batch: Vec<Bundle> = batch.iter().map(|parts| parts.bundle(now)).collect();
            let is_overdue = model.is_overdue(time(now));
            let expected: Vec<bool> = batch.iter().map(|bundle| model.commit(bundle)).collect();
            let outcomes = store.commit(&batch).unwrap();
            let applied: Vec<bool> = outcomes.iter().map(|outcome| matches!(outcome, Outcome::Applied(_))).collect();
            assert_eq!(applied, expected);
            if is_overdue {
                model.purge(time(now));
            }
            compare(&store, &model);
        }
        assert_eq!(verified(&store, "main").len(), usize::try_from(model.records).unwrap());
        let listed = store.accounts(None, 10).unwrap();
        assert_eq!(listed.len(), model.accounts.len());
    }
}
