//! What an administrator sees of guesses at somebody, and how they are ended; and what else a command says in time.

use test_ground::Outcome;

use crate::desk::{Desk, Given, NO_COLLECTOR, PASSWORD, SECRETS, code};

const WRONG: &str = "000000";

#[test]
fn waits_are_shown_and_an_unlock_ends_them_as_one_act() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let waits = || {
        Ok::<_, test_ground::Failure>(
            desk.json(&["user", "show", "alice"], Given::default())?["waits"].clone(),
        )
    };
    assert_eq!(waits()?, serde_json::json!({"sources": 0, "until": null}));
    assert!(desk.done(&["user", "show", "alice"])?.contains("must wait       nobody\n"));
    for _ in 0..2 {
        let _ = desk.sign_in("alice", WRONG, 0)?;
    }
    assert_eq!(desk.sign_in("alice", &code(SECRETS[0], 0)?, 0)?, "reject throttled");
    assert!(waits()?["sources"] == 1 && waits()?["until"].is_string());
    let shown = desk.done(&["user", "show", "alice"])?;
    assert!(
        shown.contains("logins from 1 address or service, until ")
            && shown.contains("countersign user unlock alice"),
        "{shown}"
    );

    let said = desk.done(&["user", "unlock", "alice"])?;
    assert!(said.contains("1 wait is ended") && !said.contains(" 0 wrong"), "{said}");
    let again = desk.done(&["user", "unlock", "alice"])?;
    assert!(again.starts_with("alice: nothing was closed or waiting"), "{again}");
    assert_eq!(waits()?["sources"], 0);
    assert_eq!(desk.sign_in("alice", &code(SECRETS[0], 0)?, 0)?, "accept both-proofs");
    let listed = desk.done(&["audit", "list", "--user", "alice"])?;
    assert_eq!(listed.matches("user unlock by uid").count(), 2, "{listed}");
    let records = desk.json(&["audit", "list", "--user", "alice"], Given::default())?;
    let mut acts = records.as_array().expect("a list").iter().map(|listed| &listed["record"]["act"]);
    let unlock = acts.find(|act| act["act"] == "user unlock").expect("the first unlock");
    let words = |key: &str| unlock[key].as_str().expect("words").to_owned();
    assert!(
        words("before").contains("wrong-codes=") && !words("before").contains("wrong-codes=0"),
        "{unlock}"
    );
    assert!(words("after").contains("wrong-codes=0"), "{unlock}");
    assert!(desk.done(&["user", "unblock", "alice"])?.starts_with("alice: was not blocked;"));
    Ok(())
}

#[test]
fn accounts_that_are_closed_to_new_places_are_named_and_can_be_opened() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let closed = || {
        Ok::<_, test_ground::Failure>(
            desk.json(&["store", "check"], Given::default())?["closed-accounts"].clone(),
        )
    };
    for place in 0..8 {
        let service = format!("door-{place}");
        let given = Given { lines: &[PASSWORD, WRONG, WRONG, WRONG], clock_ahead: 0 };
        let _ = desk.json(&["test", "alice", "--service", &service], given)?;
    }
    assert_eq!(closed()?, serde_json::json!(["alice"]));
    let checked = desk.done(&["store", "check"])?;
    assert!(
        checked.contains("is sound") && checked.contains("Too many wrong codes came for alice"),
        "{checked}"
    );
    let guesses = desk.json(&["user", "show", "alice"], Given::default())?["guesses"].clone();
    assert!(guesses["open"] == false && guesses["opens-at"].is_string(), "{guesses}");
    assert!(desk.done(&["user", "show", "alice"])?.contains("codes from such places are refused until 20"));
    assert_eq!(desk.json(&["stats"], Given::default())?["store"]["closed"], 1);
    desk.done(&["user", "unlock", "alice"])?;
    assert_eq!(closed()?, serde_json::json!([]));
    assert_eq!(desk.sign_in("alice", &code(SECRETS[0], 0)?, 0)?, "accept both-proofs");
    Ok(())
}

#[test]
fn a_password_that_nobody_will_ask_for_is_said_to_be_that() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let settings = desk.read("countersign.toml");
    let given = Given { lines: &[PASSWORD], clock_ahead: 0 };
    for (name, backend, who) in
        [("nina", "none", "nobody asks"), ("paul", "pam", "the PAM service \"login\"")]
    {
        let service = if backend == "pam" { "pam-service = \"login\"\n" } else { "" };
        let text = format!("{settings}[primary]\nbackend = \"{backend}\"\n{service}");
        desk.machine.write(&desk.folder.join("countersign.toml"), &text)?;
        for command in ["add", "passwd"] {
            let ended = desk.run(&["user", command, name, "--password-stdin"], given)?;
            assert!(ended.code == 0 && ended.errors.contains("will not be used"), "{ended:?}");
            assert!(ended.errors.contains(who), "{ended:?}");
        }
    }
    desk.machine.write(&desk.folder.join("countersign.toml"), &settings)?;
    let ended = desk.run(&["user", "add", "lena", "--password-stdin"], given)?;
    assert!(ended.code == 0 && !ended.errors.contains("will not be used"), "{ended:?}");
    Ok(())
}
