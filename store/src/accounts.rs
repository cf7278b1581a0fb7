//! The half of an account that rarely changes: one row, its document and the columns that lists need.

use common::account::Account;
use common::bundle::{AccountChange, Precondition};
use common::ports::Listed;
use common::{AccountId, CodeId, UnixTime, Username};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::writing::{Stop, only_if_changed};
use crate::{SqliteError, sent, spent, tickets};

/// An account by name.
pub(crate) fn by_name(connection: &Connection, name: &Username) -> Result<Option<Account>, SqliteError> {
    let mut statement = connection.prepare_cached("SELECT document FROM accounts WHERE name = ?1")?;
    let document = statement.query_row([name.as_str()], document).optional()?;
    document.as_deref().map(parse).transpose()
}

/// The generation that the devices of an account have come to; `None` where it has gone.
pub(crate) fn generation(connection: &Connection, id: AccountId) -> Result<Option<u64>, SqliteError> {
    let mut statement = connection.prepare_cached("SELECT document FROM accounts WHERE id = ?1")?;
    let document = statement.query_row([id.as_bytes()], document).optional()?;
    Ok(document.as_deref().map(parse).transpose()?.map(|account| account.generation))
}

/// Up to `count` accounts with names after `after`, in order of name.
pub(crate) fn page(
    connection: &Connection,
    after: Option<&Username>,
    count: u32,
) -> Result<Vec<Account>, SqliteError> {
    // No name is empty, so all of them come after the empty one.
    let after = after.map_or("", Username::as_str);
    let mut statement =
        connection.prepare_cached("SELECT document FROM accounts WHERE name > ?1 ORDER BY name LIMIT ?2")?;
    let documents = statement.query_map(params![after, count], document)?;
    documents.map(|document| parse(&document?)).collect()
}

/// The same with what lists show besides.
pub(crate) fn listed(
    connection: &Connection,
    after: Option<&Username>,
    count: u32,
) -> Result<Vec<Listed>, SqliteError> {
    let after = after.map_or("", Username::as_str);
    let mut statement = connection.prepare_cached(
        "SELECT document, signed_in_at, EXISTS (SELECT 1 FROM spent_recovery WHERE spent_recovery.account = id)
         FROM accounts LEFT JOIN sign_ins ON sign_ins.account = id
         WHERE name > ?1 ORDER BY name LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, count])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        let account = parse(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
        let signed_in_at = row.get::<_, Option<u64>>(1)?.map(UnixTime::from_seconds);
        let spent_codes = match row.get(2)? {
            true => spent::recovery_codes(connection, account.id)?,
            false => Vec::new(),
        };
        listed.push(Listed { account, signed_in_at, spent_codes });
    }
    Ok(listed)
}

/// Writes down when a user was last let in. An account that has gone meanwhile was not.
pub(crate) fn signed_in(
    connection: &Connection,
    account: AccountId,
    at: UnixTime,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO sign_ins (account, signed_in_at) SELECT id, ?2 FROM accounts WHERE id = ?1
             ON CONFLICT (account) DO UPDATE SET signed_in_at = max(signed_in_at, excluded.signed_in_at)",
        )?
        .execute(params![account.as_bytes(), at.seconds()])?;
    Ok(())
}

/// Stops a bundle that was decided on something else than what is stored.
pub(crate) fn require(connection: &Connection, precondition: &Precondition) -> Result<(), Stop> {
    let holds = match precondition {
        Precondition::Nothing => true,
        Precondition::Absent(name) => {
            !connection.prepare_cached("SELECT 1 FROM accounts WHERE name = ?1")?.exists([name.as_str()])?
        }
        Precondition::Version { account, version } => connection
            .prepare_cached("SELECT 1 FROM accounts WHERE id = ?1 AND version = ?2")?
            .exists(params![account.as_bytes(), version])?,
    };
    if holds { Ok(()) } else { Err(Stop::Conflict) }
}

/// Carries out a change of an account.
pub(crate) fn change(connection: &Connection, change: &AccountChange) -> Result<(), Stop> {
    match change {
        AccountChange::Insert(account) => insert(connection, account),
        AccountChange::Update(account) => update(connection, account),
        AccountChange::Remove(id) => remove(connection, *id),
    }
}

fn insert(connection: &Connection, account: &Account) -> Result<(), Stop> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO accounts (id, name, version, state, role, document) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            account.id.as_bytes(),
            account.name.as_str(),
            account.version,
            account.state.name(),
            account.role.name(),
            written(account)?,
        ])?;
    only_if_changed(inserted)
}

/// The row must be one version behind, whether or not the bundle asks for it; a name that is taken ignores the row.
fn update(connection: &Connection, account: &Account) -> Result<(), Stop> {
    sent::forget_name_of(connection, account.id, Some(&account.name))?;
    let updated = connection
        .prepare_cached(
            "UPDATE OR IGNORE accounts SET name = ?2, version = ?3, state = ?4, role = ?5, document = ?6
             WHERE id = ?1 AND version = ?3 - 1",
        )?
        .execute(params![
            account.id.as_bytes(),
            account.name.as_str(),
            account.version,
            account.state.name(),
            account.role.name(),
            written(account)?,
        ])?;
    only_if_changed(updated)?;
    tickets::forget_earlier(connection, account)?;
    forget_recovery_codes(connection, account)
}

fn remove(connection: &Connection, id: AccountId) -> Result<(), Stop> {
    sent::forget_name_of(connection, id, None)?;
    spent::remember_counters(connection, id)?;
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO once_spent SELECT account, code FROM spent_recovery WHERE account = ?1",
        )?
        .execute([id.as_bytes()])?;
    let removed =
        connection.prepare_cached("DELETE FROM accounts WHERE id = ?1")?.execute([id.as_bytes()])?;
    only_if_changed(removed)
}

/// A recovery or temporary code that the account has no more can be asked for again only after a restore, which looks for
/// it elsewhere.
fn forget_recovery_codes(connection: &Connection, account: &Account) -> Result<(), Stop> {
    let spent = spent::recovery_codes(connection, account.id)?;
    let recovery = account.recovery_codes.iter().map(|code| code.id);
    let kept: Vec<CodeId> = recovery.chain(account.temporary_code.iter().map(|code| code.id)).collect();
    let is_gone = |id: &_| !kept.contains(id);
    for code in spent.into_iter().filter(is_gone) {
        connection
            .prepare_cached("INSERT OR IGNORE INTO once_spent (account, code) VALUES (?1, ?2)")?
            .execute(params![account.id.as_bytes(), code.as_bytes()])?;
        connection
            .prepare_cached("DELETE FROM spent_recovery WHERE account = ?1 AND code = ?2")?
            .execute(params![account.id.as_bytes(), code.as_bytes()])?;
    }
    Ok(())
}

fn document(row: &Row<'_>) -> rusqlite::Result<String> {
    row.get(0)
}

pub(crate) fn parse(document: &str) -> Result<Account, SqliteError> {
    serde_json::from_str(document).map_err(SqliteError::Document)
}

fn written(account: &Account) -> Result<String, SqliteError> {
    serde_json::to_string(account).map_err(SqliteError::Serialize)
}
