//! The first files, for `countersign init`: the installed examples, with the choices made.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use common::account::State;
use toml_edit::{DocumentMut, Item, Value};

use crate::error::ConfigError;
use crate::words::{Backend, Word as _};

/// `countersign.toml` as it is installed: every key with its explanation.
pub const SETTINGS_EXAMPLE: &str = include_str!("../etc/countersign.toml");
/// `clients.toml` as it is installed: no client, and how to add one.
pub const CLIENTS_EXAMPLE: &str = include_str!("../etc/clients.toml");

/// What nobody can choose but the administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// What a user without an account is.
    pub default_state: State,
    /// Who checks the first password.
    pub backend: Backend,
    /// The name in authenticator apps.
    pub issuer: String,
}

/// The example with the choices in it, comments and all.
#[must_use]
pub fn settings_text(choices: &Choices) -> String {
    // A test holds that the example is TOML; if it were not, the text would be refused when it is read.
    let mut document: DocumentMut = SETTINGS_EXAMPLE.parse().unwrap_or_default();
    let state = choices.default_state.word();
    let choices = [
        (None, "default-state", state),
        (None, "issuer", &choices.issuer),
        (Some("primary"), "backend", choices.backend.word()),
    ];
    for (table, key, text) in choices {
        let table = match table {
            Some(name) => document.get_mut(name).and_then(Item::as_table_mut),
            None => Some(document.as_table_mut()),
        };
        if let Some(Item::Value(value)) = table.and_then(|table| table.get_mut(key)) {
            replace(value, text);
        }
    }
    document.to_string()
}

/// Puts a text in the place of a value, whose comments stay.
fn replace(value: &mut Value, text: &str) {
    let decor = value.decor().clone();
    *value = text.into();
    *value.decor_mut() = decor;
}

/// Writes a new `countersign.toml`, readable by all. An existing one is left alone.
pub fn write_settings(path: &Path, choices: &Choices) -> Result<(), ConfigError> {
    create(path, &settings_text(choices), 0o644, None)
}

/// Writes a new `clients.toml` without clients, readable by its owner and the group (a gid). An existing one is left alone.
pub fn write_clients(path: &Path, group: Option<u32>) -> Result<(), ConfigError> {
    create(path, CLIENTS_EXAMPLE, 0o640, group)
}

fn create(path: &Path, text: &str, mode: u32, group: Option<u32>) -> Result<(), ConfigError> {
    write_new(path, text, mode, group).map_err(|source| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            return ConfigError::Exists { path: path.to_owned() };
        }
        ConfigError::Write { path: path.to_owned(), source }
    })
}

/// What could not be written whole is taken away again, so that `init` can be repeated.
fn write_new(path: &Path, text: &str, mode: u32, group: Option<u32>) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    fill(file, text, mode, group).inspect_err(|_| drop(fs::remove_file(path)))
}

/// The mode is set at the end, whatever the umask was; until then the file is the owner's alone.
fn fill(mut file: File, text: &str, mode: u32, group: Option<u32>) -> io::Result<()> {
    if group.is_some() {
        fchown(&file, None, group)?;
    }
    file.write_all(text.as_bytes())?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}
