//! A transaction that writes, and the parts of it that can be undone. Unlike those of `rusqlite`, their words are read by
//! SQLite once for each connection: a server would pay for them several times a login.

use std::ops::Deref;

use rusqlite::Connection;

use crate::SqliteError;
use crate::writing::Stop;

/// A transaction that writes. It is undone unless it is committed.
pub(crate) struct Change<'connection> {
    connection: &'connection Connection,
    is_open: bool,
}

impl<'connection> Change<'connection> {
    /// Begins to write, at once: no reader becomes a writer half-way. The exclusive borrow is what keeps it the only one.
    pub(crate) fn begin(connection: &'connection mut Connection) -> Result<Self, SqliteError> {
        say(connection, "BEGIN IMMEDIATE")?;
        Ok(Self { connection, is_open: true })
    }

    /// Writes a part: wholly, or nothing of it where it comes upon a conflict (`None`). A part that fails takes the whole
    /// change with it, which can then not be committed any more.
    pub(crate) fn part<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> Result<T, Stop>,
    ) -> Result<Option<T>, SqliteError> {
        let part = self.try_part(write);
        if part.is_err() {
            self.undo();
        }
        part
    }

    fn try_part<T>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, Stop>,
    ) -> Result<Option<T>, SqliteError> {
        say(self.connection, "SAVEPOINT part")?;
        let written = match write(self.connection) {
            Ok(written) => Some(written),
            Err(Stop::Conflict) => {
                say(self.connection, "ROLLBACK TO part")?;
                None
            }
            Err(Stop::Failed(error)) => return Err(error),
        };
        say(self.connection, "RELEASE part")?;
        Ok(written)
    }

    /// Writes all of it.
    pub(crate) fn commit(mut self) -> Result<(), SqliteError> {
        say(self.connection, "COMMIT")?;
        self.is_open = false;
        Ok(())
    }

    /// SQLite may have undone it already, as it does on a full disk. What fails here fails again at the next begin.
    fn undo(&mut self) {
        if self.is_open && !self.connection.is_autocommit() {
            let _ = say(self.connection, "ROLLBACK");
        }
        self.is_open = false;
    }
}

impl Deref for Change<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.undo();
    }
}

fn say(connection: &Connection, words: &str) -> Result<(), SqliteError> {
    connection.prepare_cached(words)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::Change;
    use crate::SqliteError;
    use crate::writing::Stop;

    fn numbers() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute("CREATE TABLE numbers (number INTEGER)", []).unwrap();
        connection
    }

    fn count(connection: &Connection) -> u32 {
        connection.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0)).unwrap()
    }

    fn insert(connection: &Connection) {
        connection.execute("INSERT INTO numbers VALUES (1)", []).unwrap();
    }

    #[test]
    fn what_is_not_committed_or_in_conflict_is_undone() {
        let mut connection = numbers();
        for _ in 0..2 {
            let change = Change::begin(&mut connection).unwrap();
            insert(&change);
        }
        assert_eq!(count(&connection), 0, "dropped");
        let mut change = Change::begin(&mut connection).unwrap();
        let conflict = |part: &Connection| {
            insert(part);
            Err::<(), _>(Stop::Conflict)
        };
        assert_eq!(change.part(conflict).unwrap(), None);
        let written = change.part(|part| {
            insert(part);
            Ok(())
        });
        assert_eq!(written.unwrap(), Some(()));
        insert(&change);
        change.commit().unwrap();
        assert_eq!(count(&connection), 2);
    }

    #[test]
    fn a_part_that_failed_or_broke_off_is_not_committed_with_the_rest() {
        let mut connection = numbers();
        let mut change = Change::begin(&mut connection).unwrap();
        insert(&change);
        let failed = change.part(|part| {
            insert(part);
            Err::<(), _>(Stop::Failed(SqliteError::Busy))
        });
        assert!(matches!(failed, Err(SqliteError::Busy)));
        assert!(change.commit().is_err(), "half a part was committed");
        let broken_off = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut change = Change::begin(&mut connection).unwrap();
            let _ = change.part(|part| -> Result<(), Stop> {
                insert(part);
                panic!("a bug")
            });
        }));
        assert!(broken_off.is_err());
        assert_eq!((count(&connection), connection.is_autocommit()), (0, true));
    }
}
