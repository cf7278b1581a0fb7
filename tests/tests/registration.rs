//! Registration at the prompt: what a window of the usual size shows, and what a phone reads of it.
#![cfg(test)]

#[expect(dead_code, reason = "each suite uses its part of it")]
mod local;
mod newcomer;
mod site;
#[expect(dead_code, reason = "each suite uses its part of it")]
mod transaction;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Once;

use site::{SYSTEM_PASSWORD, Site, module};
use test_ground::{
    Authenticator, Colours, Failure, Form, Letters, Outcome, Screen, Sshd, SshdOptions, Terminal,
};

/// What the other side says to whoever gets in.
const IN: &str = "signed in";
/// The last words of the question below a picture.
const SHOWN: &str = "Code that your app shows: ";
/// The key in it.
const KEY: &str = "MEQHGZLDOJSXIIDPMYQGCIDQNFRXI5LS";

static INSTALLED: Once = Once::new();

/// The longest name of a user: 256 octets, two to a character.
fn longest_name() -> String {
    "ü".repeat(128)
}

/// The longest issuer that the settings take: 64 characters, here of four octets each.
fn longest_issuer() -> String {
    "🦀".repeat(64)
}

/// A PAM service that shows a picture with these names in it and takes a code of what was scanned.
fn showing(site: &Site, service: &str, arguments: &str) -> Result<(), Failure> {
    let name = "pam_that_shows.so";
    // Once: a file that a running sshd has mapped must not change.
    INSTALLED.call_once(|| site.machine.install("examples/libpam_that_shows.so", &module(name)).expect("it"));
    site.add_service(service, &[format!("auth required pam_that_shows.so {arguments}")])
}

/// What a phone reads of a window.
fn scanned(site: &Site, screen: &Screen, colours: Colours) -> Result<String, Failure> {
    screen.scanned(&site.machine, colours)
}

fn file(site: &Site) -> Result<PathBuf, Failure> {
    Ok(site.machine.new_folder("picture")?.join("screen.pgm"))
}

/// The authenticator app that a URI makes.
fn app(uri: &str) -> Authenticator {
    Authenticator::of_uri(uri).expect("a secret")
}

fn is_in(terminal: &mut Terminal) -> Outcome {
    let ended = terminal.end()?;
    assert!(ended.code == 0 && ended.transcript.contains(IN), "{ended:?}");
    Ok(())
}

#[test]
fn a_phone_reads_the_picture_in_ssh_whatever_the_names_are() -> Outcome {
    let site = Site::here()?;
    site.machine.add_user("nadia", SYSTEM_PASSWORD)?;
    let (name, issuer) = (longest_name(), longest_issuer());
    let services = [
        ("show-short", "issuer=Countersign".to_owned()),
        ("show-email", "issuer=Countersign name=nadia.of.the.long.name@example.org".to_owned()),
        ("show-longest", format!("issuer={issuer} name={name}")),
        ("show-ascii", format!("issuer={} name={}", "i".repeat(64), "x".repeat(256))),
    ];
    for (service, arguments) in services {
        showing(site, service, &arguments)?;
        let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service: service, lines: &[] })?;
        let mut terminal = sshd.ssh_at(Form::USUAL, "nadia", &format!("echo {IN}"))?;
        terminal.expect(SHOWN)?;
        let screen = terminal.screen();
        assert!(screen.text().contains(KEY), "{}", screen.text());
        let uri = scanned(site, &screen, Colours::LightOnDark)?;
        // The same picture the other way round is for a light window.
        terminal.send("light")?.expect(SHOWN)?;
        assert_eq!(scanned(site, &terminal.screen(), Colours::DarkOnLight)?, uri);
        terminal.send(&app(&uri).code()?)?;
        is_in(&mut terminal)?;
    }
    Ok(())
}

#[test]
fn a_light_window_needs_the_picture_turned_around() -> Outcome {
    let site = Site::here()?;
    site.machine.add_user("olga", SYSTEM_PASSWORD)?;
    showing(site, "show-light", "issuer=Countersign")?;
    let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service: "show-light", lines: &[] })?;
    let mut terminal = sshd.ssh_at(Form::USUAL, "olga", &format!("echo {IN}"))?;
    terminal.expect("on a light screen, answer: light")?.expect(SHOWN)?;
    let dark = scanned(site, &terminal.screen(), Colours::LightOnDark)?;
    let negative = terminal.screen().picture(Colours::DarkOnLight);
    let file = file(site)?;
    assert_eq!(negative.read_by_zbar(&file, &[])?, [""; 0], "a reader that knows no negatives");
    assert_eq!(negative.read_by_zbar(&file, &["-Stest-inverted"])?, [dark.as_str()], "one that does");
    terminal.send("Light")?.expect("on a dark screen, answer: dark")?.expect(SHOWN)?;
    assert_eq!(scanned(site, &terminal.screen(), Colours::DarkOnLight)?, dark);
    terminal.send("dark")?.expect(SHOWN)?;
    assert_eq!(scanned(site, &terminal.screen(), Colours::LightOnDark)?, dark);
    terminal.send(&app(&dark).code()?)?;
    is_in(&mut terminal)
}

#[test]
fn a_client_without_utf_8_still_shows_the_key() -> Outcome {
    let site = Site::here()?;
    let olaf = site.machine.add_user("olaf", SYSTEM_PASSWORD);
    olaf.and_then(|()| showing(site, "show-ascii-client", "issuer=Countersign"))?;
    let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service: "show-ascii-client", lines: &[] })?;
    let mut client = sshd.client("ssh", &[]);
    client.args(["olaf@127.0.0.1", &format!("echo {IN}")]).env("LC_ALL", "C");
    let mut terminal = Terminal::start_at(Form::USUAL, &client)?;
    terminal.expect(SHOWN)?;
    assert!(terminal.screen().text().contains(KEY), "{}", terminal.screen().text());
    terminal.send(&Authenticator::new(KEY).code()?)?;
    is_in(&mut terminal)
}

/// `su` of somebody to somebody else, at a terminal of this form, up to the question.
fn su(form: Form, arguments: &[&str]) -> Result<Terminal, Failure> {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "nils", "--regid", "nils", "--init-groups"]).args(arguments);
    let mut terminal = Terminal::start_at(form, &command)?;
    terminal.expect(SHOWN)?;
    Ok(terminal)
}

#[test]
fn programs_at_a_terminal_draw_where_it_is_seen() -> Outcome {
    let site = Site::here()?;
    site.machine.add_user("nils", SYSTEM_PASSWORD)?;
    site.machine.add_user("nora", SYSTEM_PASSWORD)?;
    for service in ["su", "login"] {
        showing(site, service, "issuer=Countersign")?;
    }
    let mut drawn = su(Form::USUAL, &["su", "nora", "-c", "echo signed in"])?;
    let uri = scanned(site, &drawn.screen(), Colours::LightOnDark)?;
    drawn.send(&app(&uri).code()?)?;
    is_in(&mut drawn)?;
    let mut login = Terminal::start_at(Form::USUAL, Command::new("login").arg("nora"))?;
    login.expect(SHOWN)?;
    assert_eq!(scanned(site, &login.screen(), Colours::LightOnDark)?, uri);

    let others = [
        Form { letters: Letters::Octets, ..Form::USUAL },
        Form { columns: 44, ..Form::USUAL },
        Form { rows: 22, ..Form::USUAL },
    ];
    for form in others {
        let terminal = su(form, &["su", "nora", "-c", "true"])?;
        assert!(!terminal.transcript().contains('█'), "{form:?}: {terminal:?}");
        assert!(terminal.transcript().contains(KEY), "{form:?}: {terminal:?}");
    }
    Ok(())
}

#[test]
fn a_picture_goes_into_no_file_and_silence_is_kept() -> Outcome {
    let site = Site::here()?;
    site.machine.add_user("nelly", SYSTEM_PASSWORD)?;
    for service in ["su-l", "sudo"] {
        showing(site, service, "issuer=Countersign")?;
    }
    let folder = site.machine.new_folder("output")?;
    let (file, rule) = (folder.join("file"), PathBuf::from("/etc/sudoers.d/daemon"));
    site.machine.write(&rule, "daemon ALL=(ALL) ALL\n")?;
    let redirected =
        format!("exec setpriv --reuid daemon --clear-groups su -l nelly -c id > {}", file.display());
    let silent = "exec setpriv --reuid daemon --clear-groups sudo id".to_owned();
    for line in [redirected, silent] {
        let mut terminal = Terminal::start_at(Form::USUAL, Command::new("sh").args(["-c", &line]))?;
        terminal.expect(SHOWN)?;
        assert!(!terminal.transcript().contains('█') && terminal.transcript().contains(KEY), "{terminal:?}");
        terminal.send(&Authenticator::new(KEY).code()?)?;
        assert_eq!(terminal.end()?.code, 0, "{terminal:?}");
    }
    let written = fs::read_to_string(&file).map_err(Failure::file("read", &file))?;
    assert!(written.starts_with("uid=") && !written.contains('█'), "{written}");
    Ok(())
}
