//! Every way in which a received packet can be malformed, each with a name for counters and records.

/// Why a datagram, or its User-Password, cannot be read. The receiver drops it silently (RFC 2865 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("malformed RADIUS packet: {}", self.name())]
pub enum Malformed {
    /// The datagram has fewer than the 20 octets of a header.
    DatagramShorterThanHeader,
    /// The Length field says less than 20.
    LengthBelowHeader,
    /// The Length field says more than 4096.
    LengthAboveMaximum,
    /// The Length field says more than the datagram holds.
    LengthPastDatagram,
    /// The last octet is an attribute type without a length.
    AttributeWithoutLength,
    /// An attribute's length is below 2, so that it does not even cover itself.
    AttributeLengthBelowTwo,
    /// An attribute runs past the end of the packet.
    AttributePastEnd,
    /// There is more than one User-Password (RFC 2865 §5.44).
    PasswordRepeated,
    /// The hidden User-Password is not 16, 32, .. 128 octets long (RFC 2865 §5.2).
    PasswordLength,
}

impl Malformed {
    /// All of them, for tables of counters.
    pub const ALL: [Self; 9] = [
        Self::DatagramShorterThanHeader,
        Self::LengthBelowHeader,
        Self::LengthAboveMaximum,
        Self::LengthPastDatagram,
        Self::AttributeWithoutLength,
        Self::AttributeLengthBelowTwo,
        Self::AttributePastEnd,
        Self::PasswordRepeated,
        Self::PasswordLength,
    ];

    /// The name under which it is counted and recorded.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DatagramShorterThanHeader => "datagram-shorter-than-header",
            Self::LengthBelowHeader => "length-below-header",
            Self::LengthAboveMaximum => "length-above-maximum",
            Self::LengthPastDatagram => "length-past-datagram",
            Self::AttributeWithoutLength => "attribute-without-length",
            Self::AttributeLengthBelowTwo => "attribute-length-below-two",
            Self::AttributePastEnd => "attribute-past-end",
            Self::PasswordRepeated => "password-repeated",
            Self::PasswordLength => "password-length",
        }
    }
}
