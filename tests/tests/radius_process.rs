//! The process of countersign-radiusd: its rights, signals, configurations, other servers on the same store, sudden ends,
//! and the first password by PAM.
#![cfg(test)]

mod gate;
mod site;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use gate::{APPEND, Backend, CHALLENGE, Gateway, PLAIN, Radiusd, SECRET, SILENT, UNSIGNED, Wire};
use nix::sys::signal::Signal;
use site::{CODE, OWN_PASSWORD, SYSTEM_PASSWORD, Site};
use test_ground::{Failure, Outcome, Terminal, checked, wait_for};

/// The stack that checks first passwords.
const PRIMARY: [&str; 2] = ["auth required pam_unix.so", "account required pam_unix.so"];

/// The value of a line of `/proc/PID/status`.
fn status(pid: u32, key: &str) -> Result<Vec<String>, Failure> {
    let file = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&file).map_err(|_| unreadable(&file))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    Ok(line.ok_or_else(|| unreadable(key))?.split_whitespace().map(str::to_owned).collect())
}

fn unreadable(found: &str) -> Failure {
    Failure::Unreadable { what: "the state of a process", found: found.to_owned() }
}

/// The children of a process.
fn children(pid: u32) -> Result<Vec<u32>, Failure> {
    let listed = checked(Command::new("ps").args(["-o", "pid=", "--ppid", &pid.to_string()]));
    Ok(listed.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

#[test]
fn a_linux_user_signs_in_by_pam_while_the_server_is_not_root() -> Outcome {
    let site = Site::here()?;
    site.machine.write_pam_service("countersign-primary", &PRIMARY)?;
    let user = site.add_user("alice")?;
    let server = Radiusd::start(site, Backend::Pam("countersign-primary"))?;
    let uid = checked(Command::new("id").args(["-u", "countersign"]))?.trim().to_owned();
    let gid = checked(Command::new("id").args(["-g", "countersign"]))?.trim().to_owned();
    assert_eq!(server.from(CHALLENGE).signs_in(&user, SYSTEM_PASSWORD)?, "Access-Accept");
    assert_ne!(uid, "0");
    assert_eq!(status(server.pid(), "Uid")?, [uid.as_str(); 4]);
    assert_eq!(status(server.pid(), "Gid")?, [gid.as_str(); 4]);
    assert_eq!(status(server.pid(), "Groups")?, [gid]);
    assert_eq!(status(server.pid(), "NoNewPrivs")?, ["1"]);
    for capabilities in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(status(server.pid(), capabilities)?, ["0000000000000000"], "{capabilities}");
    }
    let helpers = children(server.pid())?;
    assert_eq!(helpers.len(), 1);
    assert_eq!(status(helpers[0], "Uid")?, ["0"; 4]);
    let wrong = server.from(APPEND).login("alice", &format!("wrong horse,{}", user.next_code()?))?;
    assert_eq!(wrong.code(), "Access-Reject");
    Ok(())
}

#[test]
fn without_its_backend_a_client_hears_what_it_wants_to_hear() -> Outcome {
    let site = Site::here()?;
    site.machine.write_pam_service("broken", &["auth required pam_no_such_module.so"])?;
    site.add_user("grace")?;
    let server = Radiusd::start(site, Backend::Pam("broken"))?;
    let refused = server.from(CHALLENGE).login("grace", SYSTEM_PASSWORD)?;
    assert_eq!(refused.code(), "Access-Reject");
    let sorry = "\"Login is not possible right now. Please try again later.\"";
    assert_eq!(refused.attribute("Reply-Message"), Some(sorry));
    let signed = ("Message-Authenticator", "0x00");
    let login = [("User-Name", "\"grace\""), ("User-Password", "\"correct horse\""), signed];
    assert!(server.from(SILENT).is_ignored("auth", &login)?);
    // The server as a whole can decide, so that nobody takes it for dead.
    assert_eq!(server.from(SILENT).request("status", &[signed], 10)?.code(), "Access-Accept");
    site.wait_for_record("grace", "backend-unavailable").map(drop)
}

/// A service manager sends SIGTERM to every process of a service, and a debugger stops one for a while.
#[test]
fn signals_to_the_process_that_asks_pam_lose_no_login() -> Outcome {
    let site = Site::here()?;
    site.machine.write_pam_service("countersign-primary", &PRIMARY)?;
    let user = site.add_user("henry")?;
    let server = Radiusd::start(site, Backend::Pam("countersign-primary"))?;
    for helper in children(server.pid())? {
        for signal in ["-STOP", "-CONT", "-TERM", "-INT", "-HUP"] {
            checked(Command::new("kill").args([signal, &helper.to_string()]))?;
        }
    }
    assert_eq!(server.from(CHALLENGE).signs_in(&user, SYSTEM_PASSWORD)?, "Access-Accept");
    Ok(())
}

/// It could not make another without root, and would never let anybody in again.
#[test]
fn a_server_that_lost_the_process_that_asks_pam_ends() -> Outcome {
    let site = Site::here()?;
    site.machine.write_pam_service("countersign-primary", &PRIMARY)?;
    let mut server = Radiusd::start(site, Backend::Pam("countersign-primary"))?;
    for helper in children(server.pid())? {
        checked(Command::new("kill").args(["-KILL", &helper.to_string()]))?;
    }
    server.wait_for_failure("the process that asks PAM has ended")
}

#[test]
fn pam_radius_auth_is_a_client_of_ours() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("bert")?;
    let mut server = Radiusd::start(site, Backend::Local)?;
    let settings = server.settings().with_file_name("pam_radius_auth.conf");
    site.machine.write(&settings, &format!("127.0.0.1:{} {} 10 {UNSIGNED}\n", server.port, PAM_SECRET))?;
    let ours =
        format!("[[client]]\nname = \"pam\"\naddresses = [\"{UNSIGNED}\"]\nsecret = \"{PAM_SECRET}\"\n");
    server.write_clients(&(ours + "require-message-authenticator = false\n"))?;
    server.reload("the configuration was read again")?;
    let line = format!("auth required pam_radius_auth.so conf={}", settings.display());
    site.machine.write_pam_service("by-radius", &[&line, "account required pam_permit.so"])?;
    let mut pamtester =
        Terminal::start(Command::new("pamtester").args(["by-radius", "bert", "authenticate"]))?;
    pamtester.expect("Password: ")?.send(OWN_PASSWORD)?;
    pamtester.expect(CODE)?.send(&user.code()?)?;
    assert!(pamtester.end()?.transcript.contains("successfully authenticated"));
    let mut refused = Terminal::start(Command::new("pamtester").args(["by-radius", "bert", "authenticate"]))?;
    refused.expect("Password: ")?.send("wrong horse")?;
    for _ in 0..3 {
        refused.expect(CODE)?.send(&user.next_code()?)?;
    }
    assert!(refused.end()?.transcript.contains("Authentication failure"));
    Ok(())
}

/// pam_radius_auth takes the secret up to the next blank.
const PAM_SECRET: &str = "between-pam-and-the-server";

#[test]
fn a_broken_configuration_is_not_taken() -> Outcome {
    let site = Site::here()?;
    let user = site.add_account("carol")?;
    let mut server = Radiusd::start(site, Backend::Local)?;
    let good = fs::read_to_string(server.clients()).expect("clients");
    server.write_clients(&good.replace("kind = \"append\"", "kind = \"apend\""))?;
    server.reload("the one before stays in force")?;
    let log = server.log()?;
    assert!(log.contains("apend") && log.contains("clients.toml"), "{log}");
    assert!(!log.contains(SECRET), "{log}");
    let both = format!("{OWN_PASSWORD},{}", user.code()?);
    assert_eq!(server.from(APPEND).login("carol", &both)?.code(), "Access-Accept");
    Ok(())
}

#[test]
fn a_new_client_and_a_new_secret_come_by_reload() -> Outcome {
    let site = Site::here()?;
    let user = site.add_account("dave")?;
    let mut server = Radiusd::start(site, Backend::Local)?;
    let config = server.settings().display().to_string();
    let secret_of = |arguments: &[&str]| -> Result<String, Failure> {
        let answer = site.answer(&[&["--config", &config], arguments].concat())?;
        Ok(answer["secret"].as_str().expect("a secret").to_owned())
    };
    let first = secret_of(&["client", "add", "new", "--address", "127.0.0.21"])?;
    server.reload("the configuration was read again; clients: 8")?;
    let old = Gateway { secret: first, ..server.from("127.0.0.21") };
    assert_eq!(old.login("dave", OWN_PASSWORD)?.code(), "Access-Challenge");
    let new =
        Gateway { secret: secret_of(&["client", "rotate-secret", "new"])?, ..server.from("127.0.0.21") };
    server.signal(Signal::SIGHUP)?;
    wait_for("the new secret", 10, || {
        match new.is_ignored("status", &[("Message-Authenticator", "0x00")]) {
            Ok(false) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })?;
    assert_eq!(old.login("dave", OWN_PASSWORD)?.code(), "Access-Challenge");
    assert_eq!(new.signs_in(&user, OWN_PASSWORD)?, "Access-Accept");
    Ok(())
}

#[test]
fn another_server_on_the_same_store_takes_the_answer() -> Outcome {
    let site = Site::here()?;
    let user = site.add_account("erin")?;
    let (first, second) = (Radiusd::start(site, Backend::Local)?, Radiusd::start(site, Backend::Local)?);
    let challenge = first.from(CHALLENGE).login("erin", OWN_PASSWORD)?;
    let code = user.code()?;
    assert_eq!(second.from(CHALLENGE).answer("erin", &code, &challenge)?.code(), "Access-Accept");
    assert_eq!(first.from(CHALLENGE).answer("erin", &code, &challenge)?.code(), "Access-Accept");
    let again = first.from(CHALLENGE).login("erin", OWN_PASSWORD)?;
    assert_eq!(first.from(CHALLENGE).answer("erin", &code, &again)?.code(), "Access-Challenge");
    Ok(())
}

#[test]
fn a_server_killed_under_traffic_loses_no_login_and_forgets_no_code() -> Outcome {
    let site = Site::here()?;
    let user = site.add_account("frank")?;
    let mut server = Radiusd::start(site, Backend::Local)?;
    let challenge = server.from(CHALLENGE).login("frank", OWN_PASSWORD)?;
    let used = format!("{OWN_PASSWORD},{}", user.code()?);
    assert_eq!(server.from(APPEND).login("frank", &used)?.code(), "Access-Accept");
    let (going_on, sent) = (AtomicBool::new(true), AtomicU32::new(0));
    let port = server.port;
    thread::scope(|scope| {
        let traffic = scope.spawn(|| flood(port, &going_on, &sent));
        let flowing = wait_for("traffic", 10, || match sent.load(Ordering::Relaxed) {
            few @ ..2000 => Err(few.to_string()),
            _ => Ok(()),
        });
        server.kill();
        let launched = server.launch();
        going_on.store(false, Ordering::Relaxed);
        traffic.join().expect("traffic");
        flowing.and(launched)
    })?;
    assert_eq!(server.from(APPEND).login("frank", &used)?.code(), "Access-Reject");
    let answered = server.from(CHALLENGE).answer("frank", &user.next_code()?, &challenge)?;
    assert_eq!(answered.code(), "Access-Accept");
    Ok(())
}

/// Logins of one client without end, faster than they are decided. The other clients have their turns all the same.
fn flood(port: u16, going_on: &AtomicBool, sent: &AtomicU32) {
    let wire = Wire::from(PLAIN, port);
    for identifier in (0..=255).cycle().take_while(|_| going_on.load(Ordering::Relaxed)) {
        wire.send_to_whom_it_may_concern(&wire.request(identifier, "nobody", "x,000000", &[]));
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn without_its_store_the_server_is_silent_and_with_it_back_again() -> Outcome {
    let site = Site::here()?;
    let server = Radiusd::start_apart(site)?;
    let gateway = server.from(CHALLENGE);
    let signed = [("Message-Authenticator", "0x00")];
    let folder = server.state_directory();
    assert_eq!(gateway.login("nobody", "x")?.code(), "Access-Challenge");
    checked(Command::new("chmod").arg("0000").arg(&folder))?;
    let login = [("User-Name", "\"nobody\""), ("User-Password", "\"x\""), signed[0]];
    assert!(gateway.is_ignored("auth", &login)?);
    assert!(gateway.is_ignored("status", &signed)?);
    checked(Command::new("chmod").arg("0700").arg(&folder))?;
    wait_for("an answer to Status-Server", 10, || match gateway.request("status", &signed, 1) {
        Ok(answer) if answer.code() == "Access-Accept" => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    assert_eq!(gateway.login("nobody", "x")?.code(), "Access-Challenge");
    Ok(())
}

#[test]
fn the_heads_of_the_records_go_to_syslog() -> Outcome {
    let site = Site::here()?;
    let mut server = Radiusd::start(site, Backend::Local)?;
    let gateway = server.from(APPEND);
    assert_eq!(gateway.login("grete", "x,000000")?.code(), "Access-Reject");
    let record = site.wait_for_record("grete", "unknown-user")?;
    let sequence = field(&record.structured, "seq");
    assert!(server.stop()?);
    let heads = site.log()?.into_iter().filter(|line| line.structured.contains(" event=\"anchor\""));
    let heads: Vec<u64> = heads.map(|line| field(&line.structured, "seq")).collect();
    assert!(heads.iter().any(|head| *head >= sequence), "{sequence} {heads:?}");
    Ok(())
}

/// A number in structured data.
fn field(structured: &str, name: &str) -> u64 {
    let value = structured.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
    value.and_then(|(value, _)| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {structured}"))
}

#[test]
fn sigterm_ends_it_well_and_its_counters_go() -> Outcome {
    let site = Site::here()?;
    let mut server = Radiusd::start(site, Backend::Local)?;
    assert_eq!(server.from(CHALLENGE).login("nobody", "x")?.code(), "Access-Challenge");
    assert!(server.stop()?);
    assert!(server.from(CHALLENGE).is_ignored("auth", &[("User-Name", "\"nobody\"")])?);
    Ok(())
}

#[test]
fn what_is_wrong_at_the_start_is_said_plainly() -> Outcome {
    let site = Site::here()?;
    let server = Radiusd::start(site, Backend::Local)?;
    let program = server.program();
    let config = server.settings().display().to_string();
    let says = |arguments: &[&str], text: &str| match checked(Command::new(&program).args(arguments)) {
        Err(Failure::Ended { output, .. }) => assert!(output.contains(text), "{output}"),
        other => panic!("{other:?}"),
    };
    says(&["--config", "/nowhere.toml"], "cannot read /nowhere.toml");
    says(&["--config", &config], "see whether another server has the port");
    for ids in [["--ruid", "nobody"], ["--euid", "nobody"]] {
        match checked(Command::new("setpriv").args(ids).arg(&program).args(["--config", &config])) {
            Err(Failure::Ended { output, .. }) => assert!(output.contains("rights of several"), "{output}"),
            other => panic!("{other:?}"),
        }
    }
    says(&["--config", &config, "--user", "root"], "does not run as root");
    says(&["--config", &config, "--user", "nobody-such"], "there is no user nobody-such");
    let checked_well = checked(Command::new(&program).args(["--check", "--config", &config]))?;
    assert!(checked_well.contains("clients: 7"), "{checked_well}");
    assert!(Path::new(&config).exists());
    Ok(())
}
