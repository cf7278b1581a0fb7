//! What a PAM transaction is about, for whoever decides it.

use common::attempt::Word;
use std::path::Path;

use assembly::config::paths;
use assembly::local::Errand;
use assembly::local::arguments::Arguments;
use nix::unistd::Uid;

use crate::source;
use crate::transaction::{NobodyAnswers, Transaction};

/// Describes the login of this transaction, as far as the application can be believed: whoever decides looks closer.
pub(crate) fn describe(
    transaction: &mut Transaction<'_>,
    arguments: &Arguments,
) -> Result<Errand, NobodyAnswers> {
    let settings = arguments.settings.as_deref().unwrap_or(Path::new(paths::SETTINGS_FILE));
    Ok(Errand {
        // An argument that was not text has been refused.
        settings: settings.to_string_lossy().into_owned(),
        user: transaction.user()?.as_str().to_owned(),
        service: transaction.service(),
        source: source::of(transaction),
        primary: arguments.primary,
        caller: Uid::current().as_raw(),
        word: Word::Believed,
    })
}
