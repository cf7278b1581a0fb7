//! exim as a mail server that wants STARTTLS, a name and a password, and keeps what it gets.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use test_ground::{Daemon, Failure, checked, wait_for};

use super::folder;
use crate::site::Site;

const PORT: u16 = 2525;

/// exim, running; one for all tests.
pub(crate) struct Exim {
    folder: PathBuf,
    _daemon: Mutex<Daemon>,
}

static EXIM: OnceLock<Result<Exim, Failure>> = OnceLock::new();

impl Exim {
    pub(crate) fn here() -> Result<&'static Self, Failure> {
        let exim = EXIM.get_or_init(Self::start);
        exim.as_ref().map_err(|failure| Failure::Unreadable { what: "exim", found: format!("{failure:?}") })
    }

    fn start() -> Result<Self, Failure> {
        let site = Site::here()?;
        let folder = folder(site, "exim")?;
        for name in ["server", "other"] {
            certificate(&folder, name)?;
        }
        let settings = folder.join("exim.conf");
        site.machine.write(&settings, &settings_text(&folder.display().to_string()))?;
        for name in ["spool", "log", "box"] {
            fs::create_dir(folder.join(name)).map_err(Failure::file("make", &folder))?;
        }
        checked(
            Command::new("chown")
                .args(["-R", "Debian-exim"])
                .args(["spool", "log", "box"].map(|it| folder.join(it))),
        )?;
        checked(Command::new("chown").arg("Debian-exim").arg(folder.join("server.key")))?;
        let mut command = Command::new("exim4");
        let mut daemon = Daemon::start(
            command.arg("-C").arg(&settings).args(["-bdf", "-q30m"]),
            &folder.join("exim.out"),
        )?;
        daemon.wait_for_port(PORT)?;
        Ok(Self { folder, _daemon: Mutex::new(daemon) })
    }

    /// The settings of the gateway, with this password and authority.
    pub(crate) fn gateway(&self, name: &str, password: &str, authority: &Path) -> String {
        format!(
            "[[delivery.gateway]]\nname = \"{name}\"\nchannels = [\"email\"]\nkind = \"smtp\"\nserver = \"localhost:{PORT}\"\n\
             from = \"Countersign <mfa@example.test>\"\nca-file = \"{}\"\nusername = \"mfa\"\npassword-file = \"{name}.password\" # {password}\n",
            authority.display()
        )
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    pub(crate) fn other_authority(&self) -> PathBuf {
        self.folder.join("other.pem")
    }

    /// The first mail to somebody.
    pub(crate) fn wait_for_mail(&self, to: &str) -> Result<String, Failure> {
        self.wait_for_mail_saying(to, "")
    }

    /// A mail to somebody that says this.
    pub(crate) fn wait_for_mail_saying(&self, to: &str, words: &str) -> Result<String, Failure> {
        wait_for(&format!("mail to {to} that says `{words}`"), 20, || {
            let mails = self.mails(to).map_err(|failure| failure.to_string())?;
            let found = mails.iter().find(|mail| mail.contains(words)).cloned();
            found.ok_or_else(|| mails.join("\n"))
        })
    }

    /// All that came for somebody.
    pub(crate) fn mails(&self, to: &str) -> Result<Vec<String>, Failure> {
        let new = self.folder.join("box/new");
        if !new.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&new).map_err(Failure::file("list", &new))?;
        let mails = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path()).ok());
        Ok(mails.filter(|mail| mail.contains(&format!("To: {to}"))).collect())
    }
}

/// A certificate for localhost that is its own authority.
fn certificate(folder: &Path, name: &str) -> Result<(), Failure> {
    let (key, pem) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pem")));
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]);
    command.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    checked(command.arg("-keyout").arg(key).arg("-out").arg(pem)).map(drop)
}

fn settings_text(folder: &str) -> String {
    format!(
        "primary_hostname = mail.test\nspool_directory = {folder}/spool\nlog_file_path = {folder}/log/%slog\n\
         pid_file_path = {folder}/exim.pid\ndaemon_smtp_ports = {PORT}\nlocal_interfaces = 127.0.0.1\n\
         tls_advertise_hosts = *\ntls_certificate = {folder}/server.pem\ntls_privatekey = {folder}/server.key\n\
         auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}\n\
         acl_smtp_rcpt = acl_rcpt\nnever_users =\nhost_lookup =\nrfc1413_query_timeout = 0s\n\
         begin acl\nacl_rcpt:\n  deny  local_parts = reject\n        message = no such user\n  accept authenticated = *\n\
         \x20 deny message = sign in first\n\
         begin routers\nall:\n  driver = accept\n  transport = keep\n\
         begin transports\nkeep:\n  driver = appendfile\n  directory = {folder}/box\n  maildir_format\n  user = Debian-exim\n\
         begin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n\
         \x20 server_condition = ${{if and{{{{eq{{$auth2}}{{mfa}}}}{{eq{{$auth3}}{{mailpw}}}}}}}}\n  server_set_id = $auth2\n"
    )
}
