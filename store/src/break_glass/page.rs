//! The whole file as it is at one moment, under its lock, and every change of it.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use common::Username;
use common::bundle::{Bundle, Entry, Outcome, Precondition};

use crate::break_glass::BreakGlassKey;
use crate::break_glass::copy::Copy;
use crate::break_glass::counted::Counted;
use crate::break_glass::error::{BreakGlassError, failed};
use crate::break_glass::layout::{
    ACCOUNTS_MAX, COUNTED_PAIR, FILE_OCTETS, MAGIC, PAIRS, RECORD_HEADER_OCTETS, RECORDS_MAX, record_begins,
};
use crate::break_glass::ring::{self, AppendError, Head};
use crate::break_glass::sheet::{self, Draft};
use crate::reserve::noise;

/// What stands in the place of one account.
#[derive(Clone, Debug)]
enum Content {
    Free,
    Kept(Box<Copy>),
    /// Neither slot is whole.
    Damaged,
}

/// The place of one account.
struct Place {
    sequence: u64,
    content: Content,
}

/// The file, opened, locked and read.
pub(super) struct Page<'a> {
    path: &'a Path,
    file: File,
    keys: &'a [BreakGlassKey],
    places: Vec<Place>,
    pub(super) counted: Counted,
    counted_sequence: u64,
}

impl<'a> Page<'a> {
    pub(super) fn read(
        path: &'a Path,
        file: File,
        keys: &'a [BreakGlassKey],
    ) -> Result<Self, BreakGlassError> {
        let mut begins = [0; MAGIC.len()];
        file.read_exact_at(&mut begins, 0).map_err(failed("read", path))?;
        if begins != MAGIC {
            return Err(BreakGlassError::Foreign(path.to_owned()));
        }
        let sheets: Vec<_> = (0..PAIRS).map(|pair| sheet::read(&file, keys, pair)).collect();
        if sheets.iter().all(Option::is_none) {
            return Err(BreakGlassError::WrongKey(path.to_owned()));
        }
        let counted = sheets.get(COUNTED_PAIR).and_then(Option::as_ref);
        // What was counted may be torn by a power cut; then it begins anew, as it does when the store is made anew.
        let read = counted.and_then(|sheet| serde_json::from_slice(&sheet.content).ok());
        let places = sheets.iter().take(ACCOUNTS_MAX).map(|sheet| {
            let sequence = sheet.as_ref().map_or(0, |sheet| sheet.sequence);
            let content =
                sheet.as_ref().map(|sheet| serde_json::from_slice::<Option<Box<Copy>>>(&sheet.content));
            let content = match content {
                Some(Ok(Some(copy))) => Content::Kept(copy),
                Some(Ok(None)) => Content::Free,
                Some(Err(_)) | None => Content::Damaged,
            };
            Place { sequence, content }
        });
        let places = places.collect();
        let counted_sequence = counted.map_or(0, |sheet| sheet.sequence);
        Ok(Self { path, file, keys, places, counted: read.unwrap_or_default(), counted_sequence })
    }

    /// The place and the copy of an account.
    pub(super) fn find(&self, name: &Username) -> Option<(usize, &Copy)> {
        self.kept().find(|(_, copy)| copy.account.name == *name)
    }

    /// All copies with their places.
    pub(super) fn kept(&self) -> impl Iterator<Item = (usize, &Copy)> {
        self.places.iter().enumerate().filter_map(|(pair, place)| match &place.content {
            Content::Kept(copy) => Some((pair, &**copy)),
            Content::Free | Content::Damaged => None,
        })
    }

    /// Who is not found may have stood in a damaged place: nobody knows.
    pub(super) fn refuse_damaged(&self) -> Result<(), BreakGlassError> {
        let is_damaged = self.places.iter().any(|place| matches!(place.content, Content::Damaged));
        if is_damaged { Err(BreakGlassError::Damaged(self.path.to_owned())) } else { Ok(()) }
    }

    pub(super) fn damaged_slots(&self) -> usize {
        sheet::damaged_slots(&self.file, self.keys)
    }

    pub(super) fn head(&self) -> Head {
        ring::head(&self.file, self.keys)
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The copy follows the store.
    pub(super) fn keep(&mut self, newer: Copy) -> Result<(), BreakGlassError> {
        let is_renamed = |(_, copy): &(usize, &Copy)| copy.account.id == newer.account.id;
        let found = self.find(&newer.account.name).or_else(|| self.kept().find(is_renamed));
        let found = found.map(|(pair, copy)| (pair, copy.clone()));
        let (pair, next) = match found {
            Some((pair, before)) => (pair, before.followed_by(newer)),
            None => (self.free_place(&newer)?, newer),
        };
        self.write_place(pair, Content::Kept(Box::new(next)))
    }

    fn free_place(&self, newer: &Copy) -> Result<usize, BreakGlassError> {
        let free = self.places.iter().position(|place| matches!(place.content, Content::Free));
        free.ok_or_else(|| BreakGlassError::NoPlace(newer.account.name.clone()))
    }

    pub(super) fn forget(&mut self, name: &Username) -> Result<(), BreakGlassError> {
        let Some((pair, _)) = self.find(name) else { return Ok(()) };
        self.write_place(pair, Content::Free)
    }

    pub(super) fn keep_only(&mut self, names: &BTreeSet<Username>) -> Result<(), BreakGlassError> {
        let is_needed = |place: &Place| match &place.content {
            Content::Kept(copy) => names.contains(&copy.account.name),
            Content::Free => true,
            Content::Damaged => false,
        };
        let places = self.places.iter().enumerate();
        let surplus: Vec<_> = places.filter(|(_, place)| !is_needed(place)).map(|(pair, _)| pair).collect();
        for pair in surplus {
            self.write_place(pair, Content::Free)?;
        }
        self.counted.forgive();
        self.write_counted()?;
        self.sync()
    }

    /// Writes a bundle wholly or not at all: it holds once the place of the account is on the disk.
    pub(super) fn commit(&mut self, bundle: &Bundle) -> Result<Outcome, BreakGlassError> {
        let changed = match &bundle.precondition {
            // Neither the name nor the account is anything that the file could spend for.
            Precondition::Absent(_) => return Err(BreakGlassError::NotCurrent),
            Precondition::Nothing => None,
            Precondition::Version { account, version } => {
                let kept = self.kept().find(|(_, copy)| copy.account.id == *account);
                let (pair, copy) = kept.ok_or(BreakGlassError::NotCurrent)?;
                match copy.account.version.cmp(version) {
                    Ordering::Less => return Err(BreakGlassError::NotCurrent),
                    Ordering::Equal => Some((pair, copy.clone())),
                    // The account was changed and copied since it was loaded.
                    Ordering::Greater => return Ok(Outcome::Conflict),
                }
            }
        };
        let mut changed = changed;
        for spend in &bundle.spends {
            let (_, copy) = changed.as_mut().ok_or(BreakGlassError::NotCurrent)?;
            if copy.spend(spend).is_err() {
                return Ok(Outcome::Conflict);
            }
        }
        if let Some(success) = &bundle.success {
            let (_, copy) = changed.as_mut().ok_or(BreakGlassError::NotCurrent)?;
            if copy.succeed(success).is_err() {
                return Ok(Outcome::Conflict);
            }
        }
        let entries = self.append(bundle)?;
        self.count_for(bundle)?;
        match changed.filter(|_| bundle.success.is_some() || !bundle.spends.is_empty()) {
            Some((pair, copy)) => self.write_place(pair, Content::Kept(Box::new(copy)))?,
            None if entries.is_empty() => {}
            None => self.sync()?,
        }
        Ok(Outcome::Applied(entries))
    }

    fn append(&self, bundle: &Bundle) -> Result<Vec<Entry>, BreakGlassError> {
        if bundle.records.is_empty() {
            return Ok(Vec::new());
        }
        let newest = self.keys.first().ok_or_else(|| BreakGlassError::WrongKey(self.path.to_owned()))?;
        let mut head = self.head();
        let mut entries = Vec::with_capacity(bundle.records.len());
        for record in &bundle.records {
            head = ring::append(&self.file, newest, head, record).map_err(|error| match error {
                AppendError::Write(source) => failed("write to", self.path)(source),
                AppendError::Other(error) => error,
            })?;
            entries.push(Entry { record: record.clone(), position: Some(head.position()) });
        }
        Ok(entries)
    }

    fn count_for(&mut self, bundle: &Bundle) -> Result<(), BreakGlassError> {
        let before = self.counted.clone();
        if let Some(taken_back) = &bundle.taken_back {
            self.counted.change_lane(&taken_back.lane, |lane| taken_back.undo(lane));
        }
        if let Some(recognised) = &bundle.recognised {
            self.counted.recognise(recognised, bundle.at);
        }
        if let Some(unlocked) = &bundle.unlocked {
            self.counted.unlock(unlocked);
        }
        if self.counted == before { Ok(()) } else { self.write_counted() }
    }

    /// Writes what is counted, without waiting for the disk.
    pub(super) fn write_counted(&mut self) -> Result<(), BreakGlassError> {
        self.counted_sequence = self.counted_sequence.saturating_add(1);
        let content = serde_json::to_vec(&self.counted)?;
        let draft = Draft::new(self.keys, COUNTED_PAIR, self.counted_sequence, &content)?;
        draft.write(&self.file).map_err(failed("write to", self.path))?;
        draft.mirror(&self.file);
        Ok(())
    }

    fn write_place(&mut self, pair: usize, content: Content) -> Result<(), BreakGlassError> {
        let sequence = self.places.get(pair).map_or(0, |place| place.sequence).saturating_add(1);
        let octets = match &content {
            Content::Kept(copy) => serde_json::to_vec(copy)?,
            Content::Free | Content::Damaged => b"null".to_vec(),
        };
        let draft = Draft::new(self.keys, pair, sequence, &octets)?;
        draft.write(&self.file).map_err(failed("write to", self.path))?;
        self.sync()?;
        draft.mirror(&self.file);
        if let Some(place) = self.places.get_mut(pair) {
            *place = Place { sequence, content };
        }
        Ok(())
    }

    pub(super) fn sync(&self) -> Result<(), BreakGlassError> {
        self.file.sync_data().map_err(failed("sync", self.path))
    }
}

/// A new file. What has no meaning yet is filled with octets that no file system leaves out or compresses away.
pub(super) fn blank(keys: &[BreakGlassKey]) -> Result<Vec<u8>, BreakGlassError> {
    let mut image = noise(FILE_OCTETS, FILE_OCTETS);
    put(&mut image, 0, MAGIC);
    let nothing = serde_json::to_vec(&Counted::default())?;
    for pair in 0..PAIRS {
        let content = if pair == COUNTED_PAIR { nothing.as_slice() } else { b"null" };
        let draft = Draft::new(keys, pair, 0, content)?;
        for side in [0, 1] {
            let (begins, slot) = draft.slot(side);
            put(&mut image, begins, slot);
        }
    }
    for place in 1..=RECORDS_MAX {
        put(&mut image, record_begins(place), &[0; RECORD_HEADER_OCTETS]);
    }
    Ok(image)
}

fn put(image: &mut [u8], begins: u64, octets: &[u8]) {
    let place =
        usize::try_from(begins).ok().and_then(|begins| image.get_mut(begins..)?.get_mut(..octets.len()));
    if let Some(place) = place {
        place.copy_from_slice(octets);
    }
}
