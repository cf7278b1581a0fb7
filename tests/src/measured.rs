//! What a suite has measured, in plain words: `cargo xtask test` shows these lines also when all is well.

use std::io::{self, Write as _};

/// What such a line begins with.
pub const MEASURED: &str = "measured: ";

/// What the one line begins with that says it all.
pub const IN_SHORT: &str = "in short: ";

/// Says what was measured.
pub fn measured(words: &str) {
    say(MEASURED, words);
}

/// Says the same so shortly that it can stand at the very end of a run.
pub fn in_short(words: &str) {
    say(IN_SHORT, words);
}

/// Past the harness, which keeps what a successful test prints to itself. It may stand in the middle of a line.
fn say(beginning: &str, words: &str) {
    // Nobody reads it if nobody listens.
    let _ = writeln!(io::stdout(), "\n{beginning}{words}");
}
