//! Key URIs that fit the picture of a small terminal: the names in them give way, the secret never does.

use crate::totp::{self, TotpParameters, percent_encode};
use crate::{Secret, qr};

/// Octets, percent-encoded, that a long issuer keeps.
const ISSUER_OCTETS: usize = 24;

/// What an authenticator app reads from a picture: the usual URI, or one with as much of the names as [`qr::fits`].
/// `None` where secret and parameters leave no room for any.
#[must_use]
pub fn scannable(issuer: &str, name: &str, parameters: TotpParameters, secret: &Secret) -> Option<Secret> {
    let usual = totp::otpauth_uri(issuer, name, parameters, secret);
    if qr::fits(&usual) {
        return Some(usual);
    }
    // The issuer is a parameter too, where apps look for it first.
    let issuer = beginning(issuer, ISSUER_OCTETS);
    let uri = |octets| totp::key_uri(&beginning(name, octets), &issuer, parameters, secret);
    // A name of more octets than there are modules in a row has no chance.
    (1..=64).rev().map(uri).find(qr::fits)
}

/// As much of an issuer as every picture shows, however long the user's name is.
#[must_use]
pub fn issuer_in_pictures(issuer: &str) -> &str {
    fitting(issuer, ISSUER_OCTETS)
}

fn beginning(text: &str, octets_max: usize) -> String {
    percent_encode(fitting(text, octets_max))
}

/// As much of a text as has no more than so many octets when it is percent-encoded, without half a character.
fn fitting(text: &str, octets_max: usize) -> &str {
    let mut octets = 0_usize;
    let too_long = text.char_indices().find(|(_, character)| {
        octets = octets.saturating_add(percent_encode(character.encode_utf8(&mut [0; 4])).len());
        octets > octets_max
    });
    too_long.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::USERNAME_OCTETS_MAX;
    use crate::totp::TotpAlgorithm;

    fn uri(issuer: &str, name: &str, parameters: TotpParameters) -> Option<String> {
        let uri = scannable(issuer, name, parameters, &Secret::from("12345678901234567890"))?;
        assert!(qr::fits(&uri));
        uri.expose_text().map(str::to_owned)
    }

    fn usual(issuer: &str, name: &str) -> String {
        uri(issuer, name, TotpParameters::default()).unwrap()
    }

    #[test]
    fn short_names_stay_as_they_are() {
        assert_eq!(
            usual("Countersign", "alice"),
            "otpauth://totp/Countersign:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Countersign"
        );
    }

    #[test]
    fn of_a_longer_name_the_second_issuer_goes_first() {
        assert_eq!(
            usual("Countersign", "alice.of.the.long.name@example.org"),
            "otpauth://totp/alice.of.the.long.name%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Countersign"
        );
    }

    #[test]
    fn the_longest_names_are_cut_and_the_secret_is_whole() {
        let names = ["x".repeat(USERNAME_OCTETS_MAX), "ü".repeat(128), "語".repeat(85), "🦀".repeat(64)];
        let issuers = ["i".repeat(64), "Ö".repeat(64), "🦀".repeat(64)];
        for (name, issuer) in names.iter().flat_map(|name| issuers.iter().map(move |issuer| (name, issuer))) {
            let uri = usual(issuer, name);
            assert!(uri.contains("?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer="), "{uri}");
            let label = uri.strip_prefix("otpauth://totp/").unwrap().split('?').next().unwrap();
            assert!(label.len() >= 12 && percent_encode(name).starts_with(label), "{uri}");
            let shown = uri.rsplit('=').next().unwrap();
            assert_eq!(shown, percent_encode(issuer_in_pictures(issuer)));
            assert!(!shown.is_empty() && percent_encode(issuer).starts_with(shown), "{uri}");
        }
    }

    #[test]
    fn parameters_that_leave_no_room_have_no_picture() {
        let odd = TotpParameters { algorithm: TotpAlgorithm::Sha256, digits: 8, period_seconds: 60 };
        assert!(uri("Countersign", "alice", odd).unwrap().contains("&algorithm=SHA256&digits=8&period=60"));
        let secret = Secret::new(vec![7; 64]);
        assert!(scannable("Countersign", "alice", odd, &secret).is_none());
    }
}
