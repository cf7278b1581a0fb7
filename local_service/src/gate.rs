//! The gate: one thread takes connections and reads requests, and waits for nobody. Who says nothing, sends slowly, hangs
//! up or is stopped holds one place for a second.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use assembly::daemon::World;
use assembly::local::{Malformed, Reply, Request};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;

use crate::connection::{Caller, Connection, Progress};
use crate::counters::Turned;
use crate::queue::{Asker, Full, Queue};
use crate::server::Server;
use crate::socket::Listener;
use crate::{LOG, limits};

/// How long the thread waits where nobody is there.
const IDLE: Duration = Duration::from_secs(60);

/// A request, waiting for a worker.
pub struct Job {
    /// The configuration that it came under.
    pub world: Arc<World>,
    /// Who awaits the reply.
    pub caller: Caller,
    /// What is asked for.
    pub request: Request,
}

/// The thread's own.
pub struct Gate<'a> {
    server: &'a Server,
    queue: &'a Queue<Job>,
    connections: Vec<Connection>,
    /// Until then no connection is taken: the kernel had none to give.
    paused_until: Option<Instant>,
}

/// Takes connections until `stop` can be read. Then the queue is closed. The listener is taken whole: with it go the
/// socket and the lock beside it.
pub fn run(server: &Server, listener: &Listener, queue: &Queue<Job>, stop: &EventFd) {
    let mut gate = Gate { server, queue, connections: Vec::new(), paused_until: None };
    while gate.turn(&listener.socket, stop) == Next::Turn {}
    queue.close();
}

#[derive(PartialEq, Eq)]
enum Next {
    Turn,
    End,
}

impl Gate<'_> {
    fn turn(&mut self, listener: &UnixListener, stop: &EventFd) -> Next {
        let now = Instant::now();
        self.paused_until = self.paused_until.filter(|until| *until > now);
        let listening = if self.paused_until.is_none() { PollFlags::POLLIN } else { PollFlags::empty() };
        let mut all =
            vec![PollFd::new(stop.as_fd(), PollFlags::POLLIN), PollFd::new(listener.as_fd(), listening)];
        all.extend(self.connections.iter().map(|it| PollFd::new(it.as_fd(), PollFlags::POLLIN)));
        match poll(&mut all, self.patience(now)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => {
                LOG.error(&format!("cannot wait for callers: {error}"));
                return Next::End;
            }
        }
        let ready: Vec<bool> = all.iter().map(|one| one.any().unwrap_or(true)).collect();
        drop(all);
        let mut ready = ready.into_iter();
        if ready.next() == Some(true) {
            return Next::End;
        }
        let is_called = ready.next() == Some(true);
        self.read(ready, Instant::now());
        if is_called {
            self.accept(listener);
        }
        Next::Turn
    }

    /// Until the first connection has used up its time.
    fn patience(&self, now: Instant) -> PollTimeout {
        let ends = self.connections.iter().map(Connection::until).chain(self.paused_until);
        let wait = ends.min().map_or(IDLE, |end| end.saturating_duration_since(now));
        // A millisecond more, so that it is over then.
        PollTimeout::try_from(wait.saturating_add(Duration::from_millis(1))).unwrap_or(PollTimeout::MAX)
    }

    fn read(&mut self, ready: impl Iterator<Item = bool>, now: Instant) {
        let connections = std::mem::take(&mut self.connections);
        for (mut connection, is_ready) in connections.into_iter().zip(ready) {
            match if is_ready { connection.read() } else { Progress::Waiting } {
                Progress::Waiting if connection.until() <= now => {
                    self.server.counters.turned(Turned::TooSlow);
                }
                Progress::Waiting => self.connections.push(connection),
                Progress::Complete(request) => self.put(connection.into_caller(), *request),
                Progress::Malformed(why) => self.refuse(&connection.into_caller(), why),
                Progress::HungUp => self.server.counters.turned(Turned::HungUp),
            }
        }
    }

    fn put(&self, caller: Caller, request: Request) {
        let world = self.server.world();
        if world.settings.path.to_str() != Some(&request.errand.settings) {
            return self.turn_away(&caller, Turned::OtherSettings, &Reply::NotMine);
        }
        if caller.reply(&Reply::Taken).is_err() {
            return self.server.counters.turned(Turned::HungUp);
        }
        let asker = Asker::new(caller.uid, request.errand.caller);
        if let Err((Full, job)) = self.queue.put(asker, Job { world, caller, request }) {
            self.turn_away(&job.caller, Turned::Overloaded, &Reply::Busy);
        }
    }

    /// Another version hears that it is another one; what is no frame hears nothing.
    fn refuse(&self, caller: &Caller, why: Malformed) {
        self.server.counters.malformed(why);
        if why == Malformed::Version {
            let _ = caller.reply(&Reply::NotMine);
        }
    }

    fn turn_away(&self, caller: &Caller, why: Turned, reply: &Reply) {
        self.server.counters.turned(why);
        // Who is gone needs no answer.
        let _ = caller.reply(reply);
    }

    /// Takes what waits at the door, as far as there is room to read it.
    fn accept(&mut self, listener: &UnixListener) {
        for _ in 0..limits::CONNECTIONS_PER_TURN_MAX {
            match listener.accept() {
                Ok((stream, _)) => match Caller::new(stream) {
                    Ok(caller) => self.admit(caller),
                    Err(_) => self.server.counters.turned(Turned::HungUp),
                },
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    LOG.error(&format!("cannot take a connection: {error}"));
                    self.paused_until = Instant::now().checked_add(limits::ACCEPT_PAUSE);
                    return;
                }
            }
        }
    }

    fn admit(&mut self, caller: Caller) {
        let of_user = self.connections.iter().filter(|it| it.uid() == caller.uid).count();
        let of_others = self.connections.iter().filter(|it| it.uid() != 0).count();
        let is_other = caller.uid != 0;
        if is_other && of_user >= limits::CONNECTIONS_PER_USER_MAX {
            return self.turn_away(&caller, Turned::TooManyOfUser, &Reply::Busy);
        }
        let is_full = self.connections.len() >= limits::CONNECTIONS_MAX
            || (is_other && of_others >= limits::CONNECTIONS_OF_OTHERS_MAX);
        if is_full {
            return self.turn_away(&caller, Turned::TooManyConnections, &Reply::Busy);
        }
        let mut connection = Connection::new(caller, Instant::now());
        // Most requests have come with the connection.
        match connection.read() {
            Progress::Waiting => self.connections.push(connection),
            Progress::Complete(request) => self.put(connection.into_caller(), *request),
            Progress::Malformed(why) => self.refuse(&connection.into_caller(), why),
            Progress::HungUp => self.server.counters.turned(Turned::HungUp),
        }
    }
}
