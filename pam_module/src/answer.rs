//! What a caller says is not what a user says: sorts the answers of a conversation (DESIGN §6.8).

use assembly::local::wire::Words;
use common::{Answer, Secret, login};

/// What OpenSSH answers for users whom it bars or does not know, repeated and cut to the length of what was typed
/// (auth-pam.c, `fake_password`).
const MADE_UP_BY_SSHD: &[u8] = b"\x08\n\r\x7fINCORRECT";

/// No code is shorter (RFC 4226 §5.3).
const CODE_OCTETS_MIN: usize = 6;

/// Sorts an answer to the first question.
pub(crate) fn to_password(octets: Secret) -> Answer {
    if is_made_up(octets.expose()) { Answer::Void } else { Answer::from_octets(octets) }
}

/// Sorts an answer to a later question. `password` is the first password, if one is known: sshd's `password` method
/// answers every question with it.
pub(crate) fn to_code(octets: Secret, password: Option<&Secret>, words: Words) -> Answer {
    if words == Words::Unheard {
        if octets.expose().len() >= CODE_OCTETS_MIN {
            if login::chooses_a_way(&octets) {
                return Answer::Void;
            }
        } else if !octets.is_empty() && is_made_up(octets.expose()) {
            // The core says the same to every answer of these lengths.
            return Answer::Text(Secret::from("?"));
        }
    }
    if password.is_some_and(|password| *password == octets) {
        return Answer::Void;
    }
    to_password(octets)
}

/// Whether sshd has answered for a user whom it bars or does not know. Nobody can have typed it.
pub(crate) fn is_of_sshd(octets: &Secret) -> bool {
    !octets.expose().is_empty() && is_made_up(octets.expose())
}

fn is_made_up(octets: &[u8]) -> bool {
    octets.iter().zip(MADE_UP_BY_SSHD.iter().cycle()).all(|(octet, made_up)| octet == made_up)
}

#[cfg(test)]
mod tests {
    use super::{MADE_UP_BY_SSHD, is_of_sshd, to_code, to_password};
    use assembly::local::wire::Words;
    use common::{Answer, Secret};

    /// `None` for what is void.
    fn typed(octets: &[u8], words: Words) -> Option<Vec<u8>> {
        let password = Secret::from("correct horse");
        match to_code(Secret::new(octets.to_vec()), Some(&password), words) {
            Answer::Text(text) => Some(text.expose().to_vec()),
            Answer::Void => None,
        }
    }

    fn made_up(length: usize) -> Vec<u8> {
        MADE_UP_BY_SSHD.iter().copied().cycle().take(length).collect()
    }

    #[test]
    fn what_a_user_may_have_typed_is_an_answer() {
        for octets in
            [&b"123456"[..], b"INCORRECT", b"correct horse,123456", b"\xff\xff\xff\xff\xff\xff", &[b'x'; 512]]
        {
            assert_eq!(typed(octets, Words::Heard).as_deref(), Some(octets));
            assert_eq!(typed(octets, Words::Unheard).as_deref(), Some(octets));
        }
    }

    #[test]
    fn what_no_user_typed_is_void() {
        for octets in [&b""[..], &[b'x'; 513], b"correct horse"] {
            assert_eq!(typed(octets, Words::Heard), None, "{octets:?}");
            assert_eq!(typed(octets, Words::Unheard), None, "{octets:?}");
        }
    }

    #[test]
    fn what_sshd_makes_up_is_no_password_at_any_length() {
        for length in 0..40 {
            assert!(matches!(to_password(Secret::new(made_up(length))), Answer::Void), "{length}");
        }
        assert!(matches!(to_password(Secret::from("x")), Answer::Text(_)));
    }

    #[test]
    fn an_empty_answer_may_be_anybodys() {
        assert!((1..40).all(|length| is_of_sshd(&Secret::new(made_up(length)))));
        assert!(!is_of_sshd(&Secret::from("")) && !is_of_sshd(&Secret::from("INCORRECT")));
    }

    #[test]
    fn what_is_made_up_and_short_asks_which_ways_there_are() {
        for length in 1..6 {
            assert_eq!(typed(&made_up(length), Words::Unheard), Some(b"?".to_vec()));
            assert_eq!(typed(&vec![b'7'; length], Words::Unheard), Some(vec![b'7'; length]));
        }
        assert_eq!(typed(&made_up(8), Words::Unheard), None);
        assert_eq!(typed(b"recovery", Words::Unheard), None);
    }

    #[test]
    fn where_words_are_heard_they_come_through() {
        for word in ["?", "app", "recovery", "12345"] {
            assert_eq!(typed(word.as_bytes(), Words::Heard), Some(word.as_bytes().to_vec()));
        }
    }
}
