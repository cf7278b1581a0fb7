//! What the core is told of a PAM login.

use assembly::config::Settings;
use common::{Attempt, Door, Place, PrimaryMode, Target, TypedName};
use nix::unistd::User;

use crate::source;
use crate::transaction::{NobodyAnswers, Transaction};

/// Describes the login of this transaction.
pub(crate) fn describe(
    transaction: &mut Transaction<'_>,
    settings: &Settings,
    primary: PrimaryMode,
) -> Result<Attempt, NobodyAnswers> {
    let typed = transaction.user()?;
    let service = transaction.service();
    Ok(Attempt {
        door: Door::Pam,
        source: source::of(transaction),
        target: target(&typed),
        primary,
        profile: settings.services.profile(&service),
        place: Place::Service(service),
        typed,
    })
}

/// Where nobody can tell whose uid it is, root's rights are assumed to be at stake.
fn target(typed: &TypedName) -> Target {
    match User::from_name(typed.as_str()) {
        Ok(Some(user)) if !user.uid.is_root() => Target::Ordinary,
        Ok(None) => Target::Ordinary,
        Ok(Some(_)) | Err(_) => Target::Root,
    }
}
