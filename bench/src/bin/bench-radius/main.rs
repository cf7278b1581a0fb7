//! A closed loop of RADIUS logins over one socket: as soon as one is answered, the next one is sent. Every reply is
//! verified as a real client would.

mod flight;

use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use bench::{BenchError, Measured, RadiusJob, Replies, codes, run};
use radius_protocol::{Code, MessageAuthenticatorDemand, Packet, ReplyVerdict, SharedSecret};

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
    let mut waiting = job.logins.iter().zip(&codes);
    let mut flights: Vec<Option<Flight>> = std::iter::repeat_with(|| None).take(IDENTIFIERS).collect();
    let mut measured = Measured::default();
    let begun = Instant::now();
    for identifier in (0..=u8::MAX).take(job.in_flight) {
        if let (Some((login, code)), Some(slot)) = (waiting.next(), flights.get_mut(usize::from(identifier)))
        {
            *slot = Some(Flight::send(
                &socket,
                &secret,
                identifier,
                &login.user,
                &job.form.password(login, code),
            )?);
        }
    }
    while flights.iter().any(Option::is_some) {
        let mut buffer = [0; 4096];
        let Some(octets) = receive(&socket, &mut buffer)? else { break };
        let reply = Packet::parse(octets).map_err(|error| BenchError::Reply(format!("{error:?}")))?;
        let identifier = reply.identifier();
        let Some(slot) = flights.get_mut(usize::from(identifier)) else { continue };
        let Some(flight) = slot.take() else { continue };
        measured.micros.push(flight.begun.elapsed().as_secs_f64() * 1e6);
        believe(&reply, &flight, &secret, job.replies)?;
        measured.accepted = measured.accepted.saturating_add(usize::from(reply.code() == Code::AccessAccept));
        if let Some((login, code)) = waiting.next() {
            *slot = Some(Flight::send(
                &socket,
                &secret,
                identifier,
                &login.user,
                &job.form.password(login, code),
            )?);
        }
    }
    measured.seconds = begun.elapsed().as_secs_f64();
    Ok(measured)
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

fn believe(
    reply: &Packet<'_>,
    flight: &Flight,
    secret: &SharedSecret,
    replies: Replies,
) -> Result<(), BenchError> {
    let request = Packet::parse(&flight.request)
        .map_err(|error| BenchError::Reply(format!("our own request: {error:?}")))?;
    let demand = match replies {
        Replies::Signed => MessageAuthenticatorDemand::Required,
        Replies::SignedOrNot => MessageAuthenticatorDemand::IfPresent,
    };
    match reply.verify_reply(&request, secret, demand) {
        ReplyVerdict::Genuine => Ok(()),
        verdict @ (ReplyVerdict::WrongIdentifier
        | ReplyVerdict::WrongResponseAuthenticator
        | ReplyVerdict::WrongMessageAuthenticator(_)) => Err(BenchError::Reply(format!("{verdict:?}"))),
    }
}
