//! Callers that are not root, by the local service: sudo, su, login, a program of an ordinary user; and what becomes of
//! logins when the service is away or dies.
#![cfg(test)]

mod database;
mod hostile;
#[expect(dead_code, reason = "each suite uses its part of it")]
mod local;
mod serving;
mod setuid;
mod site;
#[expect(dead_code, reason = "each suite uses its part of it")]
mod transaction;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use local::{Local, as_user, tried_by, typed};
use nix::sys::signal::Signal;
use site::{AGAIN, CODE, OWN_PASSWORD, SERVICE_AWAY, SYSTEM_PASSWORD, Site};
use test_ground::{Failure, LogLine, Outcome, Terminal, checked, measured};
use transaction::{PASSWORD, at, code_of};

/// The service that most tests share; nobody takes it away.
static SHARED: OnceLock<Result<Local, Failure>> = OnceLock::new();

/// The files /etc/pam.d/sudo and /etc/pam.d/su, which are one for all tests.
static STACKS: Mutex<()> = Mutex::new(());

fn shared(site: &Site) -> Result<&'static Local, Failure> {
    let local = SHARED.get_or_init(|| Local::start(site));
    local.as_ref().map_err(|failure| Failure::Unreadable { what: "local", found: format!("{failure:?}") })
}

/// Writes a stack of a program that has but one; others wait until the test is over.
fn with_stack<S: AsRef<str>>(
    site: &Site,
    service: &str,
    auth: &[S],
) -> Result<MutexGuard<'static, ()>, Failure> {
    let turn = STACKS.lock().unwrap_or_else(PoisonError::into_inner);
    site.add_service(service, auth)?;
    Ok(turn)
}

/// Who is who in a record; `-` for nobody.
fn people(record: &LogLine) -> [String; 4] {
    ["typed", "user", "caller", "target"].map(|name| field(record, name))
}

fn field(record: &LogLine, name: &str) -> String {
    let said = record.structured.split(&format!(" {name}=\"")).nth(1);
    said.and_then(|rest| rest.split('"').next()).unwrap_or("-").to_owned()
}

fn may_sudo(site: &Site, user: &str) -> Outcome {
    let lines = format!("{user} ALL=(ALL) ALL\nDefaults:{user} passwd_tries=1, timestamp_timeout=0\n");
    let file = Path::new("/etc/sudoers.d").join(user);
    site.machine.write(&file, &lines)?;
    checked(Command::new("chmod").arg("0440").arg(file)).map(drop)
}

// sudo.

#[test]
fn sudo_asks_whoever_calls_for_their_code() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("sara")?;
    may_sudo(site, "sara")?;
    let _turn = with_stack(site, "sudo", &shared(site)?.stack_b())?;
    let sudo = as_user("sara", "sudo", &["id", "-u"]);
    let (code, said) = typed(&sudo, &[("password for sara: ", SYSTEM_PASSWORD), (CODE, &user.code()?)])?;
    assert!(code == 0 && said.trim_end().ends_with("\n0"), "{code} {said}");
    let record = site.wait_for_record("sara", "both-proofs")?;
    assert_eq!(people(&record), ["sara", "sara", "sara", "-"]);
    assert_eq!(record.app, "countersign-local", "the service has decided");

    let wrong = user.wrong_code()?;
    let dialogue =
        [("password for sara: ", SYSTEM_PASSWORD), (CODE, &*wrong), (AGAIN, &*wrong), (AGAIN, &*wrong)];
    let (code, said) = typed(&sudo, &dialogue)?;
    assert!(code == 1 && !said.contains("\n0"), "{code} {said}");
    assert!(
        !said.contains("Login refused."),
        "sudo wants silence (PAM_SILENT), and the questions were asked: {said}"
    );
    Ok(())
}

#[test]
fn sudo_can_leave_the_password_to_countersign_too() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("sina")?;
    may_sudo(site, "sina")?;
    let _turn = with_stack(site, "sudo", &[shared(site)?.line("own")])?;
    let both = format!("{OWN_PASSWORD},{}", user.code()?);
    let (code, said) = typed(&as_user("sina", "sudo", &["id", "-u"]), &[("password for sina: ", &both)])?;
    assert!(code == 0 && said.trim_end().ends_with("\n0"), "{code} {said}");
    Ok(())
}

// su.

#[test]
fn su_to_root_takes_roots_password_and_the_callers_code() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("sven")?;
    set_password_of_root()?;
    let _turn = with_stack(site, "su", &shared(site)?.stack_b())?;
    let su = as_user("sven", "su", &["-c", "id -u"]);
    let (code, said) = typed(&su, &[(PASSWORD, SYSTEM_PASSWORD), (CODE, &user.code()?)])?;
    assert!(code == 0 && said.trim_end().ends_with("\n0"), "{code} {said}");
    let record = site.wait_for_record("sven", "both-proofs")?;
    assert_eq!(people(&record), ["sven", "sven", "sven", "root"]);

    let wrong = user.wrong_code()?;
    let (code, said) =
        typed(&su, &[(PASSWORD, SYSTEM_PASSWORD), (CODE, &*wrong), (AGAIN, &*wrong), (AGAIN, &*wrong)])?;
    assert!(code == 1 && said.contains("Login refused."), "{code} {said}");
    // Sven's app password is none for root.
    let app_password = site.app_password(&user, "su")?;
    let next = user.next_code()?;
    let (code, said) =
        typed(&su, &[(PASSWORD, &app_password), (CODE, &*next), (AGAIN, &*next), (AGAIN, &*next)])?;
    assert!(code == 1 && said.contains("Login refused."), "{code} {said}");
    Ok(())
}

#[test]
fn su_to_somebody_else_takes_that_users_code() -> Outcome {
    let site = Site::here()?;
    let (_, user) = (site.add_user("tara")?, site.add_user("timo")?);
    let _turn = with_stack(site, "su", &shared(site)?.stack_b())?;
    let su = as_user("tara", "su", &["timo", "-c", "id -un"]);
    let (code, said) = typed(&su, &[(PASSWORD, SYSTEM_PASSWORD), (CODE, &user.code()?)])?;
    assert!(code == 0 && said.trim_end().ends_with("\ntimo"), "{code} {said}");
    let record = site.wait_for_record("timo", "both-proofs")?;
    assert_eq!(people(&record), ["timo", "timo", "tara", "-"]);
    Ok(())
}

#[test]
fn one_persons_password_never_stands_beside_anothers_code() -> Outcome {
    let site = Site::here()?;
    site.add_user("udo")?;
    let _turn = with_stack(site, "su", &[shared(site)?.line("own")])?;
    let (code, said) = typed(&as_user("udo", "su", &["-c", "id -u"]), &[])?;
    assert!(code == 1 && !said.contains(PASSWORD), "{code} {said}");
    site.wait_for_log("pam_countersign(su:auth): primary=own, and the password would be one person's")?;
    Ok(())
}

fn set_password_of_root() -> Outcome {
    let line = format!("echo root:'{SYSTEM_PASSWORD}' | chpasswd --crypt-method SHA512");
    checked(Command::new("sh").args(["-c", &line])).map(drop)
}

// login(1), and programs of ordinary users.

#[test]
fn login_asks_at_the_console() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("vera")?;
    let _turn = with_stack(site, "login", &[shared(site)?.line("own")])?;
    let mut login = Terminal::start(Command::new("login").arg("vera"))?;
    login.expect(PASSWORD)?.send(OWN_PASSWORD)?.expect(CODE)?.send(&user.code()?)?;
    login.expect("$")?.send("echo in as $(id -un); exit")?.expect("in as vera")?;
    let record = site.wait_for_record("vera", "both-proofs")?;
    assert_eq!(people(&record), ["vera", "vera", "-", "-"], "root has called");
    assert_eq!(record.app, "countersign-local");
    Ok(())
}

/// As a screen locker, or a web server's own page.
#[test]
fn a_program_of_an_ordinary_user_tries_nobody_but_that_user() -> Outcome {
    let site = Site::here()?;
    let (own, other) = (site.add_user("wanda")?, site.add_user("willi")?);
    site.add_service("lock", &[shared(site)?.line("own")])?;
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*own.code()?)];
    assert_eq!(tried_by("wanda", "lock", "wanda", &right)?.0, "PAM_SUCCESS");
    assert_eq!(people(&site.wait_for_record("wanda", "both-proofs")?), ["wanda", "wanda", "wanda", "-"]);

    let (code, said) = tried_by("wanda", "lock", "willi", &[])?;
    assert!(code == "PAM_AUTH_ERR" && !said.contains(PASSWORD), "nobody was asked: {said}");
    let record = site.wait_for_record("willi", "not-the-caller")?;
    assert_eq!((field(&record, "caller").as_str(), field(&record, "ending").as_str()), ("wanda", "reject"));
    // What was tried in his name has cost him nothing.
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*other.code()?)];
    assert_eq!(tried_by("willi", "lock", "willi", &right)?.0, "PAM_SUCCESS");
    Ok(())
}

/// It says that it is sudo or su, which would ask for the caller's own factor, or it names somebody else. Each try has a
/// service of its own: of many in one second only a few are recorded.
#[test]
fn a_program_of_an_ordinary_user_is_refused_whatever_it_says_it_is() -> Outcome {
    let site = Site::here()?;
    site.add_user("walter")?;
    site.add_user("werner")?;
    for (service, about, who) in [
        ("lock-of-walter", "root", ["root", "-", "walter", "-"]),
        ("lock-of-walter", "nobody-known", ["nobody-known", "-", "walter", "-"]),
        ("lock-of-walter", "werner", ["werner", "-", "walter", "-"]),
        ("sudo", "root", ["walter", "-", "walter", "root"]),
        ("sudo", "werner", ["walter", "-", "walter", "werner"]),
        ("su", "root", ["walter", "-", "walter", "root"]),
        ("su", "werner", ["werner", "-", "walter", "-"]),
    ] {
        let local = Local::start(site)?;
        let _turn = with_stack(site, service, &[local.line("own")])?;
        let (code, said) = tried_by("walter", service, about, &[])?;
        let asked = [PASSWORD, CODE, "password for"].iter().any(|question| said.contains(question));
        assert!(
            code == "PAM_AUTH_ERR" && !asked && said.contains("Login refused."),
            "{service} {about}: {said}"
        );
        let [typed, _, caller, target] = who;
        let mut named = vec![("service", service), ("typed", typed), ("caller", caller)];
        named.extend((target != "-").then_some(("target", target)));
        let record = site.wait_for_record_with(&named)?;
        assert_eq!(people(&record), who, "{service} {about}");
        assert_eq!(
            ["ending", "reason", "primary", "source", "factor"].map(|name| field(&record, name)),
            ["reject", "not-the-caller", "not-asked", "local", "-"],
            "{service} {about}"
        );
    }
    Ok(())
}

#[test]
fn a_wrong_password_of_an_ordinary_users_program_is_refused_at_the_end() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("xenia")?;
    site.add_service("lock-wrong", &[shared(site)?.line("own")])?;
    let code = user.code()?;
    let dialogue = [(PASSWORD, "wrong horse"), (CODE, &*code), (AGAIN, &*code), (AGAIN, &*code)];
    let (code, said) = tried_by("xenia", "lock-wrong", "xenia", &dialogue)?;
    assert!(code == "PAM_AUTH_ERR" && said.contains("Login refused."), "{said}");
    Ok(())
}

// Without the service.

#[test]
fn without_the_service_root_logs_in_and_nobody_else() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("yara")?;
    let local = Local::stopped(site)?;
    site.add_service("away", &[local.line("own")])?;
    site.add_service("off", &["auth required pam_countersign.so primary=own socket=off"])?;
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.code()?)];
    assert_eq!(at("away", "yara").login(&right)?.0, "PAM_SUCCESS");
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.next_code()?)];
    assert_eq!(at("off", "yara").login(&right)?.0, "PAM_SUCCESS");
    for service in ["away", "off"] {
        let (code, said) = tried_by("yara", service, "yara", &[])?;
        assert!(code == "PAM_AUTHINFO_UNAVAIL" && !said.contains(PASSWORD), "{said}");
        assert!(said.contains(SERVICE_AWAY), "{said}");
        let line = site.wait_for_log(&format!("pam_countersign({service}:auth): the real uid is "))?;
        let advice =
            if service == "off" { "take socket=off out" } else { "enable --now countersign-local.socket" };
        assert!(line.message.contains(advice), "{line:?}");
    }
    Ok(())
}

/// At each question: before the first one, at the password, at the code.
#[test]
fn a_service_that_is_killed_takes_no_login_of_root_with_it() -> Outcome {
    let site = Site::here()?;
    for (name, moment) in [("zoe", 0), ("zita", 1), ("zarah", 2)] {
        let user = site.add_user(name)?;
        let mut local = Local::start(site)?;
        let service = format!("killed-{moment}");
        site.add_service(&service, &[local.line("own")])?;
        let mut kill_at = |now: i32| {
            if now == moment {
                local.kill();
            }
        };
        kill_at(0);
        let mut terminal = Terminal::start(&at(&service, name).command("authenticate"))?;
        terminal.expect(PASSWORD)?;
        kill_at(1);
        terminal.send(OWN_PASSWORD)?.expect(CODE)?;
        kill_at(2);
        terminal.send(&user.code()?)?;
        assert_eq!(code_of(&terminal.end()?.transcript)?, "PAM_SUCCESS", "killed at {moment}");
        // The record is the module's own, which had to go to the store.
        assert_eq!(site.wait_for_record(name, "both-proofs")?.app, "pam_countersign");
        local.start_again()?;
        let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.next_code()?)];
        assert_eq!(tried_by(name, &service, name, &right)?.0, "PAM_SUCCESS", "it is there again");
    }
    Ok(())
}

/// As one that waits for ever for something.
#[test]
fn a_service_that_hangs_holds_no_login_of_root_for_long() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("zeno")?;
    let local = Local::start(site)?;
    site.add_service("hanging", &[local.line("own")])?;
    local.signal(Signal::SIGSTOP)?;
    let begun = Instant::now();
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.code()?)];
    assert_eq!(at("hanging", "zeno").login(&right)?.0, "PAM_SUCCESS");
    measured(&format!("a service that hangs: root signed in within {} ms", begun.elapsed().as_millis()));
    let (code, said) = tried_by("zeno", "hanging", "zeno", &[])?;
    assert!(
        code == "PAM_AUTHINFO_UNAVAIL" && said.contains(SERVICE_AWAY) && !said.contains(PASSWORD),
        "{said}"
    );
    let line = site.wait_for_log("pam_countersign(hanging:auth): the real uid is ")?;
    assert!(line.message.contains("systemctl restart countersign-local"), "{line:?}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    local.signal(Signal::SIGCONT)
}

#[test]
fn a_service_that_is_killed_refuses_all_others_until_it_is_there_again() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("abel")?;
    may_sudo(site, "abel")?;
    let mut local = Local::start(site)?;
    let _turn = with_stack(site, "sudo", &[local.line("own")])?;
    for moment in 0..2 {
        let mut sudo = Terminal::start(&as_user("abel", "sudo", &["id", "-u"]))?;
        sudo.expect("password for abel: ")?;
        if moment == 1 {
            sudo.send(OWN_PASSWORD)?.expect(CODE)?;
        }
        local.kill();
        sudo.send(if moment == 0 { OWN_PASSWORD } else { "123456" })?;
        let ended = sudo.end()?;
        assert!(ended.code == 1 && !ended.transcript.contains("\n0"), "{ended:?}");
        site.wait_for_log("pam_countersign(sudo:auth): the real uid is ")?;
        local.start_again()?;
    }
    let both = format!("{OWN_PASSWORD},{}", user.code()?);
    let (code, said) = typed(&as_user("abel", "sudo", &["id", "-u"]), &[("password for abel: ", &both)])?;
    assert!(code == 0 && said.trim_end().ends_with("\n0"), "{code} {said}");
    Ok(())
}

/// The module reads neither: they are away while the service runs.
#[test]
fn with_the_service_the_module_reads_no_settings_and_no_keys() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("bela")?;
    let folder = site.machine.new_folder("apart")?;
    let settings = folder.join("countersign.toml");
    let text = fs::read_to_string("/etc/countersign/countersign.toml").expect("settings");
    site.machine.write(&settings, &text)?;
    let mut local = Local::stopped(site)?;
    let mut command = local.command();
    let log = folder.join("log");
    let mut daemon = test_ground::Daemon::start(command.arg("--config").arg(&settings), &log)?;
    daemon.wait_for_output("ready as uid ")?;
    let line = format!("{} config={}", local.line("own"), settings.display());
    site.add_service("apart", &[&line])?;
    fs::rename(&settings, folder.join("hidden")).expect("settings");
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.code()?)];
    assert_eq!(at("apart", "bela").login(&right)?.0, "PAM_SUCCESS");
    drop(daemon);
    local.kill();
    assert_eq!(at("apart", "bela").login(&[])?.0, "PAM_AUTHINFO_UNAVAIL", "now it would have to");
    Ok(())
}

#[test]
fn a_line_with_other_settings_is_not_for_this_service() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("carl")?;
    let settings = site.machine.new_folder("other")?.join("countersign.toml");
    let text = fs::read_to_string("/etc/countersign/countersign.toml").expect("settings");
    site.machine.write(&settings, &text)?;
    let line = format!("{} config={}", shared(site)?.line("own"), settings.display());
    site.add_service("other-settings", &[&line])?;
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.code()?)];
    assert_eq!(at("other-settings", "carl").login(&right)?.0, "PAM_SUCCESS", "root goes to the store");
    assert_eq!(tried_by("carl", "other-settings", "carl", &[])?.0, "PAM_AUTHINFO_UNAVAIL");
    site.wait_for_log("it has other settings than this line of the PAM stack")?;
    Ok(())
}
