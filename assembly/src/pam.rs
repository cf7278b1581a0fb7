//! The engine inside a process that asks PAM: no thread, nothing open over a prompt.

use audit::SyslogSink;
use common::engine::Engine;
use common::keys::KeyRing;
use common::ports::{Primary, Store};
use config::Settings;
use primary::{Local, Pam, ServiceName};
use store::Process;

use crate::away::Away;
use crate::nobody::Nobody;
use crate::{AssemblyError, backend, break_glass_file, sinks};

/// The chain that short-lived processes share.
pub const STREAM: &str = "main";

/// An engine for one PAM conversation.
pub fn engine_for_pam(settings: &Settings) -> Result<Engine, AssemblyError> {
    let keys = backend::keys(settings)?;
    let store = store(settings, &keys)?;
    let (destination, renderer) = sinks::collector(settings, "pam_countersign");
    let sink = Box::new(SyslogSink::direct(destination, renderer));
    let break_glass = break_glass_file::of(settings, &keys)?;
    let mut parts = backend::parts(settings, keys, store, in_process(settings)?, sink);
    parts.break_glass = Some(Box::new(break_glass));
    Ok(Engine::new(parts))
}

/// A store that cannot be opened is no reason to turn break-glass accounts away: for them there is a file besides.
fn store(settings: &Settings, keys: &KeyRing) -> Result<Box<dyn Store>, AssemblyError> {
    match backend::store(settings, keys, STREAM, Process::ShortLived) {
        Ok(store) => Ok(Box::new(store)),
        Err(AssemblyError::Store(error)) if !settings.policy.break_glass.is_empty() => {
            Ok(Box::new(Away::because(&error)))
        }
        Err(error) => Err(error),
    }
}

/// The backend of the first password, asked from this process, which must be root for `pam`.
pub(crate) fn in_process(settings: &Settings) -> Result<Box<dyn Primary>, AssemblyError> {
    Ok(match &settings.primary {
        config::Primary::Local => Box::new(Local::default()),
        config::Primary::Pam { service } => Box::new(Pam::new(ServiceName::find(service)?)),
        config::Primary::None => Box::new(Nobody),
    })
}
