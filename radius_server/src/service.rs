//! The process: from root to the system user, then threads, signals and what is due now and then, until it is told to
//! stop.

use std::sync::Arc;
use std::time::Instant;

use assembly::daemon::{Heads, Options, Prepared, Sending, Serving, Threads, spawn};
use assembly::primary::PamHelper;
use common::causes::with_causes;

use crate::error::ServerError;
use crate::queue::Queue;
use crate::server::Server;
use crate::socket::Listener;
use crate::stats::Stats;
use crate::world::World;
use crate::{LOG, PROGRAM, limits, receiver, worker};

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// What is missing at the start. Later a lost receiving thread, or the end of the process that asks PAM.
pub fn serve(options: &Options) -> Result<(), ServerError> {
    let Prepared { start, settings, signals, helper } = PROGRAM.prepare(options)?;
    let listeners = settings.radius.listen.iter().map(|address| Listener::open(*address));
    let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
    start.give_up_rights()?;
    let world = World::open(settings, helper.as_ref())?;
    let server = Arc::new(Server::new(listeners, world));
    let sending = Arc::new(start_sending(&server)?);
    let mut service = Service { server, sending, helper: helper.clone(), due: Due::new(Instant::now()) };
    let threads = service.start()?;
    service.announce();
    threads.run(LOG, &signals, helper.as_deref(), &mut service)
}

/// Codes and notices are sent beside the logins, and hold none of them up.
fn start_sending(server: &Arc<Server>) -> Result<Sending, ServerError> {
    let (lent, bell) = (Arc::clone(server), Arc::clone(&server.world().base.bell));
    Ok(Sending::start(move || Arc::clone(&lent.world().base.desk), bell)?)
}

struct Service {
    server: Arc<Server>,
    sending: Arc<Sending>,
    helper: Option<Arc<PamHelper>>,
    due: Due,
}

impl Service {
    fn start(&self) -> Result<Threads, ServerError> {
        serve_stats(&self.server, &self.sending)?;
        let queue = Arc::new(Queue::default());
        let workers = worker::start(&self.server, &queue)?;
        let server = Arc::clone(&self.server);
        Ok(Threads::start(workers, "receiver", move |stop| receiver::run(&server, &queue, stop))?)
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
}

impl Serving for Service {
    type Error = ServerError;

    fn reload(&self) -> Result<String, ServerError> {
        let world = self.server.world().reload(self.helper.as_ref())?;
        let clients = world.clients.iter().count();
        self.server.replace_world(world);
        Ok(format!("; clients: {clients}"))
    }

    /// Whoever wants the counters connects to their socket.
    fn tell(&self) {}

    fn look_round(&mut self, now: Instant) {
        self.server.tidy(now);
        self.due.work(&self.server, now);
    }

    fn anchor(&self) -> Heads {
        self.server.world().base.anchor(LOG)
    }

    fn wind_up(&self) {
        self.sending.stop();
    }

    fn flush(&self) {
        self.server.world().base.flush();
    }
}

/// Answers whoever asks for the counters. Another server on the same store may do so already; logins matter more.
fn serve_stats(server: &Arc<Server>, sending: &Arc<Sending>) -> Result<(), ServerError> {
    let world = server.world();
    match Stats::open(&world.base.settings.state_directory, world.base.engine.now()) {
        Ok(stats) => {
            let (server, sending) = (Arc::downgrade(server), Arc::clone(sending));
            Ok(spawn("stats", move || stats.serve(&server, &sending)).map(drop)?)
        }
        Err(error) => {
            LOG.warning(&format!("the counters cannot be read from outside: {}", with_causes(&error)));
            Ok(())
        }
    }
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

/// When a probe is due again.
struct Due {
    probe: Instant,
    probe_in_trouble: Instant,
}

impl Due {
    const fn new(now: Instant) -> Self {
        Self { probe: now, probe_in_trouble: now }
    }

    fn work(&mut self, server: &Server, now: Instant) {
        if now >= self.probe || (!server.health.is_good() && now >= self.probe_in_trouble) {
            self.probe = now.checked_add(limits::PROBE_INTERVAL).unwrap_or(now);
            self.probe_in_trouble = now.checked_add(limits::PROBE_IN_TROUBLE_INTERVAL).unwrap_or(now);
            probe(server);
        }
    }
}
