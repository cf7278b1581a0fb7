//! What a configuration makes of a server: an engine, and what the server looks after. Exchanged whole.

use std::sync::Arc;

use audit::SyslogSink;
use common::causes::with_causes;
use common::engine::Engine;
use common::ports::{Primary, StoreError};
use config::Settings;
use delivery::Bell;
use primary::{HelperLimits, Local, PamHelper, ServiceName};

use super::awaited::Awaited;
use super::heads::{Heads, Waiting};
use super::limits::FLUSH_PATIENCE;
use super::{DaemonError, Desk, Log, Program, Start};
use crate::gateways::gateways;
use crate::nobody::Nobody;
use crate::{AssemblyError, backend, break_glass_file, lost, sinks};

/// One configuration in force.
pub struct World {
    /// What it was made from.
    pub settings: Settings,
    /// Who decides.
    pub engine: Arc<Engine>,
    /// The store, whose chain heads become anchors.
    pub store: Arc<Awaited>,
    /// What whoever sends codes and notices works with.
    pub desk: Arc<Desk>,
    /// Rung when there is something to send.
    pub bell: Arc<Bell>,
    sink: Arc<SyslogSink>,
    waiting: Arc<Waiting>,
}

/// What goes on while configurations come and go.
struct Kept {
    sink: Arc<SyslogSink>,
    waiting: Arc<Waiting>,
    bell: Arc<Bell>,
}

impl World {
    /// The first one. It starts the thread that feeds syslog. Without a store it is open for break-glass accounts alone,
    /// where the program and the settings have some.
    ///
    /// # Errors
    /// [`DaemonError::Engine`].
    pub fn open(
        program: &Program,
        settings: Settings,
        helper: Option<&Arc<PamHelper>>,
    ) -> Result<Self, DaemonError> {
        let failed = |source| DaemonError::Engine { source };
        let (destination, renderer) = sinks::collector(&settings, program.name);
        let sink = SyslogSink::queued(destination, renderer).map_err(|source| failed(source.into()))?;
        let kept = Kept { sink: Arc::new(sink), waiting: Arc::default(), bell: Arc::default() };
        let world = Self::build(program, settings, helper, kept, None)?;
        if let Err(error) = world.store.look().map(drop) {
            world.store.tell(&error);
            if !program.serves_break_glass || world.settings.policy.break_glass.is_empty() {
                return Err(failed(error.into()));
            }
            program.log().error("until the store is there, only the accounts of [break-glass] can get in");
        }
        Ok(world)
    }

    /// The next one, with the settings of [`Self::settings_again`]. It needs no store: new settings may be what somebody
    /// needs who has none.
    ///
    /// # Errors
    /// [`DaemonError::Engine`]. This one stays in force then.
    pub fn next(
        &self,
        program: &Program,
        settings: Settings,
        helper: Option<&Arc<PamHelper>>,
    ) -> Result<Self, DaemonError> {
        let (sink, waiting) = (Arc::clone(&self.sink), Arc::clone(&self.waiting));
        let kept = Kept { sink, waiting, bell: Arc::clone(&self.bell) };
        let world = Self::build(program, settings, helper, kept, Some(&self.desk))?;
        if let Err(error) = world.store.look().map(drop) {
            world.store.tell(&error);
        }
        Ok(world)
    }

    fn build(
        program: &Program,
        settings: Settings,
        helper: Option<&Arc<PamHelper>>,
        kept: Kept,
        before: Option<&Desk>,
    ) -> Result<Self, DaemonError> {
        let Kept { sink, waiting, bell } = kept;
        let built = engine(program, &settings, helper, &sink, &bell);
        let (engine, store) = built.map_err(|source| DaemonError::Engine { source })?;
        let engine = Arc::new(engine);
        let (gateways, lacking) = gateways(&settings, before.map(Desk::known_gateways));
        lacking.iter().for_each(|lacking| program.log().error(&lacking.to_string()));
        let wording = settings.delivery.wording.clone();
        let desk = Desk { engine: Arc::clone(&engine), store: Arc::clone(&store), gateways, wording };
        Ok(Self { settings, engine, store, desk: Arc::new(desk), bell, sink, waiting })
    }

    /// What the file says by now. What is bound to the start of the process stays as it was, and the log says so.
    ///
    /// # Errors
    /// [`DaemonError::Configuration`].
    pub fn settings_again(&self, program: &Program) -> Result<Settings, DaemonError> {
        let before = &self.settings;
        let mut settings = program.settings(&before.path)?;
        let log = program.log();
        keep(log, "state-directory", &mut settings.state_directory, &before.state_directory);
        keep(log, "[primary]", &mut settings.primary, &before.primary);
        keep(log, "[audit.syslog]", &mut settings.audit, &before.audit);
        Ok(settings)
    }

    /// What became of the lines for syslog: a collector that is slow or away shows here.
    #[must_use]
    pub fn syslog_counts(&self) -> [(&'static str, u64); 2] {
        let counts = self.sink.counts();
        [("sent", counts.sent), ("dropped", counts.dropped)]
    }

    /// Sends the heads of the chains of records to syslog, so that a cut-off tail shows later, and first writes what was
    /// counted. What keeps it from that is said when it begins, and when it is over.
    pub fn anchor(&self, log: Log) -> Heads {
        let trouble = self.send_heads().err().map(|error| with_causes(&error));
        let heads = trouble.as_ref().map_or(Heads::Sent, |_| Heads::Waiting);
        self.waiting.tell(log, trouble);
        heads
    }

    /// Looks for a store that was not there yet. Without one there is nothing to be done but to wait.
    pub fn look_for_store(&self) {
        let _ = self.store.look();
    }

    fn send_heads(&self) -> Result<(), StoreError> {
        lost::tell(&self.engine, &self.sink);
        // Counted records that are due come first, so that the heads cover them.
        let settled = self.engine.settle();
        for head in self.store.heads()? {
            self.sink.anchor(&head, self.engine.now());
        }
        settled
    }

    /// Waits until what waits for syslog is sent, for a while.
    pub fn flush(&self) {
        self.sink.flush(FLUSH_PATIENCE);
    }
}

/// Leaves a setting as it was, and says so.
pub fn keep<T: PartialEq + Clone>(log: Log, key: &str, now: &mut T, before: &T) {
    if now != before {
        log.warning(&format!("{key} has changed: it comes into force when the server is started again"));
        *now = before.clone();
    }
}

/// Forks the process that asks PAM, where the settings need one; no thread has been started yet.
pub(super) fn helper(settings: &Settings, start: &Start) -> Result<Option<Arc<PamHelper>>, DaemonError> {
    let config::Primary::Pam { service } = &settings.primary else { return Ok(None) };
    if matches!(start, Start::AsUser) {
        return Err(DaemonError::HelperNeedsRoot);
    }
    let forked =
        ServiceName::find(service).and_then(|service| PamHelper::fork(service, HelperLimits::default()));
    forked
        .map(|helper| Some(Arc::new(helper)))
        .map_err(|source| DaemonError::Helper { source: source.into() })
}

fn engine(
    program: &Program,
    settings: &Settings,
    helper: Option<&Arc<PamHelper>>,
    sink: &Arc<SyslogSink>,
    bell: &Arc<Bell>,
) -> Result<(Engine, Arc<Awaited>), AssemblyError> {
    let keys = backend::keys(settings)?;
    let store = Arc::new(Awaited::new(program, settings, &keys, Arc::clone(bell))?);
    let primary = primary(settings, helper)?;
    let break_glass = break_glass_file::of(settings, &keys)?;
    let books = Box::new(Arc::clone(&store));
    let mut parts = backend::parts(settings, keys, books, primary, Box::new(Arc::clone(sink)));
    parts.break_glass = Some(Box::new(break_glass));
    parts.channels = settings.delivery.channels();
    Ok((Engine::new(parts), store))
}

fn primary(settings: &Settings, helper: Option<&Arc<PamHelper>>) -> Result<Box<dyn Primary>, AssemblyError> {
    Ok(match (&settings.primary, helper) {
        (config::Primary::Local, _) => Box::new(Local::for_server()),
        (config::Primary::None, _) => Box::new(Nobody),
        (config::Primary::Pam { .. }, Some(helper)) => Box::new(Arc::clone(helper)),
        (config::Primary::Pam { .. }, None) => return Err(AssemblyError::HelperMissing),
    })
}
