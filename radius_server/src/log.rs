//! The server's own log: lines on standard error, with the priority prefix that journald reads (sd-daemon(3)) where
//! systemd started us. Records of logins go elsewhere.

use std::env;
use std::io::Write as _;
use std::sync::LazyLock;

/// systemd sets it where standard error is the journal.
static UNDER_JOURNAL: LazyLock<bool> = LazyLock::new(|| env::var_os("JOURNAL_STREAM").is_some());

/// Something went wrong.
pub fn error(text: &str) {
    line("<3>", text);
}

/// Somebody may want to look at it.
pub fn warning(text: &str) {
    line("<4>", text);
}

/// The normal course.
pub fn info(text: &str) {
    line("<6>", text);
}

/// Every line of `text` gets the prefix. Where standard error is gone there is nobody to tell.
fn line(priority: &str, text: &str) {
    let prefix = if *UNDER_JOURNAL { priority } else { "" };
    let mut all = String::new();
    for one in text.lines() {
        all.push_str(prefix);
        all.push_str("countersign-radiusd: ");
        all.push_str(one);
        all.push('\n');
    }
    let _ = std::io::stderr().write_all(all.as_bytes());
}
