//! Devices that are remembered, in a real store: what administrators see of them, and what ends them.

use std::fs;

use assembly::config::Settings;
use assembly::store::{Process, Sqlite, SqliteOptions};
use assembly::{SystemClock, SystemRandom, key_file, places};
use common::bundle::{Bundle, Outcome as Written, Precondition, TicketChange};
use common::keys::Purpose;
use common::lane::LaneKey;
use common::ports::{Clock as _, Store as _};
use common::ticket::{Binding, KeyFingerprint, LoginSession, Source, Station, Ticket};
use common::{AttemptId, Username};
use serde_json::Value;
use test_ground::Outcome;

use super::desk::{Desk, Given, NO_COLLECTOR, SECRETS};

const KEY: &str = "SHA256:7NJgdyqcSZFqnXe8k9lnWJNllYXswISQ1qRvuexKM3w";
const STATION: &str = "00-11-22-33-44-55";

fn source(key: Option<&str>) -> Binding {
    let key = key.and_then(KeyFingerprint::parse);
    Binding::Source {
        service: "sshd".to_owned(),
        source: Source::parse("192.0.2.7").expect("an address"),
        key,
    }
}

fn session() -> Binding {
    let session = LoginSession::new("8f6d3c9a-1d1f-4f3e-9f0e-0a4a8f1f2b11", 3).expect("a session");
    Binding::Session { service: "sudo".to_owned(), session }
}

fn station() -> Binding {
    Binding::Station { client: "vpn".to_owned(), station: Station::parse(STATION).expect("a station") }
}

/// Remembers devices, which no login does yet, in a process of its own beside the command line.
fn remember(desk: &Desk, user: &str, devices: &[Binding]) {
    let settings = desk.folder.join("countersign.toml");
    let settings = Settings::load_without_clients(&settings).expect("settings").settings;
    let owner = places::owner(&settings).expect("an owner");
    let keys = key_file::read(&places::master_key(&settings), owner).expect("keys");
    let options = SqliteOptions {
        chain_key: keys.derive(keys.newest(), Purpose::Chain).expect("a key"),
        stream: "main".to_owned(),
        process: Process::ShortLived,
        owner: Some(owner),
    };
    let store = Sqlite::open(&places::store(&settings), options).expect("a store");
    let name = Username::parse(user).expect("a name");
    let account = store.load(&name, &LaneKey::NONE, None).expect("a load").account.expect("an account");
    let now = SystemClock.now();
    let mut bundle = Bundle::of_records(AttemptId::generate(&SystemRandom), now, Vec::new());
    bundle.precondition = Precondition::Version { account: account.id, version: account.version };
    bundle.tickets.extend(devices.iter().map(|device| {
        let ticket = Ticket::new(&account, device, 3600, now, (&keys, &SystemRandom)).expect("a ticket");
        TicketChange::Remember { account: account.id, ticket: Box::new(ticket) }
    }));
    assert_eq!(store.commit(&[bundle]).expect("a commit"), [Written::Applied(Vec::new())]);
}

fn shown(desk: &Desk, user: &str) -> Vec<Value> {
    let account = desk.json(&["user", "show", user], Given::default()).expect("an account");
    account["remembered-devices"].as_array().expect("a list").clone()
}

/// What the last record of an act says of the account before and after.
fn last_act(desk: &Desk) -> [String; 2] {
    let records = desk.json(&["audit", "list"], Given::default()).expect("records");
    let act = &records.as_array().and_then(|records| records.last()).expect("a record")["record"]["act"];
    ["before", "after"].map(|side| act[side].as_str().unwrap_or_default().to_owned())
}

#[test]
fn remembered_devices_are_shown_and_forgotten() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    assert_eq!(
        desk.done(&["user", "reset", "alice", "--forget-devices"])?,
        "alice: no device was remembered.\n"
    );
    assert!(last_act(&desk)[1].ends_with(" reset=devices devices-forgotten=0"));

    remember(&desk, "alice", &[source(Some(KEY)), session(), station()]);
    let text = desk.done(&["user", "show", "alice"])?;
    for told in
        ["service sshd", &format!("192.0.2.7 with key {KEY}"), "login session 3", "client vpn", STATION]
    {
        assert!(text.contains(told), "{told}: {text}");
    }
    let devices = shown(&desk, "alice");
    let fields = |key: &str| devices.iter().map(|device| device[key].as_str()).collect::<Vec<_>>();
    assert_eq!(fields("service"), [Some("sshd"), Some("sudo"), None]);
    assert_eq!(fields("client"), [None, None, Some("vpn")]);
    assert_eq!(fields("device")[1..], [Some("login session 3"), Some(STATION)]);
    assert!(fields("made-at") < fields("expires-at"));

    let forgotten = desk.json(&["user", "reset", "alice", "--forget-devices"], Given::default())?;
    assert_eq!(forgotten, serde_json::json!({"user": "alice", "act": "user reset", "devices-forgotten": 3}));
    assert!(last_act(&desk)[1].ends_with(" reset=devices devices-forgotten=3"));
    assert!(shown(&desk, "alice").is_empty());
    remember(&desk, "alice", &[station()]);
    let both = ["user", "reset", "alice", "--forget-devices", "--delete-app-passwords"];
    assert_eq!(desk.done(&both)?, "alice: has no app passwords any more; 1 remembered device forgotten.\n");
    assert_eq!(desk.json(&["audit", "verify"], Given::default())?["sound"], true);
    Ok(())
}

#[test]
fn of_many_users_all_devices_are_forgotten_together() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    for (name, secret) in ["alice", "bob", "carol"].iter().zip(SECRETS) {
        desk.add_user(name, secret)?;
    }
    remember(&desk, "alice", &[session(), station()]);
    remember(&desk, "bob", &[station()]);
    let many = ["user", "reset", "alice", "bob", "--forget-devices"];
    let rehearsed = desk.done(&[&many[..], &["--dry-run"]].concat())?;
    assert!(rehearsed.contains("no remembered devices") && shown(&desk, "alice").len() == 2, "{rehearsed}");
    remember(&desk, "carol", &[source(None)]);
    let done = desk.done(&[&many[..], &["--yes"]].concat())?;
    assert!(done.contains("2 accounts changed, 3 remembered devices forgotten, 0 so already"), "{done}");
    assert_eq!(["alice", "bob", "carol"].map(|user| shown(&desk, user).len()), [0, 0, 1]);
    let totals = desk.json(&[&many[..], &["--yes"]].concat(), Given::default())?;
    assert_eq!((&totals["changed"], &totals["devices-forgotten"]), (&2.into(), &0.into()));
    Ok(())
}

#[test]
fn a_block_a_new_registration_and_a_disabled_second_step_end_them_too() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let enders: [(&[&str], &[&str]); 3] = [
        (&["block", "alice", "--for", "1h"], &["unblock", "alice"]),
        (&["disable", "alice"], &["enforce", "alice"]),
        (&["reset", "alice", "--require-registration"], &["unblock", "alice"]),
    ];
    for (end, undo) in enders {
        remember(&desk, "alice", &[source(None), station()]);
        desk.done(&[&["user"], end].concat())?;
        assert!(last_act(&desk)[1].contains(" devices-forgotten=2"), "{end:?}");
        desk.done(&[&["user"], undo].concat())?;
        assert!(shown(&desk, "alice").is_empty(), "{end:?}");
    }
    remember(&desk, "alice", &[station()]);
    desk.done(&["user", "disable", "alice", "--for", "1h"])?;
    desk.done(&["user", "rename", "alice", "alicia"])?;
    assert_eq!(shown(&desk, "alicia").len(), 1, "a rest and another name leave them as they are");
    desk.done(&["user", "remove", "alicia", "--yes"])?;
    let [before, after] = last_act(&desk);
    assert!(before.ends_with(" devices=1") && after.is_empty(), "{before}");
    Ok(())
}

#[test]
fn a_stolen_store_names_no_device_and_a_restored_one_knows_none() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    remember(&desk, "alice", &[source(Some(KEY)), station()]);
    let backup = desk.folder.join("backup").display().to_string();
    desk.done(&["store", "backup", &backup])?;
    let stolen = fs::read(&backup).expect("a backup");
    let holds = |text: &str| stolen.windows(text.len()).any(|octets| octets == text.as_bytes());
    assert!(holds("alice") && !holds(STATION) && !holds(KEY) && !holds("192.0.2.7"));
    desk.done(&["store", "restore", &backup, "--yes"])?;
    assert!(shown(&desk, "alice").is_empty());
    assert_eq!(
        desk.done(&["user", "reset", "alice", "--forget-devices"])?,
        "alice: no device was remembered.\n"
    );
    Ok(())
}
