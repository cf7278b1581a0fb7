//! What the programs of `cargo xtask bench` have in common: a job comes as JSON on standard input, what was measured
//! goes as JSON to standard output.

mod codes;
mod error;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use codes::{CodeOf, codes, secret_octets, secret_of};
pub use error::BenchError;

/// Names the file in which the preloaded library counts.
pub const FSYNC_COUNT_VARIABLE: &str = "BENCH_FSYNCS";
/// The length of that file: one number in the machine's order.
pub const FSYNC_COUNT_OCTETS: usize = 8;
/// Says how many microseconds each durable write waits longer than the disk.
pub const FSYNC_WAIT_VARIABLE: &str = "BENCH_FSYNC_MICROS";

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
    /// What the questions of a login are answered with.
    pub form: Form,
    /// When the first login begins, so that several processes begin together; at once where this has passed.
    pub begin_at: SystemTime,
    /// In this order.
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

/// Accounts to be made in a store of ours.
#[derive(Debug, Serialize, Deserialize)]
pub struct AccountsJob {
    /// The settings that name the store.
    pub settings: PathBuf,
    /// Names are this with a number.
    pub family: String,
    /// How many, numbered from 0.
    pub count: usize,
}

/// How the password and the code are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// The code alone, to whatever is asked.
    Code,
    /// `password,code` in one.
    PasswordAndCode,
    /// The password, and the code to the question that follows.
    PasswordThenCode,
}

impl Form {
    /// What the first question is answered with, and what every later one.
    #[must_use]
    pub fn answers(self, login: &Login, code: &str) -> [String; 2] {
        let first = match self {
            Self::Code => code.to_owned(),
            Self::PasswordAndCode => format!("{},{code}", login.password),
            Self::PasswordThenCode => login.password.clone(),
        };
        [first, code.to_owned()]
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
    /// How long it took until the second question was asked, in microseconds; of logins that were asked one.
    pub question_micros: Vec<f64>,
}

/// The whole life of a program: reads its job, does it and says what was measured.
pub fn run<J: DeserializeOwned, M: Serialize>(
    work: fn(&J) -> Result<M, BenchError>,
) -> Result<(), BenchError> {
    let job = serde_json::from_reader(io::stdin().lock()).map_err(BenchError::Job)?;
    let measured = work(&job)?;
    serde_json::to_writer(io::stdout().lock(), &measured).map_err(BenchError::Answer)
}

/// Sleeps until a moment; returns at once where it has passed.
pub fn wait_until(moment: SystemTime) {
    thread::sleep(moment.duration_since(SystemTime::now()).unwrap_or_default());
}
