//! Everything that a gateway or a crowd of messages could make grow has its limit here, with a name.

use std::time::Duration;

/// Octets of an answer that are looked at.
pub(crate) const ANSWER_OCTETS_MAX: u64 = 16 * 1024;
/// Octets of what a program prints that are kept.
pub(crate) const OUTPUT_OCTETS_MAX: usize = 4096;
/// Characters of an answer that are shown to whoever tries a gateway out.
pub(crate) const SAID_CHARACTERS_MAX: usize = 400;
/// For how long a gateway that has failed is passed over at first; doubled each time up to the next.
pub(crate) const PASSED_OVER_FIRST: Duration = Duration::from_secs(30);
/// For how long a gateway is passed over at most.
pub(crate) const PASSED_OVER_MAX: Duration = Duration::from_secs(300);
/// Failures in a row that may be the message's fault, after which a gateway is passed over nevertheless.
pub(crate) const DOUBTS_MAX: u32 = 3;
/// Messages of one channel that are being handed over at one time by this process.
pub(crate) const WORKERS_PER_CHANNEL: usize = 2;
/// Messages of one channel that wait in this process; more of them stay in the outbox.
pub(crate) const WAITING_PER_CHANNEL: usize = 16;
/// Messages that are taken from the outbox at one time.
pub(crate) const CLAIMED_AT_ONCE: u32 = 16;
/// Seconds of a lease beyond what the gateways of a channel may take together.
pub(crate) const LEASE_MARGIN_SECONDS: u64 = 60;
/// How often the outbox is looked at without being told of a message.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How long a message waits after it was written, so that the reply to whoever asked for it is out first.
pub(crate) const REPLY_GRACE: Duration = Duration::from_millis(150);
/// How often it is tried to say what became of a message before its lease is left to end.
pub(crate) const SETTLE_TRIES: u32 = 5;
/// Seconds until a message that nobody took is tried again, at first and at most; between them, half its age.
pub(crate) const AGAIN_SECONDS: std::ops::RangeInclusive<u64> = 3..=300;
/// Seconds after which a message that this key file does not open is looked at again.
pub(crate) const UNREADABLE_SECONDS: u64 = 60;
/// How long handing over may still take when the server stops.
pub(crate) const STOP_PATIENCE: Duration = Duration::from_secs(5);
