//! Walks every chain of the store from its beginning and says what is not as it was written.

use std::collections::BTreeMap;

use common::chain::{ChainMac, ChainPosition};
use common::keys::{KEY_OCTETS, KeyError, KeyRing, Purpose};
use common::ports::{Listing, StoredRecord};

use crate::AuditError;
use crate::anchors::{Anchors, Places};
use crate::escape::visible;
use crate::report::{AnchorsRead, Finding, Flaw, KeySpan, Report, StreamReport, Tail};
use crate::restores::{Restore, explained};

/// Records read at once; a record that was moved is looked for this far on.
const PAGE_RECORDS: u32 = 500;

/// Compares all that the store has recorded with its chains, its heads and, if given, anchors.
/// Records chained under older keys are sound as long as the key file has these keys.
pub fn verify(
    listing: &dyn Listing,
    keys: &KeyRing,
    anchors: Option<&Anchors>,
) -> Result<Report, AuditError> {
    let keys = ChainKeys::derive(keys)?;
    let read_heads = || listing.heads().map_err(|source| AuditError::ReadHeads { source });
    let heads = read_heads()?;
    let stored = listing.streams().map_err(|source| AuditError::ReadHeads { source })?;
    let mut walks = Vec::new();
    for stream in stream_names(stored, anchors) {
        let places = anchors.and_then(|anchors| anchors.of(&visible(&stream)));
        let beginning = listing.beginning(&stream).map_err(|source| AuditError::ReadHeads { source })?;
        let mut walk = Walk::new(&keys, beginning, places);
        walk.walk(listing, heads.iter().find(|head| head.stream == walk.stream))?;
        walks.push(walk);
    }
    // A server may have written on meanwhile; a head that is still behind now was set back.
    let heads_after = read_heads()?;
    let restores: Vec<_> = walks.iter_mut().flat_map(|walk| std::mem::take(&mut walk.restores)).collect();
    let streams = walks.into_iter().map(|walk| walk.report(&heads, &heads_after, &restores)).collect();
    Ok(Report { anchors: anchors_read(anchors), streams })
}

/// All streams that the store or the anchors know: one without a head is looked at too.
fn stream_names(stored: Vec<String>, anchors: Option<&Anchors>) -> Vec<String> {
    let mut by_shown_name: BTreeMap<String, String> =
        anchors.iter().flat_map(|anchors| anchors.streams()).map(|name| (name.into(), name.into())).collect();
    by_shown_name.extend(stored.into_iter().map(|stream| (visible(&stream), stream)));
    by_shown_name.into_values().collect()
}

fn anchors_read(anchors: Option<&Anchors>) -> AnchorsRead {
    anchors.map_or(AnchorsRead::NotGiven, |anchors| AnchorsRead::Read {
        lines: anchors.lines,
        anchors: anchors.kept,
        ignored: anchors.ignored,
    })
}

/// The chain keys under all live master keys.
struct ChainKeys(Vec<(u32, zeroize::Zeroizing<[u8; KEY_OCTETS]>)>);

impl ChainKeys {
    fn derive(ring: &KeyRing) -> Result<Self, AuditError> {
        let derive = |id: common::keys::KeyId| {
            let key = ring.derive(id, Purpose::Chain);
            key.map(|key| (id.0, key)).map_err(|source| AuditError::DeriveKey { key: id.0, source })
        };
        ring.ids().map(derive).collect::<Result<_, _>>().map(Self)
    }

    /// The key under which `body` at `sequence` after `before` has the MAC `mac`; `likely` is tried first.
    fn of(&self, likely: Option<u32>, link: &Link<'_>, mac: &ChainMac) -> Option<u32> {
        let makes = |key: &[u8; KEY_OCTETS]| link.mac(key).is_ok_and(|made| made == *mac);
        let (first, rest): (Vec<_>, Vec<_>) = self.0.iter().partition(|(id, _)| Some(*id) == likely);
        first.into_iter().chain(rest).find(|(_, key)| makes(key)).map(|(id, _)| *id)
    }

    /// All MACs that a record could have.
    fn macs<'a>(&'a self, link: &'a Link<'_>) -> impl Iterator<Item = ChainMac> + 'a {
        self.0.iter().filter_map(|(_, key)| link.mac(key).ok())
    }
}

/// One record as it would stand in a chain.
struct Link<'a> {
    before: ChainMac,
    stream: &'a str,
    sequence: u64,
    body: &'a [u8],
}

impl Link<'_> {
    fn mac(&self, key: &[u8; KEY_OCTETS]) -> Result<ChainMac, KeyError> {
        self.before.next(key, self.stream, self.sequence, self.body)
    }
}

/// How far one stream has been walked, and what was met.
struct Walk<'a> {
    keys: &'a ChainKeys,
    stream: String,
    anchors: Option<&'a Places>,
    beginning: ChainPosition,
    last_sequence: u64,
    last_mac: ChainMac,
    mac_at_head: Option<ChainMac>,
    spans: Vec<KeySpan>,
    anchored: Option<u64>,
    broken: Option<Finding>,
    /// Restores that the sound records tell of.
    restores: Vec<Restore>,
    /// Place and line of anchors that saw another chain.
    disagreeing: Vec<(u64, u64)>,
}

impl<'a> Walk<'a> {
    fn new(keys: &'a ChainKeys, beginning: ChainPosition, anchors: Option<&'a Places>) -> Self {
        Self {
            keys,
            stream: beginning.stream.clone(),
            anchors,
            last_sequence: beginning.sequence,
            last_mac: beginning.mac,
            beginning,
            mac_at_head: None,
            spans: Vec::new(),
            anchored: None,
            broken: None,
            restores: Vec::new(),
            disagreeing: Vec::new(),
        }
    }

    /// Stops at the first record that is not what was written: nothing after it can be judged.
    fn walk(&mut self, listing: &dyn Listing, head: Option<&ChainPosition>) -> Result<(), AuditError> {
        while self.broken.is_none() {
            let page = self.page(listing)?;
            if page.is_empty() {
                return Ok(());
            }
            for record in &page {
                self.broken = self.step(listing, record)?;
                if self.broken.is_some() {
                    break;
                }
                if head.is_some_and(|head| head.sequence == record.sequence) {
                    self.mac_at_head = Some(record.mac);
                }
            }
        }
        Ok(())
    }

    fn page(&self, listing: &dyn Listing) -> Result<Vec<StoredRecord>, AuditError> {
        let failed = |source| AuditError::ReadRecords { stream: self.stream.clone(), source };
        listing.records(&self.stream, self.next_sequence(), PAGE_RECORDS).map_err(failed)
    }

    fn next_sequence(&self) -> u64 {
        self.last_sequence.saturating_add(1)
    }

    /// The record as the next one of the sound part.
    fn link<'b>(&'b self, body: &'b [u8]) -> Link<'b> {
        Link { before: self.last_mac, stream: &self.stream, sequence: self.next_sequence(), body }
    }

    fn step(&mut self, listing: &dyn Listing, record: &StoredRecord) -> Result<Option<Finding>, AuditError> {
        let sequence = self.next_sequence();
        if record.sequence > sequence {
            let last_sequence = record.sequence.saturating_sub(1);
            return Ok(Some(Finding { sequence, flaw: Flaw::Removed { last_sequence } }));
        }
        let likely = self.spans.last().map(|span| span.key);
        let Some(key) = self.keys.of(likely, &self.link(&record.body), &record.mac) else {
            let window = self.page(listing)?;
            return Ok(Some(Finding { sequence, flaw: self.flaw(&window) }));
        };
        if likely != Some(key) {
            self.spans.push(KeySpan { from_sequence: sequence, key });
        }
        self.last_sequence = sequence;
        self.last_mac = record.mac;
        self.restores.extend(Restore::read(&self.stream, sequence, &record.mac, &record.body));
        self.compare_with_anchors();
        Ok(None)
    }

    /// What became of the record that should stand at the front of `window`.
    fn flaw(&self, window: &[StoredRecord]) -> Flaw {
        let Some((here, after)) = window.split_first() else { return Flaw::NotOurs };
        let belongs_here = |moved: &&StoredRecord| {
            self.keys.macs(&self.link(&moved.body)).any(|mac| mac == moved.mac || mac == here.mac)
        };
        if let Some(moved) = after.iter().find(belongs_here) {
            return Flaw::Reordered { found_at: moved.sequence };
        }
        if self.is_original_known(here, after.first()) { Flaw::Changed } else { Flaw::NotOurs }
    }

    /// Whether the next record builds on the MAC that stands here, or on the one that the body should have.
    /// The last record has no next one: it counts as changed.
    fn is_original_known(&self, here: &StoredRecord, next: Option<&StoredRecord>) -> bool {
        let Some(next) = next else { return true };
        let sequence = self.next_sequence().saturating_add(1);
        let builds_on = |before| {
            let link = Link { before, stream: &self.stream, sequence, body: &next.body };
            self.keys.of(None, &link, &next.mac).is_some()
        };
        builds_on(here.mac) || self.keys.macs(&self.link(&here.body)).any(builds_on)
    }

    fn compare_with_anchors(&mut self) {
        let sequence = self.last_sequence;
        let places = self.anchors.into_iter().flat_map(|places| places.range((sequence, [0; 32])..));
        for ((_, mac), line) in places.take_while(|((place, _), _)| *place == sequence) {
            if mac == self.last_mac.as_bytes() {
                self.anchored = Some(sequence);
                for restore in &mut self.restores {
                    restore.line = Some(restore.line.map_or(*line, |seen| seen.min(*line)));
                }
            } else {
                self.disagreeing.push((sequence, *line));
            }
        }
    }

    fn report(
        mut self,
        heads: &[ChainPosition],
        heads_after: &[ChainPosition],
        restores: &[Restore],
    ) -> StreamReport {
        if self.broken.is_none() {
            self.compare_end_with_anchors();
        }
        let disagreeing = std::mem::take(&mut self.disagreeing);
        let (gaps, unexplained) = explained(restores, &self.stream, disagreeing);
        let rewritten = unexplained.iter().find(|(sequence, _)| *sequence <= self.last_sequence);
        let rewritten = rewritten
            .map(|(sequence, line)| Finding { sequence: *sequence, flaw: Flaw::Rewritten { line: *line } });
        let mut findings: Vec<_> = rewritten.into_iter().chain(self.broken).collect();
        if self.broken.is_none() {
            let of = |heads: &[ChainPosition]| heads.iter().find(|head| head.stream == self.stream).cloned();
            findings.extend(self.end_against_head(of(heads).as_ref(), of(heads_after).as_ref()));
            findings.extend(self.end_against_anchors(&unexplained));
        }
        let tail = self.anchored.map_or(Tail::Unproven, |sequence| Tail::ProvenUpTo { sequence });
        StreamReport {
            stream: self.stream,
            sound_records: self.last_sequence.saturating_sub(self.beginning.sequence),
            keys: self.spans,
            tail,
            findings,
            restores: gaps,
        }
    }

    fn end_against_head(
        &self,
        head: Option<&ChainPosition>,
        head_after: Option<&ChainPosition>,
    ) -> Option<Finding> {
        let Some(head) = head.or(head_after) else {
            let has_records = self.last_sequence > self.beginning.sequence;
            return has_records.then_some(Finding { sequence: self.last_sequence, flaw: Flaw::HeadMissing });
        };
        if head.sequence > self.last_sequence {
            let flaw = Flaw::CutOffBeforeHead { head: head.sequence };
            return Some(Finding { sequence: self.next_sequence(), flaw });
        }
        let is_empty = head.sequence == self.beginning.sequence;
        let mac_at_head = if is_empty { Some(self.beginning.mac) } else { self.mac_at_head };
        let is_behind = head_after.is_none_or(|after| after.sequence < self.last_sequence);
        let differs = mac_at_head != Some(head.mac) || is_behind;
        differs.then_some(Finding { sequence: head.sequence, flaw: Flaw::HeadDiffers })
    }

    /// Anchors beyond the last record disagree too.
    fn compare_end_with_anchors(&mut self) {
        let next = (self.next_sequence(), [0; 32]);
        let beyond = self.anchors.into_iter().flat_map(|places| places.range(next..));
        self.disagreeing.extend(beyond.map(|((sequence, _), line)| (*sequence, *line)));
    }

    fn end_against_anchors(&self, unexplained: &[(u64, u64)]) -> Option<Finding> {
        let (anchor, line) = unexplained.last().filter(|(sequence, _)| *sequence > self.last_sequence)?;
        let flaw = Flaw::CutOffBeforeAnchor { anchor: *anchor, line: *line };
        Some(Finding { sequence: self.next_sequence(), flaw })
    }
}
