//! The scenes of the demonstration, in their order.

use std::fs;
use std::process::Command;

use serde_json::Value;
use test_ground::{Authenticator, Failure, Machine, Sshd, Terminal, checked, wait_for};

use crate::demo::narrator::Narrator;
use crate::demo::records::{self, Record};
use crate::demo::stage::{self, PASSWORD, Stage, USER, countersign};
use crate::problem::Problem;

/// What a prompt for the second proof ends with.
const CODE: &str = "ways): ";
/// A code that is wrong but for one in a million.
const WRONG_CODE: &str = "000000";
/// Rounds after which a door has given up.
const ROUNDS_MAX: u32 = 4;

/// Plays all scenes; the stage is handed over as they leave it.
pub(super) fn play(narrator: &mut Narrator) -> Result<Stage, Problem> {
    let machine = Machine::here()?;
    narrator.chapter("An administrator installs Countersign and sets it up");
    let log = stage::start_log(&machine)?;
    stage::install(narrator, &machine)?;
    stage::set_up(narrator, &machine)?;
    machine.add_user(USER, PASSWORD)?;
    let app = register(narrator)?;
    let sshd = Sshd::as_configured(&machine)?;
    let secret = stage::add_client(narrator)?;
    let radiusd = stage::start_radiusd(&machine)?;
    let local = stage::start_local(&machine)?;
    narrator.done("the RADIUS server knows the gateway and listens");
    narrator.aside(
        "Alice's app shows a code for 30 seconds, and each code works once. So as not to wait, the demonstration takes \
         the codes of neighbouring time steps, which are good too: clocks differ.",
    );
    let mut stage = Stage { machine, sshd, radiusd, _local: local, log, secret, app };
    let used = by_ssh(narrator, &mut stage)?;
    by_radius(narrator, &mut stage)?;
    by_sftp(narrator, &stage)?;
    by_sudo(narrator, &stage)?;
    wrong_code(narrator, &stage)?;
    used_code(narrator, &stage, &used)?;
    what_was_recorded(narrator, &stage)?;
    surroundings(narrator, &stage)?;
    Ok(stage)
}

fn register(narrator: &mut Narrator) -> Result<Authenticator, Failure> {
    narrator.chapter("Alice gets an account and registers her authenticator app");
    countersign(narrator, &["user", "add", USER, "--state", "enforced"])?;
    narrator.typed("# countersign enroll alice totp");
    let mut command = Command::new("countersign");
    let mut enroll = Terminal::start(command.args(["enroll", USER, "totp"]))?;
    let picture = enroll.read_until("Secret:")?;
    let secret = enroll.read_until("URI:")?;
    let uri = enroll.read_until("\n")?;
    narrator.answered(&format!("{picture}Secret:{secret}URI:{uri}"));
    let mut app = Authenticator::new(&secret);
    let code = app.code()?;
    exchange(narrator, &mut enroll, &[("now: ", &code)])?;
    let ended = enroll.end()?;
    // The terminal has echoed the code.
    narrator.answered(enroll.rest().trim_start_matches(&code));
    narrator.check(
        ended.code == 0,
        "the app is registered, and proven by a code from it",
        &ended.transcript,
    )?;
    Ok(app)
}

/// Gives the code back that it has used.
fn by_ssh(narrator: &mut Narrator, stage: &mut Stage) -> Result<String, Failure> {
    narrator.chapter("Alice signs in by ssh: password, then code");
    let code = stage.app.code()?;
    narrator.typed(&format!("$ ssh -p {} {USER}@127.0.0.1 id", stage.sshd.port()));
    let mut ssh = stage.sshd.ssh(USER, "id")?;
    exchange(narrator, &mut ssh, &[("Password: ", PASSWORD), (CODE, &code)])?;
    let ended = ssh.end()?;
    narrator.answered(&ssh.rest());
    let is_in = ended.code == 0 && ssh.rest().contains("(alice)");
    narrator.check(is_in, "she is in", &ended.transcript)?;
    Ok(code)
}

fn by_radius(narrator: &mut Narrator, stage: &mut Stage) -> Result<(), Failure> {
    narrator.chapter("Alice signs in at a VPN gateway by RADIUS: password, challenge, code");
    let code = stage.app.code()?;
    let (ending, rounds) = radius_login(narrator, stage, &code)?;
    narrator.check(ending == "Access-Accept" && rounds == 1, "she is in, with the same account", &ending)
}

fn by_sftp(narrator: &mut Narrator, stage: &Stage) -> Result<(), Failure> {
    narrator.chapter("A backup script that cannot answer questions: an app password, over sftp");
    let arguments = ["app-password", "create", USER, "--label", "backup", "--service", "sshd"];
    narrator.typed(&format!("# countersign {}", arguments.join(" ")));
    let made = checked(Command::new("countersign").arg("--json").args(arguments))?;
    let app_password = stage::string(&made, "app-password")?;
    narrator.answered(&format!("App password, good for sshd only: {app_password}"));
    let letter = stage::letter(&stage.machine)?;
    narrator.typed(&format!("$ sftp -P {} {USER}@127.0.0.1", stage.sshd.port()));
    let mut sftp = stage.sshd.client("sftp", &[]);
    let mut sftp = Terminal::start(sftp.arg(format!("{USER}@127.0.0.1")))?;
    exchange(narrator, &mut sftp, &[("Password: ", &app_password)])?;
    sftp.expect("sftp> ")?.send(&format!("put {}", letter.display()))?.expect("sftp> ")?.send("bye")?;
    let ended = sftp.end()?;
    narrator.answered(&format!("sftp> put {}", letter.display()));
    let arrived = fs::read_to_string("/home/alice/letter.txt").unwrap_or_default();
    narrator.check(
        ended.code == 0 && arrived == "dear bob\n",
        "the file has arrived; no code was asked for",
        &ended.transcript,
    )
}

/// By the local service, which serves callers that are not root; and without the phone, which costs no wait for a code.
fn by_sudo(narrator: &mut Narrator, stage: &Stage) -> Result<(), Failure> {
    narrator.chapter("Alice becomes root by sudo, without her phone: a recovery code");
    stage::let_sudo_ask(narrator, &stage.machine)?;
    narrator.typed("# countersign recovery-codes alice");
    let made = checked(Command::new("countersign").args(["--json", "recovery-codes", USER]))?;
    let codes: Option<Value> = serde_json::from_str(&made).ok();
    let first = codes.as_ref().and_then(|made| made.pointer("/codes/0")).and_then(Value::as_str);
    let code = first.ok_or_else(|| Failure::Unreadable { what: "recovery codes", found: made.clone() })?;
    narrator.answered(&format!("ten codes, each good once; the first: {code}"));
    narrator.typed("$ sudo id");
    let mut sudo = Command::new("setpriv");
    sudo.args(["--reuid", USER, "--regid", USER, "--init-groups", "sudo", "id"]);
    let mut sudo = Terminal::start(&sudo)?;
    exchange(narrator, &mut sudo, &[("alice: ", PASSWORD), (CODE, code)])?;
    let ended = sudo.end()?;
    narrator.answered(&sudo.rest());
    let is_root = ended.code == 0 && sudo.rest().contains("uid=0(root)");
    narrator.check(is_root, "she is root; the caller stands in the record", &ended.transcript)
}

fn wrong_code(narrator: &mut Narrator, stage: &Stage) -> Result<(), Failure> {
    narrator.chapter("Somebody with Alice's password and a wrong code is refused");
    narrator.typed(&format!("$ ssh -p {} {USER}@127.0.0.1 id", stage.sshd.port()));
    let mut ssh = stage.sshd.ssh(USER, "id")?;
    exchange(narrator, &mut ssh, &[("Password: ", PASSWORD), (CODE, WRONG_CODE)])?;
    for _ in 0..ROUNDS_MAX {
        // Asked again, until sshd ends it.
        if exchange(narrator, &mut ssh, &[(CODE, WRONG_CODE)]).is_err() {
            break;
        }
    }
    let ended = ssh.end()?;
    narrator.answered(&ssh.rest());
    let is_refused = ended.code == 255 && !ended.transcript.contains("uid=");
    narrator.check(is_refused, "refused", &ended.transcript)
}

fn used_code(narrator: &mut Narrator, stage: &Stage, used: &str) -> Result<(), Failure> {
    narrator.chapter("A code that Alice has used by ssh is replayed by RADIUS");
    let (ending, _) = radius_login(narrator, stage, used)?;
    narrator.check(ending == "Access-Reject", "refused: a code works once, at whichever door", &ending)
}

/// Password, then the code at each challenge; the last packet's name, and how many challenges there were.
fn radius_login(narrator: &mut Narrator, stage: &Stage, code: &str) -> Result<(String, u32), Failure> {
    let quoted = |text: &str| format!("\"{text}\"");
    narrator
        .typed(&format!("$ radclient 127.0.0.1 auth …    User-Name = {USER}, User-Password = ‹{PASSWORD}›"));
    let mut answer = stage.ask_radius(&[("User-Name", USER), ("User-Password", &quoted(PASSWORD))])?;
    let mut rounds = 0_u32;
    while answer.code() == "Access-Challenge" && rounds < ROUNDS_MAX {
        rounds = rounds.saturating_add(1);
        narrator.answered(&format!(
            "{} {}",
            answer.code(),
            answer.attribute("Reply-Message").unwrap_or_default()
        ));
        let state = answer.attribute("State").unwrap_or_default().to_owned();
        narrator.typed(&format!(
            "$ radclient 127.0.0.1 auth …    User-Name = {USER}, User-Password = ‹{code}›, State = …"
        ));
        let attributes = [("User-Name", USER), ("User-Password", &quoted(code)), ("State", &state)];
        answer = stage.ask_radius(&attributes)?;
    }
    narrator.answered(&format!(
        "{} {}",
        answer.code(),
        answer.attribute("Reply-Message").unwrap_or_default()
    ));
    Ok((answer.code().to_owned(), rounds))
}

fn what_was_recorded(narrator: &mut Narrator, stage: &Stage) -> Result<(), Failure> {
    narrator.chapter("What the auditor sees: one kind of record, received by rsyslogd");
    let wanted = [("pam", "accept"), ("radius", "accept"), ("pam", "reject"), ("radius", "reject")];
    let lines = wait_for("the records", 10, || {
        let lines = stage.log.lines().map_err(|failure| failure.to_string())?;
        let records: Vec<Record> = lines.iter().filter_map(Record::read).collect();
        let has = |door: &str, ending: &str| {
            records.iter().any(|record| record.field("door") == door && record.field("ending") == ending)
        };
        let missing = wanted.iter().find(|(door, ending)| !has(door, ending));
        missing.map_or(Ok(lines), |(door, ending)| Err(format!("no record of {door} with {ending}")))
    })?;
    let records: Vec<Record> = lines.iter().filter_map(Record::read).collect();
    for record in &records {
        narrator.answered(&record.row());
    }
    let last = lines.iter().rfind(|line| Record::read(line).is_some());
    narrator.answered(&format!("as received: {}", last.map_or("", |line| line.structured.as_str())));
    let file = stage.machine.new_folder("collector")?.join("countersign.log");
    stage.machine.write(&file, &records::as_received(&lines))?;
    countersign(narrator, &["audit", "verify", "--anchors", &file.display().to_string()])?;
    narrator.done("every login and every act is there, and nobody has touched the chain");
    Ok(())
}

fn surroundings(narrator: &mut Narrator, stage: &Stage) -> Result<(), Failure> {
    narrator.chapter("What runs, and where it listens");
    let owner = checked(Command::new("ps").args(["-o", "user:12=", "-p", &stage.radiusd.pid().to_string()]))?;
    narrator.typed(&format!("$ ps -o user= -p {}    (countersign-radiusd)", stage.radiusd.pid()));
    narrator.answered(&owner);
    narrator.check(owner.trim() == "countersign", "the RADIUS server is not root", &owner)?;
    let listening =
        checked(Command::new("ss").args(["--listening", "--tcp", "--udp", "--numeric", "--no-header"]))?;
    let addresses: Vec<&str> = listening.lines().filter_map(|line| line.split_whitespace().nth(4)).collect();
    narrator.typed("$ ss -ltun");
    narrator.answered(&addresses.join("  "));
    let is_private = |address: &&str| address.starts_with("127.0.0.1:") || address.starts_with("[::1]:");
    narrator.check(addresses.iter().all(is_private), "no port is open outside loopback", &listening)
}

/// Reads up to each question and types the answer to it; both are shown.
fn exchange(narrator: &Narrator, terminal: &mut Terminal, exchanges: &[(&str, &str)]) -> Result<(), Failure> {
    for (question, answer) in exchanges {
        let before = terminal.read_until(question)?;
        terminal.send(answer)?;
        narrator.asked(&format!("{}{question}", before.replace('\r', "")), answer);
    }
    Ok(())
}
