//! What every long-lived server is made of: a command line, fewer rights, signals to wait for, threads, a log, a word to
//! systemd, and the configuration in force.

mod awaited;
mod desk;
mod error;
mod heads;
pub mod limits;
mod log;
mod notify;
mod program;
mod rights;
mod sending;
mod signals;
mod threads;
mod world;

pub use awaited::Awaited;
pub use desk::Desk;
pub use error::DaemonError;
pub use heads::Heads;
pub use log::Log;
pub use program::{Command, Options, Prepared, Program};
pub use rights::Start;
pub use sending::{GatewayReport, Sending, SendingReport};
pub use signals::{Event, Signals};
pub use threads::{Serving, Started, Threads, Workers, spawn};
pub use world::{World, keep};
