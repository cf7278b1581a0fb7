//! Break-glass accounts get in by real ssh while the store is damaged, gone, full or read-only: once with each code.
#![cfg(test)]

#[expect(dead_code, reason = "each suite uses its part of it")]
mod local;
mod site;
mod standing_in;
#[expect(dead_code, reason = "each suite uses its part of it")]
mod transaction;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;
use site::{AGAIN, CODE, OWN_PASSWORD, Site, User};
use test_ground::{Failure, Outcome, Sshd, SshdOptions, Terminal, checked};

/// What the other side says to whoever gets in.
const IN: &str = "signed in";

const STATE: &str = "/var/lib/countersign";
const STORE: &str = "/var/lib/countersign/store.db";
/// Another file system in a real installation.
const ELSEWHERE: &str = "/srv/glass";

/// There is one store, and each test breaks it.
static STORE_TURN: Mutex<()> = Mutex::new(());
static SETTINGS: OnceLock<()> = OnceLock::new();

/// The site with its break-glass accounts, and the right to break the store.
fn site() -> Result<(&'static Site, MutexGuard<'static, ()>), Failure> {
    let turn = STORE_TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let site = Site::here()?;
    if SETTINGS.set(()).is_ok() {
        let file = Path::new("/etc/countersign/countersign.toml");
        let text = fs::read_to_string(file).map_err(Failure::file("read", file))?;
        let text = text.replace("[break-glass]\n", "").replace("\nusers = []\n", "\n");
        let ours = format!(
            "\n[break-glass]\nusers = [\"root\", \"gloria\", \"gregor\", \"gina\", \"gero\", \"gustav\"]\nfile = \"{ELSEWHERE}/break-glass\"\n"
        );
        fs::create_dir_all(ELSEWHERE).map_err(Failure::file("make", Path::new(ELSEWHERE)))?;
        site.machine.write(file, &(text + &ours))?;
        site.countersign(&["init"])?;
    }
    Ok((site, turn))
}

fn sshd(site: &Site) -> Result<Sshd, Failure> {
    Sshd::start(&site.machine, &SshdOptions { pam_service: "own", lines: &["PermitRootLogin yes"] })
}

fn attempt(sshd: &Sshd, name: &str, code: &str) -> Result<Terminal, Failure> {
    let mut terminal = sshd.ssh(name, &format!("echo {IN}"))?;
    terminal.expect("Password: ")?.send(OWN_PASSWORD)?.expect(CODE)?.send(code)?;
    Ok(terminal)
}

fn is_in(mut terminal: Terminal) -> Outcome {
    let ended = terminal.end()?;
    assert!(ended.code == 0 && ended.transcript.contains(IN), "{ended:?}");
    Ok(())
}

fn is_refused(mut terminal: Terminal) -> Outcome {
    terminal.expect(AGAIN)?;
    Ok(())
}

/// What is left of the store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    /// Everybody is refused at once.
    Nothing,
    /// Others are asked for a password, which cannot be counted then.
    CanBeRead,
}

/// One day of need, from before it to after it.
struct Day {
    user: User,
    /// Somebody who is no break-glass account.
    other: &'static str,
    code: String,
    recovery_code: String,
    store: Store,
}

impl Day {
    fn before(site: &Site, user: User, other: &'static str) -> Result<Self, Failure> {
        site.add_user(other)?;
        let recovery_code = site.recovery_code(&user)?;
        Ok(Self { code: user.code()?, user, other, recovery_code, store: Store::Nothing })
    }

    /// With the store as broken as it is.
    fn in_need(&self, site: &Site, sshd: &Sshd, reason: &str) -> Outcome {
        let mut terminal = sshd.ssh(self.other, "true")?;
        if self.store == Store::CanBeRead {
            terminal.expect("Password: ")?.send(OWN_PASSWORD)?;
        }
        let ended = terminal.end()?;
        assert!(ended.code == 255 && !ended.transcript.contains(CODE), "{ended:?}");
        site.wait_for_record(self.other, reason)?;
        let name = self.user.name;
        is_in(attempt(sshd, name, &self.code)?)?;
        let record = site.wait_for_record(name, "both-proofs")?;
        assert_eq!(record.severity, "alert", "{record:?}");
        assert!(record.structured.contains(" stream=\"break-glass\""), "{record:?}");
        is_refused(attempt(sshd, name, &self.code)?)?;
        site.wait_for_record(name, "code-already-used")?;
        is_in(attempt(sshd, name, &self.recovery_code)?)?;
        is_refused(attempt(sshd, name, &self.recovery_code)?)?;
        site.wait_for_record(name, "recovery-code-already-used")?;
        self.is_listed()
    }

    /// Both uses, from the file where the store says nothing.
    fn is_listed(&self) -> Outcome {
        // Without the store it ends with 1.
        let mut list = Command::new("countersign");
        let listed = list.args(["--json", "audit", "list", "--user", self.user.name]).output();
        let uses =
            listed.map_err(|source| Failure::Start { command: "audit list".to_owned(), source })?.stdout;
        let uses: Value = serde_json::from_slice(&uses).expect("records");
        let uses = uses.as_array().expect("records");
        let from_file = uses.iter().filter(|it| it["stream"] == "break-glass");
        assert_eq!(from_file.filter(|it| it["record"]["ending"] == "accept").count(), 2, "{uses:?}");
        Ok(())
    }

    /// What was used up stays used up, also for doors that do not look into the file.
    fn after(&self, site: &Site, sshd: &Sshd) -> Outcome {
        let name = self.user.name;
        is_refused(attempt(sshd, name, &self.code)?)?;
        is_refused(attempt(sshd, name, &self.recovery_code)?)?;
        let shown = site.answer(&["user", "show", name])?;
        assert_eq!(shown["recovery-codes"]["left"], 9, "{shown}");
        self.is_listed()?;
        let verified = site.answer(&["audit", "verify"])?;
        assert_eq!(verified["sound"], true, "{verified}");
        let streams = verified["streams"].as_array().expect("streams");
        let ours = streams.iter().find(|stream| stream["stream"] == "break-glass").expect("a stream");
        assert!(ours["sound-records"].as_u64() >= Some(2), "{ours}");
        Ok(())
    }
}

fn run(program: &str, arguments: &[&str]) -> Outcome {
    checked(Command::new(program).args(arguments)).map(drop)
}

/// The database, moved away with the files beside it, and back.
fn set_aside() -> Outcome {
    run("sh", &["-c", &format!("mkdir -p /root/aside && mv {STORE}* /root/aside/")])
}

fn put_back() -> Outcome {
    run("sh", &["-c", &format!("rm -f {STORE}* && mv /root/aside/* {STATE}/")])
}

#[test]
fn root_gets_in_while_the_store_is_damaged() -> Outcome {
    let (site, _turn) = site()?;
    let sshd = sshd(site)?;
    let day = Day::before(site, site.add_account("root")?, "olga")?;
    set_aside()?;
    let owner = ["-o", "countersign", "-g", "countersign", "-m", "0600"];
    let garbage = Path::new("/root/garbage");
    site.machine.write(garbage, &"no database ".repeat(4096))?;
    run("install", &[&owner[..], &["/root/garbage", STORE]].concat())?;
    day.in_need(site, &sshd, "store-damaged")?;
    put_back()?;
    day.after(site, &sshd)
}

#[test]
fn a_break_glass_account_gets_in_while_the_store_is_gone() -> Outcome {
    let (site, _turn) = site()?;
    let sshd = sshd(site)?;
    let day = Day::before(site, site.add_user("gloria")?, "otto")?;
    set_aside()?;
    day.in_need(site, &sshd, "store-unavailable")?;
    put_back()?;
    day.after(site, &sshd)
}

#[test]
fn a_break_glass_account_gets_in_while_the_folder_is_read_only() -> Outcome {
    let (site, _turn) = site()?;
    let sshd = sshd(site)?;
    let day = Day::before(site, site.add_user("gina")?, "ruth")?;
    run("mount", &["--bind", STATE, STATE])?;
    run("mount", &["-o", "remount,bind,ro", STATE])?;
    let needed = day.in_need(site, &sshd, "store-read-only");
    run("umount", &[STATE])?;
    needed?;
    day.after(site, &sshd)
}

#[test]
fn a_break_glass_account_gets_in_while_the_disk_is_full_to_the_last_block() -> Outcome {
    let (site, _turn) = site()?;
    let sshd = sshd(site)?;
    let day = Day::before(site, site.add_user("gregor")?, "frida")?;
    let day = Day { store: Store::CanBeRead, ..day };
    // The folder on a small disk of its own, which somebody fills, and takes what is kept for that day too.
    run(
        "sh",
        &[
            "-c",
            &format!(
                "cp -a {STATE} /root/full && mount -t tmpfs -o size=64m,mode=0700,uid=$(stat -c %u {STATE}) tmpfs {STATE} && cp -a /root/full/. {STATE}/"
            ),
        ],
    )?;
    run(
        "sh",
        &["-c", &format!(": > {STORE}-reserve; dd if=/dev/zero of={STATE}/filler bs=4k status=none || true")],
    )?;
    let needed = day.in_need(site, &sshd, "store-full");
    run(
        "sh",
        &[
            "-c",
            &format!(
                "rm {STATE}/filler && rm -rf /root/full && cp -a {STATE} /root/full && umount {STATE} && cp -a /root/full/. {STATE}/"
            ),
        ],
    )?;
    needed?;
    day.after(site, &sshd)
}

#[test]
fn without_store_and_file_nobody_gets_in() -> Outcome {
    let (site, _turn) = site()?;
    let sshd = sshd(site)?;
    let user = site.add_user("gero")?;
    run("mount", &["--bind", ELSEWHERE, ELSEWHERE])?;
    run("mount", &["-o", "remount,bind,ro", ELSEWHERE])?;
    set_aside()?;
    let refused = is_turned_away(&sshd, user.name);
    let status = Command::new("countersign").args(["break-glass", "status"]).output();
    put_back()?;
    run("umount", &[ELSEWHERE])?;
    refused?;
    let status = status.map_err(|source| Failure::Start { command: "status".to_owned(), source })?;
    let said = String::from_utf8_lossy(&status.stdout);
    assert!(!status.status.success() && said.contains("Read-only file system"), "{said}");
    assert!(said.contains("mount its disk for writing"), "{said}");
    site.wait_for_record(user.name, "store-read-only")?;
    let told = site.wait_for_record(user.name, "break-glass-broken")?;
    assert_eq!(told.severity, "alert", "{told:?}");
    is_in(attempt(&sshd, user.name, &user.code()?)?)
}

/// The copy can be read, so the password is asked for; but nothing can be counted or used up.
fn is_turned_away(sshd: &Sshd, name: &str) -> Outcome {
    let mut terminal = sshd.ssh(name, &format!("echo {IN}"))?;
    let ended = terminal.expect("Password: ")?.send(OWN_PASSWORD)?.end()?;
    assert!(ended.code == 255 && !ended.transcript.contains(CODE), "{ended:?}");
    Ok(())
}
