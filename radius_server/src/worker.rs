//! The workers: ask the engine, which blocks, and send what it decides. Their number is bounded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use assembly::daemon::{DaemonError, Started, Workers};
use common::text;
use radius_protocol::{Authenticator, Packet, PacketBuffer};

use crate::LOG;
use crate::clients::{Client, SecretInUse};
use crate::decision::{Decided, Decision, Desk};
use crate::duplicates::RequestKey;
use crate::exit::{Dropped, Event};
use crate::floor::{self, Outgoing, Shelf};
use crate::limits;
use crate::queue::Queue;
use crate::request::{Exit, LoginRequest};
use crate::server::{Path, Server};
use crate::world::World;

/// An admitted Access-Request, waiting for a worker.
pub struct Job {
    /// The configuration that it was admitted under.
    pub world: Arc<World>,
    /// Whose it is.
    pub client: Arc<Client>,
    /// The secret that it was made with.
    pub secret: SecretInUse,
    /// The packet.
    pub datagram: Box<[u8]>,
    /// Under which it is remembered.
    pub key: RequestKey,
    /// The Request Authenticator.
    pub authenticator: Authenticator,
    /// Where it came from, and where the answer goes.
    pub path: Path,
}

/// Starts the workers and the thread that waits with answers. They end when the queue is closed and empty.
///
/// # Errors
/// [`DaemonError::Thread`].
pub fn start(server: &Arc<Server>, queue: &Arc<Queue<Job>>) -> Result<Started, DaemonError> {
    let workers = Workers::default();
    let (shelf, put) = floor::shelf();
    for number in 0..limits::WORKERS {
        let (server, queue, shelf) = (Arc::clone(server), Arc::clone(queue), shelf.clone());
        workers.start(&format!("worker-{number}"), move || run(&server, &queue, &shelf))?;
    }
    let server = Arc::downgrade(server);
    workers.start("floor", move || floor::run(&server, &put))?;
    Ok(workers.started())
}

fn run(server: &Server, queue: &Queue<Job>, shelf: &Shelf) {
    let mut buffer: Box<PacketBuffer> = Box::new([0; _]);
    while let Some(taken) = queue.take() {
        let job = &taken.item;
        // Nobody waits for the answer to a replaced request, so that it costs no hash and no code.
        let is_awaited = server.duplicates().is_awaited(&job.client.name, &job.key, &job.authenticator);
        let answer = if is_awaited {
            guarded(server, job, &mut buffer)
        } else {
            server.dropped(Dropped::Superseded, Some(&job.client), job.path.peer);
            None
        };
        match answer {
            Some(outgoing) if outgoing.due > Instant::now() => shelf.put(server, outgoing),
            Some(outgoing) => server.answer(&outgoing),
            // Where there was no answer, the client may ask again.
            None => server.duplicates().done(&job.client.name, &job.key, &job.authenticator),
        }
    }
}

/// A fault in one login must not take a worker from the others; the panic hook has written about it.
fn guarded(server: &Server, job: &Job, buffer: &mut PacketBuffer) -> Option<Box<Outgoing>> {
    catch_unwind(AssertUnwindSafe(|| work(server, job, buffer))).unwrap_or_else(|_| {
        LOG.error("a login ended in a fault of the program; it got no answer");
        None
    })
}

fn work(server: &Server, job: &Job, buffer: &mut PacketBuffer) -> Option<Box<Outgoing>> {
    let begun = Instant::now();
    // It has been parsed before; what does not parse now is of our own making.
    let Ok(packet) = Packet::parse(&job.datagram) else { return None };
    let secret = job.client.secret(job.secret);
    let desk = Desk { engine: &job.world.base.engine, primary: job.world.primary, health: &server.health };
    let read = LoginRequest::read(&packet, secret);
    let (decision, floor) = match read.and_then(|request| desk.decide(&job.client, request)) {
        Ok(Decided { decision, floor }) => (decision, floor),
        Err(Exit::Drop(reason)) => (Decision::Silence(reason), Duration::ZERO),
        Err(Exit::Refuse(reason)) => {
            server.refused(reason, &job.client, job.path.peer);
            (Decision::Reject(text::REFUSED), Duration::ZERO)
        }
    };
    count(server, job, &decision);
    match decision.build(&packet, secret, buffer) {
        Ok(octets) => Some(Box::new(Outgoing {
            client: Arc::clone(&job.client),
            key: job.key,
            authenticator: *packet.authenticator(),
            path: job.path,
            octets: octets?.into(),
            due: begun.checked_add(floor).unwrap_or(begun),
        })),
        Err(_) => {
            server.dropped(Dropped::ReplyTooLong, Some(&job.client), job.path.peer);
            None
        }
    }
}

fn count(server: &Server, job: &Job, decision: &Decision) {
    let counters = &job.client.counters;
    match decision {
        Decision::Accept(_) => {
            server.counters.event(Event::Accepted);
            counters.accepted.add_one();
        }
        Decision::Reject(_) => {
            server.counters.event(Event::Rejected);
            counters.rejected.add_one();
        }
        Decision::Challenge { .. } => {
            server.counters.event(Event::Challenged);
            counters.challenged.add_one();
        }
        Decision::Silence(reason) => {
            if matches!(reason, Dropped::Undecidable | Dropped::BackendSilence) {
                server.counters.event(Event::Unavailable);
            }
            server.dropped(*reason, Some(&job.client), job.path.peer);
        }
    }
}
