//! `countersign me` and `countersign register`: what users do for themselves. countersign-local decides and writes; here
//! are no store, no key, no settings, and no rights beyond the user's own.

mod course;
mod desk;

use std::path::PathBuf;

use assembly::config;
use assembly::local::wire::Question;
use assembly::local::{Reply, Round};
use clap::Args;
use common::session::Asked;
use common::{Answer, Secret, text};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Report, harmless};
use crate::terminal::{self, Seat};
use course::{Course, Next};
use desk::Desk;

/// What a missing answer is called.
const ANSWER: &str = "answer to the next question";

/// Arguments of `me`.
#[derive(Args)]
#[command(after_help = COMMANDS)]
pub(crate) struct Arguments {
    /// One command, as it would be typed at the prompt; without it, the prompt.
    command: Vec<String>,
    #[command(flatten)]
    place: ServicePlace,
}

/// Where countersign-local is.
#[derive(Args)]
pub(crate) struct ServicePlace {
    /// The socket of countersign-local.
    #[arg(long, value_name = "PATH", default_value = config::paths::LOCAL_SOCKET)]
    socket: PathBuf,
}

const COMMANDS: &str = "Commands:\n  \
    list [PAGE]           what is registered, and how many recovery codes are left\n  \
    add                   register one more app, number or mail address\n  \
    change N              put another one in the place of number N\n  \
    remove N              remove number N; the last one stays\n  \
    default N             the one that is used where you name none\n  \
    label N NAME          give number N another name\n  \
    codes                 new recovery codes; the old ones are void\n  \
    passwords [PAGE]      your app passwords\n  \
    password PLACE NAME   a new app password, shown once\n  \
    revoke N              end app password number N\n  \
    sign-ins              your last sign-ins";

/// Runs `me`.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<Outcome, Failure> {
    let command = arguments.command.join(" ");
    let course = match command.trim() {
        "" => Course::conversation(),
        command => Course::command(command),
    };
    hold(context, &arguments.place, course)
}

/// Runs `register`.
pub(crate) fn register(context: &Context, place: &ServicePlace) -> Result<Outcome, Failure> {
    hold(context, place, Course::registration())
}

/// Asks until it is over; whoever decides bounds the rounds.
fn hold(context: &Context, place: &ServicePlace, mut course: Course) -> Result<Outcome, Failure> {
    let desk = Desk::of_caller(context, place.socket.clone())?;
    let mut reply = desk.round(Round::Begin(None))?;
    loop {
        let (session, question) = match reply {
            Reply::Ask { session, question, manner: _ } => (session, question),
            Reply::Accept { grounds, manner: _ } => {
                let said = course.accepted(grounds)?;
                if !said.is_empty() {
                    context.say(&Said::new(said))?;
                }
                return Ok(course.outcome());
            }
            Reply::Reject => return Err(Failure::NotAccepted),
            Reply::Unavailable
            | Reply::Taken
            | Reply::Abandoned
            | Reply::Hindered(_)
            | Reply::Busy
            | Reply::NotMine => return Err(Failure::NotTold),
        };
        let answer = answer(context, &mut course, &question).inspect_err(|_| {
            // That nobody hears of it changes nothing for anybody.
            let _ = desk.round(Round::Abandon(session.clone()));
        })?;
        reply = desk.round(Round::Answer(session, Answer::from_octets(answer)))?;
    }
}

fn answer(context: &Context, course: &mut Course, question: &Question) -> Result<Secret, Failure> {
    let text = question.text.expose_text().unwrap_or_default();
    match course.next(question.asked, text)? {
        Next::Ask { before } => {
            terminal::remark(before)?;
            ask(context, question, text)
        }
        Next::Send { words, said } => {
            terminal::remark(&harmless(said))?;
            Ok(Secret::from(words))
        }
        Next::Finish { said } => {
            if !said.is_empty() {
                context.say(&Said::new(said))?;
            }
            Ok(Secret::from("done"))
        }
    }
}

/// Codes are hidden. What is typed on the way through a registration, and commands, may be seen by whoever sees what
/// they bring about.
fn ask(context: &Context, question: &Question, text: &str) -> Result<Secret, Failure> {
    let shown = Zeroizing::new(harmless(text));
    if let Some(uri) = &question.qr {
        terminal::draw(uri)?;
    }
    if terminal::seat() == Seat::Script && ![text::CODE, text::CODE_AGAIN, text::OVERDUE].contains(&text) {
        // Scripts see no questions; but here are keys and what a command came to.
        context.say(&Said::new(text))?;
    }
    match question.asked {
        Asked::Proof | Asked::Invitation => terminal::secret(&shown, ANSWER),
        Asked::Step | Asked::Command | Asked::CommandAgain => {
            terminal::answer(&shown, ANSWER).map(Secret::from)
        }
    }
}

/// What came back.
#[derive(Serialize)]
struct Said {
    said: Zeroizing<String>,
}

impl Said {
    fn new(text: &str) -> Self {
        Self { said: Zeroizing::new(text.trim_end().to_owned()) }
    }
}

impl Report for Said {
    fn text(&self) -> String {
        format!("{}\n", self.said.as_str())
    }
}
