//! `pam_sm_authenticate`: one login from its arguments to its return code.

use std::ffi::CStr;
use std::path::Path;

use assembly::config::{Settings, paths};
use common::{PrimaryMode, Verdict, text};
use nix::unistd::Uid;
use pam::constants::{PAM_SILENT, PamFlag, PamResultCode};
use pam::module::PamHandle;

use crate::arguments::Arguments;
use crate::dialogue::Dialogue;
use crate::hindrance::Hindrance;
use crate::transaction::{Application, Transaction};
use crate::{attempt, code};

/// Set in the PAM environment by our own helper that checks first passwords by PAM.
const MARK_OF_OUR_PRIMARY: &CStr = c"COUNTERSIGN_PRIMARY";

/// Decides a login. A refusal is said in one plain sentence, unless the application wants silence.
pub(crate) fn authenticate(handle: &mut PamHandle, arguments: &[&CStr], flags: PamFlag) -> PamResultCode {
    let mut transaction = Transaction::new(handle);
    let outcome = log_in(&mut transaction, arguments);
    if let (Some(text), 0) = (last_word(&outcome), flags & PAM_SILENT) {
        transaction.tell(text);
    }
    match outcome {
        Ok(verdict) => code::of_verdict(&verdict),
        Err(hindrance) => {
            hindrance.log_lines().iter().for_each(|line| transaction.log_error(line));
            code::of_hindrance(&hindrance)
        }
    }
}

fn log_in(transaction: &mut Transaction<'_>, arguments: &[&CStr]) -> Result<Verdict, Hindrance> {
    let arguments = Arguments::parse(arguments)?;
    if transaction.variable(MARK_OF_OUR_PRIMARY).is_some() {
        return Err(Hindrance::Recursion);
    }
    let caller = Uid::current();
    if !caller.is_root() {
        // The caller's limits and signals must not reach the lock of the store.
        return Err(Hindrance::NotRoot(caller));
    }
    let path = arguments.settings.as_deref().unwrap_or(Path::new(paths::SETTINGS_FILE));
    let settings = Settings::load_without_clients(path)?.settings;
    let engine = assembly::engine_for_pam(&settings)?;
    let attempt = attempt::describe(transaction, &settings, arguments.primary)?;
    refuse_without_first_step(transaction, arguments.primary)?;
    let verdict = Dialogue::new(&engine, &attempt, transaction.application()).hold(transaction)?;
    match &verdict {
        Verdict::Accept(accept) if !attempt::names_one_user(&attempt.typed, accept.user()) => {
            Err(Hindrance::AnotherUser)
        }
        Verdict::Accept(_) | Verdict::Reject(_) | Verdict::Unavailable(_) => Ok(verdict),
    }
}

/// The line says that something before us stands for the first step. Where that can be seen not to be so, a code alone
/// would let in: the stack is mistaken. This only ever refuses.
fn refuse_without_first_step(
    transaction: &mut Transaction<'_>,
    primary: PrimaryMode,
) -> Result<(), Hindrance> {
    match (primary, transaction.application()) {
        (PrimaryMode::Stack, _) if transaction.token().is_none() => Err(Hindrance::NoPasswordBefore),
        (PrimaryMode::None, Application::Sshd) if !something_succeeded(transaction) => {
            Err(Hindrance::NothingBefore)
        }
        (PrimaryMode::Own | PrimaryMode::Stack | PrimaryMode::Failed | PrimaryMode::None, _) => Ok(()),
    }
}

/// sshd names the methods that have succeeded; without `AuthenticationMethods` in its configuration none need have.
fn something_succeeded(transaction: &mut Transaction<'_>) -> bool {
    transaction.variable(c"SSH_AUTH_INFO_0").is_some_and(|methods| !methods.trim_ascii().is_empty())
}

/// What the user hears at the end, whatever the reason was; nothing where nobody listens.
fn last_word(outcome: &Result<Verdict, Hindrance>) -> Option<&'static str> {
    match outcome {
        Ok(Verdict::Accept(_)) | Err(Hindrance::Conversation) => None,
        Ok(Verdict::Reject(_)) => Some(text::REFUSED),
        Ok(Verdict::Unavailable(_))
        | Err(
            Hindrance::Arguments(_)
            | Hindrance::Recursion
            | Hindrance::NotRoot(_)
            | Hindrance::NothingBefore
            | Hindrance::NoPasswordBefore
            | Hindrance::AnotherUser
            | Hindrance::Settings(_)
            | Hindrance::Assembly(_),
        ) => Some(text::UNAVAILABLE),
    }
}
