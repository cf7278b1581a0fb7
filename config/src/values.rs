//! Reads single values: words, names, addresses, lists. What is wrong is reported with what would be right.

use std::collections::HashSet;
use std::ops::{Range, RangeInclusive};
use std::path::{Component, Path, PathBuf};

use toml::de::DeValue;

use crate::limits;
use crate::report::{Place, Remark, Report};
use crate::section::Entry;
use crate::words::Word;

/// Why a text is refused.
pub(crate) enum Wrong {
    /// It is not what is allowed; that says enough.
    NotAllowed,
    /// There is more to say.
    Because(String),
}

/// Whether a list may be empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Least {
    /// It may.
    None,
    /// It needs an element.
    One,
}

/// A value and where it stands.
#[derive(Clone)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) place: Range<usize>,
}

/// Reads a text.
pub(crate) fn text<T>(
    entry: &Entry<'_>,
    report: &mut Report<'_>,
    parse: impl Fn(&str) -> Result<T, Wrong>,
) -> Option<T> {
    element(entry, entry.value.get_ref(), &entry.value.span(), report, &parse)
}

/// Reads one word of an enum.
pub(crate) fn word<T: Word>(entry: &Entry<'_>, report: &mut Report<'_>) -> Option<T> {
    text(entry, report, one_word)
}

/// Reads `true` or `false`.
pub(crate) fn boolean(entry: &Entry<'_>, report: &mut Report<'_>) -> Option<bool> {
    let found = entry.value.get_ref();
    if found.as_bool().is_none() {
        report.error(refused(entry, &entry.value.span(), found, None));
    }
    found.as_bool()
}

/// Reads a whole number from 0 to `most`.
pub(crate) fn whole_number(entry: &Entry<'_>, report: &mut Report<'_>, most: u16) -> Option<u16> {
    number_between(entry, report, 0, most)
}

/// Reads a whole number from `least` to `most`.
pub(crate) fn number_between(
    entry: &Entry<'_>,
    report: &mut Report<'_>,
    least: u16,
    most: u16,
) -> Option<u16> {
    number_in(entry, report, least..=most)
}

/// Reads a whole number of a range.
pub(crate) fn number_in<T: TryFrom<i128> + PartialOrd>(
    entry: &Entry<'_>,
    report: &mut Report<'_>,
    range: RangeInclusive<T>,
) -> Option<T> {
    let found = entry.value.get_ref();
    let written = found.as_integer();
    let number = written.and_then(|digits| i128::from_str_radix(digits.as_str(), digits.radix()).ok());
    let number = number.and_then(|number| T::try_from(number).ok()).filter(|number| range.contains(number));
    if number.is_none() {
        report.error(refused(entry, &entry.value.span(), found, None));
    }
    number
}

/// Reads a list of texts, in which none stands twice.
pub(crate) fn list<T>(
    entry: &Entry<'_>,
    report: &mut Report<'_>,
    least: Least,
    parse: impl Fn(&str) -> Result<T, Wrong>,
) -> Option<Vec<Placed<T>>> {
    let Some(elements) = entry.value.get_ref().as_array() else {
        report.error(refused(entry, &entry.value.span(), entry.value.get_ref(), None));
        return None;
    };
    if elements.is_empty() && least == Least::One {
        report.error(empty(entry));
        return None;
    }
    let mut seen = HashSet::new();
    let mut read = Some(Vec::new());
    for found in elements {
        let place = found.span();
        let value = element(entry, found.get_ref(), &place, report, &parse);
        let twice = found.get_ref().as_str().filter(|text| !seen.insert(*text));
        if let Some(text) = twice {
            report.error(repeated(entry, &place, text));
        }
        match (value, twice, &mut read) {
            (Some(value), None, Some(values)) => values.push(Placed { value, place }),
            (_, _, read) => *read = None,
        }
    }
    read
}

fn element<T>(
    entry: &Entry<'_>,
    found: &DeValue<'_>,
    place: &Range<usize>,
    report: &mut Report<'_>,
    parse: &impl Fn(&str) -> Result<T, Wrong>,
) -> Option<T> {
    let why = match found.as_str().map(parse) {
        Some(Ok(value)) => return Some(value),
        Some(Err(Wrong::Because(why))) => Some(why),
        Some(Err(Wrong::NotAllowed)) | None => None,
    };
    report.error(refused(entry, place, found, why));
    None
}

fn refused(entry: &Entry<'_>, place: &Range<usize>, found: &DeValue<'_>, help: Option<String>) -> Remark {
    Remark {
        place: Place::Value(place.clone()),
        key: entry.path.clone(),
        message: format!("`{}` cannot be {}", entry.path, described(found)),
        allowed: Some(entry.key.allowed.to_owned()),
        help,
    }
}

fn empty(entry: &Entry<'_>) -> Remark {
    Remark {
        place: Place::Value(entry.value.span()),
        key: entry.path.clone(),
        message: format!("`{}` cannot be an empty list", entry.path),
        allowed: Some(entry.key.allowed.to_owned()),
        help: None,
    }
}

fn repeated(entry: &Entry<'_>, place: &Range<usize>, text: &str) -> Remark {
    Remark {
        place: Place::Value(place.clone()),
        key: entry.path.clone(),
        message: format!("`{}` holds {} twice", entry.path, quoted(text)),
        allowed: None,
        help: Some("remove one of them".to_owned()),
    }
}

/// One word of an enum, or the word that was meant.
pub(crate) fn one_word<T: Word>(text: &str) -> Result<T, Wrong> {
    if let Some(value) = T::from_word(text) {
        return Ok(value);
    }
    match near(text, T::ALL.iter().map(|variant| variant.word())) {
        Some(meant) => Err(Wrong::Because(format!("did you mean \"{meant}\"?"))),
        None => Err(Wrong::NotAllowed),
    }
}

/// A text for people: 1 to 64 characters, none of them invisible.
pub(crate) fn label(text: &str) -> Result<String, Wrong> {
    let characters = text.chars().count();
    if characters == 0 || characters > limits::NAME_CHARACTERS_MAX || text.chars().any(char::is_control) {
        return Err(Wrong::NotAllowed);
    }
    without_white_space_at_its_ends(text)
}

/// A text as it is, unless it begins or ends with white space, which nobody sees.
pub(crate) fn without_white_space_at_its_ends(text: &str) -> Result<String, Wrong> {
    if text.trim() != text {
        return Err(Wrong::Because("remove the white space at its ends".to_owned()));
    }
    Ok(text.to_owned())
}

/// A label without `:`, which separates issuer and account in an `otpauth` URI.
pub(crate) fn issuer(text: &str) -> Result<String, Wrong> {
    if text.contains(':') { Err(Wrong::NotAllowed) } else { label(text) }
}

/// A name of letters, digits, `.`, `_` and `-`.
pub(crate) fn plain_name(text: &str) -> Result<String, Wrong> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() || text.len() > limits::NAME_CHARACTERS_MAX || !text.chars().all(plain) {
        return Err(Wrong::NotAllowed);
    }
    Ok(text.to_owned())
}

/// A PAM service. Linux-PAM makes the name lower case, so that any other would never match.
pub(crate) fn service(text: &str) -> Result<String, Wrong> {
    let name = plain_name(text)?;
    let lower = name.to_ascii_lowercase();
    if lower != name {
        return Err(Wrong::Because(format!("PAM makes service names lower case: write \"{lower}\"")));
    }
    Ok(name)
}

/// A PAM service that is asked for first passwords. A dot could name what a package manager or an editor has put
/// beside a stack (`NAME.dpkg-old`); `primary` refuses such a name when it is to be asked, so it is refused here.
pub(crate) fn asked_service(text: &str) -> Result<String, Wrong> {
    let name = service(text)?;
    if name.contains('.') { Err(Wrong::NotAllowed) } else { Ok(name) }
}

/// A path without `..`.
pub(crate) fn path(text: &str) -> Result<PathBuf, Wrong> {
    let path = Path::new(text);
    let climbs = path.components().any(|component| component == Component::ParentDir);
    if climbs || text.chars().any(char::is_control) || path.file_name().is_none() {
        return Err(Wrong::NotAllowed);
    }
    Ok(path.to_owned())
}

/// An absolute path without `..`.
pub(crate) fn absolute_path(text: &str) -> Result<PathBuf, Wrong> {
    let path = path(text)?;
    if path.is_absolute() { Ok(path) } else { Err(Wrong::NotAllowed) }
}

/// What was found, in words. Texts are cut and escaped.
pub(crate) fn described(found: &DeValue<'_>) -> String {
    match found {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => format!("the number {}", cut(number.as_str())),
        DeValue::Float(number) => format!("the number {}", cut(number.as_str())),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date or time".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// A text in quotes, escaped and cut to a length that fits a message.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", cut(text))
}

fn cut(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(limits::SHOWN_VALUE_CHARACTERS_MAX).collect();
    let rest = if characters.next().is_some() { "…" } else { "" };
    format!("{}{rest}", start.escape_debug())
}

/// The word that a misspelt one is near to.
pub fn near<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if text.chars().count() > limits::NAME_CHARACTERS_MAX {
        return None;
    }
    let written = text.to_lowercase().replace('_', "-");
    let distances = words.map(|word| (strsim::damerau_levenshtein(&written, word), word));
    let (distance, word) = distances.min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may be wrong: "enforce" is near, "off" is not.
    (distance.saturating_mul(3) <= word.chars().count()).then_some(word)
}
