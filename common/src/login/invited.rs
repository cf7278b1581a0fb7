//! The question whether to register now or later, after a right first password of somebody who has registered nothing yet.

use crate::account::{Account, Deadline, State};
use crate::bundle::AccountChange;
use crate::login::judgement::{after_primary, skipped_meanwhile};
use crate::login::need::{Need, need};
use crate::login::second::{self, Judged};
use crate::login::{Evidence, Grounds, Prompt, Step, View, setup, ways, write};
use crate::record::PrimaryResult;
use crate::session::{Session, Stage};
use crate::{AccountId, Answer, Door, PrimaryMode, Reason, Secret, UnixTime, limits};

/// Asks, where there is something to be done about it here; else lets in without a second step.
pub(super) fn invite(view: &View<'_>, mut session: Session, primary: PrimaryResult) -> Step {
    let is_asked_for = setup::warrant(view).is_some() || view.attempt.place.is_self_service();
    let is_told = setup::is_possible(view) && (is_asked_for || deadline(view).is_some());
    if !is_told {
        return without_second_step(view, &session, primary, None);
    }
    session.stage = Stage::Invited(primary);
    write::ask(view, session, Prompt::made(question(view, "")), Reason::RegistrationOffered)
}

fn question(view: &View<'_>, before: &str) -> String {
    let left = deadline(view).map(words).unwrap_or_default();
    let how = if setup::warrant(view).is_some() {
        "Set it up now, in two minutes? Type y for yes, n for later: "
    } else {
        "To set it up, get a temporary code from an administrator.\nType it, or n for later: "
    };
    format!("{before}This account needs a second step.\n{left}{how}")
}

/// What is left, in a line of its own.
fn words(deadline: Deadline) -> String {
    let times = deadline.sign_ins.map(|left| match left {
        1 => "This is the last sign-in without it".to_owned(),
        left => format!("{left} sign-ins left without it"),
    });
    match (times, deadline.by.map(UnixTime::date)) {
        (Some(times), Some(day)) => format!("{times}, before {day}.\n"),
        (Some(times), None) => format!("{times}.\n"),
        (None, Some(day)) => format!("You can do without it before {day}.\n"),
        (None, None) => String::new(),
    }
}

/// How long it may still be put off.
fn deadline(view: &View<'_>) -> Option<Deadline> {
    match &view.loaded.account {
        Some(Account { deadline: Some(deadline), .. }) => Some(*deadline),
        Some(_) | None => view.policy.registration.grace.deadline(view.now),
    }
}

/// An answer has come.
pub(super) fn answered(
    view: &View<'_>,
    mut session: Session,
    primary: PrimaryResult,
    answer: &Answer,
    evidence: Evidence,
) -> Step {
    let typed = answer.typed();
    match need(view) {
        Need::Register => {}
        Need::Skip(reason) => return skipped_meanwhile(view, session, primary, reason, typed),
        // Somebody has registered, or was blocked, meanwhile.
        Need::Second | Need::Refuse(_) => return after_primary(view, session, primary, None),
    }
    match (word(typed).as_str(), setup::warrant(view)) {
        ("" | "n" | "no" | "later", _) => put_off(view, &session, primary, typed),
        ("y" | "yes" | "now", Some(warrant)) => setup::begin(view, session, primary, warrant, None),
        ("y" | "yes" | "now" | "?", _) => again(view, session, ""),
        // Shorter than any code.
        (word, _) if word.len() <= ways::WORD_OCTETS_MAX => again(view, session, "Please type y or n.\n"),
        _ => {
            session.guesses = session.guesses.saturating_add(1);
            match second::judge(view, &session, primary, typed, evidence) {
                Judged::Step(step) => step,
                Judged::Wrong(reason) if session.guesses >= limits::GUESSES_MAX => {
                    second::noticed(view, write::reject(view, &session, reason), evidence)
                }
                Judged::Wrong(reason) => {
                    let prompt = Prompt::made(question(view, "That did not work.\n"));
                    second::noticed(view, write::ask(view, session, prompt, reason), evidence)
                }
            }
        }
    }
}

fn again(view: &View<'_>, session: Session, before: &str) -> Step {
    if session.is_last_round() {
        return write::reject(view, &session, Reason::TooManyRounds);
    }
    write::ask(view, session, Prompt::made(question(view, before)), Reason::RegistrationOffered)
}

fn word(typed: &Secret) -> String {
    typed.expose_text().unwrap_or_default().trim().to_lowercase()
}

/// In, without a second step this once more.
pub(super) fn put_off(view: &View<'_>, session: &Session, primary: PrimaryResult, typed: &Secret) -> Step {
    without_second_step(view, session, primary, Some(typed))
}

fn without_second_step(
    view: &View<'_>,
    session: &Session,
    primary: PrimaryResult,
    typed: Option<&Secret>,
) -> Step {
    let grounds = match primary {
        PrimaryResult::Right => Grounds::PrimaryAlone,
        // Other PAM modules may decide; no RADIUS client may.
        _ if view.attempt.door == Door::Pam && view.attempt.primary == PrimaryMode::None => {
            Grounds::PolicyAlone
        }
        _ => return write::reject(view, session, Reason::NothingProven),
    };
    let yes = write::Yes::skipped(grounds, Reason::SkippedNotRegistered).with_change(change(view, session));
    match typed {
        Some(typed) => write::accept_remembered(view, session, yes, typed),
        None => write::accept(view, session, yes),
    }
}

/// The deadline begins with the first sign-in, and every one without a second step brings it nearer, also where nobody could
/// be asked: a password alone is not good for ever.
fn change(view: &View<'_>, session: &Session) -> Option<AccountChange> {
    if view.attempt.place.is_self_service() {
        // That is no sign-in.
        return None;
    }
    let before = view.loaded.account.as_ref();
    let mut deadline = deadline(view)?;
    deadline.sign_ins = deadline.sign_ins.map(|left| left.saturating_sub(1));
    if before.is_some_and(|account| account.deadline == Some(deadline)) {
        return None;
    }
    match before {
        Some(before) => {
            let version = before.version.saturating_add(1);
            Some(AccountChange::Update(Box::new(Account {
                version,
                deadline: Some(deadline),
                ..before.clone()
            })))
        }
        None => {
            let random = crate::random::Stream::new(view.entropy, "account");
            let name = view.known()?.clone();
            let account = Account::new(AccountId::generate(&random), name, State::Enabled, session.began_at);
            Some(AccountChange::Insert(Box::new(Account { deadline: Some(deadline), ..account })))
        }
    }
}
