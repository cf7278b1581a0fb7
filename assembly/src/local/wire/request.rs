//! What the module asks: an errand, and where its login is.

use common::attempt::Word;
use common::session::SEALED_OCTETS;
use common::{Answer, PrimaryMode, Secret, limits};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::local::Errand;
use crate::local::wire::{
    LOCAL_SOURCE, Malformed, SERVICE_OCTETS_MAX, SETTINGS_OCTETS_MAX, USER_OCTETS_MAX, body, framed,
};

/// One round of a login.
pub struct Request {
    /// What it is about; the same in each round.
    pub errand: Errand,
    /// Where it is.
    pub round: Round,
}

/// Where a login is.
pub enum Round {
    /// It begins, with what an earlier module has asked for.
    Begin(Option<Answer>),
    /// The session that the last question came with, and the answer.
    Answer(Vec<u8>, Answer),
    /// The user went away at that question.
    Abandon(Vec<u8>),
}

/// A request without its answer.
#[derive(Serialize, Deserialize)]
struct Head {
    settings: String,
    service: String,
    user: String,
    source: Option<String>,
    primary: Primary,
    caller: u32,
    round: HeadRound,
}

#[derive(Serialize, Deserialize)]
enum HeadRound {
    Begin(Said),
    Answer(Vec<u8>, Said),
    Abandon(Vec<u8>),
}

/// What stands behind the head.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Said {
    Nothing,
    Void,
    Text,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Primary {
    Own,
    Stack,
    Failed,
    None,
}

impl Request {
    /// The frame of it, with its length.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Malformed> {
        let (round, answer) = match &self.round {
            Round::Begin(first) => (HeadRound::Begin(said(first.as_ref())), first.as_ref()),
            Round::Answer(session, answer) => {
                (HeadRound::Answer(session.clone(), said(Some(answer))), Some(answer))
            }
            Round::Abandon(session) => (HeadRound::Abandon(session.clone()), None),
        };
        let Errand { settings, service, user, source, primary, caller, word: _ } = self.errand.clone();
        let primary = match primary {
            PrimaryMode::Own => Primary::Own,
            PrimaryMode::Stack => Primary::Stack,
            PrimaryMode::Failed => Primary::Failed,
            PrimaryMode::None => Primary::None,
        };
        let head = Head { settings, service, user, source, primary, caller, round };
        check(&head)?;
        let text: &[u8] = match answer {
            Some(Answer::Text(text)) => text.expose(),
            Some(Answer::Void) | None => &[],
        };
        framed(&postcard::to_allocvec(&head).map_err(|_| Malformed::Head)?, text)
    }

    /// Reads a frame without its length. Whatever the octets are, this ends in a request that keeps every limit, or
    /// with the reason why there is none.
    pub fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        let (head, rest) = postcard::take_from_bytes::<Head>(body(frame)?).map_err(|_| Malformed::Head)?;
        check(&head)?;
        let round = match head.round {
            HeadRound::Begin(said) => Round::Begin(answer(said, rest)?),
            HeadRound::Answer(session, said) => {
                Round::Answer(session, answer(said, rest)?.ok_or(Malformed::Answer)?)
            }
            HeadRound::Abandon(session) => match rest {
                [] => Round::Abandon(session),
                _ => return Err(Malformed::Answer),
            },
        };
        let primary = match head.primary {
            Primary::Own => PrimaryMode::Own,
            Primary::Stack => PrimaryMode::Stack,
            Primary::Failed => PrimaryMode::Failed,
            Primary::None => PrimaryMode::None,
        };
        let Head { settings, service, user, source, caller, .. } = head;
        Ok(Self {
            errand: Errand { settings, service, user, source, primary, caller, word: Word::default() },
            round,
        })
    }
}

fn check(head: &Head) -> Result<(), Malformed> {
    let is_long = head.settings.len() > SETTINGS_OCTETS_MAX
        || head.service.len() > SERVICE_OCTETS_MAX
        || head.user.len() > USER_OCTETS_MAX;
    if is_long {
        return Err(Malformed::TooLong);
    }
    let is_source = |text: &String| text == LOCAL_SOURCE || text.parse::<std::net::IpAddr>().is_ok();
    if !head.source.as_ref().is_none_or(is_source) {
        return Err(Malformed::Source);
    }
    match &head.round {
        HeadRound::Answer(session, _) | HeadRound::Abandon(session) if session.len() != SEALED_OCTETS => {
            Err(Malformed::Session)
        }
        HeadRound::Begin(_) | HeadRound::Answer(..) | HeadRound::Abandon(_) => Ok(()),
    }
}

fn said(answer: Option<&Answer>) -> Said {
    match answer {
        None => Said::Nothing,
        Some(Answer::Void) => Said::Void,
        Some(Answer::Text(_)) => Said::Text,
    }
}

fn answer(said: Said, rest: &[u8]) -> Result<Option<Answer>, Malformed> {
    match (said, rest.len()) {
        (Said::Nothing, 0) => Ok(None),
        (Said::Void, 0) => Ok(Some(Answer::Void)),
        (Said::Text, 1..=limits::ANSWER_OCTETS_MAX) => Ok(Some(Answer::Text(Secret::new(rest.to_vec())))),
        (Said::Nothing | Said::Void | Said::Text, _) => Err(Malformed::Answer),
    }
}
