//! What the verifier found, for programs (JSON) and for people (plain words).

use std::fmt;

use serde::Serialize;

use crate::escape::visible;
use crate::restores::RestoreName;

/// What was found in all streams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// What the chains were compared with.
    pub anchors: AnchorsRead,
    /// Each stream, by name.
    pub streams: Vec<StreamReport>,
}

/// What the chains were compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorsRead {
    /// Nothing from outside: a tail that was cut off with its head cannot be seen.
    NotGiven,
    /// Lines that left the machine.
    #[serde(rename_all = "kebab-case")]
    Read {
        /// Lines read.
        lines: u64,
        /// Anchors among them.
        anchors: u64,
        /// Those that agree with no record and came after more of them than are kept. Where there are any, nothing is sound.
        ignored: u64,
    },
}

/// What was found in one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StreamReport {
    /// The stream.
    pub stream: String,
    /// Records that are as they were written, from the first one on.
    pub sound_records: u64,
    /// The keys that they are chained under, oldest first.
    pub keys: Vec<KeySpan>,
    /// How far the end is proven.
    pub tail: Tail,
    /// What is wrong; empty where nothing is.
    pub findings: Vec<Finding>,
    /// What anchors have seen and a restore cut off.
    pub restores: Vec<Gap>,
    /// Restores that lines tell of and whose own records are not in the chain.
    pub lost_restores: Vec<LostRestore>,
}

/// A restore whose own record is gone: a later one cut it off, or somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LostRestore {
    /// The place that its record had.
    pub sequence: u64,
    /// The line that tells of it.
    pub line: u64,
    /// Its name, with the whole MAC.
    pub restore: RestoreName,
    /// When that was, as the line says (RFC 3339).
    pub time: String,
    /// By whom, as the line says.
    pub uid: u32,
    /// Whether the auditor knows of it.
    pub known: bool,
}

/// Records that went with a store that a backup replaced, as far as anchors have seen them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gap {
    /// The first place that the backup did not have.
    pub sequence: u64,
    /// The last place that an anchor saw before the restore.
    pub last_sequence: u64,
    /// The record of the restore.
    pub restore: RestoreName,
    /// When that was, as the record says (RFC 3339).
    pub time: String,
    /// By whom: the login uid, or the uid where there was none.
    pub uid: u32,
    /// Whether the auditor knows of it.
    pub known: bool,
}

/// From a record on, the chain is under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeySpan {
    /// The first record under it.
    pub from_sequence: u64,
    /// The id of the master key.
    pub key: u32,
}

/// How far the end of a stream is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tail {
    /// No anchor matched: records at the end could be missing together with the head.
    Unproven,
    /// An anchor matched; only what came after it could be missing unseen.
    #[serde(rename_all = "kebab-case")]
    ProvenUpTo {
        /// The last place with a matching anchor.
        sequence: u64,
    },
}

/// One thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// The first place that it concerns.
    pub sequence: u64,
    /// What was found there.
    pub flaw: Flaw,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Flaw {
    /// The record is not what was written; the ones after it build on the original.
    Changed,
    /// Places are empty and later ones are not.
    #[serde(rename_all = "kebab-case")]
    Removed {
        /// The last empty place.
        last_sequence: u64,
    },
    /// What was written here stands elsewhere.
    #[serde(rename_all = "kebab-case")]
    Reordered {
        /// Where it stands now.
        found_at: u64,
    },
    /// No live key made this record for this place.
    NotOurs,
    /// The store's own head lies further on than the last record.
    #[serde(rename_all = "kebab-case")]
    CutOffBeforeHead {
        /// The place of the head.
        head: u64,
    },
    /// An anchor lies further on than the last record.
    #[serde(rename_all = "kebab-case")]
    CutOffBeforeAnchor {
        /// The furthest anchor.
        anchor: u64,
        /// Its line.
        line: u64,
    },
    /// The chain is whole but another one than the anchor saw.
    #[serde(rename_all = "kebab-case")]
    Rewritten {
        /// The line of the anchor.
        line: u64,
    },
    /// Two lines before one restore saw two records here: there was another cut before it.
    #[serde(rename_all = "kebab-case")]
    Twice {
        /// One line.
        line: u64,
        /// The other one.
        other_line: u64,
    },
    /// There are records and no head.
    HeadMissing,
    /// The head names another MAC than the record at its place has, or lies before the last record.
    HeadDiffers,
}

impl Report {
    /// Whether nothing wrong was found, all anchors were compared, and every restore that cut records off is known. It says
    /// nothing of a tail that is unproven.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.is_all_compared() && self.streams.iter().all(StreamReport::is_sound)
    }

    const fn is_all_compared(&self) -> bool {
        match self.anchors {
            AnchorsRead::NotGiven => true,
            AnchorsRead::Read { ignored, .. } => ignored == 0,
        }
    }

    /// Takes a restore for one that was meant. False where none that cut records off, or was cut off, has this name.
    pub fn know(&mut self, restore: &RestoreName) -> bool {
        let mut is_one = false;
        for stream in &mut self.streams {
            let gaps = stream.restores.iter_mut().map(|gap| (&gap.restore, &mut gap.known));
            let lost = stream.lost_restores.iter_mut().map(|lost| (&lost.restore, &mut lost.known));
            for (_, known) in gaps.chain(lost).filter(|(name, _)| *name == restore) {
                *known = true;
                is_one = true;
            }
        }
        is_one
    }

    /// Whether the end of every stream is proven up to an anchor.
    #[must_use]
    pub fn is_tail_proven(&self) -> bool {
        self.is_all_compared()
            && !self.streams.is_empty()
            && self.streams.iter().all(|stream| stream.tail != Tail::Unproven)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.anchors {
            AnchorsRead::NotGiven => {
                writeln!(f, "No anchors were given: records cut off at the end of a stream cannot be seen.")?;
            }
            AnchorsRead::Read { lines, anchors, ignored } => {
                writeln!(f, "Read {anchors} anchors in {lines} lines.")?;
                if ignored > 0 {
                    writeln!(
                        f,
                        "NOT SOUND: so many of them agree with no record that {ignored} could not be kept and were left out."
                    )?;
                }
            }
        }
        if self.streams.is_empty() {
            writeln!(f, "There are no records.")?;
        }
        self.streams.iter().try_for_each(|stream| stream.fmt(f))
    }
}

impl StreamReport {
    fn is_sound(&self) -> bool {
        self.findings.is_empty()
            && self.restores.iter().all(|gap| gap.known)
            && self.lost_restores.iter().all(|lost| lost.known)
    }
}

impl fmt::Display for StreamReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match (self.findings.is_empty(), self.is_sound()) {
            (true, true) => "sound",
            (true, false) => "CUT OFF BY A RESTORE",
            (false, _) => "NOT SOUND",
        };
        let name = visible(&self.stream);
        writeln!(f, "Stream {name}: {verdict}, {} records as written.", self.sound_records)?;
        if let [_, later @ ..] = self.keys.as_slice() {
            for span in later {
                writeln!(f, "  From record {} on under key {}.", span.from_sequence, span.key)?;
            }
        }
        for finding in &self.findings {
            writeln!(f, "  Record {}: {}", finding.sequence, finding.flaw)?;
        }
        self.restores.iter().try_for_each(|gap| gap.fmt(f))?;
        self.lost_restores.iter().try_for_each(|lost| lost.fmt(f))?;
        match self.tail {
            Tail::Unproven => writeln!(f, "  Its end is not proven: no anchor matched."),
            Tail::ProvenUpTo { sequence } => writeln!(f, "  Proven by an anchor up to record {sequence}."),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, last_sequence, restore, time, uid, known } = self;
        writeln!(
            f,
            "  Records {sequence} to {last_sequence} were cut off by the restore at {time} (uid {uid}, record {restore})."
        )?;
        if *known {
            return Ok(());
        }
        writeln!(
            f,
            "  If that restore was meant, look into the collector for what they said, and add --known-restore {restore}."
        )
    }
}

impl fmt::Display for LostRestore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, line, restore, time, uid, known } = self;
        writeln!(
            f,
            "  Record {sequence}: line {line} of the anchors saw a restore at {time} (uid {uid}) here that is not in the chain: \
             a later restore cut its record off, or somebody else did."
        )?;
        if *known {
            return Ok(());
        }
        writeln!(f, "  If that restore was meant too, add --known-restore {restore}.")
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("was changed after it was written."),
            Self::Removed { last_sequence } => {
                write!(f, "is missing, and so is all up to {last_sequence}: records were taken out.")
            }
            Self::Reordered { found_at } => {
                write!(f, "stands at place {found_at} now: records were put in another order.")
            }
            Self::NotOurs => f.write_str(
                "was not written here under any key of the key file: records were put in or taken out \
                 and the rest numbered anew, or an old key was deleted.",
            ),
            Self::CutOffBeforeHead { head } => {
                write!(f, "is missing, and so is all up to the head at {head}: the end was cut off.")
            }
            Self::CutOffBeforeAnchor { anchor, line } => {
                write!(
                    f,
                    "is missing, though line {line} of the anchors saw record {anchor}: the end was cut off."
                )
            }
            Self::Rewritten { line } => {
                write!(
                    f,
                    "differs from line {line} of the anchors: the chain was written anew with its key, or the line is forged."
                )
            }
            Self::Twice { line, other_line } => {
                write!(
                    f,
                    "was another one in line {line} of the anchors than in line {other_line}, and one restore after both \
                     cannot explain it: records were cut off or written anew before that restore."
                )
            }
            Self::HeadMissing => f.write_str(
                "is the last record, and the store keeps no head of the stream: somebody removed it.",
            ),
            Self::HeadDiffers => {
                f.write_str("does not agree with the head that the store keeps of the stream.")
            }
        }
    }
}
