//! A CSV file with users on its way in. Every line is read, and every mistake is said with its line.

use std::path::Path;

use common::Username;
use common::username::Folding;
use csv::{ByteRecord, ReaderBuilder};

use crate::command::import::{LineNumbers, delimiter};
use crate::failure::Failure;
use crate::incoming::{self, is_standard_input};
use crate::number::counted;

/// Titles of the column with the users, the first of them that is there; letters alone count.
const TITLES: [&str; 5] = ["user", "username", "upn", "userprincipalname", "name"];
/// What spreadsheets put in front of the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The users of a file, in its order; one may stand there more than once.
pub(super) fn read(path: &Path, folding: Folding) -> Result<Vec<Username>, Failure> {
    let octets = incoming::read(path)?;
    let wrong = |message| Failure::Columns { path: path.to_owned(), message };
    let (users, mistakes) = users(&octets, folding).map_err(wrong)?;
    if mistakes.is_empty() {
        return Ok(users);
    }
    let file = if is_standard_input(path) { "standard input".to_owned() } else { path.display().to_string() };
    Err(Failure::Lines { file, lines: mistakes.join("\n"), count: counted(mistakes.len(), "mistake") })
}

/// The users, and what is wrong. An error says why no line can be read.
fn users(octets: &[u8], folding: Folding) -> Result<(Vec<Username>, Vec<String>), String> {
    let octets = octets.strip_prefix(BYTE_ORDER_MARK).unwrap_or(octets);
    if octets.contains(&0) {
        return Err("this is no CSV file: it holds octets that no text has".to_owned());
    }
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .delimiter(delimiter(octets))
        .from_reader(octets);
    let mut numbers = LineNumbers::new(octets);
    let mut column = None;
    let (mut users, mut mistakes) = (Vec::new(), Vec::new());
    for record in reader.byte_records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = numbers.line_of(record.position().map_or(0, csv::Position::byte));
        let Some(place) = column else {
            let titled = titled_column(&record);
            column = Some(titled.unwrap_or(0));
            if titled.is_none() {
                take(&record, 0, line, folding, &mut users, &mut mistakes);
            }
            continue;
        };
        take(&record, place, line, folding, &mut users, &mut mistakes);
    }
    Ok((users, mistakes))
}

fn take(
    record: &ByteRecord,
    place: usize,
    line: u64,
    folding: Folding,
    users: &mut Vec<Username>,
    mistakes: &mut Vec<String>,
) {
    // A line of white space or of separators alone is an empty line.
    if record.iter().all(|field| field.trim_ascii().is_empty()) {
        return;
    }
    match user(record.get(place).unwrap_or_default()) {
        Ok(name) => users.push(folding.fold(&name)),
        Err(why) => mistakes.push(format!("line {line}: {why}")),
    }
}

fn user(field: &[u8]) -> Result<Username, String> {
    let text = std::str::from_utf8(field).map_err(|_| "not UTF-8 text".to_owned())?.trim();
    if text.is_empty() {
        return Err("there is no user name".to_owned());
    }
    Username::parse(text).map_err(|error| error.to_string())
}

/// The place of the column with the users, where the first line is one of titles.
fn titled_column(record: &ByteRecord) -> Option<usize> {
    let letters = |field: &[u8]| {
        let title = String::from_utf8_lossy(field).to_ascii_lowercase();
        title.replace(|letter: char| matches!(letter, '_' | '-') || letter.is_whitespace(), "")
    };
    let titles: Vec<String> = record.iter().map(letters).collect();
    TITLES.iter().find_map(|title| titles.iter().position(|found| found == title))
}

#[cfg(test)]
mod tests {
    use common::username::Folding;

    use super::users;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let (users, mistakes) = users(text.as_bytes(), Folding::Lowercase).unwrap();
        (users.iter().map(ToString::to_string).collect(), mistakes)
    }

    #[test]
    fn names_are_found_however_a_spreadsheet_writes_them() {
        for text in [
            "alice\nbob\n",
            "\u{feff}user\r\nalice\r\n\r\nbob",
            "\"alice\",x\n \n\"bob\"\n,,\n",
            "Name,UPN,state\nAlice A.,alice,on\nBob B.,\" bob \",off\n",
            "Anzeigename;User principal name\r\nA;ALICE\r\nB;bob\r\n",
            "No,User Name\n1,alice\n2,bob\n",
            "No,user_name\n1,alice\n2,bob\n",
            "\u{feff}\"Name\"\nalice\nBob\n",
        ] {
            assert_eq!(read(text), (vec!["alice".to_owned(), "bob".to_owned()], vec![]), "{text:?}");
        }
        assert_eq!(read(""), (vec![], vec![]));
    }

    #[test]
    fn what_is_no_text_is_refused_in_one_sentence() {
        assert!(users(b"\x7fELF\x02\x00\x00\n\xff\xfe\n", Folding::Exact).is_err());
    }

    #[test]
    fn every_mistake_is_said_with_its_line() {
        let (found, mistakes) = read("user,x\r\nalice,1\r\n\r\n-rf,2\r\n,3\r\n\"a\nb\",4\r\nx/y\n");
        assert_eq!(found, ["alice"]);
        let lines: Vec<&str> = mistakes.iter().map(|mistake| mistake.split(':').next().unwrap()).collect();
        assert_eq!(lines, ["line 4", "line 5", "line 6", "line 8"], "{mistakes:?}");
        let (_, mistakes) = users(b"user\n\xff\n", Folding::Exact).unwrap();
        assert_eq!(mistakes, ["line 2: not UTF-8 text"]);
    }
}
