//! Clocks set back and old copies of the store: no used code comes back.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use test_ground::{Failure, Outcome, checked};

use crate::desk::{Desk, Given, NO_COLLECTOR, SECRETS, code};

#[test]
fn a_clock_set_back_an_hour_after_a_purge_brings_no_used_code_back() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    desk.add_user("bob", SECRETS[1])?;
    desk.add_user("carol", SECRETS[2])?;
    let (hours, back) = (2 * 3600, 3600);
    let (first, second) = (code(SECRETS[0], 0)?, code(SECRETS[1], hours)?);
    assert_eq!(desk.sign_in("alice", &first, 0)?, "accept both-proofs");
    // This login forgets the code of two hours ago, and raises the floor to its end.
    assert_eq!(desk.sign_in("bob", &second, hours)?, "accept both-proofs");
    let spent = checked(Command::new("sqlite3").arg(desk.store()).arg("SELECT count(*) FROM spent_totp"))?;
    assert_eq!(spent.trim(), "1", "the first code was not purged");

    // What was forgotten stays used, at the time when its code is shown again; what is still known does too.
    assert_eq!(desk.sign_in("alice", &first, 0)?, "reject code-already-used");
    assert_eq!(desk.sign_in("bob", &second, hours)?, "reject code-already-used");
    // Before the floor nothing can be told from a replay, not even a code that was never used.
    let carols = code(SECRETS[2], -back)?;
    assert_eq!(desk.sign_in("carol", &carols, -back)?, "unavailable clock-behind");
    let later = hours + 3600;
    assert_eq!(desk.sign_in("alice", &code(SECRETS[0], later)?, later)?, "accept both-proofs");
    Ok(())
}

/// A desk where a backup was made, and two codes and a recovery code were used since.
fn desk_with_backup() -> Result<(Desk, [String; 3]), Failure> {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    desk.add_user("bob", SECRETS[1])?;
    desk.add_user("carol", SECRETS[2])?;
    let codes = desk.json(&["recovery-codes", "carol"], Given::default())?;
    let recovery = codes["codes"][0].as_str().expect("a code").to_owned();
    let backup = desk.folder.join("backup.db").display().to_string();
    desk.done(&["store", "backup", &backup])?;
    assert_eq!(fs::metadata(&backup).expect("a backup").mode() & 0o777, 0o600);
    // The second one is of a step that is still to come: clocks of phones may be ahead.
    let used = [code(SECRETS[0], 0)?, code(SECRETS[1], 30)?, recovery];
    for (name, code) in ["alice", "bob", "carol"].iter().zip(&used) {
        assert_eq!(desk.sign_in(name, code, 0)?, "accept both-proofs", "{name}");
    }
    Ok((desk, used))
}

#[test]
fn an_old_backup_restored_brings_no_used_code_back() -> Outcome {
    let (desk, used) = desk_with_backup()?;
    let backup = desk.folder.join("backup.db").display().to_string();
    let said = desk.done(&["store", "restore", &backup])?;
    assert!(said.contains("is refused"), "{said}");
    for (name, code) in ["alice", "bob", "carol"].iter().zip(&used) {
        let verdict = desk.sign_in(name, code, 0)?;
        assert!(!verdict.starts_with("accept"), "{name}: {verdict}");
    }
    assert_eq!(desk.sign_in("alice", &code(SECRETS[0], 120)?, 120)?, "accept both-proofs");
    Ok(())
}

#[test]
fn two_restores_in_a_row_bring_no_recovery_code_back() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let [old, new] = ["old.db", "new.db"].map(|name| desk.folder.join(name).display().to_string());
    desk.done(&["store", "backup", &old])?;
    desk.add_user("alice", SECRETS[0])?;
    let codes = desk.json(&["recovery-codes", "alice"], Given::default())?;
    let recovery = codes["codes"][0].as_str().expect("a code").to_owned();
    desk.done(&["store", "backup", &new])?;
    assert_eq!(desk.sign_in("alice", &recovery, 0)?, "accept both-proofs");
    for backup in [&old, &new] {
        let restored = desk.json(&["store", "restore", backup], Given::default())?;
        assert_eq!(restored["recovery-codes-stay-spent"], true, "{backup}");
    }
    let verdict = desk.sign_in("alice", &recovery, 0)?;
    assert!(!verdict.starts_with("accept"), "{verdict}");
    Ok(())
}

#[test]
fn a_backup_of_another_installation_is_refused_and_changes_nothing() -> Outcome {
    let (desk, stranger) = (Desk::new(NO_COLLECTOR)?, Desk::new(NO_COLLECTOR)?);
    desk.done(&["user", "add", "alice"])?;
    stranger.done(&["user", "add", "mallory"])?;
    let backup = stranger.folder.join("backup.db").display().to_string();
    stranger.done(&["store", "backup", &backup])?;
    let refused = desk.run(&["store", "restore", &backup], Given::default())?;
    assert!(refused.code == 1 && refused.errors.contains("is a backup of another store"), "{refused:?}");
    let users = desk.done(&["user", "list"])?;
    assert!(users.contains("alice") && !users.contains("mallory"), "{users}");
    assert_eq!(desk.json(&["store", "check"], Given::default())?["sound"], true);
    Ok(())
}

#[test]
fn an_old_copy_without_its_mark_is_noticed_too() -> Outcome {
    let (desk, used) = desk_with_backup()?;
    desk.copy_over_store(&desk.folder.join("backup.db"))?;
    fs::remove_file(desk.folder.join("state/store.db-mark")).expect("a mark");
    let noticed = desk.run(&["user", "list"], Given::default())?;
    assert!(noticed.errors.contains("was lost or emptied"), "{noticed:?}");
    let alerts = desk.json(&["audit", "list", "--severity", "alert"], Given::default())?;
    assert_eq!(alerts[0]["record"]["reason"], "store-went-back", "{alerts}");
    let verdict = desk.sign_in("alice", &used[0], 0)?;
    assert!(!verdict.starts_with("accept"), "{verdict}");
    Ok(())
}

#[test]
fn what_is_no_backup_is_named_and_changes_nothing() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.done(&["user", "add", "alice"])?;
    let junk = desk.folder.join("junk");
    for content in ["", "nothing of ours, and longer than a header\n"] {
        desk.machine.write(&junk, content)?;
        let junk = junk.display().to_string();
        let refused = desk.run(&["store", "restore", &junk], Given::default())?;
        assert!(refused.errors.contains(&format!("{junk} is no backup")), "{refused:?}");
        assert!(!refused.errors.contains("store.db"), "{refused:?}");
    }
    // A database, and not one of ours.
    fs::remove_file(&junk).expect("junk");
    checked(Command::new("sqlite3").arg(&junk).arg("CREATE TABLE t (x)"))?;
    let refused = desk.run(&["store", "restore", &junk.display().to_string()], Given::default())?;
    assert!(refused.errors.contains(&format!("cannot put {}", junk.display())), "{refused:?}");
    assert!(desk.done(&["user", "list"])?.contains("alice"));
    Ok(())
}

#[test]
fn an_old_copy_of_the_file_put_back_by_hand_brings_no_used_code_back() -> Outcome {
    let (desk, used) = desk_with_backup()?;
    desk.copy_over_store(&desk.folder.join("backup.db"))?;
    let noticed = desk.run(&["user", "list"], Given::default())?;
    assert!(noticed.errors.contains("the store went back"), "{noticed:?}");
    let records = desk.json(&["audit", "list", "--limit", "1"], Given::default())?;
    assert_eq!(records[0]["record"]["reason"], "store-went-back");
    let alerts = desk.json(&["audit", "list", "--severity", "alert"], Given::default())?;
    assert_eq!(alerts.as_array().map(Vec::len), Some(1), "{alerts}");
    for (name, code) in ["alice", "bob"].iter().zip(&used) {
        let verdict = desk.sign_in(name, code, 0)?;
        assert!(!verdict.starts_with("accept"), "{name}: {verdict}");
    }
    assert_eq!(desk.sign_in("alice", &code(SECRETS[0], 120)?, 120)?, "accept both-proofs");
    Ok(())
}
