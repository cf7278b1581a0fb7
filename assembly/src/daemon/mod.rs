//! What every long-lived server is made of: a command line, fewer rights, signals to wait for, threads, a log, a word to
//! systemd, and the configuration in force.

mod awaited;
mod error;
mod heads;
pub mod limits;
mod log;
mod notify;
mod program;
mod rights;
mod signals;
mod threads;
mod world;

use std::error::Error;

pub use awaited::Awaited;
pub use error::DaemonError;
pub use heads::Heads;
pub use log::Log;
pub use program::{Command, Options, Prepared, Program};
pub use rights::Start;
pub use signals::{Event, Signals};
pub use threads::{Serving, Started, Threads, Workers, spawn};
pub use world::{World, keep};

/// An error and its causes, in one line for a log or terminal.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::{DaemonError, with_causes};

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = DaemonError::Rights { operation: "change the user", source: Errno::EPERM };
        assert_eq!(with_causes(&error), "cannot change the user: EPERM: Operation not permitted");
    }
}
