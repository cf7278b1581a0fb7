//! The only thing a door calls: loads, asks the login machine, checks the password, commits, and then speaks.
//!
//! It blocks and holds no lock or connection between two calls.

use crate::account::PasswordHash;
use crate::attempt::FirstAnswer;
use crate::bundle::{Bundle, Outcome};
use crate::keys::{KeyError, KeyRing};
use crate::lane::LaneKey;
use crate::login::{self, Counted, Evidence, Prompt, Step, Subject, Verdict, View};
use crate::policy::Policy;
use crate::ports::{Clock, Identity, Names, PasswordCheck, Primary, Random, Sink, Store, StoreError, Stored};
use crate::record::{Ending, PrimaryResult, Record, Severity};
use crate::session::{Session, Stage};
use crate::username::Username;
use crate::{AccountId, Answer, Attempt, AttemptId, Place, PrimaryMode, Reason, Secret, UnixTime, limits};

/// Everything that the engine stands on.
pub struct Parts {
    /// The policy in force.
    pub policy: Policy,
    /// The live keys.
    pub keys: KeyRing,
    /// Accounts, spent codes, records.
    pub store: Box<dyn Store>,
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
}

/// Decides logins and carries out administrators' acts.
pub struct Engine {
    pub(crate) parts: Parts,
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
            Self::Store(_) => Reason::StoreUnavailable,
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
        Self { parts }
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

    /// The user went away before the dialogue ended. Nothing was spent; the record says so.
    pub fn abandon(&self, attempt: &Attempt, session: &Session) {
        self.record_ending(attempt, session, Ending::Reject, Reason::Abandoned);
    }

    /// Records an ending that the machine did not see. Where the store cannot take it, the sink alone has it.
    fn record_ending(&self, attempt: &Attempt, session: &Session, ending: Ending, reason: Reason) {
        let record = self.ending_record(attempt, session, ending, reason);
        let bundle = Bundle::of_records(session.attempt(), record.at, vec![record.clone()]);
        if self.write(&bundle).is_err() {
            self.parts.sink.publish(&record, None);
        }
    }

    /// A lost race is decided again, a bounded number of times; the password is checked once, unless the account has
    /// another one now.
    fn decide_until_written(
        &self,
        attempt: &Attempt,
        session: &Session,
        answer: Option<&Answer>,
    ) -> Result<Reply, Trouble> {
        let mut evidence = Evidence::default();
        let mut checked = None;
        for _ in 0..limits::RACES_MAX {
            let case = self.load(attempt, session)?;
            // What was right for the account before is nothing for the one that is there now.
            let basis = case.checked_against();
            if checked.replace(basis.clone()).is_some_and(|before| before != basis) {
                evidence.password = None;
            }
            let step = self.gather(attempt, &case, session, answer, &mut evidence)?;
            let (bundle, reply) = match step {
                Outgoing::Ask(session, prompt, bundle) => (bundle, Reply::Ask(session, prompt)),
                Outgoing::Decide(verdict, bundle) => (bundle, Reply::Done(session.attempt(), verdict)),
            };
            if self.write(&bundle)? == Written::Yes {
                let is_unseen = answer.is_some() && evidence.password.is_none();
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
        let view = View {
            attempt,
            policy: &self.parts.policy,
            keys: &self.parts.keys,
            subject: &case.subject,
            loaded: &case.loaded,
            lane: case.lane,
            now: case.now,
        };
        loop {
            match login::decide(&view, session.clone(), answer, *evidence) {
                Step::Count => {
                    let after = self.parts.store.count(&case.lane, case.now)?;
                    evidence.counted = Some(Counted { before: case.loaded.lane, after });
                }
                Step::CountForNobody => {
                    let nobody = LaneKey::of_nobody(&self.parts.keys, attempt.source.as_deref())?;
                    let after = self.parts.store.count(&nobody, case.now)?;
                    evidence.counted = Some(Counted { before: case.loaded.lane, after });
                }
                Step::CheckPassword(password) => evidence.password = Some(self.check(case, &password)),
                Step::Ask(session, prompt, bundle) => return Ok(Outgoing::Ask(session, prompt, bundle)),
                Step::Decide(verdict, bundle) => return Ok(Outgoing::Decide(verdict, bundle)),
            }
        }
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

    /// Loads both halves of the account and finds out whom the attempt is about.
    fn load(&self, attempt: &Attempt, session: &Session) -> Result<Case, Trouble> {
        let now = self.now();
        let typed = Username::parse(attempt.typed.as_str()).ok();
        let Some(typed) = typed.map(|name| self.parts.policy.folding.fold(&name)) else {
            let lane = self.lane(attempt, attempt.typed.as_str())?;
            return Ok(Case { subject: Subject::NotAName, loaded: Box::default(), lane, now });
        };
        let session = Some(session.attempt());
        let lane = self.lane(attempt, typed.as_str())?;
        let loaded = Box::new(self.parts.store.load(&typed, &lane, session)?);
        self.tell_of_rollback(attempt, now);
        let stored = if loaded.account.is_some() { Stored::Yes } else { Stored::No };
        let canonical = match self.identify(attempt, &typed, stored) {
            // A directory may give back capitals that the realm folds.
            Identity::Known(name) => self.parts.policy.folding.fold(&name),
            Identity::Unknown => {
                return Ok(Case { subject: Subject::Unknown(typed), loaded, lane, now });
            }
            Identity::Unavailable => return Err(Trouble::Names),
        };
        if canonical == typed {
            return Ok(Case { subject: Subject::Known(canonical), loaded, lane, now });
        }
        let lane = self.lane(attempt, canonical.as_str())?;
        let loaded = Box::new(self.parts.store.load(&canonical, &lane, session)?);
        Ok(Case { subject: Subject::Known(canonical), loaded, lane, now })
    }

    /// An alert, once, whoever happens to log in when it is noticed.
    fn tell_of_rollback(&self, attempt: &Attempt, now: UnixTime) {
        if self.parts.store.take_rollback_found() {
            let session = login::begin(AttemptId::generate(self.random()), attempt, now);
            self.record_ending(attempt, &session, Ending::Finding, Reason::StoreWentBack);
        }
    }

    fn identify(&self, attempt: &Attempt, name: &Username, stored: Stored) -> Identity {
        match (&attempt.place, attempt.primary) {
            // Behind RADIUS there is no other module: whoever answers for passwords knows the names.
            (Place::Client(_), _) | (_, PrimaryMode::Own) => self.parts.primary.identify(name, stored),
            (_, PrimaryMode::Stack | PrimaryMode::Failed | PrimaryMode::None) => {
                self.parts.names.identify(name, stored)
            }
        }
    }

    fn lane(&self, attempt: &Attempt, user: &str) -> Result<LaneKey, KeyError> {
        LaneKey::new(&self.parts.keys, user, attempt.source.as_deref(), &attempt.place)
    }

    /// Commits one bundle and publishes its records. A bundle that writes nothing is not committed.
    pub(crate) fn write(&self, bundle: &Bundle) -> Result<Written, StoreError> {
        if bundle.writes_nothing() {
            return Ok(Written::Yes);
        }
        let outcomes = self.parts.store.commit(std::slice::from_ref(bundle))?;
        let Some(Outcome::Applied(positions)) = outcomes.first() else { return Ok(Written::Conflict) };
        for (record, position) in bundle.records.iter().zip(positions) {
            self.parts.sink.publish(record, Some(position));
        }
        Ok(Written::Yes)
    }

    /// The user, where a right password says that there is one.
    fn user_of(&self, attempt: &Attempt, session: &Session) -> Option<String> {
        let name = Username::parse(attempt.typed.as_str()).ok()?;
        let is_known = session.primary() == PrimaryResult::Right;
        is_known.then(|| self.parts.policy.folding.fold(&name).into())
    }

    fn ending_record(&self, attempt: &Attempt, session: &Session, ending: Ending, reason: Reason) -> Record {
        Record {
            at: self.now(),
            attempt: session.attempt(),
            severity: match ending {
                Ending::Finding => Severity::Alert,
                Ending::Unavailable => Severity::Error,
                Ending::Accept | Ending::Reject | Ending::Challenge | Ending::Act => Severity::Notice,
            },
            door: attempt.door,
            place: attempt.place.clone(),
            typed: attempt.typed.as_str().to_owned(),
            user: self.user_of(attempt, session),
            source: attempt.source.clone(),
            rule: None,
            primary: session.primary(),
            factor: None,
            ending,
            reason,
            act: None,
        }
    }
}

/// Whether the first password was asked for here and has not let anybody in: then it must have cost the work of a
/// check, also where none was made. The time would tell a full lane or an answer that sshd made up from the rest.
fn refuses_a_password(attempt: &Attempt, session: &Session, reply: &Reply) -> bool {
    let own = attempt.primary == PrimaryMode::Own && attempt.profile.first_answer == FirstAnswer::Password;
    own && session.stage == Stage::Password && !matches!(reply, Reply::Done(_, Verdict::Accept(_)))
}

/// Whom an attempt is about, and what was loaded for it.
struct Case {
    subject: Subject,
    loaded: Box<crate::ports::Loaded>,
    lane: LaneKey,
    now: UnixTime,
}

impl Case {
    /// Which account and hash a password is checked against.
    fn checked_against(&self) -> Option<(AccountId, Option<PasswordHash>)> {
        let account = self.loaded.account.as_ref()?;
        Some((account.id, account.password_hash.clone()))
    }
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
