//! A gateway in a process of its own: our test program once more, sending what it hears line by line.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _, stdin, stdout};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use radius_protocol::Code;
use serde::{Deserialize, Serialize};
use test_ground::Failure;

use crate::post::wire::ask;
use crate::post::{GATE, Request};

/// Where the server listens: the name of an environment variable of the process.
const PORT: &str = "COUNTERSIGN_TEST_PORT";
/// What a line of ours begins with, among those of the test harness.
const MARK: &str = ">> ";

/// A running gateway; it is ended when dropped.
pub(crate) struct Gateway {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// An Access-Request to be sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) state: Vec<u8>,
    pub(crate) station: String,
}

/// The kind of an answer and its State.
type Answer = (String, Vec<u8>);

impl Gateway {
    /// Starts this test program with the ignored test `test`, whose body is [`be_a_gateway`].
    pub(crate) fn start(test: &str, port: u16) -> Result<Self, Failure> {
        let failed = |source| Failure::Start { command: "a gateway".to_owned(), source };
        let mut command = Command::new(env::current_exe().map_err(failed)?);
        command.args(["--exact", "--ignored", "--nocapture", test]).env(PORT, port.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let (input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// Sends a request, and says what came back: `Access-Accept`, … and the State.
    pub(crate) fn ask(&mut self, question: &Question) -> Result<Answer, Failure> {
        let words = serde_json::to_string(question).expect("JSON");
        writeln!(self.input, "{words}").map_err(Failure::file("write to", Path::new("a gateway")))?;
        loop {
            let mut line = String::new();
            let octets = self.output.read_line(&mut line);
            let octets = octets.map_err(Failure::file("read from", Path::new("a gateway")))?;
            if octets == 0 {
                return Err(Failure::Unreadable { what: "an answer of a gateway", found: line });
            }
            if let Some((_, words)) = line.split_once(MARK) {
                return serde_json::from_str(words.trim())
                    .map_err(|_| Failure::Unreadable { what: "an answer", found: line });
            }
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The whole life of the process.
pub(crate) fn be_a_gateway() {
    let port = env::var(PORT).expect("a port").parse().expect("a port");
    for line in stdin().lines() {
        let question: Question = serde_json::from_str(&line.expect("a line")).expect("a question");
        let request = Request {
            from: GATE,
            name: question.name.as_bytes(),
            password: &question.password,
            state: &question.state,
            station: question.station.as_bytes(),
        };
        let (code, state) = ask(port, &request);
        let answer: Answer = (name_of(code).to_owned(), state);
        writeln!(stdout(), "\n{MARK}{}", serde_json::to_string(&answer).expect("JSON")).expect("a reader");
    }
}

fn name_of(code: Code) -> &'static str {
    match code {
        Code::AccessAccept => "Access-Accept",
        Code::AccessReject => "Access-Reject",
        Code::AccessChallenge => "Access-Challenge",
        _ => "something else",
    }
}
