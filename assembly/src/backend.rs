//! What every engine of ours shares: keys, store, clock and randomness.

use std::collections::BTreeSet;
#[cfg(feature = "pam")]
use std::sync::Arc;

use common::engine::Parts;
use common::keys::{KeyError, KeyRing, Purpose};
use common::ports::{Primary, Sink, Store};
use config::Settings;
use primary::Nss;
#[cfg(feature = "pam")]
use store::Sqlite;
use store::{KeyCheck, Process, SqliteOptions};

use crate::system::{SystemClock, SystemRandom};
use crate::{AssemblyError, key_file, places};

/// The keys of the settings' state directory.
pub(crate) fn keys(settings: &Settings) -> Result<KeyRing, AssemblyError> {
    key_file::read(&places::master_key(settings), places::owner(settings)?)
}

/// The store, writing its records under `stream`.
#[cfg(feature = "pam")]
pub(crate) fn store(
    settings: &Settings,
    keys: &KeyRing,
    stream: &str,
    process: Process,
) -> Result<Arc<Sqlite>, AssemblyError> {
    let options = options(settings, keys, stream, process)?;
    let store = Sqlite::open(&places::store(settings), options)?;
    Ok(Arc::new(store.checking_keys(key_checks(keys)?)))
}

/// How the store is opened.
pub(crate) fn options(
    settings: &Settings,
    keys: &KeyRing,
    stream: &str,
    process: Process,
) -> Result<SqliteOptions, AssemblyError> {
    Ok(SqliteOptions {
        chain_key: keys.derive(keys.newest(), Purpose::Chain)?,
        stream: stream.to_owned(),
        process,
        owner: Some(places::owner(settings)?),
    })
}

/// What each live key makes of a fixed text, so that a store tells the key file of another machine apart. Under the
/// key of the chain, whose MACs have more parts than one.
pub(crate) fn key_checks(keys: &KeyRing) -> Result<Vec<KeyCheck>, KeyError> {
    let check = |key| Ok(KeyCheck { key, mac: keys.mac(key, Purpose::Chain, &[b"key check"])? });
    keys.ids().map(check).collect()
}

/// The parts of an engine.
pub(crate) fn parts(
    settings: &Settings,
    keys: KeyRing,
    store: Box<dyn Store>,
    primary: Box<dyn Primary>,
    sink: Box<dyn Sink>,
) -> Parts {
    Parts {
        policy: settings.policy.clone(),
        keys,
        store,
        break_glass: None,
        primary,
        names: Box::new(Nss),
        clock: Box::new(SystemClock),
        random: Box::new(SystemRandom),
        sink,
        // Who sends is a server: where there is none, nothing is promised.
        channels: BTreeSet::new(),
    }
}
