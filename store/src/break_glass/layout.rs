//! Where everything stands in the break-glass file. It never grows: each limit has its place from the beginning.

use std::time::Duration;

/// Accounts that have a place.
pub(crate) const ACCOUNTS_MAX: usize = 8;
/// Accepts that are kept; the oldest is overwritten.
pub(crate) const RECORDS_MAX: u64 = 256;
/// Octets of one slot, its header included. Everything but a record has two of them.
pub(crate) const SLOT_OCTETS: usize = 16 * 1024;
/// Octets of an account, or of what is counted, as it stands in a slot.
pub(super) const CONTENT_OCTETS_MAX: usize = SLOT_OCTETS - SLOT_HEADER_OCTETS;
/// Octets of one record, its header included.
pub(super) const RECORD_OCTETS: usize = 4096;
/// Octets of a record's JSON.
pub(super) const RECORD_BODY_OCTETS_MAX: usize = RECORD_OCTETS - RECORD_HEADER_OCTETS;
/// Sources whose guesses are counted while the store is away.
pub(super) const LANES_MAX: usize = 64;
/// Sources with a recent success that are remembered of all accounts together.
pub(super) const KNOWN_MAX: usize = 32;
/// Successes of one account that are remembered for their retransmission.
pub(crate) const SUCCESSES_MAX: usize = 8;
/// How long the file is waited for.
pub(super) const WAIT: Duration = Duration::from_secs(5);
/// How long a waiting process sleeps before it looks again.
pub(super) const PAUSE: Duration = Duration::from_millis(1);

/// What the file begins with.
pub(super) const MAGIC: &[u8] = b"Countersign break-glass file, layout 1\n";
/// Octets before the first slot.
pub(super) const HEADER_OCTETS: usize = 4096;
/// Key id, sequence, length, MAC.
pub(super) const SLOT_HEADER_OCTETS: usize = 4 + 8 + 4 + 32;
/// Key id, sequence, length, the MAC before, MAC.
pub(super) const RECORD_HEADER_OCTETS: usize = 4 + 8 + 4 + 32 + 32;

/// The pair of slots with what is counted: after those of the accounts.
pub(super) const COUNTED_PAIR: usize = ACCOUNTS_MAX;
/// Pairs of slots.
pub(super) const PAIRS: usize = ACCOUNTS_MAX + 1;
/// Octets of the whole file.
pub(crate) const FILE_OCTETS: u64 = RING_BEGINS + RECORDS_MAX * 4096;
/// Where the records begin.
const RING_BEGINS: u64 = 4096 + 2 * 9 * 16 * 1024;

/// Where a slot begins: `pair` from 0, `side` 0 or 1.
pub(crate) fn slot_begins(pair: usize, side: u64) -> u64 {
    let slot = octets(pair).saturating_mul(2).saturating_add(side & 1);
    octets(HEADER_OCTETS).saturating_add(slot.saturating_mul(octets(SLOT_OCTETS)))
}

/// Where the record of a place in the chain stands, from 1.
pub(crate) fn record_begins(sequence: u64) -> u64 {
    let place = sequence.saturating_sub(1).checked_rem(RECORDS_MAX).unwrap_or_default();
    RING_BEGINS.saturating_add(place.saturating_mul(octets(RECORD_OCTETS)))
}

fn octets(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_follow_each_other_and_fill_the_file() {
        assert_eq!(slot_begins(0, 0), octets(HEADER_OCTETS));
        assert_eq!(slot_begins(PAIRS, 0), RING_BEGINS);
        assert_eq!(record_begins(1), RING_BEGINS);
        assert_eq!(record_begins(RECORDS_MAX + 1), RING_BEGINS);
        assert_eq!(record_begins(RECORDS_MAX) + octets(RECORD_OCTETS), FILE_OCTETS);
    }
}
