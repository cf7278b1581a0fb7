//! Tests of what this crate promises to the others.

mod chains;
mod comparison;
mod documentation;
mod rendering;
mod restores;
mod sinks;
mod surplus;
