//! What a configuration makes of the service: the engine, and who may try whom. Exchanged whole.

use std::path::Path;
use std::sync::Arc;

use assembly::audit::SyslogSink;
use assembly::config::{Colour, ConfigError, Settings};
use assembly::primary::PamHelper;
use assembly::store::Sqlite;
use common::engine::Engine;
use common::ports::{Listing as _, StoreError};

use crate::error::ServiceError;
use crate::{LOG, limits};

/// One configuration in force.
pub struct World {
    /// What it was made from.
    pub settings: Settings,
    /// Who decides.
    pub engine: Engine,
    store: Arc<Sqlite>,
    sink: Arc<SyslogSink>,
}

impl World {
    /// The first one.
    ///
    /// # Errors
    /// [`ServiceError::Engine`].
    pub fn open(settings: Settings, helper: Option<&Arc<PamHelper>>) -> Result<Self, ServiceError> {
        Self::build(settings, helper, None)
    }

    /// The next one, from the same file. What is bound to the start of the process stays as it was, and the log says so.
    ///
    /// # Errors
    /// [`ServiceError::Configuration`], and as [`Self::open`]. This one stays in force then.
    pub fn reload(&self, helper: Option<&Arc<PamHelper>>) -> Result<Self, ServiceError> {
        let mut settings = load(&self.settings.path)?;
        let before = &self.settings;
        keep("state-directory", &mut settings.state_directory, &before.state_directory);
        keep("[primary]", &mut settings.primary, &before.primary);
        keep("[audit.syslog]", &mut settings.audit, &before.audit);
        Self::build(settings, helper, Some(Arc::clone(&self.sink)))
    }

    fn build(
        settings: Settings,
        helper: Option<&Arc<PamHelper>>,
        sink: Option<Arc<SyslogSink>>,
    ) -> Result<Self, ServiceError> {
        let parts = assembly::local_server(&settings, helper, sink)
            .map_err(|source| ServiceError::Engine { source })?;
        Ok(Self { settings, engine: parts.engine, store: parts.store, sink: parts.sink })
    }

    /// Sends the heads of the chains of records to syslog, so that a cut-off tail shows later, and first writes what was
    /// counted.
    ///
    /// # Errors
    /// The store cannot be read or written.
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
}

/// Reads the configuration without RADIUS clients: a mistake among them locks nobody out of the machine. Warnings go
/// to the log.
///
/// # Errors
/// [`ServiceError::Configuration`], with all mistakes.
pub fn load(path: &Path) -> Result<Settings, ServiceError> {
    let shown = |error: ConfigError| ServiceError::Configuration { shown: error.render(Colour::Plain) };
    let loaded = Settings::load_without_clients(path).map_err(shown)?;
    for warning in &loaded.warnings {
        LOG.warning(&warning.render(Colour::Plain));
    }
    Ok(loaded.settings)
}

fn keep<T: PartialEq + Clone>(key: &str, now: &mut T, before: &T) {
    if now != before {
        LOG.warning(&format!("{key} has changed: it comes into force when the service is started again"));
        *now = before.clone();
    }
}
