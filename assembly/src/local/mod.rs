//! What `pam_countersign.so` and `countersign-local` have in common: the errand of a PAM caller, what the core is told
//! of it, and the frames between the two. The module falls back on the same when it goes to the store by itself.

pub mod arguments;
mod decision;
mod errand;
#[cfg(feature = "pam")]
mod service;
pub mod wire;

pub use decision::decide;
pub use errand::{Case, Errand, Hindered, case, is_known, is_user};
#[cfg(feature = "pam")]
pub use service::{Away, Service};
pub use wire::{Malformed, Manner, Reply, Request, Round};

use std::time::Duration;

/// How long the service may take to say that a request is there: one that hangs is away.
pub const TAKING_PATIENCE: Duration = Duration::from_secs(3);

/// How long a round may take at the service, first password and disk included. Whatever there gives up ends the round, so
/// this is longer than a backend, a reading and a write together: the service is the one to say that it could not tell.
/// Where all of a round is slow and nothing gives up, it is this that does, and nobody is let in.
pub const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

#[cfg(all(test, feature = "server"))]
mod tests {
    use std::time::Duration;

    use primary::HelperLimits;
    use store::{OPERATION_WAIT, WRITING_WAIT};

    use super::ANSWER_PATIENCE;

    #[test]
    fn the_service_gives_up_before_the_module_does() {
        let backend = Duration::from_secs(HelperLimits::default().answer_seconds);
        let (reading, writing) = (OPERATION_WAIT, OPERATION_WAIT + WRITING_WAIT);
        assert!(backend + reading + writing < ANSWER_PATIENCE);
    }
}
