//! Changes of `clients.toml` by command.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use common::Secret;
use common::attempt::Dialogue;
use config::edit::{NewClient, Rotation, add_client, drop_previous_secret, remove_client, rotate_secret};
use config::{ConfigError, Kind};

use crate::folder::{Folder, SMALLEST, VPN};

fn wifi() -> NewClient {
    NewClient {
        name: "wifi".to_owned(),
        addresses: vec!["198.51.100.0/24".to_owned()],
        secret: Secret::from("a secret of some length"),
        kind: Kind::Append,
        dialogue: Dialogue::Neutral,
    }
}

#[test]
fn a_client_is_added_below_the_comments() {
    let folder = Folder::new(SMALLEST, config::initial::CLIENTS_EXAMPLE);
    add_client(&folder.clients(), &wifi()).unwrap();
    let text = folder.read_clients();
    let expected = format!(
        "{}\n[[client]]\nname = \"wifi\"\naddresses = [\"198.51.100.0/24\"]\nsecret = \"a secret of some length\"\nkind = \"append\"\ndialogue = \"neutral\"\n",
        config::initial::CLIENTS_EXAMPLE
    );
    assert_eq!(text, expected);
    assert_eq!(folder.load().ok().unwrap().settings.clients.by_name("wifi").unwrap().kind, Kind::Append);
}

#[test]
fn adding_and_removing_leaves_the_file_as_it_was() {
    let before = format!("# our clients\n\n# the gateway\n{VPN}");
    let folder = Folder::new(SMALLEST, &before);
    add_client(&folder.clients(), &wifi()).unwrap();
    assert_eq!(folder.load().ok().unwrap().settings.clients.len(), 2);
    remove_client(&folder.clients(), "wifi").unwrap();
    assert_eq!(folder.read_clients(), before);
}

#[test]
fn removing_the_first_client_keeps_the_head_of_the_file() {
    let folder = Folder::new(SMALLEST, &format!("# our clients\n\n# the gateway\n{VPN}"));
    add_client(&folder.clients(), &wifi()).unwrap();
    remove_client(&folder.clients(), "vpn").unwrap();
    assert!(folder.read_clients().starts_with("# our clients\n\n[[client]]\nname = \"wifi\""));
    remove_client(&folder.clients(), "wifi").unwrap();
    assert_eq!(folder.read_clients().trim(), "# our clients");
}

#[test]
fn both_secrets_are_good_during_a_change() {
    let folder = Folder::new(SMALLEST, VPN);
    rotate_secret(&folder.clients(), "vpn", &Secret::from("the next secret, also long")).unwrap();
    let settings = folder.load().ok().unwrap().settings;
    let vpn = settings.clients.by_name("vpn").unwrap();
    assert!(vpn.secret == Secret::from("the next secret, also long"));
    assert!(vpn.previous_secret == Some(Secret::from("correct horse battery staple")));
    drop_previous_secret(&folder.clients(), "vpn").unwrap();
    assert!(folder.load().ok().unwrap().settings.clients.by_name("vpn").unwrap().previous_secret.is_none());
}

#[test]
fn a_second_rotation_keeps_the_secret_that_the_client_still_has() {
    let folder = Folder::new(SMALLEST, VPN);
    let rotate = |secret: &str| rotate_secret(&folder.clients(), "vpn", &Secret::from(secret)).unwrap();
    assert_eq!(rotate("a secret that was lost on the way"), Rotation::Begun);
    assert_eq!(rotate("the next secret, also long"), Rotation::BegunAgain);
    let settings = folder.load().ok().unwrap().settings;
    let vpn = settings.clients.by_name("vpn").unwrap();
    assert!(vpn.secret == Secret::from("the next secret, also long"));
    assert!(vpn.previous_secret == Some(Secret::from("correct horse battery staple")));
}

#[test]
fn the_mode_stays_and_nothing_is_left_behind() {
    let folder = Folder::new(SMALLEST, VPN);
    fs::set_permissions(folder.clients(), fs::Permissions::from_mode(0o600)).unwrap();
    add_client(&folder.clients(), &wifi()).unwrap();
    assert_eq!(fs::metadata(folder.clients()).unwrap().permissions().mode() & 0o7777, 0o600);
    let names = fs::read_dir(folder.clients().parent().unwrap()).unwrap();
    assert_eq!(names.count(), 2);
}

#[test]
fn what_would_be_refused_is_not_written() {
    let folder = Folder::new(SMALLEST, VPN);
    let twice = NewClient { name: "vpn".to_owned(), ..wifi() };
    let error = add_client(&folder.clients(), &twice).unwrap_err();
    assert!(error.to_string().contains("two clients"));
    let same_address = NewClient { addresses: vec!["192.0.2.10".to_owned()], ..wifi() };
    assert!(add_client(&folder.clients(), &same_address).is_err());
    assert_eq!(folder.read_clients(), VPN);
}

#[test]
fn an_unknown_client_is_named() {
    let folder = Folder::new(SMALLEST, VPN);
    let error = remove_client(&folder.clients(), "vnp").unwrap_err();
    assert!(matches!(&error, ConfigError::UnknownClient { name, .. } if name == "vnp"), "{error}");
}

#[test]
fn a_link_is_not_written_through() {
    let folder = Folder::new(SMALLEST, VPN);
    let real = folder.clients().with_extension("real");
    fs::rename(folder.clients(), &real).unwrap();
    symlink(&real, folder.clients()).unwrap();
    assert!(matches!(add_client(&folder.clients(), &wifi()), Err(ConfigError::SymbolicLink { .. })));
    assert_eq!(fs::read_to_string(&real).unwrap(), VPN);
}

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let folder = Folder::new(SMALLEST, "");
    let path = folder.clients();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let client = NewClient {
                name: format!("c{number}"),
                addresses: vec![format!("192.0.2.{number}")],
                ..wifi()
            };
            let path = &path;
            scope.spawn(move || add_client(path, &client).unwrap());
        }
    });
    assert_eq!(folder.load().ok().unwrap().settings.clients.len(), 8);
}
