//! A closed loop of RADIUS logins over one socket: as soon as one is answered, the next one is sent. Every reply is
//! verified as a real client would.

mod flight;

use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use bench::{BenchError, Login, Measured, RadiusJob, codes, run};
use radius_protocol::{Code, Packet, SharedSecret};

use flight::Flight;

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
            measured.micros.push(flight.begun.elapsed().as_secs_f64() * 1e6);
            flight.believe(&reply, &self.secret, self.job.replies)?;
            let is_accept = reply.code() == Code::AccessAccept;
            measured.accepted = measured.accepted.saturating_add(usize::from(is_accept));
            self.send_next(reply.identifier())?;
        }
        measured.seconds = begun.elapsed().as_secs_f64();
        Ok(measured)
    }

    fn send_next(&mut self, identifier: u8) -> Result<(), BenchError> {
        let Some((login, code)) = self.waiting.next() else { return Ok(()) };
        let password = self.job.form.password(login, &code);
        let flight = Flight::send(&self.socket, &self.secret, identifier, &login.user, &password)?;
        if let Some(slot) = self.flights.get_mut(usize::from(identifier)) {
            *slot = Some(flight);
        }
        Ok(())
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
