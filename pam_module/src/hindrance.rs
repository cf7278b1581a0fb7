//! What keeps the module from asking the core at all. Every one of them refuses the login.

use assembly::AssemblyError;
use assembly::config::{ConfigError, Finding, Severity};
use assembly::local::Away;
use assembly::local::arguments::ArgumentError;
use common::attempt::SELF_SERVICE;
use common::causes::with_causes;

use crate::transaction::NobodyAnswers;

/// `countersign config check` shows all of them.
const MISTAKES_LOGGED_MAX: usize = 5;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Hindrance {
    #[error(transparent)]
    Arguments(#[from] ArgumentError),
    #[error(
        "called from the PAM service that checks our own first passwords: take the line out of that service"
    )]
    Recursion,
    #[error(
        "no PAM service can be called {SELF_SERVICE}: in records and rules the name stands for `countersign register` and \
         `countersign me`; give the file in /etc/pam.d another name"
    )]
    NameTaken,
    #[error(
        "the real uid is {caller}, and others than root need countersign-local, which cannot be asked ({away}): {}", away.advice()
    )]
    NoService { caller: u32, away: Away },
    #[error(
        "primary=none, and sshd has seen no key before: set AuthenticationMethods publickey,keyboard-interactive"
    )]
    NothingBefore,
    #[error(
        "primary=stack, and no module above has taken a password: put pam_unix.so or its like before this line"
    )]
    NoPasswordBefore,
    #[error(
        "primary=own, and the password would be one person's and the code another's: put pam_unix.so before this line and write primary=stack, or set factor-of"
    )]
    AnothersPassword,
    #[error("the name stands for the account of another user of this system: names.fold makes them one")]
    AnotherUser,
    #[error("the settings cannot be used")]
    Settings(#[from] ConfigError),
    #[error("the login machine cannot be started")]
    Assembly(#[from] AssemblyError),
    #[error("nobody answers the application's questions")]
    Conversation,
}

impl From<NobodyAnswers> for Hindrance {
    fn from(_: NobodyAnswers) -> Self {
        Self::Conversation
    }
}

impl Hindrance {
    /// What the log says: the sentence with its causes, then each mistake in the settings.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        let mistakes = match self {
            Self::Settings(error) => error.findings(),
            Self::Arguments(_)
            | Self::Recursion
            | Self::NameTaken
            | Self::NoService { .. }
            | Self::NothingBefore
            | Self::NoPasswordBefore
            | Self::AnothersPassword
            | Self::AnotherUser
            | Self::Assembly(_)
            | Self::Conversation => &[],
        };
        let errors = mistakes.iter().filter(|finding| finding.severity == Severity::Error);
        let lines = errors.take(MISTAKES_LOGGED_MAX).map(one_line);
        std::iter::once(with_causes(self)).chain(lines).collect()
    }
}

fn one_line(mistake: &Finding) -> String {
    let Finding { file, line, key, message, .. } = mistake;
    let allowed = mistake.allowed.as_ref().map(|allowed| format!("; allowed: {allowed}"));
    format!("{}:{line}: {key}: {message}{}", file.display(), allowed.unwrap_or_default())
}
