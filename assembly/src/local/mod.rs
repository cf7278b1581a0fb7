//! What `pam_countersign.so` and `countersign-local` have in common: the errand of a PAM caller, what the core is told
//! of it, and the frames between the two. The module falls back on the same when it goes to the store by itself.

mod decision;
mod errand;
pub mod wire;

pub use decision::decide;
pub use errand::{Case, Errand, Hindered, case, is_known, is_user};
pub use wire::{Malformed, Manner, Reply, Request, Round};

use std::time::Duration;

/// How long the service may take to say that a request is there: one that hangs is away.
pub const TAKING_PATIENCE: Duration = Duration::from_secs(3);

/// How long a login may take at the service, first password and disk included: longer than a backend may
/// take, so that the service is the one to say that it could not tell.
pub const ANSWER_PATIENCE: Duration = Duration::from_secs(20);
