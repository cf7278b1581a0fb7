//! The conformance suite, over connections of both kinds.

use super::support::Yard;
use crate::{Process, conformance};

#[test]
fn short_lived_processes_conform() {
    conformance::check(|| Yard::new(Process::ShortLived));
}

#[test]
fn long_lived_processes_conform() {
    conformance::check(|| Yard::new(Process::LongLived));
}
