//! The text of a CSV file: every line is read, and every mistake is kept with its line and column.

use std::collections::HashMap;

use assembly::primary::accept_import;
use common::account::PasswordHash;
use common::username::Folding;
use common::{Secret, Username, limits, totp};
use csv::{ByteRecord, ReaderBuilder};
use serde::Serialize;

/// The columns that a file may have.
const COLUMNS: [&str; 4] = ["user", "password", "password_hash", "totp_secret"];

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

/// Reads the octets of a file. An error says why no line of it can be read; mistakes are in its lines.
pub(super) fn read(octets: &[u8], folding: Folding) -> Result<(Vec<Row>, Vec<Mistake>), String> {
    let mut reader = ReaderBuilder::new().flexible(true).delimiter(delimiter(octets)).from_reader(octets);
    let columns = Columns::find(reader.byte_headers().map_err(|error| error.to_string())?)?;
    let mut lines = Lines { columns, folding, seen: HashMap::new(), rows: Vec::new(), mistakes: Vec::new() };
    let mut numbers = LineNumbers::new(octets);
    for record in reader.byte_records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = numbers.line_of(record.position().map_or(0, csv::Position::byte));
        lines.take(line, &record);
    }
    Ok((lines.rows, lines.mistakes))
}

/// Spreadsheets of some countries separate by semicolons: the first line says.
pub(crate) fn delimiter(octets: &[u8]) -> u8 {
    let first = octets.split(|octet| *octet == b'\n').next().unwrap_or_default();
    if first.contains(&b';') && !first.contains(&b',') { b';' } else { b',' }
}

/// Line numbers of records in order. The reader's own are too low after `\r\n` and empty lines, which it passes
/// over only with the next record.
pub(crate) struct LineNumbers<'a> {
    octets: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> LineNumbers<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { octets, offset: 0, line: 1 }
    }

    /// The line of the record that the reader found from this octet on.
    pub(crate) fn line_of(&mut self, from: u64) -> u64 {
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
