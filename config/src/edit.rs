//! Changes `clients.toml` and keeps its comments. The new file takes the old one's place whole, or not at all;
//! what this crate would refuse to read is never written.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use common::Secret;
use common::attempt::Dialogue;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};
use zeroize::Zeroizing;

use crate::clients::Kind;
use crate::clients_toml;
use crate::error::ConfigError;
use crate::file::{Contents, SourceFile, open_regular};
use crate::finding::Severity;
use crate::keys::{
    CLIENT_ADDRESSES, CLIENT_DIALOGUE, CLIENT_KIND, CLIENT_NAME, CLIENT_PREVIOUS_SECRET, CLIENT_SECRET,
};
use crate::limits;
use crate::report::Report;
use crate::words::Word as _;

/// A client to add. Whether it is right is found out by reading the new file before it is written.
#[derive(Clone)]
pub struct NewClient {
    /// Its name.
    pub name: String,
    /// Addresses and networks, as they would be written.
    pub addresses: Vec<String>,
    /// The secret, which is UTF-8 text.
    pub secret: Secret,
    /// What it can do.
    pub kind: Kind,
    /// How much its dialogue gives away.
    pub dialogue: Dialogue,
}

/// Adds a client at the end of the file.
pub fn add_client(path: &Path, client: &NewClient) -> Result<(), ConfigError> {
    change(path, |document| {
        let mut table = Table::new();
        table.insert(CLIENT_NAME.name, value(client.name.as_str()));
        table.insert(CLIENT_ADDRESSES.name, value(client.addresses.iter().collect::<Array>()));
        table.insert(CLIENT_SECRET.name, value(secret_text(&client.name, &client.secret)?));
        table.insert(CLIENT_KIND.name, value(client.kind.word()));
        table.insert(CLIENT_DIALOGUE.name, value(client.dialogue.word()));
        append(path, document, table)
    })
}

/// What a new secret did to those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The secret before is the previous one now.
    Begun,
    /// A change was going on: the previous secret stayed, and the one that it was to become is void.
    BegunAgain,
}

/// Gives a client a new secret; the old one stays good beside it until [`drop_previous_secret`].
/// Of two changes in a row, the secret from before the first one stays: an unfinished change says that the client
/// has not taken the other yet.
pub fn rotate_secret(path: &Path, name: &str, secret: &Secret) -> Result<Rotation, ConfigError> {
    let mut rotation = Rotation::Begun;
    change(path, |document| {
        let text = secret_text(name, secret)?;
        let client = find(path, document, name)?;
        let old = client.insert(CLIENT_SECRET.name, value(text));
        if client.contains_key(CLIENT_PREVIOUS_SECRET.name) {
            rotation = Rotation::BegunAgain;
        } else if let Some(old) = old {
            client.insert(CLIENT_PREVIOUS_SECRET.name, old);
        }
        Ok(())
    })?;
    Ok(rotation)
}

/// Ends a change of secret: only the new one is good from now on.
pub fn drop_previous_secret(path: &Path, name: &str) -> Result<(), ConfigError> {
    change(path, |document| {
        find(path, document, name)?.remove(CLIENT_PREVIOUS_SECRET.name);
        Ok(())
    })
}

/// Removes a client, with the comments above it.
pub fn remove_client(path: &Path, name: &str) -> Result<(), ConfigError> {
    change(path, |document| {
        let index = position(path, document, name)?;
        let tables = tables(path, document)?;
        let heading = tables.get(index).map(heading).unwrap_or_default();
        tables.remove(index);
        if index == 0 {
            keep_heading(document, &heading);
        }
        Ok(())
    })
}

fn secret_text<'s>(name: &str, secret: &'s Secret) -> Result<&'s str, ConfigError> {
    secret.expose_text().ok_or_else(|| ConfigError::SecretNotText { name: name.to_owned() })
}

fn tables<'d>(path: &Path, document: &'d mut DocumentMut) -> Result<&'d mut ArrayOfTables, ConfigError> {
    let item = document.entry("client").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut().ok_or_else(|| ConfigError::Shape { path: path.to_owned() })
}

fn append(path: &Path, document: &mut DocumentMut, mut table: Table) -> Result<(), ConfigError> {
    // Comments at the end of the file stay above the new client.
    let above = document.trailing().as_str().unwrap_or("").to_owned();
    document.set_trailing("");
    let gap = if above.ends_with("\n\n") || (above.is_empty() && document.is_empty()) { "" } else { "\n" };
    table.decor_mut().set_prefix(format!("{above}{gap}"));
    tables(path, document)?.push(table);
    Ok(())
}

fn position(path: &Path, document: &mut DocumentMut, name: &str) -> Result<usize, ConfigError> {
    let unknown = || ConfigError::UnknownClient { path: path.to_owned(), name: name.to_owned() };
    let has_name = |table: &Table| table.get(CLIENT_NAME.name).and_then(Item::as_str) == Some(name);
    tables(path, document)?.iter().position(has_name).ok_or_else(unknown)
}

fn find<'d>(path: &Path, document: &'d mut DocumentMut, name: &str) -> Result<&'d mut Table, ConfigError> {
    let index = position(path, document, name)?;
    let unknown = || ConfigError::UnknownClient { path: path.to_owned(), name: name.to_owned() };
    tables(path, document)?.get_mut(index).ok_or_else(unknown)
}

/// The comments at the top of the file, up to the last empty line above the first client.
fn heading(first: &Table) -> String {
    let above = first.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or("");
    above.rsplit_once("\n\n").map(|(heading, _)| format!("{heading}\n\n")).unwrap_or_default()
}

fn keep_heading(document: &mut DocumentMut, heading: &str) {
    let first = document.get_mut("client").and_then(Item::as_array_of_tables_mut);
    if let Some(next) = first.and_then(|tables| tables.get_mut(0)) {
        let above = next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or("").to_owned();
        next.decor_mut().set_prefix(format!("{heading}{}", above.trim_start_matches('\n')));
    } else {
        let below = document.trailing().as_str().unwrap_or("").to_owned();
        document.set_trailing(format!("{heading}{below}"));
    }
}

/// Reads, changes, reads the result as a server would, and puts it in place.
fn change(
    path: &Path,
    edit: impl FnOnce(&mut DocumentMut) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let _lock = lock(path)?;
    let before = SourceFile::open(path, Contents::Secrets)?;
    refuse_mistakes(&before)?;
    let shape = |_| ConfigError::Shape { path: path.to_owned() };
    let mut document: DocumentMut = before.text().parse().map_err(shape)?;
    edit(&mut document)?;
    let text = Zeroizing::new(document.to_string());
    refuse_mistakes(&SourceFile::from_text(path, Contents::Secrets, text.clone()))
        .map_err(|error| not_changed(path, &error))?;
    replace(path, folder, &text)
}

/// Nobody can look up a line that was never written: what was found there stands for itself.
fn not_changed(path: &Path, error: &ConfigError) -> ConfigError {
    let errors = error.findings().iter().filter(|finding| finding.severity == Severity::Error);
    let said = errors.map(|finding| match &finding.allowed {
        Some(allowed) => format!("{} (allowed: {allowed})", finding.message),
        None => finding.message.clone(),
    });
    ConfigError::NotChanged { path: path.to_owned(), why: said.collect::<Vec<_>>().join("; ") }
}

fn refuse_mistakes(file: &SourceFile) -> Result<(), ConfigError> {
    let (mut report, root) = Report::parse(file);
    clients_toml::read(&root, &mut report);
    match report.errors() {
        0 => Ok(()),
        errors => Err(ConfigError::Mistakes { findings: report.into_findings(), errors }),
    }
}

/// Two changes at the same time would lose one. The lock is on the file itself, which strangers cannot open:
/// whoever waited for it and then holds a file that has been replaced begins again.
fn lock(path: &Path) -> Result<File, ConfigError> {
    for _ in 0..limits::LOCK_ROUNDS_MAX {
        let file = open_regular(path)?;
        let locked =
            file.lock().and_then(|()| Ok(file.metadata()?.ino() == fs::symlink_metadata(path)?.ino()));
        if locked.map_err(|source| cannot_write(path, source))? {
            return Ok(file);
        }
    }
    Err(cannot_write(path, io::Error::from(io::ErrorKind::ResourceBusy)))
}

fn replace(path: &Path, folder: &Path, text: &str) -> Result<(), ConfigError> {
    let new = folder.join(new_name(path));
    let replaced = write_like(path, &new, text).and_then(|()| fs::rename(&new, path));
    if let Err(source) = replaced {
        // The error that led here is the one to tell; a file left behind is harmless and overwritten next time.
        let _ = fs::remove_file(&new);
        return Err(cannot_write(path, source));
    }
    // The rename itself has to outlive a power cut.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| cannot_write(path, source))
}

fn new_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    PathBuf::from(format!(".{name}.new"))
}

/// Writes the new file with owner, group and mode of the old one.
fn write_like(old: &Path, new: &Path, text: &str) -> io::Result<()> {
    let metadata = open_regular(old).map_err(io::Error::other)?.metadata()?;
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) | Ok(()) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(text.as_bytes())?;
    fchown(&file, Some(metadata.uid()), Some(metadata.gid()))?;
    file.set_permissions(Permissions::from_mode(metadata.mode() & 0o7777))?;
    file.sync_all()
}

fn cannot_write(path: &Path, source: io::Error) -> ConfigError {
    ConfigError::Write { path: path.to_owned(), source }
}
