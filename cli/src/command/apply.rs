//! `countersign apply`: accounts become what a file says. What is sealed in it is opened before anything is changed.

use std::path::PathBuf;

use assembly::config::accounts;
use clap::Args;
use common::Username;
use common::acts::Act;
use common::passphrase::{Lock, PassphraseKey};

use crate::bulk::{self, Ask, Making, Plan, Wish};
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
    /// Make accounts also for names that neither the backend of first passwords nor this machine knows.
    #[arg(long)]
    create: bool,
    /// Where secrets are sealed in the file: read the passphrase from the first line of this file, which nobody else may
    /// read. Without it, it is asked for, or read from a line of standard input.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Those that are not in the file stay as they are.
pub(crate) fn run(context: &Context, arguments: &Apply) -> Result<Outcome, Failure> {
    let office = context.office()?;
    let text = incoming::read(&arguments.file)?;
    if !declares(&text) {
        return Err(Failure::NoAccounts(arguments.file.clone()));
    }
    let folding = office.engine.policy().folding;
    let declared = accounts::read(&arguments.file, &text, |lock| unlock(arguments, lock))?;
    let acts: Vec<(Username, Act)> = declared
        .into_iter()
        .map(|declared| (folding.fold(&declared.name), Act::Declare(Box::new(declared.declaration))))
        .collect();
    let mut plan = Plan::new("apply", 0);
    for (name, act) in &acts {
        let making = if arguments.create { Making::Everybody(act) } else { Making::Known(act) };
        bulk::add(&office, &mut plan, name.clone(), &Wish { act, making })?;
    }
    let can_ask = !incoming::is_standard_input(&arguments.file);
    bulk::carry_through(context, &office, &plan, &arguments.ask, can_ask)
}

/// Whether a file declares anything, or says nothing at all. Every line of something else would be a mistake of its own.
fn declares(text: &[u8]) -> bool {
    let mut lines = text.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii);
    let is_blank = |line: &[u8]| line.is_empty() || line.starts_with(b"#");
    let is_table = |line: &[u8]| line.starts_with(b"[[account]]") || line.starts_with(b"account");
    lines.clone().any(is_table) || lines.all(is_blank)
}

fn unlock(arguments: &Apply, lock: &Lock) -> Result<PassphraseKey, Failure> {
    let file = arguments.passphrase_file.as_deref();
    if file.is_none() && incoming::is_standard_input(&arguments.file) {
        return Err(Failure::NoPassphrase);
    }
    Ok(lock.open(&passphrase::known(file)?)?)
}
