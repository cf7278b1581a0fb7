//! What a caller says is not what a user says: sorts the answers of a conversation (DESIGN §6.8).

use common::{Answer, Secret};

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
pub(crate) fn to_code(octets: Secret, password: Option<&Secret>) -> Answer {
    if (1..CODE_OCTETS_MIN).contains(&octets.expose().len()) {
        // Of made-up text only the length is the user's. So every answer that is too short for a code shows the ways,
        // and `?` does not tell those whom sshd knows from those whom it does not.
        return Answer::Text(Secret::from("?"));
    }
    if password.is_some_and(|password| *password == octets) {
        return Answer::Void;
    }
    to_password(octets)
}

fn is_made_up(octets: &[u8]) -> bool {
    octets.iter().zip(MADE_UP_BY_SSHD.iter().cycle()).all(|(octet, made_up)| octet == made_up)
}

#[cfg(test)]
mod tests {
    use super::{MADE_UP_BY_SSHD, to_code, to_password};
    use common::{Answer, Secret};

    /// `None` for what is void.
    fn typed(octets: &[u8]) -> Option<Vec<u8>> {
        let password = Secret::from("correct horse");
        match to_code(Secret::new(octets.to_vec()), Some(&password)) {
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
            assert_eq!(typed(octets).as_deref(), Some(octets));
        }
    }

    #[test]
    fn what_no_user_typed_is_void() {
        for octets in [&b""[..], &[b'x'; 513], b"correct horse"] {
            assert_eq!(typed(octets), None, "{octets:?}");
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
    fn short_answers_ask_for_help_whoever_made_them_up() {
        for length in 1..6 {
            assert_eq!(typed(&made_up(length)), Some(b"?".to_vec()));
            assert_eq!(typed(&vec![b'7'; length]), Some(b"?".to_vec()));
        }
        assert_eq!(typed(&made_up(6)), None);
    }
}
