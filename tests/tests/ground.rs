//! The ground itself: a copy is whole, apart from the host, and able to run what the other suites need.
#![cfg(test)]

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use test_ground::{
    Daemon, Failure, Machine, Outcome, RadiusAnswer, RadiusRequest, Rsyslogd, SocketForm, Sshd, SshdOptions,
    Terminal, checked, totp_code,
};

/// Password, account and session from `/etc/passwd` and `/etc/shadow` alone.
const PASSWORD_ONLY: [&str; 3] =
    ["auth required pam_unix.so", "account required pam_unix.so", "session required pam_unix.so"];

#[test]
fn packages_of_the_list_are_installed() -> Outcome {
    let _machine = Machine::here()?;
    for line in include_str!("../ground/packages.txt").lines().filter(|line| !line.starts_with('#')) {
        let name = line.split_whitespace().next().expect("a name");
        let status = checked(Command::new("dpkg-query").args(["--show", "--showformat=${Status}", name]))?;
        assert_eq!(status, "install ok installed", "{name}");
    }
    Ok(())
}

#[test]
fn the_checkout_is_seen_but_cannot_be_changed() -> Outcome {
    let machine = Machine::here()?;
    for folder in [Path::new(env!("CARGO_MANIFEST_DIR")), &machine.built("")] {
        assert!(fs::read_dir(folder).expect("a visible folder").count() > 0, "{}", folder.display());
        let refused = fs::write(folder.join("written-by-a-suite"), "").expect_err("a folder of the host");
        assert_eq!(refused.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    }
    Ok(())
}

#[test]
fn what_is_mounted_and_written_goes_to_memory() -> Outcome {
    let machine = Machine::here()?;
    machine.write(Path::new("/etc/written-by-a-suite"), "here")?;
    let root = checked(Command::new("findmnt").args(["--noheadings", "--output", "FSTYPE,OPTIONS", "/"]))?;
    assert!(root.starts_with("overlay"), "{root}");
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let writable = mounts
        .lines()
        .filter(|mount| mount.split(' ').nth(5).is_some_and(|options| options.starts_with("rw")));
    let on_disk: Vec<_> =
        writable.filter(|mount| mount.contains(" - ext4 ") || mount.contains(" - xfs ")).collect();
    assert_eq!(on_disk, Vec::<&str>::new());
    Ok(())
}

#[test]
fn nothing_outside_is_reachable() -> Outcome {
    let _machine = Machine::here()?;
    let interfaces: Vec<_> = fs::read_dir("/sys/class/net")
        .expect("interfaces")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(interfaces, ["lo"]);
    let first = fs::read_to_string("/proc/1/cmdline").expect("the first process");
    assert!(first.contains("ground-first-process"), "{first}");
    Ok(())
}

#[test]
fn a_password_opens_an_ssh_session() -> Outcome {
    let machine = Machine::here()?;
    machine.add_user("alice", "correct horse")?;
    machine.write_pam_service("sshd-plain", &PASSWORD_ONLY)?;
    let sshd = Sshd::start(&machine, &SshdOptions { pam_service: "sshd-plain", lines: &[] })?;
    let mut ssh = sshd.ssh("alice", "echo signed in as $(id -un)")?;
    ssh.expect("Password: ")?.send("correct horse")?.expect("signed in as alice")?;
    assert_eq!(ssh.end()?.code, 0);
    Ok(())
}

#[test]
fn a_wrong_password_opens_none() -> Outcome {
    let machine = Machine::here()?;
    machine.add_user("bob", "correct horse")?;
    machine.write_pam_service("sshd-refusing", &PASSWORD_ONLY)?;
    let sshd = Sshd::start(&machine, &SshdOptions { pam_service: "sshd-refusing", lines: &[] })?;
    let mut ssh = sshd.ssh("bob", "echo signed in as $(id -un)")?;
    ssh.expect("Password: ")?.send("wrong horse")?;
    let ended = ssh.end()?;
    assert_eq!(ended.code, 255);
    assert!(ended.transcript.contains("Permission denied"), "{ended:?}");
    assert!(sshd.log()?.contains("bob"));
    Ok(())
}

#[test]
fn a_file_travels_by_sftp_and_scp() -> Outcome {
    let machine = Machine::here()?;
    machine.add_user("carol", "correct horse")?;
    machine.write_pam_service("sshd-files", &PASSWORD_ONLY)?;
    let sshd = Sshd::start(&machine, &SshdOptions { pam_service: "sshd-files", lines: &[] })?;
    let folder = machine.new_folder("files")?;
    machine.write(&folder.join("letter"), "dear carol\n")?;
    let mut scp = sshd.client("scp", &[]);
    scp.arg(folder.join("letter")).arg("carol@127.0.0.1:letter");
    let mut scp = Terminal::start(&scp)?;
    scp.expect("Password: ")?.send("correct horse")?;
    assert_eq!(scp.end()?.code, 0);
    let mut sftp = sshd.client("sftp", &[]);
    let mut sftp = Terminal::start(sftp.arg("carol@127.0.0.1"))?;
    sftp.expect("Password: ")?
        .send("correct horse")?
        .expect("sftp> ")?
        .send("ls")?
        .expect("letter")?
        .send("bye")?;
    assert_eq!(sftp.end()?.code, 0);
    assert_eq!(fs::read_to_string("/home/carol/letter").expect("a letter"), "dear carol\n");
    Ok(())
}

#[test]
fn rsyslogd_tells_the_parts_of_both_forms_apart() -> Outcome {
    let machine = Machine::here()?;
    let socket = machine.new_folder("log")?.join("socket");
    let rsyslogd = Rsyslogd::start(&machine, &socket, SocketForm::Network)?;
    let old = "<86>Oct 11 22:14:15 gate sshd[71]: signed in";
    let new =
        "<86>1 2026-01-02T03:04:05.000006Z gate countersign 72 login [login@32473 user=\"al\\\"ice\"] yes";
    let unix = UnixDatagram::unbound().expect("a socket");
    unix.send_to(old.as_bytes(), &socket).expect("a datagram");
    let mut collector = TcpStream::connect(("127.0.0.1", rsyslogd.port())).expect("a collector");
    write!(collector, "{} {new}", new.len()).expect("a frame");
    let old = rsyslogd.wait_for_line(|line| line.app == "sshd")?;
    assert_eq!((old.host.as_str(), old.pid.as_str(), old.facility.as_str()), ("gate", "71", "authpriv"));
    assert_eq!((old.version.as_str(), old.message.trim()), ("0", "signed in"));
    let new = rsyslogd.wait_for_line(|line| line.app == "countersign")?;
    assert_eq!((new.host.as_str(), new.pid.as_str(), new.msgid.as_str()), ("gate", "72", "login"));
    assert_eq!(new.structured, "[login@32473 user=\"al\\\"ice\"]");
    assert_eq!((new.version.as_str(), new.severity.as_str(), new.message.as_str()), ("1", "info", "yes"));
    Ok(())
}

/// A module inside sshd or pamtester logs by syslog(3), which knows this one path only.
#[test]
fn syslog_of_the_c_library_reaches_a_private_dev_log() -> Outcome {
    let machine = Machine::here()?;
    let rsyslogd = Rsyslogd::start(&machine, Path::new("/dev/log"), SocketForm::CLibrary)?;
    checked(Command::new("logger").args(["-p", "authpriv.notice", "-t", "ground", "by the C library"]))?;
    let line = rsyslogd.wait_for_line(|line| line.app == "ground")?;
    assert_eq!((line.facility.as_str(), line.message.trim()), ("authpriv", "by the C library"));
    Ok(())
}

/// What the RADIUS suites ask with, against the server that everybody knows.
#[test]
fn radclient_tells_accept_challenge_and_silence_apart() -> Outcome {
    let machine = Machine::here()?;
    let folder = machine.new_folder("freeradius")?;
    let port = machine.free_port()?;
    let settings = include_str!("../ground/freeradius.conf");
    machine.write(&folder.join("radiusd.conf"), &settings.replace("@PORT@", &port.to_string()))?;
    machine.write(&folder.join("dictionary"), "")?;
    let mut command = Command::new("freeradius");
    let mut freeradius =
        Daemon::start(command.args(["-f", "-l", "stdout", "-d"]).arg(&folder), &folder.join("log"))?;
    freeradius.wait_for_output("Ready to process requests")?;
    let ask = |port, user| {
        let attributes = [("User-Name", user), ("User-Password", "pw"), ("Message-Authenticator", "0x00")];
        RadiusRequest { port, secret: "testing123", kind: "auth", attributes: &attributes, seconds: 2 }.send()
    };
    assert_eq!(ask(port, "anybody")?.code(), "Access-Accept");
    let challenge = ask(port, "challenged")?;
    assert_eq!(challenge.code(), "Access-Challenge");
    assert_eq!(challenge.attribute("State"), Some("0x0102"));
    assert_eq!(challenge.attribute("Reply-Message"), Some("\"Code:\""));
    assert_eq!(ask(machine.free_port()?, "anybody")?, RadiusAnswer::Silence);
    freeradius.stop()?;
    Ok(())
}

/// RFC 6238 appendix B: the last six digits of its SHA-1 values.
#[test]
fn codes_are_those_of_the_rfc() -> Outcome {
    let _machine = Machine::here()?;
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    assert_eq!(totp_code(secret, 59)?, "287082");
    assert_eq!(totp_code(secret, 1_111_111_109)?, "081804");
    Ok(())
}

#[test]
fn a_program_that_ends_at_once_is_reported_with_what_it_said() -> Outcome {
    let machine = Machine::here()?;
    let folder = machine.new_folder("daemon")?;
    let mut command = Command::new("sh");
    let mut daemon =
        Daemon::start(command.args(["-c", "echo no such settings; exit 4"]), &folder.join("log"))?;
    let failure = daemon.wait_for_port(machine.free_port()?).expect_err("nothing listens");
    assert!(
        matches!(&failure, Failure::Ended { output, .. } if output.contains("no such settings")),
        "{failure:?}"
    );
    Ok(())
}
