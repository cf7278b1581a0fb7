//! What a backup learns from the newer store that it takes the place of: what is used up and counted there stays so.
//!
//! Counts of accounts that the backup does not have are lost with them; what they used up is not. Codes that were sent and
//! messages that wait are those of the newer store: what the backup has of them may have been used and sent since. No device
//! is remembered after it: those that the backup has may have been forgotten since.

use std::path::Path;
use std::sync::LazyLock;

use rusqlite::Connection;

use crate::spent::NEVER;
use crate::{RecoveryCodes, SqliteError, spent};

static CARRY_OVER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    BEGIN IMMEDIATE;
    INSERT OR IGNORE INTO once_spent SELECT account, code FROM newer.once_spent;
    INSERT OR IGNORE INTO once_spent SELECT account, code FROM newer.spent_recovery;
    INSERT OR IGNORE INTO spent_recovery
        SELECT once.account, once.code FROM once_spent AS once JOIN accounts ON accounts.id = once.account;
    INSERT INTO once_counted SELECT account, factor, counter FROM newer.once_counted WHERE true
        ON CONFLICT (account, factor) DO UPDATE SET counter = max(counter, excluded.counter);
    INSERT INTO once_counted SELECT account, factor, step FROM newer.spent_totp WHERE expires_at = {NEVER}
        ON CONFLICT (account, factor) DO UPDATE SET counter = max(counter, excluded.counter);
    INSERT INTO spent_totp
        SELECT once.account, factor, counter, {NEVER}, {NEVER} FROM once_counted AS once
            JOIN accounts ON accounts.id = once.account WHERE true
        ON CONFLICT (account, factor) DO UPDATE SET step = max(step, excluded.step);
    INSERT INTO spent_totp
        SELECT totp.* FROM newer.spent_totp AS totp JOIN accounts ON accounts.id = totp.account WHERE true
        ON CONFLICT (account, factor) DO UPDATE
        SET step = excluded.step, begins_at = excluded.begins_at, expires_at = excluded.expires_at
        WHERE excluded.step > spent_totp.step;
    INSERT OR IGNORE INTO successes SELECT * FROM newer.successes;
    DELETE FROM lanes;
    INSERT INTO lanes SELECT * FROM newer.lanes;
    INSERT OR REPLACE INTO caps SELECT caps.* FROM newer.caps AS caps JOIN accounts ON accounts.id = caps.account;
    INSERT OR REPLACE INTO known SELECT known.* FROM newer.known AS known JOIN accounts ON accounts.id = known.account;
    INSERT OR REPLACE INTO sign_ins
        SELECT ins.* FROM newer.sign_ins AS ins JOIN accounts ON accounts.id = ins.account;
    INSERT OR REPLACE INTO tallies SELECT * FROM newer.tallies;
    DELETE FROM tickets;
    DELETE FROM sent;
    INSERT INTO sent SELECT * FROM newer.sent;
    DELETE FROM outbox;
    INSERT INTO outbox SELECT * FROM newer.outbox;
    UPDATE meta SET lanes = before.lanes, lineage = before.lineage, floor = max(meta.floor, before.floor),
            messages = before.messages, messages_expired = before.messages_expired,
            messages_left_out = before.messages_left_out
        FROM newer.meta AS before;
    COMMIT;
    DETACH newer;"
    )
});

/// Tells the copy of a backup what the store at `newer` knows, and says whether that is all that was used since the backup.
pub(crate) fn carry_over(copy: &Connection, newer: &Path) -> Result<RecoveryCodes, SqliteError> {
    let before = spent::lineage(copy)?;
    copy.execute("ATTACH ?1 AS newer", [newer.to_string_lossy()])?;
    copy.execute_batch(&CARRY_OVER)?;
    let is_same = spent::lineage(copy)? == before;
    Ok(if is_same { RecoveryCodes::StaySpent } else { RecoveryCodes::Unknown })
}
