//! A closed loop of RADIUS logins over one socket: as soon as one is answered, the next one is sent. Every reply is
//! verified as a real client would.

mod flight;

use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use bench::{BenchError, Login, Measured, RadiusJob, codes, run};
use radius_protocol::dictionary::STATE;
use radius_protocol::{Attribute, Code, Packet, SharedSecret};

use flight::{Answer, Content, Flight};

/// Longer than any server here takes for one login, queue and password hash included. What takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// One octet holds the identifier (RFC 2865 §3).
const IDENTIFIERS: usize = 256;

fn main() -> Result<(), BenchError> {
    run(sign_in)
}

fn sign_in(job: &RadiusJob) -> Result<Measured, BenchError> {
    let secret = SharedSecret::new(job.secret.as_bytes())
        .map_err(|source| BenchError::Request { user: "everybody".to_owned(), source })?;
    let codes = codes(&job.logins)?;
    let socket = connect(job)?;
    let waiting = job.logins.iter().zip(codes);
    Exchange { job, secret, socket, waiting, flights: [const { None }; IDENTIFIERS] }.run()
}

/// The loop and what it knows.
struct Exchange<'a, W> {
    job: &'a RadiusJob,
    secret: SharedSecret,
    socket: UdpSocket,
    /// Logins that were not tried yet, with their codes.
    waiting: W,
    /// What is under way, by identifier.
    flights: [Option<Flight>; IDENTIFIERS],
}

impl<'a, W: Iterator<Item = (&'a Login, String)>> Exchange<'a, W> {
    fn run(mut self) -> Result<Measured, BenchError> {
        let mut measured = Measured::default();
        let begun = Instant::now();
        for identifier in (0..=u8::MAX).take(self.job.in_flight) {
            self.send_next(identifier)?;
        }
        let mut buffer = [0; radius_protocol::PACKET_OCTETS_MAX];
        while self.flights.iter().any(Option::is_some) {
            let Some(octets) = receive(&self.socket, &mut buffer)? else { break };
            let reply = Packet::parse(octets).map_err(|error| BenchError::Reply(format!("{error:?}")))?;
            let Some(flight) = self.landed(reply.identifier()) else { continue };
            let landed = Instant::now();
            flight.believe(&reply, &self.secret, self.job.replies)?;
            self.go_on(flight, &reply, landed, &mut measured)?;
        }
        measured.seconds = begun.elapsed().as_secs_f64();
        Ok(measured)
    }

    /// Answers a challenge, or counts the login and begins the next one.
    fn go_on(
        &mut self,
        flight: Flight,
        reply: &Packet<'_>,
        landed: Instant,
        measured: &mut Measured,
    ) -> Result<(), BenchError> {
        let identifier = reply.identifier();
        if let (Code::AccessChallenge, Some(answer)) = (reply.code(), flight.answer) {
            measured.question_micros.push(micros(landed.duration_since(flight.begun)));
            let state = reply.first(STATE).map(Attribute::value);
            let content = Content { user: &answer.user, password: &answer.code, state };
            let mut next = Flight::send(&self.socket, &self.secret, identifier, &content, None)?;
            next.login_begun = flight.login_begun;
            self.take_off(identifier, next);
            return Ok(());
        }
        measured.micros.push(micros(landed.duration_since(flight.login_begun)));
        let is_accept = reply.code() == Code::AccessAccept;
        measured.accepted = measured.accepted.saturating_add(usize::from(is_accept));
        self.send_next(identifier)
    }

    fn send_next(&mut self, identifier: u8) -> Result<(), BenchError> {
        let Some((login, code)) = self.waiting.next() else { return Ok(()) };
        let [password, code] = self.job.form.answers(login, &code);
        let content = Content { user: &login.user, password: &password, state: None };
        let answer = Answer { user: login.user.clone(), code };
        let flight = Flight::send(&self.socket, &self.secret, identifier, &content, Some(answer))?;
        self.take_off(identifier, flight);
        Ok(())
    }

    fn take_off(&mut self, identifier: u8, flight: Flight) {
        if let Some(slot) = self.flights.get_mut(usize::from(identifier)) {
            *slot = Some(flight);
        }
    }

    fn landed(&mut self, identifier: u8) -> Option<Flight> {
        self.flights.get_mut(usize::from(identifier))?.take()
    }
}

fn connect(job: &RadiusJob) -> Result<UdpSocket, BenchError> {
    let failed = |source| BenchError::Socket { operation: "open a socket", source };
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(failed)?;
    socket.connect(job.server).map_err(failed)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    Ok(socket)
}

/// One datagram; none when what is under way is lost.
fn receive<'b>(socket: &UdpSocket, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, BenchError> {
    match socket.recv(buffer) {
        Ok(length) => Ok(buffer.get(..length)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(source) => Err(BenchError::Socket { operation: "receive", source }),
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
