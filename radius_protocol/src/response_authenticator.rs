//! Digests that end with the secret: the Response Authenticator (RFC 2865 §3), and the Request Authenticator of
//! accounting, disconnect and change-of-authorization requests (RFC 2866 §3, RFC 5176 §2.3).

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use crate::code::AuthenticatorOrigin;
use crate::{Authenticator, MessageAuthenticator, Packet, SharedSecret};

/// Whether a reply without a Message-Authenticator can be genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageAuthenticatorDemand {
    /// No: the Response Authenticator alone can be forged (CVE-2024-3596).
    Required,
    /// Yes, but one that is there must be valid. For servers from before 2024 on networks that are trusted.
    IfPresent,
}

/// What the check of a reply found.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyVerdict {
    /// It was made by somebody who knows the secret, for this request.
    Genuine,
    /// The Response Authenticator is wrong.
    WrongResponseAuthenticator,
    /// The Message-Authenticator is not valid, or missing where it is required.
    WrongMessageAuthenticator(MessageAuthenticator),
}

impl Packet<'_> {
    /// Checks, in constant time, that this packet answers the request with `request_authenticator`.
    /// The caller has matched the identifier and the address it came from.
    pub fn verify_reply(
        &self,
        request_authenticator: &Authenticator,
        secret: &SharedSecret,
        demand: MessageAuthenticatorDemand,
    ) -> ReplyVerdict {
        if !self.digest_matches(request_authenticator, secret) {
            return ReplyVerdict::WrongResponseAuthenticator;
        }
        match (self.message_authenticator_of_reply(request_authenticator, secret), demand) {
            (MessageAuthenticator::Valid, _)
            | (MessageAuthenticator::Absent, MessageAuthenticatorDemand::IfPresent) => ReplyVerdict::Genuine,
            (found, MessageAuthenticatorDemand::Required | MessageAuthenticatorDemand::IfPresent) => {
                ReplyVerdict::WrongMessageAuthenticator(found)
            }
        }
    }

    /// Whether the Request Authenticator proves that the sender of this Accounting-, Disconnect- or CoA-Request knows
    /// the secret. False for all other codes, whose authenticator is random and proves nothing.
    #[must_use]
    pub fn request_authenticator_proves(&self, secret: &SharedSecret) -> bool {
        match self.code().authenticator_origin() {
            AuthenticatorOrigin::Computed => self.digest_matches(&[0; 16], secret),
            AuthenticatorOrigin::Random => false,
        }
    }

    fn digest_matches(&self, authenticator_before: &Authenticator, secret: &SharedSecret) -> bool {
        let digest = Md5::new()
            .chain_update(self.start())
            .chain_update(authenticator_before)
            .chain_update(self.attribute_octets())
            .chain_update(secret.octets())
            .finalize();
        digest.ct_eq(self.authenticator()).into()
    }
}
