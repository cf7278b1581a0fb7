//! Whether this server as a whole can decide logins. Where it cannot, it is silent, also to Status-Server (RFC 5997):
//! clients go to their next server then.

use std::sync::atomic::{AtomicBool, Ordering};

use common::Reason;

/// The last that was seen of store and keys.
#[derive(Debug)]
pub struct Health(AtomicBool);

impl Default for Health {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Health {
    /// Takes note of how a login went. Only what concerns every login counts: a lost primary is answered by profile.
    pub fn saw(&self, reason: Reason) {
        match reason {
            Reason::StoreUnavailable | Reason::KeyUnavailable | Reason::ClockBehind => self.set(false),
            Reason::BothProofs
            | Reason::AppPasswordAlone
            | Reason::SecondProofAlone
            | Reason::SkippedDisabled
            | Reason::SkippedNotRegistered
            | Reason::SkippedByRule
            | Reason::Retransmission
            | Reason::Challenged
            | Reason::WrongPassword
            | Reason::UnknownUser
            | Reason::NameInvalid
            | Reason::Blocked
            | Reason::DeniedByRule
            | Reason::NoUsableFactor
            | Reason::WrongCode
            | Reason::CodeAlreadyUsed
            | Reason::RecoveryCodeAlreadyUsed
            | Reason::CodeMissing
            | Reason::AppPasswordOutOfScope
            | Reason::AppPasswordPrivileged
            | Reason::MethodNotAllowed
            | Reason::NotAnAnswer
            | Reason::TooManyRounds
            | Reason::Throttled
            | Reason::SessionExpired
            | Reason::SessionSpent
            | Reason::NothingProven
            | Reason::TooManyRaces
            | Reason::Abandoned
            | Reason::ActDone
            | Reason::ActRefused => self.set(true),
            // The store may have been read before the primary was asked, or not.
            Reason::BackendUnavailable => {}
        }
    }

    /// The store has been read without a login.
    pub fn probed<T, E>(&self, read: &Result<T, E>) {
        self.set(read.is_ok());
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
    use super::{Health, Reason};

    #[test]
    fn a_lost_store_shows_until_a_login_is_decided_again() {
        let health = Health::default();
        health.saw(Reason::StoreUnavailable);
        assert!(!health.is_good());
        health.saw(Reason::BackendUnavailable);
        assert!(!health.is_good());
        health.saw(Reason::WrongCode);
        assert!(health.is_good());
    }
}
