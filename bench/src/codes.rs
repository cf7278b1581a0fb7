//! Secrets that follow from names, and the codes of many users at one moment.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use totp_rs::Builder;

use crate::{BenchError, Login};

/// Seconds of a time step (RFC 6238).
const STEP_SECONDS: u64 = 30;
/// What the round of a peer may take that knows the codes of this step only.
const ROUND_SECONDS: u64 = 4;
/// How often the clock is looked at while waiting for the next step.
const POLL: Duration = Duration::from_millis(20);
/// 160 bits, as RFC 4226 recommends.
const SECRET_OCTETS: usize = 20;

/// The codes that are good at a time are those of three steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodeOf {
    /// The step before this one.
    StepBefore,
    /// This step.
    StepNow,
    /// The step after this one.
    StepAfter,
    /// A code that is wrong.
    NoStep,
}

/// The user's secret in base32.
#[must_use]
pub fn secret_of(user: &str) -> String {
    BASE32_NOPAD.encode(&secret_octets(user))
}

/// The code of each login, all computed in one step that has some seconds left.
pub fn codes(logins: &[Login]) -> Result<Vec<String>, BenchError> {
    let step = step_with_time_left();
    logins.iter().map(|login| code(login, step).ok_or_else(|| BenchError::Code(login.user.clone()))).collect()
}

fn code(login: &Login, step: u64) -> Option<String> {
    let step = match login.code_of {
        CodeOf::StepBefore => step.checked_sub(1)?,
        CodeOf::StepNow => step,
        CodeOf::StepAfter => step.checked_add(1)?,
        // Good in about a year, or in a million tries.
        CodeOf::NoStep => step.checked_add(1_000_000)?,
    };
    let totp = Builder::new().with_secret(secret_octets(&login.user)).build().ok()?;
    Some(totp.generate(step.checked_mul(STEP_SECONDS)?).to_string())
}

/// The user's secret.
#[must_use]
pub fn secret_octets(user: &str) -> Vec<u8> {
    Sha256::digest(user).iter().copied().take(SECRET_OCTETS).collect()
}

fn step_with_time_left() -> u64 {
    loop {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (step, passed) = (now.div_euclid(STEP_SECONDS), now.rem_euclid(STEP_SECONDS));
        if passed <= STEP_SECONDS.saturating_sub(ROUND_SECONDS) {
            return step;
        }
        thread::sleep(POLL);
    }
}
