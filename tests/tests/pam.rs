//! The module in PAM transactions of pamtester: what it returns, logs and leaves behind.
#![cfg(test)]

#[expect(dead_code, reason = "each suite uses its part of it")]
mod local;
mod return_codes;
mod site;
mod transaction;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use site::{AGAIN, CODE, OWN_PASSWORD, SYSTEM_PASSWORD, Site, module};
use test_ground::{Failure, Outcome, Sshd, SshdOptions, Terminal, checked};
use transaction::{PASSWORD, Transaction, at, code_of, converse};

/// A service whose module panics behind the same guard as ours.
fn add_panicking_service(site: &Site) -> Outcome {
    site.machine.install("examples/libpam_that_panics.so", &module("pam_that_panics.so"))?;
    site.add_service("panicking", &["auth required pam_that_panics.so"])
}

#[test]
fn a_panic_shows_no_text_and_lets_nobody_in() -> Outcome {
    let site = Site::here()?;
    add_panicking_service(site)?;
    let mut command = at("panicking", "anna").command("authenticate");
    let (code, transcript) = converse(command.env("RUST_BACKTRACE", "full"), &[])?;
    assert_eq!(code, "PAM_ABORT");
    assert_eq!(transcript.trim(), "pamtester: Critical error - immediate abort");
    let line = site.wait_for_log("pam_countersign: internal error at ")?;
    assert!(line.message.contains("pam_that_panics.rs:"), "{line:?}");
    assert!(!format!("{:?}", site.log()?).contains("the password is"));
    Ok(())
}

#[test]
fn a_panic_costs_sshd_one_login_only() -> Outcome {
    let site = Site::here()?;
    add_panicking_service(site)?;
    site.machine.add_user("mona", SYSTEM_PASSWORD)?;
    let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service: "panicking", lines: &[] })?;
    for _ in 0..2 {
        let ended = sshd.ssh("mona", "echo signed in")?.end()?;
        assert!(ended.code == 255 && ended.transcript.contains("Permission denied"), "{ended:?}");
        assert!(!ended.transcript.contains("the password is"), "{ended:?}");
    }
    Ok(())
}

// What is left behind, and what is not.

/// A service that writes the token of later modules to a file, or nothing if there is none.
fn add_token_service(site: &Site, service: &str) -> Result<PathBuf, Failure> {
    let folder = site.machine.new_folder("token")?;
    let (script, file) = (folder.join("keep"), folder.join("token"));
    site.machine.write(&script, &format!("#!/bin/sh\ntr -d '\\000' > {}\n", file.display()))?;
    checked(Command::new("chmod").arg("755").arg(&script))?;
    let keep = format!("auth required pam_exec.so expose_authtok quiet {}", script.display());
    site.add_service(service, &["auth requisite pam_countersign.so primary=own", &keep])?;
    Ok(file)
}

#[test]
fn later_modules_find_the_password_and_never_a_code() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("nils")?;
    let file = add_token_service(site, "with-token")?;
    let token = || fs::read_to_string(&file).map_err(Failure::file("read", &file));
    let appended = format!("{OWN_PASSWORD},{}", user.code()?);
    assert_eq!(at("with-token", "nils").login(&[(PASSWORD, &appended)])?.0, "PAM_SUCCESS");
    assert_eq!(token()?, OWN_PASSWORD);
    let asked = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.next_code()?)];
    assert_eq!(at("with-token", "nils").login(&asked)?.0, "PAM_SUCCESS");
    assert_eq!(token()?, OWN_PASSWORD);
    let app_password = site.app_password(&user, "with-token")?;
    // Nothing is left to pam_exec.so, which asks for itself.
    let asked_again = [(PASSWORD, app_password.as_str()), (PASSWORD, "typed for pam_exec")];
    assert_eq!(at("with-token", "nils").login(&asked_again)?.0, "PAM_SUCCESS");
    assert_eq!(token()?, "typed for pam_exec");
    Ok(())
}

/// A service of ours whose settings have the password checked by another PAM service.
fn add_service_by_pam(site: &Site, service: &str, primary: &str) -> Outcome {
    let settings = site.machine.new_folder("by-pam")?.join("countersign.toml");
    let content =
        format!("default-state = \"enforced\"\n[primary]\nbackend = \"pam\"\npam-service = \"{primary}\"\n");
    site.machine.write(&settings, &content)?;
    let line = format!("auth required pam_countersign.so primary=own config={}", settings.display());
    site.add_service(service, &[line])
}

#[test]
fn another_pam_service_checks_the_password() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("ute")?;
    site.add_service("unix-only", &["auth required pam_unix.so nodelay"])?;
    add_service_by_pam(site, "own-by-unix", "unix-only")?;
    let right = [(PASSWORD, SYSTEM_PASSWORD), (CODE, &*user.code()?)];
    assert_eq!(at("own-by-unix", "ute").login(&right)?.0, "PAM_SUCCESS");
    let next = user.next_code()?;
    let wrong = [(PASSWORD, OWN_PASSWORD), (CODE, &*next), (AGAIN, &*next), (AGAIN, &*next)];
    assert_eq!(at("own-by-unix", "ute").login(&wrong)?.0, "PAM_AUTH_ERR");
    Ok(())
}

#[test]
fn our_own_module_in_that_service_goes_round_once_only() -> Outcome {
    let site = Site::here()?;
    site.add_user("vera")?;
    site.add_service("round", &["auth required pam_countersign.so primary=own"])?;
    add_service_by_pam(site, "own-by-round", "round")?;
    assert_eq!(at("own-by-round", "vera").login(&[(PASSWORD, OWN_PASSWORD)])?.0, "PAM_AUTHINFO_UNAVAIL");
    site.wait_for_log("pam_countersign(round:auth): called from the PAM service that checks our own")?;
    Ok(())
}

/// Each has been asked before any of them answers.
#[test]
fn of_twenty_who_type_one_code_at_once_one_gets_in() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("paul")?;
    let mut terminals = Vec::new();
    for _ in 0..20 {
        let mut terminal = Terminal::start(&at("own", "paul").command("authenticate"))?;
        terminal.expect(PASSWORD)?.send(OWN_PASSWORD)?.expect(CODE)?;
        terminals.push(terminal);
    }
    let code = user.code()?;
    for terminal in &mut terminals {
        terminal.send(&code)?;
    }
    let mut accepted = 0;
    for terminal in &mut terminals {
        if terminal.expect(AGAIN).is_err() {
            assert_eq!(code_of(&terminal.end()?.transcript)?, "PAM_SUCCESS");
            accepted += 1;
        }
    }
    assert_eq!(accepted, 1);
    Ok(())
}

#[test]
fn nothing_is_open_while_somebody_types() -> Outcome {
    let site = Site::here()?;
    site.add_user("olga")?;
    let mut terminal = Terminal::start(&at("own", "olga").command("authenticate"))?;
    terminal.expect(PASSWORD)?.send(OWN_PASSWORD)?.expect(CODE)?;
    let process = process_of("olga")?;
    let folder = process.join("fd");
    let open: Vec<PathBuf> = fs::read_dir(&folder)
        .map_err(Failure::file("list", &folder))?
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .collect();
    assert!(
        !open.is_empty() && open.iter().all(|file| !file.starts_with("/var/lib/countersign")),
        "{open:?}"
    );
    let threads = fs::read_dir(process.join("task")).map_err(Failure::file("list", &process))?.count();
    assert_eq!(threads, 1);
    Ok(())
}

/// The pamtester of a user, in /proc.
fn process_of(user: &str) -> Result<PathBuf, Failure> {
    let list =
        checked(Command::new("pgrep").args(["-x", "-f", &format!("pamtester own {user} authenticate")]))?;
    Ok(Path::new("/proc").join(list.trim()))
}

#[test]
fn a_name_of_any_octets_is_refused_and_forges_no_line() -> Outcome {
    let site = Site::here()?;
    let name = OsStr::from_bytes(b"paul\" ending=\"accept\nfake: \xff");
    let mut command = Command::new("pamtester");
    command.arg("own").arg(name).arg("authenticate");
    let dialogue = [(PASSWORD, "x"), (CODE, "000000"), (AGAIN, "000000"), (AGAIN, "000000")];
    assert_eq!(converse(&command, &dialogue)?.0, "PAM_AUTH_ERR");
    site.log_has_record("name-invalid")?;
    let forged =
        site.log()?.into_iter().find(|line| line.app.starts_with("fake") || line.message.starts_with("fake"));
    assert_eq!(forged, None);
    Ok(())
}

#[test]
fn only_addresses_are_sources() -> Outcome {
    let site = Site::here()?;
    for (name, host, source) in [
        ("rosa", Some("rhost=192.0.2.7"), Some("192.0.2.7")),
        ("sven", Some("rhost=gate.example.test"), None),
        ("tina", None, Some("local")),
    ] {
        let user = site.add_user(name)?;
        let options: Vec<&str> = host.map(|host| vec!["-I", host]).unwrap_or_default();
        let transaction = Transaction { options: &options, service: "own", user: name };
        let code = transaction.login(&[(PASSWORD, OWN_PASSWORD), (CODE, &user.code()?)])?.0;
        assert_eq!(code, "PAM_SUCCESS");
        let record = site.wait_for_record(name, "both-proofs")?;
        let said = record.structured.split(" source=\"").nth(1).and_then(|rest| rest.split('"').next());
        assert_eq!(said, source, "{record:?}");
    }
    Ok(())
}

#[test]
fn an_application_that_wants_silence_gets_it() -> Outcome {
    let site = Site::here()?;
    site.add_service("silent", &["auth required pam_countersign.so"])?;
    let (code, transcript) = converse(&at("silent", "anna").command("authenticate(PAM_SILENT)"), &[])?;
    assert_eq!((code, transcript.trim()), ("PAM_SERVICE_ERR", "pamtester: Error in service module"));
    let (_, transcript) = at("silent", "anna").login(&[])?;
    assert!(transcript.contains("Login is not possible right now."), "{transcript}");
    Ok(())
}

// The file itself.

#[test]
fn the_module_shows_its_entry_points_and_nothing_else() -> Outcome {
    let site = Site::here()?;
    let file = site.machine.built("libpam_countersign.so");
    let symbols =
        checked(Command::new("nm").args(["--dynamic", "--defined-only", "--format=posix"]).arg(&file))?;
    let names: BTreeSet<&str> = symbols.lines().filter_map(|line| line.split(' ').next()).collect();
    let hooks = ["acct_mgmt", "authenticate", "chauthtok", "close_session", "open_session", "setcred"];
    let hooks: Vec<String> = hooks.iter().map(|hook| format!("pam_sm_{hook}")).collect();
    assert_eq!(names, hooks.iter().map(String::as_str).collect());
    Ok(())
}

#[test]
fn the_module_needs_only_what_every_debian_has() -> Outcome {
    let site = Site::here()?;
    let file = site.machine.built("libpam_countersign.so");
    let parts = checked(Command::new("readelf").arg("--dynamic").arg(&file))?;
    let library = |line: &str| Some(line.split_once('[')?.1.split_once(".so")?.0.to_owned());
    let needed: BTreeSet<String> =
        parts.lines().filter(|line| line.contains("(NEEDED)")).filter_map(library).collect();
    let known = ["ld-linux-x86-64", "ld-linux-aarch64", "libc", "libcrypt", "libgcc_s", "libm", "libpam"];
    assert!(needed.contains("libpam"), "{parts}");
    assert!(needed.iter().all(|name| known.contains(&name.as_str())), "{needed:?}");
    Ok(())
}
