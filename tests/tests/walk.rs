//! From enabled to enforced and through the bad days: the way of one account among a thousand, as its user and the
//! administrators go it, over real ssh and by RADIUS, with text messages and mail that really arrive.
#![cfg(test)]

mod gate;
mod gateways;
mod rollout;
mod site;

use gateways::code_in;
use rollout::{OFFICE, Questions, Registered, Rollout, Window};
use serde_json::Value;
use site::{AGAIN, CODE, OWN_PASSWORD, WAYS};
use test_ground::{Authenticator, Failure, Outcome};

/// Behind the menu and each of its commands.
const MENU: &str = "Command (? for help, Enter to finish): ";
/// To whom nothing but a temporary code opens the registration.
const BY_CODE: &str = "get a temporary code from an administrator";

/// What a thief is asked: after the word `y`, and after each guess.
const USUAL: Questions = [CODE, WAYS, CODE, CODE];
const PUT_OFF: Questions = ["n for later: "; 4];
const OVERDUE: Questions = [BY_ANY_CODE, WAYS, BY_ANY_CODE, BY_ANY_CODE];
/// To whom no password alone is good any more.
const BY_ANY_CODE: &str = "Type a temporary code from an administrator, or a recovery code: ";

const FIRST_NUMBER: &str = "+4915112340001";
const NEW_NUMBER: &str = "+4915112340002";
const VPN_NUMBER: &str = "+4915112340003";
const MAIL: &str = "alice@example.test";

#[test]
fn alice_goes_from_enabled_to_enforced_and_through_the_bad_days() -> Outcome {
    let rollout = Rollout::here()?;
    a_thousand_are_enabled(rollout)?;
    let mut first = she_puts_it_off_once_and_registers(rollout)?;
    she_signs_in_and_adds_a_number(rollout, &mut first.app)?;
    she_switches_to_a_text_message(rollout)?;
    rollout.administer(&["contact", "add", "alice", MAIL])?;
    the_phone_is_lost(rollout, &first)?;
    an_administrator_demands_registration(rollout)?;
    the_password_alone_does_not_get_through(rollout)?;
    let mut second = a_temporary_code_does(rollout, &mut first)?;
    a_changed_number_is_told_to_the_old_one(rollout, &mut second.app)?;
    the_records_tell_the_story(rollout)
}

fn a_thousand_are_enabled(rollout: &Rollout) -> Outcome {
    let said = &rollout.enabled;
    assert_eq!((&said["changed"], &said["failed"]), (&1000.into(), &Value::Array(Vec::new())), "{said}");
    let listed = rollout.site.answer(&["user", "list", "--state", "enabled", "--registered", "no"])?;
    let listed = listed.as_array().map_or(0, Vec::len);
    assert!(listed >= 996, "all but those of the people who have registered meanwhile: {listed}");
    rollout.has_nothing_registered("alice")
}

fn she_puts_it_off_once_and_registers(rollout: &Rollout) -> Result<Registered, Failure> {
    let window = rollout.ssh("alice", OFFICE)?.sees("3 sign-ins left")?.sees("n for later: ")?;
    window.types("n")?.gets_in()?;
    rollout.has_nothing_registered("alice")?;
    let window = rollout.ssh("alice", OFFICE)?.sees("2 sign-ins left")?.sees("n for later: ")?;
    let registered = window.types("y")?.registers(&rollout.site.machine)?;
    let account = rollout.account("alice")?;
    assert_eq!(account["state"], "enforced", "{account}");
    assert_eq!(account["factors"][0]["kind"], "totp", "{account}");
    assert_eq!(account["recovery-codes"]["left"], 10, "{account}");
    Ok(registered)
}

fn she_signs_in_and_adds_a_number(rollout: &Rollout, app: &mut Authenticator) -> Outcome {
    rollout.ssh("alice", OFFICE)?.sees(CODE)?.types(&app.code()?)?.gets_in()?;
    let window = rollout.ssh("alice", OFFICE)?.sees(CODE)?.types("menu")?.sees(WAYS)?;
    let window = window.types(&app.code()?)?.sees(MENU)?;
    let window = adds_number(rollout, window.types("add")?, FIRST_NUMBER)?.sees(MENU)?;
    let window = window.types("list")?.sees("...0001")?.sees("10 recovery codes left")?.sees(MENU)?;
    window.types("")?.gets_in()
}

/// From the ways that there are to the code that comes to the number.
fn adds_number(rollout: &Rollout, mut window: Window, number: &str) -> Result<Window, Failure> {
    let way = way_of_texts(&window.reads_until("Number")?);
    gives_number(rollout, window.types(&way)?, number)
}

/// From the question for a number to the code that comes to it.
fn gives_number(rollout: &Rollout, window: Window, number: &str) -> Result<Window, Failure> {
    let texts = rollout.kannel.texts(number)?.len().saturating_add(1);
    let window = window.sees("Mobile number")?.sees(": ")?.types(number)?;
    let window = window.sees("A code is on its way to ...")?.sees("again): ")?;
    let text = rollout.kannel.wait_for_texts(number, texts)?;
    window.types(&code_in(&text))?.sees("It is registered.")
}

/// The number that stands before `text message` in a list.
fn way_of_texts(listed: &str) -> String {
    let line = listed.lines().find(|line| line.contains("text message")).expect("a way");
    line.split_whitespace().next().unwrap_or_default().to_owned()
}

fn she_switches_to_a_text_message(rollout: &Rollout) -> Outcome {
    let window = rollout.ssh("alice", OFFICE)?.sees(CODE)?.types("sms")?.sees(WAYS)?;
    let text = rollout.kannel.wait_for_texts(FIRST_NUMBER, 2)?;
    window.types(&code_in(&text))?.gets_in()
}

fn the_phone_is_lost(rollout: &Rollout, lost: &Registered) -> Outcome {
    let window = rollout.ssh("alice", OFFICE)?.sees(CODE)?;
    window.types(&lost.recovery_codes[0])?.gets_in()?;
    let mail = rollout.exim.wait_for_mail_saying(MAIL, "a recovery code was used")?;
    for words in ["alice", "sshd", OFFICE] {
        assert!(mail.contains(words), "{words} in {mail}");
    }
    let account = rollout.account("alice")?;
    assert_eq!(account["recovery-codes"]["left"], 9, "{account}");
    Ok(())
}

fn an_administrator_demands_registration(rollout: &Rollout) -> Outcome {
    rollout.administer(&["user", "reset", "alice", "--require-registration", "--yes"])?;
    rollout.exim.wait_for_mail_saying(MAIL, "must be registered anew").map(drop)
}

fn the_password_alone_does_not_get_through(rollout: &Rollout) -> Outcome {
    // In the office, at the next table, at a door without an opening, and from anywhere else.
    rollout.ssh("alice", "192.0.2.61")?.finds_no_way(USUAL)?;
    Window::ssh(&rollout.vault, "alice", "192.0.2.62", OWN_PASSWORD)?.finds_no_way(USUAL)?;
    rollout.ssh("alice", "198.51.100.61")?.finds_no_way(USUAL)?;
    for from in [Some("192.0.2.63"), Some("198.51.100.62"), None] {
        rollout.dial("alice", from)?.finds_no_way(USUAL)?;
    }
    let account = rollout.account("alice")?;
    assert_eq!(account["must-register-again"], true, "{account}");
    assert_eq!(account["factors"].as_array().map(Vec::len), Some(2), "{account}");
    Ok(())
}

fn a_temporary_code_does(rollout: &Rollout, old: &mut Registered) -> Result<Registered, Failure> {
    let code = rollout.temporary_code("alice")?;
    let window = rollout.ssh("alice", OFFICE)?.sees(CODE)?.types(&code)?;
    let registered = window.registers(&rollout.site.machine)?;
    let account = rollout.account("alice")?;
    assert_eq!(account["must-register-again"], false, "{account}");
    assert_eq!(account["factors"].as_array().map(Vec::len), Some(1), "{account}");
    for void in [old.app.code()?, old.recovery_codes[1].clone(), code] {
        rollout.ssh("alice", OFFICE)?.sees(CODE)?.types(&void)?.sees(AGAIN)?.closes()?;
    }
    Ok(registered)
}

fn a_changed_number_is_told_to_the_old_one(rollout: &Rollout, app: &mut Authenticator) -> Outcome {
    let window = rollout.ssh("alice", OFFICE)?.sees(CODE)?.types("menu")?.sees(WAYS)?;
    let window = window.types(&app.code()?)?.sees(MENU)?.types("add")?;
    // The number that went with the lost phone comes back with a new card.
    let window = adds_number(rollout, window, FIRST_NUMBER)?.sees(MENU)?;
    let texts = rollout.kannel.texts(FIRST_NUMBER)?.len();
    let mut window = window.types("list")?;
    let listed = window.reads_until("recovery codes left")?;
    let line = listed.lines().find(|line| line.contains("...0001")).expect("the old number");
    let place = line.split_whitespace().find(|word| word.parse::<u8>().is_ok()).expect("its place");
    let window = window.sees(MENU)?.types(&format!("change {place}"))?;
    let window = gives_number(rollout, window, NEW_NUMBER)?.sees(MENU)?;
    window.types("")?.gets_in()?;
    let told = rollout.kannel.wait_for_texts(FIRST_NUMBER, texts.saturating_add(1))?;
    assert!(told.contains("removed") && told.contains("alice"), "{told}");
    rollout.exim.wait_for_mail_saying(MAIL, "a way to sign in was removed")?;
    let account = rollout.account("alice")?;
    let labels = account["factors"].to_string();
    assert!(!labels.contains("0001") && labels.contains("0002"), "{account}");
    Ok(())
}

/// What the records of alice tell, without questions, messages and refusals.
const STORY: [&str; 16] = [
    "act user add",
    "act user enable",
    "accept skipped-not-registered",
    "accept registered totp",
    "accept both-proofs totp",
    "act enroll mobile",
    "accept both-proofs totp",
    "accept both-proofs mobile",
    "act contact add",
    "accept both-proofs recovery-code",
    "act user reset",
    "act temporary-code issue",
    "accept registered totp",
    "act enroll mobile",
    "act enroll mobile",
    "accept both-proofs totp",
];

fn the_records_tell_the_story(rollout: &Rollout) -> Outcome {
    let records = rollout.records("alice")?;
    let told = records.iter().filter_map(|record| chapter(|name| field(record, name)));
    assert_eq!(told.collect::<Vec<_>>(), STORY, "{records:#?}");
    let logged = rollout.site.log()?;
    let of_alice = logged.iter().filter(|line| line.structured.contains(" user=\"alice\""));
    let told = of_alice.filter_map(|line| chapter(|name| logged_field(&line.structured, name)));
    assert_eq!(told.collect::<Vec<_>>(), STORY, "{logged:#?}");
    // Of so many refusals in a minute one record tells.
    let refusals = rollout.wait_for_record("alice", "counted-together")?;
    assert!(refusals["together"]["count"].as_u64() >= Some(12), "{refusals}");
    let text = format!("{records:?}{logged:?}");
    let secrets = [&FIRST_NUMBER[1..], &NEW_NUMBER[1..], MAIL, OWN_PASSWORD];
    let told = secrets.iter().find(|secret| text.contains(**secret));
    assert_eq!(told, None, "{text}");
    let verified = rollout.site.answer(&["audit", "verify"])?;
    assert_eq!(verified["sound"], true, "{verified}");
    Ok(())
}

/// Ending, reason and the kind of the second proof, or the act.
fn chapter(field: impl Fn(&str) -> Option<String>) -> Option<String> {
    let ending = field("ending")?;
    let factor = field("factor").and_then(|factor| factor.split(' ').next().map(str::to_owned));
    match ending.as_str() {
        "act" => Some(format!("act {}", field("act")?)),
        "accept" => {
            let words = [Some(ending), field("reason"), factor];
            Some(words.into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

/// Of a record in the store.
fn field(record: &Value, name: &str) -> Option<String> {
    let value = if name == "act" { &record["act"]["act"] } else { &record[name] };
    value.as_str().map(str::to_owned)
}

/// Of the structured data of a line.
fn logged_field(structured: &str, name: &str) -> Option<String> {
    let (_, rest) = structured.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

#[test]
fn victor_registers_and_signs_in_at_a_vpn_client_by_challenge_alone() -> Outcome {
    let rollout = Rollout::here()?;
    let asked = rollout.dial("victor", Some(OFFICE))?.sees("3 sign-ins left")?;
    let mut registered = asked.types("y")?.registers()?;
    assert_eq!(rollout.account("victor")?["state"], "enforced");
    let code = registered.app.code()?;
    let ended = rollout.dial("victor", Some(OFFICE))?.sees(CODE)?.types(&code)?;
    assert_eq!(ended.code(), "Access-Accept");
    is_spent(rollout, &code)?;
    let asked = rollout.dial("victor", Some(OFFICE))?.sees(CODE)?.types("menu")?.sees(WAYS)?;
    let asked = asked.types(&registered.app.code()?)?.sees(MENU)?.types("add")?;
    let way = way_of_texts(&asked.shown());
    let asked = asked.types(&way)?.sees("Mobile number")?.types(VPN_NUMBER)?.sees("on its way")?;
    let text = rollout.kannel.wait_for_text(VPN_NUMBER)?;
    let asked = asked.types(&code_in(&text))?.sees("It is registered.")?.sees(MENU)?;
    assert_eq!(asked.types("done")?.code(), "Access-Accept");

    let asked = rollout.dial("victor", Some(OFFICE))?.sees(CODE)?.types("sms")?.sees(WAYS)?;
    let code = code_in(&rollout.kannel.wait_for_texts(VPN_NUMBER, 2)?);
    assert_eq!(asked.types(&code)?.code(), "Access-Accept");
    is_spent(rollout, &code)
}

/// Neither door takes it again.
fn is_spent(rollout: &Rollout, code: &str) -> Outcome {
    rollout.ssh("victor", OFFICE)?.sees(CODE)?.types(code)?.sees(AGAIN)?.closes()?;
    let asked = rollout.dial("victor", Some(OFFICE))?.sees(CODE)?.types(code)?;
    asked.sees(AGAIN).map(drop)
}

#[test]
fn a_stolen_password_registers_nobody() -> Outcome {
    let rollout = Rollout::here()?;
    // From the wrong network, at a door without an opening, and from nowhere.
    rollout.ssh("bob", "198.51.100.71")?.sees(BY_CODE)?.finds_no_way(PUT_OFF)?;
    Window::ssh(&rollout.vault, "bob", "192.0.2.71", OWN_PASSWORD)?.sees(BY_CODE)?.finds_no_way(PUT_OFF)?;
    for from in [Some("198.51.100.72"), None] {
        rollout.dial("bob", from)?.sees(BY_CODE)?.finds_no_way(PUT_OFF)?;
    }
    rollout.has_nothing_registered("bob")?;
    let records = rollout.records("bob")?;
    let refused = |record: &&Value| record["ending"] == "reject" && record["source"] == "198.51.100.71";
    let refused = records.iter().find(refused).expect("the first of them");
    assert_eq!(
        (&refused["reason"], &refused["primary"]),
        (&"wrong-code".into(), &"right".into()),
        "{refused}"
    );
    a_contact_proves_more_than_a_password(rollout)?;
    the_time_to_put_it_off_ends(rollout)
}

/// Where an administrator has set a mail address, the code that is sent there registers, and the password does not.
fn a_contact_proves_more_than_a_password(rollout: &Rollout) -> Outcome {
    rollout.administer(&["contact", "add", "wanda", "wanda@example.test"])?;
    let asked = rollout.ssh("wanda", "198.51.100.73")?.sees("n for later: ")?.types("y")?;
    let mut asked = asked.sees("Choose:")?;
    let ways = asked.reads_until("Number")?;
    assert!(ways.contains("1 email to the address on file") && !ways.contains("2 "), "{ways}");
    let mut window = asked.types("1")?.sees("A code is on its way to the address on file.")?.sees(": ")?;
    rollout.exim.wait_for_mail("wanda@example.test")?;
    for guess in ["000000", "111111", "222222"] {
        window = window.types(guess)?.sees("That did not work.")?.sees(": ")?;
    }
    window.closes()?;
    rollout.has_nothing_registered("wanda")
}

/// Then nothing but a temporary code is taken, in the office too.
fn the_time_to_put_it_off_ends(rollout: &Rollout) -> Outcome {
    for left in ["3 sign-ins left", "2 sign-ins left", "This is the last sign-in without it"] {
        rollout.ssh("bob", OFFICE)?.sees(left)?.sees("n for later: ")?.types("n")?.gets_in()?;
    }
    rollout.ssh("bob", "192.0.2.74")?.finds_no_way(OVERDUE)?;
    rollout.dial("bob", Some("192.0.2.75"))?.finds_no_way(OVERDUE)?;
    rollout.has_nothing_registered("bob")?;
    let code = rollout.temporary_code("bob")?;
    rollout.ssh("bob", OFFICE)?.sees(OVERDUE[0])?.types(&code)?.registers(&rollout.site.machine)?;
    assert_eq!(rollout.account("bob")?["state"], "enforced");
    Ok(())
}
