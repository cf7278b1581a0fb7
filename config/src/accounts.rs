//! Accounts as a file declares them: `reading` takes a file apart with all mistakes at once, `writing` makes one of the same
//! form. The secrets of factors stand in it sealed to a passphrase, or not at all.

mod keys;
mod reading;
mod token;
mod writing;

#[cfg(test)]
mod tests;

use common::Username;
use common::acts::Declaration;

pub use keys::KEYS;
pub use reading::read;
pub use writing::{Sealing, written, written_lock};

/// One account of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct DeclaredAccount {
    /// Whose.
    pub name: Username,
    /// What it shall be like.
    pub declaration: Declaration,
}

/// The form of sealed files that this program reads and writes.
const FORMAT: u16 = 1;
/// The word for "no end", where a moment could stand.
const NONE: &str = "none";
/// The word for a block that ends by itself at no moment.
const INDEFINITELY: &str = "indefinitely";
