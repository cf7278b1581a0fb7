//! The frames between module and service: one request and one reply for each connection, then the end.
//!
//! A frame is its length (16 bits, big endian), the version, and the body: a head in postcard, and behind it the octets of
//! an answer, which never pass through a serialiser. Nothing is read past a limit.

use std::time::Duration;

use common::attempt::{Appended, Dialogue, Profile};
use common::session::SEALED_OCTETS;
use common::{Answer, Grounds, PrimaryMode, Secret, closed_list, limits};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::local::{Errand, Hindered};

/// Changes with every change of the frames. Two that differ do not understand each other and say so.
pub const VERSION: u8 = 1;
/// Octets of a frame without its length.
pub const FRAME_OCTETS_MAX: usize = 4096;
/// Octets of the length before a frame.
pub const LENGTH_OCTETS: usize = 2;
/// Octets of the path of the settings.
pub const SETTINGS_OCTETS_MAX: usize = 1024;
/// Octets of the name of a service.
pub const SERVICE_OCTETS_MAX: usize = 128;
/// Octets of a name: what is kept of it, each octet that is not UTF-8 replaced by three, and a mark at the end.
pub const USER_OCTETS_MAX: usize = limits::TYPED_NAME_OCTETS_MAX * 3 + 3;

closed_list! {
    /// Why a frame is not understood.
    Malformed {
        /// The length is nothing, or more than a frame may have.
        Length = "frame-length",
        /// Another version of the frames: module and service are not of one installation.
        Version = "frame-version",
        /// The head is no request or reply.
        Head = "frame-head",
        /// A text is longer than it may be.
        TooLong = "frame-text-too-long",
        /// The source is neither an address nor `local`.
        Source = "frame-source",
        /// The sealed session has another length.
        Session = "frame-session",
        /// Behind the head stand octets that are no answer, or none where there is one.
        Answer = "frame-answer",
    }
}

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

/// What the service says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Ask this, and come back with the session.
    Ask {
        /// The sealed session.
        session: Vec<u8>,
        /// The text of the question.
        text: String,
        /// Whether the answer is shown while it is typed.
        is_shown: bool,
        /// How the service's answers are read.
        manner: Manner,
    },
    /// In.
    Accept {
        /// On what grounds.
        grounds: Ground,
        /// How the service's answers are read.
        manner: Manner,
    },
    /// Out.
    Reject,
    /// Could not tell.
    Unavailable,
    /// It was written that the user went away.
    Abandoned,
    /// The login never got to the core.
    Hindered(Hindered),
    /// Too much is being asked at this moment.
    Busy,
    /// It is about other settings than the service's.
    NotMine,
}

/// How answers at a service are read, from its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// How much the dialogue gives away.
    pub dialogue: Dialogue,
    /// How a code may be appended to the password.
    pub appended: Appended,
    /// A question or a refusal that follows a first password is heard no earlier than this after it was given.
    pub floor_milliseconds: u16,
}

impl Manner {
    pub(super) fn new(profile: Profile, floor: Duration) -> Self {
        let floor_milliseconds = u16::try_from(floor.as_millis()).unwrap_or(u16::MAX);
        Self { dialogue: profile.dialogue, appended: profile.appended, floor_milliseconds }
    }

    /// The floor, never longer than one that may be configured: nobody is to wait for a wrong octet.
    #[must_use]
    pub fn floor(&self) -> Duration {
        Duration::from_millis(self.floor_milliseconds.min(config::limits::FLOOR_MILLISECONDS_MAX).into())
    }
}

/// [`Grounds`] on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of `common::Grounds`")]
pub enum Ground {
    BothProofs,
    AppPassword,
    SecondProof,
    PrimaryAlone,
    PolicyAlone,
}

impl From<Grounds> for Ground {
    fn from(grounds: Grounds) -> Self {
        match grounds {
            Grounds::BothProofs => Self::BothProofs,
            Grounds::AppPassword => Self::AppPassword,
            Grounds::SecondProof => Self::SecondProof,
            Grounds::PrimaryAlone => Self::PrimaryAlone,
            Grounds::PolicyAlone => Self::PolicyAlone,
        }
    }
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
        let Errand { settings, service, user, source, primary, caller } = self.errand.clone();
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
        Ok(Self { errand: Errand { settings, service, user, source, primary, caller }, round })
    }
}

impl Reply {
    /// The frame of it, with its length.
    pub fn encode(&self) -> Result<Vec<u8>, Malformed> {
        let head = postcard::to_allocvec(self).map_err(|_| Malformed::Head)?;
        framed(&head, &[]).map(|mut frame| std::mem::take(&mut *frame))
    }

    /// Reads a frame without its length.
    pub fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        let (reply, rest) = postcard::take_from_bytes::<Self>(body(frame)?).map_err(|_| Malformed::Head)?;
        match &reply {
            _ if !rest.is_empty() => Err(Malformed::Answer),
            Self::Ask { session, .. } if session.len() != SEALED_OCTETS => Err(Malformed::Session),
            Self::Ask { text, .. } if text.len() > limits::PROMPT_OCTETS_MAX => Err(Malformed::TooLong),
            _ => Ok(reply),
        }
    }
}

/// The length that stands before a frame.
pub fn frame_length(octets: [u8; LENGTH_OCTETS]) -> Result<usize, Malformed> {
    match usize::from(u16::from_be_bytes(octets)) {
        length @ 1..=FRAME_OCTETS_MAX => Ok(length),
        _ => Err(Malformed::Length),
    }
}

fn framed(head: &[u8], rest: &[u8]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let length = head.len().saturating_add(rest.len()).saturating_add(1);
    if length > FRAME_OCTETS_MAX {
        return Err(Malformed::Length);
    }
    let prefix = u16::try_from(length).map_err(|_| Malformed::Length)?.to_be_bytes();
    // Never grown, so that no copy of an answer is left behind.
    let mut frame = Zeroizing::new(Vec::with_capacity(length.saturating_add(LENGTH_OCTETS)));
    frame.extend_from_slice(&prefix);
    frame.push(VERSION);
    frame.extend_from_slice(head);
    frame.extend_from_slice(rest);
    Ok(frame)
}

fn body(frame: &[u8]) -> Result<&[u8], Malformed> {
    match frame.split_first() {
        _ if frame.len() > FRAME_OCTETS_MAX => Err(Malformed::Length),
        Some((&VERSION, body)) => Ok(body),
        Some(_) => Err(Malformed::Version),
        None => Err(Malformed::Length),
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

/// The source of somebody at the machine itself. One for all terminals: a new one is easily had, and must not come
/// with new guesses.
pub const LOCAL_SOURCE: &str = "local";

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

#[cfg(test)]
mod tests {
    use super::*;

    fn errand() -> Errand {
        Errand {
            settings: "/etc/countersign/countersign.toml".to_owned(),
            service: "sudo".to_owned(),
            user: "alice".to_owned(),
            source: Some("192.0.2.7".to_owned()),
            primary: PrimaryMode::Stack,
            caller: 1000,
        }
    }

    fn frame(errand: Errand, round: Round) -> Vec<u8> {
        Request { errand, round }.encode().unwrap().to_vec()
    }

    fn read(frame: &[u8]) -> Result<Request, Malformed> {
        let (length, rest) = frame.split_first_chunk().ok_or(Malformed::Length)?;
        assert_eq!(frame_length(*length)?, rest.len());
        Request::decode(rest)
    }

    fn why(frame: &[u8]) -> Malformed {
        Request::decode(frame).err().unwrap()
    }

    #[test]
    fn a_request_comes_out_as_it_went_in() {
        let session = vec![7; SEALED_OCTETS];
        let text = || Answer::Text(Secret::from("123456"));
        let read = read(&frame(errand(), Round::Answer(session.clone(), text()))).unwrap();
        assert_eq!(read.errand, errand());
        assert!(matches!(read.round, Round::Answer(sealed, Answer::Text(typed))
            if sealed == session && typed.expose() == b"123456"));
        let begun = self::read(&frame(errand(), Round::Begin(Some(Answer::Void)))).unwrap();
        assert!(matches!(begun.round, Round::Begin(Some(Answer::Void))));
        assert!(matches!(
            self::read(&frame(errand(), Round::Abandon(session))).unwrap().round,
            Round::Abandon(_)
        ));
    }

    #[test]
    fn a_reply_comes_out_as_it_went_in() {
        let manner =
            Manner { dialogue: Dialogue::Plain, appended: Appended::ByShape, floor_milliseconds: 100 };
        let replies = [
            Reply::Ask {
                session: vec![1; SEALED_OCTETS],
                text: "Code: ".to_owned(),
                is_shown: false,
                manner,
            },
            Reply::Accept { grounds: Ground::BothProofs, manner },
            Reply::Hindered(Hindered::AnothersPassword),
            Reply::Busy,
        ];
        for reply in replies {
            let frame = reply.encode().unwrap();
            assert_eq!(Reply::decode(&frame[LENGTH_OCTETS..]), Ok(reply));
        }
    }

    #[test]
    fn every_mistake_has_its_name() {
        let good = frame(errand(), Round::Begin(Some(Answer::Text(Secret::from("x")))));
        let good = &good[LENGTH_OCTETS..];
        assert_eq!(why(&[]), Malformed::Length);
        assert_eq!(why(&[VERSION.wrapping_add(1), 0]), Malformed::Version);
        assert_eq!(why(&good[..4]), Malformed::Head);
        assert_eq!(why(&good[..good.len() - 1]), Malformed::Answer);
        assert_eq!(why(&[good, &[b'x'; 512]].concat()), Malformed::Answer);
        assert_eq!(frame_length([0, 0]), Err(Malformed::Length));
        assert_eq!(frame_length([0xff, 0xff]), Err(Malformed::Length));
        let long = Errand { user: "x".repeat(USER_OCTETS_MAX + 1), ..errand() };
        let asked = |errand, round| Request { errand, round }.encode().err();
        assert_eq!(asked(long, Round::Begin(None)), Some(Malformed::TooLong));
        let named = Errand { source: Some("gate.example.test".to_owned()), ..errand() };
        assert_eq!(asked(named, Round::Begin(None)), Some(Malformed::Source));
        assert_eq!(asked(errand(), Round::Abandon(vec![0; 3])), Some(Malformed::Session));
    }

    #[test]
    fn the_longest_request_fits_a_frame() {
        let errand = Errand {
            settings: "x".repeat(SETTINGS_OCTETS_MAX),
            service: "x".repeat(SERVICE_OCTETS_MAX),
            user: "x".repeat(USER_OCTETS_MAX),
            ..errand()
        };
        let answer = Answer::Text(Secret::new(vec![b'x'; limits::ANSWER_OCTETS_MAX]));
        assert!(Request { errand, round: Round::Answer(vec![0; SEALED_OCTETS], answer) }.encode().is_ok());
    }
}
