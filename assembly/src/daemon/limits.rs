//! What is limited in every server.

use std::time::Duration;

/// How often the heads of the chains of records go to syslog, and counted records to the store.
pub const ANCHOR_INTERVAL: Duration = Duration::from_secs(60);
/// How often that is tried while the store cannot be used.
pub const ANCHOR_IN_TROUBLE_INTERVAL: Duration = Duration::from_secs(5);
/// How long requests may still be worked on after the signal to stop.
pub const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How long the end waits for syslog to take what is left.
pub const FLUSH_PATIENCE: Duration = Duration::from_secs(2);
