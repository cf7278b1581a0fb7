//! What a configuration makes of the server, with its clients. Exchanged whole.

use std::sync::Arc;

use assembly::config::{self, Settings};
use assembly::daemon::{self, keep};
use assembly::primary::PamHelper;
use assembly::{key_file, places};
use common::PrimaryMode;

use crate::clients::Clients;
use crate::error::ServerError;
use crate::{LOG, PROGRAM};

/// One configuration in force.
pub struct World {
    /// What every server has.
    pub base: daemon::World,
    /// Who may ask.
    pub clients: Clients,
    /// Who checks first passwords.
    pub primary: PrimaryMode,
}

impl World {
    /// The first one.
    ///
    /// # Errors
    /// [`ServerError::Secret`], [`ServerError::Daemon`].
    pub fn open(settings: Settings, helper: Option<&Arc<PamHelper>>) -> Result<Self, ServerError> {
        let clients = Clients::new(&settings.clients, &Clients::default())?;
        Ok(Self::new(daemon::World::open(&PROGRAM, settings, helper)?, clients))
    }

    /// The next one, from the same file. What is bound to the start of the process stays as it was, and the log says so.
    ///
    /// # Errors
    /// As [`Self::open`]. This one stays in force then.
    pub fn reload(&self, helper: Option<&Arc<PamHelper>>) -> Result<Self, ServerError> {
        let mut settings = self.base.settings_again(&PROGRAM)?;
        keep(LOG, "radius.listen", &mut settings.radius, &self.base.settings.radius);
        let clients = Clients::new(&settings.clients, &self.clients)?;
        Ok(Self::new(self.base.next(&PROGRAM, settings, helper)?, clients))
    }

    fn new(base: daemon::World, clients: Clients) -> Self {
        let primary = match base.settings.primary {
            config::Primary::Local | config::Primary::Pam { .. } => PrimaryMode::Own,
            config::Primary::None => PrimaryMode::None,
        };
        Self { base, clients, primary }
    }

    /// Tries what every login needs: to write to the store, a clock that has not gone back, and the key file, without
    /// which the next start fails.
    ///
    /// # Errors
    /// [`ServerError::Probe`], [`ServerError::ClockBehind`].
    pub fn probe(&self) -> Result<(), ServerError> {
        let daemon::World { settings, engine, store, .. } = &self.base;
        let floor = store.probe().map_err(|source| ServerError::Probe { source: source.into() })?;
        if engine.now() < floor {
            return Err(ServerError::ClockBehind);
        }
        let owner = places::owner(settings);
        let keys = owner.and_then(|owner| key_file::read(&places::master_key(settings), owner));
        keys.map(drop).map_err(|source| ServerError::Probe { source: source.into() })
    }
}
