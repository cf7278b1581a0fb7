//! Every way a packet can leave the server without the core having decided on it, each with a name. docs/radius.md has
//! the same tables, and a test compares them.

use common::closed_list;
use radius_protocol::Malformed;

closed_list! {
    /// Why a packet gets no answer.
    Dropped {
        /// No client has the address that it came from.
        UnknownClient = "unknown-client",
        /// The datagram has more than 4096 octets.
        Oversized = "oversized",
        /// The datagram has fewer than the 20 octets of a header.
        DatagramShorterThanHeader = "datagram-shorter-than-header",
        /// The Length field says less than 20.
        LengthBelowHeader = "length-below-header",
        /// The Length field says more than 4096.
        LengthAboveMaximum = "length-above-maximum",
        /// The Length field says more than the datagram holds.
        LengthPastDatagram = "length-past-datagram",
        /// The last octet is an attribute type without a length.
        AttributeWithoutLength = "attribute-without-length",
        /// An attribute's length is below 2.
        AttributeLengthBelowTwo = "attribute-length-below-two",
        /// An attribute runs past the end of the packet.
        AttributePastEnd = "attribute-past-end",
        /// It is neither an Access-Request nor a Status-Server.
        CodeNotServed = "code-not-served",
        /// There is no Message-Authenticator, and the client must send one. Every Status-Server must have one.
        MessageAuthenticatorMissing = "message-authenticator-missing",
        /// The Message-Authenticator was made with another secret or over other octets.
        MessageAuthenticatorInvalid = "message-authenticator-invalid",
        /// The Message-Authenticator does not have 16 octets.
        MessageAuthenticatorWrongLength = "message-authenticator-wrong-length",
        /// There is more than one Message-Authenticator.
        MessageAuthenticatorRepeated = "message-authenticator-repeated",
        /// Proxy-State without a Message-Authenticator: what a forger of replies needs (CVE-2024-3596).
        ProxyStateUnsigned = "proxy-state-unsigned",
        /// The same request is being worked on.
        DuplicateInFlight = "duplicate-in-flight",
        /// Too many requests of this client, or of all, are waiting.
        Overloaded = "overloaded",
        /// There is more than one User-Password.
        PasswordRepeated = "password-repeated",
        /// The hidden User-Password is not 16, 32, .. 128 octets long.
        PasswordLength = "password-length",
        /// A Status-Server while the store or the keys cannot be used: the client is to try its next server.
        StatusUnhealthy = "status-unhealthy",
        /// The login could not be decided, because the store, the keys or the clock cannot be used.
        Undecidable = "undecidable",
        /// The primary backend could not be asked, and the client is to hear nothing then.
        BackendSilence = "backend-silence",
        /// The reply does not fit into a packet behind the request's Proxy-States.
        ReplyTooLong = "reply-too-long",
        /// The client has used the identifier for another request before the answer was ready. One that still waited is not worked on.
        Superseded = "superseded",
        /// The kernel did not take the reply.
        NotSent = "not-sent",
    }
}

closed_list! {
    /// Why a packet of a known client gets an Access-Reject without the core having been asked.
    Refused {
        /// There is no User-Name, or an empty one.
        UserNameMissing = "user-name-missing",
        /// There is more than one User-Name.
        UserNameRepeated = "user-name-repeated",
        /// There is more than one State.
        StateRepeated = "state-repeated",
        /// It asks for CHAP, with which no code can be checked. Set the client to PAP.
        ChapNotServed = "chap-not-served",
        /// It asks for EAP, which is not served yet. Set the client to PAP.
        EapNotServed = "eap-not-served",
        /// There is no User-Password, as with MS-CHAP. Set the client to PAP.
        PasswordMissing = "password-missing",
        /// The State is not one of ours for this client and name, or it is more than a day old.
        StateInvalid = "state-invalid",
    }
}

closed_list! {
    /// What is counted besides drops and refusals.
    Event {
        /// Datagrams received, whatever became of them.
        Received = "received",
        /// Access-Accepts, repeated ones not counted.
        Accepted = "accepted",
        /// Access-Rejects, repeated ones not counted.
        Rejected = "rejected",
        /// Access-Challenges, repeated ones not counted.
        Challenged = "challenged",
        /// Logins that could not be decided.
        Unavailable = "unavailable",
        /// Answers given to Status-Server.
        StatusAnswered = "status-answered",
        /// Answers sent again, octet for octet, to a request that came again.
        AnsweredAgain = "answered-again",
        /// Requests without a Message-Authenticator from clients that need not send one.
        Unsigned = "unsigned",
        /// Answers that waited for the floor.
        HeldBack = "held-back",
        /// Answers that left before the floor, because too many waited for it.
        LeftEarly = "left-early",
    }
}

impl From<Malformed> for Dropped {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::DatagramShorterThanHeader => Self::DatagramShorterThanHeader,
            Malformed::LengthBelowHeader => Self::LengthBelowHeader,
            Malformed::LengthAboveMaximum => Self::LengthAboveMaximum,
            Malformed::LengthPastDatagram => Self::LengthPastDatagram,
            Malformed::AttributeWithoutLength => Self::AttributeWithoutLength,
            Malformed::AttributeLengthBelowTwo => Self::AttributeLengthBelowTwo,
            Malformed::AttributePastEnd => Self::AttributePastEnd,
            Malformed::PasswordRepeated => Self::PasswordRepeated,
            Malformed::PasswordLength => Self::PasswordLength,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dropped, Event, Malformed, Refused};

    const DOCUMENTATION: &str = include_str!("../../docs/radius.md");

    #[test]
    fn every_malformed_packet_keeps_its_name() {
        for malformed in Malformed::ALL {
            assert_eq!(Dropped::from(malformed).name(), malformed.name());
        }
    }

    #[test]
    fn every_name_stands_at_its_place() {
        assert!(Dropped::ALL.iter().enumerate().all(|(place, dropped)| dropped.place() == place));
        assert!(Refused::ALL.iter().enumerate().all(|(place, refused)| refused.place() == place));
        assert!(Event::ALL.iter().enumerate().all(|(place, event)| event.place() == place));
    }

    #[test]
    fn the_documentation_has_the_same_tables() {
        let drops = Dropped::ALL.iter().map(|it| row(it.name(), it.meaning()));
        let refusals = Refused::ALL.iter().map(|it| row(it.name(), it.meaning()));
        let events = Event::ALL.iter().map(|it| row(it.name(), it.meaning()));
        assert_eq!(table("| no answer because |"), drops.collect::<Vec<_>>());
        assert_eq!(table("| refused because |"), refusals.collect::<Vec<_>>());
        assert_eq!(table("| counter |"), events.collect::<Vec<_>>());
    }

    fn row(name: &str, meaning: &str) -> String {
        format!("| `{name}` | {meaning} |")
    }

    /// The rows of the table with this head, without the head and the line under it.
    fn table(head: &str) -> Vec<String> {
        let from_head = DOCUMENTATION.lines().skip_while(|line| !line.starts_with(head));
        from_head.skip(2).take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
    }
}
