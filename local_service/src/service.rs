//! The process: from root to the system user, then threads, signals and what is due now and then, until it is told to
//! stop.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use assembly::config::paths::LOCAL_SOCKET;
use assembly::daemon::{Heads, Options, Prepared, Sending, Serving, Threads, World};
use assembly::primary::PamHelper;

use crate::error::ServiceError;
use crate::queue::Queue;
use crate::server::Server;
use crate::socket::{Listener, prepare_folder};
use crate::{LOG, PROGRAM, gate, worker};

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// What is missing at the start. Later a lost gate, or the end of the process that asks PAM.
pub fn serve(options: &Options) -> Result<(), ServiceError> {
    let Prepared { start, settings, signals, helper } = PROGRAM.prepare(options)?;
    let path = options.socket.as_deref().unwrap_or(Path::new(LOCAL_SOCKET));
    let handed_over = Listener::handed_over()?;
    if handed_over.is_none() {
        prepare_folder(path, &start)?;
    }
    start.give_up_rights()?;
    let world = World::open(&PROGRAM, settings, helper.as_ref())?;
    let listener = match handed_over {
        Some(listener) => listener,
        None => Listener::open(path)?,
    };
    let server = Arc::new(Server::new(world));
    let sending = start_sending(&server)?;
    let mut service = Service { server, sending, helper: helper.clone() };
    let threads = service.start(listener)?;
    threads.run(LOG, &signals, helper.as_deref(), &mut service)
}

/// Codes and notices are sent beside the logins, and hold none of them up.
fn start_sending(server: &Arc<Server>) -> Result<Sending, ServiceError> {
    let (lent, bell) = (Arc::clone(server), Arc::clone(&server.world().bell));
    Ok(Sending::start(move || Arc::clone(&lent.world().desk), bell)?)
}

struct Service {
    server: Arc<Server>,
    sending: Sending,
    helper: Option<Arc<PamHelper>>,
}

impl Service {
    fn start(&self, listener: Listener) -> Result<Threads, ServiceError> {
        let queue = Arc::new(Queue::default());
        let workers = worker::start(&self.server, &queue)?;
        let place = listener.place();
        let server = Arc::clone(&self.server);
        let threads =
            Threads::start(workers, "gate", move |stop| gate::run(&server, &listener, &queue, stop))?;
        LOG.info(&format!("ready as uid {}; listening on {place}", nix::unistd::getuid()));
        Ok(threads)
    }
}

impl Serving for Service {
    type Error = ServiceError;

    fn reload(&self) -> Result<String, ServiceError> {
        let world = self.server.world();
        let settings = world.settings_again(&PROGRAM)?;
        self.server.replace_world(world.next(&PROGRAM, settings, self.helper.as_ref())?);
        Ok(String::new())
    }

    fn tell(&self) {
        LOG.info(&self.server.counters.line());
        LOG.info(&self.sending.line(&self.server.world().desk));
    }

    fn look_round(&mut self, _now: Instant) {
        self.server.world().look_for_store();
    }

    fn anchor(&self) -> Heads {
        let counted = self.server.refusals.take_counted();
        if counted > 0 {
            LOG.warning(&format!(
                "programs of users tried the names of others, too often to be recorded: {counted} refusals were only counted"
            ));
        }
        self.server.world().anchor(LOG)
    }

    fn wind_up(&self) {
        self.sending.stop();
    }

    fn flush(&self) {
        self.server.world().flush();
    }
}
