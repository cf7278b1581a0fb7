//! The parts of the bench, and what each is good for.

use serde::{Deserialize, Serialize};
use test_ground::Machine;

use crate::bench::figures::Table;
use crate::bench::{Options, bulk, crowd, pam, radius, timing};
use crate::problem::Problem;

/// What `cargo xtask bench --help` prints.
pub(super) const HELP: &str = "\
cargo xtask bench [--long] [--json] [--up-to ACCOUNTS] [PART...]

Measures logins beside the peers that administrators use today, in a throw-away copy of this machine, and prints tables
with medians, p99s, fsyncs for each login and ratios. Without a PART: all of them, in this order.

  pam      one login after the other by PAM, among 10 and 1,000 accounts, with --long also 100,000 and 1,000,000: ours
           without its service and with it, libpam-google-authenticator, pam_oath, and pam_permit for what libpam costs.
           1 minute; with --long 10, and 3 GB of disk
  crowd    eight processes at once by PAM, on this disk and on one whose fsyncs take 2 ms longer, among 1,000 accounts, with
           --long 10,000. 1 minute
  radius   a server that is kept busy, beside FreeRADIUS: codes alone, and passwords with a code. 1 minute; with --long 4
  timing   known names beside unknown ones, at both doors: whether the time tells who is known. 1 minute; with --long 2
  bulk     one command that makes, changes and lists 10,000 accounts, with --long 100,000: time, peak memory, and what a
           second run does. 1 minute

  --long            three times as many rounds, and more accounts
  --up-to ACCOUNTS  leaves out what needs more accounts: `--long --up-to 100000 pam`
  --json            the same for programs

Building comes first and takes some minutes once. What goes on is told on standard error. State is below the target
folder, on its disk, and goes when the bench ends; what an interrupted one has left goes when the next one begins. Nothing
is asserted: compare ratios of one run, on a machine that does nothing else.";

/// A part that can be run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Part {
    Pam,
    Crowd,
    Radius,
    Timing,
    Bulk,
}

impl Part {
    pub(super) const ALL: [Self; 5] = [Self::Pam, Self::Crowd, Self::Radius, Self::Timing, Self::Bulk];

    const fn name(self) -> &'static str {
        match self {
            Self::Pam => "pam",
            Self::Crowd => "crowd",
            Self::Radius => "radius",
            Self::Timing => "timing",
            Self::Bulk => "bulk",
        }
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == word)
    }

    pub(super) fn table(self, machine: &Machine, options: &Options) -> Result<Table, Problem> {
        match self {
            Self::Pam => pam::table(machine, options),
            Self::Crowd => crowd::table(machine, options.length),
            Self::Radius => radius::table(machine, options.length),
            Self::Timing => timing::table(machine, options.length),
            Self::Bulk => bulk::table(machine, options.length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HELP, Part};

    #[test]
    fn the_help_tells_every_part() {
        for part in Part::ALL {
            assert_eq!(Part::named(part.name()), Some(part));
            assert!(HELP.lines().any(|line| line.starts_with(&format!("  {} ", part.name()))), "{part:?}");
        }
    }
}
