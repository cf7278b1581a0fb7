//! The bundle behind each step: what must be durable before anyone hears of it. Only here is an [`Accept`] made.

use crate::account::PasswordHash;
use crate::acts::OwnAct;
use crate::attempt::{Door, Word};
use crate::bundle::{
    AccountChange, Bundle, CapEffect, Precondition, Recognised, Renewal, Spend, Success, TakenBack,
};
use crate::id::{AccountId, CodeId};
use crate::keys::{KeyError, Purpose};
use crate::login::notify;
use crate::login::proof::{Proof, ProofName};
use crate::login::second::grounds;
use crate::login::sent::Outgoing;
use crate::login::setup::Registration;
use crate::login::{Accept, Counted, Grounds, Prompt, Step, Verdict, View};
use crate::notices::Happening;
use crate::record::{ActRecord, Actor, Ending, PrimaryResult, Record, Severity};
use crate::session::{CheckedAgainst, Session};
use crate::tally::Tally;
use crate::{PrimaryMode, Reason, Secret, limits};

/// A yes in the making.
pub(super) struct Yes {
    grounds: Grounds,
    reason: Reason,
    proof: Option<Proof>,
    digest: Option<[u8; 32]>,
    /// The factor in the record, where it is not that of the proof.
    factor: Option<String>,
    /// What stands in the record for a rule, where it is none: why somebody could register.
    warrant: Option<String>,
    change: Option<AccountChange>,
    spends: Vec<Spend>,
    happenings: Vec<Happening>,
    /// How many recovery codes are left, where the user should hear that they are few.
    few_codes: Option<usize>,
}

impl Yes {
    pub(super) fn new(grounds: Grounds, proof: Proof) -> Self {
        let reason = match grounds {
            Grounds::AppPassword => Reason::AppPasswordAlone,
            Grounds::SecondProof => Reason::SecondProofAlone,
            Grounds::BothProofs | Grounds::PrimaryAlone | Grounds::PolicyAlone => Reason::BothProofs,
        };
        Self { proof: Some(proof), ..Self::skipped(grounds, reason) }
    }

    pub(super) const fn skipped(grounds: Grounds, reason: Reason) -> Self {
        Self {
            grounds,
            reason,
            proof: None,
            digest: None,
            factor: None,
            warrant: None,
            change: None,
            spends: Vec::new(),
            happenings: Vec::new(),
            few_codes: None,
        }
    }

    pub(super) const fn repeated(grounds: Grounds) -> Self {
        Self::skipped(grounds, Reason::Retransmission)
    }

    pub(super) fn with_change(self, change: Option<AccountChange>) -> Self {
        Self { change, ..self }
    }

    pub(super) fn with_few_codes(self, few_codes: Option<usize>) -> Self {
        Self { few_codes, ..self }
    }

    /// The version that the account has afterwards.
    fn version(&self, view: &View<'_>) -> u64 {
        match &self.change {
            Some(AccountChange::Insert(account) | AccountChange::Update(account)) => account.version,
            Some(AccountChange::Remove(_)) | None => view.version(),
        }
    }
}

/// Accepts, and remembers it for its retransmission.
pub(super) fn accept_remembered(view: &View<'_>, session: &Session, yes: Yes, typed: &Secret) -> Step {
    match digest_at(view, session, typed, yes.version(view)) {
        Ok(digest) => accept(view, session, Yes { digest: Some(digest), ..yes }),
        Err(_) => unavailable(view, session, Reason::KeyUnavailable),
    }
}

/// Accepts somebody who has registered.
pub(super) fn accept_registered(
    view: &View<'_>,
    session: &Session,
    primary: PrimaryResult,
    registration: Registration,
    typed: &Secret,
) -> Step {
    let Registration { change, spends, factor, warrant, happenings } = registration;
    let yes = Yes::skipped(grounds(primary), Reason::Registered);
    let warrant = Some(warrant);
    let yes = Yes { change: Some(change), spends, factor: Some(factor), warrant, happenings, ..yes };
    accept_remembered(view, session, yes, typed)
}

/// Accepts by a temporary code that was looked at before, and uses it up.
pub(super) fn accept_by_code(
    view: &View<'_>,
    session: &Session,
    primary: PrimaryResult,
    code: [u8; CodeId::LENGTH],
    typed: &Secret,
) -> Step {
    let Some(account) = view.loaded.account.as_ref().map(|account| account.id) else {
        return reject(view, session, Reason::NoUsableFactor);
    };
    let code = CodeId::from_bytes(code);
    let name = ProofName::temporary_code(code);
    let proof = Proof { name, spend: Some(Spend::Code { account, code }) };
    accept_remembered(view, session, Yes::new(grounds(primary), proof), typed)
}

/// Accepts by a proof that was looked at, recorded and used up at an earlier question of the same session.
pub(super) fn accept_proven(
    view: &View<'_>,
    session: &Session,
    primary: PrimaryResult,
    typed: &Secret,
) -> Step {
    let reason = match grounds(primary) {
        Grounds::BothProofs => Reason::BothProofs,
        _ => Reason::SecondProofAlone,
    };
    let factor = session.proof.as_ref().map(ProofName::to_string);
    accept_remembered(view, session, Yes { factor, ..Yes::skipped(grounds(primary), reason) }, typed)
}

/// Accepts, on a condition that the store checks: the account is as it was loaded, and nothing has been spent since.
pub(super) fn accept(view: &View<'_>, session: &Session, yes: Yes) -> Step {
    let Some(user) = view.known() else { return reject(view, session, Reason::UnknownUser) };
    let mut record = record(view, session, Ending::Accept, yes.reason);
    record.factor = yes.proof.as_ref().map(|proof| proof.name.to_string()).or(yes.factor);
    record.rule = yes.warrant.or(record.rule);
    let mut bundle = Bundle::of_records(session.attempt(), view.now, vec![record]);
    bundle.precondition = precondition(view);
    bundle.spends = yes.proof.into_iter().filter_map(|proof| proof.spend).chain(yes.spends).collect();
    bundle.account = yes.change;
    bundle.signed_in = signed_in(view);
    let mut happenings = notify::of_spends(view, &bundle);
    happenings.extend(yes.happenings);
    if notify::tell(view, &mut bundle, &happenings).is_err() {
        return unavailable(view, session, Reason::KeyUnavailable);
    }
    // An app password clears nothing: it comes again and again, and would make room for guesses at codes.
    bundle.recognised = (!bundle.spends.is_empty()).then(|| recognised(view)).flatten();
    // PAM's questions travel too, where the local service decides: it may die before its answer is heard.
    bundle.success = yes.digest.filter(|_| view.attempt.door != Door::CommandLine).map(|digest| Success {
        session: session.attempt(),
        digest,
        expires_at: session.expires_at(),
        at: view.now,
    });
    let proves_nothing = bundle.spends.is_empty() && bundle.account.is_none();
    if view.attempt.parties.word == Word::OfUser && proves_nothing {
        // Nothing was proven, and the program that asks can ask again and again: it may not fill the records.
        bundle.tally = Some(Tally::OwnProgram(view.tracks.name));
    }
    let accept = Accept::new(user.clone(), yes.grounds, yes.reason, yes.few_codes);
    Step::Decide(Verdict::Accept(accept), Box::new(bundle))
}

/// Refuses.
pub(super) fn reject(view: &View<'_>, session: &Session, reason: Reason) -> Step {
    Step::Decide(Verdict::Reject(reason), with_record(view, session, Ending::Reject, reason))
}

/// Says that it could not tell.
pub(super) fn unavailable(view: &View<'_>, session: &Session, reason: Reason) -> Step {
    Step::Decide(Verdict::Unavailable(reason), with_record(view, session, Ending::Unavailable, reason))
}

/// Asks; the record says how the previous answer was, or that a question was put.
pub(super) fn ask(view: &View<'_>, session: Session, prompt: Prompt, reason: Reason) -> Step {
    let bundle = with_record(view, &session, Ending::Challenge, reason);
    Step::Ask(Box::new(session), prompt, bundle)
}

/// Asks further. Where all goes its way, with no reason to tell, there is no record: the attempt has others, and too many of
/// one would leave no room for those of refusals.
pub(super) fn ask_on(view: &View<'_>, session: Session, prompt: Prompt, why: Option<Reason>) -> Step {
    if let Some(why) = why {
        return ask(view, session, prompt, why);
    }
    let nothing = Bundle::of_records(session.attempt(), view.now, Vec::new());
    Step::Ask(Box::new(session), prompt, Box::new(nothing))
}

/// The same step, with a counted first password taken back that was not wrong.
pub(super) fn taken_back(view: &View<'_>, step: Step, counted: &Counted) -> Step {
    let Counted { before, after, .. } = *counted;
    let taken_back = TakenBack { lane: view.tracks.lane, before, after: after.lane };
    with_bundle(step, |bundle| bundle.taken_back = Some(taken_back))
}

/// The same step, with something that was found on the way.
pub(super) fn with_finding(view: &View<'_>, step: Step, reason: Reason) -> Step {
    with_bundle(step, |bundle| {
        let Some(record) = bundle.records.first().cloned() else { return };
        let severity = severity(view, Ending::Finding, reason);
        bundle.records.push(Record { ending: Ending::Finding, reason, severity, ..record });
    })
}

fn with_bundle(step: Step, change: impl FnOnce(&mut Bundle)) -> Step {
    let changed = |mut bundle: Box<Bundle>| {
        change(&mut bundle);
        bundle
    };
    match step {
        Step::Ask(session, prompt, bundle) => Step::Ask(session, prompt, changed(bundle)),
        Step::Decide(verdict, bundle) => Step::Decide(verdict, changed(bundle)),
        Step::Knock | Step::Count(_) | Step::CountForNobody | Step::Recall | Step::CheckPassword(_) => step,
    }
}

/// The account whose last sign-in is to be written down anew.
fn signed_in(view: &View<'_>) -> Option<AccountId> {
    let renewed = view.loaded.signed_in_at.map(|at| at.plus_seconds(limits::SIGNED_IN_RENEWED_SECONDS));
    let is_fresh = renewed.is_some_and(|until| view.now <= until);
    view.loaded.account.as_ref().map(|account| account.id).filter(|_| !is_fresh)
}

/// The same step, with a code that goes out.
pub(super) fn with_code(step: Step, outgoing: Outgoing) -> Step {
    with_bundle(step, |bundle| {
        bundle.new_code = Some(outgoing.code);
        bundle.messages.push(outgoing.envelope);
    })
}

/// The same step, where an answer was right of somebody who has proven enough before: it counts against nobody.
pub(super) fn with_recognition(view: &View<'_>, step: Step) -> Step {
    with_bundle(step, |bundle| bundle.recognised = recognised(view))
}

/// The same question, with a code used up that was sent to this kind of address; the record says so.
pub(super) fn with_sent_code(view: &View<'_>, step: Step, spend: Spend, kind: &str) -> Step {
    let of_question = match &step {
        Step::Ask(session, ..) => Some(record(view, session, Ending::Challenge, Reason::RegistrationBegun)),
        _ => None,
    };
    with_bundle(step, |bundle| {
        if bundle.records.is_empty() {
            bundle.records.extend(of_question);
        }
        let is_question = |record: &&mut Record| record.ending == Ending::Challenge;
        if let Some(record) = bundle.records.first_mut().filter(is_question) {
            record.factor = Some(kind.to_owned());
        }
        bundle.spends.push(spend);
        bundle.tally = None;
    })
}

/// A proof was right on the way to an accept: the answer is no guess, and its record is always written singly.
fn used_up(view: &View<'_>, bundle: &mut Bundle) {
    bundle.tally = None;
    bundle.recognised = recognised(view);
}

/// The same question, with what the user has done to the own account, and the record of that. Where there is no question
/// any more nothing is done: its end could not be shown.
pub(super) fn with_own_act(view: &View<'_>, step: Step, act: &str, own: OwnAct) -> Step {
    let Step::Ask(session, prompt, mut bundle) = step else { return step };
    bundle.precondition = precondition(view);
    bundle.account = Some(own.change);
    bundle.tally = None;
    bundle.spends.extend(own.spends);
    let told = own.notices.put_into(&mut bundle);
    let act = ActRecord {
        act: act.to_owned(),
        actor: Actor::user(),
        before: Some(own.before),
        after: Some(own.after),
    };
    let record = record(view, &session, Ending::Act, Reason::ActDone);
    bundle.records.push(Record { act: Some(act), told, ..record });
    Step::Ask(session, prompt, bundle)
}

/// When a proof that has led to a question is used up.
#[derive(Clone, Copy)]
pub(super) enum Spent {
    /// With the question.
    Now,
    /// With what it has opened; it is only named now.
    AtTheEnd,
}

/// The same question, with the proof that led to it.
pub(super) fn with_proof(view: &View<'_>, step: Step, proof: Proof, spent: Spent) -> Step {
    if !matches!(step, Step::Ask(..)) {
        // It has led to no question, and is not used up for nothing.
        return step;
    }
    let mut is_told = true;
    let step = with_bundle(step, |bundle| {
        if let Some(record) = bundle.records.first_mut() {
            record.factor = Some(proof.name.to_string());
        }
        bundle.precondition = precondition(view);
        match spent {
            Spent::AtTheEnd => {}
            Spent::Now => {
                bundle.spends.extend(proof.spend);
                used_up(view, bundle);
                let happenings = notify::of_spends(view, bundle);
                is_told = notify::tell(view, bundle, &happenings).is_ok();
            }
        }
    });
    match step {
        Step::Ask(session, ..) if !is_told => unavailable(view, &session, Reason::KeyUnavailable),
        step => step,
    }
}

/// From here on the user's source is known, for a while.
fn recognised(view: &View<'_>) -> Option<Recognised> {
    let account = view.loaded.account.as_ref()?.id;
    let renewed = view.loaded.known_at.map(|at| at.plus_seconds(limits::KNOWN_RENEWED_SECONDS));
    let is_fresh = renewed.is_some_and(|until| view.now <= until);
    Some(Recognised {
        account,
        lane: view.tracks.lane,
        cap: if view.is_capped() { CapEffect::EndsRow } else { CapEffect::None },
        renewal: if is_fresh { Renewal::Leave } else { Renewal::Write },
    })
}

/// What a success remembers of its answer: enough to know it again, nothing to learn it from. The account's version
/// is in it, so that after a change of the account nothing is known again.
/// So is the round: the same answer to another question of the same attempt is another answer.
pub(super) fn digest(view: &View<'_>, session: &Session, typed: &Secret) -> Result<[u8; 32], KeyError> {
    digest_at(view, session, typed, view.version())
}

fn digest_at(view: &View<'_>, session: &Session, typed: &Secret, version: u64) -> Result<[u8; 32], KeyError> {
    let client = view.attempt.place.to_string();
    let version = version.to_be_bytes();
    let round = [session.rounds];
    let parts = [b"answer".as_slice(), &session.id, &round, client.as_bytes(), &version, typed.expose()];
    view.keys.mac(view.keys.newest(), Purpose::Digest, &parts)
}

/// Which account and which password hash a first password is checked against, as a short keyed digest.
pub(super) fn checked_against(view: &View<'_>) -> Result<CheckedAgainst, KeyError> {
    let account = view.loaded.account.as_ref();
    let id = account.map(|account| *account.id.as_bytes()).unwrap_or_default();
    let hash = account.and_then(|account| account.password_hash.as_ref()).map(PasswordHash::expose);
    let parts = [b"checked against".as_slice(), &id, hash.unwrap_or_default().as_bytes()];
    let mac = view.keys.mac(view.keys.newest(), Purpose::Digest, &parts)?;
    mac.first_chunk().copied().ok_or(KeyError::DoesNotSeal)
}

fn precondition(view: &View<'_>) -> Precondition {
    match (&view.loaded.account, view.known()) {
        (Some(account), _) => Precondition::Version { account: account.id, version: account.version },
        (None, Some(name)) => Precondition::Absent(name.clone()),
        (None, None) => Precondition::Nothing,
    }
}

fn with_record(view: &View<'_>, session: &Session, ending: Ending, reason: Reason) -> Box<Bundle> {
    let record = record(view, session, ending, reason);
    let mut bundle = Bundle::of_records(session.attempt(), view.now, vec![record]);
    bundle.tally = Some(Tally::Refusals(view.tracks.name));
    Box::new(bundle)
}

fn record(view: &View<'_>, session: &Session, ending: Ending, reason: Reason) -> Record {
    let user = view.known();
    Record {
        at: view.now,
        attempt: session.attempt(),
        severity: severity(view, ending, reason),
        door: view.attempt.door,
        place: view.attempt.place.clone(),
        typed: view.attempt.typed.as_str().to_owned(),
        user: user.map(|name| name.as_str().to_owned()),
        caller: view.attempt.parties.caller.clone(),
        target: view.attempt.parties.target.clone(),
        source: view.attempt.source.clone(),
        rule: user.and_then(|name| view.ruling(name).rule).filter(|_| !view.is_break_glass()),
        primary: primary(view, session),
        factor: None,
        ending,
        reason,
        together: None,
        told: None,
        delivery: None,
        act: None,
    }
}

fn primary(view: &View<'_>, session: &Session) -> PrimaryResult {
    match (session.primary(), view.attempt.primary, view.attempt.parties.word) {
        (PrimaryResult::Right, PrimaryMode::Stack, Word::OfUser) => PrimaryResult::Claimed,
        (known, _, _) => known,
    }
}

fn severity(view: &View<'_>, ending: Ending, reason: Reason) -> Severity {
    let skipped =
        matches!(reason, Reason::SkippedByRule | Reason::SkippedDisabled | Reason::SkippedNotRegistered);
    match ending {
        _ if matches!(reason, Reason::ClockBehind | Reason::GuessedAt) || view.is_break_glass() => {
            Severity::Alert
        }
        Ending::Unavailable => Severity::Error,
        Ending::Reject => Severity::Notice,
        Ending::Accept | Ending::Challenge if skipped => Severity::Notice,
        Ending::Accept | Ending::Challenge => Severity::Info,
        Ending::Act | Ending::Finding => Severity::Notice,
    }
}
