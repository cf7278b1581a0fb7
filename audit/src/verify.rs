//! Walks every chain of the store from its beginning and says what is not as it was written.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use common::chain::{ChainMac, ChainPosition};
use common::keys::{KEY_OCTETS, KeyError, KeyRing, Purpose};
use common::ports::{Listing, StoredRecord};

use crate::AuditError;
use crate::anchors::Anchors;
use crate::comparison::{Comparison, Sight};
use crate::escape::visible;
use crate::report::{AnchorsRead, Finding, Flaw, KeySpan, LostRestore, Report, StreamReport, Tail};
use crate::restores::{Explained, Restore, explained};

/// Records read at once; a record that was moved is looked for this far on.
const PAGE_RECORDS: u32 = 500;

/// Compares all that the store has recorded with its chains, its heads and, if given, anchors.
/// Records chained under older keys are sound as long as the key file has these keys.
pub fn verify(
    listing: &dyn Listing,
    keys: &KeyRing,
    anchors: Option<Anchors<'_>>,
) -> Result<Report, AuditError> {
    let keys = ChainKeys::derive(keys)?;
    let mut heads = heads_of(listing)?;
    let mut walks = BTreeMap::new();
    for stream in listing.streams().map_err(|source| AuditError::ReadHeads { source })? {
        let walk = Walk::begin(&keys, listing, &stream)?;
        walks.entry(visible(&stream)).or_insert(walk).walk(listing, &heads)?;
    }
    let mut comparison = Comparison::default();
    let mut read = AnchorsRead::NotGiven;
    if let Some(mut anchors) = anchors {
        comparison = Comparison::read(&mut anchors, &mut walks)?;
        look_again(listing, &keys, &mut heads, &mut walks, &mut comparison)?;
        let Anchors { lines, count, .. } = anchors;
        read = AnchorsRead::Read { lines, anchors: count, ignored: comparison.ignored };
    }
    // A server may have written on meanwhile; a head that is still behind now was set back.
    let heads_after = heads_of(listing)?;
    let of_records = walks.values_mut().flat_map(|walk| std::mem::take(&mut walk.restores));
    let mut restores: Vec<_> = of_records.collect();
    restores.extend(comparison.lost().map(|(_, restore)| restore.clone()));
    let reports = walks.iter().map(|(shown, walk)| {
        let explained = explained(&restores, &walk.stream, comparison.disagreeing(shown));
        let lost = comparison.lost().filter(|(stream, _)| *stream == shown.as_str());
        let lost_restores = lost.map(|(_, restore)| restore.lost()).collect();
        walk.report(&heads, &heads_after, explained, lost_restores)
    });
    Ok(Report { anchors: read, streams: reports.collect() })
}

fn heads_of(listing: &dyn Listing) -> Result<Vec<ChainPosition>, AuditError> {
    listing.heads().map_err(|source| AuditError::ReadHeads { source })
}

/// Lines may tell of records, and of streams, that were written after the chains had been walked: walks on to them.
fn look_again<'a>(
    listing: &dyn Listing,
    keys: &'a ChainKeys,
    heads: &mut Vec<ChainPosition>,
    walks: &mut BTreeMap<String, Walk<'a>>,
    comparison: &mut Comparison,
) -> Result<(), AuditError> {
    for head in heads_of(listing)? {
        if !heads.iter().any(|known| known.stream == head.stream) {
            heads.push(head);
        }
    }
    let streams: Vec<_> = comparison.streams().cloned().collect();
    for stream in streams {
        let walk = match walks.entry(stream.clone()) {
            Entry::Occupied(walk) => walk.into_mut(),
            Entry::Vacant(place) => place.insert(Walk::begin(keys, listing, &stream)?),
        };
        walk.walk(listing, heads)?;
        comparison.look_again(&stream, walk);
    }
    Ok(())
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
pub(crate) struct Walk<'a> {
    keys: &'a ChainKeys,
    stream: String,
    beginning: ChainPosition,
    last_sequence: u64,
    last_mac: ChainMac,
    /// Those of the sound records, from the first one after the beginning.
    macs: Vec<ChainMac>,
    mac_at_head: Option<ChainMac>,
    spans: Vec<KeySpan>,
    anchored: Option<u64>,
    pub(crate) broken: Option<Finding>,
    /// Restores that the sound records tell of.
    restores: Vec<Restore>,
}

impl<'a> Walk<'a> {
    fn begin(keys: &'a ChainKeys, listing: &dyn Listing, stream: &str) -> Result<Self, AuditError> {
        let beginning = listing.beginning(stream).map_err(|source| AuditError::ReadHeads { source })?;
        Ok(Self {
            keys,
            stream: beginning.stream.clone(),
            last_sequence: beginning.sequence,
            last_mac: beginning.mac,
            beginning,
            macs: Vec::new(),
            mac_at_head: None,
            spans: Vec::new(),
            anchored: None,
            broken: None,
            restores: Vec::new(),
        })
    }

    /// Goes on to the end. Stops at the first record that is not what was written: nothing after it can be judged.
    fn walk(&mut self, listing: &dyn Listing, heads: &[ChainPosition]) -> Result<(), AuditError> {
        let head = heads.iter().find(|head| head.stream == self.stream).map(|head| head.sequence);
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
                if head == Some(record.sequence) {
                    self.mac_at_head = Some(record.mac);
                }
            }
        }
        Ok(())
    }

    /// What an anchor has seen of it.
    pub(crate) fn see(&mut self, sequence: u64, mac: &ChainMac, line: u64) -> Sight {
        let Some(place) =
            sequence.checked_sub(self.beginning.sequence).and_then(|place| place.checked_sub(1))
        else {
            return Sight::Older;
        };
        match usize::try_from(place).ok().and_then(|place| self.macs.get(place)) {
            None => Sight::Beyond,
            Some(own) if own != mac => Sight::Other,
            Some(_) => {
                self.anchored = self.anchored.max(Some(sequence));
                for restore in self.restores.iter_mut().filter(|restore| restore.sequence <= sequence) {
                    restore.line = Some(restore.line.map_or(line, |seen| seen.min(line)));
                }
                Sight::Same
            }
        }
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
        self.macs.push(record.mac);
        self.restores.extend(Restore::read(&self.stream, sequence, &record.mac, &record.body));
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

    fn report(
        &self,
        heads: &[ChainPosition],
        heads_after: &[ChainPosition],
        explained: Explained,
        lost_restores: Vec<LostRestore>,
    ) -> StreamReport {
        let Explained { gaps, twice, unexplained } = explained;
        let rewritten = unexplained.iter().find(|(sequence, _)| *sequence <= self.last_sequence);
        let rewritten = rewritten
            .map(|(sequence, line)| Finding { sequence: *sequence, flaw: Flaw::Rewritten { line: *line } });
        let mut findings: Vec<_> = rewritten.into_iter().chain(twice).chain(self.broken).collect();
        if self.broken.is_none() {
            let of = |heads: &[ChainPosition]| heads.iter().find(|head| head.stream == self.stream).cloned();
            findings.extend(self.end_against_head(of(heads).as_ref(), of(heads_after).as_ref()));
            findings.extend(self.end_against_anchors(&unexplained));
        }
        let tail = self.anchored.map_or(Tail::Unproven, |sequence| Tail::ProvenUpTo { sequence });
        StreamReport {
            stream: self.stream.clone(),
            sound_records: self.last_sequence.saturating_sub(self.beginning.sequence),
            keys: self.spans.clone(),
            tail,
            findings,
            restores: gaps,
            lost_restores,
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

    fn end_against_anchors(&self, unexplained: &[(u64, u64)]) -> Option<Finding> {
        let (anchor, line) = unexplained.last().filter(|(sequence, _)| *sequence > self.last_sequence)?;
        let flaw = Flaw::CutOffBeforeAnchor { anchor: *anchor, line: *line };
        Some(Finding { sequence: self.next_sequence(), flaw })
    }
}
