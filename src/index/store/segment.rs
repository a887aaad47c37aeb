//! How are a few bytes for each of very many rows kept so that all of them are read in a blink?
//!
//! In blobs of 4,096 rows, by the number of the row. Half a million rows are 120 reads. Changes are collected and written at
//! the end of a batch, each touched blob once.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::db::error::DbError;
use crate::db::work::Work;

/// Rows of one blob.
pub const ROWS: u64 = 4096;
/// The lengths of pieces, in words.
pub const LENGTHS: u64 = 0;

/// Changes of one kind of segments that are still to be written.
pub struct Changes {
    kind: u64,
    row_bytes: usize,
    touched: BTreeMap<u64, Vec<u8>>,
}

impl Changes {
    /// Begins; every row has `row_bytes` bytes.
    pub fn new(kind: u64, row_bytes: usize) -> Self {
        Self { kind, row_bytes, touched: BTreeMap::new() }
    }

    /// Sets the bytes of a row; rows never set are zero.
    pub fn set(&mut self, work: &Work<'_>, row: u64, bytes: &[u8]) -> Result<(), DbError> {
        let (number, at) = (row / ROWS, (row % ROWS) as usize * self.row_bytes);
        let whole = ROWS as usize * self.row_bytes;
        if !self.touched.contains_key(&number) {
            let sql = "SELECT bytes FROM segment WHERE kind = ?1 AND number = ?2";
            let mut known =
                work.first(sql, &[self.kind.into(), number.into()], |row| row.bytes(0))?.unwrap_or_default();
            known.resize(whole, 0);
            self.touched.insert(number, known);
        }
        if let Some(place) = self.touched.get_mut(&number).and_then(|all| all.get_mut(at..at + self.row_bytes)) {
            place.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        }
        Ok(())
    }

    /// Writes what was set.
    pub fn flush(&mut self, work: &Work<'_>) -> Result<(), DbError> {
        for (number, bytes) in std::mem::take(&mut self.touched) {
            let sql = "INSERT OR REPLACE INTO segment (kind, number, bytes) VALUES (?1, ?2, ?3)";
            work.run(sql, &[self.kind.into(), number.into(), bytes.as_slice().into()])?;
        }
        Ok(())
    }
}

/// Shows all blobs of a kind in order, with the number of their first row.
pub fn each(work: &Work<'_>, kind: u64, mut show: impl FnMut(u64, &[u8])) -> Result<(), DbError> {
    work.each("SELECT number, bytes FROM segment WHERE kind = ?1 ORDER BY number", &[kind.into()], |row| {
        show(row.count(0)? * ROWS, row.lend(1)?);
        Ok(ControlFlow::Continue(()))
    })
}
