//! A post: settings, a key, a store, a PAM service and a RADIUS server of its own. Whoever signs in there, by either
//! door, leaves records in one store and with one collector.

pub(crate) mod wire;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use radius_protocol::Code;
use serde_json::Value;
use test_ground::{Daemon, Failure, Machine, checked, totp_code};

use crate::collector::Form;
use crate::transaction::{self, converse};
pub(crate) use wire::SECRET;
use wire::ask;

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "correct horse";
/// What is asked for the second proof.
pub(crate) const CODE: &str = "One-time code (? for other ways): ";
/// The client that puts a second question, by the address that it asks from.
pub(crate) const GATE: &str = "127.0.0.1";
/// The client that sends codes alone: its refusals cost no password check.
pub(crate) const DOORBELL: &str = "127.0.0.12";
/// From where RADIUS users sign in.
pub(crate) const STATION: &str = "192.0.2.7";
/// The secret of everybody's authenticator: stores are apart, and a code is spent by an account.
pub(crate) const TOTP_SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// `init` makes the system user, and useradd refuses to wait for another useradd.
static TURN: Mutex<()> = Mutex::new(());

/// One post; the server is ended when it is dropped.
pub(crate) struct Post {
    pub(crate) machine: Machine,
    folder: PathBuf,
    port: u16,
    server: Option<Daemon>,
    local: Option<Daemon>,
}

/// What a login came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Accept,
    Refusal,
    Question,
}

impl Post {
    /// Sets it up with its server running; `target` is where its lines go.
    pub(crate) fn open(target: &str, form: Form) -> Result<Self, Failure> {
        let machine = Machine::here()?;
        let folder = machine.new_folder("post")?;
        let mut post = Self { port: machine.free_port()?, machine, folder, server: None, local: None };
        post.machine.write(&post.settings(), &post.settings_text(target, form))?;
        post.initialise()?;
        let settings = post.settings();
        let line = format!("auth required pam_countersign.so primary=own config={}", settings.display());
        post.machine.write_pam_service(&post.service(), &[&format!("{line} socket=off")])?;
        let asking = format!("{line} socket={}", post.socket().display());
        post.machine.write_pam_service(&post.service_by_local(), &[&asking])?;
        post.start_server()?;
        Ok(post)
    }

    /// Starts the server; it must not run already.
    pub(crate) fn start_server(&mut self) -> Result<(), Failure> {
        let mut server = Command::new(self.machine.built("countersign-radiusd"));
        let mut server =
            Daemon::start(server.arg("--config").arg(self.settings()), &self.folder.join("log"))?;
        server.wait_for_output("ready as uid ")?;
        self.server = Some(server);
        Ok(())
    }

    fn settings_text(&self, target: &str, form: Form) -> String {
        format!(
            "default-state = \"enforced\"\nstate-directory = \"{}/state\"\n\
             [pam.services.default]\ndialogue = \"plain\"\n\
             [radius]\nlisten = [\"127.0.0.1:{}\"]\n\
             [audit.syslog]\ntarget = \"{target}\"\nformat = \"{}\"\n\
             [[rule]]\nname = \"no code for ruth\"\nusers = [\"ruth\"]\naction = \"skip\"\n",
            self.folder.display(),
            self.port,
            form.name()
        )
    }

    /// The module is the machine's, so that it is installed once: a program may have it open.
    fn initialise(&self) -> Result<(), Failure> {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = format!("/usr/lib/{}-linux-gnu/security", std::env::consts::ARCH);
        let module = Path::new(&folder).join("pam_countersign.so");
        if !module.exists() {
            self.machine.install("libpam_countersign.so", &module)?;
        }
        self.countersign(&["init", "--yes"])?;
        let clients = format!(
            "[[client]]\nname = \"gate\"\naddresses = [\"{GATE}\"]\nsecret = \"{SECRET}\"\ndialogue = \"plain\"\n\
             [[client]]\nname = \"doorbell\"\naddresses = [\"{DOORBELL}\"]\nsecret = \"{SECRET}\"\nkind = \"code-only\"\n"
        );
        // Keeps the owner and the rights that `init` gave the file.
        self.machine.write(&self.folder.join("clients.toml"), &clients)
    }

    /// Its settings.
    pub(crate) fn settings(&self) -> PathBuf {
        self.folder.join("countersign.toml")
    }

    /// Its PAM service.
    pub(crate) fn service(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The same, but that it asks countersign-local.
    pub(crate) fn service_by_local(&self) -> String {
        format!("{}-by-local", self.service())
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("run/local.sock")
    }

    /// Starts countersign-local; it must not run already.
    pub(crate) fn start_local(&mut self) -> Result<(), Failure> {
        let mut local = Command::new(self.machine.built("countersign-local"));
        local.arg("--config").arg(self.settings()).arg("--socket").arg(self.socket());
        let mut local = Daemon::start(&mut local, &self.folder.join("local.log"))?;
        local.wait_for_output("ready as uid ")?;
        self.local = Some(local);
        Ok(())
    }

    /// Kills countersign-local in whatever it does.
    pub(crate) fn kill_local(&mut self) {
        self.local = None;
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Runs `countersign` on these settings and hands over what it prints.
    pub(crate) fn countersign(&self, arguments: &[&str]) -> Result<String, Failure> {
        checked(&mut self.command(arguments))
    }

    /// The command, at these settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.machine.built("countersign"));
        command.arg("--config").arg(self.settings()).args(arguments);
        command
    }

    /// Accounts with a password and an authenticator.
    pub(crate) fn add_users(&self, names: &[&str]) -> Result<(), Failure> {
        let line = |name: &&str| format!("\"{}\",{PASSWORD},{TOTP_SECRET}\n", name.replace('"', "\"\""));
        self.import("user,password,totp_secret", &names.iter().map(line).collect::<String>(), "enforced")
    }

    /// An account without a factor, in this state.
    pub(crate) fn add_bare_user(&self, name: &str, state: &str) -> Result<(), Failure> {
        self.import("user,password", &format!("{name},{PASSWORD}\n"), state)
    }

    /// A new app password of somebody, for one client.
    pub(crate) fn app_password(&self, name: &str, client: &str) -> Result<String, Failure> {
        let create = ["--json", "app-password", "create", name, "--label", "test", "--client", client];
        let text = self.countersign(&create)?;
        read(&text)?["app-password"].as_str().map(str::to_owned).ok_or_else(|| unreadable(&text))
    }

    fn import(&self, titles: &str, lines: &str, state: &str) -> Result<(), Failure> {
        let file = self.machine.new_folder("import")?.join("users.csv");
        self.machine.write(&file, &format!("{titles}\n{lines}"))?;
        self.countersign(&["import", "--yes", "--state", state, &file.display().to_string()]).map(drop)
    }

    /// A PAM transaction of this user, whose name may be any octets but NUL.
    pub(crate) fn pamtester(&self, name: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("pamtester");
        command.arg(self.service()).arg(name).arg("authenticate");
        command
    }

    /// Authenticates with these answers after the password; the return code.
    pub(crate) fn pam(
        &self,
        name: impl AsRef<OsStr>,
        password: &str,
        more: &[(&str, &str)],
    ) -> Result<&'static str, Failure> {
        let dialogue = [&[(transaction::PASSWORD, password)], more].concat();
        Ok(converse(&self.pamtester(name), &dialogue)?.0)
    }

    /// Sends one Access-Request by our own hand; what is heard, and the State of a question.
    pub(crate) fn radius(&self, request: &Request<'_>) -> Result<(Heard, Vec<u8>), Failure> {
        let (code, state) = ask(self.port, request);
        let heard = match code {
            Code::AccessAccept => Heard::Accept,
            Code::AccessReject => Heard::Refusal,
            Code::AccessChallenge => Heard::Question,
            other => return Err(Failure::Unreadable { what: "an answer", found: format!("{other:?}") }),
        };
        Ok((heard, state))
    }

    /// Signs in by PAM with password and code.
    pub(crate) fn signs_in_by_pam(&self, name: &str, code: &str) -> Result<(), Failure> {
        assert_eq!(self.pam(name, PASSWORD, &[(CODE, code)])?, "PAM_SUCCESS", "{name}");
        Ok(())
    }

    /// Signs in by RADIUS with password and, when asked, code.
    pub(crate) fn signs_in_by_radius(&self, name: &str, code: &str) -> Result<(), Failure> {
        let first = Request { name: name.as_bytes(), password: PASSWORD, ..Request::default() };
        let (heard, state) = self.radius(&first)?;
        assert_eq!(heard, Heard::Question, "{name}");
        let second = Request { password: code, state: &state, ..first };
        assert_eq!(self.radius(&second)?.0, Heard::Accept, "{name}");
        Ok(())
    }

    /// All records of the store, oldest first.
    pub(crate) fn records(&self) -> Result<Vec<Value>, Failure> {
        let text = self.countersign(&["--json", "audit", "list", "--limit", "1000000"])?;
        read(&text)?.as_array().cloned().ok_or_else(|| unreadable(&text))
    }

    /// `audit verify`, by the exit code and by what it says; with this file of anchors, if any.
    pub(crate) fn verify(&self, anchors: Option<&Path>) -> Result<(Option<i32>, Value), Failure> {
        let mut command = self.command(&["--json", "audit", "verify"]);
        if let Some(file) = anchors {
            command.arg("--anchors").arg(file);
        }
        let output = command.output();
        let output = output.map_err(|source| Failure::Start { command: "countersign".to_owned(), source })?;
        Ok((output.status.code(), read(&String::from_utf8_lossy(&output.stdout))?))
    }

    /// Ends the server by SIGTERM.
    pub(crate) fn stop_server(&mut self) -> Result<(), Failure> {
        self.server.take().map_or(Ok(()), |server| server.stop().map(drop))
    }

    /// Kills the server in whatever it does.
    pub(crate) fn kill_server(&mut self) {
        self.server = None;
    }

    /// The process of the server.
    pub(crate) fn server_pid(&self) -> u32 {
        self.server.as_ref().map_or(0, Daemon::pid)
    }

    /// The database.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("state/store.db")
    }

    /// Changes the store behind the back of everybody.
    pub(crate) fn sql(&self, statements: &str) -> Result<(), Failure> {
        checked(Command::new("sqlite3").arg(self.store()).arg(statements)).map(drop)
    }
}

/// One Access-Request.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    /// The client, by the address that it asks from.
    pub(crate) from: &'a str,
    pub(crate) name: &'a [u8],
    pub(crate) password: &'a str,
    pub(crate) state: &'a [u8],
    /// Calling-Station-Id.
    pub(crate) station: &'a [u8],
}

impl Default for Request<'_> {
    fn default() -> Self {
        Self { from: GATE, name: b"", password: "", state: b"", station: STATION.as_bytes() }
    }
}

/// The code that everybody's authenticator shows now.
pub(crate) fn code() -> Result<String, Failure> {
    totp_code(TOTP_SECRET, now())
}

/// The code that it shows next. It is good already, for clocks that are ahead, and also after [`code`].
pub(crate) fn next_code() -> Result<String, Failure> {
    totp_code(TOTP_SECRET, now().saturating_add(30))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

fn read(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|_| unreadable(text))
}

fn unreadable(text: &str) -> Failure {
    Failure::Unreadable { what: "countersign --json", found: text.to_owned() }
}
