//! What may be typed while looking after the own account.

use crate::acts::Label;

/// One command. Numbers count from 0 here and from 1 where they are typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Leave,
    Help,
    Unknown,
    List(usize),
    Add,
    Change(usize),
    Remove(usize),
    Default(usize),
    Label(usize, Label),
    RecoveryCodes,
    Passwords(usize),
    NewPassword(Place, Label),
    Revoke(usize),
    SignIns,
}

/// A place as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place(pub(super) String);

impl Command {
    /// Reads a command; what is none is [`Command::Unknown`].
    pub(super) fn parse(typed: &str) -> Self {
        let mut words = typed.split_whitespace();
        let first = words.next().unwrap_or_default().to_lowercase();
        let second = words.next();
        let rest = words.collect::<Vec<_>>().join(" ");
        let read = match (first.as_str(), second) {
            ("" | "done" | "exit" | "quit" | "q", None) => Some(Self::Leave),
            ("?" | "help", None) => Some(Self::Help),
            ("list", page) => self::page(page).map(Self::List),
            ("add", None) => Some(Self::Add),
            ("change", Some(number)) => self::number(number).map(Self::Change),
            ("remove", Some(number)) => self::number(number).map(Self::Remove),
            ("default", Some(number)) => self::number(number).map(Self::Default),
            ("label", Some(number)) => self::number(number)
                .zip(Label::parse(&rest))
                .map(|(number, label)| Self::Label(number, label)),
            ("codes", None) => Some(Self::RecoveryCodes),
            ("passwords", page) => self::page(page).map(Self::Passwords),
            ("password", Some(place)) => {
                let label = if rest.is_empty() { place } else { &rest };
                Label::parse(label).map(|label| Self::NewPassword(Place(place.to_owned()), label))
            }
            ("revoke", Some(number)) => self::number(number).map(Self::Revoke),
            ("sign-ins" | "signins" | "logins", None) => Some(Self::SignIns),
            _ => None,
        };
        let is_whole = rest.is_empty() || matches!(read, Some(Self::Label(..) | Self::NewPassword(..)));
        read.filter(|_| is_whole).unwrap_or(Self::Unknown)
    }
}

/// A number as it is listed, counted from 0.
fn number(typed: &str) -> Option<usize> {
    typed.parse::<usize>().ok()?.checked_sub(1)
}

/// A page, the first one where none is named.
fn page(typed: Option<&str>) -> Option<usize> {
    typed.map_or(Some(0), number)
}

#[cfg(test)]
mod tests {
    use super::{Command, Place};
    use crate::acts::Label;

    #[test]
    fn commands_are_read_as_people_type_them() {
        let label = |text: &str| Label::parse(text).unwrap();
        for (typed, command) in [
            ("", Command::Leave),
            (" done ", Command::Leave),
            ("LIST", Command::List(0)),
            ("list 2", Command::List(1)),
            ("remove 1", Command::Remove(0)),
            ("label 2 my  old phone", Command::Label(1, label("my old phone"))),
            ("password imap", Command::NewPassword(Place("imap".to_owned()), label("imap"))),
            (
                "password imap Mail at home",
                Command::NewPassword(Place("imap".to_owned()), label("Mail at home")),
            ),
            ("sign-ins", Command::SignIns),
        ] {
            assert_eq!(Command::parse(typed), command, "{typed:?}");
        }
        for typed in
            ["remove", "remove 0", "remove one", "remove 1 2", "label 1", "list x", "rm -rf", "codes now"]
        {
            assert_eq!(Command::parse(typed), Command::Unknown, "{typed:?}");
        }
    }
}
