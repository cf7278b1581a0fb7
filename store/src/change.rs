//! A transaction that writes, and the parts of it that can be undone. Unlike those of `rusqlite`, their words are read by
//! SQLite once for each connection: a server would pay for them several times a login.

use std::ops::Deref;

use rusqlite::Connection;

use crate::SqliteError;

/// A transaction that writes. It is undone unless it is committed.
pub(crate) struct Change<'connection> {
    connection: &'connection Connection,
    is_open: bool,
}

/// A part of a change. It is undone with the change, or by itself.
pub(crate) struct Part<'change> {
    connection: &'change Connection,
}

impl<'connection> Change<'connection> {
    /// Begins to write, at once: no reader becomes a writer half-way. The exclusive borrow is what keeps it the only one.
    pub(crate) fn begin(connection: &'connection mut Connection) -> Result<Self, SqliteError> {
        say(connection, "BEGIN IMMEDIATE")?;
        Ok(Self { connection, is_open: true })
    }

    /// Begins a part.
    pub(crate) fn part(&mut self) -> Result<Part<'_>, SqliteError> {
        say(self.connection, "SAVEPOINT part")?;
        Ok(Part { connection: self.connection })
    }

    /// Writes all of it.
    pub(crate) fn commit(mut self) -> Result<(), SqliteError> {
        say(self.connection, "COMMIT")?;
        self.is_open = false;
        Ok(())
    }
}

impl Part<'_> {
    /// Leaves it to the change.
    pub(crate) fn keep(self) -> Result<(), SqliteError> {
        say(self.connection, "RELEASE part")
    }

    /// Undoes it alone.
    pub(crate) fn undo(self) -> Result<(), SqliteError> {
        say(self.connection, "ROLLBACK TO part")?;
        self.keep()
    }
}

impl Deref for Change<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Deref for Part<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        // SQLite may have undone it already, as it does on a full disk. What fails here fails again at the next begin.
        if self.is_open && !self.connection.is_autocommit() {
            let _ = say(self.connection, "ROLLBACK");
        }
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

    fn count(connection: &Connection) -> u32 {
        connection.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0)).unwrap()
    }

    fn insert(connection: &Connection) {
        connection.execute("INSERT INTO numbers VALUES (1)", []).unwrap();
    }

    #[test]
    fn what_is_not_committed_or_not_kept_is_undone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute("CREATE TABLE numbers (number INTEGER)", []).unwrap();
        for _ in 0..2 {
            let change = Change::begin(&mut connection).unwrap();
            insert(&change);
        }
        assert_eq!(count(&connection), 0, "dropped");
        let mut change = Change::begin(&mut connection).unwrap();
        let part = change.part().unwrap();
        insert(&part);
        part.undo().unwrap();
        let part = change.part().unwrap();
        insert(&part);
        part.keep().unwrap();
        insert(&change);
        change.commit().unwrap();
        assert_eq!(count(&connection), 2);
    }
}
