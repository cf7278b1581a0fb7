//! su and sudo that their callers stop at a question, and let go on later. Whoever comes meanwhile does not notice.

use std::fs;
use std::time::{Duration, Instant};

use test_ground::{Ended, Failure, Outcome, Sshd, SshdOptions, Terminal, checked, measured, wait_for};

use super::{Call, PROGRAMS, Program, has_crashed, serves_still, stacks};
use crate::hostile::fresh_name;
use crate::local::{Local, as_user};
use crate::site::{AGAIN, CODE, OWN_PASSWORD, SYSTEM_PASSWORD, Site};
use crate::transaction::PASSWORD;

/// How many are stopped at once.
const STOPPED: usize = 20;

/// What a login of somebody else may take meanwhile.
const LOGIN_MAX: Duration = Duration::from_secs(3);

/// Logins by each way that are timed.
const TIMED: usize = 3;

/// Who comes after this many others types no right code at the end.
const WRONG_EVERY: usize = 5;

/// Where the program is when it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    AtThePassword,
    AtTheCode,
    /// Perhaps in the middle of a request, perhaps at its end: in time the service lets go of it.
    BehindTheCode,
}

const MOMENTS: [Moment; 3] = [Moment::AtThePassword, Moment::AtTheCode, Moment::BehindTheCode];

#[test]
fn su_and_sudo_that_are_stopped_hold_nobody_up() -> Outcome {
    let site = Site::here()?;
    let mut local = Local::start(site)?;
    let _turn = stacks(site, &local)?;
    let others = Others::of(site, &local)?;
    let before = others.slowest()?;
    let kinds = PROGRAMS.into_iter().flat_map(|program| MOMENTS.map(|moment| (program, moment)));
    let kinds = kinds.cycle().take(STOPPED);
    let sitting = kinds.map(|(program, moment)| Sitting::down(site, program, moment));
    let mut sitting: Vec<Sitting> = sitting.collect::<Result<_, _>>()?;
    sitting.iter_mut().try_for_each(Sitting::stop)?;
    let behind = sitting.iter().filter(|sitting| sitting.moment == Moment::BehindTheCode);
    let in_time = behind.filter(|sitting| !sitting.has_ended().unwrap_or(true)).count();
    let meanwhile = others.slowest()?;
    sitting.iter().try_for_each(Sitting::is_stopped)?;
    measured(&format!(
        "{STOPPED} su and sudo stopped at a question, {in_time} of them behind the last answer: others signed in \
         within {} ms by ssh and {} ms by sudo ({} and {} without)",
        meanwhile.ssh.as_millis(),
        meanwhile.sudo.as_millis(),
        before.ssh.as_millis(),
        before.sudo.as_millis()
    ));
    assert!(meanwhile.ssh.max(meanwhile.sudo) < LOGIN_MAX, "{meanwhile:?}");
    let goes_on = |(number, sitting): (usize, Sitting)| sitting.goes_on(site, number % WRONG_EVERY != 0);
    let ends: Vec<&str> = sitting.into_iter().enumerate().map(goes_on).collect::<Result<_, _>>()?;
    measured(&format!("these went on, with right codes and wrong ones: {}", ends.join(", ")));
    serves_still(site, &mut local)
}

/// A program that waits for an answer.
struct Sitting {
    call: Call,
    moment: Moment,
    terminal: Terminal,
}

impl Sitting {
    fn down(site: &Site, program: Program, moment: Moment) -> Result<Self, Failure> {
        let call = Call::of_somebody_new(site, program)?;
        let mut terminal = Terminal::start(&call.command())?;
        terminal.expect(&call.question())?;
        match moment {
            Moment::AtThePassword => {}
            Moment::AtTheCode | Moment::BehindTheCode => {
                terminal.send(SYSTEM_PASSWORD)?.expect(CODE)?;
            }
        }
        Ok(Self { call, moment, terminal })
    }

    /// The caller's own signal: the kernel lets them, for theirs is the real uid.
    fn signal(&self, name: &str) -> Outcome {
        let pid = self.terminal.pid().to_string();
        checked(&mut as_user(self.call.caller, "kill", &["-s", name, &pid])).map(drop)
    }

    fn stop(&mut self) -> Outcome {
        if self.moment == Moment::BehindTheCode {
            self.terminal.send(&self.call.user.code()?)?;
        }
        self.signal("STOP")?;
        wait_for("a stop", 10, || self.is_stopped().map_err(|failure| failure.to_string()))
    }

    /// One whose code is typed may have ended before.
    fn is_stopped(&self) -> Outcome {
        let stat = self.stat()?;
        match stat.contains(") T ") || self.moment == Moment::BehindTheCode && self.has_ended()? {
            true => Ok(()),
            false => Err(Failure::Unreadable { what: "the state T of a stopped program", found: stat }),
        }
    }

    fn has_ended(&self) -> Result<bool, Failure> {
        Ok(self.stat()?.contains(") Z "))
    }

    /// What proc(5) says of it.
    fn stat(&self) -> Result<String, Failure> {
        let file = format!("/proc/{}/stat", self.terminal.pid());
        fs::read_to_string(&file).map_err(Failure::file("read", file.as_ref()))
    }

    /// Whoever goes on with the right code is in, and nobody else; how it ended. Behind the code it is the right one.
    fn goes_on(mut self, site: &Site, with_right_code: bool) -> Result<&'static str, Failure> {
        self.signal("CONT")?;
        if self.moment == Moment::BehindTheCode {
            return self.ends();
        }
        if self.moment == Moment::AtThePassword {
            self.terminal.send(SYSTEM_PASSWORD)?.expect(CODE)?;
        }
        let ended = match with_right_code {
            true => self.terminal.send(&self.call.user.code()?)?.end()?,
            false => self.refused()?,
        };
        assert_eq!(self.call.is_in(&ended), with_right_code, "{:?} {ended:?}", self.moment);
        if with_right_code {
            self.call.is_recorded(site)?;
        }
        Ok(if with_right_code { "in" } else { "refused" })
    }

    /// In or refused: whether the request was done in time is a matter of the moment.
    fn ends(&mut self) -> Result<&'static str, Failure> {
        let ended = self.terminal.end()?;
        assert!(!has_crashed(&ended), "{ended:?}");
        Ok(if self.call.is_in(&ended) { "in" } else { "refused when stopped behind the code" })
    }

    fn refused(&mut self) -> Result<Ended, Failure> {
        let wrong = self.call.user.wrong_code()?;
        self.terminal.send(&wrong)?;
        for _ in 0..2 {
            self.terminal.expect(AGAIN)?.send(&wrong)?;
        }
        self.terminal.end()
    }
}

/// Who signs in meanwhile, each time somebody new.
struct Others<'a> {
    site: &'a Site,
    sshd: Sshd,
}

/// The slowest of some logins.
#[derive(Debug)]
struct Slowest {
    ssh: Duration,
    sudo: Duration,
}

impl<'a> Others<'a> {
    fn of(site: &'a Site, local: &Local) -> Result<Self, Failure> {
        let pam_service = "ssh-of-others";
        site.add_service(pam_service, &[local.line("own")])?;
        let sshd = Sshd::start(&site.machine, &SshdOptions { pam_service, lines: &[] })?;
        Ok(Self { site, sshd })
    }

    fn slowest(&self) -> Result<Slowest, Failure> {
        let mut slowest = Slowest { ssh: Duration::ZERO, sudo: Duration::ZERO };
        for _ in 0..TIMED {
            slowest.ssh = slowest.ssh.max(self.by_ssh()?);
            slowest.sudo = slowest.sudo.max(self.by_sudo()?);
        }
        Ok(slowest)
    }

    fn by_ssh(&self) -> Result<Duration, Failure> {
        let name = fresh_name();
        let user = self.site.add_user(name)?;
        let code = user.code()?;
        let begun = Instant::now();
        let mut ssh = self.sshd.ssh(name, "id -un")?;
        ssh.expect(PASSWORD)?.send(OWN_PASSWORD)?.expect(CODE)?.send(&code)?;
        let ended = ssh.end()?;
        assert!(ended.code == 0 && ended.transcript.trim_end().ends_with(name), "{ended:?}");
        Ok(begun.elapsed())
    }

    fn by_sudo(&self) -> Result<Duration, Failure> {
        let call = Call::of_somebody_new(self.site, Program::Sudo)?;
        let code = call.user.code()?;
        let begun = Instant::now();
        let ended = call.typed(&[&code])?;
        assert!(call.is_in(&ended), "{ended:?}");
        Ok(begun.elapsed())
    }
}
