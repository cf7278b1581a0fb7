//! sshd_config as people have it, each wrong in one way.

use crate::planted::{A, B, C, Machine, SSHD_AB, SSHD_C, check};

const MAIN: &str = "/etc/ssh/sshd_config";

fn with(stack: &str, config: &str) -> Machine {
    Machine::new().with_stack("sshd", stack).with(MAIN, config)
}

fn one(config: &str, kind: &str, line: u32) {
    check(&with(A, config), &[&format!("{kind} {MAIN}:{line}")]);
}

#[test]
fn the_lines_of_debian_stand_untouched() {
    let config = "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\n";
    check(
        &with(A, config),
        &[
            &format!("key-alone {MAIN}:1"),
            &format!("questions-off {MAIN}:2"),
            &format!("password-method {MAIN}:1"),
        ],
    );
}

#[test]
fn authentication_methods_are_missing() {
    one("UsePAM yes\nPasswordAuthentication no\n", "key-alone", 1);
}

#[test]
fn a_key_alone_is_among_the_methods() {
    let config = SSHD_AB.replace("keyboard-interactive\n", "publickey keyboard-interactive\n");
    one(&config, "key-alone", 4);
    one(
        &SSHD_AB.replace("AuthenticationMethods keyboard-interactive", "AuthenticationMethods any"),
        "key-alone",
        4,
    );
}

#[test]
fn another_file_comes_first_and_wins() {
    let main = format!("Include /etc/ssh/sshd_config.d/*.conf\n{SSHD_AB}");
    let machine =
        with(A, &main).with("/etc/ssh/sshd_config.d/50-cloud-init.conf", "PasswordAuthentication yes\n");
    check(&machine, &["password-method /etc/ssh/sshd_config.d/50-cloud-init.conf:1"]);
    let machine = with(A, &main)
        .with("/etc/ssh/sshd_config.d/10-a.conf", "AuthenticationMethods publickey\n")
        .with("/etc/ssh/sshd_config.d/20-b.conf", "AuthenticationMethods keyboard-interactive\n");
    check(&machine, &["key-alone /etc/ssh/sshd_config.d/10-a.conf:1"]);
}

#[test]
fn sshd_does_not_use_pam() {
    one(&SSHD_AB.replace("UsePAM yes", "UsePAM no"), "sshd-without-pam", 1);
    one(&SSHD_AB.replace("UsePAM yes\n", ""), "sshd-without-pam", 1);
}

#[test]
fn no_questions_are_asked() {
    one(
        &SSHD_AB.replace("KbdInteractiveAuthentication yes", "ChallengeResponseAuthentication no"),
        "questions-off",
        2,
    );
}

#[test]
fn the_password_method_is_left_on() {
    one(&SSHD_AB.replace("PasswordAuthentication no", "PasswordAuthentication yes"), "password-method", 3);
}

#[test]
fn empty_passwords_are_taken() {
    one(&format!("{SSHD_AB}PermitEmptyPasswords yes\n"), "empty-passwords", 5);
}

#[test]
fn a_ticket_of_kerberos_is_enough() {
    let config = SSHD_AB.replace(
        "AuthenticationMethods keyboard",
        "GSSAPIAuthentication yes\nAuthenticationMethods gssapi-with-mic keyboard",
    );
    one(&config, "method-alone", 5);
}

#[test]
fn the_stack_wants_a_key_and_sshd_asks_for_none() {
    check(&with(C, SSHD_AB), &[&format!("key-not-asked {MAIN}:4")]);
}

#[test]
fn key_and_password_and_code_are_asked_for() {
    check(&with(A, SSHD_C), &[&format!("sshd-not-printed {MAIN}:4")]);
}

#[test]
fn root_is_shut_out_with_the_defaults_of_debian() {
    let mut machine = with(A, SSHD_AB);
    check(&machine, &[]);
    machine.root_signs_in = true;
    check(&machine, &[&format!("root-shut-out {MAIN}:1")]);
    let mut written = with(A, &format!("{SSHD_AB}PermitRootLogin prohibit-password\n"));
    written.root_signs_in = true;
    check(&written, &[&format!("root-shut-out {MAIN}:5")]);
}

#[test]
fn people_register_in_two_minutes() {
    let mut machine = with(A, SSHD_AB);
    machine.registers = true;
    check(&machine, &[&format!("grace-too-short {MAIN}:1")]);
    let mut minute = with(A, &format!("{SSHD_AB}LoginGraceTime 1m\n"));
    minute.registers = true;
    check(&minute, &[&format!("grace-too-short {MAIN}:5")]);
    for enough in ["600", "10m", "0"] {
        let mut machine = with(A, &format!("{SSHD_AB}LoginGraceTime {enough}\n"));
        machine.registers = true;
        check(&machine, &[]);
    }
}

#[test]
fn a_block_takes_the_methods_back() {
    for (line, at) in [
        ("AuthenticationMethods publickey", 6),
        ("AuthenticationMethods any", 6),
        ("AuthenticationMethods publickey keyboard-interactive", 6),
    ] {
        one(&format!("{SSHD_AB}Match Address 10.0.0.0/8\n    {line}\n"), "match-takes-back", at);
    }
    let all = "Match User backup\nForceCommand internal-sftp\nMatch all\nAuthenticationMethods publickey\n";
    check(
        &with(A, &format!("{SSHD_AB}{all}")),
        &[&format!("match-takes-back {MAIN}:8"), &format!("forced-command {MAIN}:6")],
    );
}

#[test]
fn a_block_in_an_included_file_takes_the_methods_back() {
    let main = format!("{SSHD_AB}Include sshd_config.d/*.conf\n");
    let machine = with(A, &main)
        .with("/etc/ssh/sshd_config.d/vpn.conf", "Match Group admins\nAuthenticationMethods publickey\n");
    check(&machine, &["match-takes-back /etc/ssh/sshd_config.d/vpn.conf:2"]);
}

#[test]
fn a_block_asks_another_pam_service() {
    let config = format!("{SSHD_AB}Match Address 10.0.0.0/8\nPAMServiceName sshd-inside\n");
    let machine = with(A, &config).with_stack("sshd-inside", "auth required pam_unix.so\n");
    check(&machine, &[&format!("match-takes-back {MAIN}:6")]);
}

#[test]
fn sshd_asks_another_pam_service_for_everybody() {
    let config = format!("{SSHD_AB}PAMServiceName sshd-plain\n");
    let machine = with(A, &config).with_stack("sshd-plain", "auth required pam_unix.so\n");
    check(&machine, &[&format!("other-pam-service {MAIN}:5")]);
}

#[test]
fn a_block_switches_the_questions_off() {
    one(&format!("{SSHD_AB}Match User scanner\nKbdInteractiveAuthentication no\n"), "questions-off", 6);
}

#[test]
fn a_block_is_for_sftp_alone() {
    one(
        &format!("{SSHD_AB}Match Group sftponly\n  ChrootDirectory /srv/%u\n  ForceCommand internal-sftp\n"),
        "forced-command",
        7,
    );
}

#[test]
fn users_are_made_to_register_by_a_forced_command() {
    one(&format!("{SSHD_AB}ForceCommand /usr/local/bin/register-first\n"), "forced-command", 5);
}

#[test]
fn a_block_takes_passwords_again() {
    one(&format!("{SSHD_AB}Match Address 192.0.2.0/24\nPasswordAuthentication yes\n"), "password-method", 6);
}

#[test]
fn methods_in_a_block_do_nothing_for_the_others() {
    let config = "UsePAM yes\nPasswordAuthentication no\nMatch Group staff\nAuthenticationMethods keyboard-interactive\n";
    one(config, "key-alone", 1);
}

#[test]
fn a_line_is_such_that_sshd_does_not_start() {
    one(&format!("{SSHD_AB}Banner \"/etc/issue\n"), "sshd-bad-line", 5);
    one(&format!("{SSHD_AB}PermitRootLogin\n"), "sshd-bad-line", 5);
}

/// Two of them.
#[test]
fn a_value_is_none_that_sshd_takes() {
    let findings = with(A, &SSHD_AB.replace("UsePAM yes", "UsePAM yess")).findings();
    assert!(findings.contains(&format!("sshd-bad-line {MAIN}:1")), "{findings:?}");
}

#[test]
fn without_our_module_sshd_config_is_nobodys_business() {
    let machine = Machine::new().with_stack("sshd", "auth required pam_unix.so\n").with(MAIN, "UsePAM no\n");
    check(&machine, &[]);
}

#[test]
fn who_gets_in_is_told_for_everybody_and_for_each_block() {
    let config = format!("{SSHD_C}Match Address 10.0.0.0/8\nAuthenticationMethods publickey\n");
    let sshd = with(C, &config).examined().sshd;
    assert_eq!(sshd[0].criteria, None);
    assert_eq!(sshd[0].words[0], "a key and a code");
    assert_eq!(sshd[1].criteria.as_deref(), Some("Address 10.0.0.0/8"));
    assert_eq!(sshd[1].words, ["a key alone"]);
    let password = with(
        B,
        &SSHD_AB
            .replace("PasswordAuthentication no", "PasswordAuthentication yes")
            .replace("Methods keyboard-interactive", "Methods password"),
    );
    // One answer to every question: an app password, or the password where no code is asked for.
    assert_eq!(
        password.examined().sshd[0].words,
        ["an app password alone", "the system's password alone, with no second step being asked of the user"]
    );
}

#[test]
fn sshd_can_be_asked_about_plain_users_and_addresses() {
    use doctor::sshd::second_opinion::{connection, differences};
    let blocks = "Match User root Address 192.0.2.0/24\nPermitRootLogin yes\nMatch Group staff\nMatch User a*\nMatch all\n\
                  PermitRootLogin no\n";
    let config = with(A, &format!("{SSHD_AB}{blocks}")).examined().sshd_config.unwrap();
    let asked = |block| connection(&config, block);
    assert_eq!(asked(0).unwrap(), "user=root,host=localhost,addr=192.0.2.0");
    assert_eq!((asked(1), asked(2)), (None, None));
    assert_eq!(asked(3).unwrap(), "user=countersign-doctor,host=localhost,addr=192.0.2.1");
    assert_eq!(differences(&config, Some(0), "permitrootlogin yes\nusepam no\n"), []);
    assert_eq!(differences(&config, Some(0), "permitrootlogin no\n").len(), 1);
    assert_eq!(differences(&config, Some(3), "permitrootlogin yes\n"), []);
}

#[test]
fn sshds_own_word_is_held_against_the_files() {
    use doctor::sshd::second_opinion::differences;
    let config = with(A, SSHD_AB).examined().sshd_config.unwrap();
    let said = "port 22\nusepam yes\nkbdinteractiveauthentication yes\npasswordauthentication no\n\
                permitrootlogin without-password\nauthenticationmethods keyboard-interactive\n";
    assert_eq!(differences(&config, None, said), []);
    let found =
        differences(&config, None, &said.replace("passwordauthentication no", "passwordauthentication yes"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].place.line, 3);
}
