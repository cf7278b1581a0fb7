//! What is written over again and again, in two slots each: the newer one that is whole counts.
//!
//! A write goes to the slot that its number is due for, then to the disk, and then to the other slot. So at each moment
//! one of them is whole and on the disk, however short a write comes out; and afterwards both have the same.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use common::keys::{KeyError, KeyId, mac};

use crate::break_glass::error::BreakGlassError;
use crate::break_glass::layout::{CONTENT_OCTETS_MAX, PAIRS, SLOT_HEADER_OCTETS, slot_begins};
use crate::break_glass::{BreakGlassKey, key};

/// What a pair of slots says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    /// How often it was written.
    pub(super) sequence: u64,
    /// What was written.
    pub(super) content: Vec<u8>,
}

/// A content ready to be written to both slots of a pair.
pub(super) struct Draft {
    pair: usize,
    sequence: u64,
    images: [Vec<u8>; 2],
}

impl Draft {
    pub(super) fn new(
        keys: &[BreakGlassKey],
        pair: usize,
        sequence: u64,
        content: &[u8],
    ) -> Result<Self, BreakGlassError> {
        if content.len() > CONTENT_OCTETS_MAX {
            return Err(BreakGlassError::TooLong { octets: content.len() });
        }
        let newest = keys.first().ok_or(KeyError::DoesNotSeal)?;
        let images = [image(newest, pair, 0, sequence, content)?, image(newest, pair, 1, sequence, content)?];
        Ok(Self { pair, sequence, images })
    }

    /// Writes the slot that is due. Nothing is acknowledged before the file is synced.
    pub(super) fn write(&self, file: &File) -> io::Result<()> {
        self.put(file, self.sequence & 1)
    }

    /// Writes the other one. Whatever becomes of it, the first one stands.
    pub(super) fn mirror(&self, file: &File) {
        let _ = self.put(file, (self.sequence & 1) ^ 1);
    }

    /// The octets of one slot, and where they stand.
    pub(super) fn slot(&self, side: u64) -> (u64, &[u8]) {
        let [even, odd] = &self.images;
        (slot_begins(self.pair, side), if side & 1 == 0 { even } else { odd })
    }

    fn put(&self, file: &File, side: u64) -> io::Result<()> {
        let (begins, image) = self.slot(side);
        file.write_all_at(image, begins)
    }
}

/// What a pair says; `None` where neither slot is whole.
pub(super) fn read(file: &File, keys: &[BreakGlassKey], pair: usize) -> Option<Sheet> {
    let [even, odd] = [0, 1].map(|side| slot(file, keys, pair, side));
    [even, odd].into_iter().flatten().max_by_key(|sheet| sheet.sequence)
}

/// How many slots of the whole file cannot be read.
pub(super) fn damaged_slots(file: &File, keys: &[BreakGlassKey]) -> usize {
    let slots = (0..PAIRS).flat_map(|pair| [(pair, 0), (pair, 1)]);
    slots.filter(|(pair, side)| slot(file, keys, *pair, *side).is_none()).count()
}

/// A slot that the disk cannot give back is like one that was not written to its end.
fn slot(file: &File, keys: &[BreakGlassKey], pair: usize, side: u64) -> Option<Sheet> {
    let begins = slot_begins(pair, side);
    let mut header = [0; SLOT_HEADER_OCTETS];
    file.read_exact_at(&mut header, begins).ok()?;
    let (id, rest) = header.split_first_chunk()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let (length, mac) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if length > CONTENT_OCTETS_MAX {
        return None;
    }
    let mut content = vec![0; length];
    let after_header = begins.saturating_add(u64::try_from(SLOT_HEADER_OCTETS).ok()?);
    file.read_exact_at(&mut content, after_header).ok()?;
    let sequence = u64::from_be_bytes(*sequence);
    let key = key(keys, KeyId(u32::from_be_bytes(*id)))?;
    let expected = seal(key, pair, side, sequence, &content).ok()?;
    (mac == expected.as_slice()).then_some(Sheet { sequence, content })
}

fn image(
    key: &BreakGlassKey,
    pair: usize,
    side: u64,
    sequence: u64,
    content: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let length = u32::try_from(content.len()).map_err(|_| KeyError::DoesNotSeal)?;
    let mac = seal(key, pair, side, sequence, content)?;
    let (id, sequence, length) = (key.id.0.to_be_bytes(), sequence.to_be_bytes(), length.to_be_bytes());
    Ok([id.as_slice(), &sequence, &length, &mac, content].concat())
}

/// The MAC is bound to the slot, so that none can stand for another.
fn seal(
    key: &BreakGlassKey,
    pair: usize,
    side: u64,
    sequence: u64,
    content: &[u8],
) -> Result<[u8; 32], KeyError> {
    let place = slot_begins(pair, side).to_be_bytes();
    mac(&key.slots, &[b"slot", &place, &sequence.to_be_bytes(), content])
}
