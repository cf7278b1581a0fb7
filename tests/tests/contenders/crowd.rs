//! Many accounts at once, all with the same password and the same authenticator: a code is spent by an account.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use test_ground::Failure;

use crate::post::{Post, TOTP_SECRET};

/// crypt(3) of the password of everybody at a post, with the fewest rounds that there are: logins take turns at a hash
/// worth its name, and would not meet at the store.
const HASH: &str = "$6$rounds=1000$countersign$bA4rm0Mq7YIAFJvVkxgR9Kluy/e.u.cIkY/Y0eSv8RbR3RTU6HpNdhlYcnTjhYFKJYPwgMJbOjAmOQ6zx33mc.";

/// The name of one of them.
pub(crate) fn name_of(family: &str, number: usize) -> String {
    format!("{family}{number}")
}

/// Makes `count` accounts, with numbers from 0 behind their names.
pub(crate) fn add_crowd(post: &Post, family: &str, count: usize) -> Result<(), Failure> {
    let mut lines = "user,password_hash,totp_secret\n".to_owned();
    for number in 0..count {
        // Writing to a String does not fail.
        let _ = writeln!(lines, "{},{HASH},{TOTP_SECRET}", name_of(family, number));
    }
    let file = format!("/tmp/crowd-{}-{family}.csv", post.service());
    fs::write(&file, lines).map_err(Failure::file("write", Path::new(&file)))?;
    post.countersign(&["import", "--yes", "--state", "enforced", &file]).map(drop)
}

/// A new set of recovery codes of one of them.
pub(crate) fn recovery_codes(post: &Post, user: &str) -> Result<Vec<String>, Failure> {
    let text = post.countersign(&["--json", "recovery-codes", user])?;
    let unreadable = || Failure::Unreadable { what: "recovery codes", found: text.clone() };
    let answer: Value = serde_json::from_str(&text).map_err(|_| unreadable())?;
    let codes = answer["codes"].as_array().ok_or_else(unreadable)?;
    codes.iter().map(|code| code.as_str().map(str::to_owned).ok_or_else(unreadable)).collect()
}
