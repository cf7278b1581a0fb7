//! What only the administrator can choose: asked with one plain sentence for each answer, or given as flags.

use assembly::config::initial::Choices;
use assembly::config::words::{Backend, Word};
use common::account::State;

use super::Arguments;
use crate::failure::Failure;
use crate::terminal::{self, Seat};

/// The issuer where nothing else is wished.
const ISSUER: &str = "Countersign";

/// How often an answer that is none is asked for again.
const TRIES: u8 = 3;

/// Whether questions can be put.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Questions {
    Asked,
    Spared,
}

/// The choices, from flags first and then from whoever sits here.
pub(super) fn choices(arguments: &Arguments) -> Result<Choices, Failure> {
    let is_spared = arguments.yes || terminal::seat() == Seat::Script;
    let questions = if is_spared { Questions::Spared } else { Questions::Asked };
    let default_state = match (arguments.default_state, questions) {
        (Some(state), _) => state,
        (None, Questions::Asked) => ask("default-state", STATE_QUESTION, state_meaning, None)?,
        (None, Questions::Spared) => return Err(Failure::NoDefaultState),
    };
    let backend = match (arguments.backend, questions) {
        (Some(backend), _) => backend,
        (None, Questions::Asked) => ask("backend", BACKEND_QUESTION, backend_meaning, Some(Backend::Local))?,
        (None, Questions::Spared) => Backend::Local,
    };
    let issuer = match (&arguments.issuer, questions) {
        (Some(issuer), _) => issuer.clone(),
        (None, Questions::Asked) => ask_issuer()?,
        (None, Questions::Spared) => ISSUER.to_owned(),
    };
    Ok(Choices { default_state, backend, issuer })
}

const STATE_QUESTION: &str = "What is a user whom the primary knows and who has no account here?";

fn state_meaning(state: State) -> &'static str {
    match state {
        State::Disabled => "No second step is asked.",
        State::Enabled => {
            "Is asked to register at the next sign-in where an opening, a temporary code or a contact allows it; until \
             then the password alone is enough, and each such login is recorded."
        }
        State::Enforced => {
            "Is asked at every login; who has registered nothing gets in with a temporary code only."
        }
    }
}

const BACKEND_QUESTION: &str = "Who checks the first password? That is for stack (a) with 'primary=own' and for RADIUS; stacks (b) and (c) check it \
     themselves or ask for none, whatever is said here.";

fn backend_meaning(backend: Backend) -> &'static str {
    match backend {
        Backend::Local => "We do, with hashes in our own store.",
        Backend::Pam => "Another PAM service of this machine.",
        Backend::None => "Nobody: the second proof stands alone.",
    }
}

/// Asks for one word of an enum.
fn ask<T: Word + PartialEq>(
    key: &str,
    question: &str,
    meaning: fn(T) -> &'static str,
    default: Option<T>,
) -> Result<T, Failure> {
    let lines = T::ALL.iter().map(|variant| format!("  {:9} {}\n", variant.word(), meaning(*variant)));
    let hint = default.map_or_else(String::new, |default| format!(" [{}]", default.word()));
    let whole = format!("{question}\n{}{key}{hint}: ", lines.collect::<String>());
    for _ in 0..TRIES {
        let answer = terminal::answer(&whole, "answer")?;
        let chosen = if answer.is_empty() { default } else { T::from_word(&answer) };
        if let Some(chosen) = chosen {
            return Ok(chosen);
        }
        terminal::remark(&wrong_answer(&answer, T::ALL.iter().map(|variant| variant.word())))?;
    }
    Err(Failure::NotChosen(key.to_owned()))
}

fn wrong_answer<'a>(answer: &str, words: impl Iterator<Item = &'a str>) -> String {
    let words = words.collect::<Vec<_>>().join(", ");
    if answer.is_empty() {
        format!("There is no default: type one of {words}.\n\n")
    } else {
        format!("{answer:?} is none of {words}.\n\n")
    }
}

fn ask_issuer() -> Result<String, Failure> {
    let question = format!("Which name shall authenticator apps show?\nissuer [{ISSUER}]: ");
    let answer = terminal::answer(&question, "answer")?;
    Ok(if answer.is_empty() { ISSUER.to_owned() } else { answer })
}
