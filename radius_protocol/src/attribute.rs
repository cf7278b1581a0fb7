//! One attribute, and the walk over all of them (RFC 2865 §5). Values are borrowed and not interpreted before asked for.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{Kind, Malformed};

/// The most octets that one attribute's value can have (RFC 2865 §5).
pub const VALUE_OCTETS_MAX: usize = 253;

/// An attribute as it stands in the packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    kind: Kind,
    value: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The attribute's type.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.kind
    }

    /// The octets of the value: none to 253.
    #[must_use]
    pub const fn value(self) -> &'a [u8] {
        self.value
    }

    /// The value as text; `None` if it is not UTF-8 (RFC 2865 §5).
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        str::from_utf8(self.value).ok()
    }

    /// The value as a 32-bit number; `None` if it does not have four octets.
    #[must_use]
    pub fn integer(self) -> Option<u32> {
        self.value.try_into().ok().map(u32::from_be_bytes)
    }

    /// The value as an IPv4 address; `None` if it does not have four octets.
    #[must_use]
    pub fn ipv4(self) -> Option<Ipv4Addr> {
        <[u8; 4]>::try_from(self.value).ok().map(Ipv4Addr::from)
    }

    /// The value as an IPv6 address (RFC 3162 §2.1); `None` if it does not have 16 octets.
    #[must_use]
    pub fn ipv6(self) -> Option<Ipv6Addr> {
        <[u8; 16]>::try_from(self.value).ok().map(Ipv6Addr::from)
    }
}

/// Leaves the value out: it may be a password, and a hidden one can be attacked offline.
impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{} octets]", self.kind, self.value.len())
    }
}

/// The attributes of a packet, in their order.
#[derive(Clone, Copy)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Walks over octets that `check` has found sound.
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// Walks once over the octets to see that each attribute is within bounds.
    pub(crate) fn check(octets: &'a [u8]) -> Result<(), Malformed> {
        let mut attributes = Self::new(octets);
        while attributes.split_first()?.is_some() {}
        Ok(())
    }

    /// The octets behind the attribute that `next` gave last.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn split_first(&mut self) -> Result<Option<Attribute<'a>>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Some(&[kind, length]) = self.rest.first_chunk() else {
            return Err(Malformed::AttributeWithoutLength);
        };
        let Some((octets, rest)) = self.rest.split_at_checked(length.into()) else {
            return Err(Malformed::AttributePastEnd);
        };
        let Some(value) = octets.get(2..) else {
            return Err(Malformed::AttributeLengthBelowTwo);
        };
        self.rest = rest;
        Ok(Some(Attribute { kind: Kind(kind), value }))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.split_first().ok().flatten()
    }
}

impl std::iter::FusedIterator for Attributes<'_> {}
