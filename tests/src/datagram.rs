//! Datagrams with a limit of time.

use std::io;
use std::net::UdpSocket;

/// Receives one datagram. A receive with a limit is not taken up again by itself after an interruption (signal(7)).
pub fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match socket.recv(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            received => return received,
        }
    }
}
