//! How are rows read and written inside one transaction?
//!
//! A thin cover over the statements of SQLite, so that no other room depends on its crate. Statements are kept prepared
//! by their text: pass the same text again and again, and values as values.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::db::error::DbError;
use crate::db::open::{Db, Plan};

/// One value of a statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A whole number; SQLite has no larger ones.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Option<u64>> for Value<'_> {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Null, Self::from)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

/// What reading a row gives; the error goes back to whoever asked for the row.
pub type RowResult<T> = Result<T, rusqlite::Error>;

/// One row of a result.
pub struct Row<'r>(&'r rusqlite::Row<'r>);

impl Row<'_> {
    /// Reads a count; a negative number, which nobody writes, is none.
    pub fn count(&self, column: usize) -> RowResult<u64> {
        self.0.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or_default())
    }

    /// Reads a whole number.
    pub fn int(&self, column: usize) -> RowResult<i64> {
        self.0.get(column)
    }

    /// Reads a count that may be missing.
    pub fn count_or_none(&self, column: usize) -> RowResult<Option<u64>> {
        self.0.get::<_, Option<i64>>(column).map(|number| number.and_then(|number| u64::try_from(number).ok()))
    }

    /// Lends bytes without copying them; none when the column holds something else.
    pub fn lend(&self, column: usize) -> RowResult<&[u8]> {
        Ok(self.0.get_ref(column)?.as_blob_or_null()?.unwrap_or_default())
    }

    /// Reads a number with a fraction.
    pub fn real(&self, column: usize) -> RowResult<f64> {
        self.0.get(column)
    }

    /// Reads text.
    pub fn text(&self, column: usize) -> RowResult<String> {
        self.0.get(column)
    }

    /// Reads text that may be missing.
    pub fn text_or_none(&self, column: usize) -> RowResult<Option<String>> {
        self.0.get(column)
    }

    /// Reads bytes.
    pub fn bytes(&self, column: usize) -> RowResult<Vec<u8>> {
        self.0.get(column)
    }
}

/// A transaction under way.
pub struct Work<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) path: &'c Path,
    pub(crate) plan: Plan,
    pub(crate) is_writing: bool,
}

/// The file of a transaction once more, for another thread of this process.
pub struct Beside {
    path: PathBuf,
    plan: Plan,
    db: Option<Db>,
}

impl Beside {
    /// Reads beside the transaction. What other processes wrote since that began may be seen here already.
    pub fn read<T, E: From<DbError>>(&mut self, work: impl FnOnce(&Work<'_>) -> Result<T, E>) -> Result<T, E> {
        let db = match &mut self.db {
            Some(db) => db,
            none => none.insert(Db::open_to_read(&self.path, self.plan)?),
        };
        db.read(work)
    }
}

impl Work<'_> {
    /// Carries out a statement and returns how many rows it changed.
    pub fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, DbError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| self.error(error))?;
        statement.execute(params_from_iter(values)).map_err(|error| self.error(error))
    }

    /// Returns the number of the row inserted last.
    pub fn inserted(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    /// Reads all rows of a result.
    pub fn rows<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> RowResult<T>,
    ) -> Result<Vec<T>, DbError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| self.error(error))?;
        let rows =
            statement.query_map(params_from_iter(values), |row| read(&Row(row))).map_err(|error| self.error(error))?;
        rows.collect::<Result<_, _>>().map_err(|error| self.error(error))
    }

    /// Shows the rows of a result one by one, until `each` breaks off.
    pub fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> RowResult<ControlFlow<()>>,
    ) -> Result<(), DbError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| self.error(error))?;
        let mut rows = statement.query(params_from_iter(values)).map_err(|error| self.error(error))?;
        while let Some(row) = rows.next().map_err(|error| self.error(error))? {
            if each(&Row(row)).map_err(|error| self.error(error))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Reads the first row of a result; none when there is no row.
    pub fn first<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> RowResult<T>,
    ) -> Result<Option<T>, DbError> {
        Ok(self.rows(sql, values, read)?.into_iter().next())
    }

    /// Lets another thread read the same file; none when this transaction writes, which the other would not see.
    pub fn beside(&self) -> Option<Beside> {
        (!self.is_writing).then(|| Beside { path: self.path.to_path_buf(), plan: self.plan, db: None })
    }

    fn error(&self, error: rusqlite::Error) -> DbError {
        DbError::of(self.path, error)
    }
}
