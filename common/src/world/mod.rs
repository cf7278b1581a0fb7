//! A small world for tests: a store in memory, a clock that tests turn, people with passwords and apps.

mod memory;
mod outside;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::account::{PasswordHash, Role, Scope, SetBy, State};
use crate::acts::{Act, EnrolmentProof, Issued, Label, NewTotp, Reset};
use crate::address::{Address, Channel, PhoneNumber};
use crate::attempt::{Door, Parties, Place, Profile, Target};
use crate::bundle::{Bundle, Outcome, Precondition, TicketChange};
use crate::engine::{Engine, Parts, Reply};
use crate::keys::{KeyId, KeyRing, MasterKey};
use crate::lane::LaneKey;
use crate::policy::Policy;
use crate::ports::Store as _;
use crate::record::{Actor, Record};
use crate::session::Session;
use crate::ticket::{Binding, Source, Ticket};
use crate::totp::{TotpKey, TotpParameters};
use crate::{
    Answer, Attempt, AttemptId, Grounds, PrimaryMode, Reason, Secret, TicketId, TypedName, UnixTime,
    Username, Verdict,
};
pub(crate) use memory::MemoryStore;
use outside::{ClearText, Counting, Silent, TestClock};

/// The moment at which every world begins.
pub(crate) const BEGINNING: u64 = 1_700_000_010;

/// Keys that are the same in every test.
pub(crate) fn keys() -> KeyRing {
    KeyRing::new(MasterKey { id: KeyId(1), octets: zeroize::Zeroizing::new([7; 32]) }, Vec::new())
}

/// Everything at hand.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) memory: MemoryStore,
    /// The file of the break-glass accounts.
    pub(crate) file: MemoryStore,
    pub(crate) primary: ClearText,
    clock: Arc<AtomicU64>,
}

impl World {
    /// A world with a policy.
    pub(crate) fn new(policy: Policy) -> Self {
        let (memory, file) = (MemoryStore::default(), MemoryStore::default());
        file.0.lock().unwrap().is_file = true;
        let primary = ClearText::default();
        let clock = Arc::new(AtomicU64::new(BEGINNING));
        let engine = Engine::new(Parts {
            policy,
            keys: keys(),
            store: Box::new(memory.clone()),
            break_glass: Some(Box::new(file.clone())),
            primary: Box::new(primary.clone()),
            names: Box::new(primary.clone()),
            clock: Box::new(TestClock(clock.clone())),
            random: Box::new(Counting::default()),
            sink: Box::new(Silent),
            channels: Channel::ALL.into(),
        });
        Self { engine, memory, file, primary, clock }
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
        let actor = Actor { login_uid: None, uid: Some(0), tty: None, host: "test".to_owned() };
        self.engine.act(&actor, &Username::parse(name).unwrap(), act).unwrap()
    }

    /// A new app password for services.
    pub(crate) fn app_password(&self, name: &str, services: &[&str]) -> String {
        let services = services.iter().map(|&service| service.to_owned()).collect();
        let scope = Scope { services, clients: vec!["vpn".to_owned()] };
        let act = Act::CreateAppPassword { label: Label::parse("script").unwrap(), scope };
        let Issued::AppPassword(_, password) = self.act(name, &act) else { panic!("no app password") };
        password.expose_text().unwrap().to_owned()
    }

    /// A number that an administrator has set.
    pub(crate) fn set_contact(&self, name: &str, number: &str) {
        let address = Address::Mobile(PhoneNumber::parse(number).unwrap());
        self.act(name, &Act::AddContact { address, set_by: SetBy::Administrator });
    }

    pub(crate) fn require_registration(&self, name: &str) {
        self.act(name, &Act::Reset(Reset { require_registration: true, ..Reset::default() }));
    }

    /// A new set of recovery codes.
    pub(crate) fn recovery_codes(&self, name: &str) -> Vec<String> {
        let issued = self.act(name, &Act::RenewRecoveryCodes);
        let Issued::RecoveryCodes(codes) = issued else { panic!("no recovery codes") };
        codes.iter().map(|code| code.expose_text().unwrap().to_owned()).collect()
    }

    /// A temporary code that is good for so long.
    pub(crate) fn temporary_code(&self, name: &str, life_seconds: u64) -> String {
        let issued = self.act(name, &Act::IssueTemporaryCode { life_seconds });
        let Issued::TemporaryCode { code, .. } = issued else { panic!("no temporary code") };
        code.expose_text().unwrap().to_owned()
    }

    /// Remembers a device of somebody, as a login would that was proven from there.
    pub(crate) fn remember(&self, name: &str, from: &str) -> TicketId {
        let account = self.account(name);
        let source = Source::parse(from).unwrap();
        let binding = Binding::Source { service: "sshd".to_owned(), source, key: None };
        let now = UnixTime::from_seconds(self.now());
        let with = (&keys(), self.engine.random());
        let ticket = Ticket::new(&account, &binding, u64::MAX, now, with).unwrap();
        let id = ticket.id();
        let mut bundle = Bundle::of_records(AttemptId::generate(self.engine.random()), now, Vec::new());
        bundle.precondition = Precondition::Version { account: account.id, version: account.version };
        bundle.tickets.push(TicketChange::Remember { account: account.id, ticket: Box::new(ticket) });
        let [Outcome::Applied(_)] = &self.memory.commit(&[bundle]).unwrap()[..] else { panic!("a conflict") };
        id
    }

    /// The devices of somebody that are remembered now, the oldest first.
    pub(crate) fn devices(&self, name: &str) -> Vec<TicketId> {
        let now = UnixTime::from_seconds(self.now());
        let loaded = self.memory.load(&Username::parse(name).unwrap(), &LaneKey::NONE, None).unwrap();
        let Some(account) = &loaded.account else { return Vec::new() };
        loaded.tickets.live(account, now).map(Ticket::id).collect()
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
    pub(crate) fn login(&self, attempt: &Attempt, answers: &[&str]) -> Result<Ended, Vec<String>> {
        let mut answers = answers.iter();
        let mut prompts = Vec::new();
        let brings_first = attempt.door == Door::Radius || attempt.primary == PrimaryMode::Failed;
        let first = if brings_first { answers.next().map(|text| text_answer(text)) } else { None };
        let mut reply = self.engine.begin(attempt, first.as_ref());
        loop {
            match reply {
                Reply::Done(_, verdict) => return Ok(Ended { verdict, prompts }),
                Reply::Ask(session, prompt) => {
                    prompts.push(prompt.text().to_owned());
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

    pub(crate) fn account(&self, name: &str) -> crate::account::Account {
        self.memory.account(&Username::parse(name).unwrap())
    }

    pub(crate) fn last_record(&self) -> Record {
        self.memory.0.lock().unwrap().records.last().unwrap().clone()
    }
}

/// A finished login.
pub(crate) struct Ended {
    pub(crate) verdict: Verdict,
    pub(crate) prompts: Vec<String>,
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
    code_of(&app_secret(), seconds)
}

/// The code of an app with this key at a moment.
pub(crate) fn code_of(key: &Secret, seconds: u64) -> String {
    totp_rs::Builder::new().with_secret(key.expose().to_vec()).build().unwrap().generate(seconds).to_string()
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
        identity: None,
        door: Door::Pam,
        place: Place::Service("sshd".to_owned()),
        typed: TypedName::new(name.as_bytes()),
        source: Some("192.0.2.7".to_owned()),
        target: Target::Ordinary,
        parties: Parties::default(),
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
