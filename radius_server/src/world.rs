//! What a configuration makes of the server: clients, engine, and who checks first passwords. Exchanged whole.

use std::path::Path;
use std::sync::Arc;

use assembly::audit::SyslogSink;
use assembly::config::{self, Colour, ConfigError, Settings};
use assembly::primary::PamHelper;
use assembly::store::Sqlite;
use assembly::{key_file, places};
use common::PrimaryMode;
use common::engine::Engine;
use common::ports::{Listing as _, StoreError};

use crate::clients::Clients;
use crate::error::ServerError;
use crate::{LOG, limits};

/// One configuration in force.
pub struct World {
    /// What it was made from.
    pub settings: Settings,
    /// Who decides.
    pub engine: Engine,
    /// Who may ask.
    pub clients: Clients,
    /// Who checks first passwords.
    pub primary: PrimaryMode,
    store: Arc<Sqlite>,
    sink: Arc<SyslogSink>,
}

impl World {
    /// The first one.
    ///
    /// # Errors
    /// [`ServerError::Secret`], [`ServerError::Engine`].
    pub fn open(settings: Settings, helper: Option<&Arc<PamHelper>>) -> Result<Self, ServerError> {
        Self::build(settings, helper, None, &Clients::default())
    }

    /// The next one, from the same file. What is bound to the start of the process stays as it was, and the log says so.
    ///
    /// # Errors
    /// [`ServerError::Configuration`], and as [`Self::open`]. This one stays in force then.
    pub fn reload(&self, helper: Option<&Arc<PamHelper>>) -> Result<Self, ServerError> {
        let mut settings = load(&self.settings.path)?;
        let before = &self.settings;
        keep("radius.listen", &mut settings.radius, &before.radius);
        keep("state-directory", &mut settings.state_directory, &before.state_directory);
        keep("[primary]", &mut settings.primary, &before.primary);
        keep("[audit.syslog]", &mut settings.audit, &before.audit);
        Self::build(settings, helper, Some(Arc::clone(&self.sink)), &self.clients)
    }

    fn build(
        settings: Settings,
        helper: Option<&Arc<PamHelper>>,
        sink: Option<Arc<SyslogSink>>,
        before: &Clients,
    ) -> Result<Self, ServerError> {
        let clients = Clients::new(&settings.clients, before)?;
        let engine = |source: assembly::AssemblyError| ServerError::Engine { source: source.into() };
        let parts = assembly::server(&settings, helper, sink).map_err(engine)?;
        let primary = match settings.primary {
            config::Primary::Local | config::Primary::Pam { .. } => PrimaryMode::Own,
            config::Primary::None => PrimaryMode::None,
        };
        Ok(Self { settings, engine: parts.engine, clients, primary, store: parts.store, sink: parts.sink })
    }

    /// What became of the lines for syslog: a collector that is slow or away shows here.
    #[must_use]
    pub fn syslog_counts(&self) -> [(&'static str, u64); 2] {
        let counts = self.sink.counts();
        [("sent", counts.sent), ("dropped", counts.dropped)]
    }

    /// Sends the heads of the chains of records to syslog, so that a cut-off tail shows later.
    ///
    /// # Errors
    /// The store cannot be read, or counted records not be written.
    pub fn anchor(&self) -> Result<(), StoreError> {
        // Counted records that are due come first, so that the heads cover them.
        let settled = self.engine.settle();
        for head in self.store.heads()? {
            self.sink.anchor(&head, self.engine.now());
        }
        settled
    }

    /// Waits until what waits for syslog is sent, for a while.
    pub fn flush(&self) {
        self.sink.flush(limits::FLUSH_PATIENCE);
    }

    /// Tries what every login needs: to write to the store, a clock that has not gone back, and the key file, without
    /// which the next start fails.
    ///
    /// # Errors
    /// [`ServerError::Probe`], [`ServerError::ClockBehind`].
    pub fn probe(&self) -> Result<(), ServerError> {
        let floor = self.store.probe().map_err(|source| ServerError::Probe { source: source.into() })?;
        if self.engine.now() < floor {
            return Err(ServerError::ClockBehind);
        }
        let owner = places::owner(&self.settings);
        let keys = owner.and_then(|owner| key_file::read(&places::master_key(&self.settings), owner));
        keys.map(drop).map_err(|source| ServerError::Probe { source: source.into() })
    }
}

/// Reads the configuration; warnings go to the log.
///
/// # Errors
/// [`ServerError::Configuration`], with all mistakes.
pub fn load(path: &Path) -> Result<Settings, ServerError> {
    let shown = |error: ConfigError| ServerError::Configuration { shown: error.render(Colour::Plain) };
    let loaded = Settings::load(path).map_err(shown)?;
    for warning in &loaded.warnings {
        LOG.warning(&warning.render(Colour::Plain));
    }
    Ok(loaded.settings)
}

fn keep<T: PartialEq + Clone>(key: &str, now: &mut T, before: &T) {
    if now != before {
        LOG.warning(&format!("{key} has changed: it comes into force when the server is started again"));
        *now = before.clone();
    }
}
