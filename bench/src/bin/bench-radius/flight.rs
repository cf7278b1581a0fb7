//! A request that waits for its reply.

use std::net::UdpSocket;
use std::time::Instant;

use bench::BenchError;
use radius_protocol::{RequestBuilder, SharedSecret};

/// A request on its way.
pub(crate) struct Flight {
    /// As it was sent; a reply is verified against it.
    pub(crate) request: Vec<u8>,
    /// When it was sent.
    pub(crate) begun: Instant,
}

impl Flight {
    /// Builds an Access-Request and sends it.
    pub(crate) fn send(
        socket: &UdpSocket,
        secret: &SharedSecret,
        identifier: u8,
        user: &str,
        password: &str,
    ) -> Result<Self, BenchError> {
        let request = build(secret, identifier, user, password)?;
        let begun = Instant::now();
        socket.send(&request).map_err(|source| BenchError::Socket { operation: "send", source })?;
        Ok(Self { request, begun })
    }
}

fn build(secret: &SharedSecret, identifier: u8, user: &str, password: &str) -> Result<Vec<u8>, BenchError> {
    let failed = |source| BenchError::Request { user: user.to_owned(), source };
    let mut authenticator = [0; 16];
    getrandom::fill(&mut authenticator).map_err(|_| BenchError::Randomness)?;
    let mut buffer = [0; radius_protocol::PACKET_OCTETS_MAX];
    let mut request = RequestBuilder::access_request(&mut buffer, secret, identifier, authenticator);
    request.user_name(user).map_err(failed)?.user_password(password.as_bytes()).map_err(failed)?;
    Ok(request.finish().to_vec())
}
