//! Reads one table: refuses keys that it does not know, and hands out the others by [`Key`].

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::keys::{Absent, Key, Part};
use crate::limits;
use crate::report::{Place, Remark, Report, is_bare_key};
use crate::values::{Wrong, described, near, quoted, text};

/// A table, or the place where one could stand.
pub(crate) struct Section<'a> {
    table: Option<&'a DeTable<'a>>,
    part: Part,
    path: String,
    place: Range<usize>,
}

/// A key that is there.
pub(crate) struct Entry<'a> {
    pub(crate) key: &'static Key,
    pub(crate) path: String,
    pub(crate) key_place: Range<usize>,
    pub(crate) value: &'a Spanned<DeValue<'a>>,
}

/// What became of a key.
pub(crate) enum Field<T> {
    /// It is not there.
    Absent,
    /// It is there and wrong; that has been reported.
    Refused,
    /// It was read.
    Read(T),
}

impl<T> Field<T> {
    /// The value, or what its absence means; `None` where it was refused.
    pub(crate) fn or(self, absent: T) -> Option<T> {
        match self {
            Self::Absent => Some(absent),
            Self::Refused => None,
            Self::Read(value) => Some(value),
        }
    }

    /// The value if there is one; `None` where it was refused.
    pub(crate) fn optional(self) -> Option<Option<T>> {
        match self {
            Self::Absent => Some(None),
            Self::Refused => None,
            Self::Read(value) => Some(Some(value)),
        }
    }
}

impl<'a> Section<'a> {
    /// The top of a file.
    pub(crate) fn top(root: &'a Spanned<DeTable<'a>>, part: Part, report: &mut Report<'_>) -> Self {
        let section = Self { table: Some(root.get_ref()), part, path: String::new(), place: 0..0 };
        section.refuse_unknown(report);
        section
    }

    /// `[name]` below this one.
    pub(crate) fn table(&self, name: &str, part: Part, report: &mut Report<'_>) -> Section<'a> {
        let path = self.path_of(name);
        let Some((key, value)) = self.find(name) else {
            return Section { table: None, part, path, place: self.place.clone() };
        };
        Section::open(value, part, path, key.span(), report)
    }

    /// All tables below this one, by name, where the names are free.
    pub(crate) fn named_tables(
        &self,
        part: Part,
        report: &mut Report<'_>,
    ) -> Vec<(&'a Spanned<DeString<'a>>, Section<'a>)> {
        let entries = self.table.into_iter().flat_map(DeTable::iter);
        let mut sections = Vec::new();
        for (key, value) in entries {
            let path = self.path_of(key.get_ref());
            sections.push((key, Section::open(value, part, path, key.span(), report)));
        }
        sections
    }

    /// Every `[[name]]` below this one.
    pub(crate) fn tables(&self, name: &str, part: Part, report: &mut Report<'_>) -> Vec<Section<'a>> {
        let Some((key, value)) = self.find(name) else {
            return Vec::new();
        };
        let path = self.path_of(name);
        let Some(elements) = value.get_ref().as_array() else {
            refuse_table(&path, part, key.span(), value, report);
            return Vec::new();
        };
        let numbered = (1_usize..).zip(elements.iter());
        numbered
            .map(|(number, element)| {
                Section::open(element, part, format!("{path}[{number}]"), element.span(), report)
            })
            .collect()
    }

    fn open(
        value: &'a Spanned<DeValue<'a>>,
        part: Part,
        path: String,
        place: Range<usize>,
        report: &mut Report<'_>,
    ) -> Section<'a> {
        let table = value.get_ref().as_table();
        let section = Section { table, part, path, place };
        if table.is_none() {
            refuse_table(&section.path, part, section.place.clone(), value, report);
        }
        section.refuse_unknown(report);
        section
    }

    /// Reads one key, if it is there.
    pub(crate) fn field<T>(
        &self,
        key: &'static Key,
        report: &mut Report<'_>,
        read: impl FnOnce(&Entry<'a>, &mut Report<'_>) -> Option<T>,
    ) -> Field<T> {
        let Some((name, value)) = self.find(key.name) else {
            if key.absent == Absent::Refused && self.table.is_some() {
                self.report_missing(key, report);
            }
            return Field::Absent;
        };
        let entry = Entry { key, path: self.path_of(key.name), key_place: name.span(), value };
        read(&entry, report).map_or(Field::Refused, Field::Read)
    }

    /// Reads a key that must be there.
    pub(crate) fn required<T>(
        &self,
        key: &'static Key,
        report: &mut Report<'_>,
        read: impl FnOnce(&Entry<'a>, &mut Report<'_>) -> Option<T>,
    ) -> Option<T> {
        self.field(key, report, read).optional().flatten()
    }

    /// The name of one of many tables, which no other of them has; `all` is what they are called together.
    pub(crate) fn own_name(
        &self,
        key: &'static Key,
        all: &str,
        names: &mut HashSet<String>,
        report: &mut Report<'_>,
        parse: impl Fn(&str) -> Result<String, Wrong>,
    ) -> Option<String> {
        let name = self.required(key, report, |entry, report| text(entry, report, parse))?;
        if !names.insert(name.clone()) {
            let message = format!("there are two {all} {}", quoted(&name));
            report.error(Remark { allowed: Some(key.allowed.to_owned()), ..self.remark(key, message, None) });
        }
        Some(name)
    }

    /// Whether a key is written.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.find(key.name).is_some()
    }

    /// Whether a table of this name stands below this one.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Where a key stands, or its table where it does not.
    pub(crate) fn place_of(&self, key: &Key) -> Place {
        Place::Key(self.find(key.name).map_or_else(|| self.place.clone(), |(name, _)| name.span()))
    }

    /// What is wrong with a key, or with its absence.
    pub(crate) fn remark(&self, key: &Key, message: impl Into<String>, help: Option<&str>) -> Remark {
        Remark {
            place: self.place_of(key),
            key: self.path_of(key.name),
            message: message.into(),
            allowed: None,
            help: help.map(str::to_owned),
        }
    }

    /// The table with those that it stands in.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The key with its tables.
    pub(crate) fn path_of(&self, name: &str) -> String {
        let name = written(name);
        if self.path.is_empty() { name } else { format!("{}.{name}", self.path) }
    }

    fn find(&self, name: &str) -> Option<(&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>)> {
        self.table.and_then(|table| table.get_key_value(name))
    }

    fn report_missing(&self, key: &Key, report: &mut Report<'_>) {
        let remark = Remark {
            place: Place::Key(self.place.clone()),
            key: self.path_of(key.name),
            message: format!("`{}` is missing", self.path_of(key.name)),
            allowed: None,
            help: Some(format!("add a line `{} = …` with {}", key.name, key.allowed)),
        };
        report.missing_key(key.name, remark);
    }

    fn refuse_unknown(&self, report: &mut Report<'_>) {
        if self.part == Part::PamServices {
            return;
        }
        let known: Vec<&str> =
            self.part.keys().map(|key| key.name).chain(self.part.tables().iter().copied()).collect();
        for (key, _) in self.table.into_iter().flat_map(DeTable::iter) {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                report.unknown_key(self.unknown(key, &known));
            }
        }
    }

    fn unknown(&self, key: &Spanned<DeString<'_>>, known: &[&str]) -> Remark {
        let name = key.get_ref();
        let help = match near(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        Remark {
            place: Place::Key(key.span()),
            key: self.path_of(name),
            message: format!("unknown key {}", quoted(name)),
            allowed: None,
            help: Some(help),
        }
    }
}

/// A key as it would be written: in quotes, escaped and cut, where it is not a bare one that fits a message.
fn written(name: &str) -> String {
    let is_plain = is_bare_key(name) && name.len() <= limits::SHOWN_VALUE_CHARACTERS_MAX;
    if is_plain { name.to_owned() } else { quoted(name) }
}

fn refuse_table(
    path: &str,
    part: Part,
    place: Range<usize>,
    found: &Spanned<DeValue<'_>>,
    report: &mut Report<'_>,
) {
    report.error(Remark {
        place: Place::Key(place),
        key: path.to_owned(),
        message: format!("`{path}` cannot be {}", described(found.get_ref())),
        allowed: Some(format!("a table, written {}", part.header())),
        help: None,
    });
}
