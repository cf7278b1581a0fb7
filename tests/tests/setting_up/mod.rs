//! `countersign init`: what it asks, makes, and refuses to touch.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use test_ground::{Machine, Outcome, Terminal, checked};

use crate::desk::turn;

#[test]
fn init_asks_what_nobody_else_can_choose_and_overwrites_nothing() -> Outcome {
    let _turn = turn();
    let machine = Machine::here()?;
    let settings = machine.new_folder("init")?.join("countersign.toml");
    let init = |more: &[&str]| {
        let mut command = Command::new(machine.built("countersign"));
        command.arg("--config").arg(&settings).arg("init").args(more);
        command
    };
    let mut terminal = Terminal::start(&init(&[]))?;
    terminal
        .expect("Is asked to register at the next sign-in")?
        .expect("default-state: ")?
        .send("perhaps")?;
    terminal.expect("\"perhaps\" is none of disabled, enabled, enforced.")?;
    terminal.expect("default-state: ")?.send("enabled")?;
    terminal.expect("stacks (b) and (c)")?;
    terminal.expect("backend [local]: ")?.send("")?;
    terminal.expect("issuer [Countersign]: ")?.send("Example Ltd")?;
    let ended = terminal.end()?;
    assert!(ended.code == 0 && ended.transcript.contains("countersign enroll NAME totp"), "{ended:?}");

    let text = fs::read_to_string(&settings).expect("settings");
    assert!(
        text.contains("default-state = \"enabled\"") && text.contains("issuer = \"Example Ltd\""),
        "{text}"
    );
    let state = Path::new("/var/lib/countersign");
    let uid = checked(Command::new("id").args(["-u", "countersign"]))?;
    let rights = |path: &Path| {
        let metadata = fs::metadata(path).expect("it was made");
        (metadata.mode() & 0o7777, metadata.uid().to_string())
    };
    assert_eq!(rights(state), (0o700, uid.trim().to_owned()));
    for file in ["master.key", "store.db"] {
        assert_eq!(rights(&state.join(file)), (0o600, uid.trim().to_owned()), "{file}");
    }

    let key = fs::read(state.join("master.key")).expect("a key");
    let again = checked(&mut init(&["--yes"]))?;
    assert!(again.contains("Nothing was left to do.") && !again.contains(": made"), "{again}");
    assert_eq!(fs::read(state.join("master.key")).expect("a key"), key);
    let refused = checked(&mut init(&["--default-state", "disabled"])).expect_err("not overwritten");
    assert!(refused.to_string().contains("is not overwritten"), "{refused}");
    fs::remove_file(state.join("master.key")).expect("a key to lose");
    let refused = checked(&mut init(&["--yes"])).expect_err("a new key would not open the store");
    assert!(refused.to_string().contains("put your copy of the key back"), "{refused}");
    Ok(())
}

#[test]
fn no_key_is_made_where_others_could_exchange_it() -> Outcome {
    let _turn = turn();
    let machine = Machine::here()?;
    let folder = machine.new_folder("open")?;
    let settings = folder.join("countersign.toml");
    machine.write(
        &settings,
        &format!("default-state = \"enabled\"\nstate-directory = \"{}\"\n", folder.display()),
    )?;
    let mut init = Command::new(machine.built("countersign"));
    let refused =
        checked(init.arg("--config").arg(&settings).args(["init", "--yes"])).expect_err("mode 0755");
    assert!(refused.to_string().contains("mode 0700"), "{refused}");
    assert!(!folder.join("master.key").exists());
    Ok(())
}

#[test]
fn a_state_directory_that_is_not_the_owners_alone_is_refused() -> Outcome {
    let _turn = turn();
    let machine = Machine::here()?;
    let folder = machine.new_folder("states")?;
    let state = folder.join("state");
    let settings = folder.join("countersign.toml");
    let text = format!("default-state = \"enabled\"\nstate-directory = \"{}\"\n", state.display());
    machine.write(&settings, &text)?;
    let after = |preparation: &str| {
        let script = format!("rm -rf state real && {preparation}");
        checked(Command::new("sh").args(["-ec", &script]).current_dir(&folder))?;
        let mut init = Command::new(machine.built("countersign"));
        checked(init.arg("--config").arg(&settings).args(["init", "--yes"]))
    };
    // The first one makes the system user.
    after("true")?;
    for preparation in [
        "install -d -m 0750 -o countersign state",
        "install -d -m 0500 -o countersign state",
        "install -d -m 1700 -o countersign state",
        "install -d -m 0700 -o nobody state",
        "install -d -m 0700 -o countersign real && ln -s real state",
        "touch state",
    ] {
        let refused = after(preparation).expect_err(preparation);
        assert!(refused.to_string().contains("mode 0700"), "{preparation}: {refused}");
        assert!(!state.join("master.key").exists(), "{preparation}");
    }
    after("install -d -m 0700 -o countersign state")?;
    let owner = |path: &Path| fs::metadata(path).expect("it was made").uid();
    assert_eq!(owner(&state.join("master.key")), owner(&state));
    assert_ne!(owner(&state), 0);
    Ok(())
}

#[test]
fn init_opens_the_folder_of_the_settings_whatever_the_umask_is() -> Outcome {
    let _turn = turn();
    let machine = Machine::here()?;
    let folder = machine.new_folder("umask")?.join("countersign");
    // The state directory is the compiled-in one; another test has been there.
    let script = format!(
        "rm -rf /var/lib/countersign && umask 0077 && {} --config {}/countersign.toml init --yes --default-state enabled",
        machine.built("countersign").display(),
        folder.display()
    );
    checked(Command::new("sh").args(["-ec", &script]))?;
    let mode = |path: &Path| fs::metadata(path).expect("it was made").mode() & 0o7777;
    assert_eq!((mode(&folder), mode(&folder.join("countersign.toml"))), (0o755, 0o644));
    Ok(())
}
