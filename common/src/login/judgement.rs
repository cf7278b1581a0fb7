//! What follows once the first password has been looked at: in, out, or the second question.

use crate::attempt::{Dialogue, SecondQuestion};
use crate::login::need::{Need, is_overdue, need};
use crate::login::{Grounds, Prompt, Step, View, invited, second, setup, write};
use crate::record::PrimaryResult;
use crate::session::{Session, Stage};
use crate::{Door, PrimaryMode, Reason, Secret, text};

/// Goes on with what is known of the first password. `why` is a reason beyond it, such as a full lane.
pub(super) fn after_primary(
    view: &View<'_>,
    session: Session,
    primary: PrimaryResult,
    why: Option<Reason>,
) -> Step {
    let session = standing(view, session, primary);
    match (primary, need(view)) {
        (PrimaryResult::Right, Need::Skip(reason)) => {
            write::accept(view, &session, write::Yes::skipped(Grounds::PrimaryAlone, reason))
        }
        (PrimaryResult::NotAsked, Need::Skip(reason)) => without_any_proof(view, &session, reason),
        (PrimaryResult::Right | PrimaryResult::NotAsked, Need::Register) => {
            invited::invite(view, session, primary)
        }
        (_, need) => ask_or_refuse(view, session, primary, why, need),
    }
}

/// No second step is asked for any more, since the question. The answer to it is remembered: one login lets in once.
pub(super) fn skipped_meanwhile(
    view: &View<'_>,
    session: Session,
    primary: PrimaryResult,
    reason: Reason,
    typed: &Secret,
) -> Step {
    if primary == PrimaryResult::Right {
        let yes = write::Yes::skipped(Grounds::PrimaryAlone, reason);
        return write::accept_remembered(view, &session, yes, typed);
    }
    after_primary(view, session, primary, None)
}

/// The session with what is known of the first password, and against what it was checked.
pub(super) fn standing(view: &View<'_>, mut session: Session, primary: PrimaryResult) -> Session {
    session.stage = Stage::Second(primary);
    match write::checked_against(view) {
        Ok(checked_against) => session.checked_against = checked_against,
        // What cannot be compared later must not count as right later.
        Err(_) => session.stage = Stage::Second(PrimaryResult::Unavailable),
    }
    session
}

/// Nobody checked anything and no second step is asked: other PAM modules may decide, no RADIUS client may.
fn without_any_proof(view: &View<'_>, session: &Session, reason: Reason) -> Step {
    if view.attempt.door == Door::Pam && view.attempt.primary == PrimaryMode::None {
        return write::accept(view, session, write::Yes::skipped(Grounds::PolicyAlone, reason));
    }
    write::reject(view, session, Reason::NothingProven)
}

fn ask_or_refuse(
    view: &View<'_>,
    session: Session,
    primary: PrimaryResult,
    why: Option<Reason>,
    need: Need,
) -> Step {
    let refusal = refusal(&session, primary, need);
    let profile = view.attempt.profile;
    match (profile.second_question, profile.dialogue, refusal) {
        (SecondQuestion::Impossible, _, refusal) => {
            write::reject(view, &session, why.or(refusal).unwrap_or(Reason::CodeMissing))
        }
        (SecondQuestion::Asked, _, refusal) if tells_of_overdue(view, primary, refusal) => {
            let reason = why.or(refusal).unwrap_or(Reason::Challenged);
            write::ask(view, session, Prompt::hidden(text::OVERDUE), reason)
        }
        (SecondQuestion::Asked, Dialogue::Plain, Some(refusal)) => {
            write::reject(view, &session, why.unwrap_or(refusal))
        }
        (SecondQuestion::Asked, Dialogue::Plain | Dialogue::Neutral, refusal) => {
            let is_standing = refusal.is_none() && why.is_none();
            second::first_question(view, session, is_standing, why.unwrap_or(Reason::Challenged))
        }
    }
}

/// Whether somebody is told to get a temporary code: as the offer to register, that says that the password was right.
fn tells_of_overdue(view: &View<'_>, primary: PrimaryResult, refusal: Option<Reason>) -> bool {
    let is_about_that = refusal.is_none_or(|reason| reason == Reason::RegistrationOverdue);
    is_about_that && is_told_of_overdue(view, primary)
}

/// The same, whatever was typed since.
pub(super) fn is_told_of_overdue(view: &View<'_>, primary: PrimaryResult) -> bool {
    is_told_plainly(view, primary) && setup::is_possible(view) && is_overdue(view)
}

/// Whether it is the user who asks: the first password was right, or a plain dialogue is held about the own account.
fn is_told_plainly(view: &View<'_>, primary: PrimaryResult) -> bool {
    let is_own = view.attempt.place.is_self_service() && view.attempt.profile.dialogue == Dialogue::Plain;
    primary == PrimaryResult::Right || primary == PrimaryResult::NotAsked && is_own
}

/// Why this attempt cannot succeed any more, if it cannot. It stays hidden in a neutral dialogue.
pub(super) fn refusal(session: &Session, primary: PrimaryResult, need: Need) -> Option<Reason> {
    match (primary, need) {
        (PrimaryResult::Wrong, _) => Some(Reason::WrongPassword),
        (PrimaryResult::Unknown, Need::Refuse(reason)) => Some(reason),
        (PrimaryResult::Unknown, Need::Second | Need::Skip(_) | Need::Register) => Some(Reason::UnknownUser),
        (PrimaryResult::Unavailable, _) => Some(Reason::BackendUnavailable),
        (PrimaryResult::NotChecked, Need::Refuse(reason @ (Reason::UnknownUser | Reason::NameInvalid))) => {
            Some(reason)
        }
        (PrimaryResult::NotChecked, _) => Some(session.unchecked.reason()),
        (PrimaryResult::Right | PrimaryResult::NotAsked | PrimaryResult::Claimed, Need::Refuse(reason)) => {
            Some(reason)
        }
        (
            PrimaryResult::Right | PrimaryResult::NotAsked | PrimaryResult::Claimed,
            Need::Second | Need::Skip(_) | Need::Register,
        ) => None,
    }
}
