//! Anchors against chains that have been walked. An anchor that agrees with a record is not kept, so that no number of
//! them is too large; what agrees with none is kept until restores have been asked.

use std::collections::BTreeMap;

use crate::AuditError;
use crate::anchors::{Anchor, Anchors};
use crate::restores::Restore;
use crate::verify::Walk;

/// Restores that lines tell of and no record, kept at most; people do not make so many.
const LOST_RESTORES_MAX: usize = 100;

/// How an anchor and a chain agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// The record is from before what is kept.
    Older,
    /// The record is the one that the anchor saw.
    Same,
    /// It is another one.
    Other,
    /// There is no record there.
    Beyond,
}

/// The first lines of anchors that agree with no record, by place and MAC.
type Disagreeing = BTreeMap<(u64, [u8; 32]), u64>;

/// What anchors say that chains do not.
#[derive(Default)]
pub(crate) struct Comparison {
    streams: BTreeMap<String, Disagreeing>,
    /// Restores whose records are not in a chain, by stream, place and MAC.
    lost: BTreeMap<(String, u64, [u8; 32]), Restore>,
    kept: u64,
    pub(crate) ignored: u64,
}

impl Comparison {
    /// Reads all anchors; `walks` are by the names that lines have.
    pub(crate) fn read(
        anchors: &mut Anchors<'_>,
        walks: &mut BTreeMap<String, Walk<'_>>,
    ) -> Result<Self, AuditError> {
        let mut comparison = Self::default();
        while let Some(anchor) = anchors.next_anchor()? {
            let walk = walks.get_mut(&anchor.stream);
            match walk.map_or(Sight::Beyond, |walk| walk.see(anchor.sequence, &anchor.mac, anchor.line)) {
                Sight::Older | Sight::Same => {}
                Sight::Other | Sight::Beyond => comparison.keep(anchor, anchors.disagreeing_max),
            }
        }
        Ok(comparison)
    }

    fn keep(&mut self, anchor: Anchor, kept_max: u64) {
        let Anchor { stream, sequence, mac, line, restore } = anchor;
        let place = (sequence, *mac.as_bytes());
        let first = self.streams.get(&stream).and_then(|places| places.get(&place)).copied();
        if first.is_none() && self.kept >= kept_max {
            self.ignored = self.ignored.saturating_add(1);
            return;
        }
        if first.is_none() {
            self.kept = self.kept.saturating_add(1);
            self.streams.entry(stream.clone()).or_default().insert(place, line);
        }
        if let Some(restore) = restore {
            self.keep_lost((stream, place.0, place.1), restore.seen_at(first.unwrap_or(line)));
        }
    }

    fn keep_lost(&mut self, place: (String, u64, [u8; 32]), restore: Restore) {
        if self.lost.contains_key(&place) {
            return;
        }
        if self.lost.len() >= LOST_RESTORES_MAX {
            self.ignored = self.ignored.saturating_add(1);
            return;
        }
        self.lost.insert(place, restore);
    }

    /// The streams in which something disagrees.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &String> {
        self.streams.keys()
    }

    /// Looks once more, after `walk` went on to what was written meanwhile. Past a break nothing can be judged.
    pub(crate) fn look_again(&mut self, stream: &str, walk: &mut Walk<'_>) {
        let Some(places) = self.streams.get_mut(stream) else { return };
        let is_broken = walk.broken.is_some();
        let lost = &mut self.lost;
        places.retain(|(sequence, mac), line| {
            let disagrees = match walk.see(*sequence, &common::chain::ChainMac::from_bytes(*mac), *line) {
                Sight::Older | Sight::Same => false,
                Sight::Other => true,
                Sight::Beyond => !is_broken,
            };
            if !disagrees {
                lost.remove(&(stream.to_owned(), *sequence, *mac));
            }
            disagrees
        });
    }

    /// Place and line of what disagrees with a stream, by place.
    pub(crate) fn disagreeing(&self, stream: &str) -> impl Iterator<Item = (u64, u64)> {
        let places = self.streams.get(stream).into_iter().flatten();
        places.map(|((sequence, _), line)| (*sequence, *line))
    }

    /// All restores whose records are gone, each with the stream where it was recorded.
    pub(crate) fn lost(&self) -> impl Iterator<Item = (&str, &Restore)> {
        self.lost.iter().map(|((stream, _, _), restore)| (stream.as_str(), restore))
    }
}
