//! Do many processes at once, killed ones and full disks leave the index whole and every search answered?
//!
//! `MIMI_CROWD=60` has the crowd work for so many seconds, each reader a process of its own.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mimi::index::search::Sides;
use mimi::index::search::route::Query;

use crate::db::check;
use crate::index::{FILES, Project};
use crate::support::Env;

const N_READERS: usize = 16;
const N_WRITERS: usize = 4;
/// Searches of each reader, unless a time is given.
const N_SEARCHES: usize = 6;
/// Twenty processes on few cores take turns.
const LIMIT: Duration = Duration::from_secs(120);
/// Largest log of changes.
const MAX_LOG_BYTES: u64 = 64 << 20;

/// A project and a user whose cache holds its index, for this process and others.
fn at_home(env: &Env) -> Project {
    Project::at(env.work().to_path_buf(), env.home().join(".cache/mimi"))
}

fn mimi(env: &Env, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mimi"));
    command.args(arguments).env_clear().envs(env.vars()).current_dir(env.work()).stdin(Stdio::null());
    command
}

/// Many files, so that writing takes a while.
fn write_many(env: &Env, n_files: usize, what: &str) {
    for n in 0..n_files {
        let body: String = (0..40).map(|line| format!("    let {what}_{line} = step_{n}({line});\n")).collect();
        env.write(format!("many/{n}.rs"), format!("pub fn {what}_made_{n}() {{\n{body}}}\n"));
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn sixteen_readers_and_four_writers_meet_no_error_and_the_log_stays_small() {
    let env = Env::new();
    FILES.iter().for_each(|(path, text)| drop(env.write(path, text)));
    env.run(["index"]).outcome().success();
    let seconds: Option<u64> = std::env::var("MIMI_CROWD").ok().and_then(|seconds| seconds.parse().ok());
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let goes_on = |n_done: usize| end.map_or(n_done < N_SEARCHES, |end| Instant::now() < end);
    let (n_reading, largest_log) = (AtomicUsize::new(N_READERS), AtomicU64::new(0));
    let note_log = || {
        let log = at_home(&env).index().place().database().with_extension("db-wal");
        largest_log.fetch_max(log.metadata().map_or(0, |meta| meta.len()), Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        for _ in 0..N_READERS {
            scope.spawn(|| {
                let mut n_done = 0;
                while goes_on(n_done) {
                    if end.is_some() {
                        let outcome = env.run(["search", "evict_expired", "-n", "1"]).limit(LIMIT).outcome().success();
                        assert!(outcome.stdout.starts_with("src/cache.rs"), "{outcome}");
                    } else {
                        let hits = at_home(&env).index().search(&Query::parse("evict_expired"), 3, Sides::All).unwrap();
                        assert_eq!(hits[0].path, "src/cache.rs");
                    }
                    n_done += 1;
                    note_log();
                }
                n_reading.fetch_sub(1, Ordering::Relaxed);
            });
        }
        for n in 0..N_WRITERS {
            let (env, n_reading) = (&env, &n_reading);
            scope.spawn(move || {
                let mut round = 0;
                while round == 0 || n_reading.load(Ordering::Relaxed) > 0 {
                    let body = format!("fn made_{n}_{round}() {{ step(); }}\n").repeat(200);
                    env.write(format!("src/made{n}.rs"), body);
                    env.run(["index"]).limit(LIMIT).outcome().success();
                    round += 1;
                }
            });
        }
    });
    let log = largest_log.load(Ordering::Relaxed);
    assert!(log <= MAX_LOG_BYTES, "{log} bytes of log");
    env.run(["index"]).outcome().success();
    assert!(env.run(["index", "--verify"]).outcome().success().stdout.contains("sound"));
    assert_eq!(check(&at_home(&env).index().place().database()), "ok");
}

#[test]
fn a_writer_killed_in_the_middle_is_taken_over_and_nothing_is_spoiled() {
    let env = Env::new();
    write_many(&env, 2500, "first");
    let project = at_home(&env);
    let n_documents = || {
        let status = project.index().status();
        status.ok().flatten().map_or(0, |status| status.n_documents)
    };
    let mut writer: Child = mimi(&env, &["index"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the writer writes", || n_documents() > 0);
    writer.kill().unwrap();
    let status = writer.wait().unwrap();
    assert_eq!(status.signal(), Some(9), "it was under way: {status}");
    let n_kept = n_documents();
    assert!(n_kept > 0 && n_kept < 2500, "{n_kept}");
    // Nobody waits for the dead: the next search writes itself.
    let outcome = env.run(["search", "symbol:first_made_2499", "-n", "1"]).outcome().success();
    assert!(outcome.stdout.starts_with("many/2499.rs") && !outcome.stderr.contains("note: "), "{outcome}");
    assert!(env.run(["index", "--verify"]).outcome().success().stdout.contains("sound"));
    assert_eq!(check(&project.index().place().database()), "ok");
}

#[test]
fn readers_write_nothing_when_they_open() {
    let env = Env::new();
    FILES.iter().for_each(|(path, text)| drop(env.write(path, text)));
    let project = at_home(&env);
    project.settle();
    let path = project.index().place().database();
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let before = std::fs::read(&path).unwrap();
    // Somebody writes for as long as it takes: readers neither wait nor fail.
    let writer = rusqlite::Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; UPDATE meta SET value = value").unwrap();
    for _ in 0..3 {
        assert!(!project.index().search(&Query::parse("evict_expired"), 3, Sides::All).unwrap().is_empty());
        assert!(project.index().status().unwrap().is_some());
    }
    writer.execute_batch("ROLLBACK").unwrap();
    drop(writer);
    assert!(std::fs::read(&path).unwrap() == before, "not a byte has changed");
}

#[test]
fn a_disk_that_is_full_costs_what_is_new_and_nothing_else() {
    let env = Env::new();
    FILES.iter().for_each(|(path, text)| drop(env.write(path, text)));
    env.run(["index"]).outcome().success();
    let project = at_home(&env);
    write_many(&env, 400, "later");
    // No file may grow beyond so many blocks of 512 bytes: to SQLite a disk without room.
    let n_blocks = project.index().place().database().metadata().unwrap().len() / 512 + 8;
    let script = format!("trap '' XFSZ; ulimit -f {n_blocks}; exec \"$@\"");
    let limited = |arguments: &[&str]| {
        let mut all = vec!["-c".to_owned(), script.clone(), "sh".to_owned(), env!("CARGO_BIN_EXE_mimi").to_owned()];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        env.program("/bin/sh", all).outcome()
    };
    let outcome = limited(&["search", "evict_expired", "-n", "1"]).success();
    assert!(outcome.stdout.starts_with("src/cache.rs"), "{outcome}");
    let notes: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("note: ")).collect();
    assert_eq!(notes.len(), 1, "{outcome}");
    assert!(notes[0].contains("the index is as before") || notes[0].contains("no room"), "{outcome}");
    let outcome = env.run(["search", "symbol:later_made_399", "-n", "1"]).outcome().success();
    assert!(outcome.stdout.starts_with("many/399.rs"), "{outcome}");
    assert!(env.run(["index", "--verify"]).outcome().success().stdout.contains("sound"));
    assert_eq!(check(&project.index().place().database()), "ok");
}

#[test]
fn a_search_that_wrote_keeps_the_indexes_of_all_projects_within_their_bound() {
    let mut env = Env::new();
    env.set("MIMI_INDEX_MAX_MB", "4");
    FILES.iter().for_each(|(path, text)| drop(env.write(path, text)));
    let all = env.home().join(".cache/mimi/index");
    let old = |name: &str, hours: u64| {
        let folder = all.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("index.db"), vec![0; 2_500_000]).unwrap();
        let lock = std::fs::File::create(folder.join("index.lock")).unwrap();
        lock.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600 * hours)).unwrap();
        folder
    };
    let (older, newer) = (old("older", 9), old("newer", 1));
    let own = at_home(&env).index().place().folder.clone();
    env.run(["search", "evict_expired"]).outcome().success();
    assert!(!older.exists(), "used longest ago");
    assert!(own.join("index.db").exists(), "its own stays");
    let size = |folder: &std::path::Path| -> u64 {
        let files = std::fs::read_dir(folder).into_iter().flatten();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    };
    assert!(size(&own) + size(&newer) <= 4_000_000, "{} and {}", size(&own), size(&newer));
}
