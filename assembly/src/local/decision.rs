//! One round of a PAM login at the engine: the same in the service and in a module that goes to the store by itself.

use std::time::Duration;

use common::attempt::Dialogue;
use common::engine::{Engine, Reply as Decided};
use common::login;
use common::session::Session;
use common::{Reason, Verdict};
use config::Settings;

use crate::local::errand::is_one_user;
use crate::local::wire::{Question, Words};
use crate::local::{Case, Hindered, Manner, Reply, Request, Round, case};

/// Decides one round. Nothing is kept of it: the session goes out sealed and comes back with the next one.
pub fn decide(engine: &Engine, settings: &Settings, request: &Request) -> Reply {
    let case = match case(settings, &request.errand) {
        Ok(case) => case,
        Err(hindered) => return Reply::Hindered(hindered),
    };
    let decided = match &request.round {
        Round::Begin(first) => engine.begin(&case.attempt, case.first(first.as_ref())),
        Round::Answer(sealed, answer) => match open(engine, &case, sealed) {
            Some(session) => engine.answer(&case.attempt, &session, answer),
            None => engine.refuse(&case.attempt, Reason::SessionExpired),
        },
        Round::Abandon(sealed) => {
            if let Some(session) = open(engine, &case, sealed) {
                engine.abandon(&case.attempt, &session);
            }
            return Reply::Abandoned;
        }
    };
    reply(engine, &case, decided)
}

fn open(engine: &Engine, case: &Case, sealed: &[u8]) -> Option<Session> {
    let typed = case.attempt.typed.as_str();
    Session::open(engine.keys(), engine.now(), case.binding(), typed, sealed).ok()
}

fn reply(engine: &Engine, case: &Case, decided: Decided) -> Reply {
    let manner = |floor| Manner::new(case.attempt.profile, floor);
    let typed = case.attempt.typed.as_str();
    match decided {
        Decided::Ask(session, prompt) => {
            let words = match case.attempt.profile.dialogue {
                Dialogue::Neutral => Words::Unheard,
                Dialogue::Plain => Words::Heard,
            };
            let manner = manner(login::floor(engine.policy(), &case.attempt, Some(&session)));
            let question = Question::new(&prompt, words, session.asked());
            match session.seal(engine.keys(), engine.random(), case.binding(), typed) {
                Ok(session) => Reply::Ask { session, question, manner },
                Err(_) => Reply::Unavailable,
            }
        }
        Decided::Done(_, Verdict::Accept(accept)) if !is_one_user(typed, accept.user().as_str()) => {
            Reply::Hindered(Hindered::AnotherUser)
        }
        Decided::Done(_, Verdict::Accept(accept)) => {
            Reply::Accept { grounds: accept.grounds().into(), manner: manner(Duration::ZERO) }
        }
        Decided::Done(_, Verdict::Reject(_)) => Reply::Reject,
        Decided::Done(_, Verdict::Unavailable(_)) => Reply::Unavailable,
    }
}
