//! `countersign doctor` on a real system: nothing is found on the sound one, each planted mistake is found at its line and
//! nothing else, and real logins show that what it says is so.
#![cfg(test)]

mod mistakes;
mod patient;
mod random_stacks;
mod transaction;

use std::env::consts::ARCH;

use mistakes::{CONFIG, MISTAKES};
use patient::{CODE, Patient, SYSTEM_PASSWORD};
use test_ground::{Failure, Outcome, Sshd, Terminal};
use transaction::{PASSWORD, at};

#[test]
fn nothing_is_found_on_a_sound_system() -> Outcome {
    let patient = Patient::sound()?;
    assert_eq!(patient.findings()?, Vec::<String>::new());
    let (code, text) = patient.told()?;
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("Nothing was found.\n"), "{text}");
    assert!(text.contains("sshd"), "{text}");
    Ok(())
}

#[test]
fn each_stack_of_the_page_is_sound_on_a_real_system() -> Outcome {
    let patient = Patient::sound()?;
    patient.write_stack("sshd", patient::STACK_B)?;
    assert_eq!(patient.findings()?, Vec::<String>::new());
    patient.write_stack("sshd", &["auth required pam_countersign.so primary=none"])?;
    let methods = "AuthenticationMethods publickey,keyboard-interactive";
    patient.change(CONFIG, "AuthenticationMethods keyboard-interactive", methods)?;
    assert_eq!(patient.findings()?, Vec::<String>::new());
    patient
        .append("/etc/ssh/sshd_config", "Match User root Address 192.0.2.0/24\n    PermitRootLogin yes\n")?;
    assert_eq!(patient.findings()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn every_mistake_is_found_at_its_line_and_nothing_else() -> Outcome {
    let mut wrong = Vec::new();
    for mistake in MISTAKES {
        let patient = Patient::sound()?;
        for change in mistake.changes {
            patient.run(change)?;
        }
        let found = patient.findings()?;
        let expected: Vec<String> = mistake.found.iter().map(|it| it.replace("ARCH", ARCH)).collect();
        if found != expected {
            wrong.push(format!("{}: {found:?} instead of {expected:?}", mistake.name));
        }
        let (code, text) = patient.told()?;
        assert_eq!(code, 1, "{}: {text}", mistake.name);
        assert!(text.contains("  do:    "), "{text}");
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(MISTAKES.len() >= 25);
    Ok(())
}

/// A login with these answers, at a service with these lines; whether it got in.
fn gets_in(patient: &Patient, lines: &[&str], dialogue: &[(&str, &str)]) -> Result<bool, Failure> {
    patient.write_stack("login", lines)?;
    Ok(at("login", patient::USER).login(dialogue)?.0 == "PAM_SUCCESS")
}

#[test]
fn the_password_alone_lets_in_where_the_doctor_says_so() -> Outcome {
    let patient = Patient::sound()?;
    let stacks: [(&str, &[&str]); 4] = [
        ("ends-above-ours", &["auth sufficient pam_unix.so", "auth required pam_countersign.so primary=own"]),
        (
            "jumps-over-ours",
            &[
                "auth [success=2 default=ignore] pam_unix.so",
                "auth required pam_countersign.so primary=failed",
                "auth requisite pam_deny.so",
                "auth required pam_permit.so",
            ],
        ),
        (
            "jumps-over-ours",
            &[
                "auth required pam_unix.so",
                "auth [success=1 default=ignore] pam_succeed_if.so uid >= 1000 quiet",
                "auth required pam_countersign.so primary=stack",
            ],
        ),
        (
            "ours-passed-over",
            &[
                "auth sufficient pam_countersignn.so primary=own",
                "auth required pam_unix.so",
                "auth optional pam_countersign.so primary=stack config=/nowhere",
            ],
        ),
    ];
    for (kind, stack) in stacks {
        assert!(gets_in(&patient, stack, &[(PASSWORD, SYSTEM_PASSWORD)])?, "{kind} {stack:?}");
        let found = patient.findings()?;
        assert!(found.iter().any(|it| it.starts_with(kind) && it.contains("/etc/pam.d/login:")), "{found:?}");
    }
    let sound = gets_in(
        &patient,
        patient::STACK_B,
        &[(PASSWORD, SYSTEM_PASSWORD), (CODE, "000000"), (CODE, "000000"), (CODE, "000000")],
    )?;
    assert!(!sound, "stack (b) wants a code");
    Ok(())
}

#[test]
fn a_code_alone_lets_in_where_the_doctor_says_so() -> Outcome {
    let patient = Patient::sound()?;
    let refused: &[&str] = &["auth optional pam_unix.so", "auth required pam_countersign.so primary=stack"];
    let code = patient.code()?;
    assert!(gets_in(&patient, refused, &[(PASSWORD, "wrong horse"), (CODE, &code)])?);
    assert_eq!(patient.findings()?, ["refused-password-counts /etc/pam.d/login:1"]);
    let code = patient.code()?;
    assert!(gets_in(&patient, &["auth required pam_countersign.so primary=none"], &[(CODE, &code)])?);
    assert_eq!(patient.findings()?, ["nobody-vouches /etc/pam.d/login:1"]);
    Ok(())
}

#[test]
fn nobody_gets_in_where_the_doctor_says_so() -> Outcome {
    let patient = Patient::sound()?;
    let stack: &[&str] = &[
        "auth required pam_faillock.so preauth",
        "auth required pam_countersign.so primary=none",
        "auth [default=die] pam_faillock.so authfail",
    ];
    let code = patient.code()?;
    assert!(!gets_in(&patient, stack, &[(CODE, &code)])?);
    assert!(patient.findings()?.contains(&"nobody-gets-in /etc/pam.d/login:2".to_owned()));
    Ok(())
}

/// `ssh` with a key alone, which answers nothing.
fn key_lets_in(patient: &Patient) -> Result<bool, Failure> {
    let sshd = Sshd::as_configured(&patient.machine)?;
    let key = format!("IdentityFile={}", patient.key()?.display());
    let mut command = sshd.client("ssh", &[&key, "PreferredAuthentications=publickey", "BatchMode=yes"]);
    let ended =
        Terminal::start(command.arg(format!("{}@127.0.0.1", patient::USER)).arg("echo signed in"))?.end()?;
    Ok(ended.code == 0 && ended.transcript.contains("signed in"))
}

#[test]
fn a_key_alone_lets_in_where_the_doctor_says_so() -> Outcome {
    let patient = Patient::sound()?;
    assert!(!key_lets_in(&patient)?);
    patient.change(CONFIG, "AuthenticationMethods keyboard-interactive", "")?;
    assert_eq!(patient.findings()?, ["key-alone /etc/ssh/sshd_config:1"]);
    assert!(key_lets_in(&patient)?);
    drop(patient);
    let patient = Patient::sound()?;
    patient.append("/etc/ssh/sshd_config", "Match Address 127.0.0.0/8\nAuthenticationMethods publickey\n")?;
    let found = patient.findings()?;
    assert!(
        matches!(found.as_slice(), [one] if one.starts_with("match-takes-back /etc/ssh/sshd_config:")),
        "{found:?}"
    );
    assert!(key_lets_in(&patient)?);
    Ok(())
}
