//! RADIUS requests by hand: a User-Name and a Calling-Station-Id may be any octets.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use radius_protocol::dictionary::{CALLING_STATION_ID, STATE, USER_NAME};
use radius_protocol::{
    Code, MessageAuthenticatorDemand, Packet, PacketBuffer, ReplyVerdict, RequestBuilder, SharedSecret,
};

use test_ground::receive;

use super::Request;

/// The secret of every client here.
pub(crate) const SECRET: &str = "a secret between gateway and server";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// When a gateway sends its packet again.
const AGAIN_AFTER: Duration = Duration::from_millis(300);
/// How long it rests where it hears at once that nobody is there.
const REST: Duration = Duration::from_millis(20);

/// Sends a request to a port of this machine and takes its answer, which must be genuine: its code and State.
pub(crate) fn ask(port: u16, request: &Request<'_>) -> (Code, Vec<u8>) {
    ask_for_a_while(port, request, PATIENCE).expect("an answer")
}

/// The same where there may be no answer within this time, nor anybody who could give one.
pub(crate) fn ask_for_a_while(
    port: u16,
    request: &Request<'_>,
    patience: Duration,
) -> io::Result<(Code, Vec<u8>)> {
    let octets = signed(request, 0);
    send(&gateway(port, request, patience), &octets)
}

/// The same as a gateway does it whose server may be killed at any moment: it sends its packet again and again.
pub(crate) fn ask_until_answered(port: u16, request: &Request<'_>) -> io::Result<(Code, Vec<u8>)> {
    let octets = signed(request, 0);
    let socket = gateway(port, request, AGAIN_AFTER);
    let begun = Instant::now();
    loop {
        match send(&socket, &octets) {
            Err(_) if begun.elapsed() < PATIENCE => thread::sleep(REST),
            answered => return answered,
        }
    }
}

fn gateway(port: u16, request: &Request<'_>, patience: Duration) -> UdpSocket {
    let socket = UdpSocket::bind((request.from, 0)).expect("a loopback address");
    socket.connect(("127.0.0.1", port)).expect("a loopback address");
    socket.set_read_timeout(Some(patience)).expect("a limit");
    socket
}

fn send(socket: &UdpSocket, octets: &[u8]) -> io::Result<(Code, Vec<u8>)> {
    let secret = SharedSecret::new(SECRET.as_bytes()).expect("a secret");
    socket.send(octets)?;
    let mut buffer = [0; 4096];
    let length = receive(socket, &mut buffer)?;
    let reply = Packet::parse(buffer.get(..length).unwrap_or_default()).expect("a packet");
    let asked = Packet::parse(octets).expect("our own packet");
    let verdict = reply.verify_reply(&asked, &secret, MessageAuthenticatorDemand::Required);
    assert_eq!(verdict, ReplyVerdict::Genuine);
    let state = reply.first(STATE).map(|state| state.value().to_vec());
    Ok((reply.code(), state.unwrap_or_default()))
}

/// The request as it goes out, with an authenticator of its own.
pub(crate) fn signed(request: &Request<'_>, identifier: u8) -> Vec<u8> {
    let secret = SharedSecret::new(SECRET.as_bytes()).expect("a secret");
    let mut buffer: PacketBuffer = [0; 4096];
    let mut authenticator = [0; 16];
    let mut random = File::open("/dev/urandom").expect("randomness");
    random.read_exact(&mut authenticator).expect("randomness");
    let mut packet = RequestBuilder::access_request(&mut buffer, &secret, identifier, authenticator);
    packet.attribute(USER_NAME, request.name).expect("room");
    packet.attribute(CALLING_STATION_ID, request.station).expect("room");
    packet.user_password(request.password.as_bytes()).expect("room");
    if !request.state.is_empty() {
        packet.state(request.state).expect("room");
    }
    packet.finish().to_vec()
}
