//! One-time codes by another implementation than ours.

use std::process::Command;

use crate::failure::{Failure, checked};

/// The six-digit TOTP code (RFC 6238, SHA-1, 30 s) of a base32 secret at a Unix time, computed by oathtool.
pub fn totp_code(secret_base32: &str, unix_seconds: u64) -> Result<String, Failure> {
    let now = format!("--now=@{unix_seconds}");
    let code = checked(Command::new("oathtool").args(["--totp", "--base32", &now, "--", secret_base32]))?;
    Ok(code.trim().to_owned())
}
