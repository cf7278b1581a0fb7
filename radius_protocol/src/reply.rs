//! Replies: built in the caller's buffer, with the Message-Authenticator first, the request's Proxy-States last and
//! both signatures over all of it. An Accounting-Response alone has no Message-Authenticator (RFC 2866 §5.13).

use crate::dictionary::{MESSAGE_AUTHENTICATOR, PROMPT, PROXY_STATE, REPLY_MESSAGE, SESSION_TIMEOUT, STATE};
use crate::writer::Writer;
use crate::{Code, Error, Kind, Packet, PacketBuffer, SharedSecret, VALUE_OCTETS_MAX};

/// Whether the user's answer to a challenge may be seen while it is typed (RFC 2869 §5.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// 0
    NoEcho,
    /// 1
    Echo,
}

/// A reply that grows in the order of the calls. An error leaves it as it was before the call.
#[must_use = "`finish` makes the reply"]
pub struct ReplyBuilder<'b, 'a> {
    writer: Writer<'b>,
    secret: &'a SharedSecret,
    request: Packet<'a>,
}

impl<'b, 'a> ReplyBuilder<'b, 'a> {
    /// Begins a reply to `request` in `buffer`, whose old content does not matter.
    pub fn new(
        buffer: &'b mut PacketBuffer,
        secret: &'a SharedSecret,
        request: &Packet<'a>,
        code: Code,
    ) -> Self {
        let bare = Writer::open(buffer, code, request.identifier(), request.authenticator());
        // Clients do not expect one in answer to accounting, and those that read it disagree about how it is made.
        let writer =
            if request.code() == Code::AccountingRequest { bare } else { bare.with_message_authenticator() };
        Self { writer, secret, request: *request }
    }

    /// Adds any attribute but Message-Authenticator and Proxy-State, which replies get by themselves.
    ///
    /// # Errors
    /// [`Error::ReservedAttribute`], [`Error::AttributeTooLong`], [`Error::PacketFull`].
    pub fn attribute(&mut self, kind: Kind, value: &[u8]) -> Result<&mut Self, Error> {
        if kind == MESSAGE_AUTHENTICATOR || kind == PROXY_STATE {
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

    /// Adds what the user is to read, as many Reply-Messages as it takes (RFC 2865 §5.18), cut between characters.
    /// Empty text adds none, since an attribute of text is not to be empty (RFC 2865 §5).
    ///
    /// # Errors
    /// [`Error::PacketFull`]: the text does not fit; its beginning may be in the reply.
    pub fn reply_message(&mut self, text: &str) -> Result<&mut Self, Error> {
        let mut rest = text;
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.floor_char_boundary(VALUE_OCTETS_MAX));
            self.attribute(REPLY_MESSAGE, part.as_bytes())?;
            rest = after;
        }
        Ok(self)
    }

    /// Adds what the client is to send back with the answer (RFC 2865 §5.24).
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn state(&mut self, state: &[u8]) -> Result<&mut Self, Error> {
        self.attribute(STATE, state)
    }

    /// Says whether the answer may be shown while it is typed (RFC 2869 §5.10).
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn prompt(&mut self, prompt: Prompt) -> Result<&mut Self, Error> {
        let number = match prompt {
            Prompt::NoEcho => 0,
            Prompt::Echo => 1,
        };
        self.integer(PROMPT, number)
    }

    /// Limits the session, or in a challenge the time for the answer (RFC 2865 §5.27).
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn session_timeout(&mut self, seconds: u32) -> Result<&mut Self, Error> {
        self.integer(SESSION_TIMEOUT, seconds)
    }

    /// Copies the request's Proxy-States, in order and unmodified (RFC 2865 §5.33), signs, and gives the packet.
    ///
    /// # Errors
    /// [`Error::PacketFull`]: the Proxy-States do not fit behind what was added.
    pub fn finish(mut self) -> Result<&'b [u8], Error> {
        for proxy_state in self.request.all(PROXY_STATE) {
            self.writer.push(PROXY_STATE, proxy_state.value())?;
        }
        // The request's authenticator is still in its place, as both signatures want it.
        self.writer.sign_message(self.secret);
        self.writer.sign_authenticator(self.secret);
        Ok(self.writer.into_octets())
    }
}
