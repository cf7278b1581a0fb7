//! A received packet, borrowed from its datagram (RFC 2865 §3). It is well formed; whether it is genuine is another
//! question, answered by the methods that take a secret.

use std::fmt;

use crate::{Attribute, Attributes, Code, Kind, Malformed};

/// The octets before the first attribute.
pub const HEADER_OCTETS: usize = 20;

/// The longest packet that RFC 2865 §3 allows.
pub const PACKET_OCTETS_MAX: usize = 4096;

/// The Request or Response Authenticator (RFC 2865 §3).
pub type Authenticator = [u8; 16];

/// A well-formed packet.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    octets: &'a [u8],
    start: &'a [u8; 4],
    authenticator: &'a Authenticator,
    attributes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a datagram. Octets past the Length field are padding and ignored (RFC 2865 §3).
    ///
    /// # Errors
    /// What is malformed; the datagram is then to be dropped without an answer.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let octets = cut_at_length(datagram)?;
        let (start, rest) = octets.split_first_chunk().ok_or(Malformed::DatagramShorterThanHeader)?;
        let (authenticator, attributes) =
            rest.split_first_chunk().ok_or(Malformed::DatagramShorterThanHeader)?;
        Attributes::check(attributes)?;
        Ok(Self { octets, start, authenticator, attributes })
    }

    /// What the packet is.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::from(self.start[0])
    }

    /// The number by which a reply finds its request.
    #[must_use]
    pub const fn identifier(&self) -> u8 {
        self.start[1]
    }

    /// The Request or Response Authenticator.
    #[must_use]
    pub const fn authenticator(&self) -> &'a Authenticator {
        self.authenticator
    }

    /// The whole packet, without padding.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// All attributes in the order of the packet.
    #[must_use]
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.attributes)
    }

    /// The first attribute of a type.
    #[must_use]
    pub fn first(&self, kind: Kind) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.kind() == kind)
    }

    /// All attributes of a type, in the order of the packet.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        self.attributes().filter(move |attribute| attribute.kind() == kind)
    }

    /// Code, Identifier and Length: what every digest begins with.
    pub(crate) const fn start(&self) -> &'a [u8; 4] {
        self.start
    }

    /// The octets of all attributes.
    pub(crate) const fn attribute_octets(&self) -> &'a [u8] {
        self.attributes
    }
}

/// Names the packet without showing what is in it.
impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.code(), self.identifier())?;
        f.debug_list().entries(self.attributes()).finish()
    }
}

fn cut_at_length(datagram: &[u8]) -> Result<&[u8], Malformed> {
    let Some(&[_code, _identifier, high, low, ..]) = datagram.first_chunk::<HEADER_OCTETS>() else {
        return Err(Malformed::DatagramShorterThanHeader);
    };
    match usize::from(u16::from_be_bytes([high, low])) {
        ..HEADER_OCTETS => Err(Malformed::LengthBelowHeader),
        length @ HEADER_OCTETS..=PACKET_OCTETS_MAX => {
            datagram.get(..length).ok_or(Malformed::LengthPastDatagram)
        }
        _ => Err(Malformed::LengthAboveMaximum),
    }
}
