//! Ways to prove oneself, as they are chosen at a prompt: `?`, a number, or a word.
//!
//! In a neutral dialogue every one of these gets the same words, whether or not it is there for this user, and so does
//! whatever else is that short: sshd answers for users whom it does not know with junk as long as what was typed.

use crate::account::Account;
use crate::address::Channel;
use crate::attempt::Dialogue;
use crate::login::{View, sent, setup};
use crate::policy::Method;
use crate::{Secret, limits, text};

/// Octets of an answer that is no proof: no code is shorter (RFC 4226 §5.3).
pub(super) const WORD_OCTETS_MAX: usize = 5;
/// Ways that stand in one list.
const WAYS_MAX: usize = 6;
/// Characters of one way in a list.
const WORDS_MAX: usize = 26;
/// The last line of a list, where the account can be looked after.
const MENU: &str = "menu: your account";

/// A way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// No way: which there are.
    List,
    /// Something that the user has and types.
    Typed(Method),
    /// A code that is sent to the user's first, second … number or address for it.
    Sent(Channel, usize),
    /// To look after the account once a proof was right.
    Manage,
}

/// Asks for [`Way::Manage`]. It is as long as a code, and so gets the words of a code that was not right.
const MANAGE: &[u8] = b"manage";

/// Whether an answer is `?` or chooses a way, and so is no proof. `manage` is left out: what it is told tells nothing.
#[must_use]
pub fn chooses_a_way(answer: &Secret) -> bool {
    let octets = answer.expose().trim_ascii();
    octets.len() <= WORD_OCTETS_MAX || by_word(octets).is_some()
}

/// The way that was chosen, if what was typed is no proof.
pub(super) fn chosen(view: &View<'_>, typed: &Secret, is_standing: bool) -> Option<Way> {
    let octets = typed.expose().trim_ascii();
    if let [number @ b'1'..=b'9'] = octets {
        let place = usize::from(number.saturating_sub(b'1'));
        return Some(listed(view, is_standing).into_iter().nth(place).map_or(Way::List, |(way, _)| way));
    }
    if is_manage(typed) {
        return Some(Way::Manage);
    }
    by_word(octets).or_else(|| (octets.len() <= WORD_OCTETS_MAX).then_some(Way::List))
}

/// Whether it is the long word for looking after the account.
pub(super) fn is_manage(typed: &Secret) -> bool {
    typed.expose().trim_ascii().eq_ignore_ascii_case(MANAGE)
}

/// A way that stands behind a password, as in `password,sms`.
pub(super) fn appended(code: &Secret) -> Option<Way> {
    by_word(code.expose()).filter(|way| matches!(way, Way::Sent(..)))
}

/// `sms`, `sms2` and the like.
fn by_word(octets: &[u8]) -> Option<Way> {
    let lower = octets.to_ascii_lowercase();
    let (word, place) = match lower.split_last() {
        Some((digit @ b'1'..=b'9', word)) if !word.is_empty() => {
            (word, usize::from(digit.saturating_sub(b'1')))
        }
        _ => (lower.as_slice(), 0),
    };
    Some(match word.trim_ascii_end() {
        b"?" | b"help" => Way::List,
        b"menu" => Way::Manage,
        b"app" | b"code" => Way::Typed(Method::Totp),
        b"recovery" => Way::Typed(Method::RecoveryCode),
        b"sms" | b"text" => Way::Sent(Channel::Sms, place),
        b"call" => Way::Sent(Channel::Call, place),
        b"email" | b"mail" => Way::Sent(Channel::Email, place),
        _ => return None,
    })
}

/// The words for a way that was chosen and that needs no other ones.
pub(super) fn prompt(view: &View<'_>, is_standing: bool) -> String {
    let listed = listed(view, is_standing);
    let ways = (1_u8..).zip(listed).map(|(number, (_, words))| format!("{number} {words}\n"));
    format!("{}{}{}", text::WAYS_HEAD, ways.collect::<String>(), text::WAYS_QUESTION)
}

/// What can be chosen here, with its words: in a plain dialogue what the user has, else what the site has.
fn listed(view: &View<'_>, is_standing: bool) -> Vec<(Way, String)> {
    let own = view.loaded.account.as_ref().filter(|_| is_standing);
    let mut ways = match (view.attempt.profile.dialogue, own) {
        (Dialogue::Plain, Some(account)) => of_user(view, account),
        (Dialogue::Plain | Dialogue::Neutral, _) => of_site(view),
    };
    let is_there = setup::may_be_led(view.attempt) && !view.attempt.place.is_self_service();
    ways.extend(is_there.then(|| (Way::Manage, MENU.to_owned())));
    ways
}

fn of_site(view: &View<'_>) -> Vec<(Way, String)> {
    let app = [(Way::Typed(Method::Totp), "authenticator app or token".to_owned())];
    let sent = Channel::ALL.into_iter().filter(|channel| view.channels.contains(channel));
    let sent = sent.map(|channel| (Way::Sent(channel, 0), named(channel).to_owned()));
    let recovery = [(Way::Typed(Method::RecoveryCode), "recovery or temporary code".to_owned())];
    let program = [(Way::Typed(Method::AppPassword), "app password".to_owned())];
    app.into_iter().chain(sent).chain(recovery).chain(program).collect()
}

fn of_user(view: &View<'_>, account: &Account) -> Vec<(Way, String)> {
    let mut ways = Vec::new();
    if account.factors.iter().any(|factor| factor.secret().is_some()) {
        ways.push((Way::Typed(Method::Totp), "authenticator app or token".to_owned()));
    }
    for channel in Channel::ALL {
        for (place, (_, address)) in sent::factors(view, account, channel).into_iter().enumerate() {
            let words = format!("{} to {}", named(channel), address.masked());
            ways.push((Way::Sent(channel, place), words.chars().take(WORDS_MAX).collect()));
        }
    }
    ways.truncate(WAYS_MAX.saturating_sub(1));
    if !account.recovery_codes.is_empty() {
        ways.push((Way::Typed(Method::RecoveryCode), "recovery code".to_owned()));
    }
    ways
}

pub(super) const fn named(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "text message",
        Channel::Call => "call",
        Channel::Email => "email",
    }
}

const _: () = assert!(
    text::WAYS_HEAD.len() + text::WAYS_QUESTION.len() + WAYS_MAX * (WORDS_MAX + 3) + MENU.len() + 3
        <= limits::PROMPT_OCTETS_MAX
);

#[cfg(test)]
mod tests {
    use super::{Way, by_word, chooses_a_way};
    use crate::Secret;
    use crate::address::Channel;
    use crate::policy::Method;

    #[test]
    fn words_are_read_in_either_case_and_with_a_number() {
        for (typed, way) in [
            ("?", Way::List),
            ("SMS", Way::Sent(Channel::Sms, 0)),
            ("sms2", Way::Sent(Channel::Sms, 1)),
            ("sms 3", Way::Sent(Channel::Sms, 2)),
            ("call", Way::Sent(Channel::Call, 0)),
            ("Mail", Way::Sent(Channel::Email, 0)),
            ("recovery", Way::Typed(Method::RecoveryCode)),
        ] {
            assert_eq!(by_word(typed.as_bytes()), Some(way), "{typed}");
        }
        for typed in ["123456", "sms-code", "", "abcd-efgh-jkmn"] {
            assert_eq!(by_word(typed.as_bytes()), None, "{typed}");
        }
    }

    #[test]
    fn what_is_shorter_than_a_code_is_never_a_guess() {
        for typed in ["1", "12345", "x", "\u{8}\n\r\u{7f}"] {
            assert!(chooses_a_way(&Secret::from(typed)), "{typed:?}");
        }
        assert!(!chooses_a_way(&Secret::from("123456")));
    }
}
