//! What is wrong beside the stack of one service: a second service of the same program, lines that nobody reads, rights.

use crate::planted::{A, ACCOUNT, B, COMMON_AUTH, Machine, SSHD_AB, at, check};

/// One service of login's kind with these lines.
fn login(auth: &str) -> Machine {
    Machine::new().with_stack("login", auth)
}

#[test]
fn sudo_has_our_lines_and_sudo_i_has_not() {
    let sudo_i = "session required pam_limits.so\n@include common-auth\n@include common-account\n";
    let machine = Machine::new()
        .with("/etc/pam.d/common-auth", COMMON_AUTH)
        .with("/etc/pam.d/common-account", ACCOUNT)
        .with_stack("sudo", B)
        .with("/etc/pam.d/sudo-i", sudo_i);
    check(&machine, &[&at("sudo-i", "sibling-without", 2)]);
}

#[test]
fn sudo_asks_a_service_that_is_away() {
    let mut machine = Machine::new().with_stack("sudo", B);
    machine.local_answers = false;
    check(&machine, &[&at("sudo", "local-away", 2)]);
    let off = B
        .replace("primary=stack", "primary=stack socket=off")
        .replace("primary=failed", "primary=failed socket=off");
    let expected = [2, 3].map(|line| at("sudo", "socket-off", line));
    check(&Machine::new().with_stack("sudo", &off), &expected.each_ref().map(String::as_str));
}

#[test]
fn ours_stands_in_the_account_lines() {
    let machine = login(&format!("{A}account required pam_countersign.so primary=own\n"));
    check(&machine, &[&at("login", "outside-auth", 2)]);
}

#[test]
fn lines_in_pam_conf_are_read_by_nobody() {
    let conf = "# all services\nlogin auth required pam_countersign.so primary=own\n";
    let machine =
        Machine::new().with("/etc/pam.conf", conf).with_stack("login", "auth required pam_unix.so\n");
    check(&machine, &["pam-conf-ignored /etc/pam.conf:2"]);
}

#[test]
fn a_machine_with_pam_conf_alone_is_read_from_there() {
    let conf = "login auth required pam_countersign.so primary=own\nlogin account required pam_unix.so\n\
                sudo auth sufficient pam_countersign.so primary=own\nsudo auth required pam_permit.so\nsudo account required pam_unix.so\n";
    check(&Machine::new().with("/etc/pam.conf", conf), &["ours-passed-over /etc/pam.conf:3"]);
}

#[test]
fn a_service_of_the_distribution_is_read_where_etc_has_none() {
    let machine = Machine::new().with(
        "/usr/lib/pam.d/login",
        &format!("auth optional pam_countersign.so primary=own\nauth required pam_unix.so\n{ACCOUNT}"),
    );
    check(&machine, &["ours-passed-over /usr/lib/pam.d/login:1"]);
    let own = machine.with_stack("login", A);
    check(&own, &[]);
}

#[test]
fn what_others_can_write_is_found() {
    let machine = login(A).with_mode("/etc/pam.d/login", 0o646);
    check(&machine, &["writable /etc/pam.d/login"]);
    let machine = login(A).with_mode("/etc/pam.d", 0o777);
    check(&machine, &["writable /etc/pam.d"]);
    let machine = login(A)
        .with("/usr/lib64/security/pam_unix.so", "")
        .with("/usr/lib64/security/pam_countersign.so", "");
    let machine = machine.with_mode("/usr/lib64/security/pam_countersign.so", 0o666);
    check(&machine, &["writable /usr/lib64/security/pam_countersign.so"]);
    let machine = login(A).with("/run/countersign/local.sock", "").with_mode("/run/countersign", 0o777);
    check(&machine, &["socket-folder /run/countersign"]);
    let machine =
        login(A).with("/etc/ssh/sshd_config", SSHD_AB).with("/etc/ssh/sshd_config.d/a.conf", "UsePAM yes\n");
    check(&machine.with_mode("/etc/ssh/sshd_config", 0o602), &["writable /etc/ssh/sshd_config"]);
}

#[test]
fn the_account_lines_went_with_common_auth() {
    check(&Machine::new().with("/etc/pam.d/login", A), &[&at("login", "account-missing", 1)]);
    let refusing = "auth required pam_deny.so\naccount required pam_deny.so\n";
    let machine = Machine::new().with("/etc/pam.d/login", A).with("/etc/pam.d/other", refusing);
    check(&machine, &[&at("login", "account-missing", 1)]);
    let machine =
        machine.with("/etc/pam.d/other", "auth required pam_deny.so\naccount required pam_permit.so\n");
    check(&machine, &[&at("login", "account-of-other", 1)]);
}

#[test]
fn a_service_without_lines_has_those_of_other() {
    let machine = Machine::new()
        .with("/etc/pam.d/cups", "account required pam_unix.so\n")
        .with_stack("other", "auth required pam_unix.so\n");
    check(&machine, &[]);
    assert_eq!(machine.gets_in("cups"), ["the system's password alone"]);
}
