//! Accounts, spent codes and records in SQLite.
