//! The engine inside a long-lived server, and the root process that answers PAM for it.

use std::sync::Arc;

use audit::SyslogSink;
use common::engine::Engine;
use common::ports::Primary;
use config::Settings;
use primary::{HelperLimits, Local, PamHelper, ServiceName};
use store::{Process, Sqlite};

use crate::nobody::Nobody;
use crate::{AssemblyError, backend, break_glass_file, sinks};

/// A server: the chain that it writes its records to, and its name in syslog.
struct Kind {
    stream: &'static str,
    program: &'static str,
}

const RADIUS: Kind = Kind { stream: "radiusd", program: "countersign-radiusd" };
const LOCAL: Kind = Kind { stream: "local", program: "countersign-local" };

/// An engine and what its server looks after.
pub struct Server {
    /// Decides logins.
    pub engine: Engine,
    /// The store, whose chain heads become anchors.
    pub store: Arc<Sqlite>,
    /// The syslog sink: anchors and counts.
    pub sink: Arc<SyslogSink>,
}

/// Forks the process that asks PAM, where the settings need one. The caller is root and has started no thread.
pub fn helper_for(settings: &Settings) -> Result<Option<Arc<PamHelper>>, AssemblyError> {
    match &settings.primary {
        config::Primary::Pam { service } => {
            let service = ServiceName::find(service)?;
            Ok(Some(Arc::new(PamHelper::fork(service, HelperLimits::default())?)))
        }
        config::Primary::Local | config::Primary::None => Ok(None),
    }
}

/// An engine for the RADIUS server. It starts the thread that feeds syslog; on a reload `sink` is the one that runs
/// already.
pub fn server(
    settings: &Settings,
    helper: Option<&Arc<PamHelper>>,
    sink: Option<Arc<SyslogSink>>,
) -> Result<Server, AssemblyError> {
    long_lived(&RADIUS, settings, helper, sink)
}

/// An engine for the local service, as [`server`].
pub fn local_server(
    settings: &Settings,
    helper: Option<&Arc<PamHelper>>,
    sink: Option<Arc<SyslogSink>>,
) -> Result<Server, AssemblyError> {
    long_lived(&LOCAL, settings, helper, sink)
}

fn long_lived(
    kind: &Kind,
    settings: &Settings,
    helper: Option<&Arc<PamHelper>>,
    sink: Option<Arc<SyslogSink>>,
) -> Result<Server, AssemblyError> {
    let keys = backend::keys(settings)?;
    let store = backend::store(settings, &keys, kind.stream, Process::LongLived)?;
    let sink = match sink {
        Some(sink) => sink,
        None => {
            let (destination, renderer) = sinks::collector(settings, kind.program);
            Arc::new(SyslogSink::queued(destination, renderer)?)
        }
    };
    let primary = primary(settings, helper)?;
    let books = Box::new(Arc::clone(&store));
    let break_glass = break_glass_file::of(settings, &keys)?;
    let mut parts = backend::parts(settings, keys, books, primary, Box::new(Arc::clone(&sink)));
    parts.break_glass = Some(Box::new(break_glass));
    Ok(Server { engine: Engine::new(parts), store, sink })
}

fn primary(settings: &Settings, helper: Option<&Arc<PamHelper>>) -> Result<Box<dyn Primary>, AssemblyError> {
    Ok(match (&settings.primary, helper) {
        (config::Primary::Local, _) => Box::new(Local::for_server()),
        (config::Primary::None, _) => Box::new(Nobody),
        (config::Primary::Pam { .. }, Some(helper)) => Box::new(Arc::clone(helper)),
        (config::Primary::Pam { .. }, None) => return Err(AssemblyError::HelperMissing),
    })
}
