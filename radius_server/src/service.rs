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
use crate::error::ServerError;
use crate::queue::Queue;
use crate::server::Server;
use crate::socket::Listener;
use crate::stats::Stats;
use crate::worker::{self, Workers};
use crate::world::{self, World};
use crate::{LOG, limits, receiver};

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// What is missing at the start. Later a lost receiving thread, or the end of the process that asks PAM.
pub fn serve(options: &Options) -> Result<(), ServerError> {
    umask(Mode::from_bits_truncate(0o077));
    let start = Start::here(&options.user)?;
    let settings = world::load(&options.config)?;
    let signals = Signals::block()?;
    let helper = helper(&settings, &start)?;
    let listeners = settings.radius.listen.iter().map(|address| Listener::open(*address));
    let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
    start.give_up_rights()?;
    let world = World::open(settings, helper.as_ref())?;
    Service::start(Server::new(listeners, world), helper)?.run(&signals)
}

/// The process that asks PAM is forked first of all: it inherits no port, and there is no thread yet.
fn helper(settings: &Settings, start: &Start) -> Result<Option<Arc<PamHelper>>, ServerError> {
    match (&settings.primary, start) {
        (config::Primary::Pam { .. }, Start::AsUser) => Err(ServerError::HelperNeedsRoot),
        (config::Primary::Pam { .. } | config::Primary::Local | config::Primary::None, _) => {
            assembly::helper_for(settings).map_err(|source| ServerError::Helper { source: source.into() })
        }
    }
}

/// A server with its threads.
struct Service {
    server: Arc<Server>,
    helper: Option<Arc<PamHelper>>,
    receiver: JoinHandle<()>,
    workers: Workers,
    stop: Arc<EventFd>,
}

impl Service {
    fn start(server: Server, helper: Option<Arc<PamHelper>>) -> Result<Self, ServerError> {
        let server = Arc::new(server);
        serve_stats(&server)?;
        let queue = Arc::new(Queue::default());
        let workers = worker::start(&server, &queue)?;
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let stop = EventFd::from_value_and_flags(0, flags);
        let stop =
            stop.map_err(|source| DaemonError::Kernel { operation: "make an event descriptor", source })?;
        let stop = Arc::new(stop);
        let (shared, until) = (Arc::clone(&server), Arc::clone(&stop));
        let receiver = spawn("receiver", move || receiver::run(&shared, &queue, &until))?;
        Ok(Self { server, helper, receiver, workers, stop })
    }

    fn run(self, signals: &Signals) -> Result<(), ServerError> {
        self.announce();
        notify::tell(State::Ready);
        let mut due = Due::new(Instant::now());
        let ended = loop {
            match signals.next(PollTimeout::from(1000_u16))? {
                Some(Event::Reload) => self.reload(),
                Some(Event::Stop) => break Ok(()),
                // Whoever wants the counters connects to their socket.
                Some(Event::Tell | Event::ChildChanged) | None => {}
            }
            if self.receiver.is_finished() {
                break Err(ServerError::ReceiverEnded);
            }
            // Another one needs root, which is gone. Whoever started us, systemd mostly, is to start us again.
            if self.helper.as_ref().is_some_and(|helper| helper.has_ended()) {
                break Err(ServerError::HelperEnded);
            }
            due.work(&self.server, Instant::now());
        };
        notify::tell(State::Stopping);
        self.stop();
        ended
    }

    fn announce(&self) {
        for listener in &self.server.listeners {
            LOG.info(&format!("listening on {}", listener.address()));
        }
        let clients = self.server.world().clients.iter().count();
        let uid = nix::unistd::getuid();
        LOG.info(&format!("ready as uid {uid}; clients: {clients}"));
        if clients == 0 {
            LOG.warning("nobody may ask yet: add a client with `countersign client add`, then reload");
        }
    }

    /// A configuration with a mistake never replaces a good one.
    fn reload(&self) {
        match self.server.world().reload(self.helper.as_ref()) {
            Ok(world) => {
                let clients = world.clients.iter().count();
                self.server.replace_world(world);
                LOG.info(&format!("the configuration was read again; clients: {clients}"));
            }
            Err(error) => {
                LOG.error(&with_causes(&error));
                LOG.error("the configuration was not taken; the one before stays in force");
            }
        }
    }

    /// No new requests; those that are here get their answers, for a while. What waits for syslog is sent before
    /// the end, also where a login that hangs keeps its world.
    fn stop(self) {
        // Without the event the receiver goes on until the process ends, and nothing is lost but the patience.
        let _ = self.stop.write(1);
        match self.workers.ended.recv_timeout(limits::STOP_PATIENCE) {
            Err(RecvTimeoutError::Disconnected) => {
                // The workers have ended because the receiver has closed the queue, as the last thing that it does.
                let _ = self.receiver.join();
                LOG.info("stopped");
            }
            Ok(never) => match never {},
            Err(RecvTimeoutError::Timeout) => {
                LOG.warning("stopped; some logins took too long and got no answer");
            }
        }
        if let Err(error) = self.server.world().anchor() {
            LOG.error(&format!("the heads of the records could not be read at the end: {error}"));
        }
        self.server.world().flush();
    }
}

/// Answers whoever asks for the counters. Another server on the same store may do so already; logins matter more.
fn serve_stats(server: &Arc<Server>) -> Result<(), ServerError> {
    let world = server.world();
    match Stats::open(&world.settings.state_directory, world.engine.now()) {
        Ok(stats) => {
            let server = Arc::downgrade(server);
            spawn("stats", move || stats.serve(&server)).map(drop)
        }
        Err(error) => {
            LOG.warning(&format!("the counters cannot be read from outside: {}", with_causes(&error)));
            Ok(())
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ServerError> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(|source| ServerError::Thread { source })
}

/// Looks whether logins can be decided, and tells of each change.
fn probe(server: &Server) {
    let was_good = server.health.is_good();
    let probe = server.world().probe();
    server.health.probed(&probe);
    match (was_good, probe) {
        (true, Err(error)) => LOG.error(&with_causes(&error)),
        (false, Ok(())) => LOG.info("logins can be decided again"),
        (true, Ok(())) | (false, Err(_)) => {}
    }
}

/// When something is due again.
struct Due {
    anchor: Instant,
    probe: Instant,
    probe_in_trouble: Instant,
}

impl Due {
    fn new(now: Instant) -> Self {
        Self { anchor: now, probe: now, probe_in_trouble: now }
    }

    fn work(&mut self, server: &Server, now: Instant) {
        server.tidy(now);
        if now >= self.anchor {
            self.anchor = now.checked_add(limits::ANCHOR_INTERVAL).unwrap_or(now);
            if let Err(error) = server.world().anchor() {
                LOG.error(&format!("the heads of the records could not be read: {error}"));
            }
        }
        if now >= self.probe || (!server.health.is_good() && now >= self.probe_in_trouble) {
            self.probe = now.checked_add(limits::PROBE_INTERVAL).unwrap_or(now);
            self.probe_in_trouble = now.checked_add(limits::PROBE_IN_TROUBLE_INTERVAL).unwrap_or(now);
            probe(server);
        }
    }
}
