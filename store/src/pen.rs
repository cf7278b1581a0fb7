//! Writing, for whoever has the turn: how durable, how long the log may get, and where the space comes from.

use common::bundle::Durability;
use rusqlite::Connection;

use crate::SqliteError;
use crate::change::Change;
use crate::connection::{Emptied, LogLength, checkpoint, set_durability};
use crate::files::StoreFiles;
use crate::key_check::{self, KeyCheck};
use crate::limits::{
    CHECKPOINT_WAIT, LOG_OCTETS_MAX, LOG_OCTETS_SHORT, READERS_WAIT, RESERVE_OCTETS, RESERVE_SLICE,
    RESERVE_TAKEN,
};
use crate::mark::{Mark, Progress};
use crate::reserve::{Held, Reserve};
use crate::spent;

/// Whether something is worth the space that is kept for a full disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worth {
    /// It can be told to syslog alone.
    FreeSpace,
    /// Nobody could sign in without it.
    Reserve,
}

/// What something that is written needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) durability: Durability,
    pub(crate) worth: Worth,
}

impl Needs {
    /// What an accept needs.
    pub(crate) const ALL: Self = Self { durability: Durability::PowerCut, worth: Worth::Reserve };

    /// What both need together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { durability: self.durability.max(other.durability), worth: self.worth.max(other.worth) }
    }
}

/// Where the space of a write comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// The disk has enough.
    Disk,
    /// The reserve: only what is worth it may be written.
    Reserve,
}

/// The right to write to an open store.
pub(crate) struct Pen<'opened> {
    pub(crate) connection: &'opened mut Connection,
    pub(crate) files: &'opened StoreFiles,
    pub(crate) mark: &'opened Mark,
    pub(crate) reserve: &'opened Reserve,
    pub(crate) log: &'opened LogLength,
    pub(crate) habits: &'opened mut Habits,
    pub(crate) keys_missing: &'opened mut Vec<KeyCheck>,
}

/// What a connection remembers from one turn to the next.
#[derive(Default)]
pub(crate) struct Habits {
    /// What its commits survive now.
    durability: Durability,
    /// Readers were in the way of the last checkpoint: try again when the log is longer than this.
    patience_octets: u64,
}

impl Pen<'_> {
    /// Writes in one transaction. `None`: the disk is full, and this is not worth the reserve.
    pub(crate) fn write<T>(
        &mut self,
        needs: Needs,
        write: impl Fn(&mut Change<'_>, Space) -> Result<(T, Option<Progress>), SqliteError>,
    ) -> Result<Option<T>, SqliteError> {
        self.limit_log()?;
        self.survive(needs.durability)?;
        if self.reserve.take_back(RESERVE_TAKEN) != Held::Short {
            match self.write_once(needs, |change| write(change, Space::Disk)) {
                Err(error) if self.reserve.explains(&error) => {}
                done => return done.map(Some),
            }
        }
        match needs.worth {
            Worth::FreeSpace => Ok(None),
            Worth::Reserve => {
                let written = self.write_on_reserve(needs, |change| write(change, Space::Reserve));
                self.reserve.take_back(RESERVE_OCTETS);
                written.map(Some)
            }
        }
    }

    /// Empties the log once it is longer than `log_octets_max`. On a full disk its file is kept as short as it can be,
    /// and the database grows into the reserve.
    pub(crate) fn shorten_log(&mut self, log_octets_max: u64) -> Result<(), SqliteError> {
        let file_octets = self.files.log_octets();
        let is_short = file_octets > LOG_OCTETS_SHORT && self.reserve.octets() < RESERVE_OCTETS;
        let (octets, longest, how) = match is_short {
            true => (file_octets, LOG_OCTETS_SHORT, Emptied::Truncated),
            false => (self.log.octets(), log_octets_max, Emptied::InPlace),
        };
        if octets <= longest.max(self.habits.patience_octets) {
            return Ok(());
        }
        if is_short {
            self.reserve.give_up(octets);
        }
        let is_emptied = checkpoint(self.connection, how, CHECKPOINT_WAIT)?;
        self.reserve.take_back(if is_short { RESERVE_OCTETS } else { 0 });
        self.habits.patience_octets = if is_emptied { 0 } else { octets.saturating_add(longest / 4) };
        if is_emptied && how == Emptied::InPlace {
            self.begin_log()?;
        }
        Ok(())
    }

    /// Writes over the beginning of an emptied log: until then whoever opens the store next would read it all again.
    fn begin_log(&mut self) -> Result<(), SqliteError> {
        let change = Change::begin(self.connection)?;
        spent::rewrite_floor(&change)?;
        change.commit()
    }

    /// Past its limit the log is not added to before readers have let it be emptied.
    fn limit_log(&mut self) -> Result<(), SqliteError> {
        if self.files.log_octets() <= LOG_OCTETS_MAX {
            return Ok(());
        }
        checkpoint(self.connection, Emptied::Truncated, READERS_WAIT)?;
        let octets = self.files.log_octets();
        if octets <= LOG_OCTETS_MAX {
            return Ok(());
        }
        Err(SqliteError::Readers { path: self.files.path_beside("-wal"), octets })
    }

    /// Between transactions only: inside of one SQLite refuses.
    fn survive(&mut self, durability: Durability) -> Result<(), SqliteError> {
        if self.habits.durability != durability {
            set_durability(self.connection, durability)?;
            self.habits.durability = durability;
        }
        Ok(())
    }

    fn write_on_reserve<T>(
        &mut self,
        needs: Needs,
        write: impl Fn(&mut Change<'_>) -> Result<(T, Option<Progress>), SqliteError>,
    ) -> Result<T, SqliteError> {
        let mut slice = RESERVE_SLICE;
        loop {
            let given = self.reserve.give_up(slice);
            match self.write_once(needs, &write) {
                Err(error) if self.reserve.explains(&error) && given == 0 => {
                    return Err(SqliteError::Full(self.files.database.clone()));
                }
                Err(error) if self.reserve.explains(&error) => slice = slice.saturating_mul(2),
                done => return done,
            }
        }
    }

    fn write_once<T>(
        &mut self,
        needs: Needs,
        write: impl Fn(&mut Change<'_>) -> Result<(T, Option<Progress>), SqliteError>,
    ) -> Result<T, SqliteError> {
        let mut change = Change::begin(self.connection)?;
        key_check::remember(&change, self.keys_missing)?;
        let (written, progress) = write(&mut change)?;
        change.commit()?;
        self.keys_missing.clear();
        // Only what survives a power cut moves the mark: it must never be ahead of a database that nobody put back.
        if let (Some(progress), Durability::PowerCut) = (progress, needs.durability) {
            self.mark.write(progress);
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use common::bundle::Durability;

    use super::{Needs, Worth};
    use crate::Process;
    use crate::deadline::Deadline;
    use crate::files::StoreFiles;
    use crate::opened::Opened;
    use crate::tests::support::Yard;

    /// SQLite's own word for it: 1 syncs at checkpoints only, 2 at each commit.
    fn synchronous(opened: &mut Opened) -> u8 {
        opened.parts().0.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn only_what_must_survive_a_power_cut_is_synced() {
        let yard = Yard::new(Process::ShortLived);
        let files = StoreFiles::locate(&yard.path, None).unwrap();
        let (mut opened, _) = Opened::open(&files, &Deadline::of_writer()).unwrap();
        let small = Needs { durability: Durability::Process, worth: Worth::FreeSpace };
        for (needs, expected) in
            [(Needs::ALL, 2), (small, 1), (small, 1), (Needs::ALL, 2), (small.and(Needs::ALL), 2)]
        {
            let deadline = Deadline::of_writer();
            let written =
                opened.in_turn(&files, u64::MAX, &deadline, |pen| pen.write(needs, |_, _| Ok(((), None))));
            assert_eq!(written.unwrap(), Some(()));
            assert_eq!(synchronous(&mut opened), expected);
        }
    }
}
