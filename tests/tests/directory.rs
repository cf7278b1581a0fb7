//! Users who come from a directory, by SSSD and slapd: MFA settings need no local account and no local password.
#![cfg(test)]

mod site;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use site::{AGAIN, CODE, Site};
use test_ground::{
    Authenticator, Colours, Daemon, Failure, Form, Outcome, Sshd, SshdOptions, Terminal, checked, totp_code,
    wait_for,
};

/// The password of everybody in the directory; nobody here has one of this machine.
const PASSWORD: &str = "directory horse";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const IN: &str = "signed in";

/// The stack of docs/pam.md behind another module, where that is SSSD's.
const SERVICE: [&str; 6] = [
    "auth [success=1 default=ignore] pam_sss.so forward_pass",
    "auth [success=done default=die] pam_countersign.so primary=failed",
    "auth required pam_countersign.so primary=stack",
    "account required pam_sss.so",
    "session required pam_unix.so",
    "session optional pam_sss.so",
];

/// Who may register with the password of the directory alone.
const OPENING: &str = "
[[registration.opening]]
name = \"desk\"
services = [\"directory\"]
networks = [\"127.0.0.0/8\"]
";

const SLAPD: &str = "
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile @/slapd.pid
database mdb
suffix \"dc=example,dc=test\"
rootdn \"cn=admin,dc=example,dc=test\"
directory @/db
dbnosync
index objectClass,uid,cn,memberUid eq
";

const SSSD: &str = "
[sssd]
services = nss, pam
domains = test
[domain/test]
id_provider = ldap
auth_provider = ldap
access_provider = permit
ldap_schema = rfc2307
ldap_uri = ldap://127.0.0.1:@
ldap_search_base = dc=example,dc=test
ldap_auth_disable_tls_never_use_in_production = true
";

/// A directory with its users on this machine.
struct Directory {
    _slapd: Daemon,
    sssd: Daemon,
}

impl Directory {
    fn start(site: &Site) -> Result<Self, Failure> {
        let folder = site.machine.new_folder("directory")?;
        let port = site.machine.free_port()?;
        let slapd = slapd(site, &folder, port)?;
        let settings = Path::new("/etc/sssd/sssd.conf");
        site.machine.write(settings, &SSSD.replace('@', &port.to_string()))?;
        checked(Command::new("chmod").arg("600").arg(settings))?;
        checked(Command::new("sed").args(["-i", "s/^\\(passwd\\|group\\):.*/& sss/", "/etc/nsswitch.conf"]))?;
        let mut sssd = Command::new("/usr/sbin/sssd");
        let sssd = Daemon::start(sssd.args(["--interactive", "--logger=stderr"]), &folder.join("sssd.log"))?;
        let is_known = || match checked(Command::new("getent").args(["passwd", "dana"])) {
            Ok(_) => Ok(()),
            Err(_) => Err(sssd.output().unwrap_or_default()),
        };
        wait_for("dana to be known", 20, is_known)?;
        site.machine.write_pam_service("directory", &SERVICE)?;
        let ours = Path::new("/etc/countersign/countersign.toml");
        let text = fs::read_to_string(ours).map_err(Failure::file("read", ours))?;
        site.machine.write(ours, &(text + OPENING))?;
        Ok(Self { _slapd: slapd, sssd })
    }
}

/// A directory with five people, two of them in the group `pilots`, and one whose first group it is.
fn slapd(site: &Site, folder: &Path, port: u16) -> Result<Daemon, Failure> {
    checked(Command::new("mkdir").arg(folder.join("db")))?;
    let (settings, tree) = (folder.join("slapd.conf"), folder.join("tree.ldif"));
    site.machine.write(&settings, &SLAPD.replace('@', &folder.display().to_string()))?;
    site.machine.write(&tree, &entries())?;
    checked(Command::new("/usr/sbin/slapadd").arg("-f").arg(&settings).arg("-l").arg(&tree))?;
    let mut slapd = Command::new("/usr/sbin/slapd");
    slapd.args(["-d", "0", "-h", &format!("ldap://127.0.0.1:{port}/"), "-f"]).arg(&settings);
    let mut slapd = Daemon::start(&mut slapd, &folder.join("slapd.log"))?;
    slapd.wait_for_port(port)?;
    Ok(slapd)
}

fn entries() -> String {
    let mut text = "dn: dc=example,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n"
        .to_owned();
    for (number, name, group) in
        [(1, "dana", 20001), (2, "erik", 20001), (3, "fay", 20100), (4, "gus", 20001), (5, "hana", 20001)]
    {
        text += &format!(
            "dn: uid={name},dc=example,dc=test\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: {name}\n\
             cn: {name}\nsn: {name}\nuidNumber: 2000{number}\ngidNumber: {group}\nhomeDirectory: /tmp\n\
             loginShell: /bin/sh\nuserPassword: {PASSWORD}\n\n"
        );
    }
    text += "dn: cn=pilots,dc=example,dc=test\nobjectClass: posixGroup\ncn: pilots\ngidNumber: 20100\nmemberUid: dana\n\
             memberUid: erik\n\n";
    text
}

fn code(ahead: u64) -> Result<String, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    totp_code(SECRET, now.saturating_add(ahead))
}

/// Registers an app for somebody, with the secret and a code as lines of standard input.
fn enroll(name: &str) -> Outcome {
    let line =
        format!("printf '%s\\n%s\\n' {SECRET} {} | countersign enroll {name} totp --secret-stdin", code(0)?);
    checked(Command::new("sh").args(["-c", &line])).map(drop)
}

#[test]
fn users_whom_only_the_directory_knows_are_rolled_out_and_sign_in() -> Outcome {
    let site = Site::here()?;
    let directory = Directory::start(site)?;
    assert!(!passwd()?.contains("dana"), "nobody is a local user");

    // A group of the directory; whose first group it is, SSSD does not list.
    let enabled = site.answer(&["user", "enforce", "--group", "pilots", "--yes"])?;
    assert_eq!((&enabled["changed"], &enabled["failed"]), (&json!(2), &json!([])), "{enabled}");
    assert_eq!(enabled["changes"][0]["examples"], json!(["dana", "erik"]), "{enabled}");
    // One by name, and one whom nobody knows.
    site.countersign(&["user", "enable", "gus"])?;
    assert_eq!(site.answer(&["user", "show", "gus"])?["state"], "enabled");
    let unknown = site.countersign(&["user", "enable", "mallory"]).expect_err("nobody knows mallory");
    assert!(unknown.to_string().contains("this machine knows no such user"), "{unknown}");

    enroll("dana")?;
    let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service: "directory", lines: &[] })?;
    signs_in(&sshd, "dana", &code(30)?)?;
    site.wait_for_record("dana", "both-proofs")?;

    // Enabled, and the directory's password is right: the first sign-in registers.
    let mut app = registers(site, &sshd, "gus", "n for later: ", "y")?;
    signs_in(&sshd, "gus", &app.code()?)?;
    let fields = [("typed", "gus"), ("reason", "registered"), ("rule", "opening desk")];
    site.wait_for_record_with(&fields)?;
    assert_eq!(site.answer(&["user", "show", "gus"])?["state"], "enforced");
    // Enforced, with nothing registered yet: a temporary code does.
    let given = site.answer(&["user", "temporary-code", "erik"])?;
    let given = given["temporary-code"].as_str().expect("a code").to_owned();
    let mut app = registers(site, &sshd, "erik", "or a recovery code: ", &given)?;
    signs_in(&sshd, "erik", &app.code()?)?;
    // Somebody of whom the store has never heard is what `default-state` says, which is enforced here.
    let mut terminal = sshd.ssh("hana", "echo in")?;
    terminal
        .expect("assword: ")?
        .send(PASSWORD)?
        .expect("or a recovery code: ")?
        .send("000000")?
        .expect(AGAIN)?;
    terminal.vanish()?;
    assert!(!passwd()?.contains("gus") && !passwd()?.contains("erik"), "still nobody is a local user");

    // A wrong password of the directory is asked for a code like a right one.
    let mut terminal = sshd.ssh("dana", "echo in")?;
    terminal.expect("assword: ")?.send("wrong horse")?.expect(CODE)?.send("000000")?.expect(AGAIN)?;
    terminal.vanish()?;

    // With the directory away nobody is made by mistake, of whom it has not been asked lately.
    directory.sssd.stop()?;
    let away = site.countersign(&["user", "enable", "fay"]).expect_err("nobody can tell");
    assert!(away.to_string().contains("nobody could tell"), "{away}");
    site.countersign(&["user", "enable", "fay", "--create"])?;
    Ok(())
}

/// The first sign-in, from the question behind the password to the shell.
fn registers(
    site: &Site,
    sshd: &Sshd,
    name: &str,
    question: &str,
    answer: &str,
) -> Result<Authenticator, Failure> {
    let mut terminal = sshd.ssh_at(Form::USUAL, name, &format!("echo {IN}"))?;
    terminal.expect("assword: ")?.send(PASSWORD)?.expect(question)?.send(answer)?;
    terminal.expect("1 authenticator app (QR code)")?.expect("Number")?.send("1")?;
    terminal.expect("when you have one: ")?.send("ok")?.expect("Code that the app shows now (b: back): ")?;
    let mut app = Authenticator::of_uri(&terminal.screen().scanned(&site.machine, Colours::LightOnDark)?)?;
    terminal.send(&app.code()?)?.expect("Nothing is saved before Enter (or ok): ")?.send("")?;
    is_in(&mut terminal)?;
    Ok(app)
}

fn signs_in(sshd: &Sshd, name: &str, code: &str) -> Outcome {
    let mut terminal = sshd.ssh(name, &format!("echo {IN}"))?;
    terminal.expect("assword: ")?.send(PASSWORD)?.expect(CODE)?.send(code)?;
    is_in(&mut terminal)
}

fn is_in(terminal: &mut Terminal) -> Outcome {
    let ended = terminal.end()?;
    assert!(ended.code == 0 && ended.transcript.contains(IN), "{ended:?}");
    Ok(())
}

fn passwd() -> Result<String, Failure> {
    checked(Command::new("cat").arg("/etc/passwd"))
}
