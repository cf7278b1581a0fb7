//! Many requests at once: a few sockets, each with as many on the way as a busy gateway has. The next one goes out as
//! soon as one is answered.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use radius_protocol::dictionary::STATE;
use radius_protocol::{Code, Packet};
use test_ground::receive;

use crate::post::Request;
use crate::post::wire::signed;

/// Sockets, and requests of each that are on the way: together half of what the server takes from one client.
const SOCKETS: usize = 4;
const ON_THE_WAY: u8 = 64;
/// After which a request counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// One request of a storm.
#[derive(Clone, Debug)]
pub(crate) struct Gust {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) state: Vec<u8>,
    pub(crate) station: String,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Echoes {
    pub(crate) accepts: usize,
    pub(crate) rejects: usize,
    pub(crate) challenges: usize,
    /// Not answered in time.
    pub(crate) lost: usize,
    pub(crate) took: Duration,
    /// The States of challenges, by the number of the request; only where they were asked for.
    pub(crate) states: Vec<(usize, Vec<u8>)>,
}

/// Whether the States of challenges are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum States {
    Kept,
    Dropped,
}

/// Sends `count` requests, made by their number, from this address.
pub(crate) fn blow(
    port: u16,
    from: &str,
    count: usize,
    states: States,
    make: impl Fn(usize) -> Gust + Sync,
) -> Echoes {
    let (begun, next) = (Instant::now(), AtomicUsize::new(0));
    let take = || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        (number < count).then(|| (number, make(number)))
    };
    thread::scope(|scope| {
        let sockets: Vec<_> =
            (0..SOCKETS).map(|_| scope.spawn(|| Socket::open(port, from).blow(states, take))).collect();
        let mut all = Echoes::default();
        for echoes in sockets.into_iter().map(|socket| socket.join().expect("no panic")) {
            all.accepts += echoes.accepts;
            all.rejects += echoes.rejects;
            all.challenges += echoes.challenges;
            all.lost += echoes.lost;
            all.states.extend(echoes.states);
        }
        all.took = begun.elapsed();
        all
    })
}

struct Socket {
    socket: UdpSocket,
    from: String,
}

impl Socket {
    fn open(port: u16, from: &str) -> Self {
        let socket = UdpSocket::bind((from, 0)).expect("a loopback address");
        socket.connect(("127.0.0.1", port)).expect("a loopback address");
        socket.set_read_timeout(Some(PATIENCE)).expect("a limit");
        Self { socket, from: from.to_owned() }
    }

    fn blow(&self, states: States, take: impl Fn() -> Option<(usize, Gust)>) -> Echoes {
        let mut echoes = Echoes::default();
        let mut numbers = vec![None; usize::from(ON_THE_WAY)];
        for identifier in 0..ON_THE_WAY {
            self.send(identifier, &take, &mut numbers);
        }
        while numbers.iter().any(Option::is_some) {
            let mut buffer = [0; 4096];
            match receive(&self.socket, &mut buffer) {
                Ok(octets) => {
                    let reply = Packet::parse(buffer.get(..octets).unwrap_or_default()).expect("a packet");
                    let number = numbers.get_mut(usize::from(reply.identifier())).and_then(Option::take);
                    // One that was given up may still come.
                    let Some(number) = number else { continue };
                    echoes.heard(&reply, number, states);
                    self.send(reply.identifier(), &take, &mut numbers);
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    echoes.lost += numbers.iter().filter(|number| number.is_some()).count();
                    numbers.fill(None);
                    for identifier in 0..ON_THE_WAY {
                        self.send(identifier, &take, &mut numbers);
                    }
                }
                Err(error) => panic!("{error}"),
            }
        }
        echoes
    }

    fn send(&self, identifier: u8, take: &impl Fn() -> Option<(usize, Gust)>, numbers: &mut [Option<usize>]) {
        let Some((number, gust)) = take() else { return };
        let request = Request {
            from: &self.from,
            name: gust.name.as_bytes(),
            password: &gust.password,
            state: &gust.state,
            station: gust.station.as_bytes(),
        };
        self.socket.send(&signed(&request, identifier)).expect("a datagram");
        if let Some(place) = numbers.get_mut(usize::from(identifier)) {
            *place = Some(number);
        }
    }
}

impl Echoes {
    fn heard(&mut self, reply: &Packet<'_>, number: usize, states: States) {
        match reply.code() {
            Code::AccessAccept => self.accepts += 1,
            Code::AccessReject => self.rejects += 1,
            Code::AccessChallenge => {
                self.challenges += 1;
                if let (States::Kept, Some(state)) = (states, reply.first(STATE)) {
                    self.states.push((number, state.value().to_vec()));
                }
            }
            other => panic!("{other:?}"),
        }
    }
}
