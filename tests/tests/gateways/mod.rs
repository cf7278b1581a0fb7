//! Gateways, and a server of ours with its own store that uses them.

#![allow(dead_code, reason = "each suite uses its part of it")]

pub(crate) mod bad;
mod exim;
mod kannel;
pub(crate) mod telephone;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use exim::Exim;
pub(crate) use kannel::Kannel;
use serde_json::Value;
use test_ground::{Failure, checked, wait_for};

use crate::gate::{CHALLENGE, Gateway, Radiusd};
use crate::site::Site;

/// The first password of everybody here.
pub(crate) const PASSWORD: &str = "battery staple";

/// A RADIUS server on a store of its own, with these gateways: no other server takes its messages.
pub(crate) struct Bench {
    site: &'static Site,
    server: RefCell<Radiusd>,
}

impl Bench {
    /// `gateways` is what stands in the settings; passwords of the form `NAME.password` hold what follows `#` behind them.
    pub(crate) fn new(gateways: &str) -> Result<Self, Failure> {
        let site = Site::here()?;
        let mut server = Radiusd::start_apart(site)?;
        server.stop()?;
        let settings = server.settings();
        let text = fs::read_to_string(&settings).map_err(Failure::file("read", &settings))?;
        site.machine.write(&settings, &format!("{text}\n{gateways}"))?;
        write_passwords(gateways, &settings)?;
        server.launch()?;
        Ok(Self { site, server: RefCell::new(server) })
    }

    pub(crate) fn gateway(&self) -> Gateway {
        self.server.borrow().from(CHALLENGE)
    }

    /// Another server on the same store, and a gateway in front of it.
    pub(crate) fn another_server(&self) -> Result<(Radiusd, Gateway), Failure> {
        let other = self.server.borrow().start_beside(self.site)?;
        let gateway = other.from(CHALLENGE);
        Ok((other, gateway))
    }

    pub(crate) fn add_user(&self, name: &str) -> Result<(), Failure> {
        let file = self.site.machine.new_folder("import")?.join("users.csv");
        self.site.machine.write(&file, &format!("user,password\n{name},{PASSWORD}\n"))?;
        self.countersign(&["import", "--yes", "--state", "enforced", &file.display().to_string()]).map(drop)
    }

    pub(crate) fn countersign(&self, arguments: &[&str]) -> Result<String, Failure> {
        let settings = self.server.borrow().settings();
        checked(Command::new("countersign").arg("--config").arg(settings).args(arguments))
    }

    pub(crate) fn answer(&self, arguments: &[&str]) -> Result<Value, Failure> {
        read(&self.countersign(arguments)?)
    }

    /// A command that may end with exit code 1.
    pub(crate) fn trial(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let settings = self.server.borrow().settings();
        let mut command = Command::new("countersign");
        let output = command.arg("--json").arg("--config").arg(settings).args(arguments).output();
        let output = output.map_err(|source| Failure::Start { command: "countersign".to_owned(), source })?;
        read(&String::from_utf8_lossy(&output.stdout))
    }

    /// The reasons of the records of a user's logins, in order.
    pub(crate) fn reasons(&self, user: &str) -> Result<Vec<String>, Failure> {
        let listed = self.answer(&["--json", "audit", "list", "--limit", "100000", "--user", user])?;
        let records = listed.as_array().cloned().unwrap_or_default();
        let reasons = records.iter().filter_map(|it| it["record"]["reason"].as_str().map(str::to_owned));
        Ok(reasons.collect())
    }

    /// Waits for a record of the store.
    pub(crate) fn wait_for_record(&self, user: &str, reason: &str) -> Result<Value, Failure> {
        wait_for(&format!("{reason} of {user}"), 20, || {
            let listed = self.countersign(&["--json", "audit", "list", "--user", user]);
            let listed = listed.map_err(|failure| failure.to_string())?;
            let mut records = listed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let found = records.find_map(|it| find(&it, reason));
            found.ok_or(listed.clone())
        })
    }

    /// Gives everybody the right to read the passwords.
    pub(crate) fn open_passwords(&self) -> Result<(), Failure> {
        let settings = self.server.borrow().settings();
        let folder = settings.parent().unwrap_or(Path::new("/")).to_owned();
        for entry in fs::read_dir(&folder).map_err(Failure::file("read", &folder))?.flatten() {
            if entry.path().extension().is_some_and(|it| it == "password") {
                checked(Command::new("chmod").arg("0644").arg(entry.path()))?;
            }
        }
        Ok(())
    }

    pub(crate) fn relaunch(&self) -> Result<(), Failure> {
        self.server.borrow_mut().stop()?;
        self.server.borrow_mut().launch()
    }

    pub(crate) fn log(&self) -> Result<String, Failure> {
        self.server.borrow().log()
    }
}

/// The record with this reason, wherever it stands in an answer.
fn find(value: &Value, reason: &str) -> Option<Value> {
    if value["reason"] == reason {
        return Some(value.clone());
    }
    let below: Vec<&Value> = match value {
        Value::Array(all) => all.iter().collect(),
        Value::Object(all) => all.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    below.into_iter().find_map(|it| find(it, reason))
}

fn read(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|_| Failure::Unreadable { what: "JSON", found: text.to_owned() })
}

/// The passwords of gateways stand behind `#` here; in the place of the settings they get the files that these name.
pub(crate) fn write_passwords(gateways: &str, settings: &Path) -> Result<(), Failure> {
    for line in gateways.lines() {
        let password = line.strip_prefix("password-file = \"").and_then(|it| it.split_once("\" # "));
        if let Some((name, password)) = password {
            write_closed(&settings.with_file_name(name), password)?;
        }
    }
    Ok(())
}

fn write_closed(file: &Path, content: &str) -> Result<(), Failure> {
    fs::write(file, content).map_err(Failure::file("write", file))?;
    checked(Command::new("chgrp").arg("countersign").arg(file))?;
    checked(Command::new("chmod").arg("0640").arg(file)).map(drop)
}

/// The six digits of a text.
pub(crate) fn code_in(text: &str) -> String {
    let mut runs = text.split(|c: char| !c.is_ascii_digit());
    runs.find(|run| run.len() == 6).unwrap_or_default().to_owned()
}

/// A folder that a daemon with rights of its own can write to.
pub(crate) fn folder(site: &Site, purpose: &str) -> Result<PathBuf, Failure> {
    site.machine.new_folder(purpose)
}
