//! A program of this machine as a gateway: it gets the message on its standard input, and its end says how it went.

use std::ffi::CString;
use std::time::Duration;

use common::address::Channel;
use common::gateway::Program;

use crate::child::{self, End};
use crate::escape::{Place, put};
use crate::failure::{Blame, Failure, Said, Trouble};
use crate::mail::mail;
use crate::parcel::{Parcel, SignIn};

/// What the program finds in its environment: nothing of ours.
const ENVIRONMENT: [&str; 2] = ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"];
/// Ends that say whose fault it was (sysexits.h): no such user, no such host, wrong data.
const EXITS_OF_MESSAGE: [i32; 3] = [65, 67, 68];

/// A program, ready to be run.
pub(crate) struct ProgramGateway {
    described: Program,
    patience: Duration,
}

impl ProgramGateway {
    pub(crate) const fn new(described: Program, patience: Duration) -> Self {
        Self { described, patience }
    }

    pub(crate) fn hand_over(&self, parcel: &Parcel) -> Result<Said, Failure> {
        let form = Failure::new(Trouble::Form, Blame::Message);
        let arguments = self.arguments(parcel).ok_or_else(|| form.clone())?;
        let input = self.input(parcel).ok_or(form)?;
        let environment: Vec<CString> = ENVIRONMENT.iter().filter_map(|it| CString::new(*it).ok()).collect();
        let ended = child::run(&arguments, &environment, &input, self.patience);
        let (end, output) = ended.map_err(|_| Failure::new(Trouble::NoProgram, Blame::Gateway))?;
        let failed = |trouble, blame| Err(Failure::new(trouble, blame).saying(&output));
        match end {
            End::Exited(0) => Ok(Said::new(&output)),
            // posix_spawn says 127 where it could not execute the file.
            End::Exited(127) => failed(Trouble::NoProgram, Blame::Gateway),
            End::Exited(code) if EXITS_OF_MESSAGE.contains(&code) => {
                failed(Trouble::Exit(code), Blame::Message)
            }
            End::Exited(code) => failed(Trouble::Exit(code), Blame::Unclear),
            End::Signalled(signal) => failed(Trouble::Signal(signal), Blame::Gateway),
            End::TimedOut => failed(Trouble::TimedOut, Blame::Gateway),
        }
    }

    /// The path and the arguments. Nothing secret is among them: other users can see them.
    fn arguments(&self, parcel: &Parcel) -> Option<Vec<CString>> {
        let nobody = SignIn { username: None, password: None };
        let filled = self.described.arguments.iter().map(|template| {
            template.fill(|value, out| {
                if value.may_be_seen() {
                    parcel.with(value, nobody, |text| put(text, Place::Argument, out));
                }
            })
        });
        std::iter::once(self.described.path.clone()).chain(filled).map(|it| CString::new(it).ok()).collect()
    }

    /// The text, or a whole mail where it delivers mail.
    fn input(&self, parcel: &Parcel) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        let text = || Some(parcel.text.expose().to_vec());
        let octets = match (parcel.channel, &self.described.from) {
            (Channel::Email, Some(from)) => mail(parcel, from).map(|mail| mail.formatted()),
            (Channel::Email, None) => None,
            (Channel::Sms | Channel::Call, _) => text(),
        };
        octets.map(zeroize::Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, Instant};

    use common::address::{Address, Channel, PhoneNumber};
    use common::gateway::Program;
    use common::template::Template;
    use common::{MessageId, Secret};

    use super::ProgramGateway;
    use crate::failure::{Blame, Failure, Said, Trouble};
    use crate::parcel::Parcel;

    fn run(script: &str, arguments: &[&str], patience: Duration) -> (Result<Said, Failure>, String) {
        let folder = tempfile::tempdir().unwrap();
        let (path, out) = (folder.path().join("call"), folder.path().join("out"));
        let script = script.replace("OUT", out.to_str().unwrap());
        fs::write(&path, format!("{script}\n")).unwrap();
        // Read by a shell: a child of another test may have it open for writing yet, and then it cannot be executed.
        let arguments = std::iter::once(path.to_str().unwrap()).chain(arguments.iter().copied());
        let arguments = arguments.map(|text| Template::parse(text).unwrap()).collect();
        let program = Program { path: "/bin/sh".to_owned(), arguments, from: None };
        let parcel = Parcel {
            id: MessageId::from_bytes([7; 16]),
            channel: Channel::Call,
            to: Address::Office(PhoneNumber::parse("+4915112345678").unwrap(), None),
            user: "alice".to_owned(),
            subject: String::new(),
            text: Secret::from("Your code is: 1, 2"),
            code: Some(Secret::from("12")),
        };
        let result = ProgramGateway::new(program, patience).hand_over(&parcel);
        (result, fs::read_to_string(out).unwrap_or_default())
    }

    const PATIENCE: Duration = Duration::from_secs(10);

    fn failed(script: &str, patience: Duration) -> Failure {
        match run(script, &[], patience).0 {
            Ok(_) => panic!("it should have failed"),
            Err(failure) => failure,
        }
    }

    #[test]
    fn the_message_comes_on_standard_input_and_nowhere_else() {
        let script = "{ for a; do echo \"<$a>\"; done; env | sort; cat; } > OUT";
        let (result, out) = run(script, &["--to={to}", "{digits}", "$(id); x", "{extension}"], PATIENCE);
        assert!(result.is_ok());
        assert!(out.starts_with("<--to=+4915112345678>\n<4915112345678>\n<$(id); x>\n<>\n"), "{out}");
        assert!(out.ends_with("Your code is: 1, 2"), "{out}");
        let environment: Vec<_> =
            out.lines().filter(|line| line.contains('=') && !line.starts_with('<')).collect();
        let ours = |line: &&str| !["PWD=", "_=", "SHLVL="].iter().any(|own| line.starts_with(own));
        let environment: Vec<_> = environment.into_iter().filter(ours).collect();
        assert_eq!(environment, ["LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin"]);
    }

    #[test]
    fn its_end_says_how_it_went_and_what_it_said_is_kept() {
        let failure = failed("echo no credit >&2; exit 3", PATIENCE);
        assert_eq!((failure.trouble, failure.blame), (Trouble::Exit(3), Blame::Unclear));
        assert_eq!(failure.said.expose(), Some("no credit"));
        assert_eq!(failed("exit 67", PATIENCE).blame, Blame::Message);
        assert_eq!(failed("kill -9 $$", PATIENCE).trouble, Trouble::Signal("SIGKILL"));
    }

    #[test]
    fn one_that_takes_too_long_is_ended_with_all_that_it_started() {
        let begun = Instant::now();
        let folder = tempfile::tempdir().unwrap();
        let late = folder.path().join("late");
        let script = format!("(sleep 3; touch {0}) & sleep 100; touch {0}", late.display());
        assert_eq!(failed(&script, Duration::from_millis(500)).trouble, Trouble::TimedOut);
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        while begun.elapsed() < Duration::from_secs(4) {
            assert!(!late.exists(), "a child of it lives on");
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_that_leaves_a_child_behind_with_its_output_keeps_nobody_waiting() {
        let begun = Instant::now();
        let (result, _) = run("sleep 100 & echo started", &[], PATIENCE);
        assert_eq!(result.ok().and_then(|said| said.expose().map(str::to_owned)).as_deref(), Some("started"));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[test]
    fn what_it_prints_is_bounded_and_one_that_reads_nothing_is_no_failure() {
        let failure = failed("head -c 1000000 /dev/zero | tr '\\0' x; exit 1", PATIENCE);
        assert_eq!(failure.said.expose().map(str::len), Some(400));
        assert!(run("exec <&-; exit 0", &[], PATIENCE).0.is_ok());
    }

    #[test]
    fn it_can_be_ended_by_signals_that_we_have_blocked() {
        let (result, out) = run("grep SigBlk /proc/self/status > OUT", &[], PATIENCE);
        assert!(result.is_ok());
        assert_eq!(out.trim(), "SigBlk:\t0000000000000000");
    }
}
