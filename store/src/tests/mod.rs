//! Suites of this crate that need a whole store.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test, as it should")]

mod break_glass;
mod files;
mod full_disk;
mod log;
mod processes;
mod property;
mod restore;
mod sent_property;
mod sent_restore;
mod suite;
pub(crate) mod support;
mod tickets_restore;
mod trouble;
mod turns;
mod twice_restored;
