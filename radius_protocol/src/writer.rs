//! A packet growing in the caller's buffer: header, attributes, then the signatures.

use hmac::Mac;
use md5::{Digest, Md5};

use crate::dictionary::MESSAGE_AUTHENTICATOR;
use crate::message_authenticator::ATTRIBUTE_OCTETS;
use crate::{Authenticator, Code, Error, HEADER_OCTETS, Kind, PacketBuffer, SharedSecret};

pub(crate) struct Writer<'b> {
    buffer: &'b mut PacketBuffer,
    length: usize,
    message_authenticator: Place,
}

/// Where the packet's Message-Authenticator is.
enum Place {
    Nowhere,
    First,
}

impl<'b> Writer<'b> {
    /// Begins a packet without attributes.
    pub(crate) fn open(
        buffer: &'b mut PacketBuffer,
        code: Code,
        identifier: u8,
        authenticator: &Authenticator,
    ) -> Self {
        buffer[0] = code.into();
        buffer[1] = identifier;
        buffer[4..20].copy_from_slice(authenticator);
        Self { buffer, length: HEADER_OCTETS, message_authenticator: Place::Nowhere }
    }

    /// Makes an empty Message-Authenticator the first attribute. Behind it an attacker cannot prepare a collision, since
    /// what he controls comes after octets that he cannot know (CVE-2024-3596).
    pub(crate) fn with_message_authenticator(mut self) -> Self {
        self.buffer[20] = MESSAGE_AUTHENTICATOR.0;
        self.buffer[21] = 18;
        self.buffer[22..38].fill(0);
        self.length = HEADER_OCTETS.saturating_add(ATTRIBUTE_OCTETS);
        self.message_authenticator = Place::First;
        self
    }

    /// Adds an attribute behind those that are there; on an error the packet is as before.
    pub(crate) fn push(&mut self, kind: Kind, value: &[u8]) -> Result<(), Error> {
        let octets = value.len();
        let Ok(length) = u8::try_from(octets.saturating_add(2)) else {
            return Err(Error::AttributeTooLong { kind, octets });
        };
        let end = self.length.saturating_add(length.into());
        let room = self.buffer.get_mut(self.length..end).and_then(<[u8]>::split_first_chunk_mut);
        let Some(([kind_octet, length_octet], target)) = room else { return Err(Error::PacketFull { kind }) };
        *kind_octet = kind.0;
        *length_octet = length;
        target.copy_from_slice(value);
        self.length = end;
        Ok(())
    }

    /// Writes the Length, and the Message-Authenticator over all that is there. Comes after the last `push`.
    pub(crate) fn sign_message(&mut self, secret: &SharedSecret) {
        self.write_length();
        match self.message_authenticator {
            Place::Nowhere => return,
            Place::First => {}
        }
        let mut mac = secret.keyed();
        mac.update(self.octets());
        self.buffer[22..38].copy_from_slice(&mac.finalize().into_bytes());
    }

    /// Replaces the authenticator by the digest over the packet and the secret. Comes after `sign_message`.
    pub(crate) fn sign_authenticator(&mut self, secret: &SharedSecret) {
        let digest = Md5::new().chain_update(self.octets()).chain_update(secret.octets()).finalize();
        self.buffer[4..20].copy_from_slice(&digest);
    }

    /// The finished packet.
    pub(crate) fn into_octets(self) -> &'b [u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    fn octets(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    fn write_length(&mut self) {
        // The buffer has 4096 octets, so that the length fits into 16 bits.
        let length = u16::try_from(self.length).unwrap_or(u16::MAX);
        self.buffer[2..4].copy_from_slice(&length.to_be_bytes());
    }
}
