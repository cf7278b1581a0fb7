//! The process: from root to the system user, then threads, signals and what is due now and then, until it is told to
//! stop.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use assembly::config::{self, Settings};
use assembly::daemon::notify::{self, State};
use assembly::daemon::{DaemonError, Event, Signals, Start, with_causes};
use assembly::primary::PamHelper;
use nix::poll::PollTimeout;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::stat::{Mode, umask};

use crate::arguments::Options;
use crate::error::ServiceError;
use crate::queue::Queue;
use crate::server::Server;
use crate::socket::{Listener, prepare_folder};
use crate::worker::{self, Workers};
use crate::world::{self, World};
use crate::{LOG, gate, limits};

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// What is missing at the start. Later a lost gate, or the end of the process that asks PAM.
pub fn serve(options: &Options) -> Result<(), ServiceError> {
    umask(Mode::from_bits_truncate(0o077));
    let start = Start::here(&options.user)?;
    let settings = world::load(&options.config)?;
    let signals = Signals::block()?;
    let helper = helper(&settings, &start)?;
    let handed_over = Listener::handed_over()?;
    if handed_over.is_none() {
        prepare_folder(&options.socket, &start)?;
    }
    start.give_up_rights()?;
    let world = World::open(settings, helper.as_ref())?;
    let listener = match handed_over {
        Some(listener) => listener,
        None => Listener::open(&options.socket)?,
    };
    Service::start(Server::new(world), listener, helper)?.run(&signals)
}

/// The process that asks PAM is forked first of all: there is no thread yet.
fn helper(settings: &Settings, start: &Start) -> Result<Option<Arc<PamHelper>>, ServiceError> {
    match (&settings.primary, start) {
        (config::Primary::Pam { .. }, Start::AsUser) => Err(ServiceError::HelperNeedsRoot),
        (config::Primary::Pam { .. } | config::Primary::Local | config::Primary::None, _) => {
            assembly::helper_for(settings).map_err(|source| ServiceError::Helper { source })
        }
    }
}

/// A service with its threads.
struct Service {
    server: Arc<Server>,
    helper: Option<Arc<PamHelper>>,
    gate: JoinHandle<()>,
    workers: Workers,
    stop: Arc<EventFd>,
}

impl Service {
    fn start(
        server: Server,
        listener: Listener,
        helper: Option<Arc<PamHelper>>,
    ) -> Result<Self, ServiceError> {
        let server = Arc::new(server);
        let queue = Arc::new(Queue::default());
        let workers = worker::start(&server, &queue)?;
        let stop = EventFd::from_value_and_flags(0, EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC);
        let stop =
            stop.map_err(|source| DaemonError::Kernel { operation: "make an event descriptor", source })?;
        let stop = Arc::new(stop);
        let place = listener.place();
        let (shared, until) = (Arc::clone(&server), Arc::clone(&stop));
        let work = move || gate::run(&shared, &listener, &queue, &until);
        let gate = Builder::new().name("gate".to_owned()).spawn(work);
        let gate = gate.map_err(|source| ServiceError::Thread { source })?;
        LOG.info(&format!("ready as uid {}; listening on {place}", nix::unistd::getuid()));
        Ok(Self { server, helper, gate, workers, stop })
    }

    fn run(self, signals: &Signals) -> Result<(), ServiceError> {
        notify::tell(State::Ready);
        let mut anchor = Instant::now();
        let ended = loop {
            match signals.next(PollTimeout::from(1000_u16))? {
                Some(Event::Reload) => self.reload(),
                Some(Event::Tell) => LOG.info(&self.server.counters.line()),
                Some(Event::Stop) => break Ok(()),
                Some(Event::ChildChanged) | None => {}
            }
            if self.gate.is_finished() {
                break Err(ServiceError::GateEnded);
            }
            // Another one needs root, which is gone. Whoever started us, systemd mostly, is to start us again.
            if self.helper.as_ref().is_some_and(|helper| helper.has_ended()) {
                break Err(ServiceError::HelperEnded);
            }
            let now = Instant::now();
            if now >= anchor {
                anchor = now.checked_add(limits::ANCHOR_INTERVAL).unwrap_or(now);
                tell_where_records_end(&self.server);
            }
        };
        notify::tell(State::Stopping);
        self.stop();
        ended
    }

    /// A configuration with a mistake never replaces a good one.
    fn reload(&self) {
        match self.server.world().reload(self.helper.as_ref()) {
            Ok(world) => {
                self.server.replace_world(world);
                LOG.info("the configuration was read again");
            }
            Err(error) => {
                LOG.error(&with_causes(&error));
                LOG.error("the configuration was not taken; the one before stays in force");
            }
        }
    }

    /// No new requests; those that are here get their answers, for a while. What waits for syslog is sent before the end.
    fn stop(self) {
        // Without the event the gate goes on until the process ends, and nothing is lost but the patience.
        let _ = self.stop.write(1);
        match self.workers.ended.recv_timeout(limits::STOP_PATIENCE) {
            Err(RecvTimeoutError::Disconnected) => {
                // The workers have ended because the gate has closed the queue, as the last thing that it does. With
                // it goes the socket.
                let _ = self.gate.join();
                LOG.info("stopped");
            }
            Ok(never) => match never {},
            Err(RecvTimeoutError::Timeout) => {
                LOG.warning("stopped; some logins took too long and got no answer");
            }
        }
        tell_where_records_end(&self.server);
        self.server.world().flush();
    }
}

fn tell_where_records_end(server: &Server) {
    let counted = server.refusals.take_counted();
    if counted > 0 {
        LOG.warning(&format!(
            "programs of users tried the names of others, too often to be recorded: {counted} refusals were only counted"
        ));
    }
    if let Err(error) = server.world().anchor() {
        LOG.error(&format!("counted records and the heads of the chains wait: {error}"));
    }
}
