//! A server's own log: lines on standard error, with the priority prefix that journald reads (sd-daemon(3)) where
//! systemd started us. Records of logins go elsewhere.

use std::env;
use std::io::Write as _;
use std::sync::LazyLock;

/// systemd sets it where standard error is the journal.
static UNDER_JOURNAL: LazyLock<bool> = LazyLock::new(|| env::var_os("JOURNAL_STREAM").is_some());

/// The log of one program.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    program: &'static str,
}

impl Log {
    /// The log of the program with this name.
    #[must_use]
    pub const fn of(program: &'static str) -> Self {
        Self { program }
    }

    /// Something went wrong.
    pub fn error(self, text: &str) {
        self.line("<3>", text);
    }

    /// Somebody may want to look at it.
    pub fn warning(self, text: &str) {
        self.line("<4>", text);
    }

    /// The normal course.
    pub fn info(self, text: &str) {
        self.line("<6>", text);
    }

    /// Every line of `text` gets the prefix. Where standard error is gone there is nobody to tell.
    fn line(self, priority: &str, text: &str) {
        let prefix = if *UNDER_JOURNAL { priority } else { "" };
        let lines = text.lines().map(|one| format!("{prefix}{}: {one}\n", self.program));
        let _ = std::io::stderr().write_all(lines.collect::<String>().as_bytes());
    }
}
