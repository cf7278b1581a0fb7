//! An administrator's desk: settings, a key and a store of their own, and the real `countersign` to work on them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use test_ground::{Failure, Machine, checked, totp_code};

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "correct horse";

/// Secrets of 160 bits in base32 (the one of RFC 6238, and others).
pub(crate) const SECRETS: [&str; 4] = [
    "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "KRSXG5CTMVRXEZLUKN2XAZLSKNSWG4TF",
    "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U",
];

/// A collector that nobody has started.
pub(crate) const NO_COLLECTOR: &str = "unix:/run/no-collector";

/// Where Debian puts the library that gives one program another time.
const FAKETIME: &str = "/usr/lib/*-linux-gnu/faketime/libfaketime.so.1";

/// `init` makes the system user, and useradd refuses to wait for another useradd.
static USER_DATABASE: Mutex<()> = Mutex::new(());

/// One desk; tests share nothing but the machine.
pub(crate) struct Desk {
    pub(crate) machine: Machine,
    pub(crate) folder: PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// What is given to a command besides its arguments.
#[derive(Clone, Copy, Default)]
pub(crate) struct Given<'a> {
    /// Lines of its standard input.
    pub(crate) lines: &'a [&'a str],
    /// Its clock, in seconds from now.
    pub(crate) clock_ahead: i64,
}

impl Desk {
    /// A desk with a store, records going to `collector` (a `target` of the settings).
    pub(crate) fn new(collector: &str) -> Result<Self, Failure> {
        let machine = Machine::here()?;
        let folder = machine.new_folder("desk")?;
        let settings = format!(
            "default-state = \"enforced\"\nstate-directory = \"{}/state\"\n\
             [radius]\nlisten = [\"127.0.0.1:{}\"]\n[audit.syslog]\ntarget = \"{collector}\"\n",
            folder.display(),
            machine.free_port()?
        );
        machine.write(&folder.join("countersign.toml"), &settings)?;
        let desk = Self { machine, folder };
        let _turn = turn();
        desk.done(&["init", "--yes"])?;
        Ok(desk)
    }

    /// The command, at these settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.machine.built("countersign"));
        command.arg("--config").arg(self.folder.join("countersign.toml")).args(arguments);
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str], given: Given<'_>) -> Result<Ended, Failure> {
        let mut command = self.command(arguments);
        if given.clock_ahead != 0 {
            let library = checked(Command::new("sh").args(["-c", &format!("echo {FAKETIME}")]))?;
            command.env("LD_PRELOAD", library.trim()).env("FAKETIME", format!("{:+}", given.clock_ahead));
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |source| Failure::Start { command: arguments.join(" "), source };
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut input) = child.stdin.take() {
            let lines: String = given.lines.iter().map(|line| format!("{line}\n")).collect();
            // A command that asks for nothing may have ended before.
            let _ = input.write_all(lines.as_bytes());
        }
        let output = child.wait_with_output().map_err(failed)?;
        Ok(Ended {
            code: output.status.code().unwrap_or(-1),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command that must succeed, and hands over what it said.
    pub(crate) fn done(&self, arguments: &[&str]) -> Result<String, Failure> {
        checked(&mut self.command(arguments))
    }

    /// Runs a command with `--json` and reads the last line of its answer.
    pub(crate) fn json(&self, arguments: &[&str], given: Given<'_>) -> Result<Value, Failure> {
        let ended = self.run(&[arguments, &["--json"]].concat(), given)?;
        let last = ended.output.lines().last().unwrap_or_default();
        serde_json::from_str(last)
            .map_err(|_| Failure::Unreadable { what: "countersign --json", found: format!("{ended:?}") })
    }

    /// Somebody with the password and an authenticator app with this secret.
    pub(crate) fn add_user(&self, name: &str, secret: &str) -> Result<(), Failure> {
        let file = self.folder.join(format!("{name}.csv"));
        self.machine.write(&file, &format!("user,password,totp_secret\n{name},{PASSWORD},{secret}\n"))?;
        self.done(&["import", "--yes", &file.display().to_string()]).map(drop)
    }

    /// A login with this second answer, again and again until the verdict comes. Gives its reason.
    pub(crate) fn sign_in(&self, name: &str, second: &str, clock_ahead: i64) -> Result<String, Failure> {
        let lines = [PASSWORD, second, second, second];
        let verdict = self.json(&["test", name], Given { lines: &lines, clock_ahead })?;
        let text = |key: &str| verdict[key].as_str().unwrap_or_default().to_owned();
        Ok(format!("{} {}", text("verdict"), text("reason")))
    }

    /// Changes the store behind the back of everybody.
    pub(crate) fn sql(&self, statements: &str) -> Result<(), Failure> {
        checked(Command::new("sqlite3").arg(self.store()).arg(statements)).map(drop)
    }

    /// The database.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("state/store.db")
    }

    /// Puts back a plain copy of the database, as somebody does who knows no better.
    pub(crate) fn copy_over_store(&self, copy: &Path) -> Result<(), Failure> {
        let script = format!("cat {} > {1} && rm -f {1}-wal {1}-shm", copy.display(), self.store().display());
        checked(Command::new("sh").args(["-ec", &script])).map(drop)
    }

    /// What is in a file of this desk.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).expect("a file of the desk")
    }
}

/// The right to run `init`, until it is dropped.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    USER_DATABASE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The code of a secret, so many seconds from now.
pub(crate) fn code(secret: &str, clock_ahead: i64) -> Result<String, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    totp_code(secret, now.checked_add_signed(clock_ahead).expect("a moment after 1970"))
}
