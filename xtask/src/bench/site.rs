//! Countersign set up many times in one copy: each site has its settings, its store on the disk and its accounts.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bench::{CodeOf, Login, secret_of};
use test_ground::ground::DISK;
use test_ground::{Failure, Machine, checked};

use crate::install;
use crate::problem::Problem;

/// The settings as they are installed.
const EXAMPLE: &str = "/etc/countersign/countersign.toml.example";

/// One set-up of Countersign.
#[derive(Debug)]
pub(super) struct Site {
    /// Its settings.
    pub(super) settings: PathBuf,
}

/// Users with names and secrets of their own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Users {
    /// What their names begin with.
    pub(super) family: &'static str,
    pub(super) count: usize,
    /// The same for all; empty for none.
    pub(super) password: &'static str,
}

/// Installs the programs, for all sites.
pub(super) fn prepare(machine: &Machine) -> Result<(), Problem> {
    install::place(Path::new("/"), &machine.built(""))?;
    Ok(())
}

impl Site {
    /// Sets one up under this name, with accounts for these users. `backend` checks first passwords: `local` or `none`.
    pub(super) fn set_up(
        machine: &Machine,
        name: &str,
        backend: &str,
        users: Users,
    ) -> Result<Self, Failure> {
        let site = Self { settings: PathBuf::from(format!("/etc/bench/{name}/countersign.toml")) };
        // Made in memory, where thousands of durable writes cost nothing, and put on the disk when all are there.
        let (memory, disk) = (format!("/var/lib/bench-{name}"), format!("{DISK}/{name}"));
        site.write_settings(machine, &memory, backend)?;
        site.countersign(&["init", "--yes"])?;
        site.import(machine, users)?;
        checked(Command::new("cp").args(["--archive", &memory, &disk]))?;
        checked(Command::new("sync").args(["--file-system", &disk]))?;
        site.write_settings(machine, &disk, backend)?;
        Ok(site)
    }

    fn write_settings(&self, machine: &Machine, state: &str, backend: &str) -> Result<(), Failure> {
        let example = Path::new(EXAMPLE);
        let example = fs::read_to_string(example).map_err(Failure::file("read", example))?;
        let own = example.replace("/var/lib/countersign", state);
        let own = own.replace("backend = \"local\"", &format!("backend = \"{backend}\""));
        machine.write(&self.settings, &own)
    }

    fn import(&self, machine: &Machine, users: Users) -> Result<(), Failure> {
        let mut lines = "user,password,totp_secret\n".to_owned();
        for user in users.names() {
            // Writing to a String does not fail.
            let _ = writeln!(lines, "{user},{},{}", users.password, secret_of(&user));
        }
        let file = machine.new_folder("import")?.join("accounts.csv");
        machine.write(&file, &lines)?;
        let file = file.display().to_string();
        self.countersign(&["import", "--yes", "--state", "enforced", &file]).map(drop)
    }

    /// Runs `countersign` with these settings and hands over what it says.
    pub(super) fn countersign(&self, arguments: &[&str]) -> Result<String, Failure> {
        checked(Command::new("countersign").arg("--config").arg(&self.settings).args(arguments))
    }
}

impl Users {
    pub(super) fn names(self) -> impl Iterator<Item = String> {
        (0..self.count).map(move |number| format!("{}{number}", self.family))
    }

    /// One login of each user, with the code of this step.
    pub(super) fn logins(self, code_of: CodeOf) -> Vec<Login> {
        let login = |user| Login { user, password: self.password.to_owned(), code_of };
        self.names().map(login).collect()
    }
}
