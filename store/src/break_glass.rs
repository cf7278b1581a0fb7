//! The file that lets break-glass accounts in while the store cannot be written: a copy of each of them, what they have
//! spent, and a record of each use.
//!
//! It is made once, of its whole length, and only ever written in place, so it needs no space and no other file. It
//! knows few accounts and decides nothing.

mod copy;
mod counted;
mod error;
pub(crate) mod layout;
mod opening;
mod page;
mod ring;
mod sheet;
mod survey;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::account::Account;
use common::bundle::{Bundle, Outcome};
use common::keys::{KEY_OCTETS, KeyId};
use common::lane::LaneKey;
use common::ports::{BreakGlass, Loaded, Store, StoreError};
use common::throttle::{Count, Seen};
use common::{AttemptId, Username};
use zeroize::Zeroizing;

use copy::{Copy, bare};
use opening::Access;
use page::Page;

pub use error::BreakGlassError;
pub use survey::{Kept, Survey};

/// The chain of the records in the file.
pub const STREAM: &str = "break-glass";

/// The keys under one master key.
pub struct BreakGlassKey {
    /// Its id.
    pub id: KeyId,
    /// For the MACs of what is in the file: `Purpose::BreakGlass`.
    pub slots: Zeroizing<[u8; KEY_OCTETS]>,
    /// For the chain of records: `Purpose::Chain`, as in the store.
    pub chain: Zeroizing<[u8; KEY_OCTETS]>,
}

/// The file. It is opened for each operation and closed after it, so nothing is held over a prompt or a fork.
pub struct BreakGlassFile {
    path: PathBuf,
    owner: u32,
    keys: Vec<BreakGlassKey>,
}

/// Whether something was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was not there before.
    New,
    /// It was there, and was left as it is.
    Found,
}

impl BreakGlassFile {
    /// The file at `path`, which need not be there. It belongs to `owner` (a uid) or to root. All live keys open it, the
    /// first one writes.
    #[must_use]
    pub fn new(path: PathBuf, owner: u32, keys: Vec<BreakGlassKey>) -> Self {
        Self { path, owner, keys }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file where there is none. What is there stays as it is, whatever it is.
    pub fn create(&self) -> Result<Made, StoreError> {
        if std::fs::symlink_metadata(&self.path).is_ok() {
            return Ok(Made::Found);
        }
        let image = page::blank(&self.keys).and_then(|image| opening::create(&self.path, self.owner, &image));
        image.map(|()| Made::New).map_err(|cause| cause.during("making", &self.path))
    }

    /// What there is to say about the file.
    pub fn survey(&self) -> Result<Survey, StoreError> {
        self.read(|page| Ok(survey::survey(page)))
    }

    /// Whether the file can be written: it is opened for that, and what is counted is written again as it is.
    pub fn probe(&self) -> Result<(), StoreError> {
        self.change("writing to", |page| {
            page.write_counted()?;
            page.sync()
        })
    }

    /// Drops the copies of all accounts but these, makes damaged places free, and forgets guesses.
    pub fn keep_only(&self, names: &BTreeSet<Username>) -> Result<(), StoreError> {
        self.change("writing to", |page| page.keep_only(names))
    }

    fn read<T>(&self, read: impl FnOnce(&Page<'_>) -> Result<T, BreakGlassError>) -> Result<T, StoreError> {
        let opened = opening::open(&self.path, self.owner, Access::Read);
        let done = opened.and_then(|file| read(&Page::read(&self.path, file, &self.keys)?));
        done.map_err(|cause| cause.during("reading", &self.path))
    }

    fn change<T>(
        &self,
        operation: &str,
        change: impl FnOnce(&mut Page<'_>) -> Result<T, BreakGlassError>,
    ) -> Result<T, StoreError> {
        let opened = opening::open(&self.path, self.owner, Access::Change);
        let done = opened.and_then(|file| change(&mut Page::read(&self.path, file, &self.keys)?));
        done.map_err(|cause| cause.during(operation, &self.path))
    }
}

impl Store for BreakGlassFile {
    fn load(
        &self,
        name: &Username,
        lane: &LaneKey,
        session: Option<AttemptId>,
    ) -> Result<Loaded, StoreError> {
        self.read(|page| {
            let Some((_, copy)) = page.find(name) else {
                return page.refuse_damaged().map(|()| Loaded::default());
            };
            let id = copy.account.id;
            Ok(Loaded {
                account: Some(copy.account.clone()),
                spent_steps: copy.spent_steps.clone(),
                spent_codes: copy.spent_codes.clone(),
                lane: page.counted.lane(lane),
                cap: page.counted.cap(id),
                known_at: page.counted.known_at(id, lane),
                success: session.and_then(|session| copy.success(session)),
                floor: copy.floor,
                ..Loaded::default()
            })
        })
    }

    /// What is counted outlives the process, not a power cut, as in the store.
    fn count(&self, count: &Count) -> Result<Seen, StoreError> {
        self.change("counting in", |page| {
            let seen = page.counted.count(count);
            page.write_counted()?;
            Ok(seen)
        })
    }

    /// Its ring is for auditors; nobody looks after an account here.
    fn sign_ins(&self, _: &Username, _: u32) -> Result<Vec<common::login::SignIn>, StoreError> {
        Ok(Vec::new())
    }

    fn commit(&self, bundles: &[Bundle]) -> Result<Vec<Outcome>, StoreError> {
        self.change("writing to", |page| bundles.iter().map(|bundle| page.commit(bundle)).collect())
    }
}

impl BreakGlass for BreakGlassFile {
    fn keep(&self, loaded: &Loaded) -> Result<(), StoreError> {
        let Some(newer) = Copy::of(loaded) else { return Ok(()) };
        let is_kept = self.read(|page| {
            let kept = page.find(&newer.account.name);
            Ok(kept.is_some_and(|(_, copy)| copy.is_as_good_as(&newer)))
        })?;
        if is_kept { Ok(()) } else { self.change("writing to", |page| page.keep(newer)) }
    }

    fn forget(&self, name: &Username) -> Result<(), StoreError> {
        let is_there = self.read(|page| Ok(page.find(name).is_some()))?;
        if is_there { self.change("writing to", |page| page.forget(name)) } else { Ok(()) }
    }
}

/// Whether a copy is what would be kept of an account.
#[must_use]
pub fn is_copy_of(copy: &Account, account: &Account) -> bool {
    *copy == bare(account)
}

/// The key with an id.
fn key(keys: &[BreakGlassKey], id: KeyId) -> Option<&BreakGlassKey> {
    keys.iter().find(|key| key.id == id)
}
