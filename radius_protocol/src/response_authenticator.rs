//! Digests that end with the secret: the Response Authenticator (RFC 2865 §3), and the Request Authenticator of
//! accounting, disconnect and change-of-authorization requests (RFC 2866 §3, RFC 5176 §2.3).

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use crate::code::AuthenticatorOrigin;
use crate::{Authenticator, Code, MessageAuthenticator, Packet, SharedSecret};

/// Whether a reply without a Message-Authenticator can be genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageAuthenticatorDemand {
    /// No: the Response Authenticator alone can be forged (CVE-2024-3596). An Accounting-Response need not have one all
    /// the same, as it has none by RFC 2866 §5.13.
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
    /// It has another identifier than the request.
    WrongIdentifier,
    /// The Response Authenticator is wrong.
    WrongResponseAuthenticator,
    /// The Message-Authenticator is not valid, or missing where it is required.
    WrongMessageAuthenticator(MessageAuthenticator),
}

impl Packet<'_> {
    /// Checks, in constant time, that this packet answers `request`. The caller has matched the address it came from.
    pub fn verify_reply(
        &self,
        request: &Packet<'_>,
        secret: &SharedSecret,
        demand: MessageAuthenticatorDemand,
    ) -> ReplyVerdict {
        if self.identifier() != request.identifier() {
            return ReplyVerdict::WrongIdentifier;
        }
        if !self.digest_matches(request.authenticator(), secret) {
            return ReplyVerdict::WrongResponseAuthenticator;
        }
        let absence = match demand {
            MessageAuthenticatorDemand::Required if request.code() != Code::AccountingRequest => {
                ReplyVerdict::WrongMessageAuthenticator(MessageAuthenticator::Absent)
            }
            MessageAuthenticatorDemand::Required | MessageAuthenticatorDemand::IfPresent => {
                ReplyVerdict::Genuine
            }
        };
        match self.message_authenticator_of_reply(request, secret) {
            MessageAuthenticator::Valid => ReplyVerdict::Genuine,
            MessageAuthenticator::Absent => absence,
            found @ (MessageAuthenticator::Invalid
            | MessageAuthenticator::WrongLength
            | MessageAuthenticator::Repeated) => ReplyVerdict::WrongMessageAuthenticator(found),
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
