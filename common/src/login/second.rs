//! Answers to the second question: help, words, junk, guesses, and the one that is right.

use subtle::ConstantTimeEq as _;

use crate::account::Account;
use crate::attempt::SecondQuestion;
use crate::login::judgement::{after_primary, refusal};
use crate::login::need::{Need, need};
use crate::login::proof::{self, Finding};
use crate::login::{Counting, Evidence, Grounds, Prompt, Step, View, write};
use crate::record::PrimaryResult;
use crate::session::Session;
use crate::throttle::Against;
use crate::{Answer, Reason, Secret, limits, text};

/// An answer has come.
pub(super) fn answered(
    view: &View<'_>,
    mut session: Session,
    primary: PrimaryResult,
    answer: &Answer,
    evidence: Evidence,
) -> Step {
    session.rounds = session.rounds.saturating_add(1);
    if let Some(step) = retransmission(view, &session, primary, answer) {
        return step;
    }
    if session.rounds > limits::ROUNDS_MAX {
        return write::reject(view, &session, Reason::TooManyRounds);
    }
    let Answer::Text(typed) = answer else {
        // Nobody's guess, and counted nowhere. But it ends the attempt as soon as a guess would: sshd answers for
        // users whom it does not know, and the number of questions must not tell them from others.
        session.guesses = session.guesses.saturating_add(1);
        return wrong(view, session, Reason::NotAnAnswer);
    };
    if let Some(prompt) = prompt_for(typed) {
        return again(view, session, prompt, Reason::Challenged);
    }
    guess(view, session, primary, typed, evidence)
}

/// The same answer to the same session, as after a lost packet, gets the same verdict; any other use of it fails.
fn retransmission(
    view: &View<'_>,
    session: &Session,
    primary: PrimaryResult,
    answer: &Answer,
) -> Option<Step> {
    let success = view.loaded.success.as_ref()?;
    let Answer::Text(typed) = answer else { return Some(write::reject(view, session, Reason::SessionSpent)) };
    let Ok(digest) = write::digest(view, session, typed) else {
        return Some(write::unavailable(view, session, Reason::KeyUnavailable));
    };
    let same = bool::from(digest.ct_eq(&success.digest));
    let timely = view.now.seconds_since(success.at) <= limits::RETRANSMISSION_SECONDS;
    // One attempt may have had a right and a wrong first password: only what came after the right one is repeated.
    let need = need(view);
    let still_wanted = need == Need::Second && refusal(session, primary, need).is_none();
    Some(if same && timely && still_wanted {
        write::accept(view, session, write::Yes::repeated(grounds(primary)))
    } else {
        write::reject(view, session, Reason::SessionSpent)
    })
}

/// Whether an answer is `?` or one of the words that choose another way, and so no proof.
#[must_use]
pub fn chooses_a_way(answer: &Secret) -> bool {
    prompt_for(answer).is_some()
}

/// `?` and the words that choose another way.
fn prompt_for(typed: &Secret) -> Option<Prompt> {
    match typed.expose().trim_ascii().to_ascii_lowercase().as_slice() {
        b"?" | b"help" => Some(Prompt::hidden(text::WAYS)),
        b"recovery" => Some(Prompt::hidden(text::RECOVERY_CODE)),
        b"app" => Some(Prompt::hidden(text::AUTHENTICATOR_CODE)),
        _ => None,
    }
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
        (None, Need::Skip(_), _) => Judged::Step(after_primary(view, session.clone(), primary, None)),
        (None, _, None) if view.is_open() => Judged::Step(Step::Count(against(view))),
        (_, _, None) => Judged::Step(Step::CountForNobody),
        (None, _, Some(_)) if evidence.admits_second(view) => look(view, session, primary, typed),
        (refusal, _, Some(_)) => {
            pretend_to_look(view, typed);
            Judged::Wrong(refusal.unwrap_or(Reason::Throttled))
        }
    }
}

/// A source with a recent success has its own lane; all others share the cap of the account.
fn against(view: &View<'_>) -> Against {
    match &view.loaded.account {
        _ if !view.is_capped() => Against::LaneAlone,
        Some(account) => Against::Account(account.id),
        None => Against::Nobody(view.tracks.nobody.1),
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
        Ok(Finding::Good(proof)) => {
            let yes = write::Yes::new(grounds(primary), proof);
            match write::digest(view, session, typed) {
                Ok(digest) => write::accept(view, session, yes.remembered(digest)),
                Err(_) => write::unavailable(view, session, Reason::KeyUnavailable),
            }
        }
    })
}

const fn grounds(primary: PrimaryResult) -> Grounds {
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
    again(view, session, Prompt::hidden(text::CODE_AGAIN), reason)
}

fn again(view: &View<'_>, session: Session, prompt: Prompt, reason: Reason) -> Step {
    let last = session.rounds >= limits::ROUNDS_MAX;
    if last || view.attempt.profile.second_question == SecondQuestion::Impossible {
        return write::reject(view, &session, reason);
    }
    write::ask(view, session, prompt, reason)
}
