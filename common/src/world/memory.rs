//! A store in memory that keeps the contract of the port.

mod apply;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::account::{Account, PasswordHash};
use crate::bundle::{Bundle, Entry, NewCode, NoticeTexts, Outcome, Precondition, Spend};
use crate::chain::{ChainMac, ChainPosition};
use crate::id::{AttemptId, CodeId, FactorId};
use crate::lane::{Lane, LaneKey};
use crate::message::Envelope;
use crate::ports::{BreakGlass, Loaded, Store, StoreError};
use crate::record::Record;
use crate::sent::Sent;
use crate::throttle::{Against, Cap, Count, Seen};
use crate::ticket::Tickets;
use crate::world::{app_secret, keys, outside::Counting};
use crate::{AccountId, UnixTime, Username};

/// What the store in memory holds.
#[derive(Default)]
pub(crate) struct Memory {
    accounts: HashMap<Username, Account>,
    steps: HashMap<FactorId, u64>,
    codes: Vec<CodeId>,
    /// What the last bundle has spent.
    pub(crate) last_spends: Vec<Spend>,
    sent: HashMap<Username, Sent>,
    tickets: HashMap<AccountId, Tickets>,
    /// Messages that nobody has taken.
    pub(crate) outbox: Vec<Envelope>,
    /// Nothing further is taken in. Who loads after a code was refused knows it.
    pub(crate) outbox_is_full: bool,
    was_code_refused: bool,
    signed_in: HashMap<AccountId, UnixTime>,
    lanes: HashMap<LaneKey, Lane>,
    caps: HashMap<AccountId, Cap>,
    known: HashMap<(AccountId, LaneKey), UnixTime>,
    pub(crate) loads: u64,
    successes: HashMap<AttemptId, crate::bundle::Success>,
    pub(crate) records: Vec<Record>,
    pub(crate) commits: u64,
    /// The moment that the earliest bundle speaks of.
    pub(crate) earliest_commit: Option<UnixTime>,
    /// Commits that lose their race before one wins.
    pub(crate) races_to_lose: u32,
    pub(crate) is_down: bool,
    /// Accepts that may be counted together.
    pub(crate) tallied: u64,
    /// It can be read and not written, as on a disk that is full or mounted read-only.
    pub(crate) is_read_only: bool,
    /// The store has just found that it is an older copy of itself.
    pub(crate) has_gone_back: bool,
    /// An administrator sets new passwords between the load of a login and its commit.
    pub(crate) new_password_before_next_accept: bool,
    pub(crate) counts: u64,
    /// Counts that it cannot take before it can again.
    pub(crate) counts_to_fail: u32,
    /// Answers of others in the same lane, between the next count of a login and its next.
    pub(crate) others_after_next_count: u32,
    /// An administrator blocks everybody between the load of a login and its commit.
    pub(crate) block_before_next_spend: bool,
    /// What happens between the load of a login and its commit.
    pub(crate) before_next_spend: Option<Box<dyn FnOnce() + Send>>,
    /// It is the file of the break-glass accounts, which knows nobody by itself.
    pub(crate) is_file: bool,
    pub(crate) floor: UnixTime,
}

/// A store in memory that keeps the contract of the port.
#[derive(Clone, Default)]
pub(crate) struct MemoryStore(pub(crate) Arc<Mutex<Memory>>);

impl MemoryStore {
    fn up(&self) -> Result<std::sync::MutexGuard<'_, Memory>, StoreError> {
        let memory = self.0.lock().unwrap();
        if memory.is_down {
            return Err(StoreError::Damaged { what: "the store of a test".to_owned(), source: None });
        }
        Ok(memory)
    }

    fn writable(&self) -> Result<std::sync::MutexGuard<'_, Memory>, StoreError> {
        let memory = self.up()?;
        if memory.is_read_only {
            return Err(StoreError::Damaged { what: "the store of a test".to_owned(), source: None });
        }
        Ok(memory)
    }
}

impl MemoryStore {
    /// As if each account had been changed.
    pub(crate) fn raise_versions(&self) {
        self.0.lock().unwrap().accounts.values_mut().for_each(|account| account.version += 1);
    }

    /// As a purge does; the floor is the caller's.
    pub(crate) fn forget_spent_steps(&self) {
        self.0.lock().unwrap().steps.clear();
    }

    /// As if it had always been so.
    pub(crate) fn put(&self, account: Account) {
        self.0.lock().unwrap().accounts.insert(account.name.clone(), account);
    }

    pub(crate) fn account(&self, name: &Username) -> Account {
        self.0.lock().unwrap().accounts[name].clone()
    }
}

impl Store for MemoryStore {
    fn load(
        &self,
        name: &Username,
        lane: &LaneKey,
        session: Option<AttemptId>,
    ) -> Result<Loaded, StoreError> {
        let mut memory = self.up()?;
        memory.loads += 1;
        let account = memory.accounts.get(name).cloned();
        let id = account.as_ref().map(|account| account.id);
        Ok(Loaded {
            sent: memory.sent.get(name).cloned().unwrap_or_default(),
            outbox_is_closed: memory.was_code_refused,
            tickets: id.and_then(|id| memory.tickets.get(&id).cloned()).unwrap_or_default(),
            signed_in_at: id.and_then(|id| memory.signed_in.get(&id).copied()),
            account,
            spent_steps: memory.steps.iter().map(|(factor, step)| (*factor, *step)).collect(),
            spent_codes: memory.codes.clone(),
            lane: memory.lanes.get(lane).copied().unwrap_or_default(),
            cap: id.and_then(|id| memory.caps.get(&id).copied()).unwrap_or_default(),
            known_at: id.and_then(|id| memory.known.get(&(id, *lane)).copied()),
            success: session.and_then(|session| memory.successes.get(&session).cloned()),
            floor: memory.floor,
        })
    }

    fn count(&self, count: &Count) -> Result<Seen, StoreError> {
        let mut memory = self.writable()?;
        if memory.counts_to_fail > 0 {
            memory.counts_to_fail -= 1;
            return Err(StoreError::Damaged { what: "the store of a test".to_owned(), source: None });
        }
        memory.counts += 1;
        let lane = memory.counted(&count.lane, count.at);
        for _ in 0..std::mem::take(&mut memory.others_after_next_count) {
            memory.counted(&count.lane, count.at);
        }
        if let Some(sent) = count.codes_of.as_ref().and_then(|name| memory.sent.get_mut(name)) {
            sent.count(count.at);
        }
        let cap = match count.against {
            Against::LaneAlone => None,
            Against::Account(account) => {
                let cap = memory.caps.entry(account).or_default();
                *cap = cap.counted(count.at);
                Some(*cap)
            }
            Against::Nobody(no_account) => {
                memory.counted(&no_account, count.at);
                None
            }
        };
        Ok(Seen { lane, cap })
    }

    fn sign_ins(&self, name: &Username, count: u32) -> Result<Vec<crate::login::SignIn>, StoreError> {
        let memory = self.up()?;
        let own = memory.records.iter().rev().filter(|record| {
            record.ending == crate::record::Ending::Accept && record.user.as_deref() == Some(name.as_str())
        });
        let shown = own.map(|record| crate::login::SignIn {
            at: record.at,
            place: record.place.name().to_owned(),
            source: record.source.clone(),
            factor: record.factor.clone(),
        });
        Ok(shown.take(count as usize).collect())
    }

    fn take_rollback_found(&self) -> bool {
        std::mem::take(&mut self.0.lock().unwrap().has_gone_back)
    }

    fn commit(&self, bundles: &[Bundle]) -> Result<Vec<Outcome>, StoreError> {
        let meanwhile = |bundle: &Bundle| {
            let before = &mut self.0.lock().unwrap().before_next_spend;
            (!bundle.spends.is_empty()).then(|| before.take()).flatten()
        };
        bundles.iter().filter_map(meanwhile).for_each(|happens| happens());
        let mut memory = self.writable()?;
        if memory.is_file && !bundles.iter().all(|bundle| memory.could_hold(&bundle.precondition)) {
            return Err(StoreError::Damaged { what: "the file of a test".to_owned(), source: None });
        }
        Ok(bundles.iter().map(|bundle| memory.commit(bundle)).collect())
    }
}

impl BreakGlass for MemoryStore {
    fn keep(&self, loaded: &Loaded) -> Result<(), StoreError> {
        let mut memory = self.up()?;
        let Some(account) = &loaded.account else { return Ok(()) };
        let is_late = |kept: &Account| kept.id == account.id && kept.version > account.version;
        if memory.accounts.get(&account.name).is_some_and(is_late) {
            return Ok(());
        }
        memory.accounts.insert(account.name.clone(), account.clone());
        for (factor, step) in &loaded.spent_steps {
            let highest = memory.steps.entry(*factor).or_default();
            *highest = (*highest).max(*step);
        }
        memory.codes.extend(&loaded.spent_codes);
        Ok(())
    }

    fn forget(&self, name: &Username) -> Result<(), StoreError> {
        self.up()?.accounts.remove(name);
        Ok(())
    }
}

impl Memory {
    fn commit(&mut self, bundle: &Bundle) -> Outcome {
        self.commits += 1;
        self.earliest_commit = Some(self.earliest_commit.map_or(bundle.at, |at| at.min(bundle.at)));
        if self.block_before_next_spend && !bundle.spends.is_empty() {
            self.block_before_next_spend = false;
            for account in self.accounts.values_mut() {
                account.version += 1;
                account.block = Some(crate::account::Block::Indefinitely);
            }
        }
        if self.new_password_before_next_accept && bundle.precondition != Precondition::Nothing {
            self.new_password_before_next_accept = false;
            for account in self.accounts.values_mut() {
                account.version += 1;
                account.password_hash = Some(PasswordHash::new("new".to_owned()));
            }
        }
        if self.races_to_lose > 0 {
            self.races_to_lose -= 1;
            return Outcome::Conflict;
        }
        let is_unspent = |spend: &Spend| self.is_unspent(spend, bundle.at);
        if !self.holds(&bundle.precondition) || !bundle.spends.iter().all(is_unspent) {
            return Outcome::Conflict;
        }
        self.was_code_refused |= self.outbox_is_full && bundle.new_code.is_some();
        if !bundle.tickets.iter().all(|change| self.may_remember(change, bundle)) {
            return Outcome::Conflict;
        }
        let may_count =
            |texts: &NoticeTexts| self.sent_to(&texts.name).count_notice_texts(texts.count, bundle.at);
        if !bundle.notice_texts.as_ref().is_none_or(may_count) {
            return Outcome::Conflict;
        }
        let may_send = |new: &NewCode| !self.outbox_is_full && self.sent_to(&new.name).send(new);
        if !bundle.new_code.as_ref().is_none_or(may_send) {
            return Outcome::Conflict;
        }
        if bundle.success.as_ref().is_some_and(|success| self.successes.contains_key(&success.session)) {
            return Outcome::Conflict;
        }
        let records = self.apply(bundle);
        let position =
            |sequence| ChainPosition { stream: "test".to_owned(), sequence, mac: ChainMac::BEGINNING };
        let entries =
            (0..).zip(records).map(|(sequence, record)| Entry { record, position: Some(position(sequence)) });
        Outcome::Applied(entries.collect())
    }

    /// What a lane has seen.
    pub(crate) fn lane(&self, key: &LaneKey) -> Lane {
        self.lanes.get(key).copied().unwrap_or_default()
    }

    fn counted(&mut self, lane: &LaneKey, at: UnixTime) -> Lane {
        let lane = self.lanes.entry(*lane).or_default();
        *lane = lane.counted(at);
        *lane
    }

    fn holds(&self, precondition: &Precondition) -> bool {
        match precondition {
            Precondition::Nothing => true,
            Precondition::Absent(name) => !self.accounts.contains_key(name),
            Precondition::Version { account, version } => {
                self.accounts.values().any(|stored| stored.id == *account && stored.version == *version)
            }
        }
    }

    /// Whether what must be so for it is so here, or was: a copy that is newer than what was loaded is a race.
    fn could_hold(&self, precondition: &Precondition) -> bool {
        match precondition {
            Precondition::Nothing => true,
            Precondition::Absent(_) => false,
            Precondition::Version { account, version } => {
                self.accounts.values().any(|kept| kept.id == *account && kept.version >= *version)
            }
        }
    }

    fn is_unspent(&self, spend: &Spend, at: UnixTime) -> bool {
        match spend {
            Spend::TotpStep { factor, step, begins_at, .. } => {
                self.steps.get(factor).is_none_or(|highest| step > highest) && *begins_at > self.floor
            }
            Spend::HotpCounter { factor, counter, .. } => {
                self.steps.get(factor).is_none_or(|highest| counter > highest)
            }
            Spend::Code { code, .. } => !self.codes.contains(code),
            Spend::SentCode { name, slot, code } => {
                self.sent.get(name).is_some_and(|sent| sent.clone().spend(*slot, *code, at))
            }
        }
    }

    fn sent_to(&self, name: &Username) -> Sent {
        self.sent.get(name).cloned().unwrap_or_default()
    }

    /// Durable writes so far.
    pub(crate) fn writes(&self) -> u64 {
        self.commits + self.counts
    }

    /// Seals every factor to another account, so that none opens.
    pub(crate) fn spoil_factors(&mut self) {
        let keys = keys();
        for account in self.accounts.values_mut() {
            for factor in &mut account.factors {
                let crate::account::FactorKind::Totp { secret, .. } = &mut factor.kind else { continue };
                let other = crate::AccountId::from_bytes([9; 16]);
                *secret = keys.seal(&Counting::default(), other, "elsewhere", &app_secret()).unwrap();
            }
        }
    }

    /// How many steps and recovery codes are spent.
    pub(crate) fn spent(&self) -> (Vec<(FactorId, u64)>, usize) {
        let mut steps: Vec<_> = self.steps.iter().map(|(factor, step)| (*factor, *step)).collect();
        steps.sort_unstable();
        (steps, self.codes.len())
    }
}
