//! Whether this server as a whole can decide logins. Where it cannot, it is silent, also to Status-Server (RFC 5997):
//! clients go to their next server then. What one account lacks, such as a key that opens its secrets, says nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use common::{Reason, Verdict};

/// The last that was seen of store and keys.
#[derive(Debug)]
pub struct Health(AtomicBool);

impl Default for Health {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Health {
    /// Takes note of a verdict. A decision was written, or else is none; a question may have been put without a write. Only
    /// what concerns every login counts: a lost primary is answered by profile.
    pub fn saw(&self, verdict: &Verdict) {
        match verdict {
            Verdict::Accept(_) | Verdict::Reject(_) => self.set(true),
            Verdict::Unavailable(Reason::StoreUnavailable | Reason::ClockBehind) => self.set(false),
            Verdict::Unavailable(_) => {}
        }
    }

    /// Store, keys and clock have been tried without a login.
    pub fn probed<T, E>(&self, probe: &Result<T, E>) {
        self.set(probe.is_ok());
    }

    /// Whether logins can be decided, as far as is known.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, good: bool) {
        self.0.store(good, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Health, Reason, Verdict};

    #[test]
    fn a_lost_store_shows_until_a_login_is_decided_again() {
        let health = Health::default();
        health.saw(&Verdict::Unavailable(Reason::StoreUnavailable));
        assert!(!health.is_good());
        health.saw(&Verdict::Unavailable(Reason::BackendUnavailable));
        assert!(!health.is_good());
        health.saw(&Verdict::Reject(Reason::WrongCode));
        assert!(health.is_good());
    }

    #[test]
    fn an_account_whose_secret_does_not_open_concerns_nobody_else() {
        let health = Health::default();
        health.saw(&Verdict::Unavailable(Reason::KeyUnavailable));
        assert!(health.is_good());
    }
}
