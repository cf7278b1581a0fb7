//! What a phone makes of a picture on a screen: read by two other implementations, and turned into an authenticator app.

use crate::failure::Failure;
use crate::machine::Machine;
use crate::oath::Authenticator;
use crate::screen::{Colours, Screen};

impl Screen {
    /// What two other implementations read of a window with one QR code; they must agree.
    pub fn scanned(&self, machine: &Machine, colours: Colours) -> Result<String, Failure> {
        let picture = self.picture(colours);
        let file = machine.new_folder("picture")?.join("screen.pgm");
        let by_zbar = picture.read_by_zbar(&file, &[])?;
        let by_rqrr = picture.read_by_rqrr();
        match by_zbar.as_slice() {
            [uri] if by_rqrr == by_zbar => Ok(uri.clone()),
            _ => {
                let found = format!("{by_zbar:?} by zbar, {by_rqrr:?} by rqrr, of\n{}", self.text());
                Err(Failure::Unreadable { what: "one QR code", found })
            }
        }
    }
}

impl Authenticator {
    /// The app that has scanned an `otpauth` URI.
    pub fn of_uri(uri: &str) -> Result<Self, Failure> {
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        let secret = query.split('&').find_map(|parameter| parameter.strip_prefix("secret="));
        let unreadable = || Failure::Unreadable { what: "an otpauth URI", found: uri.to_owned() };
        secret.map(Self::new).ok_or_else(unreadable)
    }
}
