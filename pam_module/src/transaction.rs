//! One PAM transaction as the module sees it: items copied at once, questions put to the user.

use std::ffi::CStr;

use assembly::local::is_known;
use assembly::local::wire::Question;
use common::login::Echo;
use common::qr::Room;
use common::{Secret, TypedName};
use pam::constants::{
    PAM_ERROR_MSG, PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON, PAM_SILENT, PAM_TEXT_INFO, PamFlag,
    PamMessageStyle,
};
use pam::conv::Conv;
use pam::items::{AuthTok, RHost, Service, Tty, User};
use pam::module::PamHandle;

use crate::{ffi, window};

/// A PAM handle for as long as one entry point runs.
pub(crate) struct Transaction<'a> {
    handle: &'a mut PamHandle,
    flags: PamFlag,
    barred: bool,
}

/// What sshd puts in place of a terminal's name until there is one, whatever its PAM service is called.
const TERMINAL_OF_SSHD: &[u8] = b"ssh";

/// The program that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Application {
    /// OpenSSH's server, which answers by itself for some users.
    Sshd,
    /// Any other.
    Other,
}

/// The application could not put a question to the user, or the user went away.
#[derive(Debug)]
pub(crate) struct NobodyAnswers;

impl<'a> Transaction<'a> {
    pub(crate) const fn new(handle: &'a mut PamHandle, flags: PamFlag) -> Self {
        Self { handle, flags, barred: false }
    }

    /// Whether the application wants nothing said but questions, as sudo does.
    pub(crate) const fn is_silent(&self) -> bool {
        self.flags & PAM_SILENT != 0
    }

    /// The name of the user. Where the application has none yet, as login(1), libpam asks for it.
    pub(crate) fn user(&mut self) -> Result<TypedName, NobodyAnswers> {
        // It fails for a name that is not UTF-8, but has asked for it by then; the item has the octets as typed.
        let _ = self.handle.get_user(None);
        let name = self.handle.get_item::<User<'_>>().ok().flatten().ok_or(NobodyAnswers)?;
        Ok(TypedName::new(name.to_bytes()))
    }

    /// The service, as the application gave it to pam_start(3).
    pub(crate) fn service(&self) -> String {
        let name = self.handle.get_item::<Service<'_>>().ok().flatten();
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Which program asks, as far as it matters.
    pub(crate) fn application(&self) -> Application {
        let terminal = self.handle.get_item::<Tty<'_>>().ok().flatten();
        match terminal.is_some_and(|name| name.to_bytes() == TERMINAL_OF_SSHD) {
            true => Application::Sshd,
            false => Application::Other,
        }
    }

    /// How large a picture may be; `None` where it would come out as noise, or somewhere else. What sits behind sshd is
    /// not known: users who see noise choose the way without a picture.
    pub(crate) fn room(&self) -> Option<Room> {
        match self.application() {
            _ if self.is_silent() => None,
            Application::Sshd => Some(Room::USUAL),
            Application::Other => {
                let terminal = self.handle.get_item::<Tty<'_>>().ok().flatten()?;
                window::room(terminal.to_bytes())
            }
        }
    }

    /// `PAM_RHOST`: an address, or a name that somebody's name server gave.
    pub(crate) fn remote_host(&self) -> Option<Vec<u8>> {
        let name = self.handle.get_item::<RHost<'_>>().ok().flatten()?;
        Some(name.to_bytes().to_vec())
    }

    /// `PAM_AUTHTOK`: the password that an earlier module asked for.
    pub(crate) fn token(&self) -> Option<Secret> {
        let token = self.handle.get_item::<AuthTok<'_>>().ok().flatten()?;
        Some(Secret::new(token.as_bytes().to_vec()))
    }

    /// Leaves a password to later modules.
    pub(crate) fn set_token(&mut self, token: &Secret) {
        ffi::set_token(self.handle, token);
    }

    /// A variable of the PAM environment.
    pub(crate) fn variable(&mut self, name: &CStr) -> Option<Vec<u8>> {
        ffi::pam_variable(self.handle, name)
    }

    /// Puts a question to the user. An application that answers with nothing at all gives an empty answer.
    pub(crate) fn ask(&self, question: &Question) -> Result<Secret, NobodyAnswers> {
        let style = match question.echo {
            Echo::Show => PAM_PROMPT_ECHO_ON,
            Echo::Hide => PAM_PROMPT_ECHO_OFF,
        };
        self.converse(style, question.text.expose_text().unwrap_or_default())
    }

    /// Notes that the application has answered in the user's place.
    pub(crate) const fn note_barred(&mut self) {
        self.barred = true;
    }

    /// Whether the application has answered in the place of a user whom this machine has: it bars them.
    pub(crate) fn bars_its_user(&mut self) -> bool {
        self.barred && self.user().is_ok_and(|user| is_known(user.as_str()))
    }

    /// Says a last word. An application that cannot show it does no harm.
    pub(crate) fn tell(&self, text: &str) {
        let _ = self.converse(PAM_ERROR_MSG, text);
    }

    /// Says something before a question. Some applications refuse to, and some fail where they have said it.
    pub(crate) fn inform(&self, text: &str) {
        let _ = self.converse(PAM_TEXT_INFO, text);
    }

    fn converse(&self, style: PamMessageStyle, text: &str) -> Result<Secret, NobodyAnswers> {
        let conversation = self.handle.get_item::<Conv<'_>>().ok().flatten().ok_or(NobodyAnswers)?;
        let answer = conversation.send(style, text).map_err(|_| NobodyAnswers)?;
        Ok(Secret::new(answer.map(|answer| answer.as_bytes().to_vec()).unwrap_or_default()))
    }

    /// Writes a line to the authentication log, in the form that all PAM modules have.
    pub(crate) fn log_error(&self, text: &str) {
        let line = format!("pam_countersign({}:auth): {text}", self.service());
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        ffi::log_error(&line.chars().map(printable).collect::<String>());
    }
}
