//! Attribute types by number and name, from the RFCs. The tests hold each against the `radius` crate's constants.

use std::fmt;

/// An attribute's type: the first octet of it on the wire. Every number is one, named or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u8);

/// The name that the RFCs use, or `Attribute-` and the number.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Attribute-{}", self.0),
        }
    }
}

/// Makes a constant for each attribute, and the way back from the number to the name.
macro_rules! attributes {
    ($($rfc:literal { $($constant:ident = $number:literal $name:literal,)* })*) => {
        $($(
            #[doc = concat!($name, " (", $rfc, ").")]
            pub const $constant: Kind = Kind($number);
        )*)*

        impl Kind {
            /// Every type that has a name here.
            pub const NAMED: &[Self] = &[$($($constant,)*)*];

            /// The name that the RFCs use.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($($number => Some($name),)*)*
                    _ => None,
                }
            }
        }
    };
}

attributes! {
    "RFC 2865" {
        USER_NAME = 1 "User-Name",
        USER_PASSWORD = 2 "User-Password",
        CHAP_PASSWORD = 3 "CHAP-Password",
        NAS_IP_ADDRESS = 4 "NAS-IP-Address",
        NAS_PORT = 5 "NAS-Port",
        SERVICE_TYPE = 6 "Service-Type",
        FRAMED_PROTOCOL = 7 "Framed-Protocol",
        FRAMED_IP_ADDRESS = 8 "Framed-IP-Address",
        FRAMED_IP_NETMASK = 9 "Framed-IP-Netmask",
        FRAMED_ROUTING = 10 "Framed-Routing",
        FILTER_ID = 11 "Filter-Id",
        FRAMED_MTU = 12 "Framed-MTU",
        FRAMED_COMPRESSION = 13 "Framed-Compression",
        LOGIN_IP_HOST = 14 "Login-IP-Host",
        LOGIN_SERVICE = 15 "Login-Service",
        LOGIN_TCP_PORT = 16 "Login-TCP-Port",
        REPLY_MESSAGE = 18 "Reply-Message",
        FRAMED_ROUTE = 22 "Framed-Route",
        STATE = 24 "State",
        CLASS = 25 "Class",
        VENDOR_SPECIFIC = 26 "Vendor-Specific",
        SESSION_TIMEOUT = 27 "Session-Timeout",
        IDLE_TIMEOUT = 28 "Idle-Timeout",
        TERMINATION_ACTION = 29 "Termination-Action",
        CALLED_STATION_ID = 30 "Called-Station-Id",
        CALLING_STATION_ID = 31 "Calling-Station-Id",
        NAS_IDENTIFIER = 32 "NAS-Identifier",
        PROXY_STATE = 33 "Proxy-State",
        CHAP_CHALLENGE = 60 "CHAP-Challenge",
        NAS_PORT_TYPE = 61 "NAS-Port-Type",
        PORT_LIMIT = 62 "Port-Limit",
    }
    "RFC 2866" {
        ACCT_STATUS_TYPE = 40 "Acct-Status-Type",
        ACCT_DELAY_TIME = 41 "Acct-Delay-Time",
        ACCT_INPUT_OCTETS = 42 "Acct-Input-Octets",
        ACCT_OUTPUT_OCTETS = 43 "Acct-Output-Octets",
        ACCT_SESSION_ID = 44 "Acct-Session-Id",
        ACCT_AUTHENTIC = 45 "Acct-Authentic",
        ACCT_SESSION_TIME = 46 "Acct-Session-Time",
        ACCT_INPUT_PACKETS = 47 "Acct-Input-Packets",
        ACCT_OUTPUT_PACKETS = 48 "Acct-Output-Packets",
        ACCT_TERMINATE_CAUSE = 49 "Acct-Terminate-Cause",
        ACCT_MULTI_SESSION_ID = 50 "Acct-Multi-Session-Id",
        ACCT_LINK_COUNT = 51 "Acct-Link-Count",
    }
    "RFC 2868" {
        TUNNEL_TYPE = 64 "Tunnel-Type",
        TUNNEL_MEDIUM_TYPE = 65 "Tunnel-Medium-Type",
        TUNNEL_PRIVATE_GROUP_ID = 81 "Tunnel-Private-Group-ID",
    }
    "RFC 2869" {
        ACCT_INPUT_GIGAWORDS = 52 "Acct-Input-Gigawords",
        ACCT_OUTPUT_GIGAWORDS = 53 "Acct-Output-Gigawords",
        EVENT_TIMESTAMP = 55 "Event-Timestamp",
        PASSWORD_RETRY = 75 "Password-Retry",
        PROMPT = 76 "Prompt",
        CONNECT_INFO = 77 "Connect-Info",
        EAP_MESSAGE = 79 "EAP-Message",
        MESSAGE_AUTHENTICATOR = 80 "Message-Authenticator",
        ACCT_INTERIM_INTERVAL = 85 "Acct-Interim-Interval",
        NAS_PORT_ID = 87 "NAS-Port-Id",
        FRAMED_POOL = 88 "Framed-Pool",
    }
    "RFC 3162" {
        NAS_IPV6_ADDRESS = 95 "NAS-IPv6-Address",
        FRAMED_INTERFACE_ID = 96 "Framed-Interface-Id",
        FRAMED_IPV6_PREFIX = 97 "Framed-IPv6-Prefix",
        LOGIN_IPV6_HOST = 98 "Login-IPv6-Host",
        FRAMED_IPV6_ROUTE = 99 "Framed-IPv6-Route",
        FRAMED_IPV6_POOL = 100 "Framed-IPv6-Pool",
    }
    "RFC 4372" {
        CHARGEABLE_USER_IDENTITY = 89 "Chargeable-User-Identity",
    }
    "RFC 4849" {
        NAS_FILTER_RULE = 92 "NAS-Filter-Rule",
    }
    "RFC 5176" {
        ERROR_CAUSE = 101 "Error-Cause",
    }
    "RFC 6911" {
        FRAMED_IPV6_ADDRESS = 168 "Framed-IPv6-Address",
    }
}
