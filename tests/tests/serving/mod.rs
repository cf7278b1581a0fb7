//! The process of countersign-local: its settings, its counters, its socket and its rights.

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Command;

use nix::sys::signal::Signal;
use test_ground::{Daemon, Outcome, checked, wait_for};

use crate::local::{Local, as_user, tried_by, typed};
use crate::site::{AGAIN, CODE, OWN_PASSWORD, SERVICE_AWAY, Site};
use crate::transaction::PASSWORD;
use crate::{may_sudo, with_stack};

#[test]
fn a_bad_file_never_replaces_a_good_one_and_the_counters_are_told() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("dana")?;
    let folder = site.machine.new_folder("reload")?;
    let settings = folder.join("countersign.toml");
    let good = fs::read_to_string("/etc/countersign/countersign.toml").expect("settings");
    site.machine.write(&settings, &good)?;
    let mut local = Local::stopped(site)?;
    let mut command = local.command();
    let mut daemon = Daemon::start(command.arg("--config").arg(&settings), &folder.join("log"))?;
    daemon.wait_for_output("ready as uid ")?;
    site.add_service("reload", &[format!("{} config={}", local.line("own"), settings.display())])?;
    site.machine.write(&settings, "default-state = \"maybe\"\n")?;
    daemon.signal(Signal::SIGHUP)?;
    daemon.wait_for_output("the one before stays in force")?;
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.code()?)];
    assert_eq!(tried_by("dana", "reload", "dana", &right)?.0, "PAM_SUCCESS");
    site.machine.write(
        &settings,
        &format!("{good}[[rule]]\nname = \"no\"\nservices = [\"reload\"]\naction = \"deny\"\n"),
    )?;
    daemon.signal(Signal::SIGHUP)?;
    daemon.wait_for_output("the configuration was read again")?;
    let next = user.next_code()?;
    let denied = [(PASSWORD, OWN_PASSWORD), (CODE, &*next), (AGAIN, &*next), (AGAIN, &*next)];
    assert_eq!(tried_by("dana", "reload", "dana", &denied)?.0, "PAM_AUTH_ERR");
    daemon.signal(Signal::SIGUSR1)?;
    daemon.wait_for_output(" accepted=1 rejected=1 ")?;
    daemon.stop()?;
    assert!(!local.socket.exists(), "it takes its socket away");
    local.kill();
    Ok(())
}

#[test]
fn the_service_is_not_root_and_a_second_one_does_not_take_its_place() -> Outcome {
    let site = Site::here()?;
    let mut local = Local::start(site)?;
    let uid = checked(Command::new("id").args(["-u", "countersign"]))?;
    assert!(local.output()?.contains(&format!("ready as uid {};", uid.trim())), "{}", local.output()?);
    let second = local.command().output().expect("a second one");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains("another countersign-local serves"), "{said}");
    local.stop()
}

/// Whoever owns the folder could put there whatever answers yes.
#[test]
fn a_socket_in_a_folder_of_an_ordinary_user_is_not_asked() -> Outcome {
    let site = Site::here()?;
    site.add_user("elsa")?;
    let local = Local::stopped(site)?;
    let folder = local.socket.parent().expect("a folder");
    fs::create_dir(folder).expect("a folder");
    checked(Command::new("chmod").arg("0755").arg(folder))?;
    checked(Command::new("chown").arg("elsa").arg(folder))?;
    let listening = UnixListener::bind(&local.socket).expect("a socket");
    checked(Command::new("chmod").arg("0666").arg(&local.socket))?;
    site.add_service("foreign", &[local.line("own")])?;
    let (code, said) = tried_by("elsa", "foreign", "elsa", &[])?;
    assert!(code == "PAM_AUTHINFO_UNAVAIL" && !said.contains(PASSWORD), "{said}");
    let line = site.wait_for_log("pam_countersign(foreign:auth): the real uid is ")?;
    assert!(line.message.contains("others than root and the user countersign could have put it"), "{line:?}");
    listening.set_nonblocking(true).expect("a socket");
    assert!(listening.accept().is_err(), "nobody has connected");
    Ok(())
}

/// As systemd does it: the socket is there first, and the first caller starts the service.
#[test]
fn a_socket_that_was_handed_over_is_served() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("emma")?;
    let local = Local::stopped(site)?;
    let folder = local.socket.parent().expect("a folder");
    fs::create_dir(folder).expect("a folder");
    let mut activate = Command::new("systemd-socket-activate");
    activate.arg("--listen").arg(&local.socket).arg(&local.program);
    let mut daemon = Daemon::start(&mut activate, &folder.with_file_name("log"))?;
    wait_for("the socket", 10, || if local.socket.exists() { Ok(()) } else { Err("none".to_owned()) })?;
    checked(Command::new("chmod").arg("0666").arg(&local.socket))?;
    checked(Command::new("chmod").arg("0755").arg(folder))?;
    site.add_service("activated", &[local.line("own")])?;
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.code()?)];
    assert_eq!(tried_by("emma", "activated", "emma", &right)?.0, "PAM_SUCCESS");
    daemon.wait_for_output("listening on the socket of systemd")?;
    Ok(())
}

/// sudo asks for silence (PAM_SILENT), and says what it says after any refusal.
#[test]
fn without_the_service_su_says_so_and_sudo_keeps_its_silence() -> Outcome {
    let site = Site::here()?;
    site.add_user("yann")?;
    may_sudo(site, "yann")?;
    let local = Local::stopped(site)?;
    let turn = with_stack(site, "su", &[local.line("own")])?;
    let (code, said) = typed(&as_user("yann", "su", &["-c", "id -u"]), &[])?;
    assert!(code == 1 && said.contains(SERVICE_AWAY), "{code} {said}");
    drop(turn);
    let _turn = with_stack(site, "sudo", &[local.line("own")])?;
    let (code, said) = typed(&as_user("yann", "sudo", &["id", "-u"]), &[])?;
    assert!(
        code == 1 && !said.contains(SERVICE_AWAY) && said.contains("incorrect password"),
        "{code} {said}"
    );
    let line = site.wait_for_log("pam_countersign(sudo:auth): the real uid is ")?;
    assert!(line.message.contains("enable --now countersign-local.socket"), "{line:?}");
    Ok(())
}
