//! The copy with Countersign installed and everything running that the scenes need.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use test_ground::{
    Authenticator, Daemon, Failure, Machine, RadiusAnswer, RadiusRequest, Rsyslogd, SocketForm, Sshd, checked,
};

use crate::demo::narrator::Narrator;
use crate::install::{self, stacks};
use crate::problem::Problem;

/// The user of the demonstration.
pub(super) const USER: &str = "alice";
/// Her password as a Linux user.
pub(super) const PASSWORD: &str = "correct horse";
/// The port of the settings that `countersign init` writes.
const RADIUS_PORT: u16 = 1812;

/// What stands on it ends with it.
pub(super) struct Stage {
    pub(super) machine: Machine,
    pub(super) sshd: Sshd,
    pub(super) radiusd: Daemon,
    pub(super) _local: Daemon,
    pub(super) log: Rsyslogd,
    /// The secret of the RADIUS client `vpn`.
    pub(super) secret: String,
    pub(super) app: Authenticator,
}

impl Stage {
    /// One RADIUS request of the client `vpn`; values in the form of radclient.
    pub(super) fn ask_radius(&self, attributes: &[(&str, &str)]) -> Result<RadiusAnswer, Failure> {
        let all: Vec<_> = attributes.iter().copied().chain([("Message-Authenticator", "0x00")]).collect();
        let request = RadiusRequest {
            port: RADIUS_PORT,
            secret: &self.secret,
            kind: "auth",
            attributes: &all,
            seconds: 10,
        };
        request.send()
    }

    /// How to go on without us.
    pub(super) fn by_hand(&self) -> String {
        let (port, secret, totp) = (self.sshd.port(), &self.secret, self.app.secret());
        format!(
            "
The copy stays until Ctrl-C or SIGTERM. In another terminal:

   cargo xtask demo --enter                                        a root shell in the copy
   cargo xtask demo --enter ssh -p {port} {USER}@127.0.0.1             password: {PASSWORD}
   cargo xtask demo --enter sftp -P {port} {USER}@127.0.0.1
   cargo xtask demo --enter oathtool --totp --base32 {totp}
   cargo xtask demo --enter radtest {USER} '{PASSWORD},CODE' 127.0.0.1:{RADIUS_PORT} 0 {secret}
   cargo xtask demo --enter countersign user show {USER}
   cargo xtask demo --enter countersign audit list
   cargo xtask demo --enter pkill -HUP countersign-                after a change of the settings: there is no systemd
"
        )
    }
}

/// Installs what was built, as an administrator would.
pub(super) fn install(narrator: &mut Narrator, machine: &Machine) -> Result<(), Problem> {
    narrator.typed("# cargo xtask install");
    for file in install::place(Path::new("/"), &machine.built(""))? {
        narrator.answered(&file.display().to_string());
    }
    Ok(())
}

/// Key, store, settings and the PAM files.
pub(super) fn set_up(narrator: &mut Narrator, machine: &Machine) -> Result<(), Failure> {
    countersign(narrator, &["init", "--default-state", "disabled", "--backend", "pam"])?;
    // The scenes read structured data, and this collector takes it on its Unix socket too.
    let file = Path::new("/etc/countersign/countersign.toml");
    let settings = fs::read_to_string(file).map_err(Failure::file("read", file))?;
    machine.write(file, &settings.replace("#format = \"rfc3164\"", "format = \"rfc5424\""))?;
    // As `install` prints it: stack (b), the system's password and then the code.
    let lines = stacks::lines_after("   (b)");
    narrator.typed("# editor /etc/pam.d/sshd      (in place of @include common-auth)");
    narrator.answered(&lines);
    let file = Path::new("/etc/pam.d/sshd");
    let stack = fs::read_to_string(file).map_err(Failure::file("read", file))?;
    machine.write(file, &stack.replace("@include common-auth\n", &lines))?;
    let lines = stacks::lines_after("5. ");
    machine.write(Path::new("/etc/ssh/sshd_config.d/10-countersign.conf"), &lines)?;
    countersign(narrator, &["config", "check"])?;
    narrator.done("store, key and settings are made; sshd asks for the system's password, then for a code");
    Ok(())
}

/// Adds the RADIUS client and hands over its secret.
pub(super) fn add_client(narrator: &mut Narrator) -> Result<String, Failure> {
    narrator.chapter("A VPN gateway becomes a client of the RADIUS server");
    let arguments = ["client", "add", "vpn", "--address", "127.0.0.1"];
    narrator.typed(&format!("# countersign {}", arguments.join(" ")));
    let answer = checked(Command::new("countersign").arg("--json").args(arguments))?;
    let secret = string(&answer, "secret")?;
    narrator.answered(&format!("vpn: added. Its secret, shown only now: {secret}"));
    narrator.typed("# systemctl enable --now countersign-radiusd      (in the copy it is started by hand)");
    Ok(secret)
}

/// Starts the RADIUS server and waits until it answers at all.
pub(super) fn start_radiusd(machine: &Machine) -> Result<Daemon, Failure> {
    let log = machine.new_folder("radiusd")?.join("log");
    let mut radiusd = Daemon::start(&mut Command::new("/usr/sbin/countersign-radiusd"), &log)?;
    radiusd.wait_for_output("listening")?;
    Ok(radiusd)
}

/// Starts the local service, as its socket would with the first caller.
pub(super) fn start_local(machine: &Machine) -> Result<Daemon, Failure> {
    let log = machine.new_folder("local")?.join("log");
    let mut local = Daemon::start(&mut Command::new("/usr/sbin/countersign-local"), &log)?;
    local.wait_for_output("listening")?;
    Ok(local)
}

/// Stack (b) for sudo, and the right to use it.
pub(super) fn let_sudo_ask(narrator: &mut Narrator, machine: &Machine) -> Result<(), Failure> {
    narrator
        .typed("# systemctl enable --now countersign-local.socket      (in the copy it is started by hand)");
    narrator.typed(
        "# editor /etc/pam.d/sudo      (and sudo-i: the same three lines in place of @include common-auth)",
    );
    for file in ["/etc/pam.d/sudo", "/etc/pam.d/sudo-i"].map(Path::new) {
        let stack = fs::read_to_string(file).map_err(Failure::file("read", file))?;
        machine.write(file, &stack.replace("@include common-auth\n", &stacks::lines_after("   (b)")))?;
    }
    machine.write(Path::new("/etc/sudoers.d/alice"), &format!("{USER} ALL=(ALL) ALL\n"))
}

/// The collector of records, at the place that every program of a machine knows.
pub(super) fn start_log(machine: &Machine) -> Result<Rsyslogd, Failure> {
    Rsyslogd::start(machine, Path::new("/dev/log"), SocketForm::Network)
}

/// Runs `countersign`, shown with what it says.
pub(super) fn countersign(narrator: &mut Narrator, arguments: &[&str]) -> Result<String, Failure> {
    narrator.typed(&format!("# countersign {}", arguments.join(" ")));
    let said = checked(Command::new("countersign").args(arguments))?;
    // What comes after an empty line is advice.
    narrator.answered(said.split("\n\n").next().unwrap_or_default());
    Ok(said)
}

/// A member of a JSON object.
pub(super) fn string(json: &str, name: &str) -> Result<String, Failure> {
    let value: Option<Value> = serde_json::from_str(json).ok();
    let found = value.as_ref().and_then(|value| value.get(name)).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| Failure::Unreadable { what: "countersign --json", found: json.to_owned() })
}

/// A file of hers, to be sent somewhere.
pub(super) fn letter(machine: &Machine) -> Result<PathBuf, Failure> {
    let letter = machine.new_folder("letters")?.join("letter.txt");
    machine.write(&letter, "dear bob\n")?;
    Ok(letter)
}
