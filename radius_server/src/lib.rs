//! The RADIUS door: clients, the order of checks, duplicates, and what each verdict is on the wire.
//!
//! It renders prompts and carries answers; `common` decides. The parts without I/O are `admission`, `request`,
//! `decision`, `duplicates`, `queue`, `drop_log`; the others are sockets, threads and the process around them.
#![forbid(unsafe_code)]

pub mod admission;
pub mod clients;
pub mod counters;
pub mod decision;
pub mod drop_log;
pub mod duplicates;
pub mod error;
pub mod exit;
pub mod floor;
pub mod health;
pub mod limits;
pub mod program;
pub mod queue;
pub mod receiver;
pub mod request;
pub mod server;
pub mod service;
pub mod socket;
pub mod stats;
pub mod worker;
pub mod world;

pub use error::ServerError;
pub use program::PROGRAM;

/// The server's own log.
pub const LOG: assembly::daemon::Log = PROGRAM.log();
