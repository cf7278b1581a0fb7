//! The passphrase of a file with sealed secrets: asked for at a terminal, else a line of standard input or of a file. It never
//! stands on the command line, where others could read it.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::Secret;
use common::limits::PASSPHRASE_CHARACTERS_MIN;
use common::passphrase::Passphrase;

use crate::failure::Failure;
use crate::terminal::{self, Seat};

/// Rights that make a passphrase everybody's.
const RIGHTS_OF_OTHERS: u32 = 0o077;

/// A passphrase to seal with: typed twice at a terminal.
pub(crate) fn new(file: Option<&Path>) -> Result<Passphrase, Failure> {
    if let Some(path) = file {
        return Ok(Passphrase::parse(first_line(path)?)?);
    }
    let question = format!("Passphrase for the secrets ({PASSPHRASE_CHARACTERS_MIN} characters at least): ");
    // Whoever hears that it is too short need not type it again.
    let passphrase = Passphrase::parse(terminal::secret(&question, "passphrase")?)?;
    if terminal::seat() == Seat::Terminal
        && terminal::secret("The same once more: ", "passphrase")? != *passphrase.typed()
    {
        return Err(Failure::PassphrasesDiffer);
    }
    Ok(passphrase)
}

/// The passphrase that a file was sealed with.
pub(crate) fn known(file: Option<&Path>) -> Result<Secret, Failure> {
    match file {
        Some(path) => first_line(path),
        None => terminal::secret("Passphrase of the file: ", "passphrase"),
    }
}

/// A pipe, as a shell makes it of `<(…)`, belongs to nobody else.
fn first_line(path: &Path) -> Result<Secret, Failure> {
    let file = File::open(path).map_err(Failure::file("open", path))?;
    let metadata = file.metadata().map_err(Failure::file("look at", path))?;
    if metadata.is_file() && metadata.permissions().mode() & RIGHTS_OF_OTHERS != 0 {
        return Err(Failure::OpenToOthers(path.to_owned()));
    }
    terminal::first_line(file).map_err(Failure::file("read", path))
}
