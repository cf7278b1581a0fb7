//! What can keep a developer command from its work.

use std::error::Error;
use std::fmt;
use std::io;

use test_ground::Failure;

use crate::install::InstallError;

/// Why a command could not do its work; what it *found* is printed, not returned.
#[derive(thiserror::Error)]
pub(crate) enum Problem {
    /// Wrong words on the command line.
    #[error("{0}")]
    Usage(String),
    /// Something on the ground.
    #[error(transparent)]
    Ground(#[from] Failure),
    /// Something of an installation.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// A program of the toolchain could not be started or read.
    #[error("could not run `{command}`")]
    Run {
        /// The command line.
        command: String,
        /// The cause.
        source: io::Error,
    },
    /// A program of the toolchain has failed, and has said why on its standard error.
    #[error("`{0}` failed")]
    Failed(String),
    /// A program said something unexpected.
    #[error("could not read the answer of `{from}`")]
    Unreadable {
        /// Whose answer.
        from: &'static str,
        /// The cause.
        source: serde_json::Error,
    },
}

impl Problem {
    /// For `map_err`: a program could not be started or read.
    pub(crate) fn run(command: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Run { command: command.into(), source }
    }
}

impl fmt::Debug for Problem {
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
