//! One-time codes by another implementation than ours.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::daemon::wait_for;
use crate::failure::{Failure, checked};

/// Seconds of a time step (RFC 6238).
const STEP_SECONDS: u64 = 30;

/// An authenticator app with one secret. It never gives the same code twice, and seldom has to wait for the next one:
/// the codes of the step before and of the one after are good too (RFC 6238 §5.2).
#[derive(Debug)]
pub struct Authenticator {
    secret_base32: String,
    last_step: u64,
}

impl Authenticator {
    /// An app that was just given this secret; blanks in it are for people.
    pub fn new(secret_base32: &str) -> Self {
        Self { secret_base32: secret_base32.split_whitespace().collect(), last_step: 0 }
    }

    /// The secret in base32.
    pub fn secret(&self) -> &str {
        &self.secret_base32
    }

    /// A code that is good now and was not given before.
    pub fn code(&mut self) -> Result<String, Failure> {
        let step = wait_for("a code that is good and new", 2 * STEP_SECONDS, || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
            let now = now.as_secs() / STEP_SECONDS;
            let step = now.saturating_sub(1).max(self.last_step.saturating_add(1));
            if step <= now.saturating_add(1) { Ok(step) } else { Err("all good codes are used".to_owned()) }
        })?;
        self.last_step = step;
        totp_code(&self.secret_base32, step.saturating_mul(STEP_SECONDS))
    }
}

/// The six-digit TOTP code (RFC 6238, SHA-1, 30 s) of a base32 secret at a Unix time, computed by oathtool.
pub fn totp_code(secret_base32: &str, unix_seconds: u64) -> Result<String, Failure> {
    let now = format!("--now=@{unix_seconds}");
    let code = checked(Command::new("oathtool").args(["--totp", "--base32", &now, "--", secret_base32]))?;
    Ok(code.trim().to_owned())
}

/// The six-digit HOTP code (RFC 4226) of a base32 secret at a counter, computed by oathtool.
pub fn hotp_code(secret_base32: &str, counter: u64) -> Result<String, Failure> {
    let counter = format!("--counter={counter}");
    let code = checked(Command::new("oathtool").args(["--hotp", "--base32", &counter, "--", secret_base32]))?;
    Ok(code.trim().to_owned())
}
