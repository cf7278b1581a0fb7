//! A machine that Countersign is set up on, as an administrator would do it: for the suites `ssh` and `pam`.

#![expect(dead_code, reason = "each suite uses its part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use test_ground::{Failure, LogLine, Machine, Rsyslogd, SocketForm, checked, totp_code};

/// The password in `/etc/shadow`.
pub(crate) const SYSTEM_PASSWORD: &str = "correct horse";
/// The password that Countersign itself keeps.
pub(crate) const OWN_PASSWORD: &str = "battery staple";
/// What is asked for the second proof.
pub(crate) const CODE: &str = "One-time code (? for other ways): ";
/// What is asked below the ways that there are.
pub(crate) const WAYS: &str = "Number or code: ";
/// What stands before it after a wrong answer.
pub(crate) const AGAIN: &str = "That did not work. Try once more.";
/// What somebody hears whose login needs the service, when that is away.
pub(crate) const SERVICE_AWAY: &str =
    "The login service of this machine does not answer. Please ask an administrator.";

/// Rules and services, behind the settings that `countersign init` has written.
const RULES: &str = r#"
[[rule]]
name = "closed"
services = ["closed"]
action = "deny"

[[registration.opening]]
name = "here"
services = ["opening"]
networks = ["127.0.0.0/8"]

[[local.callers]]
user = "postgres"
services = ["postgresql"]
"#;

/// `account` and `session` lines of every service here; ours are the `auth` lines.
const OTHER_LINES: [&str; 2] = ["account required pam_unix.so", "session required pam_unix.so"];

/// The machine with Countersign on it; one for all tests of a suite.
pub(crate) struct Site {
    pub(crate) machine: Machine,
    log: Rsyslogd,
}

/// Somebody with a home, both passwords and a factor.
pub(crate) struct User {
    pub(crate) name: &'static str,
    secret: String,
}

static SITE: OnceLock<Result<Site, Failure>> = OnceLock::new();

impl Site {
    /// The one of this process.
    pub(crate) fn here() -> Result<&'static Self, Failure> {
        let site = SITE.get_or_init(Self::set_up);
        site.as_ref().map_err(|failure| Failure::Unreadable { what: "site", found: format!("{failure:?}") })
    }

    fn set_up() -> Result<Self, Failure> {
        let machine = Machine::here()?;
        let log = Rsyslogd::start(&machine, Path::new("/dev/log"), SocketForm::CLibrary)?;
        machine.install("libpam_countersign.so", &module("pam_countersign.so"))?;
        machine.install("countersign", Path::new("/usr/sbin/countersign"))?;
        let site = Self { machine, log };
        site.countersign(&["init", "--yes", "--default-state", "enforced", "--backend", "local"])?;
        site.adapt_settings()?;
        for (service, lines) in STACKS {
            site.add_service(service, lines)?;
        }
        Ok(site)
    }

    /// Our rules, and records by UDP: rsyslogd's local socket takes what syslog(3) writes, and no RFC 5424.
    fn adapt_settings(&self) -> Result<(), Failure> {
        let file = Path::new("/etc/countersign/countersign.toml");
        let text = fs::read_to_string(file).map_err(Failure::file("read", file))?;
        let collector = format!("target = \"udp:127.0.0.1:{}\"", self.log.port());
        let lines = text.lines().map(|line| if line.starts_with("target =") { &collector } else { line });
        self.machine.write(file, &(lines.collect::<Vec<_>>().join("\n") + RULES))?;
        self.countersign(&["config", "check"]).map(drop)
    }

    /// A PAM service with these `auth` lines.
    pub(crate) fn add_service<S: AsRef<str>>(&self, service: &str, auth: &[S]) -> Result<(), Failure> {
        let lines: Vec<&str> = auth.iter().map(AsRef::as_ref).chain(OTHER_LINES).collect();
        self.machine.write_pam_service(service, &lines)
    }

    /// A user of the machine with an account, which is asked for codes.
    pub(crate) fn add_user(&self, name: &'static str) -> Result<User, Failure> {
        self.machine.add_user(name, SYSTEM_PASSWORD)?;
        self.add_account(name)
    }

    /// An account for a user whom the machine has already.
    pub(crate) fn add_account(&self, name: &'static str) -> Result<User, Failure> {
        // The letters of base32; 160 bits, and no two users have the same.
        let secret = format!("{:A<32}", name.to_uppercase());
        self.import(&format!("user,password,totp_secret\n{name},{OWN_PASSWORD},{secret}\n"))?;
        Ok(User { name, secret })
    }

    /// An account without a factor for a user whom the machine has already.
    pub(crate) fn add_bare_account(&self, name: &'static str) -> Result<(), Failure> {
        self.import(&format!("user,password\n{name},{OWN_PASSWORD}\n"))
    }

    /// Asks somebody to register who was enforced before; that alone would leave the account as it is.
    pub(crate) fn ask_to_register(&self, name: &str, limits: &[&str]) -> Result<(), Failure> {
        self.countersign(&["user", "disable", name])?;
        self.countersign(&[&["user", "enable", name], limits].concat()).map(drop)
    }

    fn import(&self, lines: &str) -> Result<(), Failure> {
        let file = self.machine.new_folder("import")?.join("users.csv");
        self.machine.write(&file, lines)?;
        self.countersign(&["import", "--yes", &file.display().to_string()]).map(drop)
    }

    /// Runs `countersign` and hands over what it prints.
    pub(crate) fn countersign(&self, arguments: &[&str]) -> Result<String, Failure> {
        checked(Command::new("countersign").args(arguments))
    }

    /// Runs `countersign --json` and reads its answer.
    pub(crate) fn answer(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let text = checked(Command::new("countersign").arg("--json").args(arguments))?;
        serde_json::from_str(&text).map_err(|error| Failure::Unreadable {
            what: "countersign --json",
            found: format!("{text}\n{error}"),
        })
    }

    /// A new app password of a user, for one service.
    pub(crate) fn app_password(&self, user: &User, service: &str) -> Result<String, Failure> {
        let answer =
            self.answer(&["app-password", "create", user.name, "--label", "test", "--service", service])?;
        text_of(&answer["app-password"])
    }

    /// The first of a new set of recovery codes.
    pub(crate) fn recovery_code(&self, user: &User) -> Result<String, Failure> {
        text_of(&self.answer(&["recovery-codes", user.name])?["codes"][0])
    }

    /// Waits for the record of a login that ended for this reason, as rsyslogd received it.
    pub(crate) fn wait_for_record(&self, typed: &str, reason: &str) -> Result<LogLine, Failure> {
        self.wait_for_record_with(&[("typed", typed), ("reason", reason)])
    }

    /// Waits for the record of whatever login ended for this reason.
    pub(crate) fn log_has_record(&self, reason: &str) -> Result<LogLine, Failure> {
        self.wait_for_record_with(&[("reason", reason)])
    }

    /// Waits for a record with all of these fields.
    pub(crate) fn wait_for_record_with(&self, fields: &[(&str, &str)]) -> Result<LogLine, Failure> {
        let all: Vec<_> = fields.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
        self.log.wait_for_line(|line| all.iter().all(|field| line.structured.contains(field)))
    }

    /// Waits for a line in the authentication log that is no record.
    pub(crate) fn wait_for_log(&self, part: &str) -> Result<LogLine, Failure> {
        self.log.wait_for_line(|line| line.message.contains(part))
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> Result<Vec<LogLine>, Failure> {
        self.log.lines()
    }
}

impl User {
    /// Somebody who has registered this key.
    pub(crate) fn of_key(name: &'static str, secret: &str) -> Self {
        Self { name, secret: secret.to_owned() }
    }

    /// The code that the authenticator shows now.
    pub(crate) fn code(&self) -> Result<String, Failure> {
        totp_code(&self.secret, now())
    }

    /// The code that it shows next. It is good already, for clocks that are ahead.
    pub(crate) fn next_code(&self) -> Result<String, Failure> {
        totp_code(&self.secret, now().saturating_add(30))
    }

    /// Six digits that are no code of these minutes.
    pub(crate) fn wrong_code(&self) -> Result<String, Failure> {
        let begin = now().saturating_sub(60);
        let moments = (0..5).map(|step: u64| begin.saturating_add(step.saturating_mul(30)));
        let good: Vec<String> =
            moments.map(|moment| totp_code(&self.secret, moment)).collect::<Result<_, _>>()?;
        let wrong = ["000000", "111111", "222222", "333333", "444444", "555555"];
        Ok((*wrong.iter().find(|code| !good.iter().any(|good| good == *code)).expect("six and five"))
            .to_owned())
    }
}

/// The stacks of docs/pam.md, each as a service of its own.
const STACKS: [(&str, &[&str]); 5] = [
    ("own", &["auth required pam_countersign.so primary=own"]),
    (
        "stack",
        &[
            "auth [success=1 default=ignore] pam_unix.so",
            "auth [success=done default=die] pam_countersign.so primary=failed",
            "auth required pam_countersign.so primary=stack",
        ],
    ),
    ("key", &["auth required pam_countersign.so primary=none"]),
    ("closed", &["auth required pam_countersign.so primary=own"]),
    ("opening", &["auth required pam_countersign.so primary=own"]),
];

/// Where Linux-PAM looks for a module.
pub(crate) fn module(name: &str) -> PathBuf {
    Path::new("/usr/lib").join(format!("{}-linux-gnu/security", std::env::consts::ARCH)).join(name)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

fn text_of(value: &Value) -> Result<String, Failure> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| Failure::Unreadable { what: "a text", found: value.to_string() })
}
