//! `user list`: all accounts that match.

use assembly::Office;
use clap::Args;

use crate::context::Context;
use crate::failure::Failure;
use crate::selection::filter::Filter;
use crate::stored::for_each_stored;
use crate::view::{AccountLine, AccountList};
use crate::warning::warn_of_missing_break_glass;

/// Arguments of `user list`.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    filter: Filter,
}

pub(super) fn list(context: &Context, office: &Office, arguments: &List) -> Result<(), Failure> {
    warn_of_missing_break_glass(context, office)?;
    let mut lines = Vec::new();
    let now = office.engine.now();
    for_each_stored(office, |stored| {
        if arguments.filter.matches(&stored, now) {
            lines.push(AccountLine::new(&stored.account, &stored.spent_codes, now));
        }
        Ok(())
    })?;
    context.say(&AccountList(lines))
}
