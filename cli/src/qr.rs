//! An enrolment as a QR code of half blocks: two rows of modules to a line of the terminal.

use common::Secret;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// White on black whatever the colours of the terminal are: phones read dark modules on a light ground.
const WHITE_ON_BLACK: &str = "\x1b[0;97;40m";
const USUAL_COLOURS: &str = "\x1b[0m";

/// The code in lines of a terminal, or `None` where the text is too long for one or the terminal too narrow.
pub(crate) fn for_terminal(text: &Secret, columns: u16) -> Option<Secret> {
    // Nothing wipes the screen or a scratch: the lowest level keeps the picture small.
    let code = QrCode::with_error_correction_level(text.expose(), EcLevel::L).ok()?;
    // What is light on paper is a block here, drawn in white.
    let picture = code.render().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    let width = picture.lines().next()?.chars().count();
    if width > usize::from(columns) {
        return None;
    }
    let lines = picture.lines().map(|line| format!("{WHITE_ON_BLACK}{line}{USUAL_COLOURS}\n"));
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
    use super::{for_terminal, grouped};
    use common::Secret;

    const URI: &str =
        "otpauth://totp/Countersign:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Countersign";

    #[test]
    fn a_code_fits_eighty_columns_and_is_left_out_where_it_does_not_fit() {
        let uri = Secret::from(URI);
        assert!(for_terminal(&uri, 80).is_some());
        assert!(for_terminal(&uri, 30).is_none());
    }

    /// Light and dark of one character: its upper half, then its lower half.
    fn modules(block: char) -> [bool; 2] {
        match block {
            '█' => [true, true],
            '▀' => [true, false],
            '▄' => [false, true],
            _ => [false, false],
        }
    }

    /// What a camera sees of the lines, each module some pixels wide, is read by somebody else's decoder.
    #[test]
    fn another_implementation_reads_what_the_terminal_shows() {
        let picture = for_terminal(&Secret::from(URI), 80).unwrap();
        let lines = picture.expose_text().unwrap().lines();
        let rows: Vec<Vec<[bool; 2]>> =
            lines.map(|line| line.chars().filter(|c| " █▀▄".contains(*c)).map(modules).collect()).collect();
        let (scale, margin) = (4, 8);
        let columns = rows[0].len() * scale + 2 * margin;
        let lines = rows.len() * 2 * scale + 2 * margin;
        let shade = |x: usize, y: usize| {
            let at = |pixel: usize| pixel.checked_sub(margin).map(|pixel| pixel / scale);
            let cell = at(x).zip(at(y)).and_then(|(x, y)| Some(rows.get(y / 2)?.get(x)?[y % 2]));
            if cell == Some(true) { 255 } else { 0 }
        };
        let mut seen = rqrr::PreparedImage::prepare_from_greyscale(columns, lines, shade);
        let (_, text) = seen.detect_grids()[0].decode().unwrap();
        assert_eq!(text, URI);
    }

    #[test]
    fn secrets_are_shown_in_groups() {
        assert_eq!(grouped("GEZDGNBVGY"), "GEZD GNBV GY");
    }
}
