//! Countersign set up many times in one copy: each site has its settings, its store on the disk and its accounts.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bench::{AccountsJob, CodeOf, Login, secret_of};
use test_ground::ground::DISK;
use test_ground::{Failure, Machine, checked};

use crate::bench::job;
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
    ) -> Result<Self, Problem> {
        let site = Self { settings: PathBuf::from(format!("/etc/bench/{name}/countersign.toml")) };
        let state = Path::new(DISK).join(name);
        let example = Path::new(EXAMPLE);
        let example = fs::read_to_string(example).map_err(Failure::file("read", example))?;
        let own = example.replace("/var/lib/countersign", &state.display().to_string());
        machine.write(
            &site.settings,
            &own.replace("backend = \"local\"", &format!("backend = \"{backend}\"")),
        )?;
        site.countersign(&["init", "--yes"])?;
        match users.password {
            "" => site.add_without_passwords(machine, users)?,
            _ => site.import(machine, users)?,
        }
        // What is not on the disk yet is no part of the first login.
        checked(Command::new("sync").args(["--file-system", DISK]))?;
        Ok(site)
    }

    fn add_without_passwords(&self, machine: &Machine, users: Users) -> Result<(), Problem> {
        let Users { family, count, password: _ } = users;
        let job = AccountsJob { settings: self.settings.clone(), family: family.to_owned(), count };
        job::prepare::<usize>(machine, "bench-accounts", &job).map(drop)
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
        self.some_logins(0, self.count, code_of)
    }

    /// One login of each of these users.
    pub(super) fn some_logins(self, first: usize, count: usize, code_of: CodeOf) -> Vec<Login> {
        let login = |user| Login { user, password: self.password.to_owned(), code_of };
        self.names().skip(first).take(count).map(login).collect()
    }
}
