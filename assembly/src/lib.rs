//! Settings to engine: the one place that knows every backend. Doors see the middle of the program through here only.

#[cfg(feature = "pam")]
mod away;
#[cfg(any(feature = "pam", feature = "server"))]
mod backend;
#[cfg(any(feature = "pam", feature = "server"))]
mod break_glass_file;
#[cfg(feature = "server")]
pub mod daemon;
mod error;
#[cfg(feature = "delivery")]
pub mod gateways;
pub mod key_file;
pub mod local;
#[cfg(any(feature = "office", feature = "server"))]
mod lost;
#[cfg(any(feature = "pam", feature = "server"))]
mod nobody;
pub mod places;
#[cfg(any(feature = "pam", feature = "server"))]
mod sinks;
mod system;

#[cfg(feature = "office")]
mod books;
#[cfg(feature = "office")]
mod office;
#[cfg(feature = "pam")]
mod pam;

#[cfg(feature = "office")]
pub use books::Books;
pub use error::AssemblyError;
#[cfg(feature = "office")]
pub use office::{Office, break_glass, copy_store, examination, office, restoring};
#[cfg(feature = "pam")]
pub use pam::{STREAM as MAIN_STREAM, engine_for_pam};
pub use system::{SystemClock, SystemRandom};

// Doors depend on `assembly`, not on what it joins: these are the parts that they render or hand on.
#[cfg(feature = "delivery")]
pub use delivery;
#[cfg(feature = "office")]
pub use doctor;
pub use {audit, config, primary, store};
