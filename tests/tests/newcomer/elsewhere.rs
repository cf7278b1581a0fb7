//! The same registration through the service, on the command line, and with the longest names.

use std::fs;

use nix::sys::signal::Signal;
use test_ground::{Colours, Failure, Form, Outcome, Terminal};

use super::Person;
use crate::local::Local;
use crate::site::{OWN_PASSWORD, Site};
use crate::{app, longest_issuer, scanned};

/// What the settings say and `countersign init` has written.
const SETTINGS: &str = "/etc/countersign/countersign.toml";

#[test]
fn the_service_hands_the_picture_on() -> Outcome {
    let site = Site::here()?;
    let mut local = Local::start(site)?;
    site.add_service("served", &[local.line("own")])?;
    let mut carol = Person::at(site, "carol", "served")?;
    let mut terminal = carol.sign_in("type it here: ")?;
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
    let settings = site.machine.new_folder("settings")?.join("countersign.toml");
    let usual = fs::read_to_string(SETTINGS).map_err(Failure::file("read", SETTINGS.as_ref()))?;
    let others: String =
        usual.lines().filter(|line| !line.starts_with("issuer")).map(|line| format!("{line}\n")).collect();
    site.machine.write(&settings, &format!("issuer = \"{}\"\n{others}", longest_issuer()))?;
    let line =
        format!("auth required pam_countersign.so primary=own socket=off config={}", settings.display());
    site.add_service("longest", &[line])?;
    let mut user = Person::at(site, name, "longest")?;
    let mut terminal = user.sign_in("type it here: ")?;
    terminal.send(&user.temporary_code()?)?;
    let (mut app, _) = user.sets_up(terminal)?;
    user.gets_in(&app.code()?)
}

#[test]
fn the_command_line_draws_it_in_colours() -> Outcome {
    let site = Site::here()?;
    let erna = Person::new(site, "erna")?;
    let mut command = std::process::Command::new("countersign");
    command.args(["test", "erna"]).env("LC_ALL", "C.UTF-8");
    let mut terminal = Terminal::start_at(Form::USUAL, &command)?;
    terminal.expect("Password: ")?.send(OWN_PASSWORD)?.expect("type it here: ")?;
    terminal.send(&erna.temporary_code()?)?.expect("Number")?.send("1")?;
    terminal.expect("when you have one: ")?.send("ok")?.expect("(b: back): ")?;
    assert!(terminal.transcript().contains("\u{1b}[0;97;40m█"), "white on black: {terminal:?}");
    let uri = scanned(site, &terminal.screen(), Colours::LightOnDark)?;
    terminal.send(&app(&uri).code()?)?.expect("or type ok: ")?.send("ok")?.expect("Accepted")?;
    assert_eq!(terminal.end()?.code, 0);
    Ok(())
}
