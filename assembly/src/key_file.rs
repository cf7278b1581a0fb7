//! The file with the master keys: outside of the database, readable by its owner alone.
//!
//! One key a line, newest first: the id, a space, 32 octets in base64. Lines that begin with `#` are comments.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

use common::keys::{KEY_OCTETS, KeyId, KeyRing, MasterKey};
use common::ports::Random;
use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::AssemblyError;

/// Octets that a key file may have: some dozens of keys with comments.
const FILE_OCTETS_MAX: u64 = 16 * 1024;

const HEADER: &str = "\
# Countersign master keys, newest first: id, space, 32 octets in base64.\n\
# Whoever has this file and the database has every secret. Without it nobody can log in: keep a copy offline.\n";

/// Makes a key file with one new key, of `owner` (a uid) or of whoever calls. An existing file is never touched.
/// The owner is set through the open file: in a folder of the owner, the path could name another one by then.
pub fn create(path: &Path, random: &dyn Random, owner: Option<u32>) -> Result<KeyRing, AssemblyError> {
    let octets = new_key(random);
    let line = Zeroizing::new(format!("1 {}\n", *Zeroizing::new(BASE64.encode(octets.as_slice()))));
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(HEADER.as_bytes())?;
        file.write_all(line.as_bytes())?;
        fchown(&file, owner, None)?;
        file.sync_all()?;
        // The name must last as long as what is sealed under it.
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    written().map_err(|source| AssemblyError::WriteKeys { path: path.to_owned(), source })?;
    Ok(KeyRing::new(MasterKey { id: KeyId(1), octets }, Vec::new()))
}

fn new_key(random: &dyn Random) -> Zeroizing<[u8; KEY_OCTETS]> {
    let mut octets = Zeroizing::new([0; KEY_OCTETS]);
    random.fill(octets.as_mut_slice());
    octets
}

/// Reads a key file. `owner` is the uid that it must belong to, if not to root.
pub fn read(path: &Path, owner: u32) -> Result<KeyRing, AssemblyError> {
    let failed = |source| AssemblyError::ReadKeys { path: path.to_owned(), source };
    let file = OpenOptions::new()
        .read(true)
        // A pipe in its place must not make every login wait.
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK)
        .open(path)
        .map_err(failed)?;
    check_rights(&file, path, owner)?;
    let mut text = Zeroizing::new(String::new());
    let read = file.take(FILE_OCTETS_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    // A file that is cut would lose its older keys without a word.
    let whole = u64::try_from(read).is_ok_and(|octets| octets <= FILE_OCTETS_MAX);
    let keys = whole.then(|| parse(&text)).flatten();
    keys.ok_or_else(|| AssemblyError::KeysUnreadable { path: path.to_owned() })
}

fn check_rights(file: &File, path: &Path, owner: u32) -> Result<(), AssemblyError> {
    let metadata =
        file.metadata().map_err(|source| AssemblyError::ReadKeys { path: path.to_owned(), source })?;
    let owned = metadata.uid() == 0 || metadata.uid() == owner;
    if !metadata.is_file() || !owned || metadata.mode() & 0o077 != 0 {
        return Err(AssemblyError::KeysExposed { path: path.to_owned() });
    }
    Ok(())
}

/// The keys in the text of a key file; `None` where one line is wrong, or there is no key.
#[must_use]
pub fn parse(text: &str) -> Option<KeyRing> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys = lines.map(key_of_line).collect::<Option<Vec<_>>>()?;
    let ids: BTreeSet<_> = keys.iter().map(|key| key.id).collect();
    if ids.len() < keys.len() {
        return None;
    }
    let mut keys = keys.into_iter();
    let newest = keys.next()?;
    Some(KeyRing::new(newest, keys.collect()))
}

fn key_of_line(line: &str) -> Option<MasterKey> {
    let (id, encoded) = line.split_once(' ')?;
    let decoded = Zeroizing::new(BASE64.decode(encoded.trim().as_bytes()).ok()?);
    let mut octets = Zeroizing::new([0; KEY_OCTETS]);
    if decoded.len() != KEY_OCTETS {
        return None;
    }
    octets.copy_from_slice(&decoded);
    Some(MasterKey { id: KeyId(id.parse().ok()?), octets })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::system::SystemRandom;

    fn own_uid(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().uid()
    }

    #[test]
    fn a_new_key_file_is_private_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let made = create(&path, &SystemRandom, None).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = read(&path, own_uid(&path)).unwrap();
        let purpose = common::keys::Purpose::Chain;
        assert_eq!(made.derive(KeyId(1), purpose).unwrap(), again.derive(KeyId(1), purpose).unwrap());
        assert!(matches!(create(&path, &SystemRandom, None), Err(AssemblyError::WriteKeys { .. })));
    }

    /// Root gives it away; anybody else can only keep it, and may say so.
    #[test]
    fn a_new_key_file_belongs_to_the_owner_that_was_named() {
        let folder = tempfile::tempdir().unwrap();
        let own = own_uid(folder.path());
        let owner = if own == 0 { 12_345 } else { own };
        let path = folder.path().join("master.key");
        let _ = create(&path, &SystemRandom, Some(owner)).unwrap();
        assert_eq!(own_uid(&path), owner);
        assert!(read(&path, owner).is_ok());
    }

    #[test]
    fn a_key_file_that_others_can_read_or_that_is_a_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let _ = create(&path, &SystemRandom, None).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(read(&link, own_uid(&path)), Err(AssemblyError::ReadKeys { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path, own_uid(&path)), Err(AssemblyError::KeysExposed { .. })));
    }

    #[test]
    fn older_keys_stay_live_and_a_broken_line_spoils_the_file() {
        let key = BASE64.encode(&[1; 32]);
        let ring = parse(&format!("# note\n2 {key}\n1 {key}\n")).unwrap();
        assert_eq!(ring.ids().collect::<Vec<_>>(), [KeyId(2), KeyId(1)]);
        let twice = format!("1 {key}\n1 {key}");
        for broken in
            [format!("x {key}"), "1 AAAA".to_owned(), format!("1 {key}\nrubbish"), twice, String::new()]
        {
            assert!(parse(&broken).is_none(), "{broken}");
        }
    }
}
