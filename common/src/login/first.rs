//! The first answer: a password, an app password in its place, or a password with a code appended.

use crate::account::State;
use crate::attempt::FirstAnswer;
use crate::login::appended::{self, Halves};
use crate::login::judgement::{self, after_primary};
use crate::login::need::{Need, need};
use crate::login::proof::{self, Finding};
use crate::login::second::{self, Judged};
use crate::login::{Counted, Evidence, Grounds, Prompt, Step, Subject, View, ways, write};
use crate::ports::PasswordCheck;
use crate::record::PrimaryResult;
use crate::session::{Session, Unchecked};
use crate::{Answer, PrimaryMode, Reason, Secret, text};

/// Nothing has been typed yet.
pub(super) fn unanswered(view: &View<'_>, session: Session) -> Step {
    match view.attempt.primary {
        // The earlier module asked, and refused; there is nothing to try as an app password.
        PrimaryMode::Failed => after_primary(view, session, PrimaryResult::Wrong, None),
        PrimaryMode::Own | PrimaryMode::Stack | PrimaryMode::None => {
            write::ask_on(view, session, Prompt::hidden(text::PASSWORD), None)
        }
    }
}

/// The password has been typed.
pub(super) fn answered(view: &View<'_>, session: Session, answer: &Answer, evidence: Evidence) -> Step {
    let Answer::Text(typed) = answer else {
        return unchecked(view, session, Unchecked::NotAnAnswer);
    };
    if view.attempt.primary == PrimaryMode::Failed {
        return refused_before(view, session, typed);
    }
    match evidence.knocked {
        None if view.loaded.lane.is_open(view.now) => Step::Knock,
        Some(knocked) if knocked.is_admitted(view) => looked_at(view, session, typed, evidence, &knocked),
        None | Some(_) => unchecked(view, session, Unchecked::Throttled),
    }
}

/// It cannot be right any more, and the reason stays what it was until the end.
fn unchecked(view: &View<'_>, mut session: Session, why: Unchecked) -> Step {
    session.unchecked = why;
    after_primary(view, session, PrimaryResult::NotChecked, Some(why.reason()))
}

/// An earlier module has refused this password, which is not ours to count: it can still be an app password.
fn refused_before(view: &View<'_>, session: Session, typed: &Secret) -> Step {
    if !view.loaded.lane.is_open(view.now) {
        return unchecked(view, session, Unchecked::Throttled);
    }
    match app_password(view, typed) {
        Err(_) => write::unavailable(view, &session, Reason::KeyUnavailable),
        Ok(Some(Finding::Good(proof))) => {
            write::accept(view, &session, write::Yes::new(Grounds::AppPassword, proof))
        }
        Ok(Some(Finding::Refused(reason))) => {
            after_primary(view, session, PrimaryResult::Wrong, Some(reason))
        }
        Ok(None) => after_primary(view, session, PrimaryResult::Wrong, None),
    }
}

/// It is counted already; what turns out not to be wrong is taken back in the bundle of what follows.
fn looked_at(
    view: &View<'_>,
    session: Session,
    typed: &Secret,
    evidence: Evidence,
    knocked: &Counted,
) -> Step {
    let fine = |step| write::taken_back(view, step, knocked);
    match app_password(view, typed) {
        Err(_) => return fine(write::unavailable(view, &session, Reason::KeyUnavailable)),
        Ok(Some(Finding::Good(proof))) => {
            return fine(write::accept(view, &session, write::Yes::new(Grounds::AppPassword, proof)));
        }
        Ok(Some(Finding::Refused(reason))) => {
            return after_primary(view, session, PrimaryResult::Wrong, Some(reason));
        }
        Ok(None) => {}
    }
    if view.attempt.profile.first_answer == FirstAnswer::AppPassword {
        return after_primary(view, session, PrimaryResult::Wrong, None);
    }
    match evidence.password {
        Some(PasswordCheck::Right | PasswordCheck::Unavailable) => {
            fine(password(view, session, typed, evidence))
        }
        Some(PasswordCheck::Wrong) | None => password(view, session, typed, evidence),
    }
}

/// The whole answer is tried as an app password first, so that one is never cut.
/// Disabled accounts keep theirs suspended; blocked and denied ones are refused like anybody.
fn app_password(view: &View<'_>, typed: &Secret) -> Result<Option<Finding>, crate::keys::KeyError> {
    let (Some(_), Some(account)) = (view.known(), &view.loaded.account) else {
        // The work is done for nobody too: the time must not say who has an account.
        let looked_at = view.decoy.map(|decoy| proof::look_at_app_passwords(view, decoy, typed).is_ok());
        std::hint::black_box(looked_at);
        return Ok(None);
    };
    let found = proof::look_at_app_passwords(view, account, typed)?;
    let good = match (&found, need(view)) {
        (Some(Finding::Good(_)), Need::Refuse(reason)) if reason != Reason::NoUsableFactor => {
            return Ok(Some(Finding::Refused(reason)));
        }
        _ => account.state_at(view.now) != State::Disabled,
    };
    Ok(found.filter(|_| good))
}

fn password(view: &View<'_>, session: Session, typed: &Secret, evidence: Evidence) -> Step {
    if *view.subject == Subject::NotAName {
        return after_primary(view, session, PrimaryResult::Unknown, None);
    }
    let halves = appended::split(typed, view.attempt.profile.appended).filter(|_| may_be_split(view));
    let Some(check) = evidence.password else {
        return Step::CheckPassword(halves.map_or_else(|| typed.clone(), |halves| halves.password));
    };
    match (check, halves) {
        (PasswordCheck::Unavailable, _) => {
            let session = judgement::standing(view, session, PrimaryResult::Unavailable);
            write::unavailable(view, &session, Reason::BackendUnavailable)
        }
        (PasswordCheck::Wrong, _) => after_primary(view, session, wrong_or_unknown(view), None),
        (PasswordCheck::Right, None) => after_primary(view, session, PrimaryResult::Right, None),
        (PasswordCheck::Right, Some(halves)) => with_code(view, session, &halves, evidence),
    }
}

/// A password is never cut for somebody whom no second step is asked of. For a name that is not known it is:
/// the work is the same as for most people.
fn may_be_split(view: &View<'_>) -> bool {
    !matches!(need(view), Need::Skip(_) | Need::Register)
}

fn wrong_or_unknown(view: &View<'_>) -> PrimaryResult {
    if view.known().is_some() { PrimaryResult::Wrong } else { PrimaryResult::Unknown }
}

/// A right password with a wrong code behind it is asked on like any other first answer: what is said may not
/// tell that the password was right.
fn with_code(view: &View<'_>, session: Session, halves: &Halves, evidence: Evidence) -> Step {
    let session = judgement::standing(view, session, PrimaryResult::Right);
    if let Some(way) = ways::appended(&halves.code) {
        let is_standing = judgement::refusal(&session, PrimaryResult::Right, need(view)).is_none();
        return second::choose(view, session, way, is_standing, evidence);
    }
    match second::judge(view, &session, PrimaryResult::Right, &halves.code, evidence) {
        Judged::Step(step) => step,
        Judged::Wrong(reason) => {
            let step = after_primary(view, session, PrimaryResult::Right, Some(reason));
            second::noticed(view, step, evidence)
        }
    }
}
