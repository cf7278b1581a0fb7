//! A sound system, set up as docs/pam.md says: stack (a) for sshd, stack (b) for sudo, su and login, the local service
//! running. Whoever has it changes it alone, and the next one gets it as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;
use test_ground::{Daemon, Failure, Machine, checked};

use crate::mistakes::{CONFIG, PAM};

pub(crate) const USER: &str = "alice";
pub(crate) const SYSTEM_PASSWORD: &str = "correct horse";
pub(crate) const CODE: &str = "One-time code (? for other ways): ";
const OWN_PASSWORD: &str = "battery staple";

pub(crate) const STACK_B: &[&str] = &[
    "auth [success=1 default=ignore] pam_unix.so",
    "auth [success=done default=die] pam_countersign.so primary=failed",
    "auth required pam_countersign.so primary=stack",
];

/// Stands before the lines that `auth` has in Debian's files.
const INCLUDE: &str = "@include common-auth";

/// Where all that is changed is kept as it was.
const SOUND: &str = "/root/sound";
/// What is changed.
const CHANGED: [&str; 5] = [PAM, "/etc/pam.conf", "/etc/ssh", "/etc/countersign", "/usr/lib/pam.d"];

static TURN: Mutex<()> = Mutex::new(());
static SET_UP: OnceLock<Result<Daemon, Failure>> = OnceLock::new();

/// The system, for one test at a time.
pub(crate) struct Patient {
    pub(crate) machine: Machine,
    _turn: MutexGuard<'static, ()>,
}

impl Patient {
    /// As it is when nothing is wrong.
    pub(crate) fn sound() -> Result<Self, Failure> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let machine = Machine::here()?;
        let made = SET_UP.get_or_init(|| set_up(&machine));
        made.as_ref()
            .map_err(|failure| Failure::Unreadable { what: "system", found: format!("{failure:?}") })?;
        for path in CHANGED {
            shell(&format!("rm -rf {path}; if [ -e {SOUND}{path} ]; then cp -a {SOUND}{path} {path}; fi"))?;
        }
        shell(
            "chmod 0755 /run/countersign && chown countersign /run/countersign && chmod 0700 /var/lib/countersign",
        )?;
        shell(
            "chmod 0600 /var/lib/countersign/*; chmod 0644 /usr/lib/*-linux-gnu/security/pam_countersign.so",
        )?;
        Ok(Self { machine, _turn: turn })
    }

    /// Each finding as `kind file:line`.
    pub(crate) fn findings(&self) -> Result<Vec<String>, Failure> {
        let output = doctor(&["--json", "doctor"])?;
        let answer: Value = serde_json::from_str(&output.1).map_err(|error| Failure::Unreadable {
            what: "countersign --json doctor",
            found: format!("{output:?} {error}"),
        })?;
        let findings = answer["findings"].as_array().cloned().unwrap_or_default();
        // sshd does not start with every mistake; without any it can be asked, and says the same.
        assert!(!findings.is_empty() || answer["asked-sshd"].as_bool() == Some(true), "{answer}");
        assert_eq!(answer["sound"].as_bool(), Some(findings.is_empty()), "{answer}");
        assert_eq!(output.0, i32::from(!findings.is_empty()), "{answer}");
        Ok(findings.iter().map(in_short).collect())
    }

    /// What people hear, with the exit code.
    pub(crate) fn told(&self) -> Result<(i32, String), Failure> {
        doctor(&["doctor"])
    }

    /// Writes these lines in the place of the `auth` lines of a service, and leaves the others.
    pub(crate) fn write_stack(&self, service: &str, lines: &[&str]) -> Result<(), Failure> {
        let others = ["account required pam_unix.so", "session required pam_unix.so"];
        let all: Vec<&str> = lines.iter().copied().chain(others).collect();
        self.machine.write_pam_service(service, &all)
    }

    /// Replaces a text that must be there.
    pub(crate) fn change(&self, file: &str, from: &str, to: &str) -> Result<(), Failure> {
        let path = Path::new(file);
        let text = fs::read_to_string(path).map_err(Failure::file("read", path))?;
        assert!(text.contains(from), "{file} has no {from:?}:\n{text}");
        self.machine.write(path, &text.replace(from, to))
    }

    pub(crate) fn append(&self, file: &str, lines: &str) -> Result<(), Failure> {
        let path = Path::new(file);
        let text = fs::read_to_string(path).map_err(Failure::file("read", path))?;
        self.machine.write(path, &format!("{text}{lines}"))
    }

    /// Runs a line of a shell.
    pub(crate) fn run(&self, line: &str) -> Result<(), Failure> {
        shell(line)
    }

    /// A code that is good once.
    pub(crate) fn code(&self) -> Result<String, Failure> {
        let made = checked(Command::new("countersign").args(["--json", "user", "temporary-code", USER]))?;
        let made: Value = serde_json::from_str(&made).unwrap_or_default();
        Ok(made["temporary-code"].as_str().expect("a code").to_owned())
    }

    /// A key of the user's, known to the machine.
    pub(crate) fn key(&self) -> Result<PathBuf, Failure> {
        let key = self.machine.new_folder("key")?.join("id");
        checked(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
        let public = fs::read_to_string(key.with_extension("pub")).map_err(Failure::file("read", &key))?;
        self.machine.write(&Path::new("/home").join(USER).join(".ssh/authorized_keys"), &public)?;
        Ok(key)
    }
}

fn in_short(finding: &Value) -> String {
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let line = finding["line"].as_u64().map_or_else(String::new, |line| format!(":{line}"));
    for key in ["severity", "found", "why", "instead"] {
        assert!(!text(key).is_empty(), "{finding}");
    }
    format!("{} {}{line}", text("kind"), text("file"))
}

fn doctor(arguments: &[&str]) -> Result<(i32, String), Failure> {
    let failed = |source| Failure::Start { command: "countersign doctor".to_owned(), source };
    let output = Command::new("countersign").args(arguments).output().map_err(failed)?;
    assert!(output.stderr.is_empty(), "{output:?}");
    Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn set_up(machine: &Machine) -> Result<Daemon, Failure> {
    let security = format!("/usr/lib/{}-linux-gnu/security", std::env::consts::ARCH);
    machine.install("libpam_countersign.so", &Path::new(&security).join("pam_countersign.so"))?;
    machine.install("countersign", Path::new("/usr/bin/countersign"))?;
    checked(Command::new("countersign").args([
        "init",
        "--yes",
        "--default-state",
        "enforced",
        "--backend",
        "local",
    ]))?;
    machine.add_user(USER, SYSTEM_PASSWORD)?;
    let accounts = machine.new_folder("accounts")?.join("users.csv");
    machine.write(&accounts, &format!("user,password,totp_secret\n{USER},{OWN_PASSWORD},{}\n", secret()))?;
    checked(Command::new("countersign").args(["import", "--yes"]).arg(&accounts))?;
    let in_place = |service: &str, lines: &[&str]| {
        let file = Path::new(PAM).join(service);
        let text = fs::read_to_string(&file).map_err(Failure::file("read", &file))?;
        assert!(text.contains(INCLUDE), "{service}");
        machine.write(&file, &text.replace(INCLUDE, &lines.join("\n")))
    };
    in_place("sshd", &["auth required pam_countersign.so primary=own"])?;
    for service in ["sudo", "sudo-i", "su", "login"] {
        in_place(service, STACK_B)?;
    }
    let lines = "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\nAuthenticationMethods keyboard-interactive\n";
    machine.write(Path::new(CONFIG), lines)?;
    // Where sshd wants it, also to be asked what it would do.
    shell("mkdir -p /run/sshd")?;
    let log = machine.new_folder("local")?.join("log");
    let mut service = Daemon::start(&mut Command::new(machine.built("countersign-local")), &log)?;
    service.wait_for_output("ready as uid ")?;
    for path in CHANGED {
        let keep = format!("mkdir -p $(dirname {SOUND}{path}) && cp -a {path} {SOUND}{path}");
        shell(&format!("if [ -e {path} ]; then {keep}; fi"))?;
    }
    Ok(service)
}

fn shell(line: &str) -> Result<(), Failure> {
    checked(Command::new("sh").args(["-e", "-c", line])).map(drop)
}

fn secret() -> String {
    format!("{:A<32}", USER.to_uppercase())
}
