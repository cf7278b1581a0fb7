//! Callers that mean harm: with limits, signals, descriptors and environments of their own choosing, and on the socket
//! itself. Nobody gets in by it, and whoever comes meanwhile signs in as ever.

use std::time::{Duration, Instant};

use test_ground::{Failure, Outcome, Terminal};

use crate::local::{as_user, tried_by};
use crate::site::{AGAIN, CODE, OWN_PASSWORD, Site, User};
use crate::transaction::PASSWORD;
use crate::{may_sudo, shared, with_stack};

/// What a login of somebody else may take meanwhile: a second for whoever holds a place, and as much again for a slow
/// machine.
const LOGIN_MAX: Duration = Duration::from_secs(2);

/// The shell's words before a program, each a way to be hostile.
const WAYS: [(&str, &str); 6] = [
    ("no file may grow", "ulimit -f 0"),
    ("few descriptors", "ulimit -n 6"),
    ("no descriptors", "ulimit -n 3"),
    ("no time", "ulimit -t 1"),
    ("signals that are ignored", "trap '' PIPE ALRM CHLD INT TERM HUP"),
    ("as much of an environment as the kernel takes", BIG_ENVIRONMENT),
];

/// 128 KiB are as much as one variable may have; the stack's limit is as much as all may have.
const BIG_ENVIRONMENT: &str = "ulimit -s unlimited; v=$(head -c 131000 /dev/zero | tr '\\0' x); \
    for i in $(seq 40); do export \"V$i=$v\"; done; \
    export COUNTERSIGN_CONFIG=/tmp/x LD_PRELOAD=/tmp/x.so SQLITE_TMPDIR=/tmp TMPDIR=/nowhere";

#[test]
fn no_limit_of_a_caller_opens_the_door() -> Outcome {
    let site = Site::here()?;
    let user = site.add_user("mallory")?;
    let calm = site.add_user("calm")?;
    may_sudo(site, "mallory")?;
    site.add_service("calm", &[shared(site)?.line("own")])?;
    let _turn = with_stack(site, "sudo", &[shared(site)?.line("own")])?;
    for (way, words) in WAYS {
        let line = format!("{words}; sudo id -u");
        let wrong = user.wrong_code()?;
        let mut sudo = Terminal::start(&as_user("mallory", "bash", &["-c", &line]))?;
        // Some of them keep sudo itself from asking.
        let asked = sudo.expect("password for mallory: ").is_ok();
        if asked {
            sudo.send(OWN_PASSWORD)?;
            for question in [CODE, AGAIN, AGAIN] {
                if sudo.expect(question).is_err() {
                    break;
                }
                sudo.send(&wrong)?;
            }
        }
        let said = sudo.end()?.transcript;
        assert!(!said.lines().any(|line| line.trim() == "0"), "{way}: {said}");
        site.countersign(&["user", "unlock", "mallory"])
            .or_else(|_| site.countersign(&["user", "show", "mallory"]))?;
    }
    let took = login_of(&calm)?;
    assert!(took < LOGIN_MAX, "{took:?}");
    Ok(())
}

/// The time that a right login takes at the shared service.
fn login_of(user: &User) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.code()?)];
    let code = tried_by(user.name, "calm", user.name, &right)?.0;
    assert_eq!(code, "PAM_SUCCESS");
    Ok(begun.elapsed())
}
