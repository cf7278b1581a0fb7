//! What the command line needs: the engine, the lists behind it, and the store itself.

use std::path::Path;
use std::sync::Arc;

use audit::SyslogSink;
use common::engine::Engine;
use common::ports::Clock as _;
use config::Settings;
use store::{BreakGlassFile, Examination, Process, Restoring, Rollback, Sqlite};

use crate::pam::{STREAM, in_process};
use crate::system::SystemClock;
use crate::{AssemblyError, backend, break_glass_file, lost, places, sinks};

/// The engine for acts and test logins, and what there is to list.
pub struct Office {
    /// Carries out acts, decides test logins.
    pub engine: Engine,
    /// The store: a `common::ports::Listing`, and backups.
    pub store: Arc<Sqlite>,
    /// The file of the break-glass accounts.
    pub break_glass: Arc<BreakGlassFile>,
    /// The syslog sink, to see whether lines were dropped.
    pub sink: Arc<SyslogSink>,
}

impl Office {
    /// Records how many records syslog has not taken of many acts.
    pub fn tell_of_lost(&self) {
        lost::tell(&self.engine, &self.sink);
    }
}

/// An engine for one command.
pub fn office(settings: &Settings) -> Result<Office, AssemblyError> {
    let keys = backend::keys(settings)?;
    let store = backend::store(settings, &keys, STREAM, Process::ShortLived)?;
    let (destination, renderer) = sinks::collector(settings, "countersign");
    let sink = Arc::new(SyslogSink::of_command(destination, renderer));
    let primary = in_process(settings)?;
    let break_glass = Arc::new(break_glass_file::of(settings, &keys)?);
    let mut parts =
        backend::parts(settings, keys, Box::new(Arc::clone(&store)), primary, Box::new(Arc::clone(&sink)));
    parts.break_glass = Some(Box::new(Arc::clone(&break_glass)));
    // What is written here is sent by the servers, which have the same settings.
    parts.channels = settings.delivery.channels();
    Ok(Office { engine: Engine::new(parts), store, break_glass, sink })
}

/// The file of the break-glass accounts alone, for the day when there is no engine.
pub fn break_glass(settings: &Settings) -> Result<BreakGlassFile, AssemblyError> {
    break_glass_file::of(settings, &backend::keys(settings)?)
}

/// A look at the store and everything around it, also where no engine can be made of it.
pub fn examination(settings: &Settings) -> Result<Examination, AssemblyError> {
    let keys = backend::keys(settings)?;
    let options = backend::options(settings, &keys, STREAM, Process::ShortLived)?;
    let checks = backend::key_checks(&keys)?;
    Ok(Sqlite::examine(&places::store(settings), options, checks, SystemClock.now()))
}

/// Copies the store into a new file, whatever key it was made with. This opening may be the one that notices that it
/// went back; nobody else hears of that.
pub fn copy_store(settings: &Settings, to: &Path) -> Result<Option<Rollback>, AssemblyError> {
    let keys = backend::keys(settings)?;
    let options = backend::options(settings, &keys, STREAM, Process::ShortLived)?;
    let store = Sqlite::open(&places::store(settings), options)?;
    store.backup_to(to)?;
    Ok(store.take_rollback())
}

/// What a restore of the store relies on.
pub fn restoring(settings: &Settings) -> Result<Restoring<'static>, AssemblyError> {
    let keys = backend::key_checks(&backend::keys(settings)?)?;
    Ok(Restoring { owner: Some(places::owner(settings)?), keys, clock: &SystemClock })
}
