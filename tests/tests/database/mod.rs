//! PostgreSQL with PAM: a program that runs as a user of its own and lets other people in.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use test_ground::{Daemon, Failure, Outcome, checked};

use crate::local::as_user;
use crate::site::{OWN_PASSWORD, Site};
use crate::{people, shared};

/// Debian keeps one folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Two services: the settings name the first.
const HBA: &str = "local all postgres trust
host all pia 127.0.0.1/32 pam pamservice=postgresql
host all pit 127.0.0.1/32 pam pamservice=unnamed-database
";

#[test]
fn postgresql_lets_in_by_password_and_code_in_one_or_by_an_app_password() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("pia")?;
    site.add_user("pit")?;
    for service in ["postgresql", "unnamed-database"] {
        // Of the shadow file it knows as little as of ours.
        let lines = [&*shared(site)?.line("own"), "account required pam_permit.so"];
        site.machine.write_pam_service(service, &lines)?;
    }
    let database = Database::start(site)?;
    let both = format!("{OWN_PASSWORD},{}", user.code()?);
    assert_eq!(database.login("pia", &both)?, Ok("pia".to_owned()));
    let record = site.wait_for_record("pia", "both-proofs")?;
    assert_eq!(people(&record), ["pia", "pia", "postgres", "-"]);
    assert!(record.structured.contains(" source=\"127.0.0.1\""), "where the client sits: {record:?}");
    let app_password = site.app_password(&user, "postgresql")?;
    assert_eq!(database.login("pia", &app_password)?, Ok("pia".to_owned()));

    // A code that was used, a password without one, and a service that the settings do not name.
    for password in [both.as_str(), OWN_PASSWORD] {
        let refused = database.login("pia", password)?.expect_err("nobody was let in");
        assert!(refused.contains("PAM authentication failed"), "{refused}");
    }
    assert!(database.login("pit", OWN_PASSWORD)?.is_err());
    assert_eq!(people(&site.wait_for_record("pit", "not-the-caller")?), ["pit", "-", "postgres", "-"]);
    Ok(())
}

/// A server with the roles of both users; it ends with this.
struct Database {
    port: String,
    _daemon: Daemon,
}

impl Database {
    fn start(site: &Site) -> Result<Self, Failure> {
        let folder = site.machine.new_folder("database")?;
        let data = folder.join("data");
        fs::create_dir(&data).map_err(Failure::file("make", &data))?;
        checked(Command::new("chown").args(["-R", "postgres:"]).arg(&folder))?;
        let (place, data) = (folder.display().to_string(), data.display().to_string());
        checked(&mut as_user("postgres", &program("initdb")?, &["--pgdata", &data, "--no-sync"]))?;
        site.machine.write(&folder.join("data/pg_hba.conf"), HBA)?;
        let port = site.machine.free_port()?.to_string();
        let options = ["-D", &data, "-k", &place, "-p", &port, "-c", "listen_addresses=127.0.0.1"];
        let log = site.machine.new_folder("database-log")?.join("log");
        let mut daemon = Daemon::start(&mut as_user("postgres", &program("postgres")?, &options), &log)?;
        daemon.wait_for_output("database system is ready")?;
        let roles = "create role pia login; create role pit login";
        checked(&mut as_user(
            "postgres",
            "psql",
            &["-h", &place, "-p", &port, "-d", "postgres", "-c", roles],
        ))?;
        Ok(Self { port, _daemon: daemon })
    }

    /// The name that the server knows the user by, or what the client says of the refusal.
    fn login(&self, user: &str, password: &str) -> Result<Result<String, String>, Failure> {
        let mut psql = Command::new("psql");
        psql.args(["-h", "127.0.0.1", "-p", &self.port, "-U", user, "-d", "postgres", "-Atc"]);
        let output = psql.arg("select current_user").env("PGPASSWORD", password).output();
        let output = output.map_err(|source| Failure::Start { command: "psql".to_owned(), source })?;
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).trim().to_owned();
        Ok(if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
    }
}

/// A program of the newest version that is installed.
fn program(name: &str) -> Result<String, Failure> {
    let versions = fs::read_dir(VERSIONS).map_err(Failure::file("list", VERSIONS.as_ref()))?;
    let programs = versions.flatten().map(|version| version.path().join("bin").join(name));
    let found: Option<PathBuf> = programs.filter(|program| program.exists()).max();
    found.map(|program| program.display().to_string()).ok_or_else(|| Failure::Unreadable {
        what: "postgresql",
        found: format!("no {name} below {VERSIONS}"),
    })
}
