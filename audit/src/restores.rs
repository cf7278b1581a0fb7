//! Restores of the store that the records tell of: which records went with the store that was replaced.
//!
//! A restore explains anchors that were sent before it and lie beyond what the backup had; it excuses nobody. Whoever
//! can write a record can write that of a restore, so it counts as known only where an auditor names it, with its MAC.

use std::fmt;

use common::chain::ChainMac;
use common::record::Record;
use serde::{Serialize, Serializer};

use crate::fields::moment;
use crate::report::Gap;

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

/// A restore, read from a record that is sound.
pub(crate) struct Restore {
    name: RestoreName,
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
        // They stand at the end: what comes before may have any form.
        let words = act.after.as_deref().unwrap_or_default().rsplit(' ');
        Some(Self {
            name: RestoreName::of(stream, sequence, mac),
            time: moment(record.at),
            uid: act.actor.login_uid.unwrap_or(act.actor.uid),
            cut_off: words.map_while(CutOff::read).collect(),
            line: None,
        })
    }

    /// What it says of a stream.
    fn of(&self, stream: &str) -> Option<&CutOff> {
        let named = |name: &str| self.cut_off.iter().find(|cut_off| cut_off.stream == name);
        named(stream).or_else(|| named(OTHERS))
    }

    /// Whether it explains that a place of a stream, which an anchor saw before the restore, is another one or none now.
    fn explains(&self, stream: &str, sequence: u64, line: u64) -> bool {
        let is_within = |cut_off: &CutOff| {
            sequence > cut_off.kept && cut_off.before.is_none_or(|before| sequence <= before)
        };
        self.line.is_some_and(|seen| line < seen) && self.of(stream).is_some_and(is_within)
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
}

/// Parts the anchors (sequence, line) that do not agree with a stream into those that a restore explains and the others.
pub(crate) fn explained(
    restores: &[Restore],
    stream: &str,
    disagreeing: Vec<(u64, u64)>,
) -> (Vec<Gap>, Vec<(u64, u64)>) {
    let mut furthest = vec![0; restores.len()];
    let mut unexplained = Vec::new();
    for (sequence, line) in disagreeing {
        let mut pairs = restores.iter().zip(furthest.iter_mut());
        match pairs.find(|(restore, _)| restore.explains(stream, sequence, line)) {
            Some((_, furthest)) => *furthest = sequence.max(*furthest),
            None => unexplained.push((sequence, line)),
        }
    }
    let gaps = restores.iter().zip(furthest).filter(|(_, last)| *last > 0);
    (gaps.map(|(restore, last)| restore.gap(stream, last)).collect(), unexplained)
}
