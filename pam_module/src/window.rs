//! The terminal on which an application prints information messages: its size, and whether it shows blocks.
//!
//! Only a terminal that is the transaction's own counts. What goes into a file or to another program is no picture, and it
//! would hold a secret.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Component, Path, PathBuf};
use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _};

use common::qr::Room;
use nix::sys::stat::{SFlag, fstat};
use nix::sys::termios::{InputFlags, tcgetattr};

use crate::ffi;

const DEVICES: &str = "/dev";

/// The size of the terminal of this name (`PAM_TTY`), where standard output is that terminal and it takes UTF-8.
pub(crate) fn room(name: &[u8]) -> Option<Room> {
    let output = io::stdout();
    let terminal = device(&path_of(name)?)?;
    let printed_on = fstat(output.as_fd()).ok()?;
    let is_device = SFlag::from_bits_truncate(printed_on.st_mode) & SFlag::S_IFMT == SFlag::S_IFCHR;
    if !is_device || printed_on.st_rdev != terminal {
        return None;
    }
    // Terminals and the kernel's console set this where they take UTF-8 (termios(3)); locales are root's here.
    let is_utf8 = tcgetattr(output.as_fd()).ok()?.input_flags.contains(InputFlags::IUTF8);
    let (columns, rows) = ffi::window_size(output.as_fd()).filter(|_| is_utf8)?;
    Some(Room { columns: columns.into(), rows: rows.into() })
}

/// `tty1`, `pts/3` or `/dev/pts/3`; nothing else is a terminal.
fn path_of(name: &[u8]) -> Option<PathBuf> {
    let path = Path::new(DEVICES).join(OsStr::from_bytes(name));
    let mut parts = path.strip_prefix(DEVICES).ok()?.components();
    parts.all(|part| matches!(part, Component::Normal(_))).then_some(path)
}

fn device(path: &Path) -> Option<u64> {
    let metadata = fs::symlink_metadata(path).ok()?;
    metadata.file_type().is_char_device().then(|| metadata.rdev())
}

#[cfg(test)]
mod tests {
    use super::{path_of, room};

    #[test]
    fn a_terminal_is_named_with_or_without_its_folder() {
        let path = |name: &str| path_of(name.as_bytes()).map(|path| path.display().to_string());
        assert_eq!(path("tty1").as_deref(), Some("/dev/tty1"));
        assert_eq!(path("pts/3").as_deref(), Some("/dev/pts/3"));
        assert_eq!(path("/dev/pts/3").as_deref(), Some("/dev/pts/3"));
        for other in ["/etc/passwd", "../etc/passwd", "/dev/../etc/passwd"] {
            assert_eq!(path(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_terminal_shows_no_picture() {
        for name in [":0", "ssh", "", "null", "/dev/null"] {
            assert_eq!(room(name.as_bytes()), None, "{name}");
        }
    }
}
