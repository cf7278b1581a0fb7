//! A mail as it goes over the wire (RFC 5322), marked as sent by no person (RFC 3834).

use common::gateway::Sender;
use lettre::Message;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};

use crate::parcel::Parcel;

/// The mail of a parcel; `None` where its parts do not make one.
pub(crate) fn mail(parcel: &Parcel, from: &Sender) -> Option<Message> {
    let common::address::Address::Email(to) = &parcel.to else { return None };
    let sender = from.address.as_str().parse().ok()?;
    let (_, domain) = from.address.as_str().rsplit_once('@')?;
    let builder: MessageBuilder = Message::builder()
        .from(Mailbox::new(from.name.clone(), sender))
        .to(Mailbox::new(None, to.as_str().parse().ok()?))
        .subject(one_line(&parcel.subject))
        .date_now()
        .message_id(Some(format!("<{}@{domain}>", parcel.id)))
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN);
    builder.body(format!("{}\r\n", parcel.text.expose_text()?)).ok()
}

/// A subject ends where its line does.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// No robot is to answer, and no vacation notice to be sent.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use common::address::{Address, Channel, MailAddress};
    use common::gateway::Sender;
    use common::{MessageId, Secret};

    use super::mail;
    use crate::parcel::Parcel;

    fn written(subject: &str, text: &str, from: &str) -> String {
        let parcel = Parcel {
            id: MessageId::from_bytes([7; 16]),
            channel: Channel::Email,
            to: Address::Email(MailAddress::parse("alice@example.org").unwrap()),
            user: "alice".to_owned(),
            subject: subject.to_owned(),
            text: Secret::from(text),
            code: None,
        };
        let mail = mail(&parcel, &Sender::parse(from).unwrap()).unwrap();
        String::from_utf8(mail.formatted()).unwrap()
    }

    fn headers(mail: &str) -> Vec<&str> {
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        head.split("\r\n")
            .filter(|line| !line.starts_with(' '))
            .map(|line| line.split(':').next().unwrap())
            .collect()
    }

    #[test]
    fn a_mail_says_that_no_person_wrote_it() {
        let mail = written("Your code", "123456 is it", "Countersign <mfa@example.org>");
        for line in [
            "Auto-Submitted: auto-generated\r\n",
            "To: alice@example.org\r\n",
            "Subject: Your code\r\n",
            "Message-ID: <07070707070707070707070707070707@example.org>\r\n",
        ] {
            assert!(mail.contains(line), "{line}{mail}");
        }
        assert!(mail.contains("From: ") && mail.contains("<mfa@example.org>") && mail.contains("\r\nDate: "));
        assert!(mail.ends_with("\r\n\r\n123456 is it\r\n"), "{mail}");
    }

    #[test]
    fn nothing_in_subject_or_text_becomes_a_header() {
        let plain = headers(&written("s", "t", "a@example.org")).len();
        let hostile = "x\r\nBcc: mallory@example.org\r\n\r\n.\r\n";
        let mail = written(hostile, hostile, "Müller <a@example.org>");
        let found = headers(&mail);
        assert!(!found.iter().any(|name| name.eq_ignore_ascii_case("bcc")), "{mail}");
        assert!(found.len() <= plain + 1, "{found:?}");
        assert!(mail.is_ascii(), "{mail}");
    }
}
