//! countersign-local without its store: it starts for the break-glass accounts, takes new settings, and goes back to the
//! store by itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use test_ground::{Failure, Outcome};

use crate::local::{Local, tried_by};
use crate::site::{AGAIN, CODE, OWN_PASSWORD, Site, User};
use crate::transaction::PASSWORD;
use crate::{put_back, set_aside, site};

const SETTINGS: &str = "/etc/countersign/countersign.toml";

/// A PAM service of its own, by this service alone.
fn service_by(site: &Site, local: &Local, name: &'static str) -> Outcome {
    site.add_service(name, &[local.line("own")])
}

/// How it ended for somebody who is not root, with a code.
fn tried(service: &str, user: &User, code: &str) -> Result<&'static str, Failure> {
    tried_by(user.name, service, user.name, &[(PASSWORD, OWN_PASSWORD), (CODE, code)]).map(|(code, _)| code)
}

/// Whoever is no break-glass account, and is not asked anything but perhaps the password.
fn turned_away(service: &str, user: &User) -> Outcome {
    let (code, said) = tried_by(user.name, service, user.name, &[])?;
    assert!(code == "PAM_AUTHINFO_UNAVAIL" && !said.contains(CODE), "{code} {said}");
    Ok(())
}

#[test]
fn the_service_starts_without_the_store_and_finds_it_again_by_itself() -> Outcome {
    let (site, _turn) = site()?;
    let (gustav, other) = (site.add_user("gustav")?, site.add_user("oskar")?);
    let mut local = Local::stopped(site)?;
    service_by(site, &local, "standing-in")?;
    set_aside()?;
    let code = gustav.code()?;
    let served = served_without_store(&mut local, &gustav, &code, &other);
    put_back()?;
    served?;
    local.wait_for_output("the store is there again")?;
    local.wait_for_output("the heads of the chains wait no more")?;
    assert_eq!(local.output()?.matches("the heads of the chains wait:").count(), 1, "said once");
    assert_eq!(tried("standing-in", &other, &other.code()?)?, "PAM_SUCCESS");
    let again = [(PASSWORD, OWN_PASSWORD), (CODE, &*code), (AGAIN, ""), (AGAIN, "")];
    let (ended, said) = tried_by("gustav", "standing-in", "gustav", &again)?;
    assert_eq!(ended, "PAM_AUTH_ERR", "the code was used up in the file: {said}");
    Ok(())
}

fn served_without_store(local: &mut Local, user: &User, code: &str, other: &User) -> Outcome {
    local.start_again()?;
    let said = local.output()?;
    assert!(said.contains("store.db does not exist"), "{said}");
    assert!(said.contains("countersign store restore"), "what to do: {said}");
    assert!(said.contains("only the accounts of [break-glass] can get in"), "{said}");
    local.wait_for_output("the heads of the chains wait:")?;
    turned_away("standing-in", other)?;
    assert_eq!(tried("standing-in", user, code)?, "PAM_SUCCESS");
    Ok(())
}

#[test]
fn a_newly_named_account_is_taken_while_the_store_is_gone() -> Outcome {
    let (site, _turn) = site()?;
    let greta = site.add_user("greta")?;
    let mut local = Local::start(site)?;
    service_by(site, &local, "newly-named")?;
    let text = fs::read_to_string(SETTINGS).map_err(Failure::file("read", Path::new(SETTINGS)))?;
    let named = text.replace("\"gustav\"]", "\"gustav\", \"greta\"]");
    site.machine.write(Path::new(SETTINGS), &named)?;
    let said = Command::new("countersign").args(["break-glass", "prepare"]).output();
    let said = said.map_err(|source| Failure::Start { command: "prepare".to_owned(), source })?.stdout;
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("systemctl reload countersign-local"), "{said}");
    set_aside()?;
    let taken = named_while_away(&mut local, &greta);
    put_back()?;
    taken
}

fn named_while_away(local: &mut Local, user: &User) -> Outcome {
    turned_away("newly-named", user)?;
    local.signal(Signal::SIGHUP)?;
    local.wait_for_output("the configuration was read again")?;
    assert_eq!(tried("newly-named", user, &user.code()?)?, "PAM_SUCCESS");
    Ok(())
}

#[test]
fn the_radius_server_does_not_start_without_the_store_and_says_what_to_do() -> Outcome {
    let (site, _turn) = site()?;
    set_aside()?;
    let ended = Command::new(site.machine.built("countersign-radiusd")).output();
    put_back()?;
    let ended = ended.map_err(|source| Failure::Start { command: "radiusd".to_owned(), source })?;
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && said.contains("store.db does not exist"), "{said}");
    assert!(said.contains("what to do: If it was there before"), "{said}");
    Ok(())
}
