//! Do many who write at once lose nothing?

use mimi::db::open::Db;

use crate::db::{PLAN, add, check, items};

const N_WRITERS: u64 = 12;
const N_WRITES: u64 = 40;

type Open = fn(&std::path::Path) -> Result<Db, mimi::db::error::DbError>;

/// Everybody opens a file that is not there yet: it is made, set to its journal and migrated under all of them.
#[test]
fn writers_with_connections_of_their_own_make_migrate_and_fill_one_file() {
    let ways: [(Open, &str); 2] =
        [(|path| Db::open(path, PLAN), "wal"), (|path| Db::open_as_shared(path, PLAN), "truncate")];
    for (open, journal) in ways {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("list.db");
        std::thread::scope(|scope| {
            for writer in 0..N_WRITERS {
                let path = &path;
                scope.spawn(move || {
                    let mut db = open(path).unwrap();
                    (0..N_WRITES).for_each(|n| add(&mut db, writer * N_WRITES + n, "a").unwrap());
                });
            }
        });
        assert_eq!(items(&mut open(&path).unwrap()).unwrap(), N_WRITERS * N_WRITES, "{journal}");
        let connection = rusqlite::Connection::open(&path).unwrap();
        let distinct: i64 = connection.query_row("SELECT count(DISTINCT n) FROM item", [], |row| row.get(0)).unwrap();
        assert_eq!(distinct, (N_WRITERS * N_WRITES) as i64);
        let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        // Other than the write-ahead log, a rollback journal is a choice of each connection.
        assert_eq!(mode == "wal", journal == "wal", "{mode}");
        assert_eq!(check(&path), "ok");
    }
}

#[test]
fn a_reader_sees_one_state_while_others_write() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("list.db");
    let (mut reader, mut writer) = (Db::open(&path, PLAN).unwrap(), Db::open(&path, PLAN).unwrap());
    add(&mut writer, 1, "a").unwrap();
    let counts = reader.read(|work| {
        let count = || work.first("SELECT count(*) FROM item", &[], |row| row.count(0));
        let before = count()?;
        add(&mut writer, 2, "b")?;
        Ok::<_, mimi::db::error::DbError>((before, count()?))
    });
    assert_eq!(counts.unwrap(), (Some(1), Some(1)));
    assert_eq!(items(&mut reader).unwrap(), 2);
}
