//! Clients that hang up at every moment of a dialogue: at each prompt, right after each answer, with and without a good
//! bye. Whoever comes meanwhile signs in as fast as ever.

use std::fmt;
use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use test_ground::{Failure, Outcome, Sshd, SshdOptions, Terminal, measured};

use crate::collector::Form;
use crate::contenders::{Dice, Pamtester, Shift, add_crowd, name_of};
use crate::post::{CODE, Heard, PASSWORD, Post, Request};
use crate::{WORK, pam, radius, transaction};

/// Of each kind of hanging up.
const OF_EACH: usize = 12;
/// By ssh, each of which costs two processes of sshd.
const BY_SSH: usize = 3;
/// Challenges that nobody answers.
const UNANSWERED: usize = 300;
/// Logins that are timed, before and meanwhile, by each door.
const TIMED: usize = 10;
/// What one of them may take. A login that waited for somebody would take a deadline of the lock, or for ever.
const LOGIN_MAX: Duration = Duration::from_secs(3);
/// A collector that nobody has started.
const NO_COLLECTOR: &str = "unix:/run/no-collector";

/// Where the client is when it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    AtThePassword,
    /// At some moment after it was sent.
    AfterThePassword,
    AtTheCode,
    AfterTheCode,
}

const MOMENTS: [Moment; 4] =
    [Moment::AtThePassword, Moment::AfterThePassword, Moment::AtTheCode, Moment::AfterTheCode];

/// How it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Killed,
    /// It stands still for as long as the test goes on.
    Stopped,
}

#[test]
fn a_client_that_hangs_up_at_any_moment_blocks_nobody() -> Outcome {
    let place = Place::open()?;
    let mut shift = Shift::new("bystander", 0..4 * TIMED);
    let before = place.times(&mut shift)?;
    let mut hanging = Vec::new();
    place.hang_up_by_pam(&mut hanging)?;
    place.hang_up_by_ssh()?;
    place.leave_challenges_unanswered()?;
    place.reset_connections()?;
    let meanwhile = place.times(&mut shift)?;
    place.somebody_comes_by_ssh()?;
    measured(&format!(
        "clients that hang up: {} pamtesters killed and {} standing still at four moments, {} ssh killed, {UNANSWERED} \
         challenges unanswered, {OF_EACH} connections reset; a login by another meanwhile takes {meanwhile} (before: \
         {before})",
        MOMENTS.len() * OF_EACH,
        hanging.len(),
        MOMENTS.len() * BY_SSH,
    ));
    assert!(meanwhile.longest() < LOGIN_MAX, "{meanwhile}");
    Ok(())
}

/// How long logins took, by each door.
#[derive(Default)]
struct Times {
    pam: Vec<Duration>,
    radius: Vec<Duration>,
}

impl Times {
    fn longest(&self) -> Duration {
        self.pam.iter().chain(&self.radius).max().copied().unwrap_or_default()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let median = |times: &[Duration]| {
            let mut sorted = times.to_vec();
            sorted.sort_unstable();
            sorted.get(sorted.len() / 2).map_or(0, Duration::as_millis)
        };
        let (pam, radius, longest) = (median(&self.pam), median(&self.radius), self.longest().as_millis());
        write!(formatter, "{pam} ms by PAM, {radius} ms by RADIUS, {longest} ms at most")
    }
}

/// A post, and a real sshd in front of it.
struct Place {
    post: Post,
    sshd: Sshd,
}

impl Place {
    fn open() -> Result<Self, Failure> {
        let post = Post::open(NO_COLLECTOR, Form::Rfc5424)?;
        add_crowd(&post, "bystander", 4 * TIMED)?;
        add_crowd(&post, "leaver", MOMENTS.len() * OF_EACH)?;
        for user in [name_of("leaver", 0), name_of("bystander", 0)] {
            post.machine.add_user(&user, PASSWORD)?;
        }
        let settings = post.settings();
        let auth = format!("auth required pam_countersign.so primary=own config={}", settings.display());
        let lines = [&*auth, "account required pam_permit.so", "session required pam_permit.so"];
        post.machine.write_pam_service("door", &lines)?;
        let sshd = Sshd::start(&post.machine, &SshdOptions { pam_service: "door", lines: &[] })?;
        Ok(Self { post, sshd })
    }

    /// Logins of people who have nothing to do with it.
    fn times(&self, shift: &mut Shift) -> Result<Times, Failure> {
        let mut times = Times::default();
        for _ in 0..TIMED {
            let (user, code) = shift.next()?.expect("enough people");
            let begun = Instant::now();
            assert!(pam(&self.post.service(), &user, &code)?, "{user} by PAM");
            times.pam.push(begun.elapsed());
            let (user, code) = shift.next()?.expect("enough people");
            let begun = Instant::now();
            assert_eq!(radius(self.post.port(), &user, &code), Heard::Accept, "{user} by RADIUS");
            times.radius.push(begun.elapsed());
        }
        Ok(times)
    }

    /// Those who stand still are handed over. Whoever was killed had no time to say good bye.
    fn hang_up_by_pam(&self, standing: &mut Vec<Pamtester>) -> Outcome {
        let mut dice = Dice(7);
        for (number, moment) in MOMENTS.into_iter().cycle().take(MOMENTS.len() * OF_EACH).enumerate() {
            let user = name_of("leaver", number);
            // A process of root that stands still inside of the store's lock would be an administrator's doing; at a
            // prompt nothing is held.
            let at_prompt = matches!(moment, Moment::AtThePassword | Moment::AtTheCode);
            let ends: &[End] = if at_prompt { &[End::Killed, End::Stopped] } else { &[End::Killed] };
            for end in ends {
                let mut pamtester = Pamtester::start(&self.post.service(), &user, "192.0.2.66")?;
                goes_to(&mut pamtester, moment)?;
                if !at_prompt {
                    thread::sleep(dice.moment(WORK));
                }
                match end {
                    End::Killed => drop(pamtester),
                    End::Stopped => {
                        signal(&pamtester, Signal::SIGSTOP)?;
                        standing.push(pamtester);
                    }
                }
            }
        }
        Ok(())
    }

    fn hang_up_by_ssh(&self) -> Outcome {
        let mut dice = Dice(8);
        for moment in MOMENTS.into_iter().cycle().take(MOMENTS.len() * BY_SSH) {
            let mut ssh = self.sshd.ssh(&name_of("leaver", 0), "true")?;
            ssh.expect(transaction::PASSWORD.trim())?;
            if moment != Moment::AtThePassword {
                ssh.send(PASSWORD)?;
            }
            if matches!(moment, Moment::AtTheCode | Moment::AfterTheCode) {
                ssh.expect(CODE.trim())?;
            }
            if moment == Moment::AfterTheCode {
                ssh.send("000000")?;
            }
            if matches!(moment, Moment::AfterThePassword | Moment::AfterTheCode) {
                thread::sleep(dice.moment(WORK));
            }
            ssh.vanish()?;
        }
        Ok(())
    }

    fn leave_challenges_unanswered(&self) -> Outcome {
        for number in 0..UNANSWERED {
            let user = name_of("leaver", number % (MOMENTS.len() * OF_EACH));
            let login = Request { name: user.as_bytes(), password: PASSWORD, ..Request::default() };
            assert_eq!(self.post.radius(&login)?.0, Heard::Question, "{user}");
        }
        Ok(())
    }

    /// A socket that is closed with something unread in it ends its connection by a reset (RFC 2525 §2.17).
    fn reset_connections(&self) -> Outcome {
        let sshd = Path::new("sshd");
        for _ in 0..OF_EACH {
            let connection = TcpStream::connect(("127.0.0.1", self.sshd.port()));
            let mut connection = connection.map_err(Failure::file("connect to", sshd))?;
            // One octet of its greeting; the rest of it is what is not read.
            connection.read_exact(&mut [0]).map_err(Failure::file("read from", sshd))?;
        }
        Ok(())
    }

    fn somebody_comes_by_ssh(&self) -> Outcome {
        let code = crate::post::next_code()?;
        let begun = Instant::now();
        let mut ssh: Terminal = self.sshd.ssh(&name_of("bystander", 0), "echo signed in")?;
        ssh.expect(transaction::PASSWORD.trim())?.send(PASSWORD)?.expect(CODE.trim())?.send(&code)?;
        ssh.expect("signed in")?;
        assert!(begun.elapsed() < LOGIN_MAX, "{:?}", begun.elapsed());
        Ok(())
    }
}

fn goes_to(pamtester: &mut Pamtester, moment: Moment) -> Outcome {
    pamtester.expect(transaction::PASSWORD)?;
    match moment {
        Moment::AtThePassword => {}
        Moment::AfterThePassword => drop(pamtester.send(PASSWORD)?),
        Moment::AtTheCode => drop(pamtester.send(PASSWORD)?.expect(CODE)?),
        Moment::AfterTheCode => drop(pamtester.send(PASSWORD)?.expect(CODE)?.send("000000")?),
    }
    Ok(())
}

fn signal(pamtester: &Pamtester, signal: Signal) -> Outcome {
    let pid = i32::try_from(pamtester.pid()).unwrap_or(i32::MAX);
    kill(Pid::from_raw(pid), signal)
        .map_err(|errno| Failure::Kernel { operation: "stop pamtester".to_owned(), source: errno })
}
