//! RADIUS packets and attributes, borrowed from the wire (RFC 2865, 2866, 2869, 3579, 5176, 5997).
//!
//! A datagram goes in as a slice and comes out as a [`Packet`]; a reply is built in the caller's buffer by a
//! [`ReplyBuilder`], a request by a [`RequestBuilder`]. Nothing here owns a socket, a clock or randomness, and nothing
//! allocates but [`SharedSecret::new`], so that datagrams can be received, answered and sent in batches.
//! Every packet that we build carries a Message-Authenticator, and it comes first (CVE-2024-3596, "Blast-RADIUS");
//! accounting alone has none, as its RFCs want it.
//!
//! The `radius` crate (0.4.0) is a dev-dependency only: it brings tokio with all features, makes one `Vec` for each
//! attribute and neither checks nor writes a Message-Authenticator. The tests hold our attribute numbers against its
//! generated constants and our decoder against its decoder.
#![forbid(unsafe_code)]

mod attribute;
mod code;
pub mod dictionary;
mod error;
mod malformed;
mod message_authenticator;
mod packet;
mod password;
mod reply;
mod request;
mod response_authenticator;
mod secret;
mod writer;

pub use attribute::{Attribute, Attributes, VALUE_OCTETS_MAX};
pub use code::Code;
pub use dictionary::Kind;
pub use error::Error;
pub use malformed::Malformed;
pub use message_authenticator::MessageAuthenticator;
pub use packet::{Authenticator, HEADER_OCTETS, PACKET_OCTETS_MAX, Packet};
pub use password::{PASSWORD_OCTETS_MAX, Password};
pub use reply::{Prompt, ReplyBuilder};
pub use request::RequestBuilder;
pub use response_authenticator::{MessageAuthenticatorDemand, ReplyVerdict};
pub use secret::SharedSecret;

/// A buffer that any packet fits into; receivers and builders use one for each packet in flight.
pub type PacketBuffer = [u8; PACKET_OCTETS_MAX];
