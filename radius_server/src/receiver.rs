//! The receiving thread: takes datagrams, checks them, answers what needs no decision and hands the rest to the
//! workers. It never waits for anything but datagrams; only its own end is written to standard error from here.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;
use radius_protocol::{Code, Packet, PacketBuffer, ReplyBuilder};

use crate::LOG;
use crate::admission::{Admitted, RequestKind, Signed, admit};
use crate::clients::Client;
use crate::duplicates::{RequestKey, Seen};
use crate::exit::{Dropped, Event};
use crate::limits;
use crate::queue::Queue;
use crate::server::{Path, Server};
use crate::socket::ReceiveBuffer;
use crate::worker::Job;
use crate::world::World;

/// Receives until something is written to `stop`, then closes the queue.
pub fn run(server: &Server, queue: &Queue<Job>, stop: &EventFd) {
    receive(server, queue, stop);
    queue.close();
}

fn receive(server: &Server, queue: &Queue<Job>, stop: &EventFd) {
    let mut buffer: Box<ReceiveBuffer> = Box::new([0; _]);
    let stopping = PollFd::new(stop.as_fd(), PollFlags::POLLIN);
    let sockets = server.listeners.iter().map(|it| PollFd::new(it.as_fd(), PollFlags::POLLIN));
    let mut waiting: Vec<PollFd<'_>> = sockets.chain([stopping]).collect();
    loop {
        match poll(&mut waiting, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => {
                LOG.error(&format!("cannot wait for datagrams: {error}"));
                return;
            }
        }
        let Some((stopping, sockets)) = waiting.split_last() else { return };
        if is_ready(stopping) {
            return;
        }
        let world = server.world();
        for (socket, _) in sockets.iter().enumerate().filter(|(_, socket)| is_ready(socket)) {
            take_turn(server, &world, queue, socket, &mut buffer);
        }
    }
}

fn is_ready(waiting: &PollFd<'_>) -> bool {
    waiting.any().unwrap_or(false)
}

/// Takes what waits in one socket, up to a limit, so that a flood at one does not starve the others.
fn take_turn(
    server: &Server,
    world: &Arc<World>,
    queue: &Queue<Job>,
    socket: usize,
    buffer: &mut ReceiveBuffer,
) {
    let Some(listener) = server.listeners.get(socket) else { return };
    let turn = Turn { server, world, queue };
    for _ in 0..limits::DATAGRAMS_PER_TURN_MAX {
        let Some(received) = listener.receive(buffer) else { return };
        let path = Path { socket, peer: received.peer, local: received.local };
        turn.take(buffer.get(..received.octets).unwrap_or_default(), path);
    }
}

/// What one turn works with.
struct Turn<'a> {
    server: &'a Server,
    world: &'a Arc<World>,
    queue: &'a Queue<Job>,
}

impl Turn<'_> {
    fn take(&self, datagram: &[u8], path: Path) {
        self.server.counters.event(Event::Received);
        match admit(&self.world.clients, path.peer.ip(), datagram) {
            Ok(request) => {
                request.client.counters.received.add_one();
                match request.kind {
                    RequestKind::Access => self.enqueue(&request, path),
                    RequestKind::Status => self.status(&request, &path),
                }
            }
            Err(drop) => {
                if let Some(client) = drop.client {
                    client.counters.received.add_one();
                }
                self.server.dropped(drop.reason, drop.client.map(Arc::as_ref), path.peer);
            }
        }
    }

    fn enqueue(&self, request: &Admitted<'_, '_>, path: Path) {
        let client = request.client;
        if request.signed == Signed::No {
            self.server.unsigned(client);
        }
        let key =
            RequestKey { socket: path.socket, peer: path.peer, identifier: request.packet.identifier() };
        let authenticator = request.packet.authenticator();
        let seen = self.server.duplicates().admit(&client.name, key, authenticator, Instant::now());
        match seen {
            Seen::InFlight => self.dropped(Dropped::DuplicateInFlight, client, path.peer),
            Seen::TooMany => self.dropped(Dropped::Overloaded, client, path.peer),
            Seen::Answered(octets) => {
                self.server.counters.event(Event::AnsweredAgain);
                self.server.send(&octets, &path, client);
            }
            Seen::New => {
                let job = Job {
                    world: Arc::clone(self.world),
                    client: Arc::clone(client),
                    secret: request.secret,
                    datagram: request.packet.octets().into(),
                    key,
                    authenticator: *authenticator,
                    path,
                };
                if self.queue.put(&client.name, job).is_err() {
                    self.server.duplicates().done(&client.name, &key, authenticator);
                    self.dropped(Dropped::Overloaded, client, path.peer);
                }
            }
        }
    }

    /// RFC 5997 §4.2: on the port for authentication the answer is an Access-Accept.
    fn status(&self, request: &Admitted<'_, '_>, path: &Path) {
        if !self.server.health.is_good() {
            self.dropped(Dropped::StatusUnhealthy, request.client, path.peer);
            return;
        }
        let mut buffer: PacketBuffer = [0; _];
        let packet: &Packet<'_> = &request.packet;
        let secret = request.client.secret(request.secret);
        let reply = ReplyBuilder::new(&mut buffer, secret, packet, Code::AccessAccept);
        match reply.finish() {
            Ok(octets) => {
                self.server.counters.event(Event::StatusAnswered);
                self.server.send(octets, path, request.client);
            }
            Err(_) => self.dropped(Dropped::ReplyTooLong, request.client, path.peer),
        }
    }

    fn dropped(&self, reason: Dropped, client: &Client, peer: SocketAddr) {
        self.server.dropped(reason, Some(client), peer);
    }
}
