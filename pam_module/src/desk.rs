//! Who decides a login: countersign-local where it answers, and else, with root's rights alone, we ourselves at the
//! store. Other callers never get there: their limits and signals must not reach its lock.

use std::path::{Path, PathBuf};

use assembly::config::{Settings, paths};
use assembly::local::arguments::Socket;
use assembly::local::{Away, Errand, Reply, Request, Round, Service, decide};
use common::engine::Engine;

use crate::hindrance::Hindrance;

/// Where one login is decided.
pub(crate) struct Desk {
    errand: Errand,
    /// Until it is away once.
    service: Result<Service, Away>,
    store: Option<Store>,
}

/// The store, opened by ourselves.
struct Store {
    settings: Settings,
    engine: Engine,
}

impl Desk {
    pub(crate) fn new(errand: Errand, socket: Socket) -> Self {
        let service = match socket {
            Socket::Usual => Ok(Service::at(PathBuf::from(paths::LOCAL_SOCKET))),
            Socket::At(path) => Ok(Service::at(path)),
            Socket::Off => Err(Away::Off),
        };
        Self { errand, service, store: None }
    }

    /// What the login is about.
    pub(crate) fn errand(&self) -> &Errand {
        &self.errand
    }

    /// One round. A login that the service has begun goes on at the store where the service is gone: the session is
    /// sealed by the same keys.
    pub(crate) fn round(&mut self, round: Round) -> Result<Reply, Hindrance> {
        let request = Request { errand: self.errand.clone(), round };
        if let Ok(service) = &self.service {
            match service.ask(&request) {
                Ok(reply) => return Ok(reply),
                Err(away) => self.service = Err(away),
            }
        }
        if self.errand.caller != 0 {
            let away = std::mem::replace(&mut self.service, Err(Away::Off)).err().unwrap_or(Away::Off);
            return Err(Hindrance::NoService { caller: self.errand.caller, away });
        }
        let store = match self.store.take() {
            Some(store) => self.store.insert(store),
            None => self.store.insert(Store::open(&self.errand.settings)?),
        };
        Ok(decide(&store.engine, &store.settings, &request))
    }
}

impl Store {
    fn open(path: &str) -> Result<Self, Hindrance> {
        let settings = Settings::load_without_clients(Path::new(path))?.settings;
        let engine = assembly::engine_for_pam(&settings)?;
        Ok(Self { settings, engine })
    }
}
