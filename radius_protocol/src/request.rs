//! Requests: the client side, for tests, tools and proxies. Randomness comes from the caller.

use crate::code::AuthenticatorOrigin;
use crate::dictionary::{MESSAGE_AUTHENTICATOR, STATE, USER_NAME, USER_PASSWORD};
use crate::password::Hidden;
use crate::writer::Writer;
use crate::{Authenticator, Code, Error, Kind, PacketBuffer, SharedSecret};

/// A request that grows in the order of the calls. An error leaves it as it was before the call.
#[must_use = "`finish` makes the request"]
pub struct RequestBuilder<'b, 'a> {
    writer: Writer<'b>,
    secret: &'a SharedSecret,
    authenticator: Authenticator,
    origin: AuthenticatorOrigin,
}

impl<'b, 'a> RequestBuilder<'b, 'a> {
    /// Begins an Access-Request. `random` must be unpredictable and never used twice with this secret (RFC 2865 §3).
    pub fn access_request(
        buffer: &'b mut PacketBuffer,
        secret: &'a SharedSecret,
        identifier: u8,
        random: Authenticator,
    ) -> Self {
        Self::with_random(buffer, secret, Code::AccessRequest, identifier, random)
    }

    /// Begins a Status-Server (RFC 5997 §3). `random` as in an Access-Request.
    pub fn status_server(
        buffer: &'b mut PacketBuffer,
        secret: &'a SharedSecret,
        identifier: u8,
        random: Authenticator,
    ) -> Self {
        Self::with_random(buffer, secret, Code::StatusServer, identifier, random)
    }

    /// Begins an Accounting-Request, whose authenticator is computed at the end (RFC 2866 §3). It has no
    /// Message-Authenticator (RFC 2869 §5.19).
    pub fn accounting_request(
        buffer: &'b mut PacketBuffer,
        secret: &'a SharedSecret,
        identifier: u8,
    ) -> Self {
        let authenticator = [0; 16];
        let writer = Writer::open(buffer, Code::AccountingRequest, identifier, &authenticator);
        Self { writer, secret, authenticator, origin: AuthenticatorOrigin::Computed }
    }

    fn with_random(
        buffer: &'b mut PacketBuffer,
        secret: &'a SharedSecret,
        code: Code,
        identifier: u8,
        authenticator: Authenticator,
    ) -> Self {
        let writer = Writer::open(buffer, code, identifier, &authenticator).with_message_authenticator();
        Self { writer, secret, authenticator, origin: AuthenticatorOrigin::Random }
    }

    /// Adds any attribute but Message-Authenticator, which requests get by themselves, and User-Password, which must
    /// not travel unhidden.
    ///
    /// # Errors
    /// [`Error::ReservedAttribute`], [`Error::AttributeTooLong`], [`Error::PacketFull`].
    pub fn attribute(&mut self, kind: Kind, value: &[u8]) -> Result<&mut Self, Error> {
        if kind == MESSAGE_AUTHENTICATOR || kind == USER_PASSWORD {
            return Err(Error::ReservedAttribute { kind });
        }
        self.writer.push(kind, value)?;
        Ok(self)
    }

    /// Adds an attribute whose value is a 32-bit number.
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn integer(&mut self, kind: Kind, value: u32) -> Result<&mut Self, Error> {
        self.attribute(kind, &value.to_be_bytes())
    }

    /// Says who wants in (RFC 2865 §5.1).
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn user_name(&mut self, name: &str) -> Result<&mut Self, Error> {
        self.attribute(USER_NAME, name.as_bytes())
    }

    /// Hides the password with the secret and adds it (RFC 2865 §5.2). NULs at its end are lost on the way.
    ///
    /// # Errors
    /// [`Error::PasswordTooLong`], [`Error::PacketFull`].
    pub fn user_password(&mut self, password: &[u8]) -> Result<&mut Self, Error> {
        let hidden = Hidden::new(password, &self.authenticator, self.secret)?;
        self.writer.push(USER_PASSWORD, hidden.octets())?;
        Ok(self)
    }

    /// Gives a challenge's State back with the answer (RFC 2865 §5.24).
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn state(&mut self, state: &[u8]) -> Result<&mut Self, Error> {
        self.attribute(STATE, state)
    }

    /// Signs, and gives the packet.
    #[must_use]
    pub fn finish(mut self) -> &'b [u8] {
        self.writer.sign_message(self.secret);
        match self.origin {
            AuthenticatorOrigin::Random => {}
            AuthenticatorOrigin::Computed => self.writer.sign_authenticator(self.secret),
        }
        self.writer.into_octets()
    }
}
