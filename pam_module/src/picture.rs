//! A question, with a picture above it where there is something to scan and somewhere to draw it.
//!
//! The picture is an addition: whoever does not see it has the same in the words of the question.

use assembly::local::wire::Question;
use common::qr::{self, Room, Screen};
use common::{Secret, text};

use crate::transaction::{NobodyAnswers, Transaction};

/// Octets of a message (Linux-PAM: `PAM_MAX_MSG_SIZE`, with its end).
const MESSAGE_OCTETS_MAX: usize = 511;
/// How often a picture is drawn for one question.
const DRAWN_MAX: usize = 4;

/// Asks. An answer that only turns the picture around goes no further.
pub(crate) fn ask(transaction: &Transaction<'_>, question: &Question) -> Result<Secret, NobodyAnswers> {
    let mut screen = Screen::Dark;
    for _ in 1..DRAWN_MAX {
        let Some(messages) = messages(transaction, question, screen) else { break };
        messages.iter().filter_map(Secret::expose_text).for_each(|message| transaction.inform(message));
        let typed = transaction.ask(question)?;
        match screen_of(&typed) {
            Some(other) => screen = other,
            None => return Ok(typed),
        }
    }
    transaction.ask(question)
}

/// The word for a screen, in either case.
fn screen_of(typed: &Secret) -> Option<Screen> {
    let is = |word: &str| typed.expose().trim_ascii().eq_ignore_ascii_case(word.as_bytes());
    match () {
        () if is(text::LIGHT) => Some(Screen::Light),
        () if is(text::DARK) => Some(Screen::Dark),
        () => None,
    }
}

/// The picture in messages, below a line of its own: OpenSSH's client puts names before the first.
fn messages(transaction: &Transaction<'_>, question: &Question, screen: Screen) -> Option<Vec<Secret>> {
    let uri = question.qr.as_ref()?;
    let words = question.text.expose_text()?;
    let heading = match screen {
        Screen::Dark => text::SCAN_ON_DARK,
        Screen::Light => text::SCAN_ON_LIGHT,
    };
    let picture = drawn(uri, transaction.room()?.without(words), heading, screen)?;
    let mut messages = vec![Secret::from(heading)];
    messages.extend(packed(picture.expose_text()?));
    Some(messages)
}

/// Where room is scarce the heading scrolls away.
fn drawn(uri: &Secret, room: Room, heading: &str, screen: Screen) -> Option<Secret> {
    qr::draw(uri, room.without(heading), screen).or_else(|| qr::draw(uri, room, screen))
}

/// As many lines to a message as one may have. The application puts an end to each.
fn packed(picture: &str) -> Vec<Secret> {
    let mut messages = Vec::new();
    let mut message = String::with_capacity(MESSAGE_OCTETS_MAX);
    for line in picture.lines() {
        let is_first = message.is_empty();
        if !is_first && message.len().saturating_add(line.len()) >= MESSAGE_OCTETS_MAX {
            messages.push(Secret::from(std::mem::replace(
                &mut message,
                String::with_capacity(MESSAGE_OCTETS_MAX),
            )));
        } else if !is_first {
            message.push('\n');
        }
        message.push_str(line);
    }
    messages.push(Secret::from(message));
    messages
}

#[cfg(test)]
mod tests {
    use super::{MESSAGE_OCTETS_MAX, packed, screen_of};
    use common::Secret;
    use common::qr::{Room, Screen, draw};

    #[test]
    fn messages_are_as_short_as_they_must_be_and_hold_all_lines() {
        for (octets, screen) in [(1, Screen::Dark), (106, Screen::Dark), (106, Screen::Light)] {
            let uri = Secret::from("x".repeat(octets));
            let picture = draw(&uri, Room::USUAL, screen).unwrap();
            let picture = picture.expose_text().unwrap();
            let messages = packed(picture);
            assert!(messages.len() <= 7, "{}", messages.len());
            assert!(messages.iter().all(|message| message.expose().len() <= MESSAGE_OCTETS_MAX));
            let shown: String =
                messages.iter().map(|message| format!("{}\n", message.expose_text().unwrap())).collect();
            assert_eq!(shown, picture);
        }
    }

    #[test]
    fn a_word_alone_turns_the_picture_around() {
        let screen = |typed: &str| screen_of(&Secret::from(typed));
        assert_eq!([screen("light"), screen(" Light ")], [Some(Screen::Light); 2]);
        assert_eq!(screen("dark"), Some(Screen::Dark));
        assert!(["", "123456", "lights", "key"].iter().all(|other| screen(other).is_none()));
    }
}
