//! RADIUS requests by FreeRADIUS's radclient.

use std::process::Command;

use crate::failure::Failure;
use crate::machine::fed;

/// One request. `Message-Authenticator` is not added by itself: name it among the attributes.
#[derive(Debug)]
pub struct RadiusRequest<'a> {
    /// The server's port on 127.0.0.1.
    pub port: u16,
    /// The secret shared with it.
    pub secret: &'a str,
    /// What radclient calls the request: `auth`, `status`, `acct`.
    pub kind: &'a str,
    /// Name and value as radclient reads them; strings in quotes.
    pub attributes: &'a [(&'a str, &'a str)],
    /// How long to wait for the answer before giving up; nothing is sent twice.
    pub seconds: u8,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RadiusAnswer {
    /// No packet that radclient believes in.
    Silence,
    /// A packet.
    Packet {
        /// `Access-Accept`, `Access-Reject`, `Access-Challenge`, …
        code: String,
        /// Name and value as radclient prints them, in the order of the packet.
        attributes: Vec<(String, String)>,
    },
}

impl RadiusRequest<'_> {
    /// Sends it once and waits for the answer.
    pub fn send(&self) -> Result<RadiusAnswer, Failure> {
        let mut radclient = Command::new("radclient");
        radclient.args(["-x", "-r", "1", "-t", &self.seconds.to_string()]);
        radclient.arg(format!("127.0.0.1:{}", self.port)).args([self.kind, self.secret]);
        let lines = self.attributes.iter().map(|(name, value)| format!("{name} = {value}\n"));
        match fed(&mut radclient, &lines.collect::<String>()) {
            Ok(output) | Err(Failure::Ended { output, .. }) => Ok(answer(&output)),
            Err(failure) => Err(failure),
        }
    }
}

impl RadiusAnswer {
    /// The packet's name, `silence` for none.
    pub fn code(&self) -> &str {
        match self {
            Self::Silence => "silence",
            Self::Packet { code, .. } => code,
        }
    }

    /// The value of the first attribute of that name, as printed.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        match self {
            Self::Silence => None,
            Self::Packet { attributes, .. } => {
                attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
            }
        }
    }
}

/// `Received Access-Accept Id 1 from …` and one indented `Name = value` for each attribute.
fn answer(output: &str) -> RadiusAnswer {
    let mut lines = output.lines().skip_while(|line| !line.starts_with("Received "));
    let Some(code) = lines.next().and_then(|line| line.split(' ').nth(1)) else {
        return RadiusAnswer::Silence;
    };
    let attributes =
        lines.take_while(|line| line.starts_with('\t')).filter_map(|line| line.trim().split_once(" = "));
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    RadiusAnswer::Packet { code: code.to_owned(), attributes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_with_its_attributes() {
        let output = "Sent Access-Request Id 7 from 0.0.0.0:1 to 127.0.0.1:2 length 4\n\tUser-Name = \"a\"\n\
                      Received Access-Challenge Id 7 from 127.0.0.1:2 to 127.0.0.1:1 length 4\n\
                      \tReply-Message = \"Code:\"\n\tState = 0x0102\n";
        let challenge = answer(output);
        assert_eq!(challenge.code(), "Access-Challenge");
        assert_eq!(challenge.attribute("State"), Some("0x0102"));
        assert_eq!(challenge.attribute("User-Name"), None);
    }

    #[test]
    fn no_packet_is_silence() {
        assert_eq!(answer("(0) No reply from server for ID 7 socket 3\n"), RadiusAnswer::Silence);
    }
}
