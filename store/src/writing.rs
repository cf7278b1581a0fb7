//! Bundles, in one transaction: each wholly or not at all.

use common::bundle::{Bundle, Entry, Outcome, Spend};
use common::record::Record;
use common::{UnixTime, limits};
use rusqlite::{Connection, Transaction};

use crate::mark::Progress;
use crate::records::{Chain, Head};
use crate::tallies::{self, Fate};
use crate::{SqliteError, accounts, caps, lanes, records, spent};

/// Why a bundle was not written.
pub(crate) enum Stop {
    /// Something had changed or was spent.
    Conflict,
    /// The store could not; the whole transaction goes.
    Failed(SqliteError),
}

impl<E: Into<SqliteError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A statement that found nothing to change had lost a race.
pub(crate) fn only_if_changed(rows: usize) -> Result<(), Stop> {
    if rows == 0 { Err(Stop::Conflict) } else { Ok(()) }
}

/// Writes bundles in order. A bundle in conflict leaves no trace; the others stand.
pub(crate) fn bundles(
    transaction: &mut Transaction<'_>,
    chain: &Chain,
    bundles: &[Bundle],
) -> Result<(Vec<Outcome>, Option<Progress>), SqliteError> {
    let mut head = chain.head(transaction)?;
    let mut moment = None;
    let mut outcomes = Vec::with_capacity(bundles.len());
    for bundle in bundles {
        let outcome = wholly_or_not(transaction, chain, &mut head, bundle)?;
        if matches!(outcome, Outcome::Applied(_)) {
            moment = moment.max(Some(latest_moment(bundle)));
        }
        outcomes.push(outcome);
    }
    tell_of_many(transaction, chain, &mut head, &mut outcomes, moment)?;
    if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Applied(entries) if !entries.is_empty())) {
        chain.write_head(transaction, head)?;
    }
    spent::purge(transaction, bundles)?;
    let Some(moment) = moment else {
        return Ok((outcomes, None));
    };
    Ok((outcomes, Some(Progress { records: records::total(transaction)?, moment })))
}

/// Counted records that are due go with whoever is written last.
fn tell_of_many(
    connection: &Connection,
    chain: &Chain,
    head: &mut Head,
    outcomes: &mut [Outcome],
    moment: Option<UnixTime>,
) -> Result<(), SqliteError> {
    let entries = outcomes.iter_mut().rev().find_map(|outcome| match outcome {
        Outcome::Applied(entries) => Some(entries),
        Outcome::Conflict => None,
    });
    let (Some(entries), Some(now)) = (entries, moment) else { return Ok(()) };
    for record in tallies::due(connection, now)? {
        entries.push(append(connection, chain, head, record)?);
    }
    Ok(())
}

fn append(
    connection: &Connection,
    chain: &Chain,
    head: &mut Head,
    record: Record,
) -> Result<Entry, SqliteError> {
    let position = chain.append(connection, head, &record)?;
    Ok(Entry { record, position: Some(position) })
}

fn wholly_or_not(
    transaction: &mut Transaction<'_>,
    chain: &Chain,
    head: &mut Head,
    bundle: &Bundle,
) -> Result<Outcome, SqliteError> {
    let mut savepoint = transaction.savepoint()?;
    match write(&savepoint, chain, head, bundle) {
        Ok(entries) => {
            savepoint.commit()?;
            Ok(Outcome::Applied(entries))
        }
        Err(Stop::Conflict) => {
            savepoint.rollback()?;
            savepoint.commit()?;
            Ok(Outcome::Conflict)
        }
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// Records come last: after them nothing can conflict, so `head` never has to go back.
fn write(
    connection: &Connection,
    chain: &Chain,
    head: &mut Head,
    bundle: &Bundle,
) -> Result<Vec<Entry>, Stop> {
    accounts::require(connection, &bundle.precondition)?;
    if let Some(change) = &bundle.account {
        accounts::change(connection, change)?;
    }
    for spend in &bundle.spends {
        spent::spend(connection, spend)?;
    }
    if let Some(success) = &bundle.success {
        spent::succeed(connection, success)?;
    }
    if let Some(taken_back) = &bundle.taken_back {
        lanes::change(connection, &taken_back.lane, |lane| taken_back.undo(lane))?;
    }
    if let Some(recognised) = &bundle.recognised {
        caps::recognise(connection, recognised, bundle.at)?;
    }
    if let Some(account) = bundle.unlocked {
        caps::unlock(connection, account)?;
    }
    let mut entries = Vec::with_capacity(bundle.records.len());
    for record in &bundle.records {
        if tallies::fate(connection, bundle.tally.as_ref(), record)? == Fate::Singly {
            entries.push(append(connection, chain, head, record.clone())?);
        }
    }
    Ok(entries)
}

/// The latest moment that a bundle speaks of. A step may begin a little after the decision (RFC 6238 §5.2);
/// what claims to be further ahead than a session lives would lock people out and is cut there.
fn latest_moment(bundle: &Bundle) -> UnixTime {
    let ahead = bundle.at.plus_seconds(limits::SESSION_SECONDS);
    let begins = bundle.spends.iter().filter_map(|spend| match spend {
        Spend::TotpStep { begins_at, .. } => Some(*begins_at),
        Spend::RecoveryCode { .. } => None,
    });
    begins.max().unwrap_or_default().min(ahead).max(bundle.at)
}
