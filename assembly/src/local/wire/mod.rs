//! The frames between module and service: one request and one reply for each connection, then the end.
//!
//! A frame is its length (16 bits, big endian), the version, and the body: a head in postcard, and behind it the octets of
//! an answer or a question, which never pass through a serialiser. Nothing is read past a limit.

mod reply;
mod request;

pub use common::attempt::LOCAL_SOURCE;
pub use reply::{Ground, Manner, Question, Reply, Words};
pub use request::{Request, Round};

use common::{closed_list, limits};
use zeroize::Zeroizing;

/// Changes with every change of the frames. Two that differ do not understand each other and say so.
pub const VERSION: u8 = 3;
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
        /// Behind the head stand octets that are no question.
        Question = "frame-question",
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

#[cfg(test)]
mod tests {
    use common::attempt::{Appended, Dialogue, Word};
    use common::login::Echo;
    use common::session::{Asked, SEALED_OCTETS};
    use common::{Answer, PrimaryMode, Secret};

    use super::*;
    use crate::local::{Errand, Hindered};

    fn errand() -> Errand {
        Errand {
            settings: "/etc/countersign/countersign.toml".to_owned(),
            service: "sudo".to_owned(),
            user: "alice".to_owned(),
            source: Some("192.0.2.7".to_owned()),
            primary: PrimaryMode::Stack,
            caller: 1000,
            word: Word::Believed,
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

    const MANNER: Manner =
        Manner { dialogue: Dialogue::Plain, appended: Appended::ByShape, floor_milliseconds: 100 };

    fn asked(text: &str, qr: Option<&str>) -> Reply {
        let (text, qr) = (Secret::from(text), qr.map(Secret::from));
        let question = Question { text, qr, echo: Echo::Hide, words: Words::Heard, asked: Asked::Step };
        Reply::Ask { session: vec![1; SEALED_OCTETS], question, manner: MANNER }
    }

    #[test]
    fn a_question_keeps_its_limits() {
        let read = |reply: &Reply| Reply::decode(&reply.encode().unwrap()[LENGTH_OCTETS..]).err();
        let long = |octets| "x".repeat(octets + 1);
        assert_eq!(read(&asked(&long(limits::PROMPT_OCTETS_MAX), None)), Some(Malformed::TooLong));
        assert_eq!(read(&asked("Code: ", Some(&long(limits::QR_OCTETS_MAX)))), Some(Malformed::TooLong));
        for uri in ["", "two words", "\u{1b}[2J", "\0"] {
            assert_eq!(read(&asked("Code: ", Some(uri))), Some(Malformed::Question), "{uri:?}");
        }
    }

    #[test]
    fn what_a_question_says_is_not_formatted() {
        let formatted = format!("{:?}", asked("GEZDGNBV", Some("GEZDGNBV")));
        assert!(!formatted.contains("GEZ"), "{formatted}");
    }

    #[test]
    fn a_reply_comes_out_as_it_went_in() {
        let manner = MANNER;
        let replies = [
            asked("Code: ", None),
            asked("Code: ", Some("otpauth://totp/x?secret=GEZDGNBV")),
            asked(&"x".repeat(limits::PROMPT_OCTETS_MAX), Some(&"x".repeat(limits::QR_OCTETS_MAX))),
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
