//! What can go wrong while we build a packet. Faults of a received one are in `malformed`.

use crate::Kind;

/// Why a secret or a packet of our own could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// RFC 2865 §3: the secret must not be empty.
    #[error("a RADIUS shared secret must have at least one octet")]
    EmptySecret,
    /// An attribute's value has at most 253 octets (RFC 2865 §5).
    #[error("the value of {kind} has {octets} octets; an attribute takes 253")]
    AttributeTooLong {
        /// The attribute that was to be added.
        kind: Kind,
        /// How many octets its value has.
        octets: usize,
    },
    /// The packet would exceed 4096 octets (RFC 2865 §3). The builder is as it was before the attribute.
    #[error("{kind} does not fit: a packet takes 4096 octets")]
    PacketFull {
        /// The attribute that was to be added.
        kind: Kind,
    },
    /// The builder writes this attribute itself, at its place and with its protection.
    #[error("{kind} is written by the packet builder alone")]
    ReservedAttribute {
        /// The attribute that was to be added.
        kind: Kind,
    },
    /// User-Password takes at most 128 octets (RFC 2865 §5.2).
    #[error("the password has {octets} octets; User-Password takes 128")]
    PasswordTooLong {
        /// How many octets the password has.
        octets: usize,
    },
}
