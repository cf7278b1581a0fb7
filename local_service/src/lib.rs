//! The local door: one request and one reply for each connection, from PAM callers of any user of this machine.
//!
//! `gate` reads all connections in one thread and waits for nobody; `queue` gives users their turns; workers ask the
//! engine. `caller` says who may try whom. `common` decides; nothing is kept between two rounds.
#![forbid(unsafe_code)]

pub mod caller;
pub mod connection;
pub mod counters;
pub mod error;
pub mod gate;
pub mod limits;
pub mod program;
pub mod queue;
pub mod refusals;
pub mod server;
pub mod service;
pub mod socket;
pub mod worker;

pub use error::ServiceError;
pub use program::PROGRAM;

/// The service's own log.
pub const LOG: assembly::daemon::Log = PROGRAM.log();
