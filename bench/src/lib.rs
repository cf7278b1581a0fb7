//! What the programs of `cargo xtask bench` have in common: a job comes as JSON on standard input, what was measured
//! goes as JSON to standard output.

mod codes;
mod error;

use std::io;
use std::net::SocketAddr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use codes::{CodeOf, codes, secret_of};
pub use error::BenchError;

/// One login to be tried.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Login {
    /// Who; the secret follows from the name (see [`secret_of`]).
    pub user: String,
    /// The first password, where one is sent.
    pub password: String,
    /// Which of the codes that are good at a time.
    pub code_of: CodeOf,
}

/// Logins one after the other at a PAM service, in one process.
#[derive(Debug, Serialize, Deserialize)]
pub struct PamJob {
    /// A file in `/etc/pam.d`.
    pub service: String,
    /// Each code is the answer to every question of its login.
    pub logins: Vec<Login>,
}

/// Logins at a RADIUS server, some in flight at a time.
#[derive(Debug, Serialize, Deserialize)]
pub struct RadiusJob {
    /// The server.
    pub server: SocketAddr,
    /// The secret shared with it.
    pub secret: String,
    /// What User-Password carries.
    pub form: Form,
    /// What a reply must carry to be believed.
    pub replies: Replies,
    /// Requests on the way at the same time; at most 256.
    pub in_flight: usize,
    /// In this order.
    pub logins: Vec<Login>,
}

/// What User-Password carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// The code alone.
    Code,
    /// `password,code`.
    PasswordAndCode,
}

impl Form {
    /// The value of User-Password.
    #[must_use]
    pub fn password(self, login: &Login, code: &str) -> String {
        match self {
            Self::Code => code.to_owned(),
            Self::PasswordAndCode => format!("{},{code}", login.password),
        }
    }
}

/// What a reply must carry beside its Response Authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Replies {
    /// A Message-Authenticator.
    Signed,
    /// A valid Message-Authenticator, or none.
    SignedOrNot,
}

/// What came of a job.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Logins that were let in.
    pub accepted: usize,
    /// From the first login's begin to the last one's end.
    pub seconds: f64,
    /// How long each login took, in microseconds.
    pub micros: Vec<f64>,
}

/// The whole life of a program: reads its job, does it and says what was measured.
pub fn run<J: DeserializeOwned>(work: fn(&J) -> Result<Measured, BenchError>) -> Result<(), BenchError> {
    let job = serde_json::from_reader(io::stdin().lock()).map_err(BenchError::Job)?;
    let measured = work(&job)?;
    serde_json::to_writer(io::stdout().lock(), &measured).map_err(BenchError::Answer)
}
