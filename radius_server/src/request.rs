//! What an Access-Request says about a login, read from an admitted packet.

use common::{Answer, Secret, TypedName};
use radius_protocol::dictionary::{CALLING_STATION_ID, CHAP_PASSWORD, EAP_MESSAGE, STATE, USER_NAME};
use radius_protocol::{Kind, Packet, SharedSecret};

use crate::exit::{Dropped, Refused};

/// A login, or a step of one, as the client put it.
pub struct LoginRequest<'d> {
    /// The User-Name as typed.
    pub typed: TypedName,
    /// The User-Password: a password, an answer, or both in one.
    pub answer: Answer,
    /// The State of the challenge that this answers; `None` for a new login.
    pub state: Option<&'d [u8]>,
    /// Where the user sits, by Calling-Station-Id. The address of the client is no source.
    pub source: Option<String>,
}

/// A way out before the core is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// No answer.
    Drop(Dropped),
    /// An Access-Reject.
    Refuse(Refused),
}

impl<'d> LoginRequest<'d> {
    /// Reads the attributes. Repeated ones that RFC 2865 §5.44 allows once are refused: two readers could see
    /// two users in one packet.
    ///
    /// # Errors
    /// What is missing, repeated or not served.
    pub fn read(packet: &Packet<'d>, secret: &SharedSecret) -> Result<Self, Exit> {
        if packet.first(EAP_MESSAGE).is_some() {
            return Err(Exit::Refuse(Refused::EapNotServed));
        }
        if packet.first(CHAP_PASSWORD).is_some() {
            return Err(Exit::Refuse(Refused::ChapNotServed));
        }
        let name = at_most_once(packet, USER_NAME).map_err(|Repeated| Refused::UserNameRepeated)?;
        let name = name.filter(|name| !name.is_empty()).ok_or(Refused::UserNameMissing)?;
        let state = at_most_once(packet, STATE).map_err(|Repeated| Refused::StateRepeated)?;
        let password = packet.user_password(secret).map_err(Dropped::from)?;
        let password = password.ok_or(Refused::PasswordMissing)?;
        let answer = Answer::from_octets(Secret::new(password.expose().to_vec()));
        Ok(Self { typed: TypedName::new(name), answer, state, source: source(packet) })
    }
}

/// There is more than one.
struct Repeated;

fn at_most_once<'d>(packet: &Packet<'d>, kind: Kind) -> Result<Option<&'d [u8]>, Repeated> {
    let mut all = packet.all(kind);
    let first = all.next().map(radius_protocol::Attribute::value);
    if all.next().is_some() { Err(Repeated) } else { Ok(first) }
}

/// Calling-Station-Id as text for lanes and records; what is not UTF-8 is replaced.
fn source(packet: &Packet<'_>) -> Option<String> {
    let value = packet.first(CALLING_STATION_ID)?.value();
    let mut text = String::from_utf8_lossy(value).into_owned();
    text.truncate(text.floor_char_boundary(common::limits::SOURCE_OCTETS_MAX));
    (!text.is_empty()).then_some(text)
}

impl From<Dropped> for Exit {
    fn from(dropped: Dropped) -> Self {
        Self::Drop(dropped)
    }
}

impl From<Refused> for Exit {
    fn from(refused: Refused) -> Self {
        Self::Refuse(refused)
    }
}

#[cfg(test)]
mod tests {
    use radius_protocol::dictionary::PROXY_STATE;
    use radius_protocol::{PacketBuffer, RequestBuilder};

    use super::*;

    fn secret() -> SharedSecret {
        SharedSecret::new(b"a secret of the gate").unwrap()
    }

    /// A request with these attributes and, if wanted, a password.
    fn read(
        attributes: &[(Kind, &[u8])],
        password: Option<&[u8]>,
        check: impl Fn(Result<LoginRequest<'_>, Exit>),
    ) {
        let (secret, mut buffer): (_, PacketBuffer) = (secret(), [0; 4096]);
        let mut request = RequestBuilder::access_request(&mut buffer, &secret, 7, [9; 16]);
        for (kind, value) in attributes {
            request.attribute(*kind, value).unwrap();
        }
        if let Some(password) = password {
            request.user_password(password).unwrap();
        }
        let octets = request.finish();
        check(LoginRequest::read(&Packet::parse(octets).unwrap(), &secret));
    }

    fn refusal(attributes: &[(Kind, &[u8])], password: Option<&[u8]>, wanted: Refused) {
        read(attributes, password, |read| assert_eq!(read.err(), Some(Exit::Refuse(wanted))));
    }

    #[test]
    fn a_login_is_read_whole() {
        let attributes: [(Kind, &[u8]); 3] =
            [(USER_NAME, b"alice"), (STATE, b"sealed"), (CALLING_STATION_ID, b"192.0.2.9")];
        read(&attributes, Some(b"123456"), |read| {
            let read = read.unwrap_or_else(|exit| panic!("{exit:?}"));
            assert_eq!(read.typed.as_str(), "alice");
            assert_eq!(read.state, Some(b"sealed".as_slice()));
            assert_eq!(read.source.as_deref(), Some("192.0.2.9"));
            assert!(matches!(read.answer, Answer::Text(text) if text == Secret::from("123456")));
        });
    }

    #[test]
    fn what_is_missing_repeated_or_not_served_is_refused_by_name() {
        let name: (Kind, &[u8]) = (USER_NAME, b"alice");
        refusal(&[], Some(b"pw"), Refused::UserNameMissing);
        refusal(&[(USER_NAME, b"")], Some(b"pw"), Refused::UserNameMissing);
        refusal(&[name, (USER_NAME, b"root")], Some(b"pw"), Refused::UserNameRepeated);
        refusal(&[name, (STATE, b"a"), (STATE, b"b")], Some(b"pw"), Refused::StateRepeated);
        refusal(&[name], None, Refused::PasswordMissing);
        refusal(&[name, (CHAP_PASSWORD, &[0; 17])], None, Refused::ChapNotServed);
        refusal(&[name, (EAP_MESSAGE, b"\x02\x01\x00\x0a\x01alice")], None, Refused::EapNotServed);
    }

    #[test]
    fn a_source_of_noise_stays_bounded_text() {
        let noise = [0xff; 253];
        read(&[(USER_NAME, b"alice"), (CALLING_STATION_ID, &noise)], Some(b"pw"), |read| {
            let source = read.ok().and_then(|read| read.source).unwrap();
            assert!(source.len() <= common::limits::SOURCE_OCTETS_MAX);
        });
    }

    #[test]
    fn an_empty_password_is_void_and_the_client_is_no_source() {
        read(&[(USER_NAME, b"alice"), (PROXY_STATE, b"p")], Some(b""), |read| {
            let read = read.unwrap_or_else(|exit| panic!("{exit:?}"));
            assert!(matches!(read.answer, Answer::Void));
            assert_eq!((read.state, read.source), (None, None));
        });
    }
}
