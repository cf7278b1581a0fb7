//! Bundles, in one transaction: each wholly or not at all.

use common::bundle::{Bundle, Outcome, Spend};
use common::chain::ChainPosition;
use common::{UnixTime, limits};
use rusqlite::{Connection, Transaction};

use crate::mark::Progress;
use crate::records::{Chain, Head};
use crate::{SqliteError, accounts, lanes, records, spent};

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
    if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Applied(places) if !places.is_empty())) {
        chain.write_head(transaction, head)?;
    }
    spent::purge(transaction, bundles)?;
    let Some(moment) = moment else {
        return Ok((outcomes, None));
    };
    Ok((outcomes, Some(Progress { records: records::total(transaction)?, moment })))
}

fn wholly_or_not(
    transaction: &mut Transaction<'_>,
    chain: &Chain,
    head: &mut Head,
    bundle: &Bundle,
) -> Result<Outcome, SqliteError> {
    let mut savepoint = transaction.savepoint()?;
    match write(&savepoint, chain, head, bundle) {
        Ok(positions) => {
            savepoint.commit()?;
            Ok(Outcome::Applied(positions))
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
) -> Result<Vec<ChainPosition>, Stop> {
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
    if let Some(lane) = &bundle.cleared_lane {
        lanes::clear(connection, lane)?;
    }
    if let Some(lane) = &bundle.counted_lane {
        lanes::count(connection, lane, bundle.at, limits::LANES_MAX)?;
    }
    bundle.records.iter().map(|record| Ok(chain.append(connection, head, record)?)).collect()
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
