//! Limits with a name. Files of root's are read, but a copy of a machine may come from anywhere, and no file is too odd.

/// Octets of one file; distributions' longest have some kilobytes.
pub const FILE_OCTETS_MAX: u64 = 256 * 1024;

/// Entries of one folder that are looked at.
pub const ENTRIES_MAX: usize = 2_000;

/// How deep PAM files may include others: libpam gives up there (`PAM_SUBSTACK_MAX_LEVEL`).
pub const PAM_DEPTH_MAX: usize = 16;

/// Lines of one stack, with all that it includes.
pub const STEPS_MAX: usize = 500;

/// How deep sshd_config may include others (sshd's `SERVCONF_MAX_DEPTH`).
pub const SSHD_DEPTH_MAX: usize = 16;

/// Lines of sshd_config, with all that it includes.
pub const SSHD_LINES_MAX: usize = 20_000;

/// Different proofs and conditions of one stack: every mix of them is tried, which doubles with each.
pub const ATOMS_MAX: usize = 9;

/// Situations of one stack that are followed for one mix.
pub const SITUATIONS_MAX: usize = 20_000;
