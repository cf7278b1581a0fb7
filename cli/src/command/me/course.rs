//! Where a conversation stands, and what comes next in it: a question to the user, or words that were given on the command
//! line.

use assembly::local::wire::Ground;
use common::session::Asked;
use common::text;

use crate::command::Outcome;
use crate::failure::Failure;

/// Said where a code of what is there comes first.
const REGISTERED_BEFORE: &str = "You are registered already. After a code of what you have you can add one more; Ctrl-C leaves everything as \
     it is.\n";
/// Said at the end of a registration.
const REGISTERED: &str = "You are registered. From now on the next code of it signs you in.";

/// A conversation.
#[derive(Debug)]
pub(super) struct Course {
    wish: Wish,
    /// What the last question asked for.
    last: Option<Asked>,
    outcome: Outcome,
}

/// What the user wants of it.
#[derive(Debug)]
enum Wish {
    /// Whatever is typed.
    Conversation,
    /// To register.
    Registration,
    /// This command.
    Command(String),
    /// Nothing more: the command has been sent.
    End,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// Ask the user, after these words.
    Ask {
        /// The words, with their line end.
        before: &'static str,
    },
    /// Send these words.
    Send {
        /// The words.
        words: String,
        /// What was said before, as that few recovery codes are left.
        said: &'a str,
    },
    /// Say this and leave.
    Finish {
        /// What the command came to.
        said: &'a str,
    },
}

impl Course {
    /// Whatever the user types.
    pub(super) const fn conversation() -> Self {
        Self::new(Wish::Conversation)
    }

    /// One command.
    pub(super) fn command(command: &str) -> Self {
        Self::new(Wish::Command(command.to_owned()))
    }

    /// A registration; one more, where something is registered.
    pub(super) const fn registration() -> Self {
        Self::new(Wish::Registration)
    }

    const fn new(wish: Wish) -> Self {
        Self { wish, last: None, outcome: Outcome::Done }
    }

    /// A question has come.
    pub(super) fn next<'a>(&mut self, asked: Asked, text: &'a str) -> Result<Next<'a>, Failure> {
        let is_first = self.last.replace(asked).is_none();
        let is_unregistered = is_first && (asked == Asked::Invitation || text == text::OVERDUE);
        match asked {
            Asked::Command | Asked::CommandAgain => Ok(self.command_asked(asked, text)),
            Asked::Proof | Asked::Invitation | Asked::Step => match self.wish {
                Wish::Command(_) if is_unregistered => Err(Failure::NothingRegistered),
                Wish::Registration if is_first && !is_unregistered => {
                    Ok(Next::Ask { before: REGISTERED_BEFORE })
                }
                Wish::Conversation | Wish::Registration | Wish::Command(_) | Wish::End => {
                    Ok(Next::Ask { before: "" })
                }
            },
        }
    }

    fn command_asked<'a>(&mut self, asked: Asked, text: &'a str) -> Next<'a> {
        let said = text.strip_suffix(text::COMMAND).unwrap_or(text);
        match std::mem::replace(&mut self.wish, Wish::End) {
            Wish::Command(words) => Next::Send { words, said },
            Wish::Registration => Next::Send { words: "add".to_owned(), said },
            Wish::Conversation => {
                self.wish = Wish::Conversation;
                Next::Ask { before: "" }
            }
            Wish::End => {
                if asked == Asked::CommandAgain {
                    self.outcome = Outcome::Refused;
                }
                let is_left = said.is_empty() && asked == Asked::CommandAgain;
                Next::Finish { said: if is_left { "Nothing was changed." } else { said } }
            }
        }
    }

    /// It was accepted: what is said of that.
    pub(super) fn accepted(&mut self, grounds: Ground) -> Result<&'static str, Failure> {
        match (grounds, self.last, &self.wish) {
            (Ground::PolicyAlone | Ground::PrimaryAlone, None, _) => Err(Failure::NotOffered),
            (Ground::PolicyAlone | Ground::PrimaryAlone, Some(_), _) => Err(Failure::NotRegisteredNow),
            (_, Some(Asked::Command | Asked::CommandAgain), _) => Ok(""),
            (_, _, Wish::Command(_)) => Err(Failure::RegisteredFirst),
            (_, _, Wish::Conversation | Wish::Registration | Wish::End) => Ok(REGISTERED),
        }
    }

    /// How it ended.
    pub(super) const fn outcome(&self) -> Outcome {
        self.outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: Next<'_> = Next::Ask { before: "" };

    fn sends(words: &str) -> Next<'static> {
        Next::Send { words: words.to_owned(), said: "" }
    }

    fn ask(course: &mut Course, asked: Asked, text: &'static str) -> Next<'static> {
        course.next(asked, text).unwrap()
    }

    #[test]
    fn a_command_is_sent_after_the_code_and_its_answer_ends_it() {
        let said = "1 app\n3 recovery codes left\nCommand (? for help, Enter to finish): ";
        for (asked, outcome) in [(Asked::Command, Outcome::Done), (Asked::CommandAgain, Outcome::Refused)] {
            let mut course = Course::command("list");
            assert_eq!(ask(&mut course, Asked::Proof, text::CODE), ASK);
            assert_eq!(ask(&mut course, Asked::Command, text::COMMAND), sends("list"));
            let end = Next::Finish { said: "1 app\n3 recovery codes left\n" };
            assert_eq!(ask(&mut course, asked, said), end);
            assert_eq!(course.accepted(Ground::SecondProof).unwrap(), "");
            assert_eq!(course.outcome(), outcome);
        }
    }

    #[test]
    fn what_a_command_asks_is_asked_on() {
        let mut course = Course::command("add");
        assert_eq!(ask(&mut course, Asked::Proof, text::CODE), ASK);
        assert_eq!(ask(&mut course, Asked::Command, text::COMMAND), sends("add"));
        assert_eq!(ask(&mut course, Asked::Step, "Number: "), ASK);
        let end = Next::Finish { said: "Nothing was changed." };
        assert_eq!(ask(&mut course, Asked::CommandAgain, text::COMMAND), end, "it was left");
        assert_eq!(course.outcome(), Outcome::Refused);
    }

    #[test]
    fn whoever_has_nothing_is_told_to_register_before_a_command() {
        for (asked, text) in [(Asked::Invitation, "This account needs"), (Asked::Proof, text::OVERDUE)] {
            let mut course = Course::command("list");
            assert!(matches!(course.next(asked, text), Err(Failure::NothingRegistered)));
            assert_eq!(ask(&mut Course::registration(), asked, text), ASK);
            assert_eq!(ask(&mut Course::conversation(), asked, text), ASK);
        }
    }

    #[test]
    fn whoever_is_registered_hears_that_and_may_add_one() {
        let mut course = Course::registration();
        let before = Next::Ask { before: REGISTERED_BEFORE };
        assert_eq!(ask(&mut course, Asked::Proof, text::CODE), before);
        assert_eq!(ask(&mut course, Asked::Proof, text::CODE_AGAIN), ASK, "said once");
        assert_eq!(ask(&mut course, Asked::Command, text::COMMAND), sends("add"));
    }

    #[test]
    fn an_end_without_a_registration_is_none() {
        let mut course = Course::registration();
        assert!(matches!(course.accepted(Ground::PolicyAlone), Err(Failure::NotOffered)));
        let _ = ask(&mut course, Asked::Invitation, "This account needs");
        assert!(matches!(course.accepted(Ground::PolicyAlone), Err(Failure::NotRegisteredNow)));
        let _ = ask(&mut course, Asked::Step, "ok: ");
        assert_eq!(course.accepted(Ground::SecondProof).unwrap(), REGISTERED);
        let mut course = Course::command("list");
        let _ = ask(&mut course, Asked::Proof, text::CODE);
        let _ = ask(&mut course, Asked::Step, "Number: ");
        assert!(matches!(course.accepted(Ground::SecondProof), Err(Failure::RegisteredFirst)));
    }
}
