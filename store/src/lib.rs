//! Accounts, spent codes and records in SQLite, behind the ports of `common`.
//!
//! Several processes use one store at once. Nothing here decides a login, opens a secret or asks the clock:
//! moments come with the bundles, and a restore asks a clock that it is given.
#![forbid(unsafe_code)]

mod accounts;
mod break_glass;
mod caps;
mod carry_over;
mod change;
mod connection;
mod deadline;
mod error;
mod examination;
mod files;
mod group;
mod holder;
mod key_check;
mod lanes;
mod leases;
mod limits;
mod loading;
mod mark;
mod opened;
mod outbox;
mod pen;
mod queue;
mod records;
mod reserve;
mod restore;
mod schema;
mod sent;
mod slot;
mod spent;
mod sqlite;
mod staging;
mod tallies;
mod tickets;
mod trouble;
mod writing;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(test)]
mod tests;

pub use break_glass::{
    BreakGlassError, BreakGlassFile, BreakGlassKey, Kept, Made, STREAM as BREAK_GLASS_STREAM, Survey,
    is_copy_of,
};
pub use error::SqliteError;
pub use examination::{Examination, Figures, Finding};
pub use key_check::KeyCheck;
pub use limits::{OPERATION_WAIT, WRITING_WAIT};
pub use opened::Rollback;
pub use restore::{RecoveryCodes, Restored, Restoring};
pub use sqlite::{Process, Sqlite, SqliteOptions};
pub use trouble::Trouble;
