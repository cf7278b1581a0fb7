//! Accounts with their factors from one machine to another, by a file whose secrets are sealed to a passphrase.
#![cfg(test)]

#[expect(dead_code, reason = "this suite has no use for some of it")]
mod desk;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use desk::{Desk, Given, NO_COLLECTOR, PASSWORD, SECRETS, code};
use serde_json::{Value, json};
use test_ground::{Failure, Outcome, Terminal, checked, totp_code};

const PASSPHRASE: &str = "correct horse battery staple";

/// The code of a token that counts: that of a clock at this step.
fn counted_code(secret: &str, counter: u64) -> Result<String, Failure> {
    totp_code(secret, counter.saturating_mul(30))
}

/// Alice with an app and mail, Bob with a token, and each has just signed in.
fn old_machine() -> Result<Desk, Failure> {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    desk.done(&["enroll", "alice", "email", "alice@example.org", "--label", "my mail"])?;
    desk.done(&["contact", "add", "alice", "alice@example.org"])?;
    add_with_password(&desk, "bob")?;
    let lines = [SECRETS[1], &counted_code(SECRETS[1], 0)?];
    let token = ["enroll", "bob", "hotp", "--label", "key fob", "--counter", "0", "--secret-stdin"];
    let enrolled = desk.run(&token, Given { lines: &lines, ..Given::default() })?;
    assert_eq!(enrolled.code, 0, "{enrolled:?}");
    assert!(desk.sign_in("alice", &code(SECRETS[0], 0)?, 0)?.starts_with("accept"));
    assert!(desk.sign_in("bob", &counted_code(SECRETS[1], 1)?, 0)?.starts_with("accept"));
    Ok(desk)
}

fn add_with_password(desk: &Desk, name: &str) -> Result<(), Failure> {
    let file = desk.folder.join(format!("{name}.csv"));
    desk.machine.write(&file, &format!("user,password\n{name},{PASSWORD}\n"))?;
    desk.done(&["import", "--yes", &file.display().to_string()]).map(drop)
}

/// Another machine, where both have a first password and nothing else.
fn new_machine() -> Result<Desk, Failure> {
    let desk = Desk::new(NO_COLLECTOR)?;
    add_with_password(&desk, "alice")?;
    add_with_password(&desk, "bob")?;
    Ok(desk)
}

/// The passphrase as a line of standard input.
const GIVEN: Given<'_> = Given { lines: &[PASSPHRASE], clock_ahead: 0 };

/// All that is on the old machine, sealed.
fn export(desk: &Desk) -> Result<PathBuf, Failure> {
    let file = desk.folder.join("moved.toml");
    let words = ["export", "--secrets", "--output", &file.display().to_string()];
    let said = desk.json(&words, GIVEN)?;
    assert_eq!((&said["accounts"], &said["factors"]), (&json!(2), &json!(3)), "{said}");
    Ok(file)
}

fn apply(desk: &Desk, file: &str, lines: &[&str]) -> Result<Value, Failure> {
    desk.json(&["apply", "--create", file, "--yes"], Given { lines, ..Given::default() })
}

fn factors(desk: &Desk, name: &str) -> Result<Vec<String>, Failure> {
    let shown = desk.json(&["factor", "list", name], Given::default())?;
    let line = |factor: &Value| format!("{} {}", factor["kind"], factor["label"]).replace('"', "");
    Ok(shown.as_array().into_iter().flatten().map(line).collect())
}

#[test]
fn people_sign_in_at_the_new_machine_and_no_used_code_is_good_there() -> Outcome {
    let old = old_machine()?;
    let file = export(&old)?;
    let text = old.read("moved.toml");
    let mode = fs::metadata(&file).expect("the file").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(!text.contains(SECRETS[0]) && !text.contains(SECRETS[1]) && !text.contains(PASSPHRASE), "{text}");
    assert!(text.contains("recovery codes and app passwords"), "{text}");
    let records = old.json(&["audit", "list", "--limit", "1"], Given::default())?;
    let words = "secrets=sealed accounts=2 factors=3 filter=none";
    assert!(records.to_string().contains(words), "{records}");

    let new = new_machine()?;
    let file = file.display().to_string();
    let applied = apply(&new, &file, &[PASSPHRASE])?;
    assert_eq!((&applied["changed"], &applied["failed"]), (&json!(2), &json!([])), "{applied}");
    assert!(applied.to_string().contains("new factors email and totp"), "{applied}");
    assert!(!applied.to_string().contains("example.org"), "{applied}");
    let again = apply(&new, &file, &[PASSPHRASE])?;
    assert_eq!((&again["changed"], &again["as-asked"]), (&json!(0), &json!(2)), "{again}");
    assert_eq!(factors(&new, "alice")?, ["totp imported", "email my mail"]);
    assert_eq!(factors(&new, "bob")?, ["hotp key fob"]);

    let used = new.sign_in("alice", &code(SECRETS[0], 0)?, 0)?;
    assert_eq!(used, "reject code-already-used");
    assert!(new.sign_in("bob", &counted_code(SECRETS[1], 1)?, 0)?.starts_with("reject"));
    assert!(new.sign_in("bob", &counted_code(SECRETS[1], 2)?, 0)?.starts_with("accept"));
    assert!(new.sign_in("alice", &code(SECRETS[0], 90)?, 90)?.starts_with("accept"));
    Ok(())
}

#[test]
fn a_wrong_passphrase_or_a_changed_file_changes_nothing() -> Outcome {
    let old = old_machine()?;
    let file = export(&old)?;
    let new = new_machine()?;
    let refuse = |file: &str, lines: &[&str], parts: &[&str]| -> Outcome {
        let refused = new.run(&["apply", "--create", file, "--yes"], Given { lines, ..Given::default() })?;
        assert_eq!(refused.code, 1, "{refused:?}");
        for part in parts {
            assert!(refused.errors.contains(part), "{part}: {refused:?}");
        }
        assert_eq!(factors(&new, "alice")?, Vec::<String>::new());
        Ok(())
    };
    let whole = file.display().to_string();
    refuse(&whole, &["another passphrase"], &["this is not the passphrase of the file"])?;
    refuse(&whole, &[], &["before the passphrase"])?;
    let text = old.read("moved.toml");
    let changed = new.folder.join("changed.toml");
    let path = changed.display().to_string();
    let swapped = text
        .replace("name = \"alice\"", "name = \"x\"")
        .replace("name = \"bob\"", "name = \"alice\"")
        .replace("name = \"x\"", "name = \"bob\"");
    new.machine.write(&changed, &swapped)?;
    refuse(
        &path,
        &[PASSPHRASE],
        &["account[1].factor[1].secret", "account[2].factor[1].secret", "changed.toml:"],
    )?;
    new.machine.write(&changed, &text.replace("counter = 2", "counter = 0"))?;
    refuse(&path, &[PASSPHRASE], &["does not open"])?;
    new.machine.write(&changed, &text.replace("memory-kib = 65536", "memory-kib = 4194304"))?;
    refuse(&path, &[PASSPHRASE], &["a whole number from 8192 to 262144"])?;
    new.machine.write(&changed, &text.replace("[sealed]", "[opened]"))?;
    refuse(&path, &[PASSPHRASE], &["the table [sealed] is missing"])?;
    Ok(())
}

#[test]
fn a_file_without_secrets_takes_no_factor_away() -> Outcome {
    let desk = old_machine()?;
    let plain = desk.done(&["export"])?;
    assert!(!plain.contains("factor]"), "{plain}");
    let file = desk.folder.join("plain.toml");
    desk.machine.write(&file, &plain)?;
    let applied = apply(&desk, &file.display().to_string(), &[])?;
    assert_eq!(applied["as-asked"], 2, "{applied}");
    let one = "[[account]]\nname = \"alice\"\n[[account.factor]]\nkind = \"mobile\"\nlabel = \"mobile\"\n\
               address = \"+4915112345678\"\n";
    desk.machine.write(&file, one)?;
    let applied = apply(&desk, &file.display().to_string(), &[])?;
    assert!(applied.to_string().contains("new factors mobile"), "{applied}");
    assert_eq!(factors(&desk, "alice")?, ["totp imported", "email my mail", "mobile mobile"]);
    Ok(())
}

#[test]
fn a_passphrase_is_typed_twice_and_is_long_and_nobody_sees_it() -> Outcome {
    let desk = old_machine()?;
    let file = desk.folder.join("typed.toml");
    let words = ["export", "--secrets", "--output", &file.display().to_string()];
    let mut short = Terminal::start(&desk.command(&words))?;
    short.expect("Passphrase for the secrets")?.send("elevenchars")?.expect("12 characters at least:")?;
    assert_eq!(short.end()?.code, 1);
    let mut differ = Terminal::start(&desk.command(&words))?;
    differ.expect("Passphrase for the secrets")?.send(PASSPHRASE)?;
    differ.expect("once more")?.send("correct horse battery stapel")?.expect("the two passphrases differ")?;
    assert_eq!(differ.end()?.code, 1);
    assert!(!file.exists());
    let mut right = Terminal::start(&desk.command(&words))?;
    right.expect("Passphrase for the secrets")?.send(PASSPHRASE)?;
    right.expect("once more")?.send(PASSPHRASE)?.expect("2 accounts with 3 factors written to")?;
    let ended = right.end()?;
    assert!(ended.code == 0 && !ended.transcript.contains(PASSPHRASE), "{ended:?}");
    let mut twice = Terminal::start(&desk.command(&words))?;
    twice.expect("Passphrase for the secrets")?.send(PASSPHRASE)?;
    twice.expect("once more")?.send(PASSPHRASE)?.expect("cannot make")?;
    assert_eq!(twice.end()?.code, 1, "no file is overwritten");

    let mut screen = Terminal::start(&desk.command(&["export", "--secrets"]))?;
    screen.expect("do not belong on a screen")?;
    assert_eq!(screen.end()?.code, 1);
    let new = new_machine()?;
    let mut applied = Terminal::start(&new.command(&["apply", "--create", &file.display().to_string()]))?;
    applied.expect("Passphrase of the file: ")?.send(PASSPHRASE)?;
    let plan = applied.read_until("[y/N]")?;
    assert!(plan.contains("new factors hotp: bob"), "{plan}");
    applied.send("y")?.expect("2 accounts changed")?;
    assert_eq!(applied.end()?.code, 0);
    Ok(())
}

#[test]
fn a_script_gives_the_passphrase_in_a_file_that_is_nobody_elses() -> Outcome {
    let desk = old_machine()?;
    let secret = desk.folder.join("passphrase");
    desk.machine.write(&secret, &format!("{PASSPHRASE}\nnot this\n"))?;
    let path = secret.display().to_string();
    let words = ["export", "--secrets", "--passphrase-file", &path];
    checked(Command::new("chmod").args(["0644", &path]))?;
    let refused = desk.run(&words, Given::default())?;
    assert!(refused.code == 1 && refused.errors.contains("can be read by others"), "{refused:?}");
    checked(Command::new("chmod").args(["0600", &path]))?;
    let exported = desk.done(&words)?;
    let new = new_machine()?;
    let lines: Vec<&str> = exported.lines().collect();
    let given = Given { lines: &lines, ..Given::default() };
    let refused = new.run(&["apply", "--create", "-", "--yes"], given)?;
    assert!(refused.code == 1 && refused.errors.contains("--passphrase-file"), "{refused:?}");
    let applied = new.json(&["apply", "--create", "-", "--yes", "--passphrase-file", &path], given)?;
    assert_eq!(applied["changed"], 2, "{applied}");
    let refused = desk.run(&["export", "--passphrase-file", &path], Given::default())?;
    assert_eq!(refused.code, 2, "a passphrase without secrets: {refused:?}");
    Ok(())
}
