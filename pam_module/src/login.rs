//! `pam_sm_authenticate`: one login from its arguments to its return code.

use std::ffi::CStr;

use assembly::local::arguments::Arguments;
use common::attempt::SELF_SERVICE;
use common::{PrimaryMode, text};
use pam::constants::{PamFlag, PamResultCode};
use pam::module::PamHandle;

use crate::desk::Desk;
use crate::dialogue::{Dialogue, Ending};
use crate::hindrance::Hindrance;
use crate::transaction::{Application, Transaction};
use crate::{code, errand};

/// Set in the PAM environment by our own helper that checks first passwords by PAM.
const MARK_OF_OUR_PRIMARY: &CStr = c"COUNTERSIGN_PRIMARY";

/// The record says only `not-an-answer`.
const BARRED: &str = "sshd bars this user and has answered in their place, so nothing that they typed came here: see \
                      PermitRootLogin (for root), AllowUsers, DenyUsers, AllowGroups and DenyGroups in sshd_config";

/// Decides a login. A refusal is said in one plain sentence, unless the application wants silence, as sudo does.
pub(crate) fn authenticate(handle: &mut PamHandle, arguments: &[&CStr], flags: PamFlag) -> PamResultCode {
    let mut transaction = Transaction::new(handle, flags);
    let outcome = log_in(&mut transaction, arguments);
    if let Some(text) = last_word(&outcome).filter(|_| !transaction.is_silent()) {
        transaction.tell(text);
    }
    // Told behind the last word, so that the time says nothing. Of users whom nobody knows sshd itself writes.
    if transaction.bars_its_user() {
        transaction.log_error(BARRED);
    }
    match outcome {
        Ok(ending) => code::of_ending(ending),
        Err(hindrance) => {
            hindrance.log_lines().iter().for_each(|line| transaction.log_error(line));
            code::of_hindrance(&hindrance)
        }
    }
}

fn log_in(transaction: &mut Transaction<'_>, arguments: &[&CStr]) -> Result<Ending, Hindrance> {
    let arguments = Arguments::parse(arguments)?;
    if transaction.variable(MARK_OF_OUR_PRIMARY).is_some() {
        return Err(Hindrance::Recursion);
    }
    if transaction.service() == SELF_SERVICE {
        return Err(Hindrance::NameTaken);
    }
    let errand = errand::describe(transaction, &arguments)?;
    refuse_without_first_step(transaction, arguments.primary)?;
    let desk = Desk::new(errand, arguments.socket);
    Dialogue::new(desk, transaction.application()).hold(transaction)
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
fn last_word(outcome: &Result<Ending, Hindrance>) -> Option<&'static str> {
    match outcome {
        Ok(Ending::Accept(_)) | Err(Hindrance::Conversation) => None,
        Ok(Ending::Reject) => Some(text::REFUSED),
        // It depends on nothing that was typed, nor on who it was.
        Err(Hindrance::NoService { .. }) => Some(text::SERVICE_AWAY),
        Ok(Ending::Unavailable)
        | Err(
            Hindrance::Arguments(_)
            | Hindrance::Recursion
            | Hindrance::NameTaken
            | Hindrance::NothingBefore
            | Hindrance::NoPasswordBefore
            | Hindrance::AnothersPassword
            | Hindrance::AnotherUser
            | Hindrance::Settings(_)
            | Hindrance::Assembly(_),
        ) => Some(text::UNAVAILABLE),
    }
}
