//! How long this engine waits and how far its files grow, each with a name.

use std::time::Duration;

/// Newest records of each stream that are looked through for the sign-ins of one user.
pub(crate) const RECORDS_LOOKED_THROUGH: u32 = 5000;
/// How long whoever reads or writes waits from the moment that it is handed in: for other threads of the process and for
/// other processes together.
pub const OPERATION_WAIT: Duration = Duration::from_secs(5);
/// How much longer somebody waits whose work another thread is writing already. A disk that takes even longer leaves its
/// outcome unknown: it may have been written, or be written a little later.
pub const WRITING_WAIT: Duration = Duration::from_secs(5);
/// How many can wait in order; those beyond them come to the last step in no order.
pub(crate) const ENTRANCE_STEPS: i64 = 16;
/// How long whoever is next sleeps before it looks again, at first.
pub(crate) const QUEUE_PAUSE_AT_FRONT: Duration = Duration::from_micros(100);
/// How long those behind sleep before they look again, at first.
pub(crate) const QUEUE_PAUSE_BEHIND: Duration = Duration::from_micros(400);
/// How long anybody in the queue sleeps at most.
pub(crate) const QUEUE_PAUSE_MAX: Duration = Duration::from_millis(4);
/// How long SQLite's own locks are waited for. Writers have queued before, so this is met by checkpoints and recovery only.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(2);
/// How long a checkpoint waits for readers; a later commit tries again.
pub(crate) const CHECKPOINT_WAIT: Duration = Duration::from_millis(20);
/// How long the queue is watched for somebody who does not leave it.
pub(crate) const HOLDER_WAIT: Duration = Duration::from_secs(1);
/// Octets of write-ahead log that a short-lived process leaves behind: each opening reads it all.
pub(crate) const LOG_OCTETS_SHORT: u64 = 256 * 1024;
/// Octets of write-ahead log that a short-lived process leaves behind while others wait for their turn.
pub(crate) const LOG_OCTETS_CROWDED: u64 = 1024 * 1024;
/// Octets of write-ahead log that a long-lived process leaves behind.
pub(crate) const LOG_OCTETS_LONG: u64 = 16 * 1024 * 1024;
/// Octets of the file of the log beyond which it is cut when the log is emptied. Below that it keeps its blocks.
pub(crate) const LOG_FILE_OCTETS: u64 = 2 * LOG_OCTETS_LONG;
/// Octets of write-ahead log beyond which nothing is written before readers have let it be emptied.
pub(crate) const LOG_OCTETS_MAX: u64 = 64 * 1024 * 1024;
/// How long a writer waits for readers once the log has reached [`LOG_OCTETS_MAX`].
pub(crate) const READERS_WAIT: Duration = Duration::from_secs(2);
/// Threads for whom one of them writes in one transaction, besides itself.
pub(crate) const GROUP_MAX: usize = 256;
/// How long old rows gather before a bundle carries some away.
pub(crate) const PURGE_SECONDS: u64 = 900;
/// Old rows that a bundle then carries away, of each kind: more than it adds, so the tables shrink.
pub(crate) const PURGED_PER_BUNDLE: usize = 64;
/// Messages that one claim looks at: expired ones are dropped as it goes, and what is left is for the next claim.
pub(crate) const CLAIM_LOOKS_AT_MAX: usize = 1024;
/// Octets kept beside the store for the day when the disk is full: enough for 5,000 accepts, as a test shows.
pub(crate) const RESERVE_OCTETS: u64 = 8 * 1024 * 1024;
/// Octets of the reserve that are given up at first for a write that does not fit; twice as many each time it still does not.
pub(crate) const RESERVE_SLICE: u64 = 256 * 1024;
/// Octets of the reserve that one write takes back on a disk that has space.
pub(crate) const RESERVE_TAKEN: u64 = 512 * 1024;
/// Octets by which the reserve grows at once, while there is space.
pub(crate) const RESERVE_PIECE: u64 = 64 * 1024;
/// Lanes beyond which a new one takes the place of an older one on a full disk, so that the table does not grow into the
/// reserve. Whoever guesses would have to bring as many others between two guesses for their own lane to be forgotten.
pub(crate) const LANES_MAX_WHEN_FULL: u32 = 4096;
