//! The chain of records: each has a MAC over its content and the MAC before it, so that nothing can be
//! changed, removed or reordered unseen. A cut-off tail shows against an anchor: a head that left the machine.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::keys::{KEY_OCTETS, KeyError, mac};

/// The MAC of a record, or of the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChainMac([u8; 32]);

impl ChainMac {
    /// What the first record of a stream is chained to.
    pub const BEGINNING: Self = Self([0; 32]);

    /// From stored octets.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The octets.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The MAC of the record `body` at place `sequence` of `stream`, after a record with this MAC.
    pub fn next(
        &self,
        key: &[u8; KEY_OCTETS],
        stream: &str,
        sequence: u64,
        body: &[u8],
    ) -> Result<Self, KeyError> {
        mac(key, &[&self.0, stream.as_bytes(), &sequence.to_be_bytes(), body]).map(Self)
    }
}

impl std::fmt::Display for ChainMac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl std::fmt::Debug for ChainMac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl From<ChainMac> for String {
    fn from(mac: ChainMac) -> Self {
        mac.to_string()
    }
}

impl TryFrom<String> for ChainMac {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let octets = HEXLOWER.decode(text.as_bytes()).map_err(|_| KeyError::DoesNotOpen)?;
        Ok(Self(octets.try_into().map_err(|_| KeyError::DoesNotOpen)?))
    }
}

/// A place in a chain: written into every syslog line of a record, so that each such line is an anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainPosition {
    /// The chain's name; each long-lived server may have its own.
    pub stream: String,
    /// The place, from 1.
    pub sequence: u64,
    /// The MAC of the record there.
    pub mac: ChainMac,
}
