//! The workers: ask the engine, which blocks, and send what it decides. Their number is bounded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use assembly::daemon::{DaemonError, Started, Workers, World};
use assembly::local::{Errand, Reply, case, decide};
use common::{PrimaryMode, Reason};

use crate::caller::{NotTheCaller, admit};
use crate::counters::{Replied, Turned};
use crate::gate::Job;
use crate::queue::Queue;
use crate::refusals::Refusal;
use crate::server::Server;
use crate::{LOG, limits};

/// Starts the workers. They end when the queue is closed and empty.
///
/// # Errors
/// [`DaemonError::Thread`].
pub fn start(server: &Arc<Server>, queue: &Arc<Queue<Job>>) -> Result<Started, DaemonError> {
    let workers = Workers::default();
    for number in 0..limits::WORKERS {
        let (server, queue) = (Arc::clone(server), Arc::clone(queue));
        workers.start(&format!("worker-{number}"), move || run(&server, &queue))?;
    }
    Ok(workers.started())
}

/// A fault in one login must not take a worker from the others; the panic hook has written about it.
fn run(server: &Server, queue: &Queue<Job>) {
    while let Some(mut taken) = queue.take() {
        let job = &mut taken.item;
        if catch_unwind(AssertUnwindSafe(|| work(server, job))).is_err() {
            server.counters.turned(Turned::Fault);
            LOG.error("a login ended in a fault of the program; it got no answer");
        }
    }
}

fn work(server: &Server, job: &mut Job) {
    let (reply, replied) = match admit(&job.world.settings.callers, job.caller.uid, &mut job.request.errand) {
        Ok(()) => {
            let reply = decide(&job.world.engine, &job.world.settings, &job.request);
            let replied = replied(&reply);
            (reply, replied)
        }
        Err(NotTheCaller) => (Reply::Reject, Some(refuse(server, &job.world, &job.request.errand))),
    };
    if let Some(replied) = replied {
        server.counters.replied(replied);
    }
    if job.caller.reply(&reply).is_err() {
        server.counters.turned(Turned::NotSent);
    }
}

/// It is recorded, whatever the stack of the caller would have made of it, unless too many are: a flood of them costs no
/// commits.
fn refuse(server: &Server, world: &World, errand: &Errand) -> Replied {
    if server.refusals.next(Instant::now()) == Refusal::Counted {
        return Replied::NotRecorded;
    }
    let errand = Errand { primary: PrimaryMode::None, ..errand.clone() };
    if let Ok(case) = case(&world.settings, &errand) {
        let _ = world.engine.refuse(&case.attempt, Reason::NotTheCaller);
    }
    Replied::NotTheCaller
}

fn replied(reply: &Reply) -> Option<Replied> {
    match reply {
        Reply::Ask { .. } => Some(Replied::Asked),
        Reply::Accept { .. } => Some(Replied::Accepted),
        Reply::Reject => Some(Replied::Rejected),
        Reply::Unavailable => Some(Replied::Unavailable),
        Reply::Hindered(_) => Some(Replied::Hindered),
        Reply::Abandoned => Some(Replied::Abandoned),
        Reply::Taken | Reply::Busy | Reply::NotMine => None,
    }
}
