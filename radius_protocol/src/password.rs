//! User-Password: hidden with the secret on the wire (RFC 2865 §5.2), revealed into a type that wipes itself.

use md5::Digest;
use zeroize::Zeroizing;

use crate::dictionary::USER_PASSWORD;
use crate::{Authenticator, Error, Malformed, Packet, SharedSecret};

/// The longest password that User-Password carries (RFC 2865 §5.2).
pub const PASSWORD_OCTETS_MAX: usize = 128;

const BLOCK_OCTETS: usize = 16;

/// A password in the clear. It wipes itself and has no `Debug`.
pub struct Password {
    octets: Zeroizing<[u8; PASSWORD_OCTETS_MAX]>,
    length: usize,
}

impl Password {
    /// The octets of the password, without padding. With a wrong secret they are noise.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    /// Undoes the hiding; `None` if `hidden` is not 16, 32, .. 128 octets.
    fn reveal(hidden: &[u8], authenticator: &Authenticator, secret: &SharedSecret) -> Option<Self> {
        let (blocks @ [_, ..], []) = hidden.as_chunks() else { return None };
        let mut octets = Zeroizing::new([0; PASSWORD_OCTETS_MAX]);
        if hidden.len() > octets.len() {
            return None;
        }
        let mut previous = authenticator;
        for (clear, block) in octets.as_chunks_mut().0.iter_mut().zip(blocks) {
            *clear = *block;
            mask(clear, previous, secret);
            previous = block;
        }
        // Padding is NULs at the end; those inside belong to the password.
        let length = octets.iter().rposition(|&octet| octet != 0).map_or(0, |last| last.saturating_add(1));
        Some(Self { octets, length })
    }
}

impl Packet<'_> {
    /// Reveals the User-Password of an Access-Request; `None` if it has none.
    ///
    /// # Errors
    /// [`Malformed::PasswordRepeated`], [`Malformed::PasswordLength`].
    pub fn user_password(&self, secret: &SharedSecret) -> Result<Option<Password>, Malformed> {
        let mut passwords = self.all(USER_PASSWORD);
        let Some(hidden) = passwords.next() else { return Ok(None) };
        if passwords.next().is_some() {
            return Err(Malformed::PasswordRepeated);
        }
        let password = Password::reveal(hidden.value(), self.authenticator(), secret);
        password.map(Some).ok_or(Malformed::PasswordLength)
    }
}

/// A password as it goes over the wire.
pub(crate) struct Hidden {
    octets: [u8; PASSWORD_OCTETS_MAX],
    length: usize,
}

impl Hidden {
    /// Pads the password to a multiple of 16 octets (an empty one to 16) and hides it.
    pub(crate) fn new(
        password: &[u8],
        authenticator: &Authenticator,
        secret: &SharedSecret,
    ) -> Result<Self, Error> {
        let too_long = Error::PasswordTooLong { octets: password.len() };
        let mut clear = Zeroizing::new([0; PASSWORD_OCTETS_MAX]);
        clear.get_mut(..password.len()).ok_or(too_long)?.copy_from_slice(password);
        let length = password.len().max(1).next_multiple_of(BLOCK_OCTETS);

        let mut octets = [0; PASSWORD_OCTETS_MAX];
        let mut previous = *authenticator;
        let blocks = octets.as_chunks_mut().0.iter_mut().zip(clear.as_chunks().0);
        for (hidden, block) in blocks.take(length.div_ceil(BLOCK_OCTETS)) {
            *hidden = *block;
            mask(hidden, &previous, secret);
            previous = *hidden;
        }
        Ok(Self { octets, length })
    }

    /// The value of the attribute.
    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

/// Hides or reveals one block in place: XOR with MD5(secret, previous hidden block or authenticator).
fn mask(block: &mut [u8; BLOCK_OCTETS], previous: &[u8; BLOCK_OCTETS], secret: &SharedSecret) {
    let digest: [u8; BLOCK_OCTETS] = secret.prefixed().chain_update(previous).finalize().into();
    for (octet, mask) in block.iter_mut().zip(Zeroizing::new(digest).iter()) {
        *octet ^= mask;
    }
}
