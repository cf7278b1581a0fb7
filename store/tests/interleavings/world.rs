//! A real store, and an engine on it whose clock stands still and whose primary keeps passwords in clear text.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::account::{PasswordHash, State};
use common::chain::ChainPosition;
use common::engine::{Engine, Parts};
use common::keys::{KEY_OCTETS, KeyId, KeyRing, MasterKey, Purpose};
use common::policy::Policy;
use common::ports::{Clock, Identity, Names, PasswordCheck, Primary, Random, Sink, Store, Stored};
use common::record::Record;
use common::{Secret, UnixTime, Username};
use store::{Process, Sqlite, SqliteOptions};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// Now, always.
pub(crate) const NOW: u64 = 1_700_000_010;

/// Memory where there is some: what is shown here has nothing to do with disks.
const MEMORY: &str = "/dev/shm";

/// A store in a folder of its own, gone with the value.
pub(crate) struct Yard {
    _folder: TempDir,
    path: PathBuf,
}

impl Yard {
    pub(crate) fn new() -> Self {
        let in_memory = tempfile::tempdir_in(MEMORY);
        let folder = in_memory.or_else(|_| tempfile::tempdir()).unwrap();
        let path = folder.path().join("store/countersign.db");
        Sqlite::create(&path, None).unwrap();
        Self { _folder: folder, path }
    }

    /// The store, as a process of this kind opens it.
    pub(crate) fn open(&self, process: Process) -> Arc<Sqlite> {
        open(&self.path, process)
    }
}

fn open(path: &Path, process: Process) -> Arc<Sqlite> {
    let keys = keys();
    let chain_key = keys.derive(keys.newest(), Purpose::Chain).unwrap();
    let options = SqliteOptions { chain_key, stream: "main".to_owned(), process, owner: None };
    Arc::new(Sqlite::open(path, options).unwrap())
}

fn keys() -> KeyRing {
    KeyRing::new(MasterKey { id: KeyId(1), octets: Zeroizing::new([7; KEY_OCTETS]) }, Vec::new())
}

/// An engine on this store.
pub(crate) fn engine(store: Box<dyn Store>, primary: Box<dyn Primary>) -> Engine {
    Engine::new(Parts {
        policy: Policy::new(State::Enforced),
        keys: keys(),
        store,
        break_glass: None,
        primary,
        names: Box::new(ClearText),
        clock: Box::new(Standing),
        random: Box::new(Counting),
        sink: Box::new(Silent),
        channels: BTreeSet::new(),
    })
}

/// Knows who has an account, and passwords as they are.
pub(crate) struct ClearText;

impl Names for ClearText {
    fn identify(&self, name: &Username, stored: Stored) -> Identity {
        match stored {
            Stored::Yes => Identity::Known(name.clone()),
            Stored::No => Identity::Unknown,
        }
    }
}

impl Primary for ClearText {
    fn check(&self, _: &Username, hash: Option<&PasswordHash>, password: &Secret) -> PasswordCheck {
        match hash {
            Some(hash) if hash.expose().as_bytes() == password.expose() => PasswordCheck::Right,
            Some(_) | None => PasswordCheck::Wrong,
        }
    }
}

struct Standing;

impl Clock for Standing {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(NOW)
    }
}

/// Different every time, the same in every run.
pub(crate) struct Counting;

impl Random for Counting {
    fn fill(&self, octets: &mut [u8]) {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        for chunk in octets.chunks_mut(8) {
            let mixed = scattered(COUNT.fetch_add(1, Ordering::Relaxed)).to_be_bytes();
            chunk.copy_from_slice(&mixed[..chunk.len()]);
        }
    }
}

/// SplitMix64: a number that looks random and follows from another.
pub(crate) fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

struct Silent;

impl Sink for Silent {
    fn publish(&self, _: &Record, _: Option<&ChainPosition>) {}
}
