//! Records on their way out: how they look in syslog, how they get there, and whether the chain that
//! the store keeps of them is whole. Nothing here decides a login or delays one.
#![forbid(unsafe_code)]

mod anchors;
mod comparison;
mod escape;
mod fields;
mod link;
mod queue;
mod render;
mod report;
mod restores;
mod sink;
mod surplus;
#[cfg(test)]
mod tests;
mod verify;

pub use anchors::Anchors;
pub use escape::{is_invisible, visible_whole};
pub use fields::{Field, moment};
pub use link::Destination;
pub use render::{Format, Origin, Renderer};
pub use report::{AnchorsRead, Finding, Flaw, Gap, KeySpan, LostRestore, Report, StreamReport, Tail};
pub use restores::{CutOff, RESTORE, RestoreName};
pub use sink::{Counts, Lost, SyslogSink};
pub use syslog::Facility;
pub use verify::verify;

/// What can go wrong in this crate. A record that cannot be sent is none of it: that is counted.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The thread that feeds a collector could not be started.
    #[error("the thread that sends records to {destination} could not be started")]
    StartThread {
        /// The collector.
        destination: String,
        /// Why.
        source: std::io::Error,
    },
    /// The store could not give the records of a stream.
    #[error("the records of stream {stream} could not be read")]
    ReadRecords {
        /// The stream.
        stream: String,
        /// Why.
        source: common::ports::StoreError,
    },
    /// The store could not give the heads of its streams.
    #[error("the heads of the streams could not be read")]
    ReadHeads {
        /// Why.
        source: common::ports::StoreError,
    },
    /// A chain key could not be derived.
    #[error("the chain key under master key {key} could not be derived")]
    DeriveKey {
        /// The id of the master key.
        key: u32,
        /// Why.
        source: common::keys::KeyError,
    },
    /// The lines with anchors could not be read to their end.
    #[error("line {line} of the anchors could not be read")]
    ReadAnchors {
        /// The line, from 1.
        line: u64,
        /// Why.
        source: std::io::Error,
    },
}
