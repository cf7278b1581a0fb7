//! Why nothing could be measured. A login that is refused is no error: it is counted.

use std::io;

use assembly::AssemblyError;
use assembly::config::ConfigError;
use common::keys::KeyError;
use common::ports::StoreError;

/// What keeps a job from its end.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Standard input holds no job.
    #[error("the job on standard input cannot be read")]
    Job(#[source] serde_json::Error),
    /// Standard output is closed.
    #[error("what was measured cannot be written")]
    Answer(#[source] serde_json::Error),
    /// The name of a service or user has a NUL in it.
    #[error("`{0}` cannot be said to a C library")]
    Name(String),
    /// libpam began no transaction.
    #[error("pam_start returned {0}")]
    PamStart(i32),
    /// A one-time code could not be computed.
    #[error("no code can be computed for `{0}`")]
    Code(String),
    /// A socket did not do its work.
    #[error("could not {operation}")]
    Socket {
        /// The verb and its object.
        operation: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// A request could not be built.
    #[error("the request of `{user}` cannot be built")]
    Request {
        /// Whose.
        user: String,
        /// The cause.
        source: radius_protocol::Error,
    },
    /// A reply that a real client would not believe.
    #[error("a reply is not genuine: {0}")]
    Reply(String),
    /// An account of this family was there before.
    #[error("the store already has accounts named `{0}` with a number")]
    AccountExists(String),
    /// The settings of the store.
    #[error("the settings cannot be used")]
    Settings(#[from] ConfigError),
    /// The keys of the store.
    #[error("the keys cannot be read")]
    Assembly(#[from] AssemblyError),
    /// A secret could not be sealed.
    #[error("a secret cannot be sealed")]
    Key(#[from] KeyError),
    /// The store did not take the accounts.
    #[error("the store takes no accounts")]
    Store(#[from] StoreError),
    /// The kernel gives no randomness.
    #[error("there is no randomness")]
    Randomness,
}
