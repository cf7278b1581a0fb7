//! A small world for tests: a store in memory, a clock that tests turn, people with passwords and apps.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::account::{PasswordHash, Role, Scope, State};
use crate::acts::{Act, EnrolmentProof, Issued, Label, NewTotp};
use crate::attempt::{Door, Place, Profile, Target};
use crate::bundle::{AccountChange, Bundle, Outcome, Precondition, Spend};
use crate::chain::{ChainMac, ChainPosition};
use crate::engine::{Engine, Parts, Reply};
use crate::id::{AttemptId, FactorId, RecoveryCodeId};
use crate::keys::{KeyId, KeyRing, MasterKey};
use crate::lane::{Lane, LaneKey};
use crate::policy::Policy;
use crate::ports::{
    Clock, Identity, Loaded, Names, PasswordCheck, Primary, Random, Sink, Store, StoreError, Stored,
};
use crate::record::{Actor, Record};
use crate::session::Session;
use crate::totp::{TotpKey, TotpParameters};
use crate::{Answer, Attempt, Grounds, PrimaryMode, Reason, Secret, TypedName, UnixTime, Username, Verdict};

/// The moment at which every world begins.
pub(crate) const BEGINNING: u64 = 1_700_000_010;

/// What the store in memory holds.
#[derive(Default)]
pub(crate) struct Memory {
    accounts: HashMap<Username, crate::account::Account>,
    steps: HashMap<FactorId, u64>,
    codes: Vec<RecoveryCodeId>,
    lanes: HashMap<LaneKey, Lane>,
    successes: HashMap<AttemptId, crate::bundle::Success>,
    pub(crate) records: Vec<Record>,
    pub(crate) commits: u64,
    /// Commits that lose their race before one wins.
    pub(crate) races_to_lose: u32,
    pub(crate) is_down: bool,
    /// The store has just found that it is an older copy of itself.
    pub(crate) has_gone_back: bool,
    /// An administrator sets new passwords between the load of a login and its commit.
    pub(crate) new_password_before_next_accept: bool,
    counts: u64,
    /// An administrator blocks everybody between the load of a login and its commit.
    pub(crate) block_before_next_spend: bool,
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
}

impl Store for MemoryStore {
    fn load(
        &self,
        name: &Username,
        lane: &LaneKey,
        session: Option<AttemptId>,
    ) -> Result<Loaded, StoreError> {
        let memory = self.up()?;
        Ok(Loaded {
            account: memory.accounts.get(name).cloned(),
            spent_steps: memory.steps.iter().map(|(factor, step)| (*factor, *step)).collect(),
            spent_recovery_codes: memory.codes.clone(),
            lane: memory.lanes.get(lane).copied().unwrap_or_default(),
            success: session.and_then(|session| memory.successes.get(&session).cloned()),
            floor: memory.floor,
        })
    }

    fn count(&self, lane: &LaneKey, now: UnixTime) -> Result<Lane, StoreError> {
        let mut memory = self.up()?;
        memory.counts += 1;
        let lane = memory.lanes.entry(*lane).or_default();
        *lane = lane.counted(now);
        Ok(*lane)
    }

    fn take_rollback_found(&self) -> bool {
        std::mem::take(&mut self.0.lock().unwrap().has_gone_back)
    }

    fn commit(&self, bundles: &[Bundle]) -> Result<Vec<Outcome>, StoreError> {
        let mut memory = self.up()?;
        Ok(bundles.iter().map(|bundle| memory.commit(bundle)).collect())
    }
}

impl Memory {
    fn commit(&mut self, bundle: &Bundle) -> Outcome {
        self.commits += 1;
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
        if !self.holds(&bundle.precondition) || !bundle.spends.iter().all(|spend| self.is_unspent(spend)) {
            return Outcome::Conflict;
        }
        if bundle.success.as_ref().is_some_and(|success| self.successes.contains_key(&success.session)) {
            return Outcome::Conflict;
        }
        self.apply(bundle);
        let position =
            |sequence| ChainPosition { stream: "test".to_owned(), sequence, mac: ChainMac::BEGINNING };
        Outcome::Applied((0..bundle.records.len() as u64).map(position).collect())
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

    fn is_unspent(&self, spend: &Spend) -> bool {
        match spend {
            Spend::TotpStep { factor, step, begins_at, .. } => {
                self.steps.get(factor).is_none_or(|highest| step > highest) && *begins_at > self.floor
            }
            Spend::RecoveryCode { code, .. } => !self.codes.contains(code),
        }
    }

    fn apply(&mut self, bundle: &Bundle) {
        match &bundle.account {
            None => {}
            Some(AccountChange::Insert(account) | AccountChange::Update(account)) => {
                self.accounts.retain(|_, stored| stored.id != account.id);
                self.accounts.insert(account.name.clone(), (**account).clone());
            }
            Some(AccountChange::Remove(id)) => self.accounts.retain(|_, stored| stored.id != *id),
        }
        for spend in &bundle.spends {
            match spend {
                Spend::TotpStep { factor, step, .. } => {
                    self.steps.insert(*factor, *step);
                }
                Spend::RecoveryCode { code, .. } => self.codes.push(*code),
            }
        }
        if let Some(success) = &bundle.success {
            self.successes.insert(success.session, success.clone());
        }
        if let Some(lane) = &bundle.cleared_lane {
            self.lanes.remove(lane);
        }
        if let Some(lane) = &bundle.counted_lane {
            let lane = self.lanes.entry(*lane).or_default();
            *lane = lane.counted(bundle.at);
        }
        self.records.extend(bundle.records.iter().cloned());
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
                let crate::account::FactorKind::Totp { secret, .. } = &mut factor.kind;
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

/// A primary that knows the accounts' passwords in clear text, and `ghost` without an account.
#[derive(Clone, Default)]
pub(crate) struct ClearText {
    pub(crate) checks: Arc<AtomicU64>,
    pub(crate) pretences: Arc<AtomicU64>,
    pub(crate) is_down: Arc<Mutex<bool>>,
    is_shouting: Arc<std::sync::atomic::AtomicBool>,
}

impl ClearText {
    /// From now on it gives names back in capitals, as some directories do.
    pub(crate) fn shout(&self) {
        self.is_shouting.store(true, Ordering::Relaxed);
    }
}

impl Names for ClearText {
    fn identify(&self, name: &Username, stored: Stored) -> Identity {
        if self.is_shouting.load(Ordering::Relaxed) {
            return Identity::Known(Username::parse(&name.as_str().to_uppercase()).unwrap());
        }
        match stored {
            Stored::Yes => Identity::Known(name.clone()),
            Stored::No if name.as_str() == "ghost" => Identity::Known(name.clone()),
            Stored::No => Identity::Unknown,
        }
    }
}

impl Primary for ClearText {
    fn check(&self, name: &Username, hash: Option<&PasswordHash>, password: &Secret) -> PasswordCheck {
        self.checks.fetch_add(1, Ordering::Relaxed);
        if *self.is_down.lock().unwrap() {
            return PasswordCheck::Unavailable;
        }
        let right = hash.map_or("boo", PasswordHash::expose);
        if name.as_str() != "nobody" && password.expose() == right.as_bytes() {
            PasswordCheck::Right
        } else {
            PasswordCheck::Wrong
        }
    }

    fn pretend(&self) {
        self.pretences.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Clone)]
struct TestClock(Arc<AtomicU64>);

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.0.load(Ordering::Relaxed))
    }
}

/// Counts up: different every time, the same in every run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(8) {
            let mixed = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 31)).to_be_bytes();
            chunk.copy_from_slice(&mixed[..chunk.len()]);
        }
    }
}

struct Silent;

impl Sink for Silent {
    fn publish(&self, _: &Record, _: Option<&ChainPosition>) {}
}

/// Keys that are the same in every test.
pub(crate) fn keys() -> KeyRing {
    KeyRing::new(MasterKey { id: KeyId(1), octets: zeroize::Zeroizing::new([7; 32]) }, Vec::new())
}

/// Everything at hand.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) memory: MemoryStore,
    pub(crate) primary: ClearText,
    clock: Arc<AtomicU64>,
}

impl World {
    /// A world with a policy.
    pub(crate) fn new(policy: Policy) -> Self {
        let memory = MemoryStore::default();
        let primary = ClearText::default();
        let clock = Arc::new(AtomicU64::new(BEGINNING));
        let engine = Engine::new(Parts {
            policy,
            keys: keys(),
            store: Box::new(memory.clone()),
            primary: Box::new(primary.clone()),
            names: Box::new(primary.clone()),
            clock: Box::new(TestClock(clock.clone())),
            random: Box::new(Counting::default()),
            sink: Box::new(Silent),
        });
        Self { engine, memory, primary, clock }
    }

    /// A world where `alice` is enforced, with the password `pw` and an app.
    pub(crate) fn with_alice(policy: Policy) -> Self {
        let world = Self::new(policy);
        world.add("alice", State::Enforced);
        world.act("alice", &add_totp());
        world
    }

    pub(crate) fn add(&self, name: &str, state: State) {
        let password = Some(PasswordHash::new("pw".to_owned()));
        self.act(name, &Act::Add { state: Some(state), role: Role::User, password, totp: None });
    }

    pub(crate) fn act(&self, name: &str, act: &Act) -> Issued {
        let actor = Actor { login_uid: None, uid: 0, tty: None, host: "test".to_owned() };
        self.engine.act(&actor, &Username::parse(name).unwrap(), act).unwrap()
    }

    /// A new app password for services.
    pub(crate) fn app_password(&self, name: &str, services: &[&str]) -> String {
        let services = services.iter().map(|&service| service.to_owned()).collect();
        let scope = Scope { services, clients: vec!["vpn".to_owned()] };
        match self.act(name, &Act::CreateAppPassword { label: Label::parse("script").unwrap(), scope }) {
            Issued::AppPassword(_, password) => password.expose_text().unwrap().to_owned(),
            Issued::Nothing | Issued::Factor(_) | Issued::RecoveryCodes(_) => panic!("no app password"),
        }
    }

    /// A new set of recovery codes.
    pub(crate) fn recovery_codes(&self, name: &str) -> Vec<String> {
        match self.act(name, &Act::RenewRecoveryCodes) {
            Issued::RecoveryCodes(codes) => {
                codes.iter().map(|code| code.expose_text().unwrap().to_owned()).collect()
            }
            Issued::Nothing | Issued::Factor(_) | Issued::AppPassword(..) => panic!("no recovery codes"),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    pub(crate) fn set_clock(&self, seconds: u64) {
        self.clock.store(seconds, Ordering::Relaxed);
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.set_clock(self.now() + seconds);
    }

    /// The code that the app shows now.
    pub(crate) fn code(&self) -> String {
        code_at(self.now())
    }

    /// Plays answers in, as a PAM conversation or a RADIUS client does, until the verdict.
    pub(crate) fn login(&self, attempt: &Attempt, answers: &[&str]) -> Result<Ended, Vec<&'static str>> {
        let mut answers = answers.iter();
        let mut prompts = Vec::new();
        let brings_first = attempt.door == Door::Radius || attempt.primary == PrimaryMode::Failed;
        let first = if brings_first { answers.next().map(|text| text_answer(text)) } else { None };
        let mut reply = self.engine.begin(attempt, first.as_ref());
        loop {
            match reply {
                Reply::Done(_, verdict) => return Ok(Ended { verdict, prompts }),
                Reply::Ask(session, prompt) => {
                    prompts.push(prompt.text);
                    let Some(text) = answers.next() else { return Err(prompts) };
                    reply = self.engine.answer(attempt, &session, &text_answer(text));
                }
            }
        }
    }

    /// The same, for those who only want to know how it ended.
    pub(crate) fn verdict(&self, attempt: &Attempt, answers: &[&str]) -> Verdict {
        self.login(attempt, answers).unwrap_or_else(|prompts| panic!("still asking: {prompts:?}")).verdict
    }

    /// Begins a login that stops at its second question.
    pub(crate) fn begin(&self, attempt: &Attempt, first: &str) -> Box<Session> {
        match self.engine.begin(attempt, Some(&text_answer(first))) {
            Reply::Ask(session, _) => session,
            Reply::Done(_, verdict) => panic!("done: {verdict:?}"),
        }
    }

    pub(crate) fn last_record(&self) -> Record {
        self.memory.0.lock().unwrap().records.last().unwrap().clone()
    }
}

/// A finished login.
pub(crate) struct Ended {
    pub(crate) verdict: Verdict,
    pub(crate) prompts: Vec<&'static str>,
}

/// The verdict of a yes, as far as tests look at it.
pub(crate) fn accepted(grounds: Grounds) -> Result<Grounds, Reason> {
    Ok(grounds)
}

/// A verdict in the form that tests compare.
pub(crate) fn short(verdict: &Verdict) -> Result<Grounds, Reason> {
    match verdict {
        Verdict::Accept(accept) => Ok(accept.grounds()),
        Verdict::Reject(reason) | Verdict::Unavailable(reason) => Err(*reason),
    }
}

pub(crate) fn text_answer(text: &str) -> Answer {
    Answer::from_octets(Secret::from(text))
}

pub(crate) fn app_secret() -> Secret {
    Secret::from("12345678901234567890")
}

/// The code of the test app at a moment.
pub(crate) fn code_at(seconds: u64) -> String {
    let totp = totp_rs::Builder::new().with_secret(app_secret().expose().to_vec()).build().unwrap();
    totp.generate(seconds).to_string()
}

pub(crate) fn add_totp() -> Act {
    Act::AddTotp(NewTotp {
        label: Label::parse("phone").unwrap(),
        parameters: TotpParameters::default(),
        secret: app_secret(),
        proof: EnrolmentProof::Imported,
    })
}

/// Somebody at the PAM service `sshd`, with our own check of the password.
pub(crate) fn at_sshd(name: &str) -> Attempt {
    Attempt {
        door: Door::Pam,
        place: Place::Service("sshd".to_owned()),
        typed: TypedName::new(name.as_bytes()),
        source: Some("192.0.2.7".to_owned()),
        target: Target::Ordinary,
        primary: PrimaryMode::Own,
        profile: Profile::default(),
    }
}

/// Somebody at the RADIUS client `vpn`.
pub(crate) fn at_vpn(name: &str) -> Attempt {
    Attempt { door: Door::Radius, place: Place::Client("vpn".to_owned()), ..at_sshd(name) }
}

/// The steps of the test app.
pub(crate) fn app_key() -> TotpKey {
    TotpKey::new(TotpParameters::default(), &app_secret()).unwrap()
}
