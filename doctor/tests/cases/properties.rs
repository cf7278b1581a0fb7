//! What holds for every machine, whatever stands in its files.

use doctor::pam::proof::{Strength, strength};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::planted::{ACCOUNT, Machine};

/// Lines of a stack, ours often among them.
fn line() -> impl Strategy<Value = String> {
    let control = prop_oneof![
        Just("required".to_owned()),
        Just("requisite".to_owned()),
        Just("sufficient".to_owned()),
        Just("optional".to_owned()),
        ("[1-3]|ok|done|ignore|die|bad|reset", "ignore|die|bad|ok")
            .prop_map(|(success, default)| format!("[success={success} default={default}]")),
    ];
    let module = prop_oneof![
        "(own|stack|failed|none)".prop_map(|mode| format!("pam_countersign.so primary={mode}")),
        "pam_(unix|sss|permit|deny|rootok|env|cap|faillock|fprintd|google_authenticator|succeed_if)"
            .prop_map(|name| format!("{name}.so")),
    ];
    (control, module).prop_map(|(control, module)| format!("auth {control} {module}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Two ways to the same thing: what is called sound has no way in that is too little.
    #[test]
    fn a_stack_without_findings_is_printed_and_lets_nobody_in_with_less(lines in vec(line(), 1..6)) {
        let machine = Machine::new().with_stack("login", &lines.concat());
        let diagnosis = machine.examined();
        let view = diagnosis.services.iter().find(|it| it.service == "login").unwrap();
        if view.second_step && diagnosis.findings.is_empty() {
            prop_assert!(view.stack.is_some(), "{lines:?}");
            let words = view.words.join("; ");
            prop_assert!(!words.contains("nothing") && !words.contains("a code alone"), "{words}");
            prop_assert!(view.gets_in_with.iter().all(|needs| needs.contains("app-password")
                || needs.iter().any(|it| it.ends_with("password"))), "{words}");
        }
        // And whoever has our module in a stack that is none of the page's hears of it.
        prop_assert!(!view.second_step || view.stack.is_some() || !diagnosis.findings.is_empty(), "{lines:?}");
    }

    #[test]
    fn no_octets_in_any_file_stop_the_doctor(
        stack in "\\PC{0,200}|(auth|@include|\\[|\\]|=|\\\\\n|pam_countersign.so|common-auth|[ \t\n]){0,40}",
        config in "\\PC{0,200}|((?i)usepam|match|include|authenticationmethods|[ =\"'\n*/]){0,40}",
    ) {
        let machine = Machine::new()
            .with("/etc/pam.d/sshd", &format!("auth sufficient pam_countersign.so primary=own\n{stack}\n{ACCOUNT}"))
            .with("/etc/pam.d/common-auth", &stack)
            .with("/etc/pam.conf", &stack)
            .with("/etc/ssh/sshd_config", &config);
        prop_assert!(!machine.findings().is_empty());
    }
}

#[test]
fn a_stack_of_ten_thousand_lines_is_no_burden() {
    let lines = "auth [success=1 default=ignore] pam_unix.so\n".repeat(5_000);
    let machine =
        Machine::new().with_stack("login", &format!("{lines}auth required pam_countersign.so primary=own\n"));
    let begun = std::time::Instant::now();
    // Ours stands beyond the limit, so the service counts as one without.
    assert!(machine.findings().is_empty());
    let both =
        Machine::new().with_stack("login", &format!("auth required pam_countersign.so primary=own\n{lines}"));
    assert!(both.findings().iter().any(|it| it.starts_with("too-much ")), "{:?}", both.findings());
    assert!(begun.elapsed().as_secs() < 60);
}

#[test]
fn strength_is_what_the_page_says() {
    use doctor::pam::proof::Atom::{AppPassword, Code, Key, NotAsked, OwnPassword, Password};
    for (needs, expected) in [
        (vec![Password, Code], Strength::Both),
        (vec![AppPassword], Strength::Both),
        (vec![Key, Code], Strength::Both),
        (vec![OwnPassword, NotAsked], Strength::FirstOfExempt),
        (vec![Key], Strength::FirstAlone),
        (vec![Code], Strength::SecondAlone),
        (vec![NotAsked], Strength::NothingOfExempt),
        (vec![], Strength::Nothing),
    ] {
        assert_eq!(strength(&needs.iter().cloned().collect()), expected, "{needs:?}");
    }
}
