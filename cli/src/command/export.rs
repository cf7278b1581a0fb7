//! `countersign export`: accounts as `apply` takes them, without secrets or with all that another machine can use of them.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use assembly::Office;
use assembly::config::accounts::{self, DeclaredAccount, Sealing};
use clap::Args;
use common::account::Account;
use common::acts::Declaration;
use common::passphrase::Lock;
use serde::Serialize;

use crate::actor::actor;
use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::number::counted;
use crate::passphrase;
use crate::report::Report;
use crate::selection::filter::Filter;
use crate::stored::for_each_stored;

/// What stands above the accounts of a file without secrets.
const PLAIN_HEAD: &str = "\
# Accounts of Countersign, as 'countersign apply FILE' takes them. What a line leaves out stays as it is; accounts that are
# not here stay too. Not here: factors, recovery codes, temporary codes, app passwords, passwords, blocks, and who is
# disabled for a while. 'countersign export --secrets' writes factors and blocks too; 'countersign store backup' copies all.
";

/// What stands above those of a file with secrets.
const SEALED_HEAD: &str = "\
# Accounts of Countersign with their factors, as 'countersign apply FILE' takes them. Secrets are sealed to a passphrase;
# keep it apart from this file, and this file no longer than it is needed. Each secret opens only in its account and beside
# the label, algorithm and numbers that it was written with.
#
# Not here, because no other machine could check them: recovery codes and app passwords, which are kept as hashes under the
# key of the machine that made them. Make new ones. Not here either: temporary codes, passwords, and who is disabled for a
# while. Where the old machine is given up with its key file, 'countersign store backup' carries all of it.
";

/// Arguments of `export`.
#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    filter: Filter,
    /// Write the factors too, their secrets sealed to a passphrase that is asked for. Recovery codes and app passwords are
    /// never in it: they are hashes under the key of this machine.
    #[arg(long)]
    secrets: bool,
    /// Read the passphrase from the first line of this file, which nobody else may read. Without it, it is asked for, or
    /// read from a line of standard input.
    #[arg(long, value_name = "FILE", requires = "secrets")]
    passphrase_file: Option<PathBuf>,
    /// Write a new file, which gets mode 0600; `-` is standard output, also where that is a terminal.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes accounts as they are, one after the other.
pub(crate) fn run(context: &Context, arguments: &Export) -> Result<Outcome, Failure> {
    let office = context.office()?;
    if arguments.secrets && arguments.output.is_none() && io::stdout().is_terminal() {
        return Err(Failure::SecretsToTerminal);
    }
    let sealing = arguments.secrets.then(|| sealing(&office, arguments)).transpose()?;
    let file = arguments.output.as_deref().filter(|path| path.as_os_str() != "-");
    let Some(path) = file else {
        write_all(&office, &arguments.filter, sealing.as_ref(), BufWriter::new(io::stdout().lock()))?;
        return Ok(Outcome::Done);
    };
    let count = write_file(&office, &arguments.filter, sealing.as_ref(), path)?;
    let factors = arguments.secrets.then_some(count.factors);
    context.say(&Exported { accounts: count.accounts, factors, file: path.to_owned() })?;
    Ok(Outcome::Done)
}

/// Whoever takes secrets away stands in the records of the store before the first of them is written, or takes none.
fn sealing<'a>(office: &'a Office, arguments: &Export) -> Result<(Lock, Sealing<'a>), Failure> {
    let passphrase = passphrase::new(arguments.passphrase_file.as_deref())?;
    let random = office.engine.random();
    let (lock, key) = Lock::new(random, &passphrase)?;
    let Count { accounts, factors } = matching(office, &arguments.filter)?;
    let filter = arguments.filter.words(office.engine.now());
    let what = format!("secrets=sealed accounts={accounts} factors={factors} {filter}");
    office.engine.record_act_first(&actor(), "export", what).map_err(Failure::NotRecorded)?;
    Ok((lock, Sealing { key, random }))
}

/// What is going to be written.
fn matching(office: &Office, filter: &Filter) -> Result<Count, Failure> {
    let (now, mut count) = (office.engine.now(), Count::default());
    for_each_stored(office, |listed| {
        if filter.matches(&listed, now) {
            count.accounts = count.accounts.saturating_add(1);
            count.factors = count.factors.saturating_add(listed.account.factors.len());
        }
        Ok(())
    })?;
    Ok(count)
}

/// A file that could not be written to its end is removed: half of the accounts would be taken for all.
fn write_file(
    office: &Office,
    filter: &Filter,
    sealing: Option<&(Lock, Sealing<'_>)>,
    path: &Path,
) -> Result<Count, Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(Failure::file("make", path))?;
    let written = write_all(office, filter, sealing, BufWriter::new(&file));
    let synced = written.and_then(|count| file.sync_all().map_err(Failure::Write).map(|()| count));
    synced.map_err(|failure| {
        let failure = match failure {
            Failure::Write(source) => Failure::file("write", path)(source),
            failure => failure,
        };
        without_half(path, failure)
    })
}

/// The failure, and that a part of a file is left where that is so.
fn without_half(path: &Path, failure: Failure) -> Failure {
    match fs::remove_file(path) {
        Ok(()) => failure,
        Err(why) => Failure::HalfLeft { path: path.to_owned(), why, source: Box::new(failure) },
    }
}

fn write_all(
    office: &Office,
    filter: &Filter,
    sealing: Option<&(Lock, Sealing<'_>)>,
    mut output: impl Write,
) -> Result<Count, Failure> {
    let head = match sealing {
        None => PLAIN_HEAD.to_owned(),
        Some((lock, _)) => format!("{SEALED_HEAD}\n{}", accounts::written_lock(lock)),
    };
    output.write_all(head.as_bytes()).map_err(Failure::Write)?;
    let now = office.engine.now();
    let mut count = Count::default();
    for_each_stored(office, |listed| {
        if !filter.matches(&listed, now) {
            return Ok(());
        }
        let Some(written) = written(office, &listed.account, sealing, &mut count)? else { return Ok(()) };
        write!(output, "\n{written}").map_err(Failure::Write)
    })?;
    output.flush().map_err(Failure::Write)?;
    Ok(count)
}

/// One account; `None` where it has gone since it was listed.
fn written(
    office: &Office,
    account: &Account,
    sealing: Option<&(Lock, Sealing<'_>)>,
    count: &mut Count,
) -> Result<Option<String>, Failure> {
    let name = account.name.clone();
    let text = match sealing {
        None => accounts::written(&DeclaredAccount { name, declaration: Declaration::of(account) }),
        Some((_, sealing)) => {
            let Some(declaration) = office.engine.declaration_with_secrets(&name)? else { return Ok(None) };
            count.factors = count.factors.saturating_add(declaration.factors.len());
            sealing.written(&DeclaredAccount { name, declaration })?
        }
    };
    count.accounts = count.accounts.saturating_add(1);
    Ok(Some(text))
}

/// How much was written.
#[derive(Default)]
struct Count {
    accounts: usize,
    factors: usize,
}

/// A file that is written.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Exported {
    accounts: usize,
    /// Of a file without secrets nothing: none is in it, whatever the accounts have.
    factors: Option<usize>,
    file: PathBuf,
}

impl Report for Exported {
    fn text(&self) -> String {
        let accounts = counted(self.accounts, "account");
        let factors = self.factors.map(|count| format!(" with {}", counted(count, "factor")));
        format!("{accounts}{} written to {}.\n", factors.unwrap_or_default(), self.file.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_counted_where_they_are_written() {
        let said = |factors| Exported { accounts: 3, factors, file: "moved.toml".into() }.text();
        assert_eq!(said(None), "3 accounts written to moved.toml.\n");
        assert_eq!(said(Some(0)), "3 accounts with 0 factors written to moved.toml.\n");
    }

    #[test]
    fn a_part_of_a_file_that_stays_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("half.toml");
        fs::write(&file, "half").unwrap();
        assert!(matches!(without_half(&file, Failure::PassphrasesDiffer), Failure::PassphrasesDiffer));
        assert!(!file.exists());
        let told = without_half(folder.path(), Failure::PassphrasesDiffer).to_string();
        assert!(told.contains(&folder.path().display().to_string()), "a folder is no file to remove: {told}");
    }
}
