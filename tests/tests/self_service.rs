//! What users do for themselves at a shell, without root: `countersign register` and `countersign me`, with the real
//! countersign-local at its usual socket, and what they have registered at the doors.
#![cfg(test)]

#[expect(dead_code, reason = "each suite uses its part of it")]
mod local;
mod site;
#[expect(dead_code, reason = "each suite uses its part of it")]
mod transaction;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use local::{Local, as_user, tried_by};
use serde_json::Value;
use site::{CODE, SYSTEM_PASSWORD, Site};
use test_ground::{
    Authenticator, Colours, Daemon, Ended, Failure, Form, Outcome, Sshd, SshdOptions, Terminal, checked,
};
use transaction::PASSWORD;

/// Where everybody looks for the service.
const SOCKET: &str = "/run/countersign/local.sock";
/// The question for a command.
const COMMAND: &str = "Command (? for help, Enter to finish): ";
/// Below a key that is shown.
const KEY_CODE: &str = "Code that the app shows now (b: back): ";
/// What the other side says to whoever gets in.
const IN: &str = "signed in";

/// A shell opens a registration for `enabled` users, and users make passwords for the service `own`.
const RULES: &str = r#"
[[registration.opening]]
name = "shell"
services = ["countersign"]
"#;

/// The service at its usual place, for all tests.
static SERVICE: OnceLock<Result<Mutex<Daemon>, Failure>> = OnceLock::new();

fn here() -> Result<&'static Site, Failure> {
    let site = Site::here()?;
    let service = SERVICE.get_or_init(|| start(site).map(Mutex::new));
    match service {
        Ok(_) => Ok(site),
        Err(failure) => Err(Failure::Unreadable { what: "service", found: format!("{failure:?}") }),
    }
}

fn start(site: &Site) -> Result<Daemon, Failure> {
    let settings = Path::new("/etc/countersign/countersign.toml");
    let text = fs::read_to_string(settings).map_err(Failure::file("read", settings))?;
    let text = text.replace("app-password-services = []", "app-password-services = [\"own\"]");
    site.machine.write(settings, &(text + RULES))?;
    site.countersign(&["config", "check"])?;
    let log = site.machine.new_folder("service")?.join("log");
    let mut daemon = Daemon::start(&mut Command::new(site.machine.built("countersign-local")), &log)?;
    daemon.wait_for_output(&format!("listening on {SOCKET}"))?;
    Ok(daemon)
}

/// A user of the machine with an account in this state and nothing registered.
fn newcomer(site: &Site, name: &'static str, state: &str) -> Outcome {
    site.machine.add_user(name, SYSTEM_PASSWORD)?;
    site.countersign(&["user", "add", name, "--state", state]).map(drop)
}

/// `countersign` as this user, who has no right but those of a shell.
fn run_as(user: &str, arguments: &[&str]) -> Command {
    as_user(user, "countersign", arguments)
}

fn begin(user: &str, arguments: &[&str]) -> Result<Terminal, Failure> {
    let mut command = run_as(user, arguments);
    command.env("LC_ALL", "C.UTF-8");
    Terminal::start_at(Form::USUAL, &command)
}

/// One command after a code: how it ended.
fn me(user: &str, proof: &str, command: &[&str]) -> Result<Ended, Failure> {
    let words: Vec<&str> = std::iter::once("me").chain(command.iter().copied()).collect();
    let mut terminal = begin(user, &words)?;
    terminal.expect(CODE)?.send(proof)?;
    terminal.end()
}

/// What it said after the code, where it was carried out.
fn said(user: &str, proof: &str, command: &[&str]) -> Result<String, Failure> {
    let ended = me(user, proof, command)?;
    assert_eq!(ended.code, 0, "{command:?} {ended:?}");
    assert!(!ended.transcript.contains("Command ("), "without the question: {ended:?}");
    let (_, said) = ended.transcript.split_once(CODE).expect("the question");
    Ok(said.replace('\r', ""))
}

/// The app that the text of this window sets up.
fn app_of(terminal: &Terminal) -> Authenticator {
    let text = terminal.transcript();
    let (_, rest) = text.rsplit_once("Key: ").expect("a key");
    Authenticator::new(rest.lines().next().expect("a line"))
}

/// From the choice to the end of a proof.
fn choose_app(terminal: &mut Terminal) -> Result<Authenticator, Failure> {
    terminal.expect("Number")?.send("1")?.expect("when you have one: ")?.send("")?.expect(KEY_CODE)?;
    let mut app = app_of(terminal);
    terminal.send(&app.code()?)?;
    Ok(app)
}

/// Registers with an opening; the recovery codes come with it.
fn register(user: &str) -> Result<(Authenticator, Vec<String>), Failure> {
    let mut terminal = begin(user, &["register"])?;
    terminal.expect("Set it up now")?.expect("n for later: ")?.send("y")?;
    let app = choose_app(&mut terminal)?;
    let before = terminal.read_until("Write them down")?;
    let codes = codes_in(&before);
    terminal.expect("(or ok): ")?.send("")?.expect("for none: ")?.send("")?;
    let ended = terminal.end()?;
    assert!(ended.code == 0 && ended.transcript.contains("You are registered."), "{ended:?}");
    Ok((app, codes))
}

fn codes_in(text: &str) -> Vec<String> {
    let is_code = |word: &&str| word.len() == 14 && word.split('-').count() == 3;
    let codes: Vec<String> = text.split_whitespace().filter(is_code).map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{text}");
    codes
}

/// Signs in over ssh, where the system checks the password, with this second proof.
fn ssh(site: &Site, user: &str, proof: &str) -> Result<Ended, Failure> {
    let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service: "stack", lines: &[] })?;
    let mut terminal = sshd.ssh(user, &format!("echo {IN}"))?;
    terminal.expect(PASSWORD)?.send(SYSTEM_PASSWORD)?.expect(CODE)?.send(proof)?;
    terminal.end()
}

fn is_in(ended: &Ended) -> bool {
    ended.code == 0 && ended.transcript.contains(IN)
}

fn account(site: &Site, name: &str) -> Result<Value, Failure> {
    site.answer(&["user", "show", name])
}

fn factors(site: &Site, name: &str) -> Result<usize, Failure> {
    Ok(account(site, name)?["factors"].as_array().map_or(0, Vec::len))
}

#[test]
fn somebody_registers_at_a_shell_and_looks_after_it_without_root() -> Outcome {
    let site = here()?;
    newcomer(site, "alice", "enabled")?;
    let (mut app, _) = register("alice")?;
    assert!(is_in(&ssh(site, "alice", &app.code()?)?), "the next code signs in");

    let list = said("alice", &app.code()?, &["list"])?;
    assert!(list.contains("1 app") && list.contains("10 recovery codes left"), "{list}");

    // A second app, then the first goes.
    let mut terminal = begin("alice", &["me", "add"])?;
    terminal.expect(CODE)?.send(&app.code()?)?;
    let mut next = choose_app(&mut terminal)?;
    let ended = terminal.end()?;
    assert!(ended.code == 0 && ended.transcript.contains("It is registered."), "{ended:?}");
    assert!(said("alice", &next.code()?, &["remove", "1"])?.contains("Done."));
    assert_eq!(factors(site, "alice")?, 1);
    let mut terminal = begin("alice", &["me", "list"])?;
    terminal.expect(CODE)?.send(&app.code()?)?.expect("Try once more.")?;
    terminal.vanish()?;

    let renewed = codes_in(&said("alice", &next.code()?, &["codes"])?);
    assert!(is_in(&ssh(site, "alice", &renewed[0])?), "a new recovery code signs in");

    let seen = said("alice", &renewed[1], &["sign-ins"])?;
    assert!(seen.contains(" stack 127.0.0.1 recovery-code"), "{seen}");

    let made = said("alice", &renewed[2], &["password", "own", "Mail", "at", "home"])?;
    let password = made.lines().map(str::trim).filter(|line| !line.is_empty()).nth(1).expect("a password");
    let (code, _) = tried_by("alice", "own", "alice", &[(PASSWORD, password)])?;
    assert_eq!(code, "PAM_SUCCESS", "{made}");
    assert!(said("alice", &renewed[3], &["passwords"])?.contains("1 Mail at home own"));

    let records = site.countersign(&["audit", "list", "--user", "alice", "--limit", "100"])?;
    for act in ["factor remove", "enroll totp", "recovery-codes", "app-password create"] {
        let line = records.lines().find(|line| line.contains(&format!("{act} by the user")));
        assert!(line.is_some(), "{act}: {records}");
    }
    Ok(())
}

#[test]
fn a_phone_reads_the_picture_and_what_was_left_changes_nothing() -> Outcome {
    let site = here()?;
    newcomer(site, "nora", "enabled")?;
    let mut terminal = begin("nora", &["register"])?;
    terminal.expect("n for later: ")?.send("y")?.expect("Number")?.send("1")?;
    terminal.expect("when you have one: ")?.send("")?.expect(KEY_CODE)?;
    let file = site.machine.new_folder("picture")?.join("screen.pgm");
    let [uri] = <[String; 1]>::try_from(picture(&terminal, &file)?).expect("one picture");
    assert!(
        uri.starts_with("otpauth://totp/") && uri.contains(&app_of(&terminal).secret().to_owned()),
        "{uri}"
    );
    terminal.vanish()?;
    assert_eq!(factors(site, "nora")?, 0);

    let mut terminal = begin("nora", &["register"])?;
    terminal.expect("n for later: ")?.send("n")?;
    let ended = terminal.end()?;
    assert!(ended.code == 1 && ended.transcript.contains("nothing was registered"), "{ended:?}");
    let ended = begin("nora", &["me", "list"])?.end()?;
    assert!(ended.code == 1 && ended.transcript.contains("'countersign register' does it"), "{ended:?}");
    Ok(())
}

fn picture(terminal: &Terminal, file: &Path) -> Result<Vec<String>, Failure> {
    terminal.screen().picture(Colours::LightOnDark).read_by_zbar(file, &[])
}

#[test]
fn whoever_may_not_register_hears_what_it_takes() -> Outcome {
    let site = here()?;
    newcomer(site, "olga", "enforced")?;
    let mut terminal = begin("olga", &["register"])?;
    terminal.expect("Type a temporary code from an administrator, or a recovery code: ")?;
    for _ in 0..2 {
        terminal.send("123456")?.expect("That did not work.")?;
    }
    terminal.send("123456")?;
    let ended = terminal.end()?;
    assert!(ended.code == 1 && ended.transcript.contains("can give you a temporary code"), "{ended:?}");

    let given = site.answer(&["user", "temporary-code", "olga"])?;
    site.countersign(&["user", "unlock", "olga"])?;
    let mut terminal = begin("olga", &["register"])?;
    terminal.expect("or a recovery code: ")?.send(given["temporary-code"].as_str().expect("a code"))?;
    let mut app = choose_app(&mut terminal)?;
    terminal.expect("(or ok): ")?.send("")?.expect("for none: ")?.send("")?;
    assert_eq!(terminal.end()?.code, 0);
    assert!(is_in(&ssh(site, "olga", &app.code()?)?));

    newcomer(site, "dora", "disabled")?;
    let ended = begin("dora", &["register"])?.end()?;
    assert!(ended.code == 1 && ended.transcript.contains("no second step is asked of you"), "{ended:?}");
    Ok(())
}

#[test]
fn whoever_is_registered_hears_that_and_a_refused_command_is_a_failure() -> Outcome {
    let site = here()?;
    newcomer(site, "rita", "enabled")?;
    let (_, codes) = register("rita")?;
    let mut terminal = begin("rita", &["register"])?;
    terminal.expect("You are registered already.")?.expect(CODE)?;
    terminal.vanish()?;
    let refused = [
        (&["remove", "1"][..], "The last one stays"),
        (&["dance"], "That is no command."),
        (&["password", "sshd"], "made by an administrator"),
    ];
    for ((command, sentence), code) in refused.into_iter().zip(&codes) {
        let ended = me("rita", code, command)?;
        assert!(ended.code == 1 && ended.transcript.contains(sentence), "{command:?} {ended:?}");
    }
    let mut terminal = begin("rita", &["me"])?;
    terminal.expect(CODE)?.send(&codes[9])?.expect(COMMAND)?;
    terminal.send("list")?.expect("1 app")?.expect(COMMAND)?.send("")?;
    assert_eq!(terminal.end()?.code, 0);
    Ok(())
}

/// A file that calls itself whatever it likes says nothing to the kernel: the frames of one user name another one.
#[test]
fn nobody_gets_at_the_account_of_another() -> Outcome {
    let site = here()?;
    newcomer(site, "sina", "enabled")?;
    newcomer(site, "bob", "enabled")?;
    let (mut app, _) = register("sina")?;
    for (service, user) in [("countersign", "sina"), ("lock", "sina"), ("countersign", "root")] {
        let reply = checked(&mut as_user("bob", "perl", &["-e", ASKS, service, user]))?;
        assert_eq!(reply.trim(), "2", "refused at once: {service} {user}");
    }
    assert_eq!(
        checked(&mut as_user("sina", "perl", &["-e", ASKS, "countersign", "sina"]))?.trim(),
        "0",
        "asked"
    );
    let record =
        site.wait_for_record_with(&[("typed", "sina"), ("reason", "not-the-caller"), ("caller", "bob")])?;
    assert_eq!(record.app, "countersign-local");

    // Another user's code is no proof of one's own.
    let _ = register("bob")?;
    let ended = {
        let mut terminal = begin("bob", &["me", "list"])?;
        for _ in 0..3 {
            terminal.expect("One-time code")?.send(&app.code()?)?;
        }
        terminal.end()?
    };
    assert!(ended.code == 1 && ended.transcript.contains("not accepted"), "{ended:?}");
    Ok(())
}

/// As `countersign me` asks, in version 3 of the frames and postcard: settings, service, user, no source, primary=none, a
/// caller, the beginning. It prints the number of the reply's kind.
const ASKS: &str = "use IO::Socket::UNIX; sub t { chr(length $_[0]) . $_[0] } \
     my $b = \"\\3\" . t('/etc/countersign/countersign.toml') . t($ARGV[0]) . t($ARGV[1]) . \"\\0\\3\\0\\0\\0\"; \
     my $s = IO::Socket::UNIX->new(Peer => '/run/countersign/local.sock') or die; \
     syswrite $s, pack('n', length $b) . $b; my $all = ''; while (sysread $s, my $r, 4096) { $all .= $r } \
     my $first = unpack('n', $all); print ord substr($all, 2 + $first + 3, 1)";

#[test]
fn under_sudo_it_is_the_account_of_whom_sudo_made_of_the_caller() -> Outcome {
    let site = here()?;
    newcomer(site, "ulla", "enforced")?;
    let file = Path::new("/etc/sudoers.d/vera");
    site.machine.add_user("vera", SYSTEM_PASSWORD)?;
    site.machine.write(file, "vera ALL=(ulla) NOPASSWD: ALL\n")?;
    checked(Command::new("chmod").arg("0440").arg(file))?;
    site.machine
        .write_pam_service("sudo", &["auth required pam_permit.so", "account required pam_permit.so"])?;
    let mut command = as_user("vera", "sudo", &["-u", "ulla", "countersign", "register"]);
    command.env("LC_ALL", "C.UTF-8");
    let mut terminal = Terminal::start_at(Form::USUAL, &command)?;
    terminal.expect("or a recovery code: ")?.send("123456")?.expect("did not work")?;
    terminal.vanish()?;
    let fields = [("typed", "ulla"), ("service", "countersign"), ("caller", "ulla")];
    site.wait_for_record_with(&fields)?;
    Ok(())
}

#[test]
fn a_service_that_is_away_is_a_clear_sentence() -> Outcome {
    let site = here()?;
    site.machine.add_user("wanda", SYSTEM_PASSWORD)?;
    let mut local = Local::start(site)?;
    let socket = local.socket.display().to_string();
    local.stop()?;
    for command in ["me", "register"] {
        let ended = begin("wanda", &[command, "--socket", &socket])?.end()?;
        let words = "countersign-local, which would decide, cannot be asked";
        assert!(ended.code == 1 && ended.transcript.contains(words), "{ended:?}");
        assert!(ended.transcript.contains("Ask an administrator"), "{ended:?}");
    }
    let ended = begin("wanda", &["--config", "/etc/hosts", "me"])?.end()?;
    assert!(ended.code == 1 && ended.transcript.contains("other settings than /etc/hosts"), "{ended:?}");
    Ok(())
}
