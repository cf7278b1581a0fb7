//! The engine inside a process that asks PAM: no thread, nothing open over a prompt.

use audit::SyslogSink;
use common::engine::Engine;
use common::ports::Primary;
use config::Settings;
use primary::{Local, Pam, ServiceName};
use store::Process;

use crate::nobody::Nobody;
use crate::{AssemblyError, backend, sinks};

/// The chain that short-lived processes share.
pub(crate) const STREAM: &str = "main";

/// An engine for one PAM conversation.
pub fn engine_for_pam(settings: &Settings) -> Result<Engine, AssemblyError> {
    let keys = backend::keys(settings)?;
    let store = backend::store(settings, &keys, STREAM, Process::ShortLived)?;
    let (destination, renderer) = sinks::collector(settings, "pam_countersign");
    let sink = Box::new(SyslogSink::direct(destination, renderer));
    Ok(Engine::new(backend::parts(settings, keys, store, in_process(settings)?, sink)))
}

/// The backend of the first password, asked from this process, which must be root for `pam`.
pub(crate) fn in_process(settings: &Settings) -> Result<Box<dyn Primary>, AssemblyError> {
    Ok(match &settings.primary {
        config::Primary::Local => Box::new(Local::default()),
        config::Primary::Pam { service } => Box::new(Pam::new(ServiceName::find(service)?)),
        config::Primary::None => Box::new(Nobody),
    })
}
