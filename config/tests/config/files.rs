//! Files that are refused before anything in them is read.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use config::{Colour, ConfigError};

use crate::folder::{Folder, SMALLEST, VPN};

#[test]
fn a_missing_file_is_an_error_and_no_default() {
    let folder = Folder::new(SMALLEST, VPN);
    fs::remove_file(folder.clients()).unwrap();
    let error = folder.load().err().unwrap();
    assert!(matches!(error, ConfigError::Read { .. }));
    assert!(error.render(Colour::Plain).contains("clients.toml: No such file"), "{error}");
    fs::remove_file(folder.settings()).unwrap();
    assert!(matches!(folder.load(), Err(ConfigError::Read { .. })));
}

#[test]
fn mistakes_are_told_together_with_a_missing_clients_file() {
    let folder = Folder::new("default-state = 1\n", VPN);
    fs::remove_file(folder.clients()).unwrap();
    let error = folder.load().err().unwrap();
    let keys: Vec<_> = error.findings().iter().map(|finding| finding.key.as_str()).collect();
    assert_eq!(keys, ["clients-file", "default-state"]);
}

#[test]
fn a_link_is_not_followed() {
    let folder = Folder::new(SMALLEST, VPN);
    let real = folder.settings().with_extension("real");
    fs::rename(folder.settings(), &real).unwrap();
    symlink(&real, folder.settings()).unwrap();
    assert!(matches!(folder.load(), Err(ConfigError::SymbolicLink { .. })));
}

#[test]
fn a_folder_in_place_of_a_file_is_refused() {
    let folder = Folder::new(SMALLEST, VPN);
    fs::remove_file(folder.settings()).unwrap();
    fs::create_dir(folder.settings()).unwrap();
    assert!(matches!(folder.load(), Err(ConfigError::NotRegular { .. })));
}

#[test]
fn a_pipe_does_not_make_a_login_wait() {
    let folder = Folder::new(SMALLEST, VPN);
    fs::remove_file(folder.settings()).unwrap();
    nix::unistd::mkfifo(&folder.settings(), nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(matches!(folder.load(), Err(ConfigError::NotRegular { .. })));
}

#[test]
fn files_that_others_can_write_are_refused() {
    let folder = Folder::new(SMALLEST, VPN);
    let set = |path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set(folder.settings(), 0o664);
    assert!(matches!(folder.load(), Err(ConfigError::Mode { mode: 0o664, .. })));
    set(folder.settings(), 0o644);
    set(folder.clients(), 0o644);
    let error = folder.load().err().unwrap();
    assert!(error.to_string().contains("chmod g-wx,o-rwx"), "others read secrets: {error}");
    set(folder.clients(), 0o600);
    assert!(folder.load().is_ok());
}

#[test]
fn a_file_beyond_its_limit_is_refused() {
    let folder = Folder::new(SMALLEST, VPN);
    let octets = usize::try_from(config::limits::SETTINGS_OCTETS_MAX).unwrap();
    folder.write_settings(&format!("{SMALLEST}#{}", "x".repeat(octets)));
    assert!(matches!(folder.load(), Err(ConfigError::TooLarge { .. })));
}

#[test]
fn other_bytes_than_utf8_are_refused_with_their_line() {
    let folder = Folder::new(SMALLEST, VPN);
    fs::write(folder.settings(), b"default-state = \"enabled\"\nissuer = \"\xff\"\n").unwrap();
    assert!(matches!(folder.load(), Err(ConfigError::NotUtf8 { line: 2, .. })));
}
