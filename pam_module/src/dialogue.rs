//! Carries questions and answers between the core and the user until there is a verdict.

use common::attempt::Dialogue as Mode;
use common::engine::{Engine, Reply};
use common::{Accept, Answer, Attempt, Grounds, PrimaryMode, Secret, Verdict, login};

use crate::answer::{self, Words};
use crate::transaction::{Application, NobodyAnswers, Transaction};

/// A login in progress.
pub(crate) struct Dialogue<'a> {
    engine: &'a Engine,
    attempt: &'a Attempt,
    /// The first password, once it is known: from an earlier module, or from our own first question.
    password: Option<Secret>,
    words: Words,
}

impl<'a> Dialogue<'a> {
    pub(crate) fn new(engine: &'a Engine, attempt: &'a Attempt, application: Application) -> Self {
        let words = match (application, attempt.profile.dialogue) {
            (Application::Sshd, Mode::Neutral) => Words::Unheard,
            (Application::Sshd, Mode::Plain) | (Application::Other, _) => Words::Heard,
        };
        Self { engine, attempt, password: None, words }
    }

    /// Asks until the core has decided; the core bounds the rounds. The user may go away at any question.
    pub(crate) fn hold(mut self, transaction: &mut Transaction<'_>) -> Result<Verdict, NobodyAnswers> {
        let first = self.first_answer(transaction);
        let mut reply = self.engine.begin(self.attempt, first.as_ref());
        loop {
            let (session, prompt) = match reply {
                Reply::Ask(session, prompt) => (session, prompt),
                Reply::Done(_, verdict) => {
                    self.leave_password(transaction, &verdict);
                    return Ok(verdict);
                }
            };
            let typed =
                transaction.ask(&prompt).inspect_err(|_| self.engine.abandon(self.attempt, &session))?;
            let answer = self.sort(typed);
            reply = self.engine.answer(self.attempt, &session, &answer);
        }
    }

    /// What an earlier module has asked for already. Where that module refused it, it may still be an app password.
    fn first_answer(&mut self, transaction: &Transaction<'_>) -> Option<Answer> {
        match self.attempt.primary {
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
    fn sort(&mut self, typed: Secret) -> Answer {
        let is_first = self.attempt.primary == PrimaryMode::Own && self.password.is_none();
        if is_first {
            self.password = Some(typed.clone());
            return answer::to_password(typed);
        }
        answer::to_code(typed, self.password.as_ref(), self.words)
    }

    /// A password that we asked for ourselves is left to later modules (a keyring): never a code or an app password.
    fn leave_password(&self, transaction: &mut Transaction<'_>, verdict: &Verdict) {
        let (Verdict::Accept(accept), PrimaryMode::Own) = (verdict, self.attempt.primary) else { return };
        if let Some(password) = self.password_of(accept) {
            transaction.set_token(&password);
        }
    }

    fn password_of(&self, accept: &Accept) -> Option<Secret> {
        let typed = self.password.as_ref()?;
        match accept.grounds() {
            Grounds::BothProofs => Some(login::password_in(typed, self.attempt.profile.appended)),
            Grounds::PrimaryAlone => Some(typed.clone()),
            Grounds::AppPassword | Grounds::SecondProof | Grounds::PolicyAlone => None,
        }
    }
}
