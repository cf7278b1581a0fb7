//! Time-based one-time passwords (RFC 6238) over totp-rs: which step a code belongs to, and what an app needs to know.
//!
//! A step is counted by the clock of the token; when it begins is said in ours.

use std::fmt::Write as _;

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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The word in files and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

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
    /// RFC 4226 §4 R6 wants 128 bits; what others have handed out with 80 is taken too.
    #[error("the secret is shorter than 80 bits (10 octets, 16 characters of base32)")]
    SecretTooShort,
    /// Not base32.
    #[error("the secret is not base32 (letters A-Z and digits 2-7)")]
    NotBase32,
    /// Digits outside of 6 to 8, or a period of zero.
    #[error("a code has 6 to 8 digits, and one that goes by the clock a period of at least one second")]
    Parameters,
}

/// Octets of the shortest secret that is taken: 80 bits, as older programs make them.
pub const SECRET_OCTETS_MIN: usize = 10;
/// Octets below which a secret is weak (RFC 4226 §4 R6).
pub const STRONG_SECRET_OCTETS: usize = 16;

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
    if octets.len() < SECRET_OCTETS_MIN {
        return Err(TotpError::SecretTooShort);
    }
    Ok(Secret::new(octets))
}

/// A usable TOTP factor: parameters and opened secret.
pub struct TotpKey {
    totp: Totp,
    period_seconds: u64,
    /// Steps by which the clock of the token is ahead of ours.
    drift: i64,
}

impl TotpKey {
    /// Checks parameters and length of the secret. The clock of the token is ours.
    pub fn new(parameters: TotpParameters, secret: &Secret) -> Result<Self, TotpError> {
        let period_seconds = u64::from(parameters.period_seconds);
        let totp = generator(parameters.algorithm, parameters.digits, period_seconds, secret)?;
        Ok(Self { totp, period_seconds, drift: 0 })
    }

    /// The same token, its clock so many steps ahead of ours.
    #[must_use]
    pub fn ahead_by(self, steps: i32) -> Self {
        Self { drift: i64::from(steps), ..self }
    }

    /// The step that `code` belongs to, looking `skew_steps` to either side of `now`.
    /// Every step of the window is computed, whether or not one has matched.
    #[must_use]
    pub fn matching_step(&self, code: &str, now: UnixTime, skew_steps: u64) -> Option<u64> {
        self.window(now, skew_steps)
            .fold(None, |found, step| if self.is_code_of(code, step) { Some(step) } else { found })
    }

    /// The step of `second`, where `first` belongs to the one before it, looking `window_steps` to either side.
    #[must_use]
    pub fn matching_pair(&self, first: &str, second: &str, now: UnixTime, window_steps: u64) -> Option<u64> {
        let ends_pair = |step: u64| {
            let before = step.checked_sub(1).is_some_and(|before| self.is_code_of(first, before));
            self.is_code_of(second, step) && before
        };
        self.window(now, window_steps)
            .fold(None, |found, step| if ends_pair(step) { Some(step) } else { found })
    }

    fn window(&self, now: UnixTime, steps: u64) -> std::ops::RangeInclusive<u64> {
        let current = self.step_at(now);
        current.saturating_sub(steps)..=current.saturating_add(steps)
    }

    fn is_code_of(&self, code: &str, step: u64) -> bool {
        #[cfg(test)]
        crate::keys::work::DERIVED.set(crate::keys::work::DERIVED.get() + 1);
        self.totp.check(code, step.saturating_mul(self.period_seconds)).is_some()
    }

    /// The step that the token counts at `now`.
    #[must_use]
    pub fn step_at(&self, now: UnixTime) -> u64 {
        now.seconds().checked_div(self.period_seconds).unwrap_or(0).saturating_add_signed(self.drift)
    }

    /// Steps by which the token is ahead of our clock if it shows the code of this step now.
    #[must_use]
    pub fn drift_of(&self, step: u64, now: UnixTime) -> Option<i32> {
        let ours = now.seconds().checked_div(self.period_seconds)?;
        i32::try_from(step.checked_signed_diff(ours)?).ok()
    }

    /// When a step begins, by our clock.
    #[must_use]
    pub fn step_begins(&self, step: u64) -> UnixTime {
        let ours = step.saturating_add_signed(self.drift.saturating_neg());
        UnixTime::from_seconds(ours.saturating_mul(self.period_seconds))
    }

    /// When the code of a step is no longer good anywhere, skew included.
    #[must_use]
    pub fn step_expires(&self, step: u64, skew_steps: u64) -> UnixTime {
        self.step_begins(step.saturating_add(skew_steps).saturating_add(1))
    }
}

/// What makes codes from a counter of periods. The library's own check asks for 128 bits; ours is made here.
fn generator(
    algorithm: TotpAlgorithm,
    digits: u8,
    period_seconds: u64,
    secret: &Secret,
) -> Result<Totp, TotpError> {
    if !(6..=8).contains(&digits) || period_seconds == 0 {
        return Err(TotpError::Parameters);
    }
    if secret.expose().len() < SECRET_OCTETS_MIN {
        return Err(TotpError::SecretTooShort);
    }
    let builder = Builder::new().with_algorithm(algorithm.library()).with_digits(digits).with_skew(0);
    Ok(builder.with_step_duration(period_seconds).with_secret(secret.expose().to_vec()).build_noncompliant())
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
    let mut uri = uri_of("totp", label, issuer, secret);
    // Defaults are left out: the picture stays small, and some apps stumble over what they do not know.
    let TotpParameters { algorithm, digits, period_seconds } = parameters;
    if parameters != TotpParameters::default() {
        let _ = write!(uri, "&algorithm={}&digits={digits}&period={period_seconds}", algorithm.name());
    }
    Secret::from(uri)
}

/// What all Key URIs begin with, of parts that are percent-encoded.
pub(crate) fn uri_of(kind: &str, label: &str, issuer: &str, secret: &Secret) -> String {
    let base32 = to_base32(secret);
    let base32 = base32.expose_text().unwrap_or_default();
    // Room for all of it and what follows, so that no copy of the secret is left behind where it grew.
    let mut uri = String::with_capacity(1024);
    let _ = write!(uri, "otpauth://{kind}/{label}?secret={base32}&issuer={issuer}");
    uri
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
        let short = Secret::from("123456789");
        assert_eq!(TotpKey::new(TotpParameters::default(), &short).err(), Some(TotpError::SecretTooShort));
        let odd = TotpParameters { digits: 9, ..TotpParameters::default() };
        assert_eq!(TotpKey::new(odd, &Secret::new(vec![1; 20])).err(), Some(TotpError::Parameters));
    }

    #[test]
    fn secrets_of_80_bits_work_as_other_programs_make_them() {
        let secret = from_base32("GEZDGNBVGY3TQOJQ").unwrap();
        assert_eq!(secret.expose(), b"1234567890");
        let key = TotpKey::new(TotpParameters::default(), &secret).unwrap();
        // As the hmac module of Python says.
        let now = UnixTime::from_seconds(1_234_567_890);
        assert_eq!(key.matching_step("919219", now, 0), Some(41_152_263));
        assert!(from_base32("GEZDGNBV").err() == Some(TotpError::SecretTooShort));
    }

    #[test]
    fn a_token_ahead_of_us_counts_its_own_steps_and_ours_is_the_time() {
        let key = key(TotpAlgorithm::Sha1, 6, b"12345678901234567890");
        let now = key.step_begins(4);
        for drift in [-3, 0, 5, 90] {
            let shown = 4_u64.saturating_add_signed(i64::from(drift));
            let ahead = super::tests::key(TotpAlgorithm::Sha1, 6, b"12345678901234567890").ahead_by(drift);
            assert_eq!((ahead.step_at(now), ahead.step_begins(shown)), (shown, now), "{drift}");
            assert_eq!(ahead.step_expires(shown, 1), now.plus_seconds(60), "{drift}");
            assert_eq!(key.drift_of(shown, now), Some(drift));
        }
        let behind = super::tests::key(TotpAlgorithm::Sha1, 6, b"12345678901234567890").ahead_by(-3);
        assert_eq!(behind.matching_step("287082", now, 1), Some(1), "the code of its own step");
        assert_eq!(behind.matching_step("338314", now, 1), None, "not that of ours");
    }

    #[test]
    fn two_codes_in_a_row_tell_the_step_of_the_second_as_far_as_the_window_reaches() {
        let key = key(TotpAlgorithm::Sha1, 6, b"12345678901234567890");
        let pair = |at: u64, window| key.matching_pair("287082", "359152", key.step_begins(at), window);
        for (at, window, found) in
            [(2, 0, Some(2)), (102, 100, Some(2)), (103, 100, None), (0, 2, Some(2)), (0, 1, None)]
        {
            assert_eq!(pair(at, window), found, "at step {at}");
        }
        let now = key.step_begins(2);
        assert_eq!(key.matching_pair("359152", "287082", now, 100), None, "the wrong way round");
        assert_eq!(key.matching_pair("287082", "287082", now, 100), None, "one code twice");
        assert_eq!(key.matching_pair("287082", "969429", now, 100), None, "one left out");
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
