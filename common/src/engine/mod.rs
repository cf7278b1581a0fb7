//! The only thing a door calls: loads, asks the login machine, checks the password, commits, and then speaks.
//!
//! It blocks and holds no lock or connection between two calls.

mod case;
pub mod copies;
mod deliveries;
mod endings;
mod findings;
mod ledger;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::account::Account;
use crate::address::Channel;
use crate::attempt::FirstAnswer;
use crate::bundle::Bundle;
use crate::keys::{KeyError, KeyRing};
use crate::login::{self, Counted, Counting, Evidence, Prompt, Step, Subject, Verdict, View};
use crate::policy::Policy;
use crate::ports::{BreakGlass, Clock, Names, PasswordCheck, Primary, Random, Sink, Store, StoreError};
use crate::record::Ending;
use crate::session::{Session, Stage};
use crate::throttle::{Against, Count};
use crate::username::Username;
use crate::{Answer, Attempt, AttemptId, PrimaryMode, Reason, Secret, UnixTime, limits};
use case::Case;
use ledger::{Ledger, Round};
use zeroize::Zeroizing;

/// Everything that the engine stands on.
pub struct Parts {
    /// The policy in force.
    pub policy: Policy,
    /// The live keys.
    pub keys: KeyRing,
    /// Accounts, spent codes, records.
    pub store: Box<dyn Store>,
    /// The file of the break-glass accounts, for doors that have some.
    pub break_glass: Option<Box<dyn BreakGlass>>,
    /// The backend of the first password.
    pub primary: Box<dyn Primary>,
    /// Who knows names where another module or a key stands for the first password.
    pub names: Box<dyn Names>,
    /// The wall clock.
    pub clock: Box<dyn Clock>,
    /// Randomness.
    pub random: Box<dyn Random>,
    /// Where records go besides the store.
    pub sink: Box<dyn Sink>,
    /// By which channels messages can be sent from here; none where no server is there to send them.
    pub channels: BTreeSet<Channel>,
}

/// Decides logins and carries out administrators' acts.
pub struct Engine {
    pub(crate) parts: Parts,
    /// Looked at in place of an account that is not there, so that it takes the same time.
    decoy: Option<Account>,
    /// When somebody was last told that the break-glass file is broken.
    file_told: findings::Told,
}

/// What a door hears.
#[must_use]
pub enum Reply {
    /// Ask this, and come back with the session and the answer.
    Ask(Box<Session>, Prompt),
    /// It is over. The id stands in every record of the attempt.
    Done(AttemptId, Verdict),
}

/// Why a decision could not be made or written.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the primary could not tell whether it knows the name")]
    Names,
    #[error("the account changed each time")]
    Races,
}

impl Trouble {
    const fn reason(&self) -> Reason {
        match self {
            Self::Store(error) => error.reason(),
            Self::Key(_) => Reason::KeyUnavailable,
            Self::Names => Reason::BackendUnavailable,
            Self::Races => Reason::TooManyRaces,
        }
    }
}

impl Engine {
    /// Puts an engine together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let decoy = case::decoy(&parts.keys, &*parts.random);
        Self { parts, decoy, file_told: findings::Told::default() }
    }

    /// The live keys, for a door that seals sessions.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.parts.keys
    }

    /// Randomness, for a door that seals sessions.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        &*self.parts.random
    }

    /// Now, as the engine sees it.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        self.parts.clock.now()
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.parts.policy
    }

    /// Whether codes can be sent to a contact that somebody else than the user has set: that opens a registration.
    #[must_use]
    pub fn reaches_contact(&self, account: &Account) -> bool {
        let reached = |channel: &Channel| self.parts.channels.contains(channel);
        let vouched_for = account.contacts.iter().filter(|contact| contact.is_vouched_for());
        vouched_for.flat_map(|contact| contact.address.channels()).any(reached)
    }

    /// Begins a login. `first` is what the door already has: the password of a RADIUS packet,
    /// or the password that an earlier PAM module refused.
    pub fn begin(&self, attempt: &Attempt, first: Option<&Answer>) -> Reply {
        let id = AttemptId::generate(self.random());
        let session = login::begin(id, attempt, self.now());
        self.decide(attempt, &session, first)
    }

    /// Goes on with a begun login.
    pub fn answer(&self, attempt: &Attempt, session: &Session, answer: &Answer) -> Reply {
        self.decide(attempt, session, Some(answer))
    }

    fn decide(&self, attempt: &Attempt, session: &Session, answer: Option<&Answer>) -> Reply {
        match self.decide_until_written(attempt, session, answer) {
            Ok(reply) => reply,
            Err(trouble) => {
                let reason = trouble.reason();
                self.record_ending(attempt, session, Ending::Unavailable, reason);
                Reply::Done(session.attempt(), Verdict::Unavailable(reason))
            }
        }
    }

    /// Refuses an attempt that the machine has no say in, such as one by a program for another user.
    pub fn refuse(&self, attempt: &Attempt, reason: Reason) -> Reply {
        let session = login::begin(AttemptId::generate(self.random()), attempt, self.now());
        self.record_ending(attempt, &session, Ending::Reject, reason);
        Reply::Done(session.attempt(), Verdict::Reject(reason))
    }

    /// Writes the counted records that are due, where no login comes to bring them along. Servers do this each minute.
    pub fn settle(&self) -> Result<(), StoreError> {
        let nothing = Bundle::of_records(AttemptId::generate(self.random()), self.now(), Vec::new());
        self.parts.sink.settle(nothing.at);
        self.commit(&nothing, &self.books(), &mut Round::default()).map(drop)
    }

    /// The user went away before the dialogue ended. Nothing was spent; the record says so.
    pub fn abandon(&self, attempt: &Attempt, session: &Session) {
        self.record_ending(attempt, session, Ending::Reject, Reason::Abandoned);
    }

    /// A lost race is decided again, a bounded number of times; the password is checked once, unless the account has
    /// another one now.
    fn decide_until_written(
        &self,
        attempt: &Attempt,
        session: &Session,
        answer: Option<&Answer>,
    ) -> Result<Reply, Trouble> {
        let mut round = Round::default();
        let mut checked = None;
        for _ in 0..limits::RACES_MAX {
            let case = self.load(attempt, session, &mut round)?;
            // What was right for the account before is nothing for the one that is there now.
            let basis = case.checked_against();
            if checked.replace(basis.clone()).is_some_and(|before| before != basis) {
                round.evidence.password = None;
            }
            let step = self.gather(attempt, &case, session, answer, &mut round.evidence)?;
            let (bundle, reply) = match step {
                Outgoing::Ask(session, prompt, bundle) => (bundle, Reply::Ask(session, prompt)),
                Outgoing::Decide(verdict, bundle) => (bundle, Reply::Done(session.attempt(), verdict)),
            };
            if self.commit_of(attempt, &case, &bundle, &mut round)? == Written::Yes {
                let is_unseen = answer.is_some() && round.evidence.password.is_none();
                if is_unseen && refuses_a_password(attempt, session, &reply) {
                    self.parts.primary.pretend();
                }
                self.let_go();
                return Ok(reply);
            }
        }
        Err(Trouble::Races)
    }

    /// A prompt may come next, and the process may be killed at it.
    fn let_go(&self) {
        self.parts.store.release();
        self.parts.sink.release();
    }

    /// Asks the machine until it has what it needs. It asks for a count and for a password check at most once each.
    fn gather(
        &self,
        attempt: &Attempt,
        case: &Case,
        session: &Session,
        answer: Option<&Answer>,
        evidence: &mut Evidence,
    ) -> Result<Outgoing, Trouble> {
        let mut entropy = Zeroizing::new([0; 32]);
        self.random().fill(&mut *entropy);
        let recalled = OnceCell::new();
        let mut view = View {
            sign_ins: None,
            channels: &self.parts.channels,
            entropy: &entropy,
            attempt,
            policy: &self.parts.policy,
            keys: &self.parts.keys,
            subject: &case.subject,
            loaded: &case.loaded,
            tracks: case.tracks,
            target: case.target.as_deref(),
            decoy: self.decoy.as_ref(),
            now: case.now,
        };
        loop {
            view.sign_ins = recalled.get().map(Vec::as_slice);
            match login::decide(&view, session.clone(), answer, *evidence) {
                Step::Knock => {
                    evidence.knocked =
                        Some(self.count(attempt, case, Against::LaneAlone, Guess::First, None)?);
                }
                Step::Count(against) => {
                    let counted = self.count(attempt, case, against, Guess::Second, evidence.knocked)?;
                    evidence.counted = Some(Counting::Somebody(counted));
                }
                Step::CountForNobody => {
                    let (lane, no_account) = case.tracks.nobody;
                    let against = Against::Nobody(no_account);
                    let count = Count { lane, against, codes_of: None, at: case.now };
                    self.ledger(attempt, case.name()).count_for_nobody(&count)?;
                    evidence.counted = Some(Counting::Nobody);
                }
                Step::Recall => {
                    let found =
                        case.name().map(|name| self.parts.store.sign_ins(name, limits::SIGN_INS_SHOWN));
                    let found = found.transpose()?.unwrap_or_default();
                    recalled.get_or_init(|| found);
                }
                Step::CheckPassword(password) => evidence.password = Some(self.check(case, &password)),
                Step::Ask(session, prompt, bundle) => return Ok(Outgoing::Ask(session, prompt, bundle)),
                Step::Decide(verdict, bundle) => return Ok(Outgoing::Decide(verdict, bundle)),
            }
        }
    }

    /// Counts an answer before it is looked at. `earlier` is what the same round has counted already.
    fn count(
        &self,
        attempt: &Attempt,
        case: &Case,
        against: Against,
        round: Guess,
        earlier: Option<Counted>,
    ) -> Result<Counted, StoreError> {
        let before = earlier.map_or(case.loaded.lane, |counted| counted.after.lane);
        // A guess is a try at every code that is on its way.
        let is_second = round == Guess::Second && !case.loaded.sent.codes.is_empty();
        let codes_of = case.name().filter(|_| is_second).cloned();
        let count = Count { lane: case.tracks.lane, against, codes_of, at: case.now };
        self.ledger(attempt, case.name()).count(&count, before)
    }

    fn check(&self, case: &Case, password: &Secret) -> PasswordCheck {
        let hash = case.loaded.account.as_ref().and_then(|account| account.password_hash.as_ref());
        match &case.subject {
            Subject::Known(name) => self.parts.primary.check(name, hash, password),
            // The work is done for nobody, and its result counts for nothing.
            Subject::Unknown(name) => match self.parts.primary.check(name, None, password) {
                PasswordCheck::Right | PasswordCheck::Wrong => PasswordCheck::Wrong,
                PasswordCheck::Unavailable => PasswordCheck::Unavailable,
            },
            Subject::NotAName => PasswordCheck::Wrong,
        }
    }

    /// Where an attempt reads, counts and writes. A break-glass account has a file of its own besides the store, at every
    /// door: what it uses up at one is used up at the other.
    fn ledger<'a>(&'a self, attempt: &'a Attempt, name: Option<&'a Username>) -> Ledger<'a> {
        let policy = &self.parts.policy;
        let name = name.filter(|name| policy.break_glass.contains(*name));
        let file = name.zip(self.parts.break_glass.as_deref()).map(|(name, books)| {
            let stands_in = policy.is_break_glass(attempt, name);
            ledger::File { books, engine: self, attempt, name, stands_in }
        });
        Ledger { store: &*self.parts.store, file }
    }

    /// The store alone.
    fn books(&self) -> Ledger<'_> {
        Ledger { store: &*self.parts.store, file: None }
    }

    /// Commits one bundle and publishes its records. A bundle that writes nothing is not committed.
    pub(crate) fn write(&self, bundle: &Bundle) -> Result<Written, StoreError> {
        if bundle.writes_nothing() {
            return Ok(Written::Yes);
        }
        self.commit(bundle, &self.books(), &mut Round::default())
    }

    fn commit_of(
        &self,
        attempt: &Attempt,
        case: &Case,
        bundle: &Bundle,
        round: &mut Round,
    ) -> Result<Written, StoreError> {
        if bundle.writes_nothing() {
            return Ok(Written::Yes);
        }
        self.commit(bundle, &self.ledger(attempt, case.name()), round)
    }

    fn commit(&self, bundle: &Bundle, ledger: &Ledger<'_>, round: &mut Round) -> Result<Written, StoreError> {
        let Some(entries) = ledger.commit(bundle, round)? else { return Ok(Written::Conflict) };
        for entry in entries {
            self.parts.sink.publish(&entry.record, entry.position.as_ref());
        }
        Ok(Written::Yes)
    }
}

/// Whether the first password was asked for here and has not let anybody in: then it must have cost the work of a
/// check, also where none was made. The time would tell a full lane or an answer that sshd made up from the rest.
fn refuses_a_password(attempt: &Attempt, session: &Session, reply: &Reply) -> bool {
    let own = attempt.primary == PrimaryMode::Own && attempt.profile.first_answer == FirstAnswer::Password;
    own && session.stage == Stage::Password && !matches!(reply, Reply::Done(_, Verdict::Accept(_)))
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guess {
    /// A first password.
    First,
    /// A second proof.
    Second,
}

/// A step that ends a round.
enum Outgoing {
    Ask(Box<Session>, Prompt, Box<Bundle>),
    Decide(Verdict, Box<Bundle>),
}

/// What became of one bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Written {
    /// It is durable.
    Yes,
    /// Somebody was faster.
    Conflict,
}
