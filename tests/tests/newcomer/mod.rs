//! The first sign-in as a person meets it, from the question for a password to the shell, over real ssh. What docs/first-sign-in.md
//! shows is what was seen here.

mod elsewhere;

use test_ground::{Authenticator, Colours, Failure, Form, Outcome, Screen, Sshd, SshdOptions, Terminal};

use super::{IN, app, is_in, scanned};
use crate::site::{CODE, OWN_PASSWORD, SYSTEM_PASSWORD, Site};

/// The page for users.
const PAGE: &str = include_str!("../../../docs/first-sign-in.md");
/// The question for a command.
const COMMAND: &str = "Command (? for help, Enter to finish): ";
/// What ssh calls the machine here, and the page too.
const ALIAS: &str = "HostKeyAlias=gate";

/// Somebody at a window of the usual size.
struct Person<'a> {
    site: &'a Site,
    sshd: Sshd,
    name: &'static str,
    /// All that was ever shown, for the page.
    seen: String,
}

impl<'a> Person<'a> {
    /// A user who has nothing but a password yet.
    fn new(site: &'a Site, name: &'static str) -> Result<Self, Failure> {
        Self::at(site, name, "own")
    }

    /// The same at this PAM service.
    fn at(site: &'a Site, name: &'static str, service: &str) -> Result<Self, Failure> {
        site.machine.add_user(name, SYSTEM_PASSWORD)?;
        site.add_bare_account(name)?;
        let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service: service, lines: &[] })?;
        Ok(Self { site, sshd, name, seen: String::new() })
    }

    /// What an administrator hands over.
    fn temporary_code(&self) -> Result<String, Failure> {
        let given = self.site.answer(&["user", "temporary-code", self.name])?;
        Ok(given["temporary-code"].as_str().expect("a code").to_owned())
    }

    /// `ssh`, up to the question after the password.
    fn sign_in(&self, question: &str) -> Result<Terminal, Failure> {
        let mut command = self.sshd.client("ssh", &[ALIAS]);
        command.arg(format!("{}@127.0.0.1", self.name)).arg(format!("echo {IN}"));
        let mut terminal = Terminal::start_at(Form::USUAL, &command)?;
        terminal.expect("Password: ")?.send(OWN_PASSWORD)?.expect(question)?;
        Ok(terminal)
    }

    /// Signs in with this at the second question, and is in.
    fn gets_in(&mut self, proof: &str) -> Outcome {
        let mut terminal = self.sign_in(CODE)?;
        terminal.send(proof)?;
        is_in(&mut terminal)?;
        self.note(&terminal);
        Ok(())
    }

    fn note(&mut self, terminal: &Terminal) {
        self.seen.push_str(&terminal.transcript());
    }

    /// From the choice to the shell: the app that was set up, and the recovery codes.
    fn sets_up(&mut self, mut terminal: Terminal) -> Result<(Authenticator, Vec<String>), Failure> {
        terminal.expect("1 authenticator app (QR code)")?.expect("Number")?;
        terminal.screen().draw("choose", "Choose:");
        terminal.send("1")?.expect("when you have one: ")?.send("ok")?;
        terminal.expect("Code that the app shows now (b: back): ")?;
        terminal.screen().draw("scan", "Scan this");
        let mut app = app(&scanned(self.site, &terminal.screen(), Colours::LightOnDark)?);
        terminal.send(&app.code()?)?.expect("Nothing is saved before Enter (or ok): ")?;
        terminal.screen().draw("recovery-codes", "Recovery codes for days");
        let codes = recovery_codes(&terminal.screen());
        terminal.send("")?;
        is_in(&mut terminal)?;
        self.note(&terminal);
        Ok((app, codes))
    }
}

/// All ten, as they stand two in a line.
fn recovery_codes(screen: &Screen) -> Vec<String> {
    let is_code = |word: &&str| word.len() == 14 && word.split('-').count() == 3;
    let text = screen.text();
    let codes: Vec<String> = text.split_whitespace().filter(is_code).map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{text}");
    codes
}

#[test]
fn a_person_registers_over_ssh_loses_the_phone_and_registers_the_next() -> Outcome {
    let site = Site::here()?;
    let mut alice = Person::new(site, "alice")?;
    let mut terminal = alice.sign_in("or a recovery code: ")?;
    terminal.send(&alice.temporary_code()?)?;
    let (mut app, codes) = alice.sets_up(terminal)?;
    alice.gets_in(&app.code()?)?;

    // The phone is lost: `?` says what else there is, and a recovery code opens once.
    let mut terminal = alice.sign_in(CODE)?;
    terminal.send("?")?.expect("Number or code: ")?;
    terminal.send(&codes[0])?;
    is_in(&mut terminal)?;
    alice.note(&terminal);
    let mut terminal = alice.sign_in(CODE)?;
    terminal.send(&codes[0])?.expect("That did not work. Try once more.")?;
    alice.note(&terminal);
    drop(terminal);

    // What the user can change without anybody's help.
    let mut terminal = alice.sign_in(CODE)?;
    terminal.send("menu")?.expect("4 menu: your account")?.expect("Number or code: ")?;
    terminal.send(&app.code()?)?.expect(COMMAND)?.send("list")?.expect("9 recovery codes left")?;
    terminal.expect(COMMAND)?.send("")?;
    is_in(&mut terminal)?;
    alice.note(&terminal);

    // An administrator asks for the next phone: what is registered opens that alone.
    site.countersign(&["user", "reset", "alice", "--require-registration", "--yes"])?;
    let mut terminal = alice.sign_in(CODE)?;
    terminal.send(&codes[1])?;
    let (mut next, _) = alice.sets_up(terminal)?;
    alice.gets_in(&next.code()?)?;
    let mut terminal = alice.sign_in(CODE)?;
    terminal.send(&app.code()?)?.expect("That did not work. Try once more.")?;
    alice.note(&terminal);
    the_page_says(&alice.seen);
    Ok(())
}

#[test]
fn a_picture_that_nobody_typed_a_code_of_changes_nothing() -> Outcome {
    let site = Site::here()?;
    let bob = Person::new(site, "bob")?;
    let code = bob.temporary_code()?;
    let mut terminal = bob.sign_in("or a recovery code: ")?;
    terminal.send(&code)?.expect("Number")?.send("1")?.expect("when you have one: ")?.send("ok")?;
    terminal.expect("Code that the app shows now (b: back): ")?;
    let uri = scanned(site, &terminal.screen(), Colours::LightOnDark)?;
    terminal.vanish()?;
    let mut terminal = bob.sign_in("or a recovery code: ")?;
    terminal.send(&app(&uri).code()?)?.expect("That did not work.")?;
    terminal.vanish()?;
    let shown = site.answer(&["user", "show", "bob"])?;
    assert_eq!(shown["factors"].as_array().map(Vec::len), Some(0), "{shown}");
    // Nobody needs another temporary code because a line broke.
    let mut terminal = bob.sign_in("or a recovery code: ")?;
    terminal.send(&code)?.expect("Set up your second step.")?;
    Ok(())
}

/// Every line that the page shows as the machine's was seen.
fn the_page_says(seen: &str) {
    let blocks = PAGE.split("```").skip(1).step_by(2).flat_map(str::lines).map(str::trim);
    let lines: Vec<&str> = blocks.filter(|line| !line.is_empty()).collect();
    assert!(lines.len() > 5, "the page shows what people will see");
    let missing = lines.iter().find(|line| !seen.contains(**line));
    assert_eq!(missing, None, "docs/first-sign-in.md shows what nobody sees; seen was:\n{seen}");
}
