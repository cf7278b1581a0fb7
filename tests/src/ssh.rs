//! A real sshd on a loopback port, and the real clients for it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemon::Daemon;
use crate::failure::{Failure, checked};
use crate::machine::Machine;
use crate::terminal::{Form, Terminal};

/// What differs between one sshd and another.
#[derive(Debug)]
pub struct SshdOptions<'a> {
    /// The PAM service. sshd takes it from the name it was started by.
    pub pam_service: &'a str,
    /// Lines of sshd_config that go before, and so win over, those every sshd gets.
    pub lines: &'a [&'a str],
}

impl Default for SshdOptions<'_> {
    fn default() -> Self {
        Self { pam_service: "sshd", lines: &[] }
    }
}

/// A running sshd; it is ended when dropped.
#[derive(Debug)]
pub struct Sshd {
    daemon: Daemon,
    port: u16,
}

impl Sshd {
    /// Starts sshd with a configuration and host key of its own and waits until it listens.
    pub fn start(machine: &Machine, options: &SshdOptions<'_>) -> Result<Self, Failure> {
        let folder = machine.new_folder("sshd")?;
        let port = machine.free_port()?;
        let key = folder.join("host_key");
        checked(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
        let settings = folder.join("sshd_config");
        machine.write(&settings, &sshd_config(options, port, &key))?;
        let program = named(options.pam_service, &folder)?;
        let mut command = Command::new(program);
        command.args(["-D", "-e", "-f"]).arg(&settings);
        Self::listening(&mut command, &folder, port)
    }

    /// Starts sshd as the machine has it configured, with `/etc/ssh/sshd_config` and its own name, on a free port.
    pub fn as_configured(machine: &Machine) -> Result<Self, Failure> {
        let folder = machine.new_folder("sshd")?;
        let port = machine.free_port()?;
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-o", "PidFile=none", "-o", &format!("ListenAddress=127.0.0.1:{port}")]);
        Self::listening(&mut command, &folder, port)
    }

    fn listening(command: &mut Command, folder: &Path, port: u16) -> Result<Self, Failure> {
        let privileges = Path::new("/run/sshd");
        fs::create_dir_all(privileges).map_err(Failure::file("make", privileges))?;
        let mut daemon = Daemon::start(command, &folder.join("log"))?;
        daemon.wait_for_port(port)?;
        Ok(Self { daemon, port })
    }

    /// Begins `ssh user@…` with a command for the other side, at a terminal.
    pub fn ssh(&self, user: &str, remote_command: &str) -> Result<Terminal, Failure> {
        self.ssh_at(Form::LARGE, user, remote_command)
    }

    /// The same at a terminal of this form.
    pub fn ssh_at(&self, form: Form, user: &str, remote_command: &str) -> Result<Terminal, Failure> {
        let mut command = self.client("ssh", &[]);
        command.arg(format!("{user}@127.0.0.1")).arg(remote_command);
        Terminal::start_at(form, &command)
    }

    /// `ssh`, `sftp` or `scp` with the options for this server; `options` (`Name=value`) win over those.
    pub fn client(&self, program: &str, options: &[&str]) -> Command {
        let port = format!("Port={}", self.port);
        let common = [
            port.as_str(),
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "PreferredAuthentications=keyboard-interactive",
            "NumberOfPasswordPrompts=1",
        ];
        let mut command = Command::new(program);
        command.args(["-F", "none"]);
        for option in options.iter().copied().chain(common) {
            command.args(["-o", option]);
        }
        command
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What sshd itself has logged so far.
    pub fn log(&self) -> Result<String, Failure> {
        self.daemon.output()
    }
}

/// The first line for a key counts (sshd_config(5)), so the caller's come first.
fn sshd_config(options: &SshdOptions<'_>, port: u16, key: &Path) -> String {
    let own = options.lines.join("\n");
    let key = key.display();
    format!(
        "{own}
ListenAddress 127.0.0.1:{port}
HostKey {key}
PidFile none
LogLevel VERBOSE
UsePAM yes
KbdInteractiveAuthentication yes
PasswordAuthentication no
PermitRootLogin yes
MaxStartups 200
PrintMotd no
PrintLastLog no
Subsystem sftp /usr/lib/openssh/sftp-server
"
    )
}

/// sshd under another name. Its own path must be absolute: it executes itself again for each connection.
fn named(pam_service: &str, folder: &Path) -> Result<PathBuf, Failure> {
    let link = folder.join(pam_service);
    symlink("/usr/sbin/sshd", &link).map_err(Failure::file("link", &link))?;
    Ok(link)
}
