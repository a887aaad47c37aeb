//! How are a few bytes for each of very many rows kept so that all of them are read in a blink?
//!
//! In blobs of 4,096 rows, by the number of the row. Half a million rows are 120 reads. Changes are collected and written at
//! the end of a batch, each touched blob once.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};

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
            let sql = "SELECT bytes FROM segment WHERE id = ?1";
            let mut known = work.first(sql, &[id(self.kind, number).into()], |row| row.bytes(0))?.unwrap_or_default();
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
            let sql = "INSERT OR REPLACE INTO segment (id, bytes) VALUES (?1, ?2)";
            work.run(sql, &[id(self.kind, number).into(), bytes.as_slice().into()])?;
        }
        Ok(())
    }
}

/// Bits of the number of a blob in that of its row; the kind stands above them.
const NUMBER_BITS: u32 = 32;

fn id(kind: u64, number: u64) -> u64 {
    kind << NUMBER_BITS | number
}

/// Returns the number behind that of the last blob of a kind.
pub fn end(work: &Work<'_>, kind: u64) -> Result<u64, DbError> {
    let sql = "SELECT max(id) FROM segment WHERE id >= ?1 AND id < ?2";
    let last = work.first(sql, &[id(kind, 0).into(), id(kind + 1, 0).into()], |row| row.count_or_none(0))?.flatten();
    Ok(last.map_or(0, |last| last - id(kind, 0) + 1))
}

/// Shows all blobs of a kind in order, with the number of their first row.
pub fn each(work: &Work<'_>, kind: u64, show: impl FnMut(u64, &[u8])) -> Result<(), DbError> {
    each_within(work, kind, 0..1 << NUMBER_BITS, show)
}

/// As [`each`], of the blobs with these numbers alone.
pub fn each_within(
    work: &Work<'_>,
    kind: u64,
    numbers: Range<u64>,
    mut show: impl FnMut(u64, &[u8]),
) -> Result<(), DbError> {
    let sql = "SELECT id, bytes FROM segment WHERE id >= ?1 AND id < ?2 ORDER BY id";
    work.each(sql, &[id(kind, numbers.start).into(), id(kind, numbers.end).into()], |row| {
        show((row.count(0)? - id(kind, 0)) * ROWS, row.lend(1)?);
        Ok(ControlFlow::Continue(()))
    })
}

/// Forgets all blobs of a kind.
pub fn clear(work: &Work<'_>, kind: u64) -> Result<(), DbError> {
    work.run("DELETE FROM segment WHERE id >= ?1 AND id < ?2", &[id(kind, 0).into(), id(kind + 1, 0).into()])?;
    Ok(())
}
