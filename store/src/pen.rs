//! Writing, for whoever has the turn: how durable, how long the log may get, and where the space comes from.

use common::bundle::Durability;
use rusqlite::Connection;

use crate::SqliteError;
use crate::change::Change;
use crate::connection::{Checkpoint, Emptied, LogLength, checkpoint, set_durability};
use crate::files::StoreFiles;
use crate::key_check::{self, KeyCheck};
use crate::limits::{
    CHECKPOINT_WAIT, LOG_FILE_OCTETS, LOG_OCTETS_MAX, LOG_OCTETS_SHORT, READERS_WAIT, RESERVE_OCTETS,
    RESERVE_SLICE, RESERVE_TAKEN,
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
    /// Something was in the way of the last checkpoint: try again when more of the log is in use than this.
    log_octets_borne: u64,
    /// The same on a full disk, where the file of the log is what counts.
    file_octets_borne: u64,
}

/// What is borne after a checkpoint: a quarter more than what could not be emptied.
fn borne(is_emptied: bool, octets: u64, longest: u64) -> u64 {
    if is_emptied { 0 } else { octets.saturating_add(longest / 4) }
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

    /// Empties the log once it is longer than `longest`, or its file longer than any log should be.
    pub(crate) fn shorten_log(&mut self, longest: u64) -> Result<(), SqliteError> {
        let file_octets = self.files.log_octets();
        if file_octets > LOG_OCTETS_SHORT && self.reserve.octets() < RESERVE_OCTETS {
            return self.give_log_to_the_disk(file_octets);
        }
        self.habits.file_octets_borne = 0;
        let (octets, is_file_long) = (self.log.octets(), file_octets > LOG_FILE_OCTETS);
        if (octets <= longest && !is_file_long) || octets <= self.habits.log_octets_borne {
            return Ok(());
        }
        let how = if is_file_long { Emptied::Truncated } else { Emptied::InPlace };
        let is_emptied = self.empty_log(how)?;
        self.habits.log_octets_borne = borne(is_emptied, octets, longest);
        if is_emptied && how == Emptied::InPlace {
            self.begin_log()?;
        }
        Ok(())
    }

    /// On a full disk the file of the log is kept as short as it can be, and the database grows into the reserve.
    fn give_log_to_the_disk(&mut self, file_octets: u64) -> Result<(), SqliteError> {
        self.habits.log_octets_borne = 0;
        if file_octets <= self.habits.file_octets_borne {
            return Ok(());
        }
        self.reserve.give_up(file_octets);
        let is_emptied = self.empty_log(Emptied::Truncated);
        self.reserve.take_back(RESERVE_OCTETS);
        self.habits.file_octets_borne = borne(is_emptied?, file_octets, LOG_OCTETS_SHORT);
        Ok(())
    }

    /// Says whether it did. Where the database finds no space to grow, the log is borne like one that readers hold.
    fn empty_log(&mut self, how: Emptied) -> Result<bool, SqliteError> {
        match checkpoint(self.connection, how, CHECKPOINT_WAIT) {
            Ok(Checkpoint::Emptied) => Ok(true),
            Ok(Checkpoint::Hindered { .. }) => Ok(false),
            Err(error) if self.reserve.explains(&error) => Ok(false),
            Err(error) => Err(error),
        }
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
        let mut octets = 0;
        for longest in [CHECKPOINT_WAIT, READERS_WAIT] {
            octets = match checkpoint(self.connection, Emptied::Truncated, longest)? {
                Checkpoint::Emptied => return Ok(()),
                // Readers keep a long file from being cut, of which little is in use.
                Checkpoint::Hindered { log_octets } if log_octets <= LOG_OCTETS_MAX => return Ok(()),
                Checkpoint::Hindered { log_octets } => log_octets,
            };
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
        opened.connection().query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn only_what_must_survive_a_power_cut_is_synced() {
        let yard = Yard::new(Process::ShortLived);
        let files = StoreFiles::locate(&yard.path, None).unwrap();
        let (mut opened, _) = Opened::open(&files, &Deadline::of_operation()).unwrap();
        let small = Needs { durability: Durability::Process, worth: Worth::FreeSpace };
        for (needs, expected) in
            [(Needs::ALL, 2), (small, 1), (small, 1), (Needs::ALL, 2), (small.and(Needs::ALL), 2)]
        {
            let deadline = Deadline::of_operation();
            let written =
                opened.in_turn(&files, u64::MAX, &deadline, |pen| pen.write(needs, |_, _| Ok(((), None))));
            assert_eq!(written.unwrap(), Some(()));
            assert_eq!(synchronous(&mut opened), expected);
        }
    }
}
