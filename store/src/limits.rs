//! How long this engine waits and how far its files grow, each with a name.

use std::time::Duration;

/// How long a writer waits for its turn before the store counts as unavailable.
pub(crate) const QUEUE_WAIT: Duration = Duration::from_secs(5);
/// How long a waiting writer sleeps before it looks again.
pub(crate) const QUEUE_PAUSE: Duration = Duration::from_micros(500);
/// How long SQLite's own locks are waited for. Writers have queued before, so this is met by checkpoints and recovery only.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(2);
/// How long a checkpoint waits for readers; the next commit tries again.
pub(crate) const CHECKPOINT_WAIT: Duration = Duration::from_millis(20);
/// Octets of write-ahead log that a short-lived process leaves behind: each opening reads it all.
pub(crate) const LOG_OCTETS_SHORT: u64 = 256 * 1024;
/// Octets of write-ahead log that a long-lived process leaves behind.
pub(crate) const LOG_OCTETS_LONG: u64 = 16 * 1024 * 1024;
/// Threads for whom one of them writes in one transaction, besides itself.
pub(crate) const GROUP_MAX: usize = 256;
/// Old rows that each bundle carries away, of each kind: more than it adds, so the tables shrink.
pub(crate) const PURGED_PER_BUNDLE: usize = 4;
