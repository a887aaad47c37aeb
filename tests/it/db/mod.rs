//! Is a database private, of the right version, shared without loss, and never in the way of a turn?

mod opening;
mod sharing;

use std::path::Path;
use std::time::Duration;

use mimi::db::error::DbError;
use mimi::db::open::{Damaged, Db, Plan};

pub(crate) const PLAN: Plan = Plan {
    what: "list",
    migrations: &["CREATE TABLE item (n INTEGER NOT NULL, text TEXT NOT NULL)", "CREATE INDEX item_n ON item(n)"],
    damaged: Damaged::SetAside,
    patience: Duration::from_secs(20),
    page_bytes: 4096,
};

pub(crate) fn add(db: &mut Db, n: u64, text: &str) -> Result<(), DbError> {
    db.write(|work| work.run("INSERT INTO item VALUES (?1, ?2)", &[n.into(), text.into()]).map(drop))
}

pub(crate) fn items(db: &mut Db) -> Result<u64, DbError> {
    let n = db.read(|work| work.first("SELECT count(*) FROM item", &[], |row| row.count(0)))?;
    Ok(n.unwrap_or_default())
}

/// What SQLite itself says of a file; `ok` when it is sound.
pub(crate) fn check(path: &Path) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// Reads one number from a file, as a user's own tool would.
pub(crate) fn number(path: &Path, sql: &str) -> i64 {
    rusqlite::Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}
