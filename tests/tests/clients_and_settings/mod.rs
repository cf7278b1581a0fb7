//! `countersign client` and `countersign config check`: what is refused, and what is only worth a look.

use std::fs;
use std::process::Command;

use test_ground::{Failure, Outcome, checked};

use crate::desk::{Desk, Given, NO_COLLECTOR};

#[test]
fn secrets_of_clients_are_strong_shown_once_and_changed_in_two_steps() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let secret_of = |arguments: &[&str]| -> Result<String, Failure> {
        let answer = desk.json(arguments, Given::default())?;
        Ok(answer["secret"].as_str().expect("a secret").to_owned())
    };
    let first = secret_of(&["client", "add", "vpn", "--address", "192.0.2.0/24", "--kind", "append"])?;
    assert!(first.len() >= 32, "{first}");
    let second = secret_of(&["client", "rotate-secret", "vpn"])?;
    let file = desk.read("clients.toml");
    assert!(file.contains(&format!("secret = \"{second}\"")), "{file}");
    assert!(file.contains(&format!("previous-secret = \"{first}\"")), "{file}");
    // The client has not taken the second one yet: a third one must not lock it out.
    let third = secret_of(&["client", "rotate-secret", "vpn"])?;
    let file = desk.read("clients.toml");
    assert!(file.contains(&format!("secret = \"{third}\"")) && !file.contains(&second), "{file}");
    assert!(file.contains(&format!("previous-secret = \"{first}\"")), "{file}");
    desk.done(&["client", "rotate-secret", "vpn", "--finish"])?;
    assert!(!desk.read("clients.toml").contains(&first));
    let listed = desk.done(&["client", "list"])?;
    assert!(listed.contains("192.0.2.0/24") && !listed.contains(&third), "{listed}");
    desk.done(&["client", "remove", "vpn"])?;
    assert!(!desk.read("clients.toml").contains("vpn\"\naddresses"), "{}", desk.read("clients.toml"));
    Ok(())
}

#[test]
fn a_first_password_that_nobody_can_be_asked_for_is_warned_of() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let check = |service: &str| {
        let file = desk.folder.join("other.toml");
        let text = format!(
            "default-state = \"enabled\"\n[primary]\nbackend = \"pam\"\npam-service = \"{service}\"\n"
        );
        desk.machine.write(&file, &text)?;
        desk.run(&["config", "check", &file.display().to_string()], Given::default())
    };
    let missing = check("countersign-nowhere")?;
    assert!(
        missing.code == 0 && missing.errors.contains("no PAM service \"countersign-nowhere\""),
        "{missing:?}"
    );
    let there = check("login")?;
    assert!(there.code == 0 && there.errors.is_empty(), "{there:?}");
    assert_eq!(check("pam.login")?.code, 1);
    Ok(())
}

#[test]
fn a_copy_of_the_settings_is_checked_before_it_is_moved_into_place() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let copy = desk.machine.new_folder("elsewhere")?.join("try.toml");
    let check = |text: &str| {
        desk.machine.write(&copy, text)?;
        desk.run(&["config", "check", &copy.display().to_string()], Given::default())
    };
    let rule = "[[rule]]\nname = \"x\"\naction = \"deny\"\nservices = [\"login\", \"lgin\"]\n";
    let checked = check(&format!("{}{rule}", desk.read("countersign.toml")))?;
    assert!(checked.code == 0 && checked.output.contains("checked without RADIUS clients"), "{checked:?}");
    assert!(
        checked.errors.contains("did you mean \"login\"?") && !checked.errors.contains("service \"login\"")
    );
    let mistaken = check("default-state = 1\n")?;
    assert!(mistaken.code == 1 && mistaken.output.contains("checked without RADIUS clients"), "{mistaken:?}");
    assert!(mistaken.output.contains("1 mistake in the configuration"), "the clients are none: {mistaken:?}");

    fs::remove_file(desk.folder.join("clients.toml")).expect("a clients file");
    assert_eq!(desk.run(&["config", "check"], Given::default())?.code, 1);
    Ok(())
}

#[test]
fn a_clients_file_that_the_server_cannot_read_is_warned_of() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let check = || desk.run(&["config", "check"], Given::default());
    assert_eq!(check()?.errors, "");
    checked(Command::new("chgrp").arg("root").arg(desk.folder.join("clients.toml")))?;
    let warned = check()?;
    assert!(warned.code == 0 && warned.errors.contains("chgrp countersign"), "{warned:?}");
    Ok(())
}

#[test]
fn a_client_that_is_refused_is_not_said_to_stand_in_the_file() -> Outcome {
    let desk = Desk::new(NO_COLLECTOR)?;
    let before = desk.read("clients.toml");
    let refused = desk.run(&["client", "add", "vpn", "--address", "192.0.2.300"], Given::default())?;
    assert!(refused.errors.contains("clients.toml was not changed:"), "{refused:?}");
    assert!(refused.errors.contains("192.0.2.300") && refused.errors.lines().count() == 1, "{refused:?}");
    assert_eq!(desk.read("clients.toml"), before);
    let added = desk.run(&["client", "add", "vpn", "--address", "192.0.2.1"], Given::default())?;
    assert!(added.code == 0 && added.errors.contains("listens on loopback only"), "{added:?}");
    Ok(())
}
