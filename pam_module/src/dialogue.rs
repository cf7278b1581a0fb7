//! Carries questions and answers between whoever decides and the user until there is a verdict.

use std::thread::sleep;
use std::time::Instant;

use assembly::local::wire::{Ground, Manner, Words};
use assembly::local::{Hindered, Reply, Round};
use common::{Answer, PrimaryMode, Secret, login};

use crate::desk::Desk;
use crate::hindrance::Hindrance;
use crate::transaction::{Application, Transaction};
use crate::{answer, picture};

/// How a login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Ending {
    /// Yes, on these grounds.
    Accept(Ground),
    /// No.
    Reject,
    /// Could not tell.
    Unavailable,
}

/// A login in progress.
pub(crate) struct Dialogue {
    desk: Desk,
    application: Application,
    /// The first password, once it is known: from an earlier module, or from our own first question.
    password: Option<Secret>,
}

impl Dialogue {
    pub(crate) const fn new(desk: Desk, application: Application) -> Self {
        Self { desk, application, password: None }
    }

    /// Asks until it is decided; the core bounds the rounds. The user may go away at any question.
    pub(crate) fn hold(mut self, transaction: &mut Transaction<'_>) -> Result<Ending, Hindrance> {
        let mut round = Round::Begin(self.first_answer(transaction));
        let mut floor = None;
        loop {
            let reply = self.desk.round(round)?;
            if let (Some(floor), Reply::Ask { .. } | Reply::Reject) = (floor, &reply) {
                // The time must not tell which names exist, nor to whom codes go. Nobody but this one user waits.
                sleep(Instant::saturating_duration_since(&floor, Instant::now()));
            }
            let (session, question, manner) = match reply {
                Reply::Ask { session, question, manner } => (session, question, manner),
                Reply::Accept { grounds, manner } => {
                    self.leave_password(transaction, grounds, manner);
                    return Ok(Ending::Accept(grounds));
                }
                Reply::Reject => return Ok(Ending::Reject),
                Reply::Hindered(Hindered::AnothersPassword) => return Err(Hindrance::AnothersPassword),
                Reply::Hindered(Hindered::AnotherUser) => return Err(Hindrance::AnotherUser),
                Reply::Unavailable | Reply::Taken | Reply::Abandoned | Reply::Busy | Reply::NotMine => {
                    return Ok(Ending::Unavailable);
                }
            };
            let Ok(typed) = picture::ask(transaction, &question) else {
                // That nobody hears of it changes nothing for anybody.
                let _ = self.desk.round(Round::Abandon(session));
                return Err(Hindrance::Conversation);
            };
            if self.application == Application::Sshd && answer::is_of_sshd(&typed) {
                transaction.note_barred();
            }
            floor = Instant::now().checked_add(manner.floor());
            round = Round::Answer(session, self.sort(typed, question.words));
        }
    }

    fn primary(&self) -> PrimaryMode {
        self.desk.errand().primary
    }

    /// What an earlier module has asked for already. Where that module refused it, it may still be an app password.
    fn first_answer(&mut self, transaction: &Transaction<'_>) -> Option<Answer> {
        match self.primary() {
            PrimaryMode::Own => None,
            PrimaryMode::Stack | PrimaryMode::None => {
                self.password = transaction.token();
                None
            }
            PrimaryMode::Failed => {
                self.password = transaction.token();
                self.password.clone().map(answer::to_password)
            }
        }
    }

    /// Sorts an answer; the first one to us is the password that later ones must not repeat.
    fn sort(&mut self, typed: Secret, words: Words) -> Answer {
        let is_first = self.primary() == PrimaryMode::Own && self.password.is_none();
        if is_first {
            self.password = Some(typed.clone());
            return answer::to_password(typed);
        }
        let words = match self.application {
            Application::Sshd => words,
            Application::Other => Words::Heard,
        };
        answer::to_code(typed, self.password.as_ref(), words)
    }

    /// A password that we asked for ourselves is left to later modules (a keyring): never a code or an app password.
    fn leave_password(&self, transaction: &mut Transaction<'_>, grounds: Ground, manner: Manner) {
        let (Some(typed), PrimaryMode::Own) = (&self.password, self.primary()) else { return };
        match grounds {
            Ground::BothProofs => transaction.set_token(&login::password_in(typed, manner.appended)),
            Ground::PrimaryAlone => transaction.set_token(typed),
            Ground::AppPassword | Ground::SecondProof | Ground::PolicyAlone => {}
        }
    }
}
