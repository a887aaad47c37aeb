use super::*;
use crate::db::open::Db;
use crate::index::store::PLAN;

/// A database with these pieces, numbered from 1.
fn with(pieces: &[&str]) -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let mut db = Db::open(&folder.path().join("index.db"), PLAN).unwrap();
    db.write(|work| {
        for (at, text) in pieces.iter().enumerate() {
            work.run("INSERT INTO words (rowid, text) VALUES (?1, ?2)", &[(at as u64 + 1).into(), (*text).into()])?;
        }
        Ok::<_, IndexError>(())
    })
    .unwrap();
    (folder, db)
}

#[test]
fn the_bm25_of_sqlite_itself_tells_nothing_of_such_a_table() {
    let (_folder, mut db) = with(&["rare rare rare", "rare other words here", "more", "and more", "of this"]);
    let scores = db
        .read(|work| {
            let sql = "SELECT bm25(words) FROM words WHERE words MATCH 'rare'";
            Ok::<_, IndexError>(work.rows(sql, &[], |row| row.real(0))?)
        })
        .unwrap();
    assert_eq!(scores, [0.0, 0.0], "when it tells something, the search for words could ask it");
}
