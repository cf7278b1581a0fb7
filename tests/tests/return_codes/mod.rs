//! The table of return codes in docs/pam.md: each row is brought about and compared.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use test_ground::{Failure, Outcome};

use crate::add_panicking_service;
use crate::local::{Local, tried_by};
use crate::site::{AGAIN, CODE, OWN_PASSWORD, SYSTEM_PASSWORD, Site};
use crate::transaction::{PASSWORD, Transaction, at, converse, unattended};

/// Brings a situation about and says what was returned each time.
type Situation = fn(&Site) -> Codes;
type Codes = Result<Vec<&'static str>, Failure>;

/// How each situation of the table comes about.
const SITUATIONS: [(&str, Situation); 26] = [
    ("the password and a second proof are right", both_proofs),
    ("an app password is right and good for this service", app_password),
    ("a second proof is right, and an earlier module or a key stands for the password", second_proof),
    ("the password is right, and no second step is asked of the user", primary_alone),
    ("no second step is asked of the user, and nobody has checked a password (`primary=none`)", policy_alone),
    ("the password is wrong", wrong_password),
    ("the second proof is wrong or used", wrong_code),
    ("the user has to register first, and gives no temporary code", overdue),
    ("the user is unknown", unknown_user),
    ("the user is blocked", blocked),
    ("a rule denies it", denied),
    ("an earlier module has refused the password, and it is no app password", failed_primary),
    ("the store or the key cannot be used", no_store),
    ("the settings are missing or have a mistake", no_settings),
    ("the program's real user is not root, and `countersign-local` cannot be asked", no_service),
    ("the program's real user is not root, and tries another name", another_name),
    ("`primary=own` where the code is the caller's and the name another's (su to root)", anothers_password),
    ("`primary=stack`, and no module above has taken a password", no_password_before),
    ("`primary=none` under sshd, and no key or other method has succeeded before", nothing_before),
    ("the module stands in the service that checks first passwords for Countersign itself", inside_primary),
    ("the PAM service is called `countersign`", name_taken),
    ("an argument of the line is missing, mistaken, unknown or stands twice", wrong_arguments),
    ("the user goes away at a question", nobody_answers),
    ("an internal error", internal_error),
    ("`pam_setcred`", setcred),
    ("`pam_acct_mgmt`, `pam_open_session`, `pam_close_session`, `pam_chauthtok`", other_hooks),
];

#[test]
fn every_row_of_the_table_of_return_codes_holds() -> Outcome {
    let site = Site::here()?;
    let rows = documented();
    let names: BTreeSet<&str> = SITUATIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(rows.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), names);
    for (name, code) in rows {
        let (_, brought_about) = SITUATIONS.iter().find(|(known, _)| *known == name).expect("the same names");
        let codes = brought_about(site)?;
        assert!(!codes.is_empty() && codes.iter().all(|returned| *returned == code), "{name}: {codes:?}");
    }
    Ok(())
}

/// Situation and code of each row.
fn documented() -> Vec<(&'static str, &'static str)> {
    let page = include_str!("../../../docs/pam.md");
    let table = page.lines().skip_while(|line| !line.starts_with("| situation |")).skip(2);
    let cells = |line: &'static str| {
        let mut cells = line.trim_matches('|').rsplitn(2, '|').map(str::trim);
        let code = cells.next().unwrap_or_default().trim_matches('`');
        (cells.next().unwrap_or_default(), code)
    };
    table.take_while(|line| line.starts_with('|')).map(cells).collect()
}

fn both_proofs(site: &Site) -> Codes {
    let user = site.add_user("anna")?;
    let code = at("own", "anna").login(&[(PASSWORD, OWN_PASSWORD), (CODE, &user.code()?)])?.0;
    let both = format!("{OWN_PASSWORD},{}", user.next_code()?);
    Ok(vec![code, at("own", "anna").login(&[(PASSWORD, &both)])?.0])
}

fn app_password(site: &Site) -> Codes {
    let user = site.add_user("bert")?;
    let (own, stack) = (site.app_password(&user, "own")?, site.app_password(&user, "stack")?);
    let alone = at("own", "bert").login(&[(PASSWORD, &own)])?.0;
    let after_unix = at("stack", "bert").login(&[(PASSWORD, &stack)])?.0;
    Ok(vec![alone, after_unix])
}

fn second_proof(site: &Site) -> Codes {
    let user = site.add_user("cora")?;
    let after_key = at("key", "cora").login(&[(CODE, &user.code()?)])?.0;
    let answers = [(PASSWORD, SYSTEM_PASSWORD), (CODE, &*user.next_code()?)];
    Ok(vec![after_key, at("stack", "cora").login(&answers)?.0])
}

fn no_password_before(site: &Site) -> Codes {
    site.add_user("dana")?;
    site.add_service("stack-alone", &["auth required pam_countersign.so primary=stack"])?;
    let code = at("stack-alone", "dana").login(&[])?.0;
    site.wait_for_log("no module above has taken a password")?;
    Ok(vec![code])
}

fn nothing_before(site: &Site) -> Codes {
    let user = site.add_user("cleo")?;
    let under_sshd = Transaction { options: &["-I", "tty=ssh"], ..at("key", "cleo") };
    let code = under_sshd.login(&[])?.0;
    site.wait_for_log("sshd has seen no key before")?;
    assert_eq!(at("key", "cleo").login(&[(CODE, &user.code()?)])?.0, "PAM_SUCCESS", "elsewhere it may");
    Ok(vec![code])
}

fn primary_alone(site: &Site) -> Codes {
    site.add_user("dora")?;
    site.countersign(&["user", "disable", "dora"])?;
    let own = at("own", "dora").login(&[(PASSWORD, OWN_PASSWORD)])?.0;
    Ok(vec![own, at("stack", "dora").login(&[(PASSWORD, SYSTEM_PASSWORD)])?.0])
}

fn policy_alone(site: &Site) -> Codes {
    site.add_user("emil")?;
    site.countersign(&["user", "disable", "emil"])?;
    site.add_service("left-to-others", &ignored_line("auth", "primary=none"))?;
    let alone = at("key", "emil").login(&[])?.0;
    assert_eq!(alone, "PAM_PERM_DENIED", "libpam refuses where no module said yes");
    Ok(vec![ignored(at("left-to-others", "emil").login(&[])?.0)])
}

fn wrong_password(site: &Site) -> Codes {
    let user = site.add_user("fritz")?;
    refused(&at("own", "fritz"), "wrong horse", &user.code()?)
}

fn wrong_code(site: &Site) -> Codes {
    let user = site.add_user("gerd")?;
    let code = user.code()?;
    let first = at("own", "gerd").login(&[(PASSWORD, OWN_PASSWORD), (CODE, &code)])?.0;
    assert_eq!(first, "PAM_SUCCESS");
    let mut codes = refused(&at("own", "gerd"), OWN_PASSWORD, &code)?;
    // Three wrong ones and these are too many from one source.
    let elsewhere = Transaction { options: &["-I", "rhost=192.0.2.9"], ..at("own", "gerd") };
    codes.extend(refused(&elsewhere, OWN_PASSWORD, &user.wrong_code()?)?);
    Ok(codes)
}

fn overdue(site: &Site) -> Codes {
    site.machine.add_user("lars", SYSTEM_PASSWORD)?;
    site.add_bare_account("lars")?;
    let code = "000000";
    let asked =
        |password| [(PASSWORD, password), ("or a recovery code: ", code), (AGAIN, code), (AGAIN, code)];
    let own = at("own", "lars").login(&asked(OWN_PASSWORD))?.0;
    Ok(vec![own, at("stack", "lars").login(&asked(SYSTEM_PASSWORD))?.0])
}

fn unknown_user(_: &Site) -> Codes {
    let own = refused(&at("own", "nobody-known"), OWN_PASSWORD, "000000")?;
    let stack = refused(&at("stack", "nobody-known"), OWN_PASSWORD, "000000")?;
    Ok([own, stack].concat())
}

fn blocked(site: &Site) -> Codes {
    let user = site.add_user("hans")?;
    site.countersign(&["user", "block", "hans"])?;
    refused(&at("own", "hans"), OWN_PASSWORD, &user.code()?)
}

fn denied(site: &Site) -> Codes {
    let user = site.add_user("ines")?;
    refused(&at("closed", "ines"), OWN_PASSWORD, &user.code()?)
}

fn failed_primary(site: &Site) -> Codes {
    let user = site.add_user("jana")?;
    refused(&at("stack", "jana"), "wrong horse", &user.code()?)
}

/// Three times the same code, asked for in a neutral dialogue.
fn refused(transaction: &Transaction<'_>, password: &str, code: &str) -> Codes {
    let dialogue = [(PASSWORD, password), (CODE, code), (AGAIN, code), (AGAIN, code)];
    let (returned, transcript) = transaction.login(&dialogue)?;
    assert!(transcript.contains("Login refused."), "{transcript}");
    Ok(vec![returned])
}

fn no_store(site: &Site) -> Codes {
    let empty = site.machine.new_folder("no-store")?;
    let settings = settings_with(site, &empty)?;
    site.add_service(
        "no-store",
        &[&format!("auth required pam_countersign.so primary=own config={settings}")],
    )?;
    Ok(vec![at("no-store", "anna").login(&[])?.0])
}

/// Settings whose store is in another folder.
fn settings_with(site: &Site, state_directory: &Path) -> Result<String, Failure> {
    let settings = state_directory.join("countersign.toml");
    let content =
        format!("default-state = \"enforced\"\nstate-directory = \"{}\"\n", state_directory.display());
    site.machine.write(&settings, &content)?;
    Ok(settings.display().to_string())
}

fn no_settings(site: &Site) -> Codes {
    let folder = site.machine.new_folder("no-settings")?;
    let mistaken = folder.join("mistaken.toml");
    site.machine.write(&mistaken, "default-state = \"maybe\"\n")?;
    let mut codes = Vec::new();
    for (service, file) in [("settings-missing", folder.join("none.toml")), ("settings-mistaken", mistaken)] {
        let line = format!("auth required pam_countersign.so primary=own config={}", file.display());
        site.add_service(service, &[&line])?;
        codes.push(at(service, "anna").login(&[])?.0);
        site.wait_for_log(&format!("pam_countersign({service}:auth): the settings cannot be used"))?;
    }
    site.wait_for_log("mistaken.toml:1: default-state: ")?;
    Ok(codes)
}

fn no_service(site: &Site) -> Codes {
    site.add_user("karl")?;
    let code = tried_by("karl", "own", "karl", &[])?.0;
    site.wait_for_log("pam_countersign(own:auth): the real uid is ")?;
    Ok(vec![code])
}

fn another_name(site: &Site) -> Codes {
    site.add_user("kuno")?;
    let local = Local::start(site)?;
    site.add_service("another-name", &[local.line("own")])?;
    let code = tried_by("kuno", "another-name", "karl", &[])?.0;
    site.wait_for_record("karl", "not-the-caller")?;
    Ok(vec![code])
}

/// The service is called as su calls it: with root's rights, by somebody else.
fn anothers_password(site: &Site) -> Codes {
    let local = Local::start(site)?;
    site.add_service("su", &[local.line("own")])?;
    let mut command = Command::new("setpriv");
    command.args(["--ruid", "daemon", "pamtester", "su", "root", "authenticate"]);
    let code = converse(&command, &[])?.0;
    site.wait_for_log("pam_countersign(su:auth): primary=own, and the password would be one person's")?;
    Ok(vec![code])
}

fn inside_primary(site: &Site) -> Codes {
    let transaction = Transaction { options: &["-E", "COUNTERSIGN_PRIMARY=1"], ..at("own", "anna") };
    let code = transaction.login(&[])?.0;
    site.wait_for_log(
        "pam_countersign(own:auth): called from the PAM service that checks our own first passwords",
    )?;
    Ok(vec![code])
}

/// The name means a user's own shell; nobody is asked anything.
fn name_taken(site: &Site) -> Codes {
    site.add_user("nora")?;
    site.add_service("countersign", &["auth required pam_countersign.so primary=none"])?;
    let code = at("countersign", "nora").login(&[])?.0;
    site.wait_for_log("no PAM service can be called countersign")?;
    Ok(vec![code])
}

/// A mistake in the arguments, and what the log says of it.
const MISTAKES: [(&str, &str); 8] = [
    ("", "argument `primary=` is missing: primary=own|stack|failed|none"),
    (
        "nullok primary=own",
        "unknown argument `nullok`: primary=own|stack|failed|none, config=/PATH and socket=off|/PATH are allowed",
    ),
    ("primary=own debug=1", "unknown argument `debug=1`"),
    ("primary=sufficient", "argument `primary=sufficient`: own, stack, failed or none is allowed"),
    ("primary=own primary=none", "argument `primary=` stands twice: once is allowed"),
    ("primary=own config=countersign.toml", "argument `config=countersign.toml`: an absolute path"),
    ("primary=own socket=on", "argument `socket=on`: off or an absolute path without `..` is allowed"),
    ("primary=own config=/etc/../x.toml", "argument `config=/etc/../x.toml`: an absolute path without `..`"),
];

fn wrong_arguments(site: &Site) -> Codes {
    let mut codes = Vec::new();
    for (number, (arguments, said)) in MISTAKES.iter().enumerate() {
        let service = format!("mistake-{number}");
        site.add_service(&service, &[&format!("auth required pam_countersign.so {arguments}")])?;
        codes.push(at(&service, "anna").login(&[])?.0);
        let line = site.wait_for_log(&format!("pam_countersign({service}:auth): {said}"))?;
        assert_eq!((line.facility.as_str(), line.severity.as_str()), ("authpriv", "err"), "{line:?}");
    }
    Ok(codes)
}

fn nobody_answers(site: &Site) -> Codes {
    site.add_user("lena")?;
    let code = unattended(at("own", "lena").command("authenticate"))?;
    site.wait_for_record("lena", "abandoned")?;
    Ok(vec![code])
}

fn internal_error(site: &Site) -> Codes {
    add_panicking_service(site)?;
    Ok(vec![at("panicking", "anna").login(&[])?.0])
}

fn setcred(_: &Site) -> Codes {
    Ok(vec![unattended(at("own", "anna").command("setcred"))?])
}

fn other_hooks(site: &Site) -> Codes {
    let facilities = ["account", "session", "password"];
    let lines: Vec<String> =
        facilities.iter().flat_map(|facility| ignored_line(facility, "primary=own")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    site.machine.write_pam_service("other-hooks", &lines)?;
    let operations = ["acct_mgmt", "open_session", "close_session", "chauthtok"];
    let returned = operations.iter().map(|operation| {
        let code = unattended(at("other-hooks", "root").command(operation))?;
        Ok(ignored(code))
    });
    returned.collect()
}

/// A stack that succeeds if, and only if, our module says `PAM_IGNORE`.
fn ignored_line(facility: &str, arguments: &str) -> [String; 3] {
    [
        format!("{facility} [ignore=1 default=die] pam_countersign.so {arguments}"),
        format!("{facility} required pam_deny.so"),
        format!("{facility} required pam_permit.so"),
    ]
}

fn ignored(of_stack: &'static str) -> &'static str {
    if of_stack == "PAM_SUCCESS" { "PAM_IGNORE" } else { of_stack }
}
