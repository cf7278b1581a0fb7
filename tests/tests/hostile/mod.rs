//! Callers that mean harm on the socket itself, or that stand still. Nobody gets in by it, and whoever comes meanwhile
//! signs in as ever. What su and sudo do with the limits of such a caller is in the module `setuid`.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use test_ground::{Failure, Outcome, Terminal, checked, measured, wait_for};

use crate::local::{Local, as_user, tried_by};
use crate::site::{CODE, OWN_PASSWORD, Site};
use crate::transaction::{PASSWORD, at};

/// What a login of somebody else may take meanwhile. One that had to wait for a hostile caller would wait for the second
/// that a request may take, and more than once.
const LOGIN_MAX: Duration = Duration::from_secs(2);

/// Logins that are timed.
const TIMED: usize = 5;

/// What a program of a user does on the socket, in Perl, which every Debian has.
const ON_THE_SOCKET: [(&str, &str); 5] = [
    ("connects and says nothing", "while (1) { push @c, c(); shift @c if @c > 300 }"),
    (
        "sends an octet at a time",
        "while (1) { push @c, c() while @c < 4; syswrite $_, \"\\0\" for @c; select undef, undef, undef, .1; \
         shift @c if rand() < .1 }",
    ),
    ("sends what is no request", "while (1) { my $s = c(); syswrite $s, pack('n', 200) . 'x' x 200 }"),
    // As the module would ask, in version 3 of the frames and postcard: settings, service, user, no source, primary=own, a
    // caller, the beginning.
    (
        "asks for root again and again",
        "sub t { chr(length $_[0]) . $_[0] } \
         my $b = \"\\3\" . t('/etc/countersign/countersign.toml') . t('lock') . t('root') . \"\\0\\0\\0\\0\\0\"; \
         while (1) { my $s = c(); syswrite $s, pack('n', length $b) . $b; sysread $s, my $r, 99; sysread $s, $r, 99 }",
    ),
    ("hangs up in the middle", "while (1) { my $s = c(); syswrite $s, pack('n', 200) . \"\\3\\3abc\" }"),
];

#[test]
fn who_sits_on_the_socket_holds_nobody_up() -> Outcome {
    let site = Site::here()?;
    site.machine.add_user("moth", "none")?;
    let mut local = Local::start(site)?;
    let bystanders = Bystanders::of(site, &local, "bystander-of-noise")?;
    let before = bystanders.slowest()?;
    for (what, script) in ON_THE_SOCKET {
        let noise = Noise::start(&local.socket, script)?;
        let slowest = bystanders.slowest()?;
        drop(noise);
        measured(&format!(
            "somebody {what}: others signed in within {} ms ({} ms without)",
            slowest.as_millis(),
            before.as_millis()
        ));
        assert!(slowest < LOGIN_MAX, "{what}: {slowest:?}");
    }
    local.signal(Signal::SIGUSR1)?;
    wait_for("the counters", 10, || match local.output() {
        Ok(said) if said.contains(" not-the-caller=") => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    let said = local.output()?;
    for counter in
        ["not-the-caller", "not-recorded", "too-many-connections-of-user", "hung-up", "frame-version"]
    {
        assert!(!said.contains(&format!(" {counter}=0 ")), "{counter}: {said}");
    }
    local.stop()
}

/// A program of somebody with a shell, until this goes.
struct Noise(Vec<Child>);

impl Noise {
    fn start(socket: &Path, script: &str) -> Result<Self, Failure> {
        let script = format!(
            "$SIG{{PIPE}} = 'IGNORE'; \
             sub c {{ IO::Socket::UNIX->new(Peer => '{}', Type => SOCK_STREAM) || IO::Handle->new }} {script}",
            socket.display()
        );
        let start = |_| {
            let mut command = as_user("moth", "perl", &["-MIO::Socket::UNIX", "-e", &script]);
            let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            child.map_err(|source| Failure::Start { command: "perl".to_owned(), source })
        };
        (0..2).map(start).collect::<Result<_, _>>().map(Self)
    }
}

impl Drop for Noise {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself; nothing is left to do then.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn programs_that_are_stopped_hold_nobody_up() -> Outcome {
    let site = Site::here()?;
    site.add_user("sleeper")?;
    let mut local = Local::start(site)?;
    let bystanders = Bystanders::of(site, &local, "bystander-of-sleepers")?;
    let before = bystanders.slowest()?;
    let mut stopped = Vec::new();
    for _ in 0..20 {
        let mut su = Terminal::start(&as_user(
            "sleeper",
            "pamtester",
            &["bystander-of-sleepers", "sleeper", "authenticate"],
        ))?;
        su.expect(PASSWORD)?;
        stopped.push(su);
    }
    checked(Command::new("pkill").args(["-STOP", "-u", "sleeper"]))?;
    let slowest = bystanders.slowest()?;
    measured(&format!(
        "twenty programs stopped at a question: others signed in within {} ms ({} ms without)",
        slowest.as_millis(),
        before.as_millis()
    ));
    assert!(slowest < LOGIN_MAX, "{slowest:?}");
    local.stop()
}

/// Ordinary users and root, who sign in meanwhile at a service of one socket.
struct Bystanders<'a> {
    site: &'a Site,
    service: &'a str,
}

/// How many people have signed in: each does so once, so that nobody has to wait for a code.
static SIGNED_IN: AtomicUsize = AtomicUsize::new(0);

impl<'a> Bystanders<'a> {
    fn of(site: &'a Site, local: &Local, service: &'a str) -> Result<Self, Failure> {
        site.add_service(service, &[local.line("own")])?;
        Ok(Self { site, service })
    }

    /// The time of the slowest of some right logins, some of them root's.
    fn slowest(&self) -> Result<Duration, Failure> {
        let mut slowest = Duration::ZERO;
        for number in 0..TIMED {
            let name = fresh_name();
            let user = self.site.add_user(name)?;
            let right = [(PASSWORD, OWN_PASSWORD), (CODE, &*user.code()?)];
            let begun = Instant::now();
            let code = match number % 2 {
                0 => tried_by(name, self.service, name, &right)?.0,
                _ => at(self.service, name).login(&right)?.0,
            };
            slowest = slowest.max(begun.elapsed());
            assert_eq!(code, "PAM_SUCCESS", "{name}");
        }
        Ok(slowest)
    }
}

/// `crowdaa`, `crowdab` and so on: letters of base32.
pub(crate) fn fresh_name() -> &'static str {
    let number = SIGNED_IN.fetch_add(1, Ordering::Relaxed);
    let letters = b'a'..=b'z';
    let pairs =
        letters.clone().flat_map(|one| letters.clone().map(move |two| [char::from(one), char::from(two)]));
    let [one, two] = pairs.cycle().nth(number).expect("a cycle has no end");
    Box::leak(format!("crowd{one}{two}").into_boxed_str())
}
