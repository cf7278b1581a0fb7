//! The secret that a client shares with us, with the hash states that follow from it.

use hmac::{Hmac, KeyInit};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::Error;

/// A shared secret (RFC 2865 §3). It wipes itself and its states, and has no `Debug`.
///
/// Every packet starts its digests from copies of two states made once for each secret: HMAC-MD5 with the key already
/// absorbed (Message-Authenticator), and MD5 with the secret as prefix (User-Password).
pub struct SharedSecret {
    octets: Zeroizing<Box<[u8]>>,
    keyed: Hmac<Md5>,
    prefixed: Md5,
}

impl SharedSecret {
    /// Takes a copy of the secret's octets; the caller wipes its own.
    ///
    /// # Errors
    /// [`Error::EmptySecret`]: with an empty secret everybody could sign.
    pub fn new(secret: &[u8]) -> Result<Self, Error> {
        if secret.is_empty() {
            return Err(Error::EmptySecret);
        }
        // HMAC takes keys of every length (RFC 2104 §3), so that this does not fail for another reason.
        let keyed = Hmac::new_from_slice(secret).map_err(|_| Error::EmptySecret)?;
        Ok(Self { octets: Zeroizing::new(secret.into()), keyed, prefixed: Md5::new_with_prefix(secret) })
    }

    /// HMAC-MD5 with the key already absorbed.
    pub(crate) fn keyed(&self) -> Hmac<Md5> {
        self.keyed.clone()
    }

    /// MD5 that has begun with the secret.
    pub(crate) fn prefixed(&self) -> Md5 {
        self.prefixed.clone()
    }

    /// The secret itself, for digests that end with it.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn the_states_made_from_a_secret_wipe_themselves() {
        fn wipes_itself<T: ZeroizeOnDrop>() {}
        // Compiles only while md-5 has its `zeroize` feature. `Hmac` is a buffer and two MD5 states of the same types,
        // and lacks the mark alone.
        wipes_itself::<Md5>();
        assert!(std::mem::needs_drop::<Hmac<Md5>>());
    }
}
