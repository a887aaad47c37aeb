//! How are thousands of contents kept without thousands of files?
//!
//! A pack is written once and never changed: contents one behind the other, then a table of them sorted by hash. Its name
//! appears when all of it is on disk. Numbers are little-endian. Surprising: a workspace on a network home would take
//! minutes as single files, and one of 50,000 files would take as many inodes.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::base::hash::{self, Digest};
use crate::base::path::stream_atomic;

/// First and last bytes of a pack: what it is, and the version of its form.
const MAGIC: &[u8; 8] = b"mimipk1\n";
/// Bytes of a row of the table: hash, place, bytes as they lie there, bytes of the content.
const ROW_BYTES: usize = 32 + 8 + 4 + 4;
/// Bytes behind the table: number of rows, place of the table, [`MAGIC`].
const END_BYTES: u64 = 8 + 8 + 8;

/// A content ready to be written.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Hash of the content.
    pub digest: Digest,
    /// Bytes of the content.
    pub raw_bytes: u32,
    /// The content, compressed where that makes it smaller.
    pub bytes: Vec<u8>,
}

impl Packed {
    /// Compresses a content; it has less than 4 GiB.
    pub fn of(digest: Digest, content: &[u8]) -> Self {
        let small = lz4_flex::block::compress(content);
        let bytes = if small.len() < content.len() { small } else { content.to_vec() };
        Self { digest, raw_bytes: content.len() as u32, bytes }
    }

    /// Returns the content; none when it is not what was kept.
    pub fn content(self) -> Option<Vec<u8>> {
        unpack(&self.digest, self.raw_bytes, self.bytes)
    }

    /// Says whether the bytes are the content itself.
    pub fn is_plain(&self) -> bool {
        self.raw_bytes as usize == self.bytes.len()
    }
}

fn unpack(digest: &Digest, raw_bytes: u32, bytes: Vec<u8>) -> Option<Vec<u8>> {
    let content = if bytes.len() == raw_bytes as usize {
        bytes
    } else {
        lz4_flex::block::decompress(&bytes, raw_bytes as usize).ok()?
    };
    (hash::digest(&content) == *digest).then_some(content)
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Hash of the content.
    pub digest: Digest,
    at: u64,
    /// Bytes it takes in the pack.
    pub stored_bytes: u32,
    raw_bytes: u32,
}

/// The table of one pack.
#[derive(Debug)]
pub struct Pack {
    /// Its file.
    pub path: PathBuf,
    /// What it holds, by hash.
    pub rows: Vec<Row>,
}

/// Writes a pack of the contents that come, each once, and returns how many there were.
pub fn write(path: &Path, contents: impl Iterator<Item = Packed>) -> io::Result<usize> {
    let mut n_rows = 0;
    stream_atomic(path, |out| {
        let mut rows: Vec<Row> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut at = MAGIC.len() as u64;
        out.write_all(MAGIC)?;
        for packed in contents.filter(|packed| seen.insert(packed.digest)) {
            out.write_all(&packed.bytes)?;
            let stored_bytes = packed.bytes.len() as u32;
            rows.push(Row { digest: packed.digest, at, stored_bytes, raw_bytes: packed.raw_bytes });
            at += u64::from(stored_bytes);
        }
        rows.sort_unstable_by_key(|row| row.digest);
        n_rows = rows.len();
        write_table(out, &rows, at)
    })?;
    Ok(n_rows)
}

fn write_table(out: &mut dyn Write, rows: &[Row], at: u64) -> io::Result<()> {
    for row in rows {
        out.write_all(&row.digest)?;
        out.write_all(&row.at.to_le_bytes())?;
        out.write_all(&row.stored_bytes.to_le_bytes())?;
        out.write_all(&row.raw_bytes.to_le_bytes())?;
    }
    out.write_all(&(rows.len() as u64).to_le_bytes())?;
    out.write_all(&at.to_le_bytes())?;
    out.write_all(MAGIC)
}

impl Pack {
    /// Reads the table of a pack; fails when the file is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        let broken = || io::Error::new(io::ErrorKind::InvalidData, "it is damaged");
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let table_end = bytes.checked_sub(END_BYTES).ok_or_else(broken)?;
        let mut end = [0; END_BYTES as usize];
        file.read_exact_at(&mut end, table_end)?;
        let (n_rows, at) = (number(&end[..8]), number(&end[8..16]));
        let is_sound = &end[16..] == MAGIC
            && n_rows.checked_mul(ROW_BYTES as u64).and_then(|table| at.checked_add(table)) == Some(table_end);
        if !is_sound {
            return Err(broken());
        }
        let mut table = vec![0; (table_end - at) as usize];
        file.read_exact_at(&mut table, at)?;
        Ok(Self { path: path.to_path_buf(), rows: table.chunks_exact(ROW_BYTES).map(row).collect() })
    }

    /// Finds a content.
    pub fn find(&self, digest: &Digest) -> Option<Row> {
        self.rows.binary_search_by_key(digest, |row| row.digest).ok().map(|at| self.rows[at])
    }

    /// Reads a content as it lies in the pack.
    pub fn read(&self, row: Row) -> io::Result<Packed> {
        let mut bytes = vec![0; row.stored_bytes as usize];
        File::open(&self.path)?.read_exact_at(&mut bytes, row.at)?;
        Ok(Packed { digest: row.digest, raw_bytes: row.raw_bytes, bytes })
    }
}

fn row(bytes: &[u8]) -> Row {
    let mut digest = [0; 32];
    digest.copy_from_slice(&bytes[..32]);
    let (stored_bytes, raw_bytes) = (number(&bytes[40..44]) as u32, number(&bytes[44..48]) as u32);
    Row { digest, at: number(&bytes[32..40]), stored_bytes, raw_bytes }
}

/// Reads a little-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_content_comes_back_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pack");
        let contents: Vec<Vec<u8>> = (0..100_u32).map(|n| n.to_le_bytes().repeat(n as usize * 7)).collect();
        let packed = || contents.iter().chain(&contents).map(|bytes| Packed::of(hash::digest(bytes), bytes));
        assert_eq!(write(&path, packed()).unwrap(), 100, "each once");
        let pack = Pack::open(&path).unwrap();
        for content in &contents {
            let row = pack.find(&hash::digest(content)).unwrap();
            assert_eq!(&pack.read(row).unwrap().content().unwrap(), content);
        }
        assert_eq!(pack.find(&hash::digest(b"none")), None);
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, 10, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(Pack::open(&path).is_err(), "{cut} bytes");
        }
        let mut bad = whole;
        bad[40] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        let pack = Pack::open(&path).unwrap();
        let n_damaged = pack.rows.iter().filter(|row| pack.read(**row).unwrap().content().is_none()).count();
        assert_eq!(n_damaged, 1);
    }
}
