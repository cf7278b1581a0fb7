//! `countersign apply` and `countersign export`: accounts as a file declares them.

use std::fs;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use assembly::Office;
use assembly::config::accounts::{self, DeclaredAccount};
use clap::Args;
use common::Username;
use common::account::{Account, State};
use common::acts::{Act, Declaration};
use common::ports::Listing as _;

use crate::bulk::{self, Ask, Plan};
use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::selection::filter::Filter;
use crate::stored::for_each_stored;

/// What stands above the accounts of a file that was written.
const HEADER: &str = "\
# Accounts of Countersign, as 'countersign apply FILE' takes them. What a line leaves out stays as it is; accounts that are
# not here stay too. Not here: factors, recovery codes, temporary codes, app passwords, passwords, blocks, and who is
# disabled for a while. 'countersign store backup' copies all of it.
";

/// Arguments of `apply`.
#[derive(Args)]
pub(crate) struct Apply {
    /// A file with [[account]] tables, as `export` writes it; `-` is standard input.
    file: PathBuf,
    #[command(flatten)]
    ask: Ask,
}

/// Arguments of `export`.
#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    filter: Filter,
}

/// Makes accounts what a file says. Those that are not in it stay as they are.
pub(crate) fn apply(context: &Context, arguments: &Apply) -> Result<Outcome, Failure> {
    let office = context.office()?;
    let is_standard_input = arguments.file.as_os_str() == "-";
    let text = if is_standard_input { standard_input() } else { contents(&arguments.file) }?;
    let folding = office.engine.policy().folding;
    let declared = accounts::read(&arguments.file, &text)?;
    let acts: Vec<(Username, Act)> = declared
        .into_iter()
        .map(|declared| (folding.fold(&declared.name), Act::Declare(Box::new(declared.declaration))))
        .collect();
    let mut plan = Plan::new("apply", 0);
    for (name, act) in &acts {
        let account = office.store.account(name)?;
        plan.add(&office.engine, name.clone(), account.as_ref(), act);
    }
    bulk::carry_through(context, &office, &plan, &arguments.ask, !is_standard_input)
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().read_to_string(&mut text);
    read.map_err(|source| Failure::Read { from: "standard input", source })?;
    Ok(text)
}

fn contents(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(Failure::file("read", path))
}

/// Writes accounts as they are, one after the other.
pub(crate) fn export(context: &Context, arguments: &Export) -> Result<Outcome, Failure> {
    let office = context.office()?;
    write_all(&office, &arguments.filter)?;
    Ok(Outcome::Done)
}

fn write_all(office: &Office, filter: &Filter) -> Result<(), Failure> {
    let mut output = BufWriter::new(io::stdout().lock());
    output.write_all(HEADER.as_bytes()).map_err(Failure::Write)?;
    let now = office.engine.now();
    for_each_stored(office, |listed| {
        if !filter.matches(&listed, now) {
            return Ok(());
        }
        let written = accounts::written(&declared(&listed.account));
        write!(output, "\n{}", written.trim_end()).and_then(|()| writeln!(output)).map_err(Failure::Write)
    })?;
    output.flush().map_err(Failure::Write)
}

/// An account as a file would declare it.
fn declared(account: &Account) -> DeclaredAccount {
    let contacts = account.contacts.iter().map(|contact| (contact.address.clone(), contact.set_by));
    let deadline = (account.state == State::Enabled).then(|| account.deadline.unwrap_or_default());
    let declaration = Declaration {
        state: Some(account.state),
        role: Some(account.role),
        deadline,
        contacts: Some(contacts.collect()),
    };
    DeclaredAccount { name: account.name.clone(), declaration }
}
