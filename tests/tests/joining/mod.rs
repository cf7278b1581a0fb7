//! The first sign-in over ssh: registering at an opening, and where it takes a temporary code.

use test_ground::{Failure, Outcome, Terminal};

use crate::site::{AGAIN, OWN_PASSWORD, SYSTEM_PASSWORD, Site, User};
use crate::{attempt, is_in, is_out, ssh, sshd};

/// Up to the question for a code of the key; the key.
fn to_the_key(terminal: &mut Terminal) -> Result<String, Failure> {
    terminal.expect("needs a second step.")?.expect("n for later: ")?.send("y")?;
    terminal.expect("2 authenticator app (key as text)")?.expect("(n: not now): ")?.send("2")?;
    terminal.expect("type ok, when you have one: ")?.send("ok")?.expect("Key: ")?;
    let key = terminal.read_until("Code that the app shows now")?;
    terminal.expect(": ")?;
    Ok(key.split_whitespace().collect())
}

#[test]
fn whoever_registers_at_an_opening_is_asked_for_codes_from_then_on() -> Outcome {
    let site = Site::here()?;
    site.machine.add_user("vito", SYSTEM_PASSWORD)?;
    site.add_bare_account("vito")?;
    site.ask_to_register("vito", &[])?;
    let opening = sshd(site, "opening")?;
    // Gone in the middle of it: nothing has changed.
    let mut terminal = ssh(&opening, "vito")?;
    terminal.expect("Password: ")?.send(OWN_PASSWORD)?;
    let forgotten = to_the_key(&mut terminal)?;
    terminal.vanish()?;

    let mut terminal = ssh(&opening, "vito")?;
    terminal.expect("Password: ")?.send(OWN_PASSWORD)?;
    let key = to_the_key(&mut terminal)?;
    assert_ne!(key, forgotten);
    let vito = User::of_key("vito", &key);
    terminal.send(&vito.code()?)?.expect("days without your phone:")?;
    let recovery_codes = terminal.read_until("Write them down")?;
    terminal.expect(": ")?.send("ok")?;
    is_in(&mut terminal)?;
    site.wait_for_record("vito", "registered")?;

    let mut refused = attempt(&opening, "vito", OWN_PASSWORD, &vito.wrong_code()?)?;
    refused.expect(AGAIN)?.send(&vito.next_code()?)?;
    is_in(&mut refused)?;
    let recovery_code = recovery_codes.split_whitespace().next().expect("ten of them");
    is_in(&mut attempt(&sshd(site, "own")?, "vito", OWN_PASSWORD, recovery_code)?)
}

#[test]
fn who_must_have_a_second_step_and_has_none_needs_a_temporary_code() -> Outcome {
    let site = Site::here()?;
    site.machine.add_user("wilma", SYSTEM_PASSWORD)?;
    site.add_bare_account("wilma")?;
    site.countersign(&["user", "enforce", "wilma"])?;
    // Not at an opening either.
    let opening = sshd(site, "opening")?;
    let asked = |answer: &str| -> Result<Terminal, Failure> {
        let mut terminal = ssh(&opening, "wilma")?;
        terminal.expect("Password: ")?.send(OWN_PASSWORD)?;
        terminal.expect("Type a temporary code from an administrator")?.expect(": ")?.send(answer)?;
        Ok(terminal)
    };
    let mut terminal = asked("000000")?;
    for _ in 0..2 {
        terminal.expect(AGAIN)?.send("000000")?;
    }
    is_out(&mut terminal)?;
    site.wait_for_record("wilma", "registration-overdue")?;
    let given = site.answer(&["user", "temporary-code", "wilma"])?;
    let mut terminal = asked(given["temporary-code"].as_str().expect("a code"))?;
    terminal.expect("Set up your second step.")?.expect("1 authenticator app (QR code)")?;
    terminal.vanish()
}
