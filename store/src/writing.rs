//! Bundles, in one transaction: each wholly or not at all.

use common::bundle::{Bundle, Durability, Entry, Outcome, Spend};
use common::chain::ChainMac;
use common::record::Record;
use common::{UnixTime, limits};
use rusqlite::Connection;

use crate::change::Change;
use crate::mark::Progress;
use crate::records::{Chain, Head};
use crate::tallies::{self, Fate};
use crate::{SqliteError, accounts, caps, lanes, outbox, records, sent, spent, tickets};

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
    change: &mut Change<'_>,
    chain: &Chain,
    bundles: &[Bundle],
) -> Result<(Vec<Outcome>, Option<Progress>), SqliteError> {
    let Standing { mut head, oldest_end, mut withholds } = Standing::of(change, &chain.stream)?;
    let mut moment = None;
    let mut outcomes = Vec::with_capacity(bundles.len());
    for bundle in bundles {
        let outcome = wholly_or_not(change, chain, &mut head, bundle)?;
        if let Outcome::Applied(entries) = &outcome {
            moment = moment.max(Some(latest_moment(bundle)));
            withholds |= entries.len() < bundle.records.len();
        }
        outcomes.push(outcome);
    }
    if withholds {
        tell_of_many(change, chain, &mut head, &mut outcomes, moment)?;
    }
    if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Applied(entries) if !entries.is_empty())) {
        chain.write_head(change, head)?;
    }
    purge(change, bundles, oldest_end)?;
    // Only what survives a power cut moves the mark.
    let is_durable = bundles.iter().any(|bundle| bundle.durability() == Durability::PowerCut);
    let Some(moment) = moment.filter(|_| is_durable) else {
        return Ok((outcomes, None));
    };
    Ok((outcomes, Some(Progress { records: records::total(change)?, moment })))
}

/// Who sends something carries old sendings away, because nobody else may come; everybody does where it is overdue.
fn purge(
    connection: &Connection,
    bundles: &[Bundle],
    oldest_end: Option<UnixTime>,
) -> Result<(), SqliteError> {
    let is_overdue = spent::purge(connection, bundles, oldest_end)?;
    let sends = |bundle: &Bundle| bundle.new_code.is_some() || !bundle.messages.is_empty();
    let Some(earliest) = bundles.iter().map(|bundle| bundle.at).min() else { return Ok(()) };
    if is_overdue || bundles.iter().any(sends) {
        sent::purge(connection, earliest, bundles.len())?;
        outbox::purge(connection, earliest, bundles.len())?;
    }
    Ok(())
}

/// What a bundle comes upon.
struct Standing {
    head: Head,
    /// When the oldest of what is remembered only for a while ended.
    oldest_end: Option<UnixTime>,
    /// Whether there are records that are counted together, and not told of yet.
    withholds: bool,
}

impl Standing {
    fn of(connection: &Connection, stream: &str) -> Result<Self, SqliteError> {
        let mut statement = connection.prepare_cached(
            "SELECT sequence, mac, (SELECT min(expires_at) FROM spent_totp), (SELECT min(expires_at) FROM successes),
                 EXISTS (SELECT 1 FROM tallies WHERE withheld > 0)
             FROM meta LEFT JOIN heads ON stream = ?1",
        )?;
        let standing = statement.query_row([stream], |row| {
            let head = match (row.get(0)?, row.get(1)?) {
                (Some(sequence), Some(mac)) => Head { sequence, mac: ChainMac::from_bytes(mac) },
                _ => Head::BEGINNING,
            };
            let ends: [Option<u64>; 2] = [row.get(2)?, row.get(3)?];
            let oldest_end = ends.into_iter().flatten().min().map(UnixTime::from_seconds);
            Ok(Self { head, oldest_end, withholds: row.get(4)? })
        });
        Ok(standing?)
    }
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
    change: &mut Change<'_>,
    chain: &Chain,
    head: &mut Head,
    bundle: &Bundle,
) -> Result<Outcome, SqliteError> {
    let written = change.part(|part| write(part, chain, head, bundle))?;
    Ok(written.map_or(Outcome::Conflict, Outcome::Applied))
}

/// Records come last: after them nothing can conflict, so `head` never has to go back.
fn write(
    connection: &Connection,
    chain: &Chain,
    head: &mut Head,
    bundle: &Bundle,
) -> Result<Vec<Entry>, Stop> {
    accounts::require(connection, &bundle.precondition)?;
    // Before the account: what was sent under a name goes with whoever gives the name up.
    if let Some(texts) = &bundle.notice_texts {
        sent::count_notice_texts(connection, texts, bundle.at)?;
    }
    if let Some(change) = &bundle.account {
        accounts::change(connection, change)?;
    }
    for spend in &bundle.spends {
        spent::spend(connection, spend, bundle.at)?;
    }
    for change in &bundle.tickets {
        tickets::change(connection, change)?;
    }
    if let Some(new) = &bundle.new_code {
        sent::send(connection, new)?;
    }
    let left_out = outbox::put(connection, &bundle.messages, bundle.at)?;
    if let Some(account) = bundle.signed_in {
        accounts::signed_in(connection, account, bundle.at)?;
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
    if let Some(unlocked) = &bundle.unlocked {
        caps::unlock(connection, unlocked)?;
    }
    let mut entries = Vec::with_capacity(bundle.records.len());
    for record in bundle.records_without(left_out).iter() {
        if tallies::fate(connection, bundle.tally, record)? == Fate::Singly {
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
        Spend::HotpCounter { .. } | Spend::Code { .. } | Spend::SentCode { .. } => None,
    });
    begins.max().unwrap_or_default().min(ahead).max(bundle.at)
}
