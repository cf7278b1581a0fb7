//! A QR code in characters alone: no colour and no escape sequence, which would not come through PAM and ssh.
//!
//! A block is drawn in the colour of the letters, so a picture is made for a dark or for a light screen.

use qrcode::{Color, EcLevel, QrCode, Version};

use crate::Secret;

/// The largest code: with the narrowest margin it is 21 lines, which leaves three of a terminal's 24.
const VERSION: Version = Version::Normal(5);
/// Nothing scratches a screen, so the level with the fewest modules does.
const LEVEL: EcLevel = EcLevel::L;
/// Modules of the margin as the standard wants it (ISO/IEC 18004 §6.3.8).
const MARGIN: usize = 4;
/// Modules of the narrowest margin above and below, where lines are scarce.
const MARGIN_MIN: usize = 2;

/// What the letters of a terminal stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Light letters on a dark ground, as most terminals have it.
    Dark,
    /// Dark letters on a light ground.
    Light,
}

/// The part of a terminal that a picture may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Characters of a line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

impl Room {
    /// A terminal whose size nobody can tell, as it has been since the VT100.
    pub const USUAL: Self = Self { columns: 80, rows: 24 };

    /// What is left of it below a text.
    #[must_use]
    pub fn without(self, text: &str) -> Self {
        let line_rows = |line: &str| line.chars().count().div_ceil(self.columns.max(1)).max(1);
        let taken = text.split('\n').map(line_rows).fold(0, usize::saturating_add);
        Self { rows: self.rows.saturating_sub(taken), ..self }
    }
}

/// Whether a text makes a code that is small enough for a terminal of 24 lines.
#[must_use]
pub fn fits(text: &Secret) -> bool {
    QrCode::with_version(text.expose(), VERSION, LEVEL).is_ok()
}

/// The lines of the picture, each with its end; `None` where there is not enough room.
#[must_use]
pub fn draw(text: &Secret, room: Room, screen: Screen) -> Option<Secret> {
    let code = QrCode::with_error_correction_level(text.expose(), LEVEL).ok()?;
    let picture = Picture::of(&code, room)?;
    Some(Secret::from(picture.lines(screen)))
}

/// The modules of a code with its margin.
struct Picture {
    modules: Vec<Color>,
    width: usize,
    /// Modules above and below.
    margin: usize,
}

impl Picture {
    /// With the widest margin for which there is room.
    fn of(code: &QrCode, room: Room) -> Option<Self> {
        let width = code.width();
        let picture = |margin| Self { modules: code.to_colors(), width, margin };
        let fits = |picture: &Self| picture.columns() <= room.columns && picture.rows() <= room.rows;
        (MARGIN_MIN..=MARGIN).rev().map(picture).find(fits)
    }

    const fn columns(&self) -> usize {
        self.width.saturating_add(MARGIN.saturating_mul(2))
    }

    const fn rows(&self) -> usize {
        self.width.saturating_add(self.margin.saturating_mul(2)).div_ceil(2)
    }

    fn lines(&self, screen: Screen) -> String {
        // Three octets to a block; never grown, so that nothing of it is left behind.
        let line_octets = self.columns().saturating_mul(3).saturating_add(1);
        let mut lines = String::with_capacity(self.rows().saturating_mul(line_octets));
        for row in 0..self.rows() {
            let upper = row.saturating_mul(2);
            let lower = upper.saturating_add(1);
            lines.extend((0..self.columns()).map(|x| block(self.at(x, upper), self.at(x, lower), screen)));
            lines.push('\n');
        }
        lines
    }

    /// Light outside of the code.
    fn at(&self, column: usize, row: usize) -> Color {
        let inside = |place: usize, margin| place.checked_sub(margin).filter(|place| *place < self.width);
        let place = inside(row, self.margin).zip(inside(column, MARGIN));
        let place = place.and_then(|(y, x)| y.checked_mul(self.width)?.checked_add(x));
        place.and_then(|place| self.modules.get(place).copied()).unwrap_or(Color::Light)
    }
}

/// Two modules, one above the other. Those are drawn whose colour is that of the letters.
const fn block(upper: Color, lower: Color, screen: Screen) -> char {
    match (is_drawn(upper, screen), is_drawn(lower, screen)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

const fn is_drawn(module: Color, screen: Screen) -> bool {
    match (module, screen) {
        (Color::Light, Screen::Dark) | (Color::Dark, Screen::Light) => true,
        (Color::Dark, Screen::Dark) | (Color::Light, Screen::Light) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str =
        "otpauth://totp/Countersign:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Countersign";

    /// Brightness of the upper and the lower half of a character.
    fn halves(character: char, screen: Screen) -> [u8; 2] {
        let (letters, ground) = match screen {
            Screen::Dark => (255, 0),
            Screen::Light => (0, 255),
        };
        match character {
            '█' => [letters, letters],
            '▀' => [letters, ground],
            '▄' => [ground, letters],
            ' ' => [ground, ground],
            other => panic!("{other:?} is no block"),
        }
    }

    /// What a camera sees of it, with the ground of that screen around it, as somebody else's decoder reads it.
    fn read(picture: &str, screen: Screen) -> String {
        let rows: Vec<Vec<[u8; 2]>> =
            picture.lines().map(|line| line.chars().map(|c| halves(c, screen)).collect()).collect();
        let (scale, around) = (4, 16);
        let (width, height) = (rows[0].len() * scale + 2 * around, rows.len() * 2 * scale + 2 * around);
        let shade = |x: usize, y: usize| {
            let at = |pixel: usize| pixel.checked_sub(around).map(|pixel| pixel / scale);
            let cell = at(x).zip(at(y)).and_then(|(x, y)| Some(rows.get(y / 2)?.get(x)?[y % 2]));
            cell.unwrap_or(halves(' ', screen)[0])
        };
        let mut seen = rqrr::PreparedImage::prepare_from_greyscale(width, height, shade);
        seen.detect_grids()[0].decode().unwrap().1
    }

    fn drawn(text: &str, room: Room, screen: Screen) -> Option<String> {
        draw(&Secret::from(text), room, screen).map(|lines| lines.expose_text().unwrap().to_owned())
    }

    #[test]
    fn another_implementation_reads_what_a_screen_shows() {
        for screen in [Screen::Dark, Screen::Light] {
            let picture = drawn(URI, Room::USUAL, screen).unwrap();
            assert_eq!(read(&picture, screen), URI);
        }
    }

    #[test]
    fn the_largest_code_is_read_with_the_narrowest_margin() {
        let largest = "x".repeat(106);
        assert!(fits(&Secret::from(largest.as_str())) && !fits(&Secret::from("x".repeat(107))));
        let room = Room { columns: 80, rows: 21 };
        for screen in [Screen::Dark, Screen::Light] {
            let picture = drawn(&largest, room, screen).unwrap();
            assert_eq!(picture.lines().count(), 21);
            assert_eq!(read(&picture, screen), largest);
        }
        assert_eq!(drawn(&largest, Room { rows: 20, ..room }, Screen::Dark), None);
        assert_eq!(drawn(&largest, Room { columns: 44, ..room }, Screen::Dark), None);
    }

    #[test]
    fn the_margin_is_as_wide_as_there_is_room_for() {
        let rows = |rows| drawn("x", Room { columns: 80, rows }, Screen::Dark).map(|p| p.lines().count());
        assert_eq!([rows(24), rows(14), rows(13), rows(12)], [Some(15), Some(14), Some(13), None]);
    }

    #[test]
    fn a_text_takes_its_lines_of_the_room() {
        let left = |text: &str| Room::USUAL.without(text).rows;
        assert_eq!([left("a"), left("a\nb"), left("a\n\nb: ")], [23, 22, 21]);
        assert_eq!([left(&"x".repeat(80)), left(&"x".repeat(81)), left(&"\n".repeat(99))], [23, 22, 0]);
    }
}
