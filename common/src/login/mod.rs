//! The login machine: a pure function from what is known to what happens next.
//!
//! It is given the attempt, the policy, the account as loaded, the carried session and the answer, and says
//! one [`Step`]: count, check a password, ask, or decide. It does no I/O and reads no clock. Nothing else can make an [`Accept`].

mod appended;
mod first;
mod invited;
mod judgement;
mod lines;
pub(crate) mod manage;
mod need;
mod notify;
pub(crate) mod proof;
mod second;
mod sent;
pub(crate) mod setup;
mod token;
mod verdict;
mod ways;
mod write;

#[cfg(test)]
mod life_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::account::Account;
use crate::acts::Desk;
use crate::address::Channel;
use crate::attempt::{FirstAnswer, Word};
use crate::bundle::Bundle;
use crate::keys::KeyRing;
use crate::lane::Lane;
use crate::login::manage::Wish;
use crate::policy::{Policy, Privileged, Ruling};
use crate::ports::{Loaded, PasswordCheck};
use crate::random::Random;
use crate::record::PrimaryResult;
use crate::session::{Session, Stage};
use crate::throttle::{Against, Seen, Tracks};
use crate::username::Username;
use crate::{Answer, Attempt, AttemptId, PrimaryMode, Reason, Secret, UnixTime, limits};

pub use appended::password_in;
pub use manage::SignIn;
pub(crate) use second::against;
pub use verdict::{Accept, Echo, Grounds, Prompt, Verdict};
pub use ways::chooses_a_way;

/// Whom the attempt is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The primary knows the name; this is its canonical form.
    Known(Username),
    /// The primary does not know this name.
    Unknown(Username),
    /// What was typed is no name.
    NotAName,
}

/// Everything that a decision depends on, apart from session and answer.
pub struct View<'a> {
    /// The attempt, as the door sees it.
    pub attempt: &'a Attempt,
    /// The policy in force.
    pub policy: &'a Policy,
    /// The live keys.
    pub keys: &'a KeyRing,
    /// Whom it is about.
    pub subject: &'a Subject,
    /// What the store had, as of one moment.
    pub loaded: &'a Loaded,
    /// Under which names it is counted.
    pub tracks: Tracks,
    /// The account whose rights are asked for, where that is another one than the user's.
    pub target: Option<&'a Account>,
    /// An account of nobody, to look at in place of one that has nothing to look at.
    pub decoy: Option<&'a Account>,
    /// By which channels messages can be sent.
    pub channels: &'a BTreeSet<Channel>,
    /// What ids, codes and secrets are made from that this round generates.
    pub entropy: &'a [u8; 32],
    /// The user's last sign-ins, once they were asked for.
    pub sign_ins: Option<&'a [SignIn]>,
    /// Now.
    pub now: UnixTime,
}

/// What the engine has found out for this answer so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    /// The first password, counted before it was checked; or a wish for a code by whoever knows a name.
    pub knocked: Option<Counted>,
    /// What the backend said of the password; asked at most once.
    pub password: Option<PasswordCheck>,
    /// The second proof, counted before it was looked at.
    pub counted: Option<Counting>,
}

/// How a second proof was counted.
#[derive(Clone, Copy, Debug)]
pub enum Counting {
    /// Against the user.
    Somebody(Counted),
    /// Against nobody: it cannot be right any more.
    Nobody,
}

/// One answer counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// The lane as it was before.
    pub before: Lane,
    /// What has been seen with this answer, and with those that came in between.
    pub after: Seen,
    /// Where it was counted: it can be taken back there alone.
    pub counter: Counter,
}

/// Where answers are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// In the store.
    Store,
    /// In the file of the break-glass accounts, because the store could not.
    BreakGlassFile,
}

impl Evidence {
    /// Where the first password was counted.
    pub(crate) fn knocked_at(&self) -> Counter {
        self.knocked.map_or(Counter::Store, |counted| counted.counter)
    }

    /// Where the second proof was counted.
    pub(crate) const fn counted_at(&self) -> Counter {
        match self.counted {
            Some(Counting::Somebody(counted)) => counted.counter,
            Some(Counting::Nobody) | None => Counter::Store,
        }
    }
}

impl Evidence {
    /// Whether the second proof may be looked at. One behind a first password has the place in the lane that the password
    /// has got: whoever came in between, while that was checked, does not take it away.
    fn admits_second(&self, view: &View<'_>) -> bool {
        let Some(Counting::Somebody(counted)) = &self.counted else { return false };
        let has_place = counted.has_place() || self.knocked.is_some_and(|knocked| knocked.has_place());
        has_place && counted.is_below_cap(view)
    }
}

impl Counted {
    /// Whether this answer may be looked at.
    fn is_admitted(&self, view: &View<'_>) -> bool {
        self.has_place() && self.is_below_cap(view)
    }

    /// Whether there was a place for it in the lane. Of answers that race for one place, the first gets it: guessing in
    /// parallel buys nothing.
    const fn has_place(&self) -> bool {
        let failures = self.after.lane.failures;
        failures <= limits::FREE_FAILURES || failures == self.before.failures.saturating_add(1)
    }

    fn is_below_cap(&self, view: &View<'_>) -> bool {
        self.after.cap.is_none_or(|cap| {
            if view.is_break_glass() { cap.in_hour <= limits::CAP_IN_HOUR } else { cap.admits_last() }
        })
    }
}

/// What happens next.
pub enum Step {
    /// Count this first password, or this wish for a code by whoever knows a name, in its lane; then decide again with the
    /// count as evidence.
    Knock,
    /// Count this second proof against this, then decide again with the count as evidence.
    Count(Against),
    /// The same work, counted against nobody: the answer cannot be right any more, and the time must not say so.
    CountForNobody,
    /// Look up the user's last sign-ins, then decide again.
    Recall,
    /// Check this password, then decide again with the result as evidence.
    CheckPassword(Secret),
    /// Write the bundle, then ask.
    Ask(Box<Session>, Prompt, Box<Bundle>),
    /// Write the bundle, then say the verdict. A conflict means: load and decide again.
    Decide(Verdict, Box<Bundle>),
}

/// A login that begins now.
#[must_use]
pub fn begin(id: AttemptId, attempt: &Attempt, now: UnixTime) -> Session {
    let mut session = Session::begin(id, now);
    session.stage = first_stage(attempt);
    if attempt.place.is_self_service() {
        session.wish = Wish::Manage;
    }
    session
}

/// Decides what happens next. `answer` is `None` only where nothing has been asked yet and the door brought nothing.
#[must_use]
pub fn decide(view: &View<'_>, session: Session, answer: Option<&Answer>, evidence: Evidence) -> Step {
    let begun = session.began_at.minus_seconds(limits::CLOCK_DIFFERENCE_SECONDS);
    if view.now < view.loaded.floor || view.now < begun {
        return write::unavailable(view, &session, Reason::ClockBehind);
    }
    if view.now > session.expires_at() {
        return write::reject(view, &session, Reason::SessionExpired);
    }
    match (session.stage.clone(), answer) {
        (Stage::Password, None) => first::unanswered(view, session),
        (Stage::Password, Some(answer)) => first::answered(view, session, answer, evidence),
        (Stage::Second(primary), None) => judgement::after_primary(view, session, primary, None),
        (Stage::Second(primary), Some(answer)) => {
            let primary = still(view, &session, primary);
            second::answered(view, session, primary, answer, evidence)
        }
        (Stage::Invited(_) | Stage::Setup(_) | Stage::Manage(_), None) => {
            write::reject(view, &session, Reason::NotAnAnswer)
        }
        (Stage::Invited(primary), Some(answer)) => second::openly(view, session, answer, |session| {
            invited::answered(view, session, primary, answer, evidence)
        }),
        (Stage::Setup(setup), Some(answer)) => second::openly(view, session, answer, |session| {
            setup::answered(view, session, &setup, answer, evidence)
        }),
        (Stage::Manage(manage), Some(answer)) => {
            second::openly(view, session, answer, |session| manage::answered(view, session, manage, answer))
        }
    }
}

/// A first password that was right for an account is nothing once that account has another one, or is another account.
fn still(view: &View<'_>, session: &Session, primary: PrimaryResult) -> PrimaryResult {
    let same = write::checked_against(view).is_ok_and(|now| session.checked_against == now);
    let changed = session.began_asking() && !same;
    if primary == PrimaryResult::Right && changed { PrimaryResult::Wrong } else { primary }
}

/// What the first answer of an attempt is an answer to.
pub(crate) fn first_stage(attempt: &Attempt) -> Stage {
    match (attempt.primary, attempt.profile.first_answer) {
        (PrimaryMode::Stack, _) => Stage::Second(PrimaryResult::Right),
        (PrimaryMode::Failed, _)
        | (PrimaryMode::Own, FirstAnswer::Password)
        | (PrimaryMode::Own | PrimaryMode::None, FirstAnswer::AppPassword) => Stage::Password,
        (PrimaryMode::Own, FirstAnswer::Code)
        | (PrimaryMode::None, FirstAnswer::Code | FirstAnswer::Password) => {
            Stage::Second(PrimaryResult::NotAsked)
        }
    }
}

/// How late what follows an answer is heard, at the earliest; `session` is `None` for one that came unasked. There is a
/// floor behind the first password, and behind each question for the second proof: a code is sent there or is not.
/// There is none where no first password is checked here, nor for somebody whose word on it was heard.
#[must_use]
pub fn floor(policy: &Policy, attempt: &Attempt, session: Option<&Session>) -> Duration {
    let of_stage = |stage: &Stage| match stage {
        Stage::Password => match (attempt.primary, attempt.profile.first_answer) {
            (PrimaryMode::Own, FirstAnswer::Password) => policy.floor,
            (PrimaryMode::Own, FirstAnswer::Code | FirstAnswer::AppPassword)
            | (PrimaryMode::Stack | PrimaryMode::Failed | PrimaryMode::None, _) => Duration::ZERO,
        },
        Stage::Second(_) => policy.floor,
        Stage::Invited(_) | Stage::Setup(_) | Stage::Manage(_) => Duration::ZERO,
    };
    session.map_or_else(|| of_stage(&first_stage(attempt)), |session| of_stage(&session.stage))
}

impl View<'_> {
    /// What acts of the user are carried out with.
    fn desk<'d>(&'d self, random: &'d dyn Random) -> Desk<'d> {
        Desk { policy: self.policy, keys: self.keys, random, now: self.now, loaded: self.loaded }
    }

    /// The version of the account; 0 where there is none.
    fn version(&self) -> u64 {
        self.loaded.account.as_ref().map_or(0, |account| account.version)
    }

    /// The canonical name, where the primary knows one.
    fn known(&self) -> Option<&Username> {
        match self.subject {
            Subject::Known(name) => Some(name),
            Subject::Unknown(_) | Subject::NotAName => None,
        }
    }

    /// The first matching rule's decision for the user.
    fn ruling(&self, user: &Username) -> Ruling {
        self.policy.ruling(self.attempt, user, self.privileged())
    }

    /// Whether rights beyond an ordinary user's are at stake.
    fn privileged(&self) -> Privileged {
        use crate::account::Role;
        let role = self.loaded.account.as_ref().map(|account| account.role);
        let privileged = self.policy.is_privileged(self.attempt) || role == Some(Role::Administrator);
        if privileged { Privileged::Yes } else { Privileged::No }
    }

    /// Whether an answer may be looked at now.
    fn is_open(&self) -> bool {
        let cap = self.loaded.cap;
        let by_cap = self.is_known()
            || if self.is_break_glass() { cap.has_room_in_hour(self.now) } else { cap.is_open(self.now) };
        by_cap && self.loaded.lane.is_open(self.now)
    }

    /// Whether this user has lately been let in from this source.
    fn is_known(&self) -> bool {
        let until = self.loaded.known_at.map(|at| at.plus_seconds(limits::KNOWN_SECONDS));
        until.is_some_and(|until| self.now <= until)
    }

    /// Whether second proofs count against the cap of the account. A source with a recent success has its own lane, and
    /// a program of the user may guess at that user alone: neither closes anything anywhere else.
    fn is_capped(&self) -> bool {
        !self.is_known() && self.attempt.parties.word == Word::Believed
    }

    fn is_break_glass(&self) -> bool {
        self.known().is_some_and(|name| self.policy.is_break_glass(self.attempt, name))
    }
}
