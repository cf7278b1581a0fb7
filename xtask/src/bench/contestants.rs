//! Who is measured at the PAM door: ours with and without its service, and what administrators use today.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bench::{secret_octets, secret_of};
use data_encoding::HEXLOWER;
use test_ground::ground::DISK;
use test_ground::{Daemon, Failure, Machine};

use crate::bench::durable::FsyncCount;
use crate::bench::job::{SERVER_CORE, on_core};
use crate::bench::site::{Site, Users};
use crate::problem::Problem;

/// The service that the module asks first.
const SERVICE: &str = "countersign-local";

/// Accounts whose making takes so long that it is told.
const MANY: usize = 10_000;

/// The first of all accounts are those that sign in, and these are never more.
const SIGNING_IN_MAX: usize = 10_000;
/// Links to one file.
const LINKS_MAX: usize = 1_000;

/// Somebody who signs people in by PAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contestant {
    /// The module, which opens the store itself.
    Ours,
    /// The module, which asks the service.
    OursServed,
    /// libpam-google-authenticator: a file for each user.
    GoogleAuthenticator,
    /// libpam-oath: one file for all users.
    PamOath,
    /// pam_permit: what libpam itself costs.
    Nobody,
}

/// A contestant with its accounts, behind a PAM service.
#[derive(Debug)]
pub(super) struct Stand {
    /// The name of the PAM service.
    pub(super) service: String,
    folder: PathBuf,
    site: Option<Site>,
}

impl Contestant {
    /// All that are measured.
    pub(super) const ALL: [Self; 5] =
        [Self::Ours, Self::OursServed, Self::GoogleAuthenticator, Self::PamOath, Self::Nobody];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "countersign",
            Self::OursServed => "with service",
            Self::GoogleAuthenticator => "google-auth",
            Self::PamOath => "pam_oath",
            Self::Nobody => "pam_permit",
        }
    }

    /// Sets it up with accounts for these users; `name` is that of the PAM service and of its folder on the disk.
    pub(super) fn set_up(self, machine: &Machine, name: &str, users: Users) -> Result<Stand, Problem> {
        let name = format!("{}-{name}", self.name().replace(' ', "-"));
        let (folder, begun) = (Path::new(DISK).join(&name), Instant::now());
        let (line, site) = match self {
            Self::Ours | Self::OursServed => {
                let site = Site::set_up(machine, &name, "none", users)?;
                let settings = site.settings.display();
                (format!("pam_countersign.so primary=none config={settings}"), Some(site))
            }
            Self::GoogleAuthenticator => {
                google_files(&folder, users)?;
                let secret = format!("secret={}/${{USER}}", folder.display());
                (format!("pam_google_authenticator.so user=root {secret}"), None)
            }
            Self::PamOath => {
                let file = folder.join("users.oath");
                machine.write(&file, &oath_lines(users))?;
                (format!("pam_oath.so usersfile={} window=3 digits=6", file.display()), None)
            }
            Self::Nobody => ("pam_permit.so".to_owned(), None),
        };
        machine.write_pam_service(&name, &[&format!("auth required {line}")])?;
        if users.count >= MANY && self != Self::Nobody {
            let seconds = begun.elapsed().as_secs();
            eprintln!("bench: made {} accounts for {} in {seconds} s", users.count, self.name());
        }
        Ok(Stand { service: name, folder, site })
    }
}

impl Stand {
    /// Makes room for the next.
    pub(super) fn clear(self) -> Result<(), Failure> {
        crate::bench::clear(&self.folder).map_err(Failure::file("remove", &self.folder))
    }

    /// Starts the service where the contestant has one; it runs until it is dropped.
    pub(super) fn serve(
        &self,
        machine: &Machine,
        contestant: Contestant,
        count: &FsyncCount,
    ) -> Result<Option<Daemon>, Failure> {
        let (Contestant::OursServed, Some(site)) = (contestant, &self.site) else { return Ok(None) };
        let program = machine.built(SERVICE).display().to_string();
        let mut command = on_core(SERVER_CORE, &program);
        let log = machine.new_folder("local")?.join("log");
        let mut daemon = Daemon::start(count.watch(command.arg("--config").arg(&site.settings)), &log)?;
        daemon.wait_for_output("listening")?;
        Ok(Some(daemon))
    }
}

/// Root's files in a folder of root's, as its manual shows for `user=root`. Those who do not sign in have links to files of
/// others: the folder is as large, and the disk is not full of blocks that nobody reads.
fn google_files(folder: &Path, users: Users) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(Failure::file("make", folder))?;
    let mut model = PathBuf::new();
    for (number, user) in users.names().enumerate() {
        let file = folder.join(&user);
        let made = if number < SIGNING_IN_MAX || number.is_multiple_of(LINKS_MAX) {
            model.clone_from(&file);
            google_file(&file, &user)
        } else {
            fs::hard_link(&model, &file)
        };
        made.map_err(Failure::file("write", &file))?;
    }
    Ok(())
}

fn google_file(file: &Path, user: &str) -> io::Result<()> {
    let state = format!("{}\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n", secret_of(user));
    let mut made = File::options().write(true).create_new(true).mode(0o600).open(file)?;
    made.write_all(state.as_bytes())
}

fn oath_lines(users: Users) -> String {
    let mut lines = String::new();
    for user in users.names() {
        // Writing to a String does not fail.
        let _ = writeln!(lines, "HOTP/T30/6 {user} - {}", HEXLOWER.encode(&secret_octets(&user)));
    }
    lines
}

/// Makes these users Linux users, in place of those before: reading `/etc/passwd` is not what is measured.
pub(super) fn make_known<'n>(names: impl Iterator<Item = &'n str>) -> Result<(), Failure> {
    let file = Path::new("/etc/passwd");
    let before = fs::read_to_string(file).map_err(Failure::file("read", file))?;
    let write = || {
        let mut passwd = BufWriter::new(File::create(file)?);
        for line in before.lines().filter(|line| !line.ends_with(MARK)) {
            writeln!(passwd, "{line}")?;
        }
        for (name, uid) in names.zip(FIRST_UID..) {
            writeln!(passwd, "{name}:x:{uid}:{FIRST_UID}:{MARK}")?;
        }
        passwd.flush()
    };
    write().map_err(Failure::file("write", file))
}

/// What every user of the bench has in `/etc/passwd`, and nobody else.
const MARK: &str = ":/nonexistent/bench:/bin/false";
/// Below it are the users of Debian's packages.
const FIRST_UID: u32 = 20_000;
