//! What an app scans, as a picture in the colours that phones read best.

use common::Secret;
use common::qr::{self, Room, Screen};

/// White on black whatever the colours of the terminal are: phones read dark modules on a light ground.
const WHITE_ON_BLACK: &str = "\x1b[0;97;40m";
const USUAL_COLOURS: &str = "\x1b[0m";

/// The code in lines of a terminal, or `None` where the text is too long for one or the terminal too narrow. It fits a
/// window of the usual height with three lines of words below, or else is as high as it is and can be scrolled back.
pub(crate) fn for_terminal(text: &Secret, columns: u16) -> Option<Secret> {
    let room = |rows| Room { columns: columns.into(), rows };
    let usual = room(Room::USUAL.without("\n\n").rows);
    let picture =
        qr::draw(text, usual, Screen::Dark).or_else(|| qr::draw(text, room(usize::MAX), Screen::Dark))?;
    let lines = picture.expose_text()?.lines();
    let lines = lines.map(|line| format!("{WHITE_ON_BLACK}{line}{USUAL_COLOURS}\n"));
    Some(Secret::from(lines.collect::<String>()))
}

/// Base32 in groups of four, as people type it.
pub(crate) fn grouped(base32: &str) -> String {
    let mut text = String::new();
    for (place, letter) in base32.chars().enumerate() {
        if place > 0 && place.is_multiple_of(4) {
            text.push(' ');
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{USUAL_COLOURS, WHITE_ON_BLACK, for_terminal, grouped};
    use common::Secret;

    const URI: &str =
        "otpauth://totp/Countersign:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Countersign";

    #[test]
    fn a_code_fits_eighty_columns_and_is_left_out_where_it_does_not_fit() {
        let uri = Secret::from(URI);
        assert!(for_terminal(&uri, 80).is_some());
        assert!(for_terminal(&uri, 30).is_none());
    }

    #[test]
    fn each_line_has_its_colours() {
        let picture = for_terminal(&Secret::from(URI), 80).unwrap();
        let lines = picture.expose_text().unwrap().lines();
        assert!(lines.clone().all(|line| line.starts_with(WHITE_ON_BLACK) && line.ends_with(USUAL_COLOURS)));
        assert!(lines.count() > 20);
    }

    #[test]
    fn secrets_are_shown_in_groups() {
        assert_eq!(grouped("GEZDGNBVGY"), "GEZD GNBV GY");
    }
}
