//! Answers to the second question: help, words, junk, guesses, and the one that is right.

use subtle::ConstantTimeEq as _;

use crate::account::{Account, FactorKind};
use crate::address::Channel;
use crate::attempt::{Dialogue, SecondQuestion};
use crate::bundle::{Slot, Spend};
use crate::login::judgement::{self, refusal};
use crate::login::manage::{self, Wish};
use crate::login::need::{Need, need};
use crate::login::proof::{self, Finding, Proof};
use crate::login::sent::{self, Asking, Sending};
use crate::login::setup::{self, Demand};
use crate::login::ways::{self, Way};
use crate::login::{Counting, Evidence, Grounds, Prompt, Step, View, still, write};
use crate::record::PrimaryResult;
use crate::session::Session;
use crate::throttle::Against;
use crate::{Answer, Door, Reason, Secret, limits, text};

/// What every answer after a question has to pass: it is one round more, and no answer to a session that is over.
fn beginning(view: &View<'_>, mut session: Session, answer: &Answer) -> Result<Session, Box<Step>> {
    session.rounds = session.rounds.saturating_add(1);
    if let Some(step) = retransmission(view, &session, answer) {
        return Err(Box::new(step));
    }
    if session.rounds > session.rounds_max() {
        return Err(Box::new(write::reject(view, &session, Reason::TooManyRounds)));
    }
    Ok(session)
}

/// The same behind the second question, where nobody is left in the dark: a first password that has become wrong ends it.
pub(super) fn openly(
    view: &View<'_>,
    session: Session,
    answer: &Answer,
    then: impl FnOnce(Session) -> Step,
) -> Step {
    let known = session.primary();
    let primary = still(view, &session, known);
    match beginning(view, session, answer) {
        Err(step) => *step,
        Ok(session) if primary != known => write::reject(view, &session, Reason::WrongPassword),
        Ok(session) => then(session),
    }
}

/// An answer has come.
pub(super) fn answered(
    view: &View<'_>,
    session: Session,
    primary: PrimaryResult,
    answer: &Answer,
    evidence: Evidence,
) -> Step {
    let mut session = match beginning(view, session, answer) {
        Ok(session) => session,
        Err(step) => return *step,
    };
    let Answer::Text(typed) = answer else {
        // Nobody's guess, and counted nowhere. But it ends the attempt as soon as a guess would: sshd answers for
        // users whom it does not know, and the number of questions must not tell them from others.
        session.guesses = session.guesses.saturating_add(1);
        return wrong(view, session, Reason::NotAnAnswer);
    };
    let is_standing = refusal(&session, primary, need(view)).is_none();
    let can_ask = view.attempt.profile.second_question == SecondQuestion::Asked;
    match ways::chosen(view, typed, is_standing).filter(|_| can_ask) {
        Some(Way::Manage) if ways::is_manage(typed) => {
            session.wish = Wish::Manage;
            session.guesses = session.guesses.saturating_add(1);
            wrong(view, session, Reason::Challenged)
        }
        Some(way) => choose(view, session, way, is_standing, evidence),
        None => guess(view, session, primary, typed, evidence),
    }
}

/// The first question for a second proof. Where the user's own way is a code that is sent, it is sent with it.
pub(super) fn first_question(view: &View<'_>, session: Session, is_standing: bool, reason: Reason) -> Step {
    // At a gateway that checks no password, a name alone sends nothing: whoever wants a code asks for it.
    let is_somebody = !sent::is_known_by_name_alone(view, &session);
    let account = view.loaded.account.as_ref().filter(|_| is_standing && is_somebody);
    match account.and_then(|account| usual_channel(view, account)) {
        Some(channel) if view.is_open() => send(view, session, channel, 0, text::CODE, reason),
        Some(_) => write::ask(view, session, Prompt::hidden(text::CODE), Reason::Throttled),
        None => write::ask(view, session, Prompt::hidden(text::CODE), reason),
    }
}

/// The channel of the user's default factor, where that is one to which codes are sent.
fn usual_channel(view: &View<'_>, account: &Account) -> Option<Channel> {
    let default = account.factors.iter().find(|factor| account.default_factor == Some(factor.id));
    let factor = default.or_else(|| account.factors.first())?;
    let FactorKind::Sent { address } = &factor.kind else { return None };
    let first = |channel: &Channel| {
        sent::factors(view, account, *channel).first().is_some_and(|(first, _)| first.id == factor.id)
    };
    address.channels().iter().copied().find(first)
}

/// A way was chosen. In a neutral dialogue everybody hears the same, whatever comes of it.
pub(super) fn choose(
    view: &View<'_>,
    mut session: Session,
    way: Way,
    is_standing: bool,
    evidence: Evidence,
) -> Step {
    let words = ways::prompt(view, is_standing);
    match way {
        Way::Sent(channel, place) => match sent::asking(view, &session, evidence) {
            Asking::ToBeCounted => Step::Knock,
            Asking::Counted if is_standing => send(view, session, channel, place, &words, Reason::Challenged),
            Asking::Counted => again(view, session, Prompt::made(words), Reason::Challenged),
            Asking::TooSoon => {
                again(view, session, in_dialogue(view, text::CODE.to_owned(), &words), Reason::Throttled)
            }
        },
        Way::Manage => {
            session.wish = Wish::Manage;
            again(view, session, Prompt::made(words), Reason::Challenged)
        }
        Way::List | Way::Typed(_) => again(view, session, Prompt::made(words), Reason::Challenged),
    }
}

/// Sends a code, if there is where to, and asks for it.
fn send(
    view: &View<'_>,
    session: Session,
    channel: Channel,
    place: usize,
    neutral: &str,
    reason: Reason,
) -> Step {
    let said = |text: String| in_dialogue(view, text, neutral);
    let account = view.loaded.account.as_ref();
    let to = account.and_then(|account| {
        let (factor, address) = sent::factors(view, account, channel).into_iter().nth(place)?;
        Some((account, factor, address))
    });
    let Some((account, factor, address)) = to else {
        return again(view, session, said(text::SENT_NOWHERE.to_owned()), reason);
    };
    if session.is_last_round() {
        // Nothing is sent that nobody could be asked for.
        return again(view, session, said(text::CODE.to_owned()), reason);
    }
    let shown = address.masked();
    match sent::new(view, &session, Slot::Factor(factor.id), address, channel, account.id) {
        Err(_) => write::unavailable(view, &session, Reason::KeyUnavailable),
        Ok(Sending::New(outgoing)) => {
            let prompt = said(format!("A code is on its way to {shown:.60}.\n{}", text::CODE));
            write::with_code(again(view, session, prompt, Reason::CodeSent), *outgoing)
        }
        Ok(Sending::Joined) => {
            let prompt = said(format!("A code is on its way to {shown:.60} already.\n{}", text::CODE));
            again(view, session, prompt, Reason::CodeSentBefore)
        }
        Ok(Sending::Refused(why)) => {
            let prompt = said(format!("No code can be sent to {shown:.60} now.\n{}", text::CODE));
            again(view, session, prompt, why)
        }
    }
}

/// What is said in a plain dialogue, or the words that everybody hears.
fn in_dialogue(view: &View<'_>, plain: String, neutral: &str) -> Prompt {
    Prompt::made(match view.attempt.profile.dialogue {
        Dialogue::Plain => plain,
        Dialogue::Neutral => neutral.to_owned(),
    })
}

/// The same answer to the same session, as after a lost packet, gets the same verdict; any other use of it fails. What is
/// known of the first password is what it was then: the digest is of the account as the success has left it, which may have
/// made it.
fn retransmission(view: &View<'_>, session: &Session, answer: &Answer) -> Option<Step> {
    let primary = session.primary();
    let success = view.loaded.success.as_ref()?;
    let typed = answer.typed();
    let Ok(digest) = write::digest(view, session, typed) else {
        return Some(write::unavailable(view, session, Reason::KeyUnavailable));
    };
    let same = bool::from(digest.ct_eq(&success.digest));
    let timely = view.now.seconds_since(success.at) <= limits::RETRANSMISSION_SECONDS;
    // One attempt may have had a right and a wrong first password: only what came after the right one is repeated.
    let need = need(view);
    let still_wanted = refusal(session, primary, need).is_none();
    let grounds = match need {
        Need::Second => Some(grounds(primary)),
        // It was put off, or is not asked for any more.
        Need::Register | Need::Skip(_) if primary == PrimaryResult::Right => Some(Grounds::PrimaryAlone),
        Need::Register | Need::Skip(_) | Need::Refuse(_) => None,
    };
    Some(match grounds.filter(|_| same && timely && still_wanted) {
        Some(grounds) => write::accept(view, session, write::Yes::repeated(grounds)),
        None => write::reject(view, session, Reason::SessionSpent),
    })
}

/// Something that a user may have meant as a proof.
fn guess(
    view: &View<'_>,
    mut session: Session,
    primary: PrimaryResult,
    typed: &Secret,
    evidence: Evidence,
) -> Step {
    session.guesses = session.guesses.saturating_add(1);
    match judge(view, &session, primary, typed, evidence) {
        Judged::Step(step) => step,
        Judged::Wrong(reason) => noticed(view, wrong(view, session, reason), evidence),
    }
}

/// Where a wrong answer has closed the cap of the account, somebody should look.
pub(super) fn noticed(view: &View<'_>, step: Step, evidence: Evidence) -> Step {
    match evidence.counted {
        Some(Counting::Somebody(counted)) if counted.after.cap.is_some_and(|cap| cap.has_just_closed()) => {
            write::with_finding(view, step, Reason::GuessedAt)
        }
        Some(Counting::Somebody(_) | Counting::Nobody) | None => step,
    }
}

/// What a guess came to.
pub(super) enum Judged {
    /// It goes on like this, whatever was asked.
    Step(Step),
    /// It was wrong; what is said then depends on what was asked.
    Wrong(Reason),
}

/// Judges a guess. One that cannot be right any more is counted too, for nobody: the work is the same.
pub(super) fn judge(
    view: &View<'_>,
    session: &Session,
    primary: PrimaryResult,
    typed: &Secret,
    evidence: Evidence,
) -> Judged {
    let need = need(view);
    let refusal = refusal(session, primary, need);
    match (refusal, need, evidence.counted) {
        // The account or the policy has changed while the user was typing.
        (None, Need::Skip(reason), _) => {
            Judged::Step(judgement::skipped_meanwhile(view, session.clone(), primary, reason, typed))
        }
        (None, _, None) if view.is_open() => Judged::Step(Step::Count(against(view))),
        (_, _, None) => Judged::Step(Step::CountForNobody),
        (None, _, Some(_)) if evidence.admits_second(view) => look(view, session, primary, typed),
        (Some(Reason::RegistrationOverdue), _, Some(_)) => Judged::Wrong(overdue(view, typed)),
        (refusal, _, Some(_)) => {
            pretend_to_look(view, typed);
            Judged::Wrong(refusal.unwrap_or(Reason::Throttled))
        }
    }
}

/// A source with a recent success has its own lane; all others share the cap of the account.
pub(crate) fn against(view: &View<'_>) -> Against {
    match &view.loaded.account {
        _ if !view.is_capped() => Against::LaneAlone,
        Some(account) => Against::Account(account.id),
        None => Against::Nobody(view.tracks.nobody.1),
    }
}

/// What was typed by somebody whom nothing lets in any more: an auditor should see a temporary code that came too late.
fn overdue(view: &View<'_>, typed: &Secret) -> Reason {
    let had_a_code = |account: &&Account| account.temporary_code.is_some();
    let found =
        view.loaded.account.as_ref().filter(had_a_code).map(|account| proof::look(view, account, typed));
    match found {
        Some(Ok(Finding::Refused(
            reason @ (Reason::TemporaryCodeExpired | Reason::TemporaryCodeAlreadyUsed),
        ))) => reason,
        Some(_) => Reason::RegistrationOverdue,
        None => {
            pretend_to_look(view, typed);
            Reason::RegistrationOverdue
        }
    }
}

/// The work of looking, for nothing: otherwise the time would say that the first password was wrong, or that there is
/// no such user.
fn pretend_to_look(view: &View<'_>, typed: &Secret) {
    let has_some = |account: &&Account| !account.factors.is_empty();
    if let Some(account) = view.loaded.account.as_ref().filter(has_some).or(view.decoy) {
        let _ = std::hint::black_box(proof::look(view, account, typed).is_ok());
    }
}

fn look(view: &View<'_>, session: &Session, primary: PrimaryResult, typed: &Secret) -> Judged {
    let Some(account) = &view.loaded.account else { return Judged::Wrong(Reason::NoUsableFactor) };
    Judged::Step(match proof::look(view, account, typed) {
        Err(_) => write::unavailable(view, session, Reason::KeyUnavailable),
        Ok(Finding::Refused(reason)) => return Judged::Wrong(reason),
        Ok(Finding::Good(proof)) => match setup::demanded(view, account, &proof) {
            Demand::None => proven(view, session, primary, account, proof, typed),
            Demand::Setup(warrant) => setup::begin(view, session.clone(), primary, warrant, Some(proof)),
            Demand::Refusal(reason) => return Judged::Wrong(reason),
        },
    })
}

/// In; or to the account first, where the user wants to look after it, or has to hear how few recovery codes are left. A
/// gateway has its own way to hear that: it would take one question more for a wrong answer.
fn proven(
    view: &View<'_>,
    session: &Session,
    primary: PrimaryResult,
    account: &Account,
    proof: Proof,
    typed: &Secret,
) -> Step {
    let few = few_codes_left(view, account, &proof);
    let is_told = few.is_some() && view.attempt.door == Door::Pam;
    if (session.wish == Wish::Manage || is_told) && manages(view, account, &proof) {
        return manage::begin(view, session.clone(), primary, proof, few);
    }
    let yes = write::Yes::new(grounds(primary), proof).with_few_codes(few);
    write::accept_remembered(view, session, yes, typed)
}

/// How many recovery codes are left after this one, where they are few.
fn few_codes_left(view: &View<'_>, account: &Account, proof: &Proof) -> Option<usize> {
    let Some(Spend::Code { code: used, .. }) = &proof.spend else { return None };
    account.recovery_codes.iter().find(|code| code.id == *used)?;
    let is_left = |id| id != *used && !view.loaded.spent_codes.contains(&id);
    let left = account.recovery_codes.iter().filter(|code| is_left(code.id)).count();
    Some(left).filter(|left| *left <= limits::FEW_RECOVERY_CODES)
}

/// Whether the user can look after the account: with a factor that is spent by it, where questions can be asked.
fn manages(view: &View<'_>, account: &Account, proof: &Proof) -> bool {
    proof.spend.is_some() && !account.factors.is_empty() && setup::can_be_led(view)
}

pub(super) const fn grounds(primary: PrimaryResult) -> Grounds {
    match primary {
        PrimaryResult::Right => Grounds::BothProofs,
        PrimaryResult::Wrong
        | PrimaryResult::Unknown
        | PrimaryResult::NotChecked
        | PrimaryResult::Unavailable
        | PrimaryResult::NotAsked
        | PrimaryResult::Claimed => Grounds::SecondProof,
    }
}

/// A wrong guess: the same words whatever was wrong, and out after the last one.
fn wrong(view: &View<'_>, session: Session, reason: Reason) -> Step {
    if session.guesses >= limits::GUESSES_MAX {
        return write::reject(view, &session, reason);
    }
    let primary = still(view, &session, session.primary());
    let words =
        if judgement::is_told_of_overdue(view, primary) { text::OVERDUE_AGAIN } else { text::CODE_AGAIN };
    again(view, session, Prompt::hidden(words), reason)
}

fn again(view: &View<'_>, session: Session, prompt: Prompt, reason: Reason) -> Step {
    if session.is_last_round() || view.attempt.profile.second_question == SecondQuestion::Impossible {
        return write::reject(view, &session, reason);
    }
    write::ask(view, session, prompt, reason)
}
