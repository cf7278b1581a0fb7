//! The tables, and how older ones become them.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::SqliteError;

/// `application_id` of our files: "CtSn".
const APPLICATION_ID: i32 = 0x4374_536e;

/// What takes schema 0 (an empty file) to 1, 1 to 2, and so on. Released steps never change.
pub(crate) const MIGRATIONS: &[&str] = &[FIRST, THROTTLE, KEYS, FEWER, USES, SENT, TICKETS];

const FIRST: &str = "
    CREATE TABLE meta (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        floor INTEGER NOT NULL,
        lanes INTEGER NOT NULL
    ) STRICT;
    INSERT INTO meta (only_row, floor, lanes) VALUES (1, 0, 0);

    CREATE TABLE accounts (
        id BLOB PRIMARY KEY NOT NULL,
        name TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        state TEXT NOT NULL,
        role TEXT NOT NULL,
        document TEXT NOT NULL
    ) STRICT;

    CREATE TABLE spent_totp (
        account BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        factor BLOB NOT NULL,
        step INTEGER NOT NULL,
        begins_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        PRIMARY KEY (account, factor)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX spent_totp_by_end ON spent_totp (expires_at);

    CREATE TABLE spent_recovery (
        account BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        code BLOB NOT NULL,
        PRIMARY KEY (account, code)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE successes (
        session BLOB PRIMARY KEY NOT NULL,
        digest BLOB NOT NULL,
        expires_at INTEGER NOT NULL,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX successes_by_end ON successes (expires_at);

    CREATE TABLE lanes (
        key BLOB PRIMARY KEY NOT NULL,
        failures INTEGER NOT NULL,
        last_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX lanes_by_age ON lanes (last_at);

    CREATE TABLE records (
        stream TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        body BLOB NOT NULL,
        mac BLOB NOT NULL,
        PRIMARY KEY (stream, sequence)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE heads (
        stream TEXT PRIMARY KEY NOT NULL,
        sequence INTEGER NOT NULL,
        mac BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// The cap over all sources, sources with a recent success, and refusals that are counted together.
const THROTTLE: &str = "
    DROP INDEX lanes_by_age;
    CREATE INDEX lanes_by_age ON lanes (failures >= 5, last_at);

    CREATE TABLE caps (
        account BLOB PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        hour_began INTEGER NOT NULL,
        in_hour INTEGER NOT NULL,
        in_row INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE known (
        account BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        lane BLOB NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (account, lane)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tallies (
        name BLOB PRIMARY KEY NOT NULL,
        began_at INTEGER NOT NULL,
        singly INTEGER NOT NULL,
        withheld INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tallies_due ON tallies (began_at) WHERE withheld > 0;
";

/// What the master keys make of a fixed text, to tell the key file of another machine apart.
const KEYS: &str = "
    CREATE TABLE key_checks (
        key INTEGER PRIMARY KEY,
        mac BLOB NOT NULL
    ) STRICT;
";

/// The table has a hundred rows, and each login pays for reading what an index is called.
const FEWER: &str = "DROP INDEX tallies_due;";

/// Recovery codes that were used and that no account here has in its set: an older copy of the store may bring account
/// and set back. And which line of uses a store belongs to: within one, a store knows what was used since its backups.
const USES: &str = "
    CREATE TABLE once_spent (
        account BLOB NOT NULL,
        code BLOB NOT NULL,
        PRIMARY KEY (account, code)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE meta ADD COLUMN lineage INTEGER NOT NULL DEFAULT 0;
    UPDATE meta SET lineage = random();
";

/// What was sent to whom (a document under each canonical name), what waits to be sent, and when each user was last let in.
/// And the last counters of tokens whose accounts are gone, for the reason that `once_spent` has.
const SENT: &str = "
    CREATE TABLE sent (
        name TEXT PRIMARY KEY NOT NULL,
        document TEXT NOT NULL,
        matters_until INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX sent_by_end ON sent (matters_until);

    CREATE TABLE outbox (
        message BLOB PRIMARY KEY NOT NULL,
        name TEXT NOT NULL,
        urgency INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        free_at INTEGER NOT NULL,
        sealed TEXT NOT NULL
    ) STRICT;
    CREATE INDEX outbox_by_turn ON outbox (urgency, free_at);
    CREATE INDEX outbox_by_name ON outbox (name, urgency);
    ALTER TABLE meta ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE meta ADD COLUMN messages_expired INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE meta ADD COLUMN messages_left_out INTEGER NOT NULL DEFAULT 0;

    CREATE TABLE sign_ins (
        account BLOB PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        signed_in_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE once_counted (
        account BLOB NOT NULL,
        factor BLOB NOT NULL,
        counter INTEGER NOT NULL,
        PRIMARY KEY (account, factor)
    ) STRICT, WITHOUT ROWID;
";

/// The devices that are remembered of each account, a document as those of `sent`.
const TICKETS: &str = "
    CREATE TABLE tickets (
        account BLOB PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        generation INTEGER NOT NULL,
        document TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Makes the tables in an empty file.
pub(crate) fn create(connection: &mut Connection) -> Result<(), SqliteError> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate(connection, MIGRATIONS)
}

/// How many steps the schema of a file is behind; none for what is up to date. Newer and foreign files are refused.
pub(crate) fn behind(connection: &Connection, path: &Path) -> Result<u32, SqliteError> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let found = version(connection)?;
    if application != APPLICATION_ID || found == 0 {
        return Err(SqliteError::Foreign(path.to_owned()));
    }
    let known = known(MIGRATIONS);
    known.checked_sub(found).ok_or(SqliteError::Newer { found, known })
}

/// Takes every step that is missing, in one transaction. Somebody else may have taken them meanwhile.
pub(crate) fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), SqliteError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    for step in migrations.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known(migrations).max(found))?;
    Ok(transaction.commit()?)
}

/// The schema of a file.
pub(crate) fn version(connection: &Connection) -> Result<u32, SqliteError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn known(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use common::AccountId;
    use common::account::Account;
    use common::lane::LaneKey;
    use common::message::Urgency;
    use rusqlite::Connection;

    use super::{MIGRATIONS, create, migrate, version};
    use crate::conformance::samples::{
        account, code_id, envelope, factor, new_code, phone, remembering, ticket, time,
    };
    use crate::{accounts, loading, outbox, sent, tickets};

    const LATER: &[&str] = &[
        "CREATE TABLE codes (name TEXT, digits INTEGER) STRICT; INSERT INTO codes VALUES ('alice', 6);",
        "ALTER TABLE codes ADD COLUMN period INTEGER NOT NULL DEFAULT 30;",
        "UPDATE codes SET period = period + digits;",
    ];

    fn period(connection: &Connection) -> u32 {
        connection.query_row("SELECT period FROM codes WHERE name = 'alice'", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_older_schema_is_taken_through_every_step_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &LATER[..1]).unwrap();
        migrate(&mut connection, LATER).unwrap();
        migrate(&mut connection, LATER).unwrap();
        assert_eq!((version(&connection).unwrap(), period(&connection)), (3, 36));
    }

    #[test]
    fn a_step_that_fails_leaves_the_older_schema_whole() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &LATER[..2]).unwrap();
        let broken = [LATER[0], LATER[1], LATER[2], "UPDATE nothing SET x = 1;"];
        assert!(migrate(&mut connection, &broken).is_err());
        assert_eq!((version(&connection).unwrap(), period(&connection)), (2, 30));
    }

    /// What a store of schema 5 looks like after some use.
    const OF_SCHEMA_5: &str = "
        INSERT INTO spent_totp VALUES (zeroblob(16), x'0101010101010101', 40, 1200, 1260);
        INSERT INTO spent_recovery VALUES (zeroblob(16), x'0202020202020202');
        INSERT INTO once_spent VALUES (zeroblob(16), x'0303030303030303');
        INSERT INTO known VALUES (zeroblob(16), zeroblob(16), 900);
        INSERT INTO caps VALUES (zeroblob(16), 800, 3, 4);
        INSERT INTO lanes VALUES (zeroblob(16), 2, 700);
        UPDATE meta SET lanes = 1, floor = 600;";

    #[test]
    fn a_store_of_schema_5_keeps_what_it_has_and_takes_codes_and_messages() {
        let mut store = Connection::open_in_memory().unwrap();
        migrate(&mut store, &MIGRATIONS[..5]).unwrap();
        let alice = Account { id: AccountId::from_bytes([0; 16]), ..account(1, "alice") };
        let document = serde_json::to_string(&alice).unwrap();
        store
            .execute(
                "INSERT INTO accounts VALUES (zeroblob(16), 'alice', 1, 'enabled', 'user', ?1)",
                [document],
            )
            .unwrap();
        store.execute_batch(OF_SCHEMA_5).unwrap();
        migrate(&mut store, MIGRATIONS).unwrap();
        let lane = LaneKey::from_bytes([0; 16]);
        let load = || loading::load(&store, &alice.name, &lane, None).unwrap();
        let before = load();
        assert_eq!((before.account.as_ref(), before.floor), (Some(&alice), time(600)));
        assert_eq!((before.spent_steps, before.spent_codes), (vec![(factor(1), 40)], vec![code_id(2)]));
        assert_eq!((before.lane.failures, before.cap.in_row, before.known_at), (2, 4, Some(time(900))));
        assert_eq!((before.signed_in_at, before.sent.codes.len()), (None, 0));
        sent::send(&store, &new_code("alice", phone(1), 1, 1000)).ok().unwrap();
        outbox::put(&store, &[envelope(1, "alice", Urgency::Code, 1300)], time(1000)).ok().unwrap();
        accounts::signed_in(&store, alice.id, time(1000)).unwrap();
        let after = load();
        assert_eq!((after.signed_in_at, after.sent.codes.len()), (Some(time(1000)), 1));
        assert_eq!(outbox::figures(&store).unwrap().waiting, 1);
    }

    /// All that a store holds: each table with its rows, as SQLite writes them.
    fn content(store: &Connection) -> BTreeMap<String, Vec<String>> {
        let texts = |statement: &str| -> Vec<String> {
            let mut statement = store.prepare(statement).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let rows = |table: &String| {
            let columns = texts(&format!("SELECT name FROM pragma_table_info('{table}')"));
            let quoted: Vec<_> = columns.iter().map(|column| format!("quote({column})")).collect();
            texts(&format!("SELECT concat_ws(', ', {}) FROM {table} ORDER BY 1", quoted.join(", ")))
        };
        let tables = texts("SELECT name FROM sqlite_schema WHERE type = 'table'");
        tables.into_iter().map(|table| (table.clone(), rows(&table))).collect()
    }

    /// What a store of schema 6 has more than one of schema 5.
    const OF_SCHEMA_6: &str = "
        INSERT INTO sent VALUES ('alice', '{}', 500);
        INSERT INTO outbox VALUES (zeroblob(16), 'alice', 1, 900, 800, '1.c2VhbGVk');
        INSERT INTO sign_ins VALUES (zeroblob(16), 700);
        INSERT INTO once_counted VALUES (zeroblob(16), x'0404040404040404', 9);
        INSERT INTO successes VALUES (zeroblob(16), zeroblob(32), 900, 800);
        INSERT INTO records VALUES ('main', 1, x'7b7d', zeroblob(32));
        INSERT INTO heads VALUES ('main', 1, zeroblob(32));
        INSERT INTO tallies VALUES (zeroblob(16), 800, 1, 2, 801, x'7b7d');
        INSERT INTO key_checks VALUES (1, zeroblob(32));
        UPDATE meta SET messages = 1;";

    #[test]
    fn a_store_of_schema_6_keeps_all_that_it_has_and_remembers_devices() {
        let mut store = Connection::open_in_memory().unwrap();
        migrate(&mut store, &MIGRATIONS[..6]).unwrap();
        let alice = Account { id: AccountId::from_bytes([0; 16]), ..account(1, "alice") };
        let document = serde_json::to_string(&alice).unwrap();
        assert!(!document.contains("generation"), "as it was written then");
        store
            .execute(
                "INSERT INTO accounts VALUES (zeroblob(16), 'alice', 1, 'enabled', 'user', ?1)",
                [document],
            )
            .unwrap();
        store.execute_batch(OF_SCHEMA_5).unwrap();
        store.execute_batch(OF_SCHEMA_6).unwrap();
        let before = content(&store);
        assert!(before.values().all(|rows| !rows.is_empty()), "{before:?}");
        migrate(&mut store, MIGRATIONS).unwrap();
        let mut after = content(&store);
        assert_eq!(after.remove("tickets"), Some(Vec::new()));
        assert_eq!(after, before);
        let load = || loading::load(&store, &alice.name, &LaneKey::from_bytes([0; 16]), None).unwrap();
        assert_eq!(
            (load().account.as_ref(), load().tickets.live(&alice, time(1000)).count()),
            (Some(&alice), 0)
        );
        for change in remembering(&alice, 1, 1000).tickets {
            tickets::change(&store, &change).ok().unwrap();
        }
        let device = ticket(&alice, 1, 1000);
        assert_eq!(load().tickets.live(&alice, time(1000)).collect::<Vec<_>>(), [&device]);
    }

    #[test]
    fn a_new_store_has_the_newest_schema() {
        let mut connection = Connection::open_in_memory().unwrap();
        create(&mut connection).unwrap();
        assert_eq!(usize::try_from(version(&connection).unwrap()).unwrap(), MIGRATIONS.len());
    }
}
