//! Whether the key file is the one that this store was written with. Without this, a key file of another machine
//! would make every code a wrong one.

use std::collections::BTreeMap;

use common::keys::KeyId;
use rusqlite::{Connection, params};

use crate::SqliteError;

/// What a master key makes of a fixed text. It tells keys apart and says nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCheck {
    /// Which key.
    pub key: KeyId,
    /// `KeyRing::mac` with this key.
    pub mac: [u8; 32],
}

/// Those of `ours` that the store does not know yet. If it knows other values for them, or none of them, the key file
/// is a wrong one. A store that knows no key at all is older than this check.
pub(crate) fn missing(connection: &Connection, ours: &[KeyCheck]) -> Result<Vec<KeyCheck>, SqliteError> {
    let known = known(connection)?;
    let is_known = |check: &&KeyCheck| known.get(&check.key) == Some(&check.mac);
    let wrong = ours.iter().find(|check| known.contains_key(&check.key) && !is_known(check));
    let none = ours.first().filter(|_| !known.is_empty() && !ours.iter().any(|check| is_known(&check)));
    match wrong.or(none) {
        Some(check) => Err(SqliteError::WrongKey { key: check.key.0 }),
        None => Ok(ours.iter().filter(|check| !is_known(check)).copied().collect()),
    }
}

/// Remembers keys, in the transaction of the first write with them.
pub(crate) fn remember(connection: &Connection, checks: &[KeyCheck]) -> Result<(), SqliteError> {
    for check in checks {
        connection
            .prepare_cached("INSERT INTO key_checks (key, mac) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![check.key.0, check.mac])?;
    }
    Ok(())
}

fn known(connection: &Connection) -> Result<BTreeMap<KeyId, [u8; 32]>, SqliteError> {
    let mut statement = connection.prepare_cached("SELECT key, mac FROM key_checks")?;
    let rows = statement.query_map([], |row| Ok((KeyId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use common::keys::KeyId;
    use rusqlite::Connection;

    use super::{KeyCheck, missing, remember};
    use crate::SqliteError;

    const fn check(key: u32, octet: u8) -> KeyCheck {
        KeyCheck { key: KeyId(key), mac: [octet; 32] }
    }

    fn store_that_knows(checks: &[KeyCheck]) -> Connection {
        let mut store = Connection::open_in_memory().unwrap();
        crate::schema::create(&mut store).unwrap();
        remember(&store, checks).unwrap();
        store
    }

    #[test]
    fn a_store_without_any_takes_what_comes_and_nothing_else_afterwards() {
        let store = store_that_knows(&[]);
        assert_eq!(missing(&store, &[check(1, 1)]).unwrap(), [check(1, 1)]);
        remember(&store, &[check(1, 1)]).unwrap();
        assert!(missing(&store, &[check(1, 1)]).unwrap().is_empty());
        for other in [check(1, 2), check(2, 1)] {
            assert!(matches!(missing(&store, &[other]), Err(SqliteError::WrongKey { .. })));
        }
    }

    #[test]
    fn a_new_key_beside_a_known_one_is_a_rotation() {
        let store = store_that_knows(&[check(1, 1)]);
        assert_eq!(missing(&store, &[check(2, 2), check(1, 1)]).unwrap(), [check(2, 2)]);
        remember(&store, &[check(2, 2)]).unwrap();
        assert!(missing(&store, &[check(2, 2)]).unwrap().is_empty());
        assert!(missing(&store, &[check(2, 2), check(1, 3)]).is_err());
    }
}
