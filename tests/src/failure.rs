//! What can go wrong on the ground, and the one way to run a command to its end.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};

use nix::errno::Errno;

/// What a test returns.
pub type Outcome = Result<(), Failure>;

/// An operation of the ground that did not succeed.
#[derive(thiserror::Error)]
pub enum Failure {
    /// A file or folder could not be read, written, made or removed.
    #[error("could not {operation} {}", path.display())]
    File {
        /// The verb.
        operation: &'static str,
        /// The culprit.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A program could not be started at all.
    #[error("could not start `{command}`")]
    Start {
        /// The command line.
        command: String,
        /// The cause.
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("`{command}` ended with {status} and said:\n{output}")]
    Ended {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// Its standard output and standard error.
        output: String,
    },
    /// Something awaited did not come.
    #[error("{what} did not come within {seconds} s; seen so far:\n{seen}")]
    Deadline {
        /// What was awaited.
        what: String,
        /// How long.
        seconds: u64,
        /// What was there instead.
        seen: String,
    },
    /// A system call on something that is not a file.
    #[error("could not {operation}")]
    Kernel {
        /// The verb and its object.
        operation: String,
        /// The cause.
        source: Errno,
    },
    /// A suite was started on the machine itself.
    #[error(
        "this suite changes users and PAM stacks, so it runs only in a throw-away copy of the machine; start it with \
         `cargo xtask test SUITE`"
    )]
    OutsideGround,
    /// A program answered something that cannot be read.
    #[error("`{what}` was to be read, but it is:\n{found}")]
    Unreadable {
        /// What it should be.
        what: &'static str,
        /// What it is.
        found: String,
    },
    /// Steps of the ground that belong to root were begun by somebody else.
    #[error("the ground is entered by root in a mount namespace of its own; use `cargo xtask ground`")]
    NotRoot,
}

impl Failure {
    /// For `map_err`: the failure of a file operation.
    pub fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { operation, path, source }
    }

    pub(crate) fn kernel(operation: impl Into<String>) -> impl FnOnce(Errno) -> Self {
        move |source| Self::Kernel { operation: operation.into(), source }
    }
}

/// A failed test prints its failure with `Debug`; people read it, so it is the sentence with its causes.
impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Runs a command to its end and hands over its standard output; any end but success is a failure.
pub fn checked(command: &mut Command) -> Result<String, Failure> {
    let Output { status, stdout, stderr } =
        command.output().map_err(|source| Failure::Start { command: spelled(command), source })?;
    let text = String::from_utf8_lossy(&stdout).into_owned();
    if status.success() {
        return Ok(text);
    }
    let output = format!("{text}{}", String::from_utf8_lossy(&stderr));
    Err(Failure::Ended { command: spelled(command), status, output })
}

/// The command line as somebody would type it.
pub(crate) fn spelled(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
