//! `cargo xtask install`: its printed lines, followed as they stand, lead to a login by ssh and back again.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use test_ground::{Authenticator, Daemon, Failure, Machine, Outcome, RadiusRequest, Sshd, Terminal, checked};

const PASSWORD: &str = "correct horse";
const CODE: &str = "One-time code";

/// The units that get installed, seen from the checkout.
const UNITS: &str = "config/etc/systemd";
/// The one of them whose rights are tried.
const UNIT: &str = "config/etc/systemd/countersign-radiusd.service";

/// Where an installation may place files.
const FOLDERS: [&str; 4] = ["/usr", "/etc", "/opt", "/var/lib"];

#[test]
fn the_printed_lines_lead_to_a_login_and_back() -> Outcome {
    let machine = Machine::here()?;
    let untouched = files()?;
    let printed = Printed(installed_by_an_ordinary_user(&machine)?);
    set_up(&printed)?;
    for line in printed.after("3. ") {
        checked(&mut shell(&line))?;
    }
    let before = fs::read_to_string("/etc/pam.d/sshd").expect("a stack");
    let sshd_lines = printed.after("5. ").join("\n");
    let snippet = Path::new("/etc/ssh/sshd_config.d/10-countersign.conf");
    machine.write(snippet, &sshd_lines)?;

    for (user, stack, password) in [("alice", "   (a)", "of countersign"), ("bob", "   (b)", PASSWORD)] {
        let mut app = registered(&machine, user, "of countersign")?;
        let lines = printed.after(stack).join("\n");
        machine.write(Path::new("/etc/pam.d/sshd"), &before.replace("@include common-auth", &lines))?;
        let sshd = Sshd::as_configured(&machine)?;
        let mut ssh = sshd.ssh(user, "echo signed in as $(id -un)")?;
        ssh.expect("Password: ")?.send(password)?.expect(CODE)?.send(&app.code()?)?;
        ssh.expect(&format!("signed in as {user}"))?;
        assert_eq!(ssh.end()?.code, 0);
    }
    key_then_code(&machine, &printed, &before, &sshd_lines)?;

    let refused = xtask(&machine, &["uninstall"]).expect_err("the stack still names the module");
    assert!(refused.to_string().contains("/etc/pam.d/sshd still names pam_countersign.so"), "{refused}");
    for line in printed.after("To go back") {
        checked(&mut shell(without_systemd(&line)))?;
    }
    assert_eq!(fs::read_to_string("/etc/pam.d/sshd").expect("a stack"), before);
    let kept = xtask(&machine, &["uninstall"])?;
    assert!(
        kept.contains("kept    /etc/countersign") && kept.contains("kept    /var/lib/countersign"),
        "{kept}"
    );
    assert!(Path::new("/etc/countersign/countersign.toml").exists());
    let refused = xtask(&machine, &["uninstall", "--purge"]).expect_err("nobody has agreed");
    assert!(refused.to_string().contains("say --purge --yes"), "{refused}");
    assert!(Path::new("/var/lib/countersign/master.key").exists());
    xtask(&machine, &["uninstall", "--purge", "--yes"])?;
    // What is left is the administrator's own doing: users and their homes are outside of these folders.
    let own = ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid"];
    let left: Vec<_> = files()?
        .difference(&untouched)
        .filter(|path| !own.iter().any(|own| path.to_string_lossy().starts_with(own)))
        .cloned()
        .collect();
    assert_eq!(left, Vec::<PathBuf>::new());
    Ok(())
}

/// What somebody hears who may use sudo.
fn installed_by_an_ordinary_user(machine: &Machine) -> Result<String, Failure> {
    machine.add_user("developer", PASSWORD)?;
    let rights = Path::new("/etc/sudoers.d/developer");
    machine.write(rights, "developer ALL=(ALL) NOPASSWD: ALL\n")?;
    let own = machine.new_folder("xtask")?.join("xtask");
    machine.install("xtask", &own)?;
    let mut command = Command::new("runuser");
    command.args(["--user", "developer", "--"]).arg(own).arg("install").arg("--from").arg(machine.built(""));
    let output = command.output().expect("runuser");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("This step needs root and is done by sudo: placing the module"), "{output:?}");
    fs::remove_file(rights).expect("rights");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Stack (c), with its own line of sshd_config.
fn key_then_code(machine: &Machine, printed: &Printed, before: &str, sshd_lines: &str) -> Outcome {
    let mut app = registered(machine, "carol", "of countersign")?;
    let lines = printed.after("   (c)").join("\n");
    machine.write(Path::new("/etc/pam.d/sshd"), &before.replace("@include common-auth", &lines))?;
    let methods = printed.after("   For stack (c)").join("\n");
    let sshd_lines = sshd_lines.replace("AuthenticationMethods keyboard-interactive", &methods);
    machine.write(Path::new("/etc/ssh/sshd_config.d/10-countersign.conf"), &sshd_lines)?;
    let key = machine.new_folder("key")?.join("id");
    checked(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
    let public = fs::read_to_string(key.with_extension("pub")).expect("a public key");
    machine.write(Path::new("/home/carol/.ssh/authorized_keys"), &public)?;
    let sshd = Sshd::as_configured(machine)?;
    let mut ssh = sshd.client("ssh", &["PreferredAuthentications=publickey,keyboard-interactive"]);
    ssh.arg("-i").arg(&key).args(["carol@127.0.0.1", "echo signed in as $(id -un)"]);
    let mut ssh = Terminal::start(&ssh)?;
    let asked = ssh.read_until(CODE)?;
    assert!(!asked.contains("Password"), "{asked}");
    ssh.send(&app.code()?)?.expect("signed in as carol")?;
    assert_eq!(ssh.end()?.code, 0);
    Ok(())
}

#[test]
fn a_destination_folder_gets_all_files_and_nothing_else_changes() -> Outcome {
    let machine = Machine::here()?;
    let folder = machine.new_folder("destination")?;
    let destination = folder.join("image");
    let destdir = destination.display().to_string();
    let script = format!(
        "umask 0077 && {} install --destdir {destdir} --from {}",
        machine.built("xtask").display(),
        machine.built("").display()
    );
    let printed = checked(&mut shell(&script))?;
    let primary = destination.join("etc/pam.d/countersign-primary");
    assert_eq!(printed.matches("/etc/pam.d").count(), 1, "{printed}");
    assert!(printed.contains(&primary.display().to_string()), "{printed}");
    let closed =
        checked(Command::new("find").arg(&destination).args(["-type", "d", "-not", "-perm", "0755"]))?;
    assert_eq!(closed, "", "folders that a strict umask has closed");
    let modes: Vec<_> =
        ["usr/bin/countersign", "usr/sbin/countersign-local", "usr/share/countersign/installed"]
            .map(|path| fs::metadata(destination.join(path)).expect(path).permissions().mode() & 0o7777)
            .into();
    assert_eq!(modes, [0o755, 0o755, 0o644]);
    let manifest = fs::read_to_string(destination.join("usr/share/countersign/installed")).expect("a list");
    let modules: Vec<_> =
        manifest.lines().filter(|line| line.ends_with("security/pam_countersign.so")).collect();
    let [module] = modules.as_slice() else { panic!("{manifest}") };
    assert!(Path::new(module).with_file_name("pam_unix.so").exists());
    assert!(!manifest.contains("pam.d"), "{manifest}");
    for line in manifest.lines() {
        assert!(destination.join(line.trim_start_matches('/')).is_file(), "{line}");
    }
    // The stack for first passwords is the administrator's from now on.
    machine.write(&primary, "auth required pam_sss.so\n")?;
    xtask(&machine, &["install", "--destdir", &destdir])?;
    xtask(&machine, &["uninstall", "--destdir", &destdir])?;
    assert_eq!(fs::read_to_string(&primary).expect("a stack"), "auth required pam_sss.so\n");
    let kept = format!("{}\n", primary.display());
    let files = || checked(Command::new("find").arg(&destination).args(["-not", "-type", "d"]));
    assert_eq!(files()?, kept);
    xtask(&machine, &["uninstall", "--destdir", &destdir, "--purge", "--yes"])?;
    assert_eq!(files()?, "");
    Ok(())
}

#[test]
fn nothing_is_taken_away_from_a_running_server() -> Outcome {
    let machine = Machine::here()?;
    let destination = machine.new_folder("serving")?;
    let destdir = destination.display().to_string();
    xtask(&machine, &["install", "--destdir", &destdir])?;
    // Any program at the server's place.
    let server = destination.join("usr/sbin/countersign-radiusd");
    fs::copy("/usr/bin/sleep", &server).expect("a program");
    let mut running = Command::new(&server).arg("600").spawn().expect("a process");
    let refused = xtask(&machine, &["uninstall", "--destdir", &destdir, "--purge", "--yes"]);
    running.kill().and_then(|()| running.wait()).expect("its end");
    let refused = refused.expect_err("it runs");
    assert!(refused.to_string().contains("systemctl disable --now countersign-radiusd"), "{refused}");
    assert!(destination.join("usr/bin/countersign").exists());
    xtask(&machine, &["uninstall", "--destdir", &destdir, "--purge", "--yes"]).map(drop)
}

#[test]
fn an_installation_from_nowhere_places_nothing_and_says_so_at_once() -> Outcome {
    let machine = Machine::here()?;
    let destination = machine.new_folder("nowhere")?;
    let mut install = Command::new(machine.built("xtask"));
    install.arg("install").arg("--destdir").arg(&destination).args(["--from", "/nope"]);
    let output = install.output().expect("xtask");
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nope"), "{output:?}");
    Ok(())
}

#[test]
fn a_module_that_is_named_anywhere_is_not_taken_away() -> Outcome {
    let machine = Machine::here()?;
    let destination = machine.new_folder("named")?;
    let destdir = destination.display().to_string();
    xtask(&machine, &["install", "--destdir", &destdir])?;
    for (file, line) in [
        ("etc/pam.d/sshd", "auth required pam_countersign.so primary=own\n"),
        ("usr/lib/pam.d/login", "auth required pam_countersign.so primary=own\n"),
        ("etc/pam.conf", "sshd auth required pam_countersign.so primary=own\n"),
    ] {
        let file = destination.join(file);
        machine.write(&file, line)?;
        let refused = xtask(&machine, &["uninstall", "--destdir", &destdir]).expect_err("it is named");
        let expected = format!("{} still names pam_countersign.so", file.display());
        assert!(refused.to_string().contains(&expected), "{refused}");
        fs::remove_file(&file).expect("a PAM file");
    }
    xtask(&machine, &["uninstall", "--destdir", &destdir]).map(drop)
}

/// systemd does not run in a copy; the rights that its unit leaves are taken by setpriv(1).
#[test]
fn the_rights_of_the_unit_are_enough_for_a_root_helper_with_faillock() -> Outcome {
    let machine = Machine::here()?;
    let folder = machine.new_folder("rights")?;
    for program in ["countersign", "countersign-radiusd"] {
        machine.install(program, &folder.join(program))?;
    }
    let settings = folder.join("countersign.toml");
    let port = machine.free_port()?;
    let text = format!(
        "default-state = \"disabled\"\nstate-directory = \"{0}/state\"\n[primary]\nbackend = \"pam\"\n\
         pam-service = \"rights\"\n[radius]\nlisten = [\"127.0.0.1:{port}\"]\n\
         [audit.syslog]\ntarget = \"unix:/run/no-collector\"\n",
        folder.display()
    );
    machine.write(&settings, &text)?;
    let stack = [
        "auth required pam_faillock.so preauth",
        "auth [success=1 default=ignore] pam_unix.so",
        "auth [default=die] pam_faillock.so authfail",
        "auth sufficient pam_faillock.so authsucc",
        "account required pam_unix.so",
    ];
    machine.write_pam_service("rights", &stack)?;
    machine.add_user("dora", PASSWORD)?;
    let countersign = |arguments: &[&str]| {
        checked(Command::new(folder.join("countersign")).arg("--config").arg(&settings).args(arguments))
    };
    countersign(&["init", "--yes"])?;
    let client =
        countersign(&["--json", "client", "add", "gate", "--address", "127.0.0.1", "--dialogue", "plain"])?;
    let client: Value = serde_json::from_str(&client).expect("a client");

    let mut server = Command::new("setpriv");
    server.arg(format!("--bounding-set=-all,{}", rights_of_the_unit())).arg("--no-new-privs");
    server.arg(folder.join("countersign-radiusd")).arg("--config").arg(&settings);
    let mut server = Daemon::start(&mut server, &folder.join("log"))?;
    server.wait_for_output("ready as uid ")?;
    let code = |password: &str| {
        let password = format!("\"{password}\"");
        let request = RadiusRequest {
            port,
            secret: client["secret"].as_str().expect("a secret"),
            kind: "auth",
            attributes: &[
                ("User-Name", "\"dora\""),
                ("User-Password", &password),
                ("Message-Authenticator", "0x00"),
            ],
            seconds: 10,
        };
        Ok::<_, Failure>(request.send()?.code().to_owned())
    };
    assert_eq!(code("wrong")?, "Access-Reject");
    let tally = fs::metadata("/run/faillock/dora").expect("faillock has counted");
    assert_eq!(tally.uid().to_string(), checked(Command::new("id").args(["-u", "dora"]))?.trim());
    assert_eq!(code(PASSWORD)?, "Access-Accept");
    server.stop().map(drop)
}

/// The bounding set of the unit, as setpriv(1) writes it.
fn rights_of_the_unit() -> String {
    let unit = fs::read_to_string(UNIT).expect("a unit");
    let sets = unit.lines().filter_map(|line| line.strip_prefix("CapabilityBoundingSet="));
    let names = sets.flat_map(str::split_whitespace);
    let names = names.map(|name| format!("+{}", name.trim_start_matches("CAP_").to_lowercase()));
    names.collect::<Vec<_>>().join(",")
}

#[test]
fn the_units_are_such_that_systemd_understands() -> Outcome {
    let machine = Machine::here()?;
    let folder = machine.new_folder("unit")?;
    let units = ["countersign-radiusd.service", "countersign-local.service", "countersign-local.socket"];
    for unit in units {
        let text = fs::read_to_string(Path::new(UNITS).join(unit)).expect("a unit");
        let lines = text
            .lines()
            .map(|line| if line.starts_with("ExecStart=") { "ExecStart=/bin/true" } else { line });
        machine.write(&folder.join(unit), &(lines.collect::<Vec<_>>().join("\n") + "\n"))?;
    }
    let mut verify = Command::new("systemd-analyze");
    let output = verify.arg("verify").args(units.map(|unit| folder.join(unit))).output();
    let said = String::from_utf8_lossy(&output.expect("systemd-analyze").stderr).into_owned();
    let mistakes: Vec<_> = said.lines().filter(|line| line.contains("countersign-")).collect();
    assert_eq!(mistakes, Vec::<&str>::new(), "{said}");
    Ok(())
}

/// What `install` has said.
struct Printed(String);

impl Printed {
    /// The lines indented by four spaces that follow the line with this beginning.
    fn after(&self, beginning: &str) -> Vec<String> {
        let mut lines = self.0.lines().skip_while(|line| !line.starts_with(beginning)).skip(1);
        let taken: Vec<String> =
            lines.by_ref().map_while(|line| line.strip_prefix("    ")).map(str::to_owned).collect();
        assert!(!taken.is_empty(), "nothing to do after `{beginning}` in:\n{}", self.0);
        taken
    }
}

/// Follows step 2 up to the first account.
fn set_up(printed: &Printed) -> Outcome {
    let steps = printed.after("2. ");
    assert_eq!(steps.first().map(String::as_str), Some("countersign init"));
    let mut init = Terminal::start(&shell("countersign init"))?;
    init.expect("default-state")?.expect(": ")?.send("enabled")?;
    init.expect("backend")?.expect(": ")?.send("local")?;
    init.expect("issuer")?.expect(": ")?.send("")?;
    assert_eq!(init.end()?.code, 0, "{init:?}");
    assert_eq!(
        steps.get(1..).unwrap_or_default(),
        [
            "countersign user add NAME --password-prompt",
            "countersign enroll NAME totp",
            "countersign test NAME"
        ]
    );
    Ok(())
}

/// A Linux user who has followed the rest of step 2: registered, and signed in once at the terminal.
fn registered(machine: &Machine, user: &str, countersign_password: &str) -> Result<Authenticator, Failure> {
    machine.add_user(user, PASSWORD)?;
    let mut add = Terminal::start(&shell(&format!("countersign user add {user} --password-prompt")))?;
    add.expect("New password: ")?
        .send(countersign_password)?
        .expect("once more: ")?
        .send(countersign_password)?;
    assert_eq!(add.end()?.code, 0, "{add:?}");
    let mut enroll = Terminal::start(&shell(&format!("countersign enroll {user} totp")))?;
    let secret = enroll.expect("Secret:")?.read_until("URI:")?;
    let mut app = Authenticator::new(&secret);
    enroll.expect("now: ")?.send(&app.code()?)?;
    assert_eq!(enroll.end()?.code, 0, "{enroll:?}");
    let mut test = Terminal::start(&shell(&format!("countersign test {user}")))?;
    test.expect("assword: ")?.send(countersign_password)?.expect(CODE)?.send(&app.code()?)?;
    assert_eq!(test.end()?.code, 0, "{test:?}");
    Ok(app)
}

fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-e", "-c", line]);
    command
}

/// No systemd runs in a copy: of `sshd -t && systemctl reload ssh`, the check is left.
fn without_systemd(line: &str) -> &str {
    line.split(" && systemctl").next().unwrap_or(line)
}

/// Runs the built xtask, which installs the programs built beside it.
fn xtask(machine: &Machine, arguments: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(machine.built("xtask"));
    command.args(arguments);
    if arguments.first() == Some(&"install") {
        command.arg("--from").arg(machine.built(""));
    }
    checked(&mut command)
}

/// All files where an installation may place some.
fn files() -> Result<BTreeSet<PathBuf>, Failure> {
    let found = checked(Command::new("find").args(FOLDERS).args(["-xdev", "-not", "-type", "d"]))?;
    Ok(found.lines().map(PathBuf::from).collect())
}
