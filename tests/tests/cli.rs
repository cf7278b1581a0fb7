//! The real `countersign`, from `init` to the proof that nobody has touched the records.
#![cfg(test)]

mod clients_and_settings;
mod desk;
mod going_back;
mod guessing;
mod mending;
mod remembering;
mod setting_up;
mod tampering;
mod tokens;

use std::process::Command;

use desk::{Desk, Given, NO_COLLECTOR, PASSWORD, SECRETS, code};
use test_ground::{
    Daemon, Failure, Machine, Outcome, RadiusAnswer, RadiusRequest, Rsyslogd, SocketForm, Terminal, checked,
};

#[test]
fn a_user_is_added_registered_and_signs_in_at_the_terminal() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let mut terminal = Terminal::start(&desk.command(&["user", "add", "alice", "--password-prompt"]))?;
    terminal.expect("New password: ")?.send(PASSWORD)?.expect("once more: ")?.send(PASSWORD)?;
    let ended = terminal.end()?;
    assert!(ended.code == 0 && ended.transcript.contains("countersign enroll alice totp"), "{ended:?}");
    assert!(!ended.transcript.contains(PASSWORD), "the password was echoed");

    let secret = enroll_at_terminal(&desk)?;
    let mut login = Terminal::start(&desk.command(&["test", "alice"]))?;
    login.expect("Password: ")?.send(PASSWORD)?.expect("One-time code")?.send(&code(&secret, 30)?)?;
    let ended = login.end()?;
    assert!(ended.code == 0 && ended.transcript.contains("Reason both-proofs"), "{ended:?}");
    assert!(!ended.transcript.contains(PASSWORD), "the password was echoed");
    Ok(())
}

/// A wrong code first; then the right one of the secret that stands under the picture.
fn enroll_at_terminal(desk: &Desk) -> Result<String, Failure> {
    let program = desk.machine.built("countersign");
    let settings = desk.folder.join("countersign.toml");
    let line = format!(
        "stty columns 100 rows 60; exec {} --config {} enroll alice totp --label phone",
        program.display(),
        settings.display()
    );
    let mut terminal = Terminal::start(Command::new("sh").args(["-c", &line]))?;
    let picture = terminal.read_until("Secret:")?;
    assert!(picture.contains('▀') && picture.contains('▄'), "{picture}");
    let secret: String = terminal.read_until("URI:")?.split_whitespace().collect();
    terminal.expect("Code that it shows now: ")?.send("000000")?.expect("check the clock")?;
    terminal.expect("Code that it shows now: ")?.send(&code(&secret, 0)?)?;
    let ended = terminal.end()?;
    assert!(ended.code == 0 && ended.transcript.contains("registered as factor"), "{ended:?}");
    Ok(secret)
}

#[test]
fn whoever_gives_up_after_three_wrong_codes_hears_that_nothing_was_registered() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.done(&["user", "add", "alice"])?;
    let mut terminal = Terminal::start(&desk.command(&["enroll", "alice", "totp"]))?;
    for _ in 0..3 {
        terminal.expect("Code that it shows now: ")?.send("000000")?;
    }
    terminal.expect("nothing was registered")?.expect("run 'countersign enroll alice totp' again")?;
    assert_eq!(terminal.end()?.code, 1);
    assert_eq!(desk.json(&["user", "show", "alice"], Given::default())?["factors"], serde_json::json!([]));
    Ok(())
}

#[test]
fn a_terminal_that_cannot_show_a_picture_gets_secret_and_uri() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.done(&["user", "add", "alice"])?;
    let mut command = desk.command(&["enroll", "alice", "totp"]);
    let mut terminal = Terminal::start(command.env("LC_ALL", "C"))?;
    let before = terminal.read_until("Secret:")?;
    assert!(!before.contains('▀'), "{before}");
    terminal.expect("otpauth://totp/Countersign:alice?secret=")?;
    terminal.vanish()
}

#[test]
fn a_code_works_once_and_a_wrong_one_never() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let now = code(SECRETS[0], 0)?;
    assert_eq!(desk.sign_in("alice", &now, 0)?, "accept both-proofs");
    assert_eq!(desk.sign_in("alice", &now, 0)?, "reject code-already-used");
    desk.add_user("bob", SECRETS[1])?;
    let others = code(SECRETS[2], 0)?;
    assert_eq!(desk.sign_in("bob", &others, 0)?, "reject wrong-code");
    let listed = desk.done(&["audit", "list", "--severity", "notice"])?;
    assert!(listed.contains("wrong-code") && listed.contains("  test"), "{listed}");
    assert!(!listed.contains("  info"), "{listed}");
    let ended =
        desk.run(&["test", "bob"], Given { lines: &[PASSWORD, &code(SECRETS[1], 0)?], clock_ahead: 0 })?;
    assert!(ended.code == 0 && ended.output.starts_with("Accepted at service sshd: the first"), "{ended:?}");
    Ok(())
}

#[test]
fn a_list_counts_the_recovery_codes_that_are_left_and_a_removal_is_asked_for() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let codes = desk.json(&["recovery-codes", "alice"], Given::default())?;
    let first = codes["codes"][0].as_str().expect("a code");
    assert_eq!(desk.sign_in("alice", first, 0)?, "accept both-proofs");
    assert_eq!(desk.json(&["user", "list"], Given::default())?[0]["recovery-codes"], 9);

    let mut terminal = Terminal::start(&desk.command(&["user", "remove", "alice"]))?;
    terminal.expect("Remove alice with")?.send("n")?.expect("Nothing was removed.")?;
    assert_eq!(terminal.end()?.code, 1);
    let mut terminal = Terminal::start(&desk.command(&["user", "remove", "alice"]))?;
    terminal.expect("Remove alice with")?.send("y")?.expect("alice: removed.")?;
    assert_eq!(terminal.end()?.code, 0);
    let mut terminal = Terminal::start(&desk.command(&["user", "remove", "alice"]))?;
    let ended = terminal.end()?;
    assert!(ended.code == 1 && ended.transcript.contains("there is no account 'alice'"), "{ended:?}");
    desk.done(&["user", "add", "bob"])?;
    let unasked = desk.run(&["user", "remove", "bob"], Given::default())?;
    assert!(unasked.code == 1 && unasked.errors.contains("--yes"), "{unasked:?}");
    desk.done(&["user", "remove", "bob", "--yes"])?;
    assert!(desk.done(&["user", "list"])?.contains("There are no accounts."));
    Ok(())
}

#[test]
fn app_passwords_are_good_in_their_scope_until_they_are_revoked() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let create = ["app-password", "create", "alice", "--label", "backup script", "--service", "sshd"];
    let made = desk.json(&create, Given::default())?;
    let (id, password) = (made["id"].as_str().expect("an id"), made["app-password"].as_str().expect("one"));
    let login = |service: &str, first: &str| {
        let lines = [first, password, password, password];
        desk.json(&["test", "alice", "--service", service], Given { lines: &lines, clock_ahead: 0 })
    };
    assert_eq!(login("sshd", password)?["grounds"], "app-password");
    assert_eq!(login("sshd", PASSWORD)?["grounds"], "both-proofs");
    assert_eq!(login("imap", PASSWORD)?["reason"], "app-password-out-of-scope");
    desk.done(&["app-password", "revoke", "alice", id])?;
    assert_eq!(login("sshd", PASSWORD)?["verdict"], "reject");
    let nowhere = desk.run(&["app-password", "create", "alice", "--label", "x"], Given::default())?;
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    Ok(())
}

#[test]
fn an_import_says_every_mistake_and_imports_nothing_beside_one() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let file = desk.folder.join("users.csv");
    let lines = [
        "user,password,password_hash,totp_secret",
        &format!("carol,{PASSWORD},,{}", SECRETS[0]),
        "-x,secret,,",
        "dave,,plain text,",
        "erin,,,not-base32",
        "carol,secret,,",
        "frank,secret",
    ];
    desk.machine.write(&file, &(lines.join("\r\n") + "\r\n"))?;
    let file = file.display().to_string();
    let refused = desk.run(&["import", "--yes", &file], Given::default())?;
    assert_eq!(refused.code, 1, "{refused:?}");
    for place in [
        "line 3, column user:",
        "line 4, column password_hash:",
        "line 5, column totp_secret:",
        "line 6, column user:",
        "line 7:",
    ] {
        assert!(refused.output.contains(place), "{place} in {}", refused.output);
    }
    assert!(desk.done(&["user", "list"])?.contains("There are no accounts."));

    let rehearsal = desk.run(&["import", "--skip-bad", &file], Given::default())?;
    assert!(rehearsal.code == 0 && rehearsal.errors.contains("--yes"), "{rehearsal:?}");
    assert!(desk.done(&["user", "list"])?.contains("There are no accounts."));
    let imported = desk.json(&["import", "--skip-bad", "--yes", &file], Given::default())?;
    assert_eq!(imported["imported"], serde_json::json!(["carol"]));
    assert_eq!(desk.sign_in("carol", &code(SECRETS[0], 0)?, 0)?, "accept both-proofs");
    Ok(())
}

#[test]
fn a_block_of_a_break_glass_account_says_what_it_cannot_do() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let text = desk.read("countersign.toml") + "[break-glass]\nusers = [\"rescue\"]\n";
    desk.machine.write(&desk.folder.join("countersign.toml"), &text)?;
    let listed = desk.run(&["user", "list"], Given::default())?;
    assert!(listed.errors.contains("[break-glass] names rescue, and there is no such account"), "{listed:?}");
    desk.done(&["user", "add", "rescue"])?;
    desk.done(&["user", "add", "alice"])?;
    assert!(desk.run(&["user", "list"], Given::default())?.errors.is_empty());
    let blocked = desk.run(&["user", "block", "rescue"], Given::default())?;
    assert!(blocked.errors.contains("no block keeps this user out of PAM services"), "{blocked:?}");
    assert!(!blocked.output.contains("every door"), "{blocked:?}");
    let removed = desk.run(&["user", "remove", "rescue", "--yes"], Given::default())?;
    assert!(removed.code == 0 && removed.errors.contains("there is no such account"), "{removed:?}");
    let blocked = desk.run(&["user", "block", "alice"], Given::default())?;
    assert!(blocked.output.contains("every door refuses") && blocked.errors.is_empty(), "{blocked:?}");
    Ok(())
}

#[test]
fn every_act_is_a_record_with_its_actor() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.done(&["user", "add", "alice", "--state", "disabled"])?;
    desk.done(&["user", "enforce", "alice"])?;
    desk.done(&["client", "add", "vpn", "--address", "192.0.2.1"])?;
    let _ = desk.run(&["user", "block", "nobody-here"], Given::default())?;
    let records = desk.json(&["audit", "list"], Given::default())?;
    let acts: Vec<_> =
        records.as_array().expect("a list").iter().map(|listed| &listed["record"]["act"]).collect();
    let names: Vec<_> = acts.iter().map(|act| act["act"].as_str().expect("a name")).collect();
    assert_eq!(names, ["user add", "user enforce", "client add", "user block"]);
    assert_eq!(acts[0]["actor"]["uid"], 0);
    assert!(acts[1]["before"].as_str().expect("words").contains("state=disabled"));
    assert!(acts[1]["after"].as_str().expect("words").contains("state=enforced"));
    let of_alice = desk.json(&["audit", "list", "--user", "alice", "--since", "1h"], Given::default())?;
    assert_eq!(of_alice.as_array().map(Vec::len), Some(2));
    assert_eq!(desk.json(&["audit", "verify"], Given::default())?["sound"], true);
    Ok(())
}

#[test]
fn records_are_understood_by_the_collector_of_the_machine() -> Outcome {
    let machine = Machine::here()?;
    let socket = machine.new_folder("log")?.join("socket");
    let collector = Rsyslogd::start(&machine, &socket, SocketForm::CLibrary)?;
    let desk = Desk::new(&format!("unix:{}", socket.display()))?;
    desk.done(&["user", "add", "alice"])?;
    let line = collector.wait_for_line(|line| line.app == "countersign")?;
    assert_eq!((line.version.as_str(), line.facility.as_str()), ("0", "authpriv"));
    assert!(line.message.contains("act=\"user add\"") && line.pid != "-", "{line:?}");
    Ok(())
}

#[test]
fn whoever_is_not_root_hears_it() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    // Where cargo puts programs, only root may be able to look.
    let program = desk.folder.join("countersign");
    desk.machine.install("countersign", &program)?;
    let as_nobody = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]).arg(&program);
        checked(command.arg("--config").arg(desk.folder.join("countersign.toml")).args(arguments))
    };
    let refused = as_nobody(&["user", "list"]).expect_err("nobody is not root");
    assert!(refused.to_string().contains("run it as root"), "{refused}");
    let refused = as_nobody(&["client", "list"]).expect_err("secrets are closed to nobody");
    assert!(refused.to_string().contains("run this as root"), "{refused}");
    assert!(as_nobody(&["config", "show"])?.contains("default-state"));
    Ok(())
}

#[test]
fn what_is_not_understood_is_said_in_the_form_that_was_asked_for() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let plain = desk.run(&["enroll", "alice", "sms"], Given::default())?;
    assert!(plain.code == 2 && plain.errors.contains("<NAME> <totp|hotp|"), "{plain:?}");
    let json = desk.run(&["enroll", "alice", "sms", "--json"], Given::default())?;
    let said: serde_json::Value = serde_json::from_str(&json.errors).expect("an object");
    assert!(json.code == 2 && json.output.is_empty(), "{json:?}");
    assert_eq!(said["error"], "unexpected argument 'sms' found");
    let unknown = desk.run(&["user", "enforce", "alise"], Given::default())?;
    assert!(unknown.code == 1 && unknown.errors.contains("'countersign user list' shows all"), "{unknown:?}");
    Ok(())
}

#[test]
fn a_question_that_is_cut_off_leaves_the_terminal_with_its_echo() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let program = desk.machine.built("countersign");
    let settings = desk.folder.join("countersign.toml");
    let ask = format!("{} --config {} user passwd alice", program.display(), settings.display());
    desk.done(&["user", "add", "alice"])?;
    for (line, typed, code) in [
        (format!("trap : INT; {ask}"), "\u{3}", 130),
        // SIGTERM, as soon as it asks.
        (format!("timeout --foreground --preserve-status 1 {ask}"), "", 143),
    ] {
        let script = format!("{line}; echo \"code $?\"; stty -a; echo all said");
        let mut terminal = Terminal::start(Command::new("sh").args(["-c", &script]))?;
        terminal.expect("New password: ")?;
        terminal.press(typed)?;
        terminal.expect(&format!("code {code}"))?;
        let settings = terminal.read_until("all said")?;
        assert!(settings.contains(" echo ") && settings.contains(" icanon "), "{settings}");
    }
    Ok(())
}

#[test]
fn a_test_tries_the_login_of_the_stack_that_is_named() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    desk.add_user("bob", SECRETS[1])?;
    // These names are looked up as the doors would, in the user database.
    for name in ["alice", "bob"] {
        desk.machine.add_user(name, PASSWORD)?;
    }
    let with = |more: &[&str], user: &str, lines: &[&str]| {
        let ended = desk.json(&[&["test", user], more].concat(), Given { lines, clock_ahead: 0 })?;
        Ok::<_, Failure>(format!("{} {}", ended["verdict"], ended["grounds"]).replace('"', ""))
    };
    let alices = code(SECRETS[0], 0)?;
    assert_eq!(with(&["--primary", "stack"], "alice", &[&alices])?, "accept both-proofs");
    let bobs = code(SECRETS[1], 0)?;
    assert_eq!(with(&["--primary", "none"], "bob", &[&bobs])?, "accept second-proof");

    // Where nobody checks passwords here, none is asked for.
    let file = desk.folder.join("countersign.toml");
    let text = desk.read("countersign.toml").replace("[radius]", "[primary]\nbackend = \"none\"\n[radius]");
    desk.machine.write(&file, &text)?;
    let next = code(SECRETS[0], 30)?;
    assert_eq!(with(&[], "alice", &[&next])?, "accept second-proof");
    let own = desk.json(
        &["test", "bob", "--primary", "own"],
        Given { lines: &[PASSWORD, &code(SECRETS[1], 30)?], clock_ahead: 0 },
    )?;
    assert_eq!(own["verdict"], "unavailable");
    Ok(())
}

#[test]
fn stats_show_the_store_and_say_that_no_server_runs() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    desk.add_user("alice", SECRETS[0])?;
    let shown = desk.done(&["stats"])?;
    assert!(shown.contains("The RADIUS server does not run") && shown.contains("accounts"), "{shown}");
    let figures = desk.json(&["stats"], Given::default())?;
    assert!(figures["server"].is_null() && figures["store"]["states"]["enforced"] == 1, "{figures}");
    Ok(())
}

#[test]
fn stats_show_every_counter_of_a_running_server() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let settings = desk.folder.join("countersign.toml");
    let client = desk.json(&["client", "add", "gate", "--address", "127.0.0.1"], Given::default())?;
    let mut server = Command::new(desk.machine.built("countersign-radiusd"));
    let mut server = Daemon::start(server.arg("--config").arg(&settings), &desk.folder.join("log"))?;
    server.wait_for_output("ready as uid ")?;

    let listen = &desk.json(&["stats"], Given::default())?["server"]["listen"][0];
    let address = listen.as_str().expect("an address");
    let request = RadiusRequest {
        port: address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port"),
        secret: client["secret"].as_str().expect("a secret"),
        kind: "auth",
        attributes: &[
            ("User-Name", "\"nobody\""),
            ("User-Password", "\"x\""),
            ("Message-Authenticator", "0x00"),
        ],
        seconds: 5,
    };
    assert_ne!(request.send()?, RadiusAnswer::Silence);
    let counted = desk.json(&["stats"], Given::default())?;
    assert_eq!(counted["server"]["clients"]["gate"]["challenged"], 1, "{counted}");
    let busy = desk.done(&["stats"])?;
    assert!(busy.contains("--all shows them") && !busy.contains("\nDROPPED "), "{busy}");
    let shown = desk.done(&["stats", "--all"])?;
    for title in ["countersign-radiusd", "EVENT", "DROPPED", "REFUSED", "CLIENT", "gate"] {
        assert!(shown.contains(title), "{title} in {shown}");
    }
    server.stop().map(drop)
}
