//! The wall clock and the kernel's randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use common::UnixTime;
use common::ports::{Clock, Random};

/// `CLOCK_REALTIME`.
pub struct SystemClock;

impl Clock for SystemClock {
    /// A clock before 1970 reads as the epoch, which lies before every floor that has ever been raised.
    fn now(&self) -> UnixTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixTime::from_seconds(since.as_secs())
    }
}

/// `getrandom(2)`.
pub struct SystemRandom;

impl Random for SystemRandom {
    /// Without randomness there is no safe way on: the panic ends in a refusal in every door.
    #[expect(clippy::panic, reason = "a predictable key would be worse; every door guards against panics")]
    fn fill(&self, octets: &mut [u8]) {
        if getrandom::fill(octets).is_err() {
            panic!("the kernel gives no randomness");
        }
    }
}
