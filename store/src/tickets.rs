//! The devices that are remembered of each account: one row for whoever has had any. `common::ticket` says what may become
//! of it, and how far it grows; what has expired goes with the next device.

use common::AccountId;
use common::account::Account;
use common::bundle::TicketChange;
use common::ticket::Tickets;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::writing::Stop;
use crate::{SqliteError, accounts};

/// Reads a row.
pub(crate) fn parse(document: &str) -> Result<Tickets, SqliteError> {
    serde_json::from_str(document).map_err(SqliteError::Tickets)
}

/// Remembers or forgets a device.
pub(crate) fn change(connection: &Connection, change: &TicketChange) -> Result<(), Stop> {
    match change {
        TicketChange::Remember { account, ticket } => {
            if accounts::generation(connection, *account)? != Some(ticket.generation()) {
                return Err(Stop::Conflict);
            }
            let mut tickets = find(connection, *account)?;
            tickets.remember((**ticket).clone());
            remember(connection, *account, ticket.generation(), &tickets)?;
        }
        TicketChange::Forget { account, ticket } => {
            let mut tickets = find(connection, *account)?;
            if tickets.forget(*ticket) {
                keep(connection, *account, &tickets)?;
            }
        }
    }
    Ok(())
}

/// Drops what an account has left behind that has come to another generation.
pub(crate) fn forget_earlier(connection: &Connection, account: &Account) -> Result<(), SqliteError> {
    connection
        .prepare_cached("DELETE FROM tickets WHERE account = ?1 AND generation <> ?2")?
        .execute(params![account.id.as_bytes(), account.generation])?;
    Ok(())
}

/// Drops all tickets of a store that went back: some of them were forgotten since.
pub(crate) fn forget_all(connection: &Connection) -> Result<(), SqliteError> {
    connection.execute("DELETE FROM tickets", [])?;
    Ok(())
}

fn find(connection: &Connection, account: AccountId) -> Result<Tickets, SqliteError> {
    let mut statement = connection.prepare_cached("SELECT document FROM tickets WHERE account = ?1")?;
    let document = statement.query_row([account.as_bytes()], |row| row.get::<_, String>(0)).optional()?;
    document.as_deref().map_or_else(|| Ok(Tickets::default()), parse)
}

/// What an account of this generation has now.
fn remember(
    connection: &Connection,
    account: AccountId,
    generation: u64,
    tickets: &Tickets,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO tickets (account, generation, document) VALUES (?1, ?2, ?3)
             ON CONFLICT (account) DO UPDATE SET generation = excluded.generation, document = excluded.document",
        )?
        .execute(params![account.as_bytes(), generation, written(tickets)?])?;
    Ok(())
}

/// What an account has left.
fn keep(connection: &Connection, account: AccountId, tickets: &Tickets) -> Result<(), SqliteError> {
    connection
        .prepare_cached("UPDATE tickets SET document = ?2 WHERE account = ?1")?
        .execute(params![account.as_bytes(), written(tickets)?])?;
    Ok(())
}

fn written(tickets: &Tickets) -> Result<String, SqliteError> {
    serde_json::to_string(tickets).map_err(SqliteError::Serialize)
}
