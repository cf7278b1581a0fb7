//! Running an act: load, carry out, commit with its record; again if somebody was faster.

use crate::account::Account;
use crate::acts::{Act, ActError, Desk, Done, Issued, account, carry_out};
use crate::attempt::{Door, Place};
use crate::bundle::{AccountChange, Bundle, Precondition, Unlocked};
use crate::engine::{Engine, Written};
use crate::keys::KeyError;
use crate::lane::{LaneKey, LanesOf};
use crate::message::By;
use crate::notices::{self, Circumstances, Notices};
use crate::record::{ActRecord, Actor, Ending, Names, PrimaryResult, Record, Severity, Together};
use crate::username::Username;
use crate::{AttemptId, Reason, UnixTime, limits};

impl Engine {
    /// Carries out one act on one account. What was done is durable with its record before this returns;
    /// a refusal is recorded too, in the sink alone where the store cannot take it.
    pub fn act(&self, actor: &Actor, name: &Username, act: &Act) -> Result<Issued, ActError> {
        let folding = self.policy().folding;
        let name = folding.fold(name);
        let renamed = match act {
            Act::Rename(to) => Some(Act::Rename(folding.fold(to))),
            _ => None,
        };
        let act = renamed.as_ref().unwrap_or(act);
        let minutes = Minutes { id: AttemptId::generate(self.random()), actor, name: &name, act };
        for _ in 0..limits::RACES_MAX {
            match self.act_once(&minutes) {
                Ok(Some(issued)) => {
                    self.copy_after(&name, act);
                    return Ok(issued);
                }
                Ok(None) => {}
                Err(refusal) => return Err(self.refuse_act(&minutes, refusal)),
            }
        }
        Err(self.refuse_act(&minutes, ActError::TooManyRaces))
    }

    /// What was done is done, also where the copy of a break-glass account cannot follow; the command line looks and
    /// says so.
    pub(super) fn copy_after(&self, name: &Username, act: &Act) {
        let _ = if let Act::Rename(to) = act {
            let copied = self.copy_for_break_glass(to).map(drop);
            copied.and(self.forget_for_break_glass(name))
        } else if matches!(act, Act::Remove) {
            self.forget_for_break_glass(name)
        } else {
            self.copy_for_break_glass(name).map(drop)
        };
    }

    /// Records an act on something that is no account and that is done already: a changed RADIUS client, a restored
    /// store. `done` says in words what it is now. Where the store cannot take the record, the sink alone has it.
    pub fn record_act(&self, actor: &Actor, place: Place, act: &str, done: String) {
        let act = ActRecord { act: act.to_owned(), actor: actor.clone(), before: None, after: Some(done) };
        self.record_alone(Record { act: Some(act), ..self.record_about_nobody(place, Reason::ActDone) });
    }

    /// Records an act on no account that is yet to be done, and must not be where the store cannot take the record: that
    /// is a refusal, which the sink has.
    pub fn record_act_first(&self, actor: &Actor, act: &str, what: String) -> Result<(), ActError> {
        let record = |reason: Reason, after: String| {
            let act =
                ActRecord { act: act.to_owned(), actor: actor.clone(), before: None, after: Some(after) };
            Record { act: Some(act), ..self.record_about_nobody(Place::countersign(), reason) }
        };
        let first = record(Reason::ActDone, what);
        let refusal = match self.write(&Bundle::of_records(first.attempt, first.at, vec![first])) {
            Ok(Written::Yes) => return Ok(()),
            Ok(Written::Conflict) => ActError::TooManyRaces,
            Err(error) => error.into(),
        };
        self.record_alone(record(Reason::ActRefused, refusal.to_string()));
        Err(refusal)
    }

    /// Records, as an alert, what was found on the way to something else.
    pub fn record_finding(&self, reason: Reason) {
        let about_nobody = self.record_about_nobody(Place::countersign(), reason);
        self.record_alone(Record { severity: Severity::Alert, ending: Ending::Finding, ..about_nobody });
    }

    /// Records that so many records could not be passed on to syslog.
    pub fn record_lost(&self, count: u64, since: UnixTime) {
        let about_nobody = self.record_about_nobody(Place::countersign(), Reason::SyslogBehind);
        let together = Some(Together { count, since, names: Names::Several });
        let (severity, ending) = (Severity::Error, Ending::Finding);
        self.record_alone(Record { severity, ending, together, ..about_nobody });
    }

    fn record_about_nobody(&self, place: Place, reason: Reason) -> Record {
        record_of(AttemptId::generate(self.random()), self.now(), place, reason)
    }

    fn record_alone(&self, record: Record) {
        self.record(&Bundle::of_records(record.attempt, record.at, vec![record]));
    }

    /// `None` where somebody was faster.
    fn act_once(&self, minutes: &Minutes<'_>) -> Result<Option<Issued>, ActError> {
        let Prepared { bundle, issued, .. } = self.prepare(minutes)?;
        match self.write(&bundle)? {
            Written::Yes => {
                // Where the file cannot follow, its waits end by themselves.
                let _ = self.unlock_for_break_glass(minutes.name, &bundle);
                Ok(Some(issued))
            }
            Written::Conflict => Ok(None),
        }
    }

    /// Loads the account and carries the act out on it; nothing is written yet.
    pub(super) fn prepare(&self, minutes: &Minutes<'_>) -> Result<Prepared, ActError> {
        let now = self.now();
        let loaded = self.parts.store.load(minutes.name, &LaneKey::NONE, None)?;
        let desk =
            Desk { policy: self.policy(), keys: self.keys(), random: self.random(), now, loaded: &loaded };
        let before = loaded.account.as_ref();
        let done = carry_out(&desk, minutes.name, before.cloned(), minutes.act)?;
        self.rename_target_is_free(minutes.act)?;
        let notices = minutes.notices(&desk, before, &done)?;
        let mut bundle = minutes.bundle(now, before, loaded.cap.in_row, &done, notices);
        bundle.unlocked = self.unlocked(minutes, before)?;
        let is_as_asked = minutes.act.shows_in_account() && before.is_some_and(|before| done.leaves(before));
        Ok(Prepared { bundle, issued: done.issued, is_as_asked })
    }

    /// What an administrator who unlocks wants is that the user can sign in now, from wherever that is.
    fn unlocked(
        &self,
        minutes: &Minutes<'_>,
        account: Option<&Account>,
    ) -> Result<Option<Unlocked>, ActError> {
        let Some(account) = account.filter(|_| matches!(minutes.act, Act::Unlock)) else { return Ok(None) };
        let lanes = LanesOf::user(self.keys(), account.name.as_str())?;
        Ok(Some(Unlocked { account: account.id, lanes }))
    }

    /// Says so early and plainly; the store holds it in any case.
    fn rename_target_is_free(&self, act: &Act) -> Result<(), ActError> {
        let Act::Rename(name) = act else { return Ok(()) };
        match self.parts.store.load(name, &LaneKey::NONE, None)?.account {
            Some(_) => Err(ActError::NameTaken(name.clone())),
            None => Ok(()),
        }
    }

    /// A refusal is recorded too; where even that fails the refusal stands.
    fn refuse_act(&self, minutes: &Minutes<'_>, refusal: ActError) -> ActError {
        self.record_alone(minutes.record(self.now(), Reason::ActRefused, None, Some(refusal.to_string())));
        refusal
    }
}

/// Who does what to whom.
pub(super) struct Minutes<'a> {
    pub(super) id: AttemptId,
    pub(super) actor: &'a Actor,
    pub(super) name: &'a Username,
    pub(super) act: &'a Act,
}

/// An act on an account as it was loaded, ready to be written.
pub(super) struct Prepared {
    pub(super) bundle: Bundle,
    pub(super) issued: Issued,
    /// The account is so already: writing it would change nothing.
    pub(super) is_as_asked: bool,
}

impl Minutes<'_> {
    /// What the user hears of it, at what was known before.
    fn notices(&self, desk: &Desk<'_>, before: Option<&Account>, done: &Done) -> Result<Notices, KeyError> {
        let circumstances = Circumstances {
            attempt: self.id,
            by: By::Administrator,
            place: notices::COMMAND_LINE,
            source: None,
            at: desk.now,
        };
        Notices::of(&done.happenings, before, &circumstances, desk.means())
    }

    fn bundle(
        &self,
        now: UnixTime,
        before: Option<&Account>,
        wrong_codes: u32,
        done: &Done,
        notices: Notices,
    ) -> Bundle {
        let after = match &done.change {
            AccountChange::Insert(account) | AccountChange::Update(account) => {
                Some(account::describe(account) + &done.words)
            }
            AccountChange::Remove(_) => None,
        };
        let with = |words: Option<String>, more: &str| words.map(|words| format!("{words}{more}"));
        let before_words = before.map(account::describe);
        // What no account shows: an auditor could not tell what was done otherwise.
        let (before_words, after) = if matches!(self.act, Act::Unlock) {
            let before = with(before_words, &format!(" wrong-codes={wrong_codes}"));
            (before, with(after, " wrong-codes=0 waits=none"))
        } else if matches!(self.act, Act::SetPassword(_)) {
            let had = before.is_some_and(|account| account.password_hash.is_some());
            let before = with(before_words, if had { " password=set" } else { " password=none" });
            (before, with(after, " password=new"))
        } else if matches!(self.act, Act::Remove) {
            (with(before_words, &done.words), after)
        } else {
            (before_words, after)
        };
        let mut bundle = Bundle::of_records(self.id, now, Vec::new());
        let told = notices.put_into(&mut bundle);
        bundle.records.push(Record { told, ..self.record(now, Reason::ActDone, before_words, after) });
        bundle.precondition = match before {
            Some(account) => Precondition::Version { account: account.id, version: account.version },
            None => Precondition::Absent(self.name.clone()),
        };
        bundle.account = Some(done.change.clone());
        bundle.spends.clone_from(&done.spends);
        bundle
    }

    pub(super) fn record(
        &self,
        at: UnixTime,
        reason: Reason,
        before: Option<String>,
        after: Option<String>,
    ) -> Record {
        let act = ActRecord { act: self.act.name().to_owned(), actor: self.actor.clone(), before, after };
        let name = self.name.as_str().to_owned();
        Record {
            typed: name.clone(),
            user: Some(name),
            act: Some(act),
            ..record_of(self.id, at, Place::countersign(), reason)
        }
    }
}

/// The record of an act that is about no account.
fn record_of(id: AttemptId, at: UnixTime, place: Place, reason: Reason) -> Record {
    Record {
        at,
        attempt: id,
        severity: Severity::Notice,
        door: Door::CommandLine,
        place,
        typed: String::new(),
        user: None,
        caller: None,
        target: None,
        source: None,
        rule: None,
        primary: PrimaryResult::NotAsked,
        factor: None,
        ending: Ending::Act,
        reason,
        together: None,
        told: None,
        delivery: None,
        act: None,
    }
}
