//! Packet codes (RFC 2865 §4, RFC 2866 §4, RFC 5176 §2.3, RFC 7930).

use std::fmt;

/// What a packet is: the first octet on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// 1
    AccessRequest,
    /// 2
    AccessAccept,
    /// 3
    AccessReject,
    /// 4
    AccountingRequest,
    /// 5
    AccountingResponse,
    /// 11
    AccessChallenge,
    /// 12
    StatusServer,
    /// 13
    StatusClient,
    /// 40
    DisconnectRequest,
    /// 41
    DisconnectAck,
    /// 42
    DisconnectNak,
    /// 43
    CoaRequest,
    /// 44
    CoaAck,
    /// 45
    CoaNak,
    /// 52
    ProtocolError,
    /// A number that we have no name for. Made by `Code::from` only for such numbers.
    Foreign(u8),
}

impl Code {
    /// The name that the RFCs use; `None` for foreign numbers.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::AccessRequest => Some("Access-Request"),
            Self::AccessAccept => Some("Access-Accept"),
            Self::AccessReject => Some("Access-Reject"),
            Self::AccountingRequest => Some("Accounting-Request"),
            Self::AccountingResponse => Some("Accounting-Response"),
            Self::AccessChallenge => Some("Access-Challenge"),
            Self::StatusServer => Some("Status-Server"),
            Self::StatusClient => Some("Status-Client"),
            Self::DisconnectRequest => Some("Disconnect-Request"),
            Self::DisconnectAck => Some("Disconnect-ACK"),
            Self::DisconnectNak => Some("Disconnect-NAK"),
            Self::CoaRequest => Some("CoA-Request"),
            Self::CoaAck => Some("CoA-ACK"),
            Self::CoaNak => Some("CoA-NAK"),
            Self::ProtocolError => Some("Protocol-Error"),
            Self::Foreign(_) => None,
        }
    }

    /// The sort of Request Authenticator that a packet of this code carries.
    pub(crate) const fn authenticator_origin(self) -> AuthenticatorOrigin {
        match self {
            Self::AccountingRequest | Self::DisconnectRequest | Self::CoaRequest => {
                AuthenticatorOrigin::Computed
            }
            Self::AccessRequest
            | Self::AccessAccept
            | Self::AccessReject
            | Self::AccountingResponse
            | Self::AccessChallenge
            | Self::StatusServer
            | Self::StatusClient
            | Self::DisconnectAck
            | Self::DisconnectNak
            | Self::CoaAck
            | Self::CoaNak
            | Self::ProtocolError
            | Self::Foreign(_) => AuthenticatorOrigin::Random,
        }
    }
}

/// Where a request's authenticator comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthenticatorOrigin {
    /// Chosen by the client at random (RFC 2865 §3): it proves nothing by itself.
    Random,
    /// A digest over the packet and the secret (RFC 2866 §3, RFC 5176 §2.3).
    Computed,
}

impl From<u8> for Code {
    fn from(number: u8) -> Self {
        match number {
            1 => Self::AccessRequest,
            2 => Self::AccessAccept,
            3 => Self::AccessReject,
            4 => Self::AccountingRequest,
            5 => Self::AccountingResponse,
            11 => Self::AccessChallenge,
            12 => Self::StatusServer,
            13 => Self::StatusClient,
            40 => Self::DisconnectRequest,
            41 => Self::DisconnectAck,
            42 => Self::DisconnectNak,
            43 => Self::CoaRequest,
            44 => Self::CoaAck,
            45 => Self::CoaNak,
            52 => Self::ProtocolError,
            foreign => Self::Foreign(foreign),
        }
    }
}

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        match code {
            Code::AccessRequest => 1,
            Code::AccessAccept => 2,
            Code::AccessReject => 3,
            Code::AccountingRequest => 4,
            Code::AccountingResponse => 5,
            Code::AccessChallenge => 11,
            Code::StatusServer => 12,
            Code::StatusClient => 13,
            Code::DisconnectRequest => 40,
            Code::DisconnectAck => 41,
            Code::DisconnectNak => 42,
            Code::CoaRequest => 43,
            Code::CoaAck => 44,
            Code::CoaNak => 45,
            Code::ProtocolError => 52,
            Code::Foreign(number) => number,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Code-{}", u8::from(*self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_survives_the_way_through_the_enum() {
        for number in 0..=255 {
            assert_eq!(u8::from(Code::from(number)), number);
        }
    }

    #[test]
    fn a_known_number_is_never_foreign_and_a_foreign_one_has_no_name() {
        for number in 0..=255 {
            let code = Code::from(number);
            assert_eq!(code.name().is_none(), matches!(code, Code::Foreign(_)));
        }
        assert_eq!(Code::from(52).to_string(), "Protocol-Error");
        assert_eq!(Code::from(200).to_string(), "Code-200");
    }
}
