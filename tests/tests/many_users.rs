//! One act on many users: who is meant, what is shown first, and what it leaves behind.
#![cfg(test)]

#[expect(dead_code, reason = "this suite signs nobody in")]
mod desk;

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::Command;

use desk::{Desk, Given, NO_COLLECTOR, SECRETS};
use serde_json::{Value, json};
use test_ground::{Failure, Outcome, Terminal, checked};

/// A file of so many users.
fn file_of(desk: &Desk, count: usize) -> Result<String, Failure> {
    let mut text = "\u{feff}Name,UPN\r\n".to_owned();
    for number in 0..count {
        let _ = write!(text, "\"User {number}\",user{number:05}\r\n");
    }
    let file = desk.folder.join("users.csv");
    desk.machine.write(&file, &text)?;
    Ok(file.display().to_string())
}

fn state_of(desk: &Desk, name: &str) -> Result<Value, Failure> {
    Ok(desk.json(&["user", "show", name], Given::default())?["state"].clone())
}

fn records(desk: &Desk) -> Result<usize, Failure> {
    let records = desk.json(&["audit", "list", "--limit", "100000"], Given::default())?;
    let acts = records.as_array().into_iter().flatten().filter(|it| !it["record"]["act"].is_null());
    Ok(acts.count())
}

#[test]
fn a_thousand_users_of_a_file_are_enabled_and_a_second_run_touches_nobody() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let file = file_of(&desk, 1000)?;
    let enable = ["user", "enable", "--from-file", &file, "--create"];
    let shown = desk.run(&[&enable[..], &["--dry-run"]].concat(), Given::default())?;
    assert!(
        shown.code == 0 && shown.output.contains("1,000  new, enabled: user00000, user00001"),
        "{shown:?}"
    );
    assert_eq!(records(&desk)?, 0);
    let refused = desk.run(&enable, Given::default())?;
    assert!(refused.code == 1 && refused.errors.contains("--yes"), "{refused:?}");
    assert_eq!(records(&desk)?, 0);
    let done = desk.json(&[&enable[..], &["--yes"]].concat(), Given::default())?;
    assert_eq!((&done["changed"], &done["as-asked"], &done["failed"]), (&json!(1000), &json!(0), &json!([])));
    assert_eq!(state_of(&desk, "user00999")?, "enabled");
    // Nobody collects here; how much syslog has missed is told once, and not line by line.
    let newest = desk.json(&["audit", "list", "--limit", "1"], Given::default())?;
    let newest = &newest[0]["record"];
    assert_eq!((&newest["reason"], &newest["together"]["count"]), (&json!("syslog-behind"), &json!(1000)));
    assert_eq!(records(&desk)?, 1000, "one record for each");
    let again = desk.json(&[&enable[..], &["--yes"]].concat(), Given::default())?;
    assert_eq!((&again["changed"], &again["as-asked"]), (&json!(0), &json!(1000)));
    assert_eq!(records(&desk)?, 1000, "nobody was touched");
    assert_eq!(desk.json(&["audit", "verify"], Given::default())?["sound"], true);
    Ok(())
}

/// Somebody whose phone is lost is beyond a password, whatever is done to all the others.
#[test]
fn asking_the_same_people_again_weakens_nobody_and_says_so() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    desk.done(&["user", "add", "bob", "--state", "disabled"])?;
    let file = desk.folder.join("staff.csv");
    desk.machine.write(&file, "User Name;Room\nalice;1\nbob;2\n")?;
    let file = file.display().to_string();
    let enable = ["user", "enable", "--from-file", &file, "--deadline", "2099-01-01", "--yes"];
    let first = desk.run(&enable, Given::default())?;
    assert!(first.output.contains("1  disabled → enabled, must register by 2099-01-01"), "{first:?}");
    let warning =
        "1 of them (bob) cannot register by themselves: the settings have no [[registration.opening]]";
    assert!(first.errors.contains(warning), "{first:?}");
    desk.done(&["recovery-codes", "alice"])?;
    let factors = desk.json(&["factor", "list", "alice"], Given::default())?;
    let id = factors[0]["id"].as_str().expect("an id");
    let removed = desk.run(&["factor", "remove", "alice", id], Given::default())?;
    assert!(removed.errors.contains("without a recovery code or a temporary code"), "{removed:?}");
    let again = desk.run(&enable, Given::default())?;
    assert!(again.output.contains("1  are enforced already and stay so"), "{again:?}");
    assert_eq!(state_of(&desk, "alice")?, "enforced");
    let shown = desk.done(&["user", "show", "alice"])?;
    assert!(shown.contains("without a recovery code (10 left) or a temporary code"), "{shown}");
    let away = desk.run(&["user", "disable", "alice", "--for", "8h"], Given::default())?;
    assert!(away.code == 0 && away.errors.is_empty(), "everybody with the password gets in: {away:?}");
    let reset = ["user", "reset", "alice", "bob", "--require-registration", "--dry-run"];
    let reset = desk.run(&reset, Given::default())?;
    assert!(reset.output.contains("2  have registered nothing that could be registered again"), "{reset:?}");
    Ok(())
}

#[test]
fn whoever_registers_a_disabled_user_hears_that_nobody_is_asked() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    desk.done(&["user", "disable", "alice"])?;
    let made = desk.run(&["recovery-codes", "alice"], Given::default())?;
    assert!(made.errors.contains("until 'countersign user enforce alice'"), "{made:?}");
    let tried = desk.run(&["test", "alice"], Given { lines: &[desk::PASSWORD], clock_ahead: 0 })?;
    assert!(tried.output.contains("'countersign user enforce alice' has it asked for"), "{tried:?}");
    desk.done(&["user", "enforce", "alice"])?;
    assert!(desk.run(&["recovery-codes", "alice"], Given::default())?.errors.is_empty());
    Ok(())
}

#[test]
fn the_plan_counts_each_kind_of_change_and_each_failure_is_named() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    desk.done(&["user", "disable", "alice"])?;
    desk.done(&["user", "add", "bob", "--state", "disabled"])?;
    desk.done(&["user", "add", "carol", "--state", "enabled"])?;
    let words = ["user", "enable", "alice", "bob", "carol", "root", "mallory"];
    let mut terminal = Terminal::start(&desk.command(&words))?;
    let plan = terminal.read_until("[y/N]")?;
    for line in [
        "1  disabled → enforced: alice",
        "1  disabled → enabled: bob",
        "1  new, enabled: root",
        "1  are so already and stay untouched",
        "1  cannot be done:",
        "mallory: there is no account 'mallory'",
    ] {
        assert!(plan.contains(line), "{line}: {plan}");
    }
    terminal.send("n")?.expect("Nothing was changed")?;
    assert_eq!(terminal.end()?.code, 1);
    let mut terminal = Terminal::start(&desk.command(&words))?;
    terminal.expect("[y/N]")?.press("\u{3}")?.expect("Nothing was changed.")?;
    assert_ne!(terminal.end()?.code, 0);
    assert_eq!(state_of(&desk, "bob")?, "disabled");
    let mut terminal = Terminal::start(&desk.command(&words))?;
    terminal.expect("[y/N]")?.send("y")?.expect("3 accounts changed, 1 so already, 1 failed")?;
    assert_eq!(terminal.end()?.code, 1, "one failed");
    assert_eq!((state_of(&desk, "alice")?, state_of(&desk, "bob")?), (json!("enforced"), json!("enabled")));
    Ok(())
}

#[test]
fn filters_find_accounts_and_narrow_what_was_named() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    for name in ["bob", "carol"] {
        desk.done(&["user", "add", name, "--state", "enabled"])?;
    }
    desk.done(&["user", "role", "carol", "administrator"])?;
    let found = |filter: &[&str]| -> Result<Vec<String>, Failure> {
        let listed = desk.json(&[&["user", "list"], filter].concat(), Given::default())?;
        let users =
            listed.as_array().into_iter().flatten().map(|line| line["user"].as_str().map(str::to_owned));
        Ok(users.flatten().collect())
    };
    assert_eq!(found(&["--registered", "yes"])?, ["alice"]);
    assert_eq!(found(&["--factor", "totp"])?, ["alice"]);
    assert_eq!(found(&["--factor", "sms"])?, Vec::<String>::new());
    assert_eq!(found(&["--state", "enabled", "--role", "user"])?, ["bob"]);
    let run = |words: &[&str]| desk.json(&[words, &["--yes"]].concat(), Given::default());
    let blocked = run(&["user", "block", "--all-matching", "--registered", "no", "--for", "2h"])?;
    assert_eq!((&blocked["changed"], &blocked["failed"]), (&json!(2), &json!([])));
    let narrowed = run(&["user", "unblock", "alice", "bob", "carol", "--role", "administrator"])?;
    assert_eq!((&narrowed["changed"], &narrowed["left-out"]), (&json!(1), &json!(2)));
    let removed = run(&["user", "remove", "--all-matching", "--state", "enabled"])?;
    assert_eq!(removed["changed"], 2);
    assert_eq!(found(&[])?, ["alice"]);
    Ok(())
}

#[test]
fn a_file_with_mistakes_changes_nothing_and_standard_input_is_a_file() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let lines = ["user;x", "alice;1", "", "a/b;2", ";3", "bob;4"];
    let words = ["user", "enforce", "--from-file", "-", "--create", "--yes"];
    let refused = desk.run(&words, Given { lines: &lines, ..Given::default() })?;
    assert!(refused.code == 1, "{refused:?}");
    for part in ["standard input has 2 mistakes", "line 4: ", "line 5: there is no user name"] {
        assert!(refused.errors.contains(part), "{part}: {refused:?}");
    }
    let taken = desk.json(&words, Given { lines: &["alice", "bob", "alice"], ..Given::default() })?;
    assert_eq!(taken["changed"], 2);
    Ok(())
}

#[test]
fn the_members_of_a_group_are_those_it_names_and_those_whose_first_it_is() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    checked(Command::new("groupadd").args(["--gid", "7700", "pilots"]))?;
    let passwd = ["pia:x:7701:7700::/:/bin/sh", "per:x:7702:100::/:/bin/sh", "paul:x:7703:100::/:/bin/sh"];
    let mut file = OpenOptions::new().append(true).open("/etc/passwd").expect("our own copy");
    passwd.iter().for_each(|line| writeln!(file, "{line}").expect("a line"));
    drop(file);
    checked(Command::new("gpasswd").args(["--add", "per", "pilots"]))?;
    let done = desk.json(&["user", "enforce", "--group", "pilots", "--yes"], Given::default())?;
    assert_eq!((&done["changed"], &done["failed"]), (&json!(2), &json!([])));
    assert_eq!((state_of(&desk, "pia")?, state_of(&desk, "per")?), (json!("enforced"), json!("enforced")));
    desk.done(&["user", "add", "nobody"])?;
    desk.done(&["user", "remove", "per", "--yes"])?;
    let listed =
        desk.run(&["user", "list", "--group", "pilots", "--registered", "no", "--csv"], Given::default())?;
    assert!(listed.output.contains("\npia,") && !listed.output.contains("nobody"), "{listed:?}");
    assert!(listed.errors.contains("1 member of the group without an account here: per"), "{listed:?}");
    let unknown = desk.run(&["user", "enforce", "--group", "pilot", "--yes"], Given::default())?;
    assert!(unknown.code == 1 && unknown.errors.contains("there is no group pilot"), "{unknown:?}");
    Ok(())
}

#[test]
fn whoever_interrupts_hears_how_far_it_got_and_the_same_command_goes_on() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let file = file_of(&desk, 40_000)?;
    let words = ["user", "enable", "--from-file", &file, "--create", "--yes"];
    let mut terminal = Terminal::start(&desk.command(&words))?;
    terminal.expect(" changed")?.press("\u{3}")?;
    terminal.expect("Stopped with ")?.expect("The same command goes on from there")?;
    assert_eq!(terminal.end()?.code, 1);
    let before = records(&desk)?;
    assert!(before > 0 && before < 40_000, "{before}");
    let rest = desk.json(&words, Given::default())?;
    assert_eq!(rest["as-asked"], before);
    assert_eq!(rest["changed"], 40_000_usize.saturating_sub(before));
    Ok(())
}

#[test]
fn a_list_fits_the_terminal_and_says_what_it_left_out() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let settings = desk.folder.join("countersign.toml");
    let line = |columns: u16| {
        let program = desk.machine.built("countersign");
        format!(
            "stty columns {columns} rows 24; exec {} --config {} user list",
            program.display(),
            settings.display()
        )
    };
    let mut narrow = Terminal::start(Command::new("sh").args(["-c", &line(60)]))?;
    let ended = narrow.end()?;
    let mut table = ended.transcript.lines().take_while(|line| !line.starts_with("1 account."));
    assert!(table.all(|line| line.trim_end().len() <= 60), "{ended:?}");
    assert!(ended.transcript.contains("alice  enforced  totp"), "{ended:?}");
    assert!(ended.transcript.contains("This terminal is too narrow for: "), "{ended:?}");
    let mut wide = Terminal::start(Command::new("sh").args(["-c", &line(200)]))?;
    let ended = wide.end()?;
    assert!(ended.transcript.contains("PASSWORD") && !ended.transcript.contains("too narrow"), "{ended:?}");
    let csv = desk.done(&["user", "list", "--csv"])?;
    let mut lines = csv.lines();
    assert!(lines.next().is_some_and(|titles| titles.starts_with("user,state,role,")), "{csv}");
    assert!(lines.next().is_some_and(|line| line.starts_with("alice,enforced,user,")), "{csv}");
    assert_eq!(desk.json(&["user", "list", "--state", "disabled"], Given::default())?, json!([]));
    Ok(())
}

#[test]
fn an_account_is_explained_in_plain_words() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let shown = desk.done(&["user", "show", "alice"])?;
    assert!(shown.contains("At the next sign-in: A second proof is asked for: 'imported'"), "{shown}");
    desk.done(&["user", "block", "alice"])?;
    assert!(desk.done(&["user", "show", "alice"])?.contains("Nobody gets in under this name: it is blocked"));
    desk.done(&["user", "unblock", "alice"])?;
    desk.done(&["user", "disable", "alice"])?;
    let shown = desk.json(&["user", "show", "alice"], Given::default())?;
    assert_eq!(shown["next-sign-in"][0], "The first password is enough: the account is disabled.");
    Ok(())
}

#[test]
fn declared_accounts_become_so_once_and_come_out_as_they_went_in() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let declared = r#"
[[account]]
name = "alice"
state = "enabled"
deadline = "2099-12-24"
sign-ins = 5
contact = [
    { kind = "office", address = "+49 30 1234567", extension = "12" },
    { kind = "email", address = "alice@example.org" },
]

[[account]]
name = "bob"
state = "enforced"
role = "administrator"
"#;
    let file = desk.folder.join("accounts.toml");
    desk.machine.write(&file, declared)?;
    let apply = ["apply", "--create", &file.display().to_string(), "--yes"];
    let slip = desk.run(&["apply", &file.display().to_string(), "--yes"], Given::default())?;
    assert!(slip.code == 1 && slip.output.contains("alice: there is no account 'alice'"), "{slip:?}");
    assert!(slip.output.contains("--create"), "{slip:?}");
    desk.done(&["user", "remove", "bob", "--yes"]).expect_err("nobody was made");
    desk.done(&["user", "add", "carol", "--state", "disabled"])?;
    desk.done(&["user", "add", "bob", "--state", "disabled"])?;
    let shown =
        desk.run(&["apply", "--create", &file.display().to_string(), "--dry-run"], Given::default())?;
    assert!(shown.output.contains("1  disabled → enforced, role administrator: bob"), "{shown:?}");
    assert!(shown.output.contains("1  new, enabled"), "{shown:?}");
    assert_eq!(desk.json(&apply, Given::default())?["changed"], 2);
    let second = desk.json(&apply, Given::default())?;
    assert_eq!((&second["changed"], &second["as-asked"]), (&json!(0), &json!(2)), "{second}");
    assert_eq!(state_of(&desk, "carol")?, "disabled", "who is not in the file stays");
    let exported = desk.done(&["export"])?;
    assert!(
        exported.contains("address = \"+49301234567\"") && exported.contains("sign-ins = 5"),
        "{exported}"
    );
    let other = Desk::new(NO_COLLECTOR)?;
    let file = other.folder.join("exported.toml");
    other.machine.write(&file, &exported)?;
    assert_eq!(
        other.json(&["apply", "--create", &file.display().to_string(), "--yes"], Given::default())?["changed"],
        3
    );
    assert_eq!(other.done(&["export"])?, exported);
    Ok(())
}

#[test]
fn a_file_of_accounts_with_mistakes_shows_all_of_them_and_changes_nothing() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let file = desk.folder.join("accounts.toml");
    desk.machine
        .write(&file, "[[account]]\nname = \"alice\"\nstate = \"on\"\n[[account]]\nnam = \"bob\"\n")?;
    let refused = desk.run(&["apply", &file.display().to_string(), "--yes"], Given::default())?;
    assert_eq!(refused.code, 1);
    for part in ["did you mean `name`?", "\"disabled\", \"enabled\" or \"enforced\"", "^"] {
        assert!(refused.errors.contains(part), "{part}: {refused:?}");
    }
    assert!(
        refused.errors.contains("3 mistakes in the file of accounts: nothing was changed"),
        "{refused:?}"
    );
    let other = desk.run(&["apply", "/etc/passwd", "--yes"], Given::default())?;
    assert_eq!(other.errors.lines().count(), 1, "{other:?}");
    assert_eq!(desk.json(&["user", "list"], Given::default())?, json!([]));
    Ok(())
}
