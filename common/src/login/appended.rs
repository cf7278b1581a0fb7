//! A code appended to the password, for clients that cannot put a second question.

use crate::Secret;
use crate::attempt::Appended;
use crate::codes::Shape;
use crate::login::ways;

/// The two halves of an answer like `password,123456`.
pub(super) struct Halves {
    pub(super) password: Secret,
    pub(super) code: Secret,
}

const DELIMITER: u8 = b',';
/// Digits at the end that count as a code where no delimiter is asked for.
const CODE_DIGITS: usize = 6;

/// Splits at the last delimiter, where what follows looks like a second proof; else by shape, where the client says so.
/// An answer that is not split is a password as a whole.
pub(super) fn split(answer: &Secret, appended: Appended) -> Option<Halves> {
    match appended {
        Appended::Refused => None,
        Appended::AfterDelimiter => after_delimiter(answer.expose()),
        Appended::ByShape => after_delimiter(answer.expose()).or_else(|| by_shape(answer.expose())),
    }
}

/// The password in a first answer that has turned out to be a password, with or without a code behind it:
/// for a door that hands it on to others.
#[must_use]
pub fn password_in(answer: &Secret, appended: Appended) -> Secret {
    split(answer, appended).map_or_else(|| answer.clone(), |halves| halves.password)
}

fn after_delimiter(octets: &[u8]) -> Option<Halves> {
    let at = octets.iter().rposition(|octet| *octet == DELIMITER)?;
    let (password, rest) = octets.split_at_checked(at)?;
    let (_, code) = rest.split_first()?;
    looks_like_a_proof(code).then(|| halves(password, code))
}

fn by_shape(octets: &[u8]) -> Option<Halves> {
    let at = octets.len().checked_sub(CODE_DIGITS)?;
    let (password, code) = octets.split_at_checked(at)?;
    code.iter().all(u8::is_ascii_digit).then(|| halves(password, code))
}

/// 6 to 8 digits, a word for a code that is to be sent, or the length and letters of a recovery code or app password.
fn looks_like_a_proof(code: &[u8]) -> bool {
    let digits = (6..=8).contains(&code.len()) && code.iter().all(u8::is_ascii_digit);
    let generated = || {
        let code = Secret::new(code.to_vec());
        [Shape::RecoveryCode, Shape::TemporaryCode, Shape::AppPassword]
            .iter()
            .any(|shape| shape.normalise(&code).is_some())
    };
    digits || generated() || ways::appended(&Secret::new(code.to_vec())).is_some()
}

fn halves(password: &[u8], code: &[u8]) -> Halves {
    Halves { password: Secret::new(password.to_vec()), code: Secret::new(code.to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::split;
    use crate::Secret;
    use crate::attempt::Appended;

    fn halves(answer: &str, appended: Appended) -> Option<(String, String)> {
        let text = |secret: &Secret| secret.expose_text().unwrap().to_owned();
        split(&Secret::from(answer), appended).map(|halves| (text(&halves.password), text(&halves.code)))
    }

    #[test]
    fn an_answer_is_split_at_the_last_delimiter_before_a_code() {
        let split = |answer| halves(answer, Appended::AfterDelimiter);
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(split("pw,123456"), pair("pw", "123456"));
        assert_eq!(split("p,w,12345678"), pair("p,w", "12345678"));
        assert_eq!(split("pw,abcd-efgh-jkmn"), pair("pw", "abcd-efgh-jkmn"));
        assert_eq!(split("pw,12345"), None);
        assert_eq!(split("pw,word"), None);
        assert_eq!(split("pw123456"), None);
    }

    #[test]
    fn an_answer_is_cut_by_shape_only_where_the_client_says_so() {
        assert_eq!(halves("pw123456", Appended::ByShape), Some(("pw".to_owned(), "123456".to_owned())));
        assert_eq!(halves("pw,123456", Appended::ByShape), Some(("pw".to_owned(), "123456".to_owned())));
        assert_eq!(halves("pw12345x", Appended::ByShape), None);
        assert_eq!(halves("pw,123456", Appended::Refused), None);
    }
}
