//! Do many processes and work trees share one index without spoiling it?

use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use mimi::index::engine::{Index, Settling};
use mimi::index::error::IndexError;
use mimi::index::search::Sides;
use mimi::index::search::route::Query;

use crate::db::{check, number};
use crate::index::{FILES, Project};

#[test]
fn work_trees_of_one_repository_share_documents_and_see_only_their_own_files() {
    let project = Project::new(&[]);
    let config = "[remote \"origin\"]\n\turl = https://host.example/team/app\n";
    for (path, text) in FILES {
        project.write(&format!("one/{path}"), text);
        project.write(&format!("two/{path}"), text);
    }
    project.write("one/.git/config", config);
    project.write("two/.git/config", config);
    project.write("two/src/only_here.rs", "fn only_in_two() {}\n");
    let index = |name: &str| Index::of(&project.cache(), &project.root().join(name)).unwrap();
    let first = index("one").settle(&Settling::PLAIN).unwrap();
    let second = index("two").settle(&Settling::PLAIN).unwrap();
    assert_eq!(first.updated.n_parsed, FILES.len());
    assert_eq!(second.updated.n_parsed, 1, "only what the other has not");
    let found = |name: &str| index(name).search(&Query::parse("symbol:only_in_two"), 5, Sides::All).unwrap().len();
    assert_eq!((found("one"), found("two")), (0, 1));
}

#[test]
fn while_another_writes_a_search_answers_with_what_is_there_and_says_so() {
    let project = Project::new(FILES);
    project.settle();
    let elected = project.index().place().elect(Duration::ZERO).unwrap();
    project.write("src/later.rs", "fn comes_later() {}\n");
    let settled = project.index().settle(&Settling { patience: Duration::ZERO, ..Settling::PLAIN }).unwrap();
    assert!(settled.notes[0].contains("another mimi is writing"), "{:?}", settled.notes);
    assert_eq!(project.index().search(&Query::parse("evict_expired"), 5, Sides::All).unwrap()[0].path, "src/cache.rs");
    assert!(matches!(project.index().forget(), Err(IndexError::Writing)));
    drop(elected);
    assert_eq!(project.paths("comes_later")[0], "src/later.rs");
}

#[test]
fn a_deadline_is_kept_and_the_rest_comes_next_time() {
    let project = Project::new(FILES);
    let past = Settling { deadline: Some(Instant::now()), ..Settling::PLAIN };
    let settled = project.index().settle(&past).unwrap();
    assert_eq!(settled.updated.n_left, FILES.len());
    assert!(settled.notes[0].contains("not looked at yet"), "{:?}", settled.notes);
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
}

#[test]
fn a_damaged_database_is_built_anew_with_one_line() {
    let project = Project::new(FILES);
    project.settle();
    let path = project.index().place().database();
    std::fs::write(&path, "this is no database, and long enough to be seen as none".repeat(100)).unwrap();
    let settled = project.settle();
    assert_eq!(settled.notes.len(), 1, "{:?}", settled.notes);
    assert!(settled.notes[0].contains("damaged"), "{:?}", settled.notes);
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
    assert_eq!(check(&path), "ok");
}

#[test]
fn a_database_spoiled_in_the_middle_is_noticed_and_built_anew() {
    let project = Project::new(FILES);
    project.settle();
    let path = project.index().place().database();
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let size = path.metadata().unwrap().len();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    for at in (4096..size).step_by(512) {
        file.write_at(&[0xa5; 512], at).unwrap();
    }
    project.write("src/new.rs", "fn after_the_damage() {}\n");
    let settled = project.settle();
    assert!(settled.notes.iter().any(|note| note.contains("damaged")), "{:?}", settled.notes);
    assert_eq!(project.paths("after_the_damage")[0], "src/new.rs");
}

#[test]
fn an_index_of_an_older_mimi_is_built_anew_and_one_of_a_newer_is_left_alone() {
    let project = Project::new(FILES);
    project.settle();
    let path = project.index().place().database();
    let change = |sql: &str| rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    change("UPDATE meta SET value = 0 WHERE key = 'content'");
    let settled = project.settle();
    assert!(settled.notes[0].contains("older mimi"), "{:?}", settled.notes);
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
    change("UPDATE meta SET value = 99 WHERE key = 'content'");
    let n_documents = number(&path, "SELECT count(*) FROM blob");
    project.write("src/new.rs", "fn beside_the_newer_one() {}\n");
    let settled = project.settle();
    assert!(settled.notes.len() == 1 && settled.notes[0].contains("newer mimi"), "{:?}", settled.notes);
    assert_eq!(project.paths("beside_the_newer_one")[0], "src/new.rs", "it is searched all the same");
    change("UPDATE meta SET value = 1 WHERE key = 'content'; PRAGMA user_version = 99");
    assert!(project.settle().notes.is_empty(), "it is said once");
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
    project.index().forget().unwrap();
    assert_eq!(number(&path, "SELECT count(*) FROM blob"), n_documents, "nothing of the newer one is touched");
}

#[test]
fn what_no_work_tree_has_is_forgotten_by_prune_and_nothing_else() {
    let project = Project::new(FILES);
    project.settle();
    project.write("src/cache.rs", "fn changed() {}\n");
    project.remove("lib/paint.py");
    project.settle();
    let (n_documents, _) = project.index().prune(u64::MAX).unwrap();
    assert_eq!(n_documents, 2);
    assert_eq!(project.index().verify().unwrap(), Vec::<String>::new());
    assert!(project.paths("symbol:Canvas").is_empty());
    assert_eq!(project.paths("symbol:HttpClient")[0], "src/net/retry.rs");
}

#[test]
fn readers_and_writers_at_once_meet_no_error() {
    let project = Project::new(FILES);
    project.settle();
    let until = Instant::now() + Duration::from_millis(700);
    std::thread::scope(|scope| {
        for n in 0..3 {
            let project = &project;
            scope.spawn(move || {
                let mut round = 0;
                while Instant::now() < until {
                    round += 1;
                    project.write(&format!("src/made{n}.rs"), format!("fn made_{n}_{round}() {{}}\n"));
                    project.settle();
                }
            });
        }
        for _ in 0..4 {
            let project = &project;
            scope.spawn(move || {
                while Instant::now() < until {
                    let hits = project.index().search(&Query::parse("evict_expired"), 5, Sides::All).unwrap();
                    assert_eq!(hits[0].path, "src/cache.rs");
                }
            });
        }
    });
    project.settle();
    assert_eq!(project.index().verify().unwrap(), Vec::<String>::new());
    assert_eq!(check(&project.index().place().database()), "ok");
}
