//! What comes of opening a database, whatever lies in its place?

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use mimi::base::fault::{Fault, Kind};
use mimi::db::error::DbError;
use mimi::db::open::{Damaged, Db, Plan};

use crate::db::{PLAN, add, check, items, number};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Versions before 3.51.3 may spoil a file in WAL mode that two connections use (sqlite.org, "WAL-reset bug").
#[test]
fn the_sqlite_that_comes_along_is_free_of_the_fault_that_spoils_files() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[test]
fn all_its_files_are_for_their_owner_alone() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("new/folder/list.db");
    let mut db = Db::open(&path, PLAN).unwrap();
    add(&mut db, 1, "a").unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(names(path.parent().unwrap()), ["list.db", "list.db-shm", "list.db-wal"]);
    for name in names(path.parent().unwrap()) {
        assert_eq!(mode(&path.with_file_name(&name)), 0o600, "{name}");
    }
    drop(db);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    Db::open(&path, PLAN).unwrap();
    assert_eq!(mode(&path), 0o600, "one that others can read is closed to them");
}

#[test]
fn an_older_file_is_brought_up_to_date_and_a_newer_one_refused_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("list.db");
    let older = Plan { migrations: &PLAN.migrations[..1], ..PLAN };
    let mut db = Db::open(&path, older).unwrap();
    add(&mut db, 1, "kept").unwrap();
    drop(db);
    assert_eq!(number(&path, "PRAGMA user_version"), 1);
    assert_eq!(items(&mut Db::open(&path, PLAN).unwrap()).unwrap(), 1);
    assert_eq!(number(&path, "PRAGMA user_version"), 2);
    assert_eq!(number(&path, "SELECT count(*) FROM sqlite_schema WHERE name = 'item_n'"), 1);
    let before = std::fs::read(&path).unwrap();
    for refused in [Db::open(&path, older), Db::open_to_read(&path, older)] {
        let Err(error) = refused else { panic!("a newer file was opened") };
        assert!(matches!(error, DbError::Newer { found: 2, known: 1, .. }), "{error}");
        let fault = Fault::from(error);
        assert!(fault.kind == Kind::Config && fault.hints[0].contains("update mimi"), "{fault}");
    }
    assert!(std::fs::read(&path).unwrap() == before);
}

/// A migration that fails half way leaves the version before it.
#[test]
fn a_migration_happens_whole_or_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("list.db");
    let broken = Plan { migrations: &["CREATE TABLE a (n)", "CREATE TABLE b (n); CREATE TABLE a (n)"], ..PLAN };
    assert!(matches!(Db::open(&path, broken), Err(DbError::Use { .. })));
    assert_eq!(number(&path, "PRAGMA user_version"), 0);
    assert_eq!(number(&path, "SELECT count(*) FROM sqlite_schema"), 0);
}

fn damage_file(path: &Path, how: &str) {
    match how {
        "text" => std::fs::write(path, "this is no database ".repeat(400)).unwrap(),
        "zeros in the middle" => {
            let mut bytes = std::fs::read(path).unwrap();
            let end = bytes.len();
            bytes[100..end].fill(0);
            std::fs::write(path, bytes).unwrap();
        }
        _ => panic!("{how}"),
    }
}

#[test]
fn a_damaged_file_is_deleted_or_set_aside_as_planned_and_that_is_said_once() {
    for how in ["text", "zeros in the middle"] {
        for (damaged, expected) in [(Damaged::Delete, "is built anew"), (Damaged::SetAside, "list.db.damaged-1")] {
            let root = tempfile::tempdir().unwrap();
            let (path, plan) = (root.path().join("list.db"), Plan { damaged, ..PLAN });
            for n in 0..500 {
                add(&mut Db::open(&path, plan).unwrap(), n, "some text that fills pages").unwrap();
            }
            damage_file(&path, how);
            let bytes = std::fs::read(&path).unwrap();
            let mut db = Db::open(&path, plan).unwrap();
            let note = db.take_note().unwrap();
            assert!(note.contains(expected) && note.contains("list"), "{how}: {note}");
            assert_eq!((db.take_note(), items(&mut db).unwrap()), (None, 0));
            add(&mut db, 1, "a").unwrap();
            drop(db);
            let aside = root.path().join("list.db.damaged-1");
            match damaged {
                Damaged::Delete => assert_eq!(names(root.path()), ["list.db"]),
                Damaged::SetAside => assert!(std::fs::read(aside).unwrap() == bytes, "{how}: kept byte for byte"),
            }
            assert_eq!(check(&path), "ok");
        }
    }
}

/// The first page is sound, so that opening succeeds; two processes then find the damage.
#[test]
fn damage_found_later_is_mended_by_one_and_noticed_by_the_other() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("list.db");
    let mut db = Db::open(&path, PLAN).unwrap();
    (0..2000).for_each(|n| add(&mut db, n, "some text that fills pages").unwrap());
    drop(db);
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[4096..end].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let (mut first, mut second) = (Db::open(&path, PLAN).unwrap(), Db::open(&path, PLAN).unwrap());
    for db in [&mut first, &mut second] {
        assert!(items(db).unwrap_err().is_corrupt());
    }
    let mut first = first.mend().unwrap();
    assert!(first.take_note().unwrap().contains("list.db.damaged-1"));
    add(&mut first, 1, "new").unwrap();
    let mut second = second.mend().unwrap();
    assert_eq!((second.take_note(), items(&mut second).unwrap()), (None, 1), "the new one is not set aside again");
}

#[test]
fn what_is_no_file_is_said_so_at_once() {
    let root = tempfile::tempdir().unwrap();
    let (folder, pipe, file) = (root.path().join("folder"), root.path().join("pipe"), root.path().join("file"));
    std::fs::create_dir(&folder).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    std::fs::write(&file, "").unwrap();
    for (path, expected) in
        [(folder, "no regular file"), (pipe, "no regular file"), (file.join("list.db"), "ot a directory")]
    {
        let Err(error) = Db::open(&path, PLAN) else { panic!("{}", path.display()) };
        let fault = Fault::from(error);
        assert!(fault.line().contains(expected) && fault.hints[0].starts_with("ls -ld"), "{fault}");
    }
    assert_eq!(names(root.path()), ["file", "folder", "pipe"]);
}

#[test]
fn a_write_that_does_not_fit_leaves_what_was_there_and_works_again_when_there_is_room() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("list.db");
    let mut db = Db::open(&path, PLAN).unwrap();
    add(&mut db, 1, "before").unwrap();
    db.bound(8).unwrap();
    let long = "x".repeat(40_000);
    let both = db.write(|work| {
        work.run("INSERT INTO item VALUES (2, 'first half')", &[])?;
        work.run("INSERT INTO item VALUES (3, ?1)", &[long.as_str().into()])
    });
    let error = both.unwrap_err();
    assert!(matches!(error, DbError::Full { .. }), "{error}");
    assert!(Fault::from(error).hints[0].starts_with("df -h"));
    assert_eq!(items(&mut db).unwrap(), 1);
    db.bound(1000).unwrap();
    add(&mut db, 3, &long).unwrap();
    drop(db);
    assert_eq!(check(&path), "ok");
}

#[test]
fn reading_changes_nothing_and_needs_no_plain_path() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("100% #1? ü/list.db");
    add(&mut Db::open(&path, PLAN).unwrap(), 1, "a").unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut db = Db::open_to_read(&path, PLAN).unwrap();
    assert_eq!(items(&mut db).unwrap(), 1);
    assert!(add(&mut db, 2, "b").is_err());
    drop(db);
    assert!(std::fs::read(&path).unwrap() == before);
    let Err(error) = Db::open_to_read(&root.path().join("none.db"), PLAN) else { panic!("it was made") };
    assert!(matches!(error, DbError::Open { .. }), "{error}");
}
