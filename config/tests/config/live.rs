//! Reading again while a server runs.

use config::Live;

use crate::folder::{Folder, SMALLEST, VPN};

#[test]
fn a_file_with_a_mistake_never_replaces_a_good_one() {
    let folder = Folder::new(SMALLEST, VPN);
    let (live, warnings) = Live::open(&folder.settings()).ok().unwrap();
    assert!(warnings.is_empty());
    folder.write_settings("default-state = \"enabled\"\nissuer = 5\n");
    assert_eq!(live.reload().err().unwrap().findings()[0].key, "issuer");
    assert_eq!(live.current().policy.issuer, "Countersign");
    folder.write_settings("default-state = \"enabled\"\nissuer = \"Example\"\n");
    assert!(live.reload().is_ok());
    assert_eq!(live.current().policy.issuer, "Example");
}

#[test]
fn a_mistake_among_the_clients_keeps_the_old_settings_whole() {
    let folder = Folder::new(SMALLEST, VPN);
    let (live, _) = Live::open(&folder.settings()).ok().unwrap();
    folder.write_settings("default-state = \"enforced\"\n");
    folder.write_clients("[[client]]\n");
    assert!(live.reload().is_err());
    assert_eq!(live.current().policy.default_state, common::account::State::Enabled);
    assert_eq!(live.current().clients.len(), 1);
}
