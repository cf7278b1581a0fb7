//! The stacks of docs/pam.md with their sshd_config: the only ones that are called sound.

use crate::planted::{A, ACCOUNT, B, C, Machine, SSHD_AB, SSHD_C, check};

#[test]
fn each_printed_stack_with_its_sshd_config_is_sound() {
    for (stack, config) in [(A, SSHD_AB), (B, SSHD_AB), (C, SSHD_C)] {
        check(&Machine::new().with_stack("sshd", stack).with("/etc/ssh/sshd_config", config), &[]);
    }
}

/// They are written with more blanks there, and the snippets that get installed have comments.
#[test]
fn the_files_of_docs_and_installation_are_sound() {
    let page = include_str!("../../../docs/pam.md");
    let block = |heading: &str| {
        let lines = page.lines().skip_while(|line| !line.starts_with(heading)).skip(1);
        let lines = lines
            .skip_while(|line| !line.starts_with("    auth"))
            .take_while(|line| line.starts_with("    auth"));
        lines.map(|line| format!("{}\n", line.trim_start())).collect::<String>()
    };
    let installed = [
        include_str!("../../../config/etc/pam.d/sshd-stack-a"),
        include_str!("../../../config/etc/pam.d/sshd-stack-b"),
        include_str!("../../../config/etc/pam.d/sshd-stack-c"),
    ];
    let configs = [SSHD_AB, SSHD_AB, SSHD_C];
    for ((heading, installed), config) in ["### (a)", "### (b)", "### (c)"].iter().zip(installed).zip(configs)
    {
        for stack in [&block(heading), installed] {
            check(&Machine::new().with_stack("sshd", stack).with("/etc/ssh/sshd_config", config), &[]);
        }
    }
}

#[test]
fn the_two_lines_without_app_passwords_are_sound() {
    let two = "auth requisite pam_unix.so\nauth required pam_countersign.so primary=stack\n";
    check(&Machine::new().with_stack("sshd", two).with("/etc/ssh/sshd_config", SSHD_AB), &[]);
}

#[test]
fn a_directory_that_hands_the_password_on_is_sound() {
    let sss = B.replace("pam_unix.so", "pam_sss.so forward_pass");
    check(&Machine::new().with_stack("sshd", &sss).with("/etc/ssh/sshd_config", SSHD_AB), &[]);
}

#[test]
fn sudo_su_and_login_of_debian_with_our_lines_are_sound() {
    let su = format!("auth sufficient pam_rootok.so\n{B}@include common-account\n");
    let login = format!(
        "auth optional pam_faildelay.so delay=3000000\nauth requisite pam_nologin.so\n{B}auth optional pam_group.so\n"
    );
    let machine = Machine::new()
        .with("/etc/pam.d/common-account", ACCOUNT)
        .with("/etc/pam.d/su", &su)
        .with("/etc/pam.d/su-l", "auth include su\naccount include su\n")
        .with_stack("login", &login)
        .with_stack("sudo", B)
        .with_stack("sudo-i", B)
        .with_stack("swaylock", A);
    check(&machine, &[]);
    assert_eq!(
        machine.gets_in("su"),
        [
            "an app password alone",
            "the rights of root alone",
            "the system's password and a code",
            "the system's password alone, with no second step being asked of the user"
        ]
    );
}

#[test]
fn root_may_be_let_in_by_a_block_of_its_own() {
    let config = format!("{SSHD_AB}Match User root Address 192.0.2.0/24\n    PermitRootLogin yes\n");
    let mut machine = Machine::new().with_stack("sshd", A).with("/etc/ssh/sshd_config", &config);
    machine.root_signs_in = true;
    check(&machine, &[]);
}

#[test]
fn sshd_of_debian_with_a_file_of_its_own_for_us_is_sound() {
    let main = "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\n\
                PrintMotd no\nAcceptEnv LANG LC_*\nSubsystem sftp /usr/lib/openssh/sftp-server\n";
    let machine = Machine::new()
        .with_stack("sshd", A)
        .with("/etc/ssh/sshd_config", main)
        .with("/etc/ssh/sshd_config.d/10-countersign.conf", SSHD_AB);
    check(&machine, &[]);
}

#[test]
fn postgresql_and_a_screen_locker_are_sound() {
    let machine = Machine::new()
        .with("/etc/pam.d/postgresql", &format!("{A}account required pam_permit.so\n"))
        .with_stack("swaylock", A);
    check(&machine, &[]);
}

#[test]
fn services_without_our_module_are_told_of_and_are_no_findings() {
    let common = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n";
    let machine = Machine::new()
        .with("/etc/pam.d/common-auth", common)
        .with("/etc/pam.d/sshd", "@include common-auth\naccount required pam_unix.so\n")
        .with("/etc/pam.d/cron", "@include common-auth\n")
        .with("/etc/ssh/sshd_config", "UsePAM yes\n");
    check(&machine, &[]);
    assert_eq!(machine.gets_in("sshd"), ["the system's password alone", "an empty password alone"]);
    let services = machine.examined().services;
    assert!(services.iter().all(|it| !it.second_step && it.service != "common-auth"), "{services:?}");
}
