//! One-time passwords of tokens that count (RFC 4226): at which counter a code is good, and what an app needs to know.
//!
//! Each answer is looked for at a dozen counters, also where nobody has such a token. So the key is set up once for all of
//! them, which a library that makes codes one by one does not do.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use crate::Secret;
use crate::totp::{SECRET_OCTETS_MIN, TotpError, percent_encode, uri_of};

/// No code: those have 8 digits at most.
const NO_CODE: u32 = u32::MAX;

/// A usable HOTP factor: digits and opened secret.
pub struct HotpKey {
    keyed: Hmac<Sha1>,
    digits: u8,
}

impl HotpKey {
    /// Checks digits and length of the secret.
    pub fn new(digits: u8, secret: &Secret) -> Result<Self, TotpError> {
        if !(6..=8).contains(&digits) {
            return Err(TotpError::Parameters);
        }
        if secret.expose().len() < SECRET_OCTETS_MIN {
            return Err(TotpError::SecretTooShort);
        }
        let keyed = Hmac::new_from_slice(secret.expose()).map_err(|_| TotpError::SecretTooShort)?;
        Ok(Self { keyed, digits })
    }

    /// The counter of `code`, looking at `from` and `ahead` counters more (RFC 4226 §7.4, the parameter `s`).
    /// Every counter is computed, whether or not one has matched.
    #[must_use]
    pub fn matching_counter(&self, code: &str, from: u64, ahead: u64) -> Option<u64> {
        let code = self.read(code);
        (from..=from.saturating_add(ahead)).fold(None, |found, counter| {
            if is_same(code, self.code(counter)) { found.or(Some(counter)) } else { found }
        })
    }

    /// The counter of `second`, where `first` belongs to the one before it (RFC 4226 §7.4, resynchronisation with a
    /// sequence of values). `first` is looked for at `from` and `ahead` counters more.
    #[must_use]
    pub fn matching_pair(&self, first: &str, second: &str, from: u64, ahead: u64) -> Option<u64> {
        let (first, second) = (self.read(first), self.read(second));
        let mut was_first = false;
        (from..=from.saturating_add(ahead).saturating_add(1)).fold(None, |found, counter| {
            let code = self.code(counter);
            let ends_pair = is_same(second, code) && was_first;
            was_first = is_same(first, code);
            if ends_pair { found.or(Some(counter)) } else { found }
        })
    }

    /// What was typed as a number; [`NO_CODE`] where it has not as many digits as a code.
    fn read(&self, code: &str) -> u32 {
        let fits = code.len() == usize::from(self.digits) && code.bytes().all(|octet| octet.is_ascii_digit());
        code.parse().ok().filter(|_| fits).unwrap_or(NO_CODE)
    }

    /// The code of a counter (RFC 4226 §5.3: dynamic truncation, then the last digits).
    fn code(&self, counter: u64) -> u32 {
        #[cfg(test)]
        crate::keys::work::DERIVED.set(crate::keys::work::DERIVED.get() + 1);
        let mut mac = self.keyed.clone();
        mac.update(&counter.to_be_bytes());
        let octets = <[u8; 20]>::from(mac.finalize().into_bytes());
        let offset = octets.last().map_or(0, |last| usize::from(last & 0x0f));
        let truncated = octets.get(offset..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        let modulus = 10_u32.checked_pow(u32::from(self.digits)).unwrap_or(NO_CODE);
        (u32::from_be_bytes(truncated) & 0x7fff_ffff).checked_rem(modulus).unwrap_or(NO_CODE)
    }
}

fn is_same(typed: u32, code: u32) -> bool {
    typed.ct_eq(&code).into()
}

/// The Key URI that authenticator apps read from a QR code. `counter` is the first one that the app shall use.
#[must_use]
pub fn otpauth_uri(issuer: &str, name: &str, digits: u8, counter: u64, secret: &Secret) -> Secret {
    let issuer = percent_encode(issuer);
    let mut uri = uri_of("hotp", &format!("{issuer}:{}", percent_encode(name)), &issuer, secret);
    // The counter is required; apps take 6 digits where nothing is said.
    let _ = write!(uri, "&counter={counter}");
    if digits != 6 {
        let _ = write!(uri, "&digits={digits}");
    }
    Secret::from(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4226, appendix D: HOTP values of the ASCII secret, counters 0 to 9.
    const CODES: [&str; 10] =
        ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];

    fn key() -> HotpKey {
        HotpKey::new(6, &Secret::from("12345678901234567890")).unwrap()
    }

    #[test]
    fn rfc_4226_appendix_d() {
        for (counter, code) in (0..).zip(CODES) {
            assert_eq!(key().matching_counter(code, counter, 0), Some(counter));
        }
    }

    #[test]
    fn the_last_digits_of_the_truncated_value_are_the_code() {
        // RFC 4226, appendix D: the decimal values of counters 0 and 9.
        let key = HotpKey::new(8, &Secret::from("12345678901234567890")).unwrap();
        assert_eq!(key.matching_counter("84755224", 0, 0), Some(0));
        assert_eq!(key.matching_counter("45520489", 9, 0), Some(9));
        assert_eq!(key.matching_counter("755224", 0, 0), None, "eight digits are eight digits");
    }

    #[test]
    fn a_code_is_looked_for_ahead_and_never_behind() {
        for (from, ahead, found) in [(0, 3, Some(3)), (3, 0, Some(3)), (0, 2, None), (4, 10, None)] {
            assert_eq!(key().matching_counter(CODES[3], from, ahead), found, "{from} {ahead}");
        }
        assert_eq!(key().matching_counter(CODES[3], u64::MAX, 10), None, "the end of counting");
    }

    #[test]
    fn two_codes_in_a_row_resynchronise() {
        let key = key();
        assert_eq!(key.matching_pair(CODES[7], CODES[8], 0, 7), Some(8));
        assert_eq!(key.matching_pair(CODES[7], CODES[8], 0, 6), None, "out of reach");
        assert_eq!(key.matching_pair(CODES[7], CODES[8], 8, 100), None, "behind");
        assert_eq!(key.matching_pair(CODES[8], CODES[7], 0, 100), None, "the wrong way round");
        assert_eq!(key.matching_pair(CODES[7], CODES[9], 0, 100), None, "one left out");
        assert_eq!(key.matching_pair(CODES[7], CODES[7], 0, 100), None, "one code twice");
    }

    #[test]
    fn the_uri_says_at_which_counter_to_begin() {
        let uri = otpauth_uri("Example", "alice", 8, 7, &Secret::new(vec![0; 10]));
        let expected =
            "otpauth://hotp/Example:alice?secret=AAAAAAAAAAAAAAAA&issuer=Example&counter=7&digits=8";
        assert_eq!(uri.expose_text(), Some(expected));
    }
}
