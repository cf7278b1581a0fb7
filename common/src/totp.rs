//! Time-based one-time passwords (RFC 6238) over totp-rs: which step a code belongs to, and what an app needs to know.

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use totp_rs::{Algorithm, Builder, Totp};

use crate::random::Random;
use crate::{Secret, UnixTime};

/// The hash behind a code (RFC 6238 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TotpAlgorithm {
    /// HMAC-SHA-1: the only one that every app knows.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl TotpAlgorithm {
    /// The word in an `otpauth` URI.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    const fn library(self) -> Algorithm {
        match self {
            Self::Sha1 => Algorithm::SHA1,
            Self::Sha256 => Algorithm::SHA256,
            Self::Sha512 => Algorithm::SHA512,
        }
    }
}

/// The public half of a TOTP factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TotpParameters {
    /// The hash.
    pub algorithm: TotpAlgorithm,
    /// 6 to 8.
    pub digits: u8,
    /// Seconds of one step.
    pub period_seconds: u32,
}

impl Default for TotpParameters {
    fn default() -> Self {
        Self { algorithm: TotpAlgorithm::Sha1, digits: 6, period_seconds: 30 }
    }
}

/// Why a TOTP factor cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TotpError {
    /// RFC 4226 §4 R6: at least 128 bits.
    #[error("the secret is shorter than 128 bits (16 octets, 26 characters of base32)")]
    SecretTooShort,
    /// Not base32.
    #[error("the secret is not base32 (letters A-Z and digits 2-7)")]
    NotBase32,
    /// Digits outside of 6 to 8, or a period of zero.
    #[error("a TOTP code has 6 to 8 digits and a period of at least one second")]
    Parameters,
}

/// A secret of 160 bits (RFC 4226 §4 R6 recommends that length).
pub fn generate_secret(random: &dyn Random) -> Secret {
    let mut octets = vec![0; 20];
    random.fill(&mut octets);
    Secret::new(octets)
}

/// Base32 without padding, as apps want it.
#[must_use]
pub fn to_base32(secret: &Secret) -> Secret {
    Secret::from(BASE32_NOPAD.encode(secret.expose()))
}

/// Reads base32 in either case, with or without padding, spaces and hyphens.
pub fn from_base32(text: &str) -> Result<Secret, TotpError> {
    let kept = |c: &char| !matches!(c, ' ' | '-' | '=');
    let packed = Secret::from(text.chars().filter(kept).map(|c| c.to_ascii_uppercase()).collect::<String>());
    let octets = BASE32_NOPAD.decode(packed.expose()).map_err(|_| TotpError::NotBase32)?;
    if octets.len() < 16 {
        return Err(TotpError::SecretTooShort);
    }
    Ok(Secret::new(octets))
}

/// A usable TOTP factor: parameters and opened secret.
pub struct TotpKey {
    totp: Totp,
    period_seconds: u64,
}

impl TotpKey {
    /// Checks parameters and length of the secret.
    pub fn new(parameters: TotpParameters, secret: &Secret) -> Result<Self, TotpError> {
        if !(6..=8).contains(&parameters.digits) || parameters.period_seconds == 0 {
            return Err(TotpError::Parameters);
        }
        let period_seconds = u64::from(parameters.period_seconds);
        let totp = Builder::new()
            .with_algorithm(parameters.algorithm.library())
            .with_digits(parameters.digits)
            .with_skew(0)
            .with_step_duration(period_seconds)
            .with_secret(secret.expose().to_vec())
            .build()
            .map_err(|_| TotpError::SecretTooShort)?;
        Ok(Self { totp, period_seconds })
    }

    /// The step that `code` belongs to, looking `skew_steps` to either side of `now`.
    /// Every step of the window is computed, whether or not one has matched.
    #[must_use]
    pub fn matching_step(&self, code: &str, now: UnixTime, skew_steps: u64) -> Option<u64> {
        let current = self.step_at(now);
        let window = current.saturating_sub(skew_steps)..=current.saturating_add(skew_steps);
        window.fold(None, |found, step| {
            #[cfg(test)]
            crate::keys::work::DERIVED.set(crate::keys::work::DERIVED.get() + 1);
            let matched = self.totp.check(code, self.step_begins(step).seconds());
            matched.map(|_| step).or(found)
        })
    }

    /// The step that contains `now`.
    #[must_use]
    pub fn step_at(&self, now: UnixTime) -> u64 {
        now.seconds().checked_div(self.period_seconds).unwrap_or(0)
    }

    /// When a step begins.
    #[must_use]
    pub fn step_begins(&self, step: u64) -> UnixTime {
        UnixTime::from_seconds(step.saturating_mul(self.period_seconds))
    }

    /// When the code of a step is no longer good anywhere, skew included.
    #[must_use]
    pub fn step_expires(&self, step: u64, skew_steps: u64) -> UnixTime {
        self.step_begins(step.saturating_add(skew_steps).saturating_add(1))
    }
}

/// The Key URI that authenticator apps read from a QR code.
/// `issuer` and `name` are percent-encoded; the secret is in it, so the whole is one.
#[must_use]
pub fn otpauth_uri(issuer: &str, name: &str, parameters: TotpParameters, secret: &Secret) -> Secret {
    let issuer = percent_encode(issuer);
    key_uri(&format!("{issuer}:{}", percent_encode(name)), &issuer, parameters, secret)
}

/// A Key URI of parts that are percent-encoded.
pub(crate) fn key_uri(label: &str, issuer: &str, parameters: TotpParameters, secret: &Secret) -> Secret {
    let base32 = to_base32(secret);
    let base32 = base32.expose_text().unwrap_or_default();
    let mut uri = format!("otpauth://totp/{label}?secret={base32}&issuer={issuer}");
    // Defaults are left out: the picture stays small, and some apps stumble over what they do not know.
    let TotpParameters { algorithm, digits, period_seconds } = parameters;
    if parameters != TotpParameters::default() {
        uri.push_str(&format!("&algorithm={}&digits={digits}&period={period_seconds}", algorithm.name()));
    }
    Secret::from(uri)
}

pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::new();
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            encoded.push_str(&format!("%{octet:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: TotpAlgorithm, digits: u8, secret: &[u8]) -> TotpKey {
        let parameters = TotpParameters { algorithm, digits, period_seconds: 30 };
        TotpKey::new(parameters, &Secret::new(secret.to_vec())).unwrap()
    }

    /// RFC 4226, appendix D: HOTP values of the ASCII secret, counters 0 to 9 (a counter is a step).
    #[test]
    fn rfc_4226_appendix_d() {
        let key = key(TotpAlgorithm::Sha1, 6, b"12345678901234567890");
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (step, code) in (0..).zip(codes) {
            assert_eq!(key.matching_step(code, key.step_begins(step), 0), Some(step));
        }
    }

    /// RFC 6238, appendix B: the table of test vectors.
    #[test]
    fn rfc_6238_appendix_b() {
        let secret = b"1234567890123456789012345678901234567890123456789012345678901234";
        let keys = [
            key(TotpAlgorithm::Sha1, 8, &secret[..20]),
            key(TotpAlgorithm::Sha256, 8, &secret[..32]),
            key(TotpAlgorithm::Sha512, 8, &secret[..]),
        ];
        let table = [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ];
        for (seconds, codes) in table {
            let now = UnixTime::from_seconds(seconds);
            for (key, code) in keys.iter().zip(codes) {
                assert_eq!(key.matching_step(code, now, 0), Some(seconds / 30), "{code} at {seconds}");
            }
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_and_late_and_no_more() {
        let key = key(TotpAlgorithm::Sha1, 6, b"12345678901234567890");
        let at = |step| key.step_begins(step);
        for (step, found) in [(2, None), (3, Some(4)), (4, Some(4)), (5, Some(4)), (6, None)] {
            assert_eq!(key.matching_step("338314", at(step), 1), found, "at step {step}");
        }
    }

    #[test]
    fn short_secrets_and_odd_parameters_are_refused() {
        let short = Secret::from("123456789012345");
        assert_eq!(TotpKey::new(TotpParameters::default(), &short).err(), Some(TotpError::SecretTooShort));
        let odd = TotpParameters { digits: 9, ..TotpParameters::default() };
        assert_eq!(TotpKey::new(odd, &Secret::new(vec![1; 20])).err(), Some(TotpError::Parameters));
    }

    #[test]
    fn base32_is_read_as_people_type_it() {
        let secret = from_base32("gezd gnbv-GY3TQOJQgezdgnbvgy3tqojq===").unwrap();
        assert_eq!(secret.expose(), b"12345678901234567890");
        assert!(from_base32("0000").err() == Some(TotpError::NotBase32));
    }

    #[test]
    fn the_uri_escapes_what_would_break_it() {
        let uri = otpauth_uri("Ex & Co", "al:ice", TotpParameters::default(), &Secret::new(vec![0; 20]));
        let expected = "otpauth://totp/Ex%20%26%20Co:al%3Aice?secret=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&issuer=Ex%20%26%20Co";
        assert_eq!(uri.expose_text(), Some(expected));
    }
}
