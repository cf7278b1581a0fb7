//! Tokens that count, clocks that are wrong, codes from an administrator, and where a user hears of changes. The tokens are
//! those of oathtool.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use test_ground::{Failure, Outcome, hotp_code, totp_code};

use crate::desk::{Desk, Given, NO_COLLECTOR, PASSWORD, SECRETS, code};

/// The code of a token at this counter.
fn counted(counter: u64) -> Result<String, Failure> {
    hotp_code(SECRETS[0], counter)
}

/// Two codes in a row, as one answer.
fn pair(counter: u64) -> Result<String, Failure> {
    Ok(format!("{} {}", counted(counter)?, counted(counter.saturating_add(1))?))
}

/// Somebody with the password and nothing else.
fn add_bare(desk: &Desk, name: &str) -> Outcome {
    let added =
        desk.run(&["user", "add", name, "--password-stdin"], Given { lines: &[PASSWORD], clock_ahead: 0 })?;
    assert_eq!(added.code, 0, "{added:?}");
    Ok(())
}

fn show(desk: &Desk, name: &str) -> Result<Value, Failure> {
    desk.json(&["user", "show", name], Given::default())
}

/// The id of the only factor.
fn only_factor(desk: &Desk, name: &str) -> Result<String, Failure> {
    Ok(show(desk, name)?["factors"][0]["id"].as_str().expect("a factor").to_owned())
}

#[test]
fn a_token_that_counts_is_registered_by_two_codes_and_followed_wherever_it_runs() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    add_bare(&desk, "alice")?;
    let enroll = |codes: [&str; 2]| {
        let lines = [SECRETS[0], codes[0], codes[1]];
        desk.run(
            &["enroll", "alice", "hotp", "--secret-stdin", "--json"],
            Given { lines: &lines, clock_ahead: 0 },
        )
    };
    let wrong = enroll([&counted(41)?, &counted(40)?])?;
    assert!(wrong.code == 1 && wrong.errors.contains("'countersign enroll alice hotp' again"), "{wrong:?}");
    let registered = enroll([&counted(40)?, &counted(41)?])?;
    assert!(registered.code == 0 && registered.output.contains(r#""weak-secret":false"#), "{registered:?}");
    for (answer, verdict) in [
        (counted(41)?, "reject code-already-used"),
        (counted(43)?, "accept both-proofs"),
        (counted(42)?, "reject wrong-code"),
        (counted(44 + 11)?, "reject wrong-code"),
        (pair(44 + 100)?, "accept both-proofs"),
        (counted(146)?, "accept both-proofs"),
    ] {
        desk.done(&["user", "unlock", "alice"])?;
        assert_eq!(desk.sign_in("alice", &answer, 0)?, verdict, "{answer}");
    }
    let factor = only_factor(&desk, "alice")?;
    let codes = [counted(200)?, counted(201)?];
    let lines = [codes[0].as_str(), codes[1].as_str()];
    let set = desk.run(&["factor", "resync", "alice", &factor], Given { lines: &lines, clock_ahead: 0 })?;
    assert!(set.code == 0 && set.output.contains("both codes are used up"), "{set:?}");
    desk.done(&["user", "unlock", "alice"])?;
    assert_eq!(desk.sign_in("alice", &counted(201)?, 0)?, "reject code-already-used");
    assert_eq!(desk.sign_in("alice", &counted(202)?, 0)?, "accept both-proofs");
    Ok(())
}

#[test]
fn an_app_that_counts_gets_its_secret_here_and_is_proven_by_one_code() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    add_bare(&desk, "alice")?;
    let mut terminal =
        test_ground::Terminal::start(&desk.command(&["enroll", "alice", "hotp", "--digits", "8"]))?;
    let secret: String = terminal.expect("Secret:")?.read_until("URI:")?.split_whitespace().collect();
    let uri = terminal.read_until("Code that it shows: ")?;
    assert!(
        uri.contains("otpauth://hotp/Countersign:alice?secret=") && uri.contains("&counter=0&digits=8"),
        "{uri}"
    );
    let eight = test_ground::checked(std::process::Command::new("oathtool").args([
        "--hotp",
        "--base32",
        "--digits=8",
        "--counter=0",
        &secret,
    ]))?;
    terminal.send(eight.trim())?;
    let ended = terminal.end()?;
    assert!(ended.code == 0 && ended.transcript.contains("registered as factor"), "{ended:?}");
    Ok(())
}

#[test]
fn a_clock_that_is_wrong_is_set_right_by_two_codes_and_by_no_login() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let factor = only_factor(&desk, "alice")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let shown = |more: u64| totp_code(SECRETS[0], now + 900 + more);
    assert_eq!(desk.sign_in("alice", &shown(0)?, 0)?, "reject wrong-code");
    let codes = [shown(0)?, shown(30)?];
    let lines = [codes[0].as_str(), codes[1].as_str()];
    let set = desk.run(&["factor", "resync", "alice", &factor], Given { lines: &lines, clock_ahead: 30 })?;
    assert_eq!(set.code, 0, "{set:?}");
    desk.done(&["user", "unlock", "alice"])?;
    assert_eq!(desk.sign_in("alice", &codes[1], 30)?, "reject code-already-used");
    assert_eq!(desk.sign_in("alice", &shown(90)?, 90)?, "accept both-proofs");
    let factor = show(&desk, "alice")?["factors"][0].clone();
    // The command takes a moment, and a step may begin in it.
    let drift = factor["drift-steps"].as_i64().expect("a drift");
    assert!((29..=30).contains(&drift), "{factor}");
    assert!(desk.done(&["factor", "list", "alice"])?.contains(&format!("clock +{drift} steps")));
    Ok(())
}

#[test]
fn secrets_of_80_bits_work_and_are_named_weak() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", "GEZDGNBVGY3TQOJQ")?;
    assert_eq!(desk.sign_in("alice", &code("GEZDGNBVGY3TQOJQ", 0)?, 0)?, "accept both-proofs");
    assert_eq!(show(&desk, "alice")?["factors"][0]["weak-secret"], true);
    assert!(desk.done(&["user", "show", "alice"])?.contains("weak secret"));
    let listed = desk.json(&["user", "list"], Given::default())?;
    assert_eq!(listed[0]["weak-secrets"], 1, "{listed}");
    let records = desk.json(&["audit", "list", "--user", "alice"], Given::default())?;
    assert!(records.to_string().contains("weak-secret=yes"), "{records}");
    Ok(())
}

#[test]
fn a_temporary_code_is_shown_once_and_good_once() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let made = desk.json(&["user", "temporary-code", "alice", "--for", "2h"], Given::default())?;
    let temporary = made["temporary-code"].as_str().expect("a code").to_owned();
    assert!(temporary.len() == 17 && made["expires-at"].is_string(), "{made}");
    assert_eq!(show(&desk, "alice")?["temporary-code"]["good"], true);
    assert_eq!(desk.sign_in("alice", &temporary, 3 * 3600)?, "reject temporary-code-expired");
    assert_eq!(desk.sign_in("alice", &temporary.to_uppercase(), 0)?, "accept both-proofs");
    assert_eq!(desk.sign_in("alice", &temporary, 0)?, "reject temporary-code-already-used");
    assert!(desk.done(&["user", "show", "alice"])?.contains("temporary code  used\n"));
    let long =
        desk.run(&["user", "temporary-code", "alice", "nobody-here", "--for", "8d"], Given::default())?;
    assert!(
        long.code == 1
            && long.output.contains("at most 7 days")
            && long.output.contains("there is no account"),
        "{long:?}"
    );
    let revoked = desk.json(&["user", "temporary-code", "alice", "--revoke"], Given::default())?;
    assert_eq!(revoked, json!({"user": "alice", "act": "temporary-code revoke"}));
    assert_eq!(show(&desk, "alice")?["temporary-code"], Value::Null);
    let store = std::fs::read(desk.store()).expect("the store");
    let octets = temporary.as_bytes();
    assert!(!store.windows(octets.len()).any(|window| window == octets), "kept in the clear");
    Ok(())
}

#[test]
fn disabled_for_a_while_comes_back_by_itself() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let said = desk.done(&["user", "disable", "alice", "--for", "4h"])?;
    assert!(said.starts_with("alice: no second step, and no app password, until "), "{said}");
    assert!(desk.done(&["user", "show", "alice"])?.contains("disabled until  20"));
    assert_eq!(desk.sign_in("alice", "", 0)?, "accept skipped-disabled");
    assert_eq!(desk.sign_in("alice", "000000", 5 * 3600)?, "reject wrong-code");
    assert_eq!(desk.sign_in("alice", &code(SECRETS[0], 5 * 3600)?, 5 * 3600)?, "accept both-proofs");
    Ok(())
}

#[test]
fn enabling_gives_a_deadline_and_a_reset_demands_everything_anew() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    add_bare(&desk, "bob")?;
    desk.add_user("alice", SECRETS[0])?;
    let said = desk.done(&["user", "enable", "bob", "--deadline", "2099-01-01", "--sign-ins", "3"])?;
    assert!(said.starts_with("bob: enforced, and stays so."), "{said}");
    desk.done(&["user", "disable", "bob"])?;
    let said = desk.done(&["user", "enable", "bob", "--deadline", "2099-01-01"])?;
    assert_eq!(said, "bob: enabled; must register by 2099-01-01T00:00:00Z.\n");
    let said = desk.done(&["user", "enable", "bob", "--sign-ins", "3"])?;
    assert_eq!(said, "bob: enabled; must register by 2099-01-01T00:00:00Z, within 3 sign-ins.\n");
    let said = desk.done(&["user", "enable", "bob", "--sign-ins", "none", "--dry-run"])?;
    assert!(said.contains("must register by 2099-01-01T00:00:00Z: bob"), "{said}");
    assert_eq!(show(&desk, "bob")?["deadline"], json!({"by": "2099-01-01T00:00:00Z", "sign-ins": 3}));
    let past = desk.run(&["user", "enable", "bob", "--deadline", "2020-01-01"], Given::default())?;
    assert!(past.code == 1 && past.errors.contains("has passed"), "{past:?}");
    let nothing = desk.run(&["user", "reset", "alice"], Given::default())?;
    assert_eq!(nothing.code, 2, "{nothing:?}");
    desk.done(&["app-password", "create", "alice", "--label", "x", "--service", "sshd"])?;
    let said = desk.done(&["user", "reset", "alice", "--require-registration", "--delete-app-passwords"])?;
    assert!(said.contains("must register again") && said.contains("no app passwords any more"), "{said}");
    let shown = show(&desk, "alice")?;
    assert_eq!((&shown["must-register-again"], &shown["app-passwords"]), (&json!(true), &json!([])));
    let said = desk.done(&["user", "reset", "bob", "--require-registration"])?;
    assert!(said.contains("has registered nothing that could be registered again"), "{said}");
    Ok(())
}

#[test]
fn numbers_and_addresses_are_set_on_behalf_of_somebody_and_changed() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    add_bare(&desk, "alice")?;
    let enrolled = desk.json(&["enroll", "alice", "mobile", "+49 151 12345678"], Given::default())?;
    assert_eq!(enrolled["state"], "enforced");
    let office =
        desk.run(&["enroll", "alice", "office", "+493012345", "--extension", "12"], Given::default())?;
    assert!(office.code == 0 && office.errors.contains("it counts on your word"), "{office:?}");
    desk.done(&["enroll", "alice", "email", "alice@example.org"])?;
    let twice = desk.run(&["enroll", "alice", "email", "alice@example.org"], Given::default())?;
    assert!(twice.code == 1 && twice.errors.contains("a...@example.org already"), "{twice:?}");
    let kinds = |shown: &Value| {
        shown["factors"].as_array().expect("factors").iter().map(|one| one["kind"].clone()).collect()
    };
    let kinds: Vec<Value> = kinds(&show(&desk, "alice")?);
    assert_eq!(kinds, [json!("mobile"), json!("office"), json!("email")]);
    let mobile = only_factor(&desk, "alice")?;
    desk.done(&["factor", "label", "alice", &mobile, "Fairphone"])?;
    desk.done(&["factor", "default", "alice", &mobile])?;
    let listed = desk.done(&["factor", "list", "alice"])?;
    assert!(listed.contains("Fairphone  ...5678, default"), "{listed}");

    let added = desk.json(&["contact", "add", "alice", "alice@example.net"], Given::default())?;
    let contact = added["contact"].as_str().expect("an id").to_owned();
    desk.done(&["contact", "add", "alice", "+493054321", "--office"])?;
    let listed = desk.json(&["contact", "list", "alice"], Given::default())?;
    assert_eq!((&listed[0]["address"], &listed[1]["kind"]), (&json!("alice@example.net"), &json!("office")));
    assert_eq!(desk.run(&["contact", "add", "alice", "0151 1234"], Given::default())?.code, 2);
    desk.done(&["contact", "remove", "alice", &contact])?;
    let records = desk.json(&["audit", "list", "--user", "alice"], Given::default())?.to_string();
    for words in [
        "proof=on-behalf",
        "set-by=administrator",
        "contact remove",
        r#""told":{"notices":0,"untold":"no-gateway"}"#,
    ] {
        assert!(records.contains(words), "{words}: {records}");
    }
    assert!(!records.contains("15112345678"), "a number in the records");
    Ok(())
}
