//! A site that rolls out a second step: sshd and a VPN gateway, a line for text messages, a mail server, and one office in
//! whose networks a password alone may register. Servers and command line work on the store of the machine.

mod conversation;
mod window;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use test_ground::{Daemon, Failure, Outcome, Sshd, SshdOptions, checked, wait_for};

pub(crate) use conversation::Conversation;
pub(crate) use window::{Questions, Registered, Window};

use crate::gate::{Backend, CHALLENGE, Gateway, Radiusd};
use crate::gateways::{Exim, Kannel, write_passwords};
use crate::site::{OWN_PASSWORD, SYSTEM_PASSWORD, Site};

/// Where the people of the office sit; for sshd these are addresses of this machine, for the VPN what its gateway tells.
pub(crate) const OFFICE: &str = "192.0.2.7";
/// Both networks of the walk. From the second one nobody registers with a password alone. Each thief has an address of their
/// own, since one address has to wait after five wrong answers.
const NETWORKS: [&str; 2] = ["192.0.2.7/24", "198.51.100.7/24"];

const SETTINGS: &str = "/etc/countersign/countersign.toml";

/// A second PAM service, `vault`, has no opening.
const OPENING: &str = r#"
[[registration.opening]]
name = "office"
services = ["sshd"]
clients = ["gate"]
networks = ["192.0.2.0/24"]
"#;

/// Users with a home; all others of the thousand are names.
const PEOPLE: [&str; 4] = ["alice", "bob", "victor", "wanda"];
const USERS: usize = 1000;

/// The site, running.
pub(crate) struct Rollout {
    pub(crate) site: &'static Site,
    pub(crate) kannel: &'static Kannel,
    pub(crate) exim: &'static Exim,
    pub(crate) sshd: Sshd,
    /// Where the password alone registers nobody, from wherever.
    pub(crate) vault: Sshd,
    pub(crate) vpn: Gateway,
    /// What `user enable` of all said.
    pub(crate) enabled: Value,
    _servers: (Daemon, Radiusd),
}

static ROLLOUT: OnceLock<Result<Rollout, Failure>> = OnceLock::new();

impl Rollout {
    /// The one of this process.
    pub(crate) fn here() -> Result<&'static Self, Failure> {
        let rollout = ROLLOUT.get_or_init(Self::start);
        rollout
            .as_ref()
            .map_err(|failure| Failure::Unreadable { what: "site", found: format!("{failure:?}") })
    }

    fn start() -> Result<Self, Failure> {
        let (site, kannel, exim) = (Site::here()?, Kannel::here()?, Exim::here()?);
        for network in NETWORKS {
            checked(Command::new("ip").args(["address", "add", network, "dev", "lo"]))?;
        }
        for service in ["sshd", "vault"] {
            site.add_service(service, &["auth required pam_countersign.so primary=own"])?;
        }
        // The RADIUS server of this suite has a file of its own with this client.
        site.countersign(&["client", "add", "gate", "--address", CHALLENGE])?;
        let gateways = [kannel.gateway("kannel"), exim.gateway("mail", "mailpw", &exim.authority())].concat();
        add_settings(site, &gateways)?;
        add_people(site)?;
        let enabled = enable_all(site)?;
        let folder = site.machine.new_folder("local")?;
        let mut local = Command::new(site.machine.built("countersign-local"));
        let mut local = Daemon::start(&mut local, &folder.join("log"))?;
        local.wait_for_output("ready as uid ")?;
        let radiusd = Radiusd::start(site, Backend::Local)?;
        let sshd = |pam_service| Sshd::start(&site.machine, &SshdOptions { pam_service, lines: &[] });
        Ok(Self {
            site,
            kannel,
            exim,
            sshd: sshd("sshd")?,
            vault: sshd("vault")?,
            vpn: radiusd.from(CHALLENGE),
            enabled,
            _servers: (local, radiusd),
        })
    }

    /// `countersign user show`.
    pub(crate) fn account(&self, name: &str) -> Result<Value, Failure> {
        self.site.answer(&["user", "show", name])
    }

    /// Somebody whom nobody has registered: neither the user nor a thief.
    pub(crate) fn has_nothing_registered(&self, name: &str) -> Outcome {
        let account = self.account(name)?;
        assert_eq!(account["state"], "enabled", "{account}");
        assert_eq!(account["factors"].as_array().map(Vec::len), Some(0), "{account}");
        assert_eq!(account["recovery-codes"]["left"], 0, "{account}");
        Ok(())
    }

    /// Something that an administrator does, in a second of its own: of one second, lists show acts before sign-ins.
    pub(crate) fn administer(&self, arguments: &[&str]) -> Outcome {
        self.in_a_new_second()?;
        self.site.countersign(arguments).map(drop)
    }

    fn in_a_new_second(&self) -> Outcome {
        let second = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = second();
        let is_over = || if second() > now { Ok(()) } else { Err("the same second".to_owned()) };
        wait_for("the next second", 2, is_over)
    }

    /// The records of a user, the oldest first.
    pub(crate) fn records(&self, name: &str) -> Result<Vec<Value>, Failure> {
        let listed = self.site.answer(&["audit", "list", "--user", name, "--limit", "1000"])?;
        let records = listed.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(records.iter().map(|listed| listed["record"].clone()).collect())
    }

    /// Waits for a record of a user. What is counted together is told by the first server that looks once a minute is over, and
    /// each looks every minute.
    pub(crate) fn wait_for_record(&self, name: &str, reason: &str) -> Result<Value, Failure> {
        wait_for(&format!("{reason} of {name}"), 150, || {
            let records = self.records(name).map_err(|failure| failure.to_string())?;
            let found = records.iter().find(|record| record["reason"] == reason).cloned();
            found.ok_or_else(|| format!("{records:#?}"))
        })
    }

    /// What an administrator hands over.
    pub(crate) fn temporary_code(&self, name: &str) -> Result<String, Failure> {
        self.in_a_new_second()?;
        let given = self.site.answer(&["user", "temporary-code", name])?;
        Ok(given["temporary-code"].as_str().expect("a code").to_owned())
    }

    /// `ssh` at a window of the usual size, from this address, with the right password.
    pub(crate) fn ssh(&self, name: &str, from: &str) -> Result<Window, Failure> {
        Window::ssh(&self.sshd, name, from, OWN_PASSWORD)
    }

    /// The VPN client at this address, with the right password.
    pub(crate) fn dial(&self, name: &str, from: Option<&str>) -> Result<Conversation<'_>, Failure> {
        Conversation::begin(&self.vpn, name, OWN_PASSWORD, from)
    }
}

/// Opening and gateways, behind what `countersign init` has written.
fn add_settings(site: &Site, gateways: &str) -> Outcome {
    let file = Path::new(SETTINGS);
    let text = fs::read_to_string(file).map_err(Failure::file("read", file))?;
    // The RADIUS server of this suite has settings in a folder of its own, and the same passwords.
    let absolute = gateways.replace("password-file = \"", "password-file = \"/etc/countersign/");
    site.machine.write(file, &[&text, OPENING, &absolute].concat())?;
    write_passwords(gateways, file)?;
    site.countersign(&["config", "check"]).map(drop)
}

/// Whoever has a password here already, and no second step.
fn add_people(site: &Site) -> Outcome {
    let lines = PEOPLE.map(|name| format!("{name},{OWN_PASSWORD}\n")).concat();
    for name in PEOPLE {
        site.machine.add_user(name, SYSTEM_PASSWORD)?;
    }
    let file = csv(site, &format!("user,password\n{lines}"))?;
    site.countersign(&["import", "--yes", "--state", "disabled", &file.display().to_string()]).map(drop)
}

/// The thousand, as the staff office exports them.
fn enable_all(site: &Site) -> Result<Value, Failure> {
    let others = (PEOPLE.len()..USERS).map(|number| format!("Staff {number},u{number:04}\n"));
    let people = PEOPLE.map(|name| format!("{name},{name}\n")).concat();
    let file =
        csv(site, &format!("Display name,User principal name\n{people}{}", others.collect::<String>()))?;
    let file = file.display().to_string();
    let limits = ["--deadline", "14d", "--sign-ins", "3"];
    site.answer(&[&["user", "enable", "--from-file", &file, "--create", "--yes"], limits.as_slice()].concat())
}

fn csv(site: &Site, content: &str) -> Result<PathBuf, Failure> {
    let file = site.machine.new_folder("users")?.join("users.csv");
    site.machine.write(&file, content)?;
    Ok(file)
}
