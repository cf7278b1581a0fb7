//! The same registration through the service, on the command line, and with the longest names.

use std::fs;

use nix::sys::signal::Signal;
use test_ground::{Colours, Failure, Form, Outcome, Terminal};

use super::Person;
use crate::local::Local;
use crate::site::{CODE, OWN_PASSWORD, Site};
use crate::{app, is_in, longest_issuer, scanned};

/// What the settings say and `countersign init` has written.
const SETTINGS: &str = "/etc/countersign/countersign.toml";

/// A PAM service with the usual settings, changed so.
fn serve(site: &Site, service: &str, changed: impl Fn(&str) -> String) -> Outcome {
    let settings = site.machine.new_folder("settings")?.join("countersign.toml");
    let usual = fs::read_to_string(SETTINGS).map_err(Failure::file("read", SETTINGS.as_ref()))?;
    site.machine.write(&settings, &changed(&usual))?;
    let line =
        format!("auth required pam_countersign.so primary=own socket=off config={}", settings.display());
    site.add_service(service, &[line])
}

#[test]
fn the_service_hands_the_picture_on() -> Outcome {
    let site = Site::here()?;
    let mut local = Local::start(site)?;
    site.add_service("served", &[local.line("own")])?;
    let mut carol = Person::at(site, "carol", "served")?;
    let mut terminal = carol.sign_in("or a recovery code: ")?;
    terminal.send(&carol.temporary_code()?)?;
    let (mut app, _) = carol.sets_up(terminal)?;
    carol.gets_in(&app.code()?)?;
    local.signal(Signal::SIGUSR1)?;
    local.wait_for_output(" accepted=2 ")
}

#[test]
fn the_longest_names_fit_a_real_window() -> Outcome {
    let site = Site::here()?;
    let name = "the-longest-name-that-useradd-has";
    let name = name.get(..32).expect("ASCII");
    let issuer = format!("issuer = \"{}\"\n", longest_issuer());
    serve(site, "longest", |usual| {
        let others = usual.lines().filter(|line| !line.starts_with("issuer")).map(|line| format!("{line}\n"));
        issuer.clone() + &others.collect::<String>()
    })?;
    let mut user = Person::at(site, name, "longest")?;
    let mut terminal = user.sign_in("or a recovery code: ")?;
    terminal.send(&user.temporary_code()?)?;
    let (mut app, _) = user.sets_up(terminal)?;
    user.gets_in(&app.code()?)
}

/// From the office a password is enough to begin with.
const OFFICE: &str = r#"
[[registration.opening]]
name = "office"
services = ["office"]
networks = ["127.0.0.0/8"]
"#;

#[test]
fn somebody_puts_it_off_once_and_then_registers_with_a_program() -> Outcome {
    let site = Site::here()?;
    let imap =
        |usual: &str| usual.replace("app-password-services = []", "app-password-services = [\"imap\"]");
    serve(site, "office", |usual| imap(usual) + OFFICE)?;
    let fritz = Person::at(site, "fritz", "office")?;
    site.ask_to_register("fritz", &["--sign-ins", "3"])?;
    let mut terminal = fritz.sign_in("3 sign-ins left without it.")?;
    terminal.expect("n for later: ")?.send("n")?;
    is_in(&mut terminal)?;

    let mut terminal = fritz.sign_in("2 sign-ins left without it.")?;
    terminal.expect("n for later: ")?.send("y")?.expect("2 authenticator app (key as text)")?;
    terminal.expect("Number")?.send("2")?.expect("when you have one: ")?.send("")?.expect("(b: back): ")?;
    let screen = terminal.screen();
    assert!(!screen.text().contains('█'), "{}", screen.text());
    let key = screen.lines().into_iter().find_map(|line| Some(line.split_once("Key: ")?.1.replace(' ', "")));
    terminal.send("b")?.expect("Number")?.send("1")?.expect("when you have one: ")?.send("")?;
    terminal.expect("(b: back): ")?;
    let mut app = app(&scanned(site, &terminal.screen(), Colours::LightOnDark)?);
    assert_eq!(Some(app.secret()), key.as_deref(), "the key is one, however it is shown");
    terminal.send(&app.code()?)?.expect("(or ok): ")?.send("")?.expect("press Enter for none: ")?;
    terminal.send("imap")?.expect("Password for imap, shown this once:")?.expect("or type ok: ")?.send("")?;
    is_in(&mut terminal)?;
    let shown = site.answer(&["user", "show", "fritz"])?;
    assert_eq!(shown["state"], "enforced", "{shown}");
    let mut terminal = fritz.sign_in(CODE)?;
    terminal.send(&app.code()?)?;
    is_in(&mut terminal)
}

#[test]
fn the_command_line_draws_it_in_colours() -> Outcome {
    let site = Site::here()?;
    let erna = Person::new(site, "erna")?;
    let mut command = std::process::Command::new("countersign");
    command.args(["test", "erna"]).env("LC_ALL", "C.UTF-8");
    let mut terminal = Terminal::start_at(Form::USUAL, &command)?;
    terminal.expect("Password: ")?.send(OWN_PASSWORD)?.expect("or a recovery code: ")?;
    terminal.send(&erna.temporary_code()?)?.expect("Number")?.send("1")?;
    terminal.expect("when you have one: ")?.send("ok")?.expect("(b: back): ")?;
    assert!(terminal.transcript().contains("\u{1b}[0;97;40m█"), "white on black: {terminal:?}");
    let uri = scanned(site, &terminal.screen(), Colours::LightOnDark)?;
    terminal.send(&app(&uri).code()?)?.expect("(or ok): ")?.send("ok")?.expect("Accepted")?;
    assert_eq!(terminal.end()?.code, 0);
    Ok(())
}
