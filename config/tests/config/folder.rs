//! A folder with a `countersign.toml` and a `clients.toml`, with the rights that they need.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use config::{ConfigError, Finding, Loaded, Settings};

/// The smallest settings that are right.
pub(crate) const SMALLEST: &str = "default-state = \"enabled\"\n";
/// A client that nothing is wrong with.
pub(crate) const VPN: &str =
    "[[client]]\nname = \"vpn\"\naddresses = [\"192.0.2.10\"]\nsecret = \"correct horse battery staple\"\n";

pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new(settings: &str, clients: &str) -> Self {
        let folder = Self { folder: tempfile::tempdir().unwrap() };
        folder.write_settings(settings);
        folder.write_clients(clients);
        folder
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.folder.path().join("countersign.toml")
    }

    pub(crate) fn clients(&self) -> PathBuf {
        self.folder.path().join("clients.toml")
    }

    pub(crate) fn write_settings(&self, text: &str) {
        fs::write(self.settings(), text).unwrap();
        fs::set_permissions(self.settings(), Permissions::from_mode(0o644)).unwrap();
    }

    pub(crate) fn write_clients(&self, text: &str) {
        fs::write(self.clients(), text).unwrap();
        fs::set_permissions(self.clients(), Permissions::from_mode(0o640)).unwrap();
    }

    pub(crate) fn load(&self) -> Result<Loaded, ConfigError> {
        Settings::load(&self.settings())
    }

    pub(crate) fn read_clients(&self) -> String {
        fs::read_to_string(self.clients()).unwrap()
    }
}

/// Settings that have to be right.
pub(crate) fn load(settings: &str, clients: &str) -> Loaded {
    match Folder::new(settings, clients).load() {
        Ok(loaded) => loaded,
        Err(error) => panic!("{}", error.render(config::Colour::Plain)),
    }
}

/// The error of files that have to be wrong.
pub(crate) fn refuse(settings: &str, clients: &str) -> ConfigError {
    Folder::new(settings, clients).load().err().expect("these files are wrong")
}

/// What is found in files, right or wrong.
pub(crate) fn findings(settings: &str, clients: &str) -> Vec<Finding> {
    match Folder::new(settings, clients).load() {
        Ok(loaded) => loaded.warnings,
        Err(error) => error.findings().to_vec(),
    }
}
