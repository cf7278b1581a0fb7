//! PAM stacks as people have them, each wrong in one way: from distributions, from recipes for other modules, and from
//! what goes wrong where ours is put in. Every finding names its file and line.

use crate::planted::{A, ACCOUNT, B, C, COMMON_AUTH, Machine, SSHD_C, at, check};

/// system-auth of RHEL as authselect writes it, without directories.
const SYSTEM_AUTH: &str = "auth required pam_env.so\nauth required pam_faildelay.so delay=2000000\n\
                           auth sufficient pam_unix.so\nauth required pam_deny.so\naccount required pam_unix.so\n";
/// The same of Arch.
const ARCH_SYSTEM_AUTH: &str = "auth required pam_faillock.so preauth\n-auth [success=2 default=ignore] pam_systemd_home.so\n\
                                auth [success=1 default=bad] pam_unix.so try_first_pass\n\
                                auth [default=die] pam_faillock.so authfail\nauth optional pam_permit.so\n\
                                auth required pam_env.so\nauth required pam_faillock.so authsucc\naccount required pam_unix.so\n";

/// One service of login's kind with these lines.
fn login(auth: &str) -> Machine {
    Machine::new().with_stack("login", auth)
}

fn one(machine: &Machine, kind: &str, line: u32) {
    check(machine, &[&at("login", kind, line)]);
}

#[test]
fn ours_is_sufficient_above_common_auth() {
    let machine = login("auth sufficient pam_countersign.so primary=own\n@include common-auth\n")
        .with("/etc/pam.d/common-auth", COMMON_AUTH);
    one(&machine, "ours-passed-over", 1);
    assert!(machine.gets_in("login").contains(&"the system's password alone".to_owned()));
}

#[test]
fn ours_is_optional_below_the_password() {
    one(
        &login("auth required pam_unix.so\nauth optional pam_countersign.so primary=stack\n"),
        "ours-passed-over",
        2,
    );
}

#[test]
fn ours_is_ignored_where_it_could_not_tell() {
    let control = "[success=ok authinfo_unavail=ignore abort=ignore default=die]";
    let machine =
        login(&format!("auth requisite pam_unix.so\nauth {control} pam_countersign.so primary=stack\n"));
    one(&machine, "ours-passed-over", 2);
}

#[test]
fn a_question_that_is_broken_off_is_passed_over_as_in_a_recipe_for_duo() {
    let lines = "auth requisite pam_unix.so\nauth [success=1 default=ignore] pam_countersign.so primary=stack\n\
                 auth requisite pam_deny.so\nauth required pam_permit.so\n";
    one(&login(lines), "not-printed", 2);
    let without_deny = lines.replace("auth requisite pam_deny.so\n", "");
    one(&login(&without_deny), "ours-passed-over", 2);
}

#[test]
fn pam_unix_is_sufficient_above_ours() {
    let machine = login("auth sufficient pam_unix.so\nauth required pam_countersign.so primary=own\n");
    one(&machine, "ends-above-ours", 1);
}

#[test]
fn a_fingerprint_ends_the_stack_above_ours() {
    let machine = login(&format!("auth sufficient pam_fprintd.so\n{A}"));
    // What pam_fprintd.so asks for is not known here: it is a first proof, and no second.
    one(&machine, "ends-above-ours", 1);
}

#[test]
fn system_auth_of_rhel_is_included_above_ours() {
    let machine = Machine::new()
        .with("/etc/pam.d/system-auth", SYSTEM_AUTH)
        .with("/etc/pam.d/login", "auth include system-auth\nauth required pam_countersign.so primary=stack\naccount include system-auth\n");
    check(&machine, &["ends-above-ours /etc/pam.d/system-auth:3"]);
}

#[test]
fn password_auth_of_rhel_is_a_substack_above_ours() {
    let machine = Machine::new()
        .with("/etc/pam.d/password-auth", SYSTEM_AUTH)
        .with("/etc/pam.d/login", "auth substack password-auth\nauth required pam_countersign.so primary=stack\naccount include password-auth\n");
    check(&machine, &["not-printed /etc/pam.d/login:2"]);
    assert!(machine.gets_in("login").contains(&"the system's password and a code".to_owned()));
}

#[test]
fn system_auth_of_arch_with_ours_behind_it() {
    let machine = Machine::new()
        .with("/etc/pam.d/system-auth", ARCH_SYSTEM_AUTH)
        .with("/etc/pam.d/login", "auth include system-auth\nauth required pam_countersign.so primary=stack\naccount include system-auth\n");
    let lines = [1, 4, 7].map(|line| format!("faillock-beside /etc/pam.d/system-auth:{line}"));
    check(&machine, &lines.each_ref().map(String::as_str));
}

#[test]
fn a_jump_is_one_line_too_long() {
    let machine = login(&format!("{}auth required pam_permit.so\n", B.replace("success=1", "success=2")));
    one(&machine, "jumps-over-ours", 1);
}

#[test]
fn a_jump_of_common_auth_was_not_counted_anew() {
    let lines = "auth [success=2 default=ignore] pam_unix.so\nauth required pam_countersign.so primary=failed\n\
                 auth requisite pam_deny.so\nauth required pam_permit.so\n";
    one(&login(lines), "jumps-over-ours", 1);
}

#[test]
fn members_of_a_group_are_let_by() {
    let lines = format!(
        "auth [success=1 default=ignore] pam_succeed_if.so user ingroup nomfa\n{A}auth required pam_permit.so\n"
    );
    let machine = login(&lines);
    one(&machine, "jumps-over-ours", 1);
    assert!(machine.gets_in("login").iter().any(|way| way.contains("user ingroup nomfa")));
}

#[test]
fn those_in_a_list_of_pam_access_are_let_by_as_in_a_blog_on_google_authenticator() {
    let lines = "auth required pam_unix.so\nauth [success=1 default=ignore] pam_access.so accessfile=/etc/security/access-local.conf\n\
                 auth required pam_countersign.so primary=stack\n";
    one(&login(lines), "jumps-over-ours", 2);
}

#[test]
fn stack_b_without_its_second_line() {
    let lines = "auth [success=1 default=ignore] pam_unix.so\nauth required pam_permit.so\nauth required pam_countersign.so primary=stack\n";
    one(&login(lines), "refused-password-counts", 1);
}

#[test]
fn a_refused_password_counts_where_pam_unix_is_optional() {
    one(
        &login("auth optional pam_unix.so\nauth required pam_countersign.so primary=stack\n"),
        "refused-password-counts",
        1,
    );
}

#[test]
fn the_code_alone_is_asked_for_at_the_console() {
    one(&login(C), "nobody-vouches", 1);
}

#[test]
fn the_backend_is_none_and_ours_stands_alone() {
    let mut machine = login(A);
    machine.own_password = false;
    one(&machine, "backend-none", 1);
}

/// sshd has seen a key by then: nobody gets in with less than that.
#[test]
fn pam_permit_stands_below_the_code_behind_a_key() {
    let machine = Machine::new()
        .with_stack("sshd", &format!("{C}auth required pam_permit.so\n"))
        .with("/etc/ssh/sshd_config", SSHD_C);
    check(&machine, &[&at("sshd", "not-printed", 1)]);
    assert!(
        machine
            .gets_in("sshd")
            .contains(&"a key alone, with no second step being asked of the user".to_owned())
    );
}

#[test]
fn pam_permit_stands_below_the_code_at_the_console() {
    let machine = login(&format!("{C}auth required pam_permit.so\n"));
    check(&machine, &[&at("login", "nobody-vouches", 1), &at("login", "exempt-get-in", 2)]);
}

#[test]
fn pam_permit_is_sufficient_above_ours() {
    one(&login(&format!("auth sufficient pam_permit.so\n{A}")), "ends-above-ours", 1);
}

#[test]
fn nullok_is_left_from_debian() {
    one(&login(&B.replace("pam_unix.so", "pam_unix.so nullok")), "nullok", 1);
}

#[test]
fn ours_stands_in_common_auth() {
    let machine = Machine::new()
        .with("/etc/pam.d/common-auth", B)
        .with("/etc/pam.d/login", &format!("@include common-auth\n{ACCOUNT}"))
        .with("/etc/pam.d/cron", &format!("@include common-auth\n{ACCOUNT}"));
    let expected = [2, 3].map(|line| at("common-auth", "in-common-file", line));
    check(&machine, &expected.each_ref().map(String::as_str));
    assert_eq!(machine.examined().findings[0].services.len(), 2);
}

#[test]
fn common_auth_still_stands_above_ours() {
    let machine = login(&format!("@include common-auth\n{A}")).with("/etc/pam.d/common-auth", COMMON_AUTH);
    check(&machine, &[&at("common-auth", "two-passwords", 1)]);
}

#[test]
fn the_module_is_not_where_libpam_looks() {
    let machine = login(A).with("/usr/lib64/security/pam_unix.so", "");
    one(&machine, "module-missing", 1);
    let machine = login(&A.replace("pam_counter", "/opt/pam_counter"))
        .with("/usr/lib/x86_64-linux-gnu/security/pam_unix.so", "");
    one(&machine, "module-missing", 1);
    check(
        &login(A)
            .with("/usr/lib64/security/pam_unix.so", "")
            .with("/usr/lib64/security/pam_countersign.so", ""),
        &[],
    );
}

#[test]
fn the_module_is_missing_and_sufficient() {
    let machine = login("auth sufficient pam_countersign.so primary=own\n@include common-auth\n")
        .with("/etc/pam.d/common-auth", COMMON_AUTH)
        .with("/usr/lib64/security/pam_unix.so", "")
        .with("/usr/lib64/security/pam_deny.so", "")
        .with("/usr/lib64/security/pam_permit.so", "");
    check(&machine, &[&at("login", "ours-passed-over", 1), &at("login", "module-missing", 1)]);
}

#[test]
fn an_argument_is_misspelt_or_missing() {
    one(&login("auth required pam_countersign.so\n"), "module-arguments", 1);
    one(&login("auth required pam_countersign.so primary=own nullok\n"), "module-arguments", 1);
    one(&login("auth required pam_countersign.so primary=stakc\n"), "module-arguments", 1);
}

#[test]
fn a_control_is_misspelt() {
    one(&login("auth requierd pam_countersign.so primary=own\n"), "bad-line", 1);
    one(&login(&B.replace("success=done", "sucess=done")), "bad-line", 2);
    one(&login(&format!("athu required pam_env.so\n{A}")), "bad-line", 1);
}

#[test]
fn an_included_file_is_not_there() {
    one(&login(&format!("{A}@include common-auht\n")), "missing-include", 2);
}

/// libpam reads nothing of such a service.
#[test]
fn the_last_line_would_go_on() {
    let machine = Machine::new().with(
        "/etc/pam.d/login",
        &format!("auth sufficient pam_countersign.so primary=own\n{ACCOUNT}auth required pam_permit.so \\\n"),
    );
    one(&machine, "bad-line", 3);
    assert_eq!(machine.gets_in("login"), Vec::<String>::new());
}

#[test]
fn files_include_each_other() {
    let machine = login(&format!("{A}auth include one\n"))
        .with("/etc/pam.d/one", "auth include two\n")
        .with("/etc/pam.d/two", "auth include one\n");
    let findings = machine.findings();
    assert!(findings.iter().any(|it| it.starts_with("too-much /etc/pam.d/")), "{findings:?}");
}

#[test]
fn a_directory_keeps_the_password_to_itself() {
    one(&login(&B.replace("pam_unix.so", "pam_sss.so")), "password-not-handed-on", 1);
}

#[test]
fn nothing_above_has_taken_a_password() {
    one(&login("auth required pam_countersign.so primary=stack\n"), "nobody-gets-in", 1);
}

#[test]
fn pam_deny_stands_below() {
    one(&login(&format!("{A}auth required pam_deny.so\n")), "nobody-gets-in", 1);
}

#[test]
fn the_service_is_called_countersign() {
    check(&Machine::new().with_stack("countersign", A), &[&at("countersign", "named-countersign", 1)]);
}

#[test]
fn the_service_of_first_passwords_asks_itself() {
    let mut machine = Machine::new().with_stack("countersign-primary", A);
    machine.primary_service = Some("countersign-primary".to_owned());
    check(&machine, &[&at("countersign-primary", "asks-itself", 1)]);
}

#[test]
fn su_to_root_is_asked_for_passwords_of_two_people() {
    check(&Machine::new().with_stack("su", A), &[&at("su", "su-to-root", 1)]);
}

#[test]
fn google_authenticator_was_left_beside_ours() {
    one(&login(&format!("{B}auth required pam_google_authenticator.so\n")), "other-second-factor", 4);
    one(&login(&format!("{B}auth required pam_google_authenticator.so nullok\n")), "other-second-factor", 4);
}

#[test]
fn google_authenticator_is_sufficient_above_ours() {
    let lines = "auth required pam_unix.so\nauth sufficient pam_google_authenticator.so nullok\nauth required pam_countersign.so primary=stack\n";
    one(&login(lines), "other-second-factor", 2);
}

#[test]
fn a_code_of_google_authenticator_alone_is_enough() {
    let machine = login(&format!("auth sufficient pam_google_authenticator.so\n{A}"));
    check(&machine, &[&at("login", "ends-above-ours", 1), &at("login", "other-second-factor", 1)]);
}

/// `authfail` has no opinion after a right code, and `default=die` makes a no of that.
#[test]
fn faillock_stands_around_ours_and_lets_nobody_in() {
    let lines =
        format!("auth required pam_faillock.so preauth\n{A}auth [default=die] pam_faillock.so authfail\n");
    let expected = [("nobody-gets-in", 2), ("faillock-beside", 1), ("faillock-beside", 3)];
    let expected = expected.map(|(kind, line)| at("login", kind, line));
    check(&login(&lines), &expected.each_ref().map(String::as_str));
}

#[test]
fn faillock_stands_above_ours() {
    one(&login(&format!("auth required pam_faillock.so preauth\n{A}")), "faillock-beside", 1);
    let at_console = login(&format!("auth required pam_faillock.so preauth\n{C}"));
    let expected = [("exempt-get-in", 1), ("nobody-vouches", 2), ("faillock-beside", 1)];
    let expected = expected.map(|(kind, line)| at("login", kind, line));
    check(&at_console, &expected.each_ref().map(String::as_str));
}

#[test]
fn something_unknown_stands_between_the_lines() {
    let script = "auth optional pam_script.so\nauth required pam_countersign";
    let machine = login(&B.replace("auth required pam_countersign", script));
    // The jump lands on it now, which changes nothing; nobody has tried it.
    one(&machine, "not-printed", 2);
}
