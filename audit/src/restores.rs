//! Restores of the store that the records tell of: which records went with the store that was replaced.
//!
//! A restore explains anchors that were sent before it and lie beyond what the backup had; it excuses nobody. Whoever
//! can write a record can write that of a restore, so it counts as known only where an auditor names it, with its MAC. A
//! restore whose own record another one cut off is known from its line only, and must be named too.

use std::collections::BTreeMap;
use std::fmt;

use common::chain::ChainMac;
use common::record::Record;
use serde::{Serialize, Serializer};

use crate::escape::{is_visible, visible};
use crate::fields::moment;
use crate::report::{Finding, Flaw, Gap, LostRestore};

/// The act under which a restore is recorded.
pub const RESTORE: &str = "store restore";
/// All streams that the backup did not know.
const OTHERS: &str = "*";
/// Digits of a MAC that name a restore beside its place.
const MAC_DIGITS: usize = 16;

/// What a restore did to one stream; in the record of the act as `main=10/15`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOff {
    /// The stream; [`CutOff::others`] stands for more.
    pub stream: String,
    /// Its last record in the backup.
    pub kept: u64,
    /// Its last record before the restore; `None` where the store could not be read.
    pub before: Option<u64>,
}

impl CutOff {
    /// All streams that the backup did not know, after a store that could not be read.
    #[must_use]
    pub fn others() -> Self {
        Self { stream: OTHERS.to_owned(), kept: 0, before: None }
    }

    fn read(word: &str) -> Option<Self> {
        let (stream, numbers) = word.split_once('=')?;
        let (kept, before) = numbers.split_once('/')?;
        let before = if before == "?" { None } else { Some(before.parse().ok()?) };
        Some(Self { stream: stream.to_owned(), kept: kept.parse().ok()?, before })
    }
}

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.before.map_or_else(|| "?".to_owned(), |before| before.to_string());
        write!(f, "{}={}/{before}", self.stream, self.kept)
    }
}

/// The record of a restore as auditors name it: `main:11:` and the beginning of its MAC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreName(String);

impl RestoreName {
    /// As it was printed.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.trim().to_owned())
    }

    fn of(stream: &str, sequence: u64, mac: &ChainMac) -> Self {
        let mac: String = mac.to_string().chars().take(MAC_DIGITS).collect();
        Self(format!("{stream}:{sequence}:{mac}"))
    }
}

impl fmt::Display for RestoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RestoreName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A restore, read from a record that is sound, or from a line of syslog whose record is not in the chain any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Restore {
    name: RestoreName,
    /// The place of its record.
    pub(crate) sequence: u64,
    time: String,
    uid: u32,
    cut_off: Vec<CutOff>,
    /// The first line of the anchors that saw it or what came after it.
    pub(crate) line: Option<u64>,
}

impl Restore {
    /// Reads a record, if it is that of a restore.
    pub(crate) fn read(stream: &str, sequence: u64, mac: &ChainMac, body: &[u8]) -> Option<Self> {
        // Parsing each record of millions would take longer than checking it.
        let names_it = body.windows(RESTORE.len()).any(|octets| octets == RESTORE.as_bytes());
        let record: Record = if names_it { serde_json::from_slice(body).ok()? } else { return None };
        let act = record.act.filter(|act| act.act == RESTORE)?;
        Some(Self {
            name: RestoreName::of(&visible(stream), sequence, mac),
            sequence,
            time: moment(record.at),
            uid: act.actor.login_uid.or(act.actor.uid)?,
            cut_off: words_of(act.after.as_deref().unwrap_or_default()),
            line: None,
        })
    }

    /// Reads the fields of a line, if it is that of a restore. Anybody can forge one that looks like a record in the chain
    /// at its beginning, so its name has the whole MAC.
    pub(crate) fn told(
        stream: &str,
        sequence: u64,
        mac: &ChainMac,
        fields: &BTreeMap<&str, String>,
        line: u64,
    ) -> Option<Self> {
        let field = |name| fields.get(name).filter(|text| is_visible(text)).map(String::as_str);
        field("act").filter(|act| *act == RESTORE)?;
        let uid = field("login-uid").or_else(|| field("uid")).and_then(|uid| uid.parse().ok());
        Some(Self {
            name: RestoreName(format!("{stream}:{sequence}:{mac}")),
            sequence,
            time: field("time").unwrap_or("?").to_owned(),
            uid: uid.unwrap_or(u32::MAX),
            cut_off: words_of(field("after").unwrap_or_default()),
            line: Some(line),
        })
    }

    /// The same, where a line before its own had its place.
    pub(crate) fn seen_at(self, line: u64) -> Self {
        Self { line: Some(line), ..self }
    }

    /// What it says of a stream.
    fn of(&self, stream: &str) -> Option<&CutOff> {
        let named = |name: &str| self.cut_off.iter().find(|cut_off| cut_off.stream == name);
        named(stream).or_else(|| named(OTHERS))
    }

    /// What it says of a stream, if it is to answer for a place that a line before it saw.
    fn answers_for(&self, stream: &str, sequence: u64, line: u64) -> Option<&CutOff> {
        let is_later = self.line.is_some_and(|seen| line < seen);
        self.of(stream).filter(|cut_off| is_later && sequence > cut_off.kept)
    }

    fn gap(&self, stream: &str, last_sequence: u64) -> Gap {
        let kept = self.of(stream).map_or(0, |cut_off| cut_off.kept);
        Gap {
            sequence: kept.saturating_add(1),
            last_sequence,
            restore: self.name.clone(),
            time: self.time.clone(),
            uid: self.uid,
            known: false,
        }
    }

    /// As one whose own record is not in the chain.
    pub(crate) fn lost(&self) -> LostRestore {
        LostRestore {
            sequence: self.sequence,
            line: self.line.unwrap_or_default(),
            restore: self.name.clone(),
            time: self.time.clone(),
            uid: self.uid,
            known: false,
        }
    }
}

/// They stand at the end: what comes before may have any form.
fn words_of(after: &str) -> Vec<CutOff> {
    after.rsplit(' ').map_while(CutOff::read).collect()
}

/// What restores make of the anchors that do not agree with a stream.
#[derive(Default)]
pub(crate) struct Explained {
    /// What they explain.
    pub(crate) gaps: Vec<Gap>,
    /// Places that had two records before one restore: another cut came before it.
    pub(crate) twice: Vec<Finding>,
    /// Place and line of those that none explains, by place.
    pub(crate) unexplained: Vec<(u64, u64)>,
}

/// Asks for each place (with its line, by place) that does not agree the first restore after it which says that it did not
/// keep the place. A later restore is not asked: it has replaced what was there by then.
pub(crate) fn explained(
    restores: &[Restore],
    stream: &str,
    disagreeing: impl Iterator<Item = (u64, u64)>,
) -> Explained {
    let mut in_order: Vec<_> = restores.iter().map(|restore| (restore, None)).collect();
    in_order.sort_by_key(|(restore, _)| restore.line);
    let mut explained = Explained::default();
    for (sequence, line) in disagreeing {
        let answer = in_order.iter_mut().find_map(|(restore, last)| {
            restore.answers_for(stream, sequence, line).map(|cut_off| (cut_off, last))
        });
        let is_within = |cut_off: &CutOff| cut_off.before.is_none_or(|before| sequence <= before);
        let Some((_, last)) = answer.filter(|(cut_off, _)| is_within(cut_off)) else {
            explained.unexplained.push((sequence, line));
            continue;
        };
        if let Some((_, other_line)) = last.filter(|(place, _)| *place == sequence) {
            explained.twice.push(Finding {
                sequence,
                flaw: Flaw::Twice { line: line.min(other_line), other_line: line.max(other_line) },
            });
        }
        *last = Some((sequence, line));
    }
    explained.twice.truncate(1);
    let gaps = in_order.iter().filter_map(|(restore, last)| last.map(|(last, _)| restore.gap(stream, last)));
    explained.gaps = gaps.collect();
    explained
}
