//! Signing in over real ssh, sftp and scp, with each of the stacks of docs/pam.md.
#![cfg(test)]

mod joining;
mod site;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use site::{AGAIN, CODE, OWN_PASSWORD, SYSTEM_PASSWORD, Site, User, WAYS};
use test_ground::{Failure, Outcome, Sshd, SshdOptions, Terminal, checked};

/// What the other side says to whoever gets in.
const IN: &str = "signed in";

fn sshd(site: &Site, service: &str) -> Result<Sshd, Failure> {
    Sshd::start(&site.machine, &SshdOptions { pam_service: service, lines: &[] })
}

/// `ssh`, up to the first question.
fn ssh(sshd: &Sshd, name: &str) -> Result<Terminal, Failure> {
    sshd.ssh(name, &format!("echo {IN}"))
}

/// Sees that the session opened.
fn is_in(terminal: &mut Terminal) -> Outcome {
    let ended = terminal.end()?;
    assert!(ended.code == 0 && ended.transcript.contains(IN), "{ended:?}");
    Ok(())
}

/// Sees that it did not.
fn is_out(terminal: &mut Terminal) -> Outcome {
    let ended = terminal.end()?;
    assert!(ended.code == 255 && !ended.transcript.contains(IN), "{ended:?}");
    assert!(ended.transcript.contains("Permission denied"), "{ended:?}");
    Ok(())
}

/// One login with these answers, up to its end.
fn attempt(sshd: &Sshd, name: &str, password: &str, code: &str) -> Result<Terminal, Failure> {
    let mut terminal = ssh(sshd, name)?;
    terminal.expect("Password: ")?.send(password)?.expect(CODE)?.send(code)?;
    Ok(terminal)
}

#[test]
fn sshd_ends_a_sign_in_that_takes_too_long_and_its_client_says_so_after_the_next_answer() -> Outcome {
    let site = Site::here()?;
    site.add_user("thea")?;
    let options = SshdOptions { pam_service: "own", lines: &["LoginGraceTime 2"] };
    let sshd = Sshd::start(&site.machine, &options)?;
    // What it says of that is said at the usual level.
    let mut client = sshd.client("ssh", &["LogLevel=INFO"]);
    let mut terminal = Terminal::start(client.arg("thea@127.0.0.1").arg(format!("echo {IN}")))?;
    terminal.expect("Password: ")?.send(OWN_PASSWORD)?.expect(CODE)?;
    let filter = format!("( sport = :{} )", sshd.port());
    test_ground::wait_for("the end of the connection", 20, || {
        let open = checked(Command::new("ss").args(["-Htn", "state", "established", &filter]));
        let open = open.map_err(|failure| failure.to_string())?;
        if open.trim().is_empty() { Ok(()) } else { Err(open) }
    })?;
    let ended = terminal.send("123456")?.end()?;
    assert!(ended.code == 255 && ended.transcript.contains("Connection closed by"), "{ended:?}");
    Ok(())
}

// Stack (a): ours alone.

#[test]
fn the_password_and_a_code_open_a_session() -> Outcome {
    let site = Site::here()?;
    let (anna, sshd) = (site.add_user("anna")?, sshd(site, "own")?);
    is_in(&mut attempt(&sshd, "anna", OWN_PASSWORD, &anna.code()?)?)?;
    let record = site.wait_for_record("anna", "both-proofs")?;
    assert!(record.structured.contains("source=\"127.0.0.1\""), "{record:?}");
    assert!(record.structured.contains("service=\"own\""), "{record:?}");
    Ok(())
}

#[test]
fn three_wrong_codes_open_none() -> Outcome {
    let site = Site::here()?;
    let (bert, sshd) = (site.add_user("bert")?, sshd(site, "own")?);
    let mut terminal = attempt(&sshd, "bert", OWN_PASSWORD, &bert.wrong_code()?)?;
    for _ in 0..2 {
        terminal.expect(AGAIN)?.send(&bert.wrong_code()?)?;
    }
    is_out(&mut terminal)?;
    site.wait_for_record("bert", "wrong-code").map(drop)
}

#[test]
fn a_wrong_password_is_asked_for_a_code_like_a_right_one_and_refused() -> Outcome {
    let site = Site::here()?;
    let (cora, sshd) = (site.add_user("cora")?, sshd(site, "own")?);
    let code = cora.code()?;
    let mut terminal = attempt(&sshd, "cora", "wrong horse", &code)?;
    for _ in 0..2 {
        terminal.expect(AGAIN)?.send(&code)?;
    }
    is_out(&mut terminal)?;
    site.wait_for_record("cora", "wrong-password")?;
    // It was not spent by somebody who does not know the password.
    is_in(&mut attempt(&sshd, "cora", OWN_PASSWORD, &code)?)
}

#[test]
fn a_used_code_is_refused_and_the_next_is_good() -> Outcome {
    let site = Site::here()?;
    let (dora, sshd) = (site.add_user("dora")?, sshd(site, "own")?);
    let (code, next) = (dora.code()?, dora.next_code()?);
    is_in(&mut attempt(&sshd, "dora", OWN_PASSWORD, &code)?)?;
    let mut terminal = attempt(&sshd, "dora", OWN_PASSWORD, &code)?;
    terminal.expect(AGAIN)?.send(&next)?;
    is_in(&mut terminal)
}

#[test]
fn a_question_mark_shows_the_ways() -> Outcome {
    let site = Site::here()?;
    let (emil, sshd) = (site.add_user("emil")?, sshd(site, "own")?);
    let mut terminal = attempt(&sshd, "emil", OWN_PASSWORD, "?")?;
    terminal
        .expect("1 authenticator app or token")?
        .expect("2 recovery or temporary code")?
        .expect(WAYS)?
        .send(&emil.code()?)?;
    is_in(&mut terminal)
}

#[test]
fn a_recovery_code_works_once() -> Outcome {
    let site = Site::here()?;
    let (fritz, sshd) = (site.add_user("fritz")?, sshd(site, "own")?);
    let code = site.recovery_code(&fritz)?;
    is_in(&mut attempt(&sshd, "fritz", OWN_PASSWORD, &code)?)?;
    let mut terminal = attempt(&sshd, "fritz", OWN_PASSWORD, &code)?;
    terminal.expect(AGAIN)?;
    site.wait_for_record("fritz", "recovery-code-already-used").map(drop)
}

#[test]
fn an_app_password_is_the_only_password_in_its_scope() -> Outcome {
    let site = Site::here()?;
    let (gerd, own) = (site.add_user("gerd")?, sshd(site, "own")?);
    let (here, elsewhere) = (site.app_password(&gerd, "own")?, site.app_password(&gerd, "elsewhere")?);
    let mut terminal = ssh(&own, "gerd")?;
    terminal.expect("Password: ")?.send(&here)?;
    is_in(&mut terminal)?;
    site.wait_for_record("gerd", "app-password-alone")?;
    is_in(&mut attempt(&own, "gerd", OWN_PASSWORD, &here)?)?;
    let mut terminal = attempt(&own, "gerd", &elsewhere, &gerd.code()?)?;
    terminal.expect(AGAIN)?;
    site.wait_for_record("gerd", "app-password-out-of-scope").map(drop)
}

#[test]
fn a_disabled_user_is_asked_for_the_password_alone_and_the_record_says_so() -> Outcome {
    let site = Site::here()?;
    let (_hans, sshd) = (site.add_user("hans")?, sshd(site, "own")?);
    site.countersign(&["user", "disable", "hans"])?;
    let mut terminal = ssh(&sshd, "hans")?;
    terminal.expect("Password: ")?.send(OWN_PASSWORD)?;
    is_in(&mut terminal)?;
    site.wait_for_record("hans", "skipped-disabled").map(drop)
}

#[test]
fn a_user_who_has_not_registered_yet_gets_in_and_the_record_says_so() -> Outcome {
    let site = Site::here()?;
    site.machine.add_user("ines", SYSTEM_PASSWORD)?;
    site.add_bare_account("ines")?;
    site.ask_to_register("ines", &[])?;
    let sshd = sshd(site, "own")?;
    let mut terminal = ssh(&sshd, "ines")?;
    terminal.expect("Password: ")?.send(OWN_PASSWORD)?;
    is_in(&mut terminal)?;
    site.wait_for_record("ines", "skipped-not-registered").map(drop)
}

#[test]
fn a_blocked_user_is_asked_like_anybody_and_refused() -> Outcome {
    let site = Site::here()?;
    let (jana, sshd) = (site.add_user("jana")?, sshd(site, "own")?);
    site.countersign(&["user", "block", "jana"])?;
    let code = jana.code()?;
    let mut terminal = attempt(&sshd, "jana", OWN_PASSWORD, &code)?;
    for _ in 0..2 {
        terminal.expect(AGAIN)?.send(&code)?;
    }
    is_out(&mut terminal)?;
    site.wait_for_record("jana", "blocked")?;
    site.countersign(&["user", "unblock", "jana"])?;
    is_in(&mut attempt(&sshd, "jana", OWN_PASSWORD, &code)?)
}

// sshd's `password` method: one answer to everything.

fn by_password_method(sshd: &Sshd, name: &str, answer: &str) -> Result<Terminal, Failure> {
    let mut command = sshd.client("ssh", &["PreferredAuthentications=password"]);
    let mut terminal = Terminal::start(command.arg(format!("{name}@127.0.0.1")).arg(format!("echo {IN}")))?;
    terminal.expect("password: ")?.send(answer)?;
    Ok(terminal)
}

const WITH_PASSWORD_METHOD: &[&str] = &["PasswordAuthentication yes"];

#[test]
fn a_code_behind_the_password_serves_the_password_method() -> Outcome {
    let site = Site::here()?;
    let karl = site.add_user("karl")?;
    let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service: "own", lines: WITH_PASSWORD_METHOD })?;
    is_in(&mut by_password_method(&sshd, "karl", &format!("{OWN_PASSWORD},{}", karl.code()?))?)?;
    is_out(&mut by_password_method(&sshd, "karl", &format!("{OWN_PASSWORD},{}", karl.wrong_code()?))?)
}

#[test]
fn the_password_repeated_by_sshd_is_no_guess() -> Outcome {
    let site = Site::here()?;
    let lena = site.add_user("lena")?;
    let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service: "own", lines: WITH_PASSWORD_METHOD })?;
    // More often than wrong answers are free.
    for _ in 0..6 {
        is_out(&mut by_password_method(&sshd, "lena", OWN_PASSWORD)?)?;
    }
    site.wait_for_record("lena", "not-an-answer")?;
    is_in(&mut attempt(&sshd, "lena", OWN_PASSWORD, &lena.code()?)?)
}

#[test]
fn files_travel_by_sftp_and_scp() -> Outcome {
    let site = Site::here()?;
    let (mona, sshd) = (site.add_user("mona")?, sshd(site, "own")?);
    let letter = site.machine.new_folder("files")?.join("letter");
    site.machine.write(&letter, "dear mona\n")?;
    let mut scp = sshd.client("scp", &[]);
    let mut scp = Terminal::start(scp.arg(&letter).arg("mona@127.0.0.1:letter"))?;
    scp.expect("Password: ")?.send(OWN_PASSWORD)?.expect(CODE)?.send(&mona.code()?)?;
    assert_eq!(scp.end()?.code, 0);
    let mut sftp = Terminal::start(sshd.client("sftp", &[]).arg("mona@127.0.0.1"))?;
    sftp.expect("Password: ")?.send(&site.app_password(&mona, "own")?)?;
    sftp.expect("sftp> ")?.send("rename letter post")?.expect("sftp> ")?.send("bye")?;
    assert_eq!(sftp.end()?.code, 0);
    assert_eq!(fs::read_to_string("/home/mona/post").expect("a letter"), "dear mona\n");
    Ok(())
}

// Those whom sshd or nobody knows.

/// A login that is refused, with these answers after the first; what stood on the terminal, without the name.
fn refusal(sshd: &Sshd, name: &str, answers: [&str; 5]) -> Result<String, Failure> {
    let mut terminal = ssh(sshd, name)?;
    terminal.expect("Password: ")?.send("wrong horse")?;
    let mut question = "ways): ";
    for answer in answers {
        terminal.expect(question)?.send(answer)?;
        // What is shorter than a code is answered with the list of ways, where a colon is no end.
        question = if (1..=5).contains(&answer.len()) { "Number or code: " } else { "ways): " };
    }
    is_out(&mut terminal)?;
    Ok(terminal.transcript().replace(name, "NAME"))
}

/// sshd answers for those whom it does not know, so these come by another way than wrong guesses of the others.
#[test]
fn unknown_users_are_asked_the_same_questions() -> Outcome {
    let site = Site::here()?;
    site.add_user("nils")?;
    for service in ["own", "stack"] {
        let sshd = sshd(site, service)?;
        for answers in
            [["?", "000000", "app", "111111", "recovery"], ["", "x", "wrong horse", "12345", "123456789"]]
        {
            let unknown = refusal(&sshd, "nobody-of-that-name", answers)?;
            assert_eq!(refusal(&sshd, "nils", answers)?, unknown, "{service} {answers:?}");
        }
    }
    site.wait_for_record("nobody-of-that-name", "not-an-answer").map(drop)
}

#[test]
fn a_barred_root_is_asked_the_same_and_uses_up_no_guesses() -> Outcome {
    let site = Site::here()?;
    let root = site.add_account("root")?;
    let barring = &["PermitRootLogin no"];
    let barred = Sshd::start(&site.machine, &SshdOptions { pam_service: "own", lines: barring })?;
    let code = root.code()?;
    // More often than wrong answers are free.
    for _ in 0..6 {
        let mut terminal = attempt(&barred, "root", OWN_PASSWORD, &code)?;
        for _ in 0..2 {
            terminal.expect(AGAIN)?.send(&code)?;
        }
        is_out(&mut terminal)?;
    }
    site.wait_for_record("root", "not-an-answer")?;
    site.wait_for_log("pam_countersign(own:auth): sshd bars this user")?;
    is_in(&mut attempt(&sshd(site, "own")?, "root", OWN_PASSWORD, &code)?)
}

#[test]
fn a_client_that_vanishes_spends_nothing_and_blocks_nobody() -> Outcome {
    let site = Site::here()?;
    let (olga, paul) = (site.add_user("olga")?, site.add_user("paul")?);
    let sshd = sshd(site, "own")?;
    let mut waiting = ssh(&sshd, "olga")?;
    waiting.expect("Password: ")?.send(OWN_PASSWORD)?.expect(CODE)?;
    is_in(&mut attempt(&sshd, "paul", OWN_PASSWORD, &paul.code()?)?)?;
    waiting.vanish()?;
    site.wait_for_record("olga", "challenged")?;
    is_in(&mut attempt(&sshd, "olga", OWN_PASSWORD, &olga.code()?)?)
}

// Stack (b): the system's password.

#[test]
fn the_systems_password_and_a_code_open_a_session() -> Outcome {
    let site = Site::here()?;
    let (rosa, sshd) = (site.add_user("rosa")?, sshd(site, "stack")?);
    let (code, next) = (rosa.code()?, rosa.next_code()?);
    is_in(&mut attempt(&sshd, "rosa", SYSTEM_PASSWORD, &code)?)?;
    site.wait_for_record("rosa", "both-proofs")?;
    let mut terminal = attempt(&sshd, "rosa", SYSTEM_PASSWORD, &code)?;
    terminal.expect(AGAIN)?.send(&next)?;
    is_in(&mut terminal)
}

#[test]
fn a_wrong_system_password_is_asked_for_a_code_and_refused() -> Outcome {
    let site = Site::here()?;
    let (sven, sshd) = (site.add_user("sven")?, sshd(site, "stack")?);
    let code = sven.code()?;
    let mut terminal = attempt(&sshd, "sven", "wrong horse", &code)?;
    for _ in 0..2 {
        terminal.expect(AGAIN)?.send(&code)?;
    }
    is_out(&mut terminal)?;
    site.wait_for_record("sven", "wrong-password")?;
    is_in(&mut attempt(&sshd, "sven", SYSTEM_PASSWORD, &code)?)
}

#[test]
fn an_app_password_stands_in_for_the_systems() -> Outcome {
    let site = Site::here()?;
    let (tina, sshd) = (site.add_user("tina")?, sshd(site, "stack")?);
    let password = site.app_password(&tina, "stack")?;
    let mut sftp = Terminal::start(sshd.client("sftp", &[]).arg("tina@127.0.0.1"))?;
    sftp.expect("Password: ")?.send(&password)?.expect("sftp> ")?.send("bye")?;
    assert_eq!(sftp.end()?.code, 0);
    is_in(&mut attempt(&sshd, "tina", SYSTEM_PASSWORD, &password)?)
}

// Stack (c): a key, then the code.

/// A key of a user, known to the machine.
fn key(site: &Site, user: &User) -> Result<PathBuf, Failure> {
    let folder = Path::new("/home").join(user.name).join(".ssh");
    let key = site.machine.new_folder("key")?.join("key");
    checked(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
    let public = fs::read_to_string(key.with_extension("pub")).map_err(Failure::file("read", &key))?;
    site.machine.write(&folder.join("authorized_keys"), &public)?;
    Ok(key)
}

#[test]
fn a_key_and_a_code_open_a_session() -> Outcome {
    let site = Site::here()?;
    let ute = site.add_user("ute")?;
    let key = format!("IdentityFile={}", key(site, &ute)?.display());
    let lines = &["AuthenticationMethods publickey,keyboard-interactive"];
    let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service: "key", lines })?;
    let with_key = |code: &str| -> Result<Terminal, Failure> {
        let options = [key.as_str(), "PreferredAuthentications=publickey,keyboard-interactive"];
        let mut command = sshd.client("ssh", &options);
        let mut terminal = Terminal::start(command.arg("ute@127.0.0.1").arg(format!("echo {IN}")))?;
        terminal.expect(CODE)?.send(code)?;
        Ok(terminal)
    };
    with_key(&ute.wrong_code()?)?.expect(AGAIN)?;
    let code = ute.code()?;
    is_in(&mut with_key(&code)?)?;
    site.wait_for_record("ute", "second-proof-alone")?;
    with_key(&code)?.expect(AGAIN)?;
    // Without the key nobody comes as far as the question.
    let ended = ssh(&sshd, "ute")?.end()?;
    assert!(ended.code == 255 && !ended.transcript.contains(CODE), "{ended:?}");
    Ok(())
}
