//! The window of a terminal as a person sees it, or the camera of a phone: by another implementation of a terminal, read
//! by other implementations of a QR reader.

use std::fs;
use std::num::NonZeroU16;
use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, checked};

/// Pixels of a cell; both halves of it are square.
const CELL_COLUMNS: usize = 6;
const CELL_ROWS: usize = 12;

/// What a window shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    rows: Vec<Vec<char>>,
}

/// The colours of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Light letters on a dark ground.
    LightOnDark,
    /// Dark letters on a light ground.
    DarkOnLight,
}

/// A photograph of a window, in shades of grey.
#[derive(Clone, Debug)]
pub struct Picture {
    columns: usize,
    rows: usize,
    shades: Vec<u8>,
}

impl Screen {
    pub(crate) fn showing(output: &[u8], rows: u16, columns: u16) -> Self {
        let [height, width] = [rows, columns].map(|side| NonZeroU16::new(side).unwrap_or(NonZeroU16::MIN));
        let mut parser = vt100::Parser::new(height, width, 0);
        parser.process(output);
        let cell = |row, column| {
            let cell = parser.screen().cell(row, column);
            cell.and_then(|cell| cell.contents().chars().next()).unwrap_or(' ')
        };
        let row = |row| (0..columns).map(|column| cell(row, column)).collect();
        Self { rows: (0..rows).map(row).collect() }
    }

    /// Its lines, without spaces at their ends.
    pub fn lines(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned()).collect()
    }

    /// Characters of a line.
    pub(crate) fn columns(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }

    /// Its lines in one text, to look for words.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// What a camera sees.
    pub fn picture(&self, colours: Colours) -> Picture {
        let (letters, ground) = match colours {
            Colours::LightOnDark => (230, 20),
            Colours::DarkOnLight => (20, 230),
        };
        let columns = self.columns().saturating_mul(CELL_COLUMNS);
        let rows = self.rows.len().saturating_mul(CELL_ROWS);
        let shade = |x: usize, y: usize| {
            let line = self.rows.get(y.checked_div(CELL_ROWS)?)?;
            let cell = *line.get(x.checked_div(CELL_COLUMNS)?)?;
            let is_inked = is_inked(cell, x.checked_rem(CELL_COLUMNS)?, y.checked_rem(CELL_ROWS)?);
            Some(if is_inked { letters } else { ground })
        };
        let pixels = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y)));
        let shades = pixels.map(|(x, y)| shade(x, y).unwrap_or(ground)).collect();
        Picture { columns, rows, shades }
    }
}

/// Whether a pixel of a cell has the colour of letters. Whatever is no block is a blot, as a letter is from afar.
fn is_inked(cell: char, x: usize, y: usize) -> bool {
    let is_upper = y < CELL_ROWS / 2;
    match cell {
        ' ' => false,
        '█' => true,
        '▀' => is_upper,
        '▄' => !is_upper,
        _ => (1..CELL_COLUMNS - 1).contains(&x) && (3..CELL_ROWS - 2).contains(&y),
    }
}

impl Picture {
    /// What the crate `rqrr` reads; the QR codes of a picture are few.
    pub fn read_by_rqrr(&self) -> Vec<String> {
        let place = |x: usize, y: usize| y.checked_mul(self.columns)?.checked_add(x);
        let shade = |x, y| place(x, y).and_then(|place| self.shades.get(place).copied()).unwrap_or_default();
        let mut seen = rqrr::PreparedImage::prepare_from_greyscale(self.columns, self.rows, shade);
        seen.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
    }

    /// What `zbarimg` reads of a file that is written for it.
    pub fn read_by_zbar(&self, file: &Path, more: &[&str]) -> Result<Vec<String>, Failure> {
        fs::write(file, self.pgm()).map_err(Failure::file("write", file))?;
        let mut zbar = Command::new("zbarimg");
        zbar.args(["--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable"]).args(more).arg(file);
        let output = zbar.output();
        let output = output.map_err(|source| Failure::Start { command: "zbarimg".to_owned(), source })?;
        // zbarimg(1): 4 is a picture with nothing in it.
        match output.status.code() {
            Some(0 | 4) => Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()),
            _ => checked(&mut zbar).map(|_| Vec::new()),
        }
    }

    /// A portable grey map, as netpbm has it (pgm(5)).
    fn pgm(&self) -> Vec<u8> {
        let mut file = format!("P5\n{} {}\n255\n", self.columns, self.rows).into_bytes();
        file.extend_from_slice(&self.shades);
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_shows_what_has_not_scrolled_away() {
        let screen = Screen::showing("one\r\ntwo\r\nthree\r\nf█ur".as_bytes(), 3, 10);
        assert_eq!(screen.lines(), ["two", "three", "f█ur"]);
    }

    #[test]
    fn halves_of_blocks_are_where_they_are() {
        let picture = Screen::showing("▀▄".as_bytes(), 1, 2).picture(Colours::LightOnDark);
        let at = |x: usize, y: usize| picture.shades[y * picture.columns + x];
        assert_eq!([at(0, 0), at(0, 11), at(6, 0), at(6, 11)], [230, 20, 20, 230]);
    }
}
