//! A request that waits for its reply.

use std::net::UdpSocket;
use std::time::Instant;

use bench::{BenchError, Replies};
use radius_protocol::{
    MessageAuthenticatorDemand, PACKET_OCTETS_MAX, Packet, ReplyVerdict, RequestBuilder, SharedSecret,
};

/// A request on its way.
pub(crate) struct Flight {
    /// As it was sent; a reply is verified against it.
    request: Vec<u8>,
    /// When it was sent.
    pub(crate) begun: Instant,
    /// When the first request of its login was sent.
    pub(crate) login_begun: Instant,
    /// What a challenge is answered with.
    pub(crate) answer: Option<Answer>,
}

/// An answer to a challenge that has not come yet.
pub(crate) struct Answer {
    /// Whose.
    pub(crate) user: String,
    /// The code.
    pub(crate) code: String,
}

/// What an Access-Request carries.
pub(crate) struct Content<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    /// From the challenge that is answered.
    pub(crate) state: Option<&'a [u8]>,
}

impl Flight {
    /// Builds an Access-Request and sends it.
    pub(crate) fn send(
        socket: &UdpSocket,
        secret: &SharedSecret,
        identifier: u8,
        content: &Content<'_>,
        answer: Option<Answer>,
    ) -> Result<Self, BenchError> {
        let request = build(secret, identifier, content)?;
        let begun = Instant::now();
        socket.send(&request).map_err(|source| BenchError::Socket { operation: "send", source })?;
        Ok(Self { request, begun, login_begun: begun, answer })
    }

    /// Holds that the reply comes from somebody who knows the secret and has seen the request.
    pub(crate) fn believe(
        &self,
        reply: &Packet<'_>,
        secret: &SharedSecret,
        replies: Replies,
    ) -> Result<(), BenchError> {
        let request = Packet::parse(&self.request);
        let request = request.map_err(|error| BenchError::Reply(format!("our own request: {error:?}")))?;
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
}

fn build(secret: &SharedSecret, identifier: u8, content: &Content<'_>) -> Result<Vec<u8>, BenchError> {
    let failed = |source| BenchError::Request { user: content.user.to_owned(), source };
    let mut authenticator = [0; 16];
    getrandom::fill(&mut authenticator).map_err(|_| BenchError::Randomness)?;
    let mut buffer = [0; PACKET_OCTETS_MAX];
    let mut request = RequestBuilder::access_request(&mut buffer, secret, identifier, authenticator);
    request
        .user_name(content.user)
        .map_err(failed)?
        .user_password(content.password.as_bytes())
        .map_err(failed)?;
    if let Some(state) = content.state {
        request.state(state).map_err(failed)?;
    }
    Ok(request.finish().to_vec())
}
