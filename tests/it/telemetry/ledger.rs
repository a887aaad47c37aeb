//! Is nothing lost that could be kept, and nothing said twice?

use mimi::telemetry::ledger::{Ledger, Place};
use mimi::telemetry::price::Prices;
use mimi::telemetry::report::{self, By, Since};

use crate::db::{check, number};
use crate::telemetry::{NOON_MS, ledger, record, recovering};

#[test]
fn a_record_is_in_the_file_with_all_it_says() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("state/usage.db");
    let ledger = ledger(&path, "/work/a");
    assert!(!path.exists(), "nothing is opened before it is needed");
    ledger.record(record(NOON_MS, "m"));
    ledger.enter_session("s-1");
    ledger.record(recovering(record(NOON_MS + 1, "m"), &[("xml", 2), ("json", 1)]));
    ledger.count("m", "edit_not_found");
    ledger.count("m", "edit_not_found");
    ledger.flush();
    let text = |sql: &str| -> String {
        rusqlite::Connection::open(&path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let row = "SELECT concat_ws(' ', at_ms, provider, model, task, class, project, coalesce(session, '-'), input_tokens,
               output_tokens, cached_tokens, first_token_ms, total_ms, coalesce(queue_ms, '-'), decode_ms, retries, is_answered)
               FROM request WHERE id = ";
    assert_eq!(
        text(&format!("{row}1")),
        format!("{NOON_MS} dgx m chat interactive /work/a - 1000 50 900 200 700 - 500 0 1")
    );
    assert!(text(&format!("{row}2")).contains(" /work/a s-1 "));
    assert_eq!(number(&path, "SELECT sum(n) FROM recovered WHERE request = 2"), 3);
    assert_eq!(number(&path, "SELECT n FROM counter WHERE model = 'm' AND name = 'edit_not_found'"), 2);
    assert_eq!(ledger.trouble(), None);
}

#[test]
fn ledgers_of_many_processes_lose_nothing() {
    const N_LEDGERS: u64 = 8;
    const N_RECORDS: u64 = 60;
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("usage.db");
    std::thread::scope(|scope| {
        for n in 0..N_LEDGERS {
            let path = &path;
            scope.spawn(move || {
                let own = ledger(path, &format!("/work/{n}"));
                (0..N_RECORDS).for_each(|at| own.record(record(NOON_MS + at, "m")));
                // What the end of a process waits for at most is not enough for all on a busy machine.
                while number_of(path, n) < N_RECORDS as i64 {
                    own.flush();
                }
                assert_eq!(own.trouble(), None);
            });
        }
    });
    assert_eq!(number(&path, "SELECT count(*) FROM request"), (N_LEDGERS * N_RECORDS) as i64);
    assert_eq!(check(&path), "ok");
}

/// Counts the rows of one project; before the file is ready there are none.
fn number_of(path: &std::path::Path, project: u64) -> i64 {
    let Ok(connection) = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY) else {
        return 0;
    };
    let sql = format!("SELECT count(*) FROM request WHERE project = '/work/{project}'");
    connection.query_row(&sql, [], |row| row.get(0)).unwrap_or_default()
}

#[test]
fn a_damaged_ledger_is_set_aside_and_named_and_counting_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("usage.db");
    std::fs::write(&path, "no database ".repeat(500)).unwrap();
    let own = ledger(&path, "/work");
    own.record(record(NOON_MS, "m"));
    own.flush();
    let told = own.trouble().unwrap();
    assert!(told.contains("usage ledger was damaged") && told.contains("usage.db.damaged-1"), "{told}");
    assert_eq!(own.trouble(), None);
    assert_eq!(number(&path, "SELECT count(*) FROM request"), 1);
    assert!(std::fs::read_to_string(root.path().join("usage.db.damaged-1")).unwrap().starts_with("no database"));
}

#[test]
fn a_ledger_that_cannot_be_used_is_told_once_and_left_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let (newer, file) = (root.path().join("usage.db"), root.path().join("file"));
    rusqlite::Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 7; CREATE TABLE a (n)").unwrap();
    std::fs::write(&file, "").unwrap();
    let before = std::fs::read(&newer).unwrap();
    for (path, expected) in [(newer.clone(), "is of version 7"), (file.join("usage.db"), "ot a directory")] {
        let own = ledger(&path, "/work");
        for n in 0..3 {
            own.record(record(NOON_MS, "m"));
            own.flush();
            let told = own.trouble();
            assert_eq!(told.is_some(), n == 0, "{told:?}");
            assert!(told.is_none_or(|told| told.contains(expected) && told.contains("hint: ")));
        }
    }
    assert!(std::fs::read(&newer).unwrap() == before);
    let error = report::read(&newer, By::Day, &Since::Ever, &Prices::default()).unwrap_err();
    assert!(error.to_string().contains("is of version 7"), "{error}");
}

#[test]
fn what_is_older_than_it_is_to_be_kept_is_forgotten_with_all_that_hangs_on_it() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("usage.db");
    let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let first = ledger(&path, "/work");
    first.record(recovering(record(now_ms - 40 * 86_400_000, "old"), &[("xml", 1)]));
    first.record(recovering(record(now_ms - 20 * 86_400_000, "young"), &[("xml", 1)]));
    drop(first);
    let second = Ledger::new(Place { path: path.clone(), project: "/work".to_owned(), keep_days: 30 });
    second.prepare();
    second.flush();
    assert_eq!(number(&path, "SELECT count(*) FROM request WHERE model = 'young'"), 1);
    assert_eq!(number(&path, "SELECT count(*) FROM request"), 1);
    assert_eq!(number(&path, "SELECT count(*) FROM recovered"), 1);
}
