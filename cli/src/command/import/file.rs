//! The CSV file: every line is read, and every mistake is kept with its line and column.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use assembly::primary::accept_import;
use common::account::PasswordHash;
use common::username::Folding;
use common::{Secret, Username, limits, totp};
use csv::{ByteRecord, ReaderBuilder};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The columns that a file may have.
const COLUMNS: [&str; 4] = ["user", "password", "password_hash", "totp_secret"];

/// Octets of a file: room for some hundred thousand users.
const FILE_OCTETS_MAX: u64 = 64 << 20;

/// One account to be made.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) user: Username,
    pub(super) password: FirstPassword,
    pub(super) totp_secret: Option<Secret>,
}

/// What a line says of the local password.
pub(super) enum FirstPassword {
    /// Nothing.
    None,
    /// The password itself, to be hashed.
    Plain(Secret),
    /// A hash from elsewhere.
    Hash(PasswordHash),
}

/// Something that is wrong in one line. It repeats no password and no secret.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Mistake {
    pub(super) line: u64,
    pub(super) column: &'static str,
    pub(super) message: String,
}

impl Mistake {
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn existing(row: &Row) -> Self {
        let message = format!("there is an account '{}' already", row.user);
        Self { line: row.line, column: "user", message }
    }
}

/// Reads a file. An error is a file that cannot be read at all; mistakes are in its lines.
pub(super) fn read(path: &Path, folding: Folding) -> Result<(Vec<Row>, Vec<Mistake>), Failure> {
    let octets = contents(path)?;
    let failed = |error: csv::Error| Failure::file("read", path)(io::Error::from(error));
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(octets.as_slice());
    let columns = Columns::find(reader.byte_headers().map_err(failed)?);
    let columns = columns.map_err(|message| Failure::Columns { path: path.to_owned(), message })?;
    let mut lines = Lines { columns, folding, seen: HashMap::new(), rows: Vec::new(), mistakes: Vec::new() };
    let mut numbers = LineNumbers { octets: &octets, offset: 0, line: 1 };
    for record in reader.byte_records() {
        let record = record.map_err(failed)?;
        let line = numbers.line_of(record.position().map_or(0, csv::Position::byte));
        lines.take(line, &record);
    }
    Ok((lines.rows, lines.mistakes))
}

fn contents(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let file = File::open(path).map_err(Failure::file("open", path))?;
    let mut octets = Zeroizing::new(Vec::new());
    file.take(FILE_OCTETS_MAX).read_to_end(&mut octets).map_err(Failure::file("read", path))?;
    if u64::try_from(octets.len()).unwrap_or(u64::MAX) == FILE_OCTETS_MAX {
        let message = format!("the file has {FILE_OCTETS_MAX} octets or more: split it");
        return Err(Failure::Columns { path: path.to_owned(), message });
    }
    Ok(octets)
}

/// Line numbers of records in order. The reader's own are too low after `\r\n` and empty lines, which it passes
/// over only with the next record.
struct LineNumbers<'a> {
    octets: &'a [u8],
    offset: usize,
    line: u64,
}

impl LineNumbers<'_> {
    /// The line of the record that the reader found from this octet on.
    fn line_of(&mut self, from: u64) -> u64 {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let rest = self.octets.get(from..).unwrap_or_default();
        let passed_over = rest.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
        let start = from.saturating_add(passed_over);
        let between = self.octets.get(self.offset..start).unwrap_or_default();
        let breaks = between.iter().filter(|octet| **octet == b'\n').count();
        self.line = self.line.saturating_add(u64::try_from(breaks).unwrap_or(u64::MAX));
        self.offset = start;
        self.line
    }
}

/// Which place each column has.
struct Columns {
    places: [Option<usize>; COLUMNS.len()],
    count: usize,
}

impl Columns {
    fn find(header: &ByteRecord) -> Result<Self, String> {
        let mut places = [None; COLUMNS.len()];
        for (place, title) in header.iter().enumerate() {
            let title = String::from_utf8_lossy(title);
            // Spreadsheets put a byte order mark in front of the first title.
            let title = title.trim_start_matches('\u{feff}').trim();
            let known = COLUMNS.iter().zip(&mut places).find(|(name, _)| **name == title);
            let Some((_, slot)) = known else {
                return Err(format!(
                    "column {title:?} is not known: the first line names {}",
                    COLUMNS.join(", ")
                ));
            };
            if slot.replace(place).is_some() {
                return Err(format!("column {title:?} stands twice"));
            }
        }
        let [user, ..] = places;
        if user.is_none() {
            return Err("there is no column \"user\": the first line must name the columns".to_owned());
        }
        Ok(Self { places, count: header.len() })
    }

    /// The field of a column, `None` where it is empty or not there.
    fn field<'r>(&self, record: &'r ByteRecord, name: &str) -> Option<&'r [u8]> {
        let (_, place) = COLUMNS.iter().zip(&self.places).find(|(column, _)| **column == name)?;
        record.get((*place)?).filter(|field| !field.is_empty())
    }
}

/// What has been read so far.
struct Lines {
    columns: Columns,
    folding: Folding,
    seen: HashMap<Username, u64>,
    rows: Vec<Row>,
    mistakes: Vec<Mistake>,
}

impl Lines {
    fn take(&mut self, line: u64, record: &ByteRecord) {
        let before = self.mistakes.len();
        if record.len() != self.columns.count {
            let message = format!("{} fields instead of {}", record.len(), self.columns.count);
            self.mistakes.push(Mistake { line, column: "", message });
            return;
        }
        let user = self.read("user", line, record, |field| self.user(field));
        let password = self.read("password", line, record, password);
        let hash = self.read("password_hash", line, record, |field| {
            accept_import(text(field)?.trim()).map_err(|error| error.to_string())
        });
        let totp_secret = self.read("totp_secret", line, record, |field| {
            totp::from_base32(text(field)?).map_err(|error| error.to_string())
        });
        let both = password.value.is_some() && hash.value.is_some();
        let absent = matches!(user, Field { value: None, mistake: None });
        self.mistakes.extend(
            [user.mistake, password.mistake, hash.mistake, totp_secret.mistake].into_iter().flatten(),
        );
        if both {
            let message = "a password and a hash in one line: give one of them".to_owned();
            self.mistakes.push(Mistake { line, column: "password_hash", message });
        }
        if absent {
            self.mistakes.push(Mistake { line, column: "user", message: "there is no user name".to_owned() });
        }
        let (Some(user), true) = (user.value, self.mistakes.len() == before) else { return };
        self.seen.insert(user.clone(), line);
        let password = match (password.value, hash.value) {
            (Some(password), _) => FirstPassword::Plain(password),
            (None, Some(hash)) => FirstPassword::Hash(hash),
            (None, None) => FirstPassword::None,
        };
        self.rows.push(Row { line, user, password, totp_secret: totp_secret.value });
    }

    fn read<T>(
        &self,
        column: &'static str,
        line: u64,
        record: &ByteRecord,
        parse: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Field<T> {
        match self.columns.field(record, column).map(parse) {
            None => Field { value: None, mistake: None },
            Some(Ok(value)) => Field { value: Some(value), mistake: None },
            Some(Err(message)) => Field { value: None, mistake: Some(Mistake { line, column, message }) },
        }
    }

    fn user(&self, field: &[u8]) -> Result<Username, String> {
        let name = Username::parse(text(field)?.trim()).map_err(|error| error.to_string())?;
        let name = self.folding.fold(&name);
        match self.seen.get(&name) {
            Some(before) => Err(format!("'{name}' stands in line {before} already")),
            None => Ok(name),
        }
    }
}

/// A field that was read, or what is wrong with it; neither where it is empty.
struct Field<T> {
    value: Option<T>,
    mistake: Option<Mistake>,
}

fn text(field: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(field).map_err(|_| "not UTF-8 text".to_owned())
}

fn password(field: &[u8]) -> Result<Secret, String> {
    if field.len() > limits::ANSWER_OCTETS_MAX {
        return Err(format!("a password has at most {} octets", limits::ANSWER_OCTETS_MAX));
    }
    Ok(Secret::new(field.to_vec()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read_text(text: &[u8]) -> Result<(Vec<Row>, Vec<Mistake>), Failure> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        read(file.path(), Folding::Exact)
    }

    fn mistakes(text: &[u8]) -> Vec<(u64, &'static str)> {
        let (rows, mistakes) = read_text(text).unwrap();
        assert!(rows.is_empty());
        mistakes.iter().map(|mistake| (mistake.line, mistake.column)).collect()
    }

    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn a_line_may_bring_a_password_a_hash_or_neither() {
        let hash = "$6$rounds=5000$abcdefgh$4Mv8pH5WCb8N2qK3wQhYx0dSgLq7vUzR1tEjOiPnAbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefghij";
        let file = format!(
            "\u{feff}user,totp_secret,password,password_hash\nalice,{SECRET},\"correct, horse\",\nbob,,,{hash}\r\ncarol,,,\n"
        );
        let (rows, mistakes) = read_text(file.as_bytes()).unwrap();
        assert!(mistakes.is_empty(), "{}", mistakes[0].message);
        let [alice, bob, carol] = rows.as_slice() else { panic!("{} rows", rows.len()) };
        assert!(
            matches!(&alice.password, FirstPassword::Plain(plain) if plain.expose() == b"correct, horse")
        );
        assert!(alice.totp_secret.as_ref().unwrap().expose() == b"12345678901234567890");
        assert!(matches!(&bob.password, FirstPassword::Hash(kept) if kept.expose() == hash));
        assert!(matches!(&carol.password, FirstPassword::None) && carol.totp_secret.is_none());
        assert_eq!([alice.line, bob.line, carol.line], [2, 3, 4]);
    }

    #[test]
    fn every_mistake_is_found_with_its_line_and_column() {
        let each = [
            ("user\n-rf\n".to_owned(), (2, "user")),
            ("user,password\n,secret\n".to_owned(), (2, "user")),
            (format!("user,password\nx,{}\n", "p".repeat(513)), (2, "password")),
            ("user,password_hash\nx,$1$abc$def\n".to_owned(), (2, "password_hash")),
            ("user,totp_secret\n\nx,not base32!\n".to_owned(), (3, "totp_secret")),
            ("user,totp_secret\nx,GEZDGNBV\n".to_owned(), (2, "totp_secret")),
            ("user,password\nx\n".to_owned(), (2, "")),
        ];
        for (text, place) in each {
            assert_eq!(mistakes(text.as_bytes()), [place], "{text}");
        }
        assert_eq!(mistakes(b"user,totp_secret\n\xff,\xff\n"), [(2, "user"), (2, "totp_secret")]);
    }

    #[test]
    fn a_name_that_stands_twice_is_a_mistake_of_the_second_line() {
        let (rows, mistakes) = read_text(b"user\nalice\nalice\n").unwrap();
        assert_eq!((rows.len(), mistakes.len()), (1, 1));
        assert_eq!(mistakes[0].message, "'alice' stands in line 2 already");
    }

    #[test]
    fn a_password_and_a_hash_in_one_line_are_refused() {
        let file = b"user,password,password_hash\nx,secret,$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\n";
        assert_eq!(mistakes(file), [(2, "password_hash")]);
    }

    #[test]
    fn the_first_line_must_name_known_columns() {
        for text in ["alice,secret\n", "password\nx\n", "user,user\nx,y\n", ""] {
            assert!(matches!(read_text(text.as_bytes()), Err(Failure::Columns { .. })), "{text}");
        }
    }
}
