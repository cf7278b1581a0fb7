//! A store that is damaged: what commands say, how a backup takes its place, and what auditors hear of it.

use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use test_ground::{Failure, Outcome, Terminal, checked, receive};

use crate::desk::{Desk, Given, NO_COLLECTOR, PASSWORD, SECRETS};

fn damage(desk: &Desk) -> Outcome {
    let store = desk.store();
    let script = "yes 'no database' | head -c 65536 > \"$1\" && rm -f \"$1-wal\" \"$1-shm\"";
    checked(Command::new("sh").args(["-ec", script, "sh"]).arg(store)).map(drop)
}

/// A new disk, with the key on it.
fn lose(desk: &Desk) -> Outcome {
    let store = desk.store();
    for suffix in ["", "-wal", "-shm", "-queue", "-entrance", "-mark", "-reserve"] {
        let _ = fs::remove_file(format!("{}{suffix}", store.display()));
    }
    assert!(!store.exists());
    Ok(())
}

fn backup(desk: &Desk) -> Result<String, Failure> {
    let file = desk.folder.join("backup.db").display().to_string();
    desk.done(&["store", "backup", &file])?;
    Ok(file)
}

#[test]
fn commands_that_need_a_store_say_what_is_wrong_with_it_and_what_to_do() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.done(&["user", "add", "alice"])?;
    damage(&desk)?;
    for command in [&["test", "alice"][..], &["audit", "verify"], &["user", "list"]] {
        let ended = desk.run(command, Given::default())?;
        assert!(ended.code == 1 && ended.output.is_empty(), "{ended:?}");
        for said in ["store.db", "'countersign store restore BACKUP'", "'countersign store check'"] {
            assert!(ended.errors.contains(said), "{said}: {ended:?}");
        }
    }
    let tried = desk.run(&["test", "alice"], Given::default())?;
    assert!(tried.errors.contains("'countersign break-glass status'"), "{tried:?}");
    let listed = desk.run(&["audit", "list"], Given::default())?;
    assert!(listed.code == 1 && listed.errors.contains("'countersign store check'"), "{listed:?}");
    assert!(listed.output.starts_with("Uses of break-glass accounts, from "), "{listed:?}");
    assert_eq!(desk.json(&["audit", "list"], Given::default())?, serde_json::json!([]));
    Ok(())
}

#[test]
fn a_damaged_store_is_set_aside_by_a_restore() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.done(&["user", "add", "alice"])?;
    let backup = backup(&desk)?;
    damage(&desk)?;
    let damaged = fs::read(desk.store()).expect("a damaged store");
    let restored = desk.json(&["store", "restore", &backup], Given::default())?;
    let aside = PathBuf::from(restored["damaged-store"].as_str().expect("a file"));
    assert!(fs::read(aside).expect("the damaged store") == damaged);
    assert_eq!(restored["recovery-codes-stay-spent"], false);
    assert!(desk.done(&["user", "list"])?.contains("alice"));
    assert_eq!(desk.json(&["store", "check"], Given::default())?["sound"], true);
    assert_eq!(desk.json(&["audit", "verify"], Given::default())?["sound"], true);
    Ok(())
}

/// Two records after a backup; then it is put back, with the store as it is or damaged.
fn a_restore_is_told_from_tampering(break_it: fn(&Desk) -> Outcome) -> Outcome {
    let collector = UdpSocket::bind("127.0.0.1:0").expect("a collector");
    let port = collector.local_addr().expect("its address").port();
    collector.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    let desk = Desk::new(&format!("udp:127.0.0.1:{port}"))?;
    let mut lines = String::new();
    let mut done = |arguments: &[&str]| {
        desk.done(arguments)?;
        let mut datagram = [0; 4096];
        let length = receive(&collector, &mut datagram).expect("a line of syslog");
        lines.push_str(&format!("{}\n", String::from_utf8_lossy(&datagram[..length])));
        Ok::<_, Failure>(())
    };
    done(&["user", "add", "u1"])?;
    let backup = backup(&desk)?;
    done(&["user", "add", "u2"])?;
    done(&["user", "add", "u3"])?;
    break_it(&desk)?;
    done(&["store", "restore", &backup])?;
    done(&["user", "add", "u4"])?;
    let anchors = desk.folder.join("anchors.log");
    desk.machine.write(&anchors, &lines)?;
    let anchors = anchors.display().to_string();

    let verify = ["audit", "verify", "--anchors", &anchors];
    let said = desk.run(&verify, Given::default())?;
    assert!(
        said.code == 1 && said.output.contains("Records 2 to 3 were cut off by the restore at "),
        "{said:?}"
    );
    assert!(!said.output.contains("NOT SOUND"), "{said:?}");
    let report = desk.json(&verify, Given::default())?;
    assert_eq!(report["streams"][0]["findings"], serde_json::json!([]), "{report}");
    let restore = report["streams"][0]["restores"][0]["restore"].as_str().expect("its name").to_owned();
    let known = desk.run(&[&verify[..], &["--known-restore", &restore]].concat(), Given::default())?;
    assert!(known.code == 0 && known.errors.is_empty(), "{known:?}");

    desk.sql("DELETE FROM records WHERE sequence > 2; UPDATE heads SET sequence = 2, mac = (SELECT mac FROM records WHERE sequence = 2)")?;
    let cut = desk.run(&[&verify[..], &["--known-restore", &restore]].concat(), Given::default())?;
    assert!(cut.code == 1 && cut.output.contains("NOT SOUND"), "{cut:?}");
    Ok(())
}

#[test]
fn records_that_a_restore_cut_off_are_told_from_tampering() -> Outcome {
    a_restore_is_told_from_tampering(|_| Ok(()))
}

#[test]
fn records_of_a_damaged_store_are_told_from_tampering_too() -> Outcome {
    a_restore_is_told_from_tampering(damage)
}

#[test]
fn a_restore_asks_and_keeps_the_store_that_was_there() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.done(&["user", "add", "alice"])?;
    let backup = backup(&desk)?;
    desk.done(&["user", "add", "bob"])?;
    let mut terminal = Terminal::start(&desk.command(&["store", "restore", &backup]))?;
    terminal.expect("in the place of")?.send("n")?.expect("Nothing was changed.")?;
    assert_eq!(terminal.end()?.code, 1);
    assert!(desk.done(&["user", "list"])?.contains("bob"));

    let mut terminal = Terminal::start(&desk.command(&["store", "restore", &backup, "--yes"]))?;
    terminal.expect("is the store now")?.expect("is kept as")?;
    assert_eq!(terminal.end()?.code, 0);
    assert!(!desk.done(&["user", "list"])?.contains("bob"));
    let names = fs::read_dir(desk.folder.join("state")).expect("the folder").flatten();
    let mut kept =
        names.map(|entry| entry.path()).filter(|path| path.display().to_string().contains("-before-"));
    let kept = kept.next().expect("the store that was there").display().to_string();
    let restored = desk.json(&["store", "restore", &kept], Given::default())?;
    assert_ne!(restored["kept-store"], kept.as_str(), "{restored}");
    assert!(desk.done(&["user", "list"])?.contains("bob"));
    Ok(())
}

#[test]
fn a_check_says_what_is_wrong_with_the_key_and_the_break_glass_file() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let text = desk.read("countersign.toml") + "[break-glass]\nusers = [\"rescue\"]\n";
    desk.machine.write(&desk.folder.join("countersign.toml"), &text)?;
    desk.add_user("rescue", SECRETS[0])?;
    desk.done(&["recovery-codes", "rescue"])?;
    desk.done(&["break-glass", "prepare"])?;
    let kinds = || {
        let checked = desk.json(&["store", "check"], Given::default())?;
        let findings = checked["findings"].as_array().cloned().unwrap_or_default();
        let kinds = findings.iter().map(|found| found["kind"].as_str().unwrap_or_default().to_owned());
        Ok::<_, Failure>(kinds.collect::<Vec<_>>().join(" "))
    };
    assert_eq!(kinds()?, "");
    let shell = |script: &str| {
        checked(Command::new("sh").args(["-ec", script]).current_dir(desk.folder.join("state"))).map(drop)
    };

    shell("chmod 0644 master.key")?;
    assert_eq!(kinds()?, "key-unavailable");
    shell("chmod 0600 master.key && mv master.key away")?;
    assert_eq!(kinds()?, "key-unavailable");
    shell("mv away master.key && mv store.db away")?;
    assert_eq!(kinds()?, "absent");
    let absent = desk.run(&["store", "check"], Given::default())?;
    assert!(absent.output.contains("rescue gets in by the break-glass file"), "{absent:?}");
    assert!(!absent.output.contains("KiB"), "{absent:?}");
    shell("mv away store.db && mv break-glass away")?;
    assert_eq!(kinds()?, "break-glass");
    Ok(())
}

#[test]
fn advice_names_the_file_and_leads_on() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let errors = |arguments: &[&str]| {
        let ended = desk.run(arguments, Given { lines: &[PASSWORD], clock_ahead: 0 })?;
        assert_ne!(ended.code, 0, "{ended:?}");
        Ok::<_, Failure>(ended.errors)
    };
    let there = backup(&desk)?;
    let said = errors(&["store", "backup", &there])?;
    assert!(
        said.contains("exists already") && !said.contains("dmesg") && said.lines().count() == 1,
        "{said}"
    );
    let said = errors(&["user", "passwd", "bad name", "--password-stdin"])?;
    assert!(said.contains("user add \"bad name\""), "{said}");

    let state = desk.folder.join("state");
    let file = state.join("break-glass");
    fs::write(&file, "no such file").expect("a damaged file");
    let said = errors(&["break-glass", "prepare"])?;
    assert!(said.contains("move the file away and run") && !said.contains("in the store"), "{said}");
    let key = state.join("master.key");
    checked(Command::new("chmod").arg("0644").arg(&key))?;
    let said = errors(&["user", "list"])?;
    assert!(said.contains(&format!("'chmod 0600 {}'", key.display())), "{said}");
    fs::remove_file(&key).expect("a key to lose");
    let said = errors(&["user", "list"])?;
    assert!(said.contains("put it back from your copy"), "{said}");
    Ok(())
}

#[test]
fn records_of_a_store_that_is_gone_are_told_from_tampering_too() -> Outcome {
    a_restore_is_told_from_tampering(lose)
}

#[test]
fn a_damaged_store_stays_where_it_is_when_the_backup_is_of_another_installation() -> Outcome {
    let (desk, other) = (Desk::new(NO_COLLECTOR)?, Desk::new(NO_COLLECTOR)?);
    other.done(&["user", "add", "alice"])?;
    let foreign = backup(&other)?;
    damage(&desk)?;
    let damaged = fs::read(desk.store()).expect("a damaged store");
    let ended = desk.run(&["store", "restore", &foreign], Given::default())?;
    assert!(ended.code == 1 && ended.errors.contains("is a backup of another store"), "{ended:?}");
    assert!(fs::read(desk.store()).expect("the damaged store") == damaged);
    Ok(())
}
