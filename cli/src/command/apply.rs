//! `countersign apply`: accounts become what a file says. What is sealed in it is opened before anything is changed.

use std::path::PathBuf;

use assembly::config::accounts;
use clap::Args;
use common::Username;
use common::acts::Act;
use common::passphrase::{Lock, PassphraseKey};
use common::ports::Listing as _;

use crate::bulk::{self, Ask, Plan};
use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::{incoming, passphrase};

/// Arguments of `apply`.
#[derive(Args)]
pub(crate) struct Apply {
    /// A file with [[account]] tables, as `export` writes it; `-` is standard input.
    file: PathBuf,
    #[command(flatten)]
    ask: Ask,
    /// Where secrets are sealed in the file: read the passphrase from the first line of this file, which nobody else may
    /// read. Without it, it is asked for, or read from a line of standard input.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Those that are not in the file stay as they are.
pub(crate) fn run(context: &Context, arguments: &Apply) -> Result<Outcome, Failure> {
    let office = context.office()?;
    let text = incoming::read(&arguments.file)?;
    let folding = office.engine.policy().folding;
    let declared = accounts::read(&arguments.file, &text, |lock| unlock(arguments, lock))?;
    let acts: Vec<(Username, Act)> = declared
        .into_iter()
        .map(|declared| (folding.fold(&declared.name), Act::Declare(Box::new(declared.declaration))))
        .collect();
    let mut plan = Plan::new("apply", 0);
    for (name, act) in &acts {
        let account = office.store.account(name)?;
        plan.add(&office.engine, name.clone(), account.as_ref(), act);
    }
    let can_ask = !incoming::is_standard_input(&arguments.file);
    bulk::carry_through(context, &office, &plan, &arguments.ask, can_ask)
}

fn unlock(arguments: &Apply, lock: &Lock) -> Result<PassphraseKey, Failure> {
    let file = arguments.passphrase_file.as_deref();
    if file.is_none() && incoming::is_standard_input(&arguments.file) {
        return Err(Failure::NoPassphrase);
    }
    Ok(lock.open(&passphrase::known(file)?)?)
}
