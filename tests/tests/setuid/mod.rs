//! su and sudo, which run with root's rights and with the limits, signals, descriptors and environment of whoever calls
//! them. None of that lets anybody in, holds anybody up or takes the service away.

mod stopped;

use std::process::Command;
use std::sync::MutexGuard;
use std::thread;

use nix::sys::signal::Signal;
use test_ground::{Ended, Failure, Outcome, Terminal, measured, wait_for};

use crate::hostile::fresh_name;
use crate::local::{Local, as_user, tried_by, typed};
use crate::site::{AGAIN, CODE, OWN_PASSWORD, SYSTEM_PASSWORD, Site, User};
use crate::transaction::PASSWORD;
use crate::{may_sudo, people, set_password_of_root, with_stack};

/// What is called, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Sudo,
    SuToRoot,
    SuToAnother,
}

const PROGRAMS: [Program; 3] = [Program::Sudo, Program::SuToRoot, Program::SuToAnother];

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::SuToRoot => "su to root",
            Self::SuToAnother => "su to another",
        }
    }
}

/// A way to be hostile: the shell's words before the program, and for which programs these leave it its work.
struct Way {
    name: &'static str,
    words: &'static str,
    works: &'static [Program],
}

/// su to anybody.
const SU: &[Program] = &[Program::SuToRoot, Program::SuToAnother];

/// Where one of them does not do its work it is for reasons of its own, before or after it has asked us.
const WAYS: [Way; 9] = [
    Way { name: "no file may grow", words: "ulimit -f 0", works: &PROGRAMS },
    // sudo asks us and has none left then for a terminal of its own.
    Way { name: "eight descriptors", words: "ulimit -n 8", works: SU },
    Way { name: "six descriptors", words: "ulimit -n 6", works: SU },
    // No module can be loaded.
    Way { name: "four descriptors", words: "ulimit -n 4", works: &[] },
    // No program can be loaded.
    Way { name: "three descriptors", words: "ulimit -n 3", works: &[] },
    Way { name: "no time", words: "ulimit -t 1", works: &PROGRAMS },
    Way { name: "signals ignored", words: "trap '' PIPE ALRM CHLD INT TERM HUP XFSZ", works: &PROGRAMS },
    // sudo asks at the terminal itself, su on the descriptors that it was given.
    Way { name: "closed descriptors", words: "exec 0<&- 2>&-", works: &[Program::Sudo] },
    // Whoever su lets in gets no shell: it hands the environment on, and the kernel takes less of it from a program
    // with root's rights, whose stack is limited again.
    Way { name: "an environment as large as can be", words: BIG_ENVIRONMENT, works: &[Program::Sudo] },
];

/// 128 KiB are as much as one variable may have, and 6 MB (three quarters of 8 MiB) are as much as Linux takes for
/// arguments and environment of a program together, whatever the limits are: execve(2). Nobody can give 10 MB.
const BIG_ENVIRONMENT: &str = "ulimit -s unlimited; v=$(head -c 131000 /dev/zero | tr '\\0' x); \
    for i in $(seq 44); do export \"V$i=$v\"; done; \
    export COUNTERSIGN_CONFIG=/tmp/x SQLITE_TMPDIR=/tmp TMPDIR=/nowhere RUST_BACKTRACE=full";

#[test]
fn nothing_that_a_caller_of_su_or_sudo_chooses_opens_the_door() -> Outcome {
    let site = Site::here()?;
    let mut local = Local::start(site)?;
    let _turn = stacks(site, &local)?;
    for way in &WAYS {
        let tried: Vec<(Program, String)> = thread::scope(|scope| {
            let tries = PROGRAMS.map(|program| scope.spawn(move || way.tried_with(site, program)));
            tries.into_iter().map(|tried| tried.join().expect("no panic")).collect::<Result<_, Failure>>()
        })?;
        let said: Vec<_> = tried.iter().map(|(program, said)| format!("{} {said}", program.name())).collect();
        measured(&format!(
            "{}: with wrong codes nobody is in; with right ones: {}",
            way.name,
            said.join(", ")
        ));
    }
    serves_still(site, &mut local)
}

impl Way {
    /// Calls the program with wrong codes and with the right one; how the latter ended.
    fn tried_with(&self, site: &Site, program: Program) -> Result<(Program, String), Failure> {
        let call = Call::of_somebody_new(site, program)?;
        let wrong = call.user.wrong_code()?;
        let ended = call.insisted(self.words, &[&wrong, &wrong, &wrong])?;
        assert!(!call.is_in(&ended) && !has_crashed(&ended), "{} {program:?}: {ended:?}", self.name);
        let ended = call.insisted(self.words, &[&call.user.code()?])?;
        assert!(!has_crashed(&ended), "{} {program:?}: {ended:?}", self.name);
        let is_in = call.is_in(&ended);
        if self.works.contains(&program) {
            assert!(is_in, "{} {program:?} was to be tried: {ended:?}", self.name);
            call.is_recorded(site)?;
        }
        Ok((program, if is_in { "in".to_owned() } else { format!("refused ({})", ended.code) }))
    }
}

/// Whether a signal has ended the program while it was with us. One that may not write a file ends su behind the last
/// word: su notes down in btmp(5) who was refused.
fn has_crashed(ended: &Ended) -> bool {
    ended.code >= 128 && !ended.transcript.contains("Login refused.")
}

/// Somebody who calls one of the programs.
struct Call {
    program: Program,
    caller: &'static str,
    /// Whose code is asked.
    user: User,
}

impl Call {
    fn of_somebody_new(site: &Site, program: Program) -> Result<Self, Failure> {
        let user = site.add_user(fresh_name())?;
        let mut caller = user.name;
        match program {
            Program::Sudo => may_sudo(site, caller)?,
            Program::SuToRoot => {}
            Program::SuToAnother => {
                caller = fresh_name();
                site.machine.add_user(caller, "none")?;
            }
        }
        Ok(Self { program, caller, user })
    }

    /// Who they want to be.
    fn target(&self) -> &'static str {
        match self.program {
            Program::Sudo | Program::SuToRoot => "root",
            Program::SuToAnother => self.user.name,
        }
    }

    fn question(&self) -> String {
        match self.program {
            Program::Sudo => format!("password for {}: ", self.caller),
            Program::SuToRoot | Program::SuToAnother => PASSWORD.to_owned(),
        }
    }

    /// The program itself, which does nothing but say who it is now.
    fn command(&self) -> Command {
        let words: &[&str] = match self.program {
            Program::Sudo => &["sudo", "id", "-un"],
            Program::SuToRoot | Program::SuToAnother => &["su", self.target(), "-c", "id -un"],
        };
        let (program, arguments) = words.split_first().expect("words");
        as_user(self.caller, program, arguments)
    }

    /// Goes on, after these words of the shell, as long as there are questions: the right password, and these codes.
    fn insisted(&self, words: &str, codes: &[&str]) -> Result<Ended, Failure> {
        let called = match self.program {
            Program::Sudo => "sudo id -un".to_owned(),
            Program::SuToRoot | Program::SuToAnother => format!("su {} -c 'id -un'", self.target()),
        };
        let mut terminal =
            Terminal::start(&as_user(self.caller, "bash", &["-c", &format!("{words}; {called}")]))?;
        let question = self.question();
        let questions = [question.as_str(), CODE, AGAIN, AGAIN];
        for (question, answer) in questions.into_iter().zip([SYSTEM_PASSWORD].iter().chain(codes)) {
            // Where it does not ask, it has ended, or else its end does not come.
            if terminal.expect(question).is_err() {
                break;
            }
            terminal.send(answer)?;
        }
        terminal.end()
    }

    /// The dialogue up to the question for the code, and with these codes to its end.
    fn typed(&self, codes: &[&str]) -> Result<Ended, Failure> {
        let question = self.question();
        let mut dialogue = vec![(question.as_str(), SYSTEM_PASSWORD)];
        dialogue.extend([CODE, AGAIN, AGAIN].into_iter().zip(codes.iter().copied()));
        let (code, transcript) = typed(&self.command(), &dialogue)?;
        Ok(Ended { code, transcript })
    }

    /// Whether `id -un` has said so.
    fn is_in(&self, ended: &Ended) -> bool {
        ended.transcript.lines().any(|line| line.trim() == self.target())
    }

    /// Sees that the record of the login has both names.
    fn is_recorded(&self, site: &Site) -> Outcome {
        let record = site.wait_for_record(self.user.name, "both-proofs")?;
        let target = match self.program {
            Program::SuToRoot => "root",
            Program::Sudo | Program::SuToAnother => "-",
        };
        assert_eq!(people(&record), [self.user.name, self.user.name, self.caller, target]);
        assert_eq!(record.app, "countersign-local", "the service has decided");
        Ok(())
    }
}

#[test]
fn su_and_sudo_take_the_callers_code_once_and_never_roots() -> Outcome {
    let site = Site::here()?;
    let local = Local::start(site)?;
    let _turn = stacks(site, &local)?;
    let root = site.add_account("root")?;
    let su = Call::of_somebody_new(site, Program::SuToRoot)?;
    may_sudo(site, su.caller)?;
    let roots = root.code()?;
    let ended = su.typed(&[&roots, &roots, &roots])?;
    assert!(ended.code == 1 && !su.is_in(&ended), "root's code: {ended:?}");

    let code = su.user.code()?;
    let ended = su.typed(&[&code])?;
    assert!(su.is_in(&ended), "{ended:?}");
    su.is_recorded(site)?;

    let next = su.user.next_code()?;
    let sudo = Call { program: Program::Sudo, ..su };
    let ended = sudo.typed(&[&code, &code, &code])?;
    assert!(ended.code == 1 && !sudo.is_in(&ended), "su has used it: {ended:?}");
    let ended = sudo.typed(&[&next])?;
    assert!(sudo.is_in(&ended), "{ended:?}");
    Ok(())
}

/// Stack (b) of docs/pam.md for both programs; others wait until the test is over.
fn stacks(site: &Site, local: &Local) -> Result<MutexGuard<'static, ()>, Failure> {
    let mut su = vec!["auth sufficient pam_rootok.so".to_owned()];
    su.extend(local.stack_b());
    let turn = with_stack(site, "su", &su)?;
    site.add_service("sudo", &local.stack_b())?;
    set_password_of_root()?;
    Ok(turn)
}

/// Sees that the service has gone through all of it without a panic, and lets people in.
fn serves_still(site: &Site, local: &mut Local) -> Outcome {
    let name = fresh_name();
    let user = site.add_user(name)?;
    let service = format!("after-{name}");
    site.add_service(&service, &[local.line("own")])?;
    let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.code()?)];
    assert_eq!(tried_by(name, &service, name, &right)?.0, "PAM_SUCCESS");
    local.signal(Signal::SIGUSR1)?;
    wait_for("the counters", 10, || match local.output() {
        Ok(said) if said.contains(" accepted=") => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    let said = local.output()?;
    assert!(!said.contains("panic"), "{said}");
    local.stop()
}
