//! Message-Authenticator: HMAC-MD5 over the whole packet (RFC 3579 §3.2, RFC 2869 §5.14).

use hmac::Mac;
use subtle::ConstantTimeEq;

use crate::code::AuthenticatorOrigin;
use crate::dictionary::MESSAGE_AUTHENTICATOR;
use crate::{Authenticator, Code, Packet, SharedSecret};

/// The whole attribute: type, length, 16 octets of value.
pub(crate) const ATTRIBUTE_OCTETS: usize = 18;

/// What a packet's Message-Authenticator says about it.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageAuthenticator {
    /// There is none.
    Absent,
    /// Exactly one, and it was made with this secret over these octets.
    Valid,
    /// Exactly one, of the right length, but made with another secret or over other octets.
    Invalid,
    /// One whose value does not have 16 octets.
    WrongLength,
    /// More than one.
    Repeated,
}

impl Packet<'_> {
    /// Checks the Message-Authenticator of a request, in constant time.
    pub fn message_authenticator(&self, secret: &SharedSecret) -> MessageAuthenticator {
        match self.code().authenticator_origin() {
            AuthenticatorOrigin::Random => self.check_message_authenticator(self.authenticator(), secret),
            // The computed authenticator covers this attribute, so this one saw zeros in its place (RFC 5176 §3.4).
            AuthenticatorOrigin::Computed => self.check_message_authenticator(&[0; 16], secret),
        }
    }

    /// Checks the Message-Authenticator of a reply to `request`, in constant time.
    pub fn message_authenticator_of_reply(
        &self,
        request: &Packet<'_>,
        secret: &SharedSecret,
    ) -> MessageAuthenticator {
        if request.code() == Code::AccountingRequest {
            // No RFC says how; servers that send one here make it as in the request (radsecproxy#93).
            return self.check_message_authenticator(&[0; 16], secret);
        }
        self.check_message_authenticator(request.authenticator(), secret)
    }

    fn check_message_authenticator(
        &self,
        authenticator: &Authenticator,
        secret: &SharedSecret,
    ) -> MessageAuthenticator {
        let (before, value, after) = match Found::within(self) {
            Found::Nowhere => return MessageAuthenticator::Absent,
            Found::WrongLength => return MessageAuthenticator::WrongLength,
            Found::Repeated => return MessageAuthenticator::Repeated,
            Found::Once { before, value, after } => (before, value, after),
        };
        let mut mac = secret.keyed();
        mac.update(self.start());
        mac.update(authenticator);
        mac.update(before);
        mac.update(&[MESSAGE_AUTHENTICATOR.0, 18]);
        mac.update(&[0; 16]);
        mac.update(after);
        if mac.finalize().into_bytes().ct_eq(value).into() {
            MessageAuthenticator::Valid
        } else {
            MessageAuthenticator::Invalid
        }
    }
}

/// Where the attribute is, and the attribute octets on both sides of it.
enum Found<'a> {
    Nowhere,
    Once { before: &'a [u8], value: &'a Authenticator, after: &'a [u8] },
    WrongLength,
    Repeated,
}

impl<'a> Found<'a> {
    fn within(packet: &Packet<'a>) -> Self {
        let mut attributes = packet.attributes();
        let Some(attribute) = attributes.find(|attribute| attribute.kind() == MESSAGE_AUTHENTICATOR) else {
            return Self::Nowhere;
        };
        let after = attributes.rest();
        if attributes.any(|attribute| attribute.kind() == MESSAGE_AUTHENTICATOR) {
            return Self::Repeated;
        }
        let Ok(value) = attribute.value().try_into() else {
            return Self::WrongLength;
        };
        let octets = packet.attribute_octets();
        // Nothing saturates: the attribute and what is after it are part of these octets.
        let before = octets.len().saturating_sub(after.len()).saturating_sub(ATTRIBUTE_OCTETS);
        Self::Once { before: octets.get(..before).unwrap_or_default(), value, after }
    }
}
