//! Everything that is read from outside, as targets for a coverage-guided fuzzer: what a target promises must hold for
//! every input. `cargo xtask fuzz` makes up inputs, the tests replay the corpus. A target knows no file and no clock.
#![forbid(unsafe_code)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a target fails by panicking"
)]

mod attributes;
mod config;
mod doors;
mod import;
mod input;
mod local_request;
mod module_arguments;
mod packet;
mod pam_stack;
mod people;
mod prompt_answers;
mod sshd_config;
mod state;
// The small world of `common`'s own tests, compiled here once more: a store in memory, a clock to turn, people with
// passwords. It stands on what `common` shows to everybody, so that nothing has to be opened for it.
#[allow(dead_code, clippy::as_conversions, reason = "the tests of `common` use all of it, and may")]
#[path = "../../common/src/world/mod.rs"]
mod world;

// What that world names as if it were at home.
#[allow(clippy::wildcard_imports, reason = "whatever it comes to name is there")]
use common::*;

/// A target: its name, which is that of its folder in `corpus/`, and what it does with an input.
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Panics where the product does not keep what the target promises.
    pub run: fn(&[u8]),
}

/// All targets, in the order of the alphabet.
pub const TARGETS: &[Target] = &[
    Target { name: "attributes", run: attributes::run },
    Target { name: "config", run: config::run },
    Target { name: "import", run: import::run },
    Target { name: "local_request", run: local_request::run },
    Target { name: "module_arguments", run: module_arguments::run },
    Target { name: "packet", run: packet::run },
    Target { name: "pam_stack", run: pam_stack::run },
    Target { name: "prompt_answers", run: prompt_answers::run },
    Target { name: "sshd_config", run: sshd_config::run },
    Target { name: "state", run: state::run },
];

/// The target of a name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
