//! The copy of the machine that a suite runs in: its users, PAM services and installed programs.

use std::env;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::failure::{Failure, checked, spelled};
use crate::ground::{MARK, PROGRAMS};

/// useradd refuses to wait for another useradd.
static USER_DATABASE: Mutex<()> = Mutex::new(());

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// Proof that this process runs in a throw-away copy, and may therefore change whatever it likes.
#[derive(Debug)]
pub struct Machine {
    programs: PathBuf,
}

impl Machine {
    /// The copy around us; outside of one, the failure says how to run the suite.
    pub fn here() -> Result<Self, Failure> {
        match env::var_os(PROGRAMS) {
            Some(programs) if Path::new(MARK).exists() => Ok(Self { programs: programs.into() }),
            Some(_) | None => Err(Failure::OutsideGround),
        }
    }

    /// Where cargo put a program or library of this workspace. Only root can be sure to reach it: see [`Machine::install`].
    pub fn built(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Copies a built program or library to `target`, readable for everybody.
    pub fn install(&self, name: &str, target: &Path) -> Result<(), Failure> {
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(Failure::file("make", folder))?;
        }
        let built = self.built(name);
        fs::copy(&built, target).map_err(Failure::file("copy", &built))?;
        open_up(target)
    }

    /// Adds a user with a home, a shell and a password in `/etc/shadow`.
    pub fn add_user(&self, name: &str, password: &str) -> Result<(), Failure> {
        let _turn = USER_DATABASE.lock().unwrap_or_else(PoisonError::into_inner);
        checked(Command::new("useradd").args(["--create-home", "--shell", "/bin/bash", name]))?;
        let mut chpasswd = Command::new("chpasswd");
        fed(chpasswd.args(["--crypt-method", "SHA512"]), &format!("{name}:{password}\n")).map(drop)
    }

    /// Writes `/etc/pam.d/<service>`.
    pub fn write_pam_service(&self, service: &str, lines: &[&str]) -> Result<(), Failure> {
        self.write(&Path::new("/etc/pam.d").join(service), &(lines.join("\n") + "\n"))
    }

    /// Writes a file that everybody may read, and its folder.
    pub fn write(&self, path: &Path, content: &str) -> Result<(), Failure> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Failure::file("make", folder))?;
        }
        fs::write(path, content).map_err(Failure::file("write", path))
    }

    /// A new empty folder that every user may pass; no two calls get the same.
    pub fn new_folder(&self, purpose: &str) -> Result<PathBuf, Failure> {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(format!("/tmp/{purpose}-{number}"));
        fs::create_dir(&folder).map_err(Failure::file("make", &folder))?;
        open_up(&folder)?;
        Ok(folder)
    }

    /// A loopback port that nobody listens on, neither by TCP nor by UDP of this moment.
    pub fn free_port(&self) -> Result<u16, Failure> {
        let address = Path::new("127.0.0.1:0");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(Failure::file("bind", address))?;
        Ok(listener.local_addr().map_err(Failure::file("bind", address))?.port())
    }
}

/// Runs a command that reads `input`, as [`checked`] does.
pub(crate) fn fed(command: &mut Command, input: &str) -> Result<String, Failure> {
    let start = |command: &Command| {
        let command = spelled(command);
        move |source| Failure::Start { command, source }
    };
    let mut file = tempfile::tempfile().map_err(start(command))?;
    file.write_all(input.as_bytes()).map_err(start(command))?;
    std::io::Seek::rewind(&mut file).map_err(start(command))?;
    checked(command.stdin(Stdio::from(file)))
}

fn open_up(path: &Path) -> Result<(), Failure> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(Failure::file("open up", path))
}
