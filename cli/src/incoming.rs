//! Files that are handed in: read whole, up to a limit, and wiped, since there may be secrets in them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::Failure;

/// Octets of a file: room for some hundred thousand users with all that there is to say of them.
const FILE_OCTETS_MAX: u64 = 256 << 20;

/// Whether a path stands for standard input.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The octets of a file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if is_standard_input(path) {
        return whole(io::stdin().lock(), path);
    }
    whole(File::open(path).map_err(Failure::file("open", path))?, path)
}

fn whole(source: impl Read, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut octets = Zeroizing::new(Vec::new());
    source.take(FILE_OCTETS_MAX).read_to_end(&mut octets).map_err(Failure::file("read", path))?;
    if u64::try_from(octets.len()).unwrap_or(u64::MAX) == FILE_OCTETS_MAX {
        return Err(Failure::TooLarge { path: path.to_owned(), octets_max: FILE_OCTETS_MAX });
    }
    Ok(octets)
}
