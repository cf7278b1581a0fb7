//! The accepts, chained as the store chains its records, in a ring: the oldest is overwritten.
//!
//! Each record keeps the MAC before it, so that the chain can be verified from the oldest one on.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use common::chain::{ChainMac, ChainPosition};
use common::keys::{KeyError, KeyId};
use common::ports::StoredRecord;
use common::record::Record;

use crate::break_glass::error::BreakGlassError;
use crate::break_glass::layout::{RECORD_BODY_OCTETS_MAX, RECORD_HEADER_OCTETS, RECORDS_MAX, record_begins};
use crate::break_glass::{BreakGlassKey, STREAM, key};

/// How far the chain has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) sequence: u64,
    pub(super) mac: ChainMac,
}

impl Head {
    /// Before the first record.
    pub(super) const BEGINNING: Self = Self { sequence: 0, mac: ChainMac::BEGINNING };

    /// The place, with the name of the chain.
    pub(super) fn position(self) -> ChainPosition {
        ChainPosition { stream: STREAM.to_owned(), sequence: self.sequence, mac: self.mac }
    }
}

/// A record in its place.
struct Found {
    key: KeyId,
    before: ChainMac,
    record: StoredRecord,
}

/// Writes a record after `head`, and gives the new one. Nothing is acknowledged before the file is synced.
pub(super) fn append(
    file: &File,
    newest: &BreakGlassKey,
    head: Head,
    record: &Record,
) -> Result<Head, AppendError> {
    let body = serde_json::to_vec(record).map_err(BreakGlassError::from)?;
    if body.len() > RECORD_BODY_OCTETS_MAX {
        return Err(BreakGlassError::TooLong { octets: body.len() }.into());
    }
    let sequence = head.sequence.saturating_add(1);
    let mac = head.mac.next(&newest.chain, STREAM, sequence, &body).map_err(BreakGlassError::from)?;
    let length = u32::try_from(body.len()).map_err(|_| BreakGlassError::from(KeyError::DoesNotSeal))?;
    let image = [
        newest.id.0.to_be_bytes().as_slice(),
        &sequence.to_be_bytes(),
        &length.to_be_bytes(),
        head.mac.as_bytes(),
        mac.as_bytes(),
        &body,
    ]
    .concat();
    file.write_all_at(&image, record_begins(sequence)).map_err(AppendError::Write)?;
    Ok(Head { sequence, mac })
}

/// Why a record could not be written.
pub(super) enum AppendError {
    Write(io::Error),
    Other(BreakGlassError),
}

impl From<BreakGlassError> for AppendError {
    fn from(error: BreakGlassError) -> Self {
        Self::Other(error)
    }
}

/// The last record that is whole.
pub(super) fn head(file: &File, keys: &[BreakGlassKey]) -> Head {
    let mut places: Vec<u64> = (1..=RECORDS_MAX).filter_map(|place| sequence_at(file, place)).collect();
    places.sort_unstable();
    let whole = places.into_iter().rev().find_map(|sequence| {
        let found = found(file, sequence)?;
        is_ours(keys, &found).then_some(Head { sequence, mac: found.record.mac })
    });
    whole.unwrap_or(Head::BEGINNING)
}

/// What the oldest record that counts is chained to. One place less than there are, because the next record may have
/// been begun over the oldest and not finished.
pub(super) fn beginning(file: &File, head: Head) -> Head {
    let before = head.sequence.saturating_sub(RECORDS_MAX.saturating_sub(1));
    let oldest = (before > 0).then(|| found(file, before.saturating_add(1))).flatten();
    Head { sequence: before, mac: oldest.map_or(ChainMac::BEGINNING, |found| found.before) }
}

/// Up to `count` records from place `from` on, as they stand there.
pub(super) fn page(file: &File, head: Head, from: u64, count: u32) -> Vec<StoredRecord> {
    let from = from.max(beginning(file, head).sequence.saturating_add(1));
    let all = (from..=head.sequence).filter_map(|sequence| Some(found(file, sequence)?.record));
    all.take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
}

fn is_ours(keys: &[BreakGlassKey], found: &Found) -> bool {
    let StoredRecord { sequence, body, mac } = &found.record;
    let made = key(keys, found.key).map(|key| found.before.next(&key.chain, STREAM, *sequence, body));
    made.is_some_and(|made| made == Ok(*mac))
}

/// The record of a place in the chain, if it is the one that stands there.
fn found(file: &File, sequence: u64) -> Option<Found> {
    let mut header = [0; RECORD_HEADER_OCTETS];
    let begins = record_begins(sequence);
    file.read_exact_at(&mut header, begins).ok()?;
    let (id, rest) = header.split_first_chunk()?;
    let (stands, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (before, rest) = rest.split_first_chunk()?;
    let mac: &[u8; 32] = rest.first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if u64::from_be_bytes(*stands) != sequence || length > RECORD_BODY_OCTETS_MAX {
        return None;
    }
    let mut body = vec![0; length];
    let after_header = begins.saturating_add(u64::try_from(RECORD_HEADER_OCTETS).ok()?);
    file.read_exact_at(&mut body, after_header).ok()?;
    Some(Found {
        key: KeyId(u32::from_be_bytes(*id)),
        before: ChainMac::from_bytes(*before),
        record: StoredRecord { sequence, body, mac: ChainMac::from_bytes(*mac) },
    })
}

/// The number that stands in a place of the ring.
fn sequence_at(file: &File, place: u64) -> Option<u64> {
    let mut octets = [0; 8];
    file.read_exact_at(&mut octets, record_begins(place).saturating_add(4)).ok()?;
    let sequence = u64::from_be_bytes(octets);
    // What stands elsewhere than it should was not written there by us.
    (sequence > 0 && record_begins(sequence) == record_begins(place)).then_some(sequence)
}
