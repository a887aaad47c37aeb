//! Is what a search finds what is in the files at this moment?

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use mimi::index::search::Sides;
use mimi::index::search::route::Query;

use crate::index::{FILES, Project, holds, rename};

#[test]
fn an_edit_made_just_now_is_found_also_when_size_and_time_stay_the_same() {
    let project = Project::new(FILES);
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
    let path = project.root().join("src/cache.rs");
    let before = path.metadata().unwrap().modified().unwrap();
    let text = std::fs::read_to_string(&path).unwrap().replace("evict_expired", "purge_overdue");
    std::fs::write(&path, text).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
    assert_eq!(project.paths("purge_overdue")[0], "src/cache.rs");
    assert!(!project.paths("symbol:evict_expired").contains(&"src/cache.rs".to_owned()));
}

#[test]
fn new_deleted_renamed_and_moved_files_are_followed() {
    let project = Project::new(FILES);
    project.settle();
    project.write("deep/er/new.rs", "fn brand_new_thing() {}\n");
    assert_eq!(project.paths("symbol:brand_new_thing"), ["deep/er/new.rs"]);
    rename(&project.root().join("deep"), &project.root().join("Deep"));
    assert_eq!(project.paths("symbol:brand_new_thing"), ["Deep/er/new.rs"]);
    rename(&project.root().join("Deep/er/new.rs"), &project.root().join("Deep/er/other.rs"));
    assert_eq!(project.paths("symbol:brand_new_thing"), ["Deep/er/other.rs"]);
    project.remove("Deep/er/other.rs");
    assert!(project.paths("symbol:brand_new_thing").is_empty());
}

#[test]
fn a_search_without_changes_writes_nothing() {
    let project = Project::new(FILES);
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    project.settle();
    // What was just written is looked at again until its times tell; the change of a file's own time cannot be set back,
    // so that this test waits for nothing and only counts.
    let again = project.settle();
    assert_eq!((again.updated.n_parsed, again.updated.n_chunks), (0, 0));
    let place = project.index().place().folder.clone();
    std::fs::File::options().append(true).open(place.join("index.lock")).unwrap().set_modified(long_ago).unwrap();
    let read_only = project.index().search(&Query::parse("evict_expired"), 5, Sides::All).unwrap();
    assert_eq!(read_only[0].path, "src/cache.rs");
    assert_eq!(place.join("index.lock").metadata().unwrap().modified().unwrap(), long_ago);
}

#[test]
fn going_back_to_another_branch_parses_nothing_again() {
    let project = Project::new(FILES);
    project.settle();
    let path = project.root().join("src/cache.rs");
    let first = std::fs::read(&path).unwrap();
    project.write("src/cache.rs", "fn another_branch() {}\n");
    assert_eq!(project.settle().updated.n_parsed, 1);
    std::fs::write(&path, first).unwrap();
    let back = project.settle();
    assert_eq!(back.updated.n_parsed, 0, "{back:?}");
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
    assert!(!project.paths("symbol:another_branch").contains(&"src/cache.rs".to_owned()));
}

#[test]
fn ignore_rules_count_from_the_moment_they_change() {
    let project = Project::new(FILES);
    assert!(project.paths("draw_line").contains(&"lib/paint.py".to_owned()));
    project.write(".mimiignore", "lib/\n");
    assert!(!project.paths("draw_line").contains(&"lib/paint.py".to_owned()));
    project.write(".mimiignore", "nothing/\n");
    assert!(project.paths("draw_line").contains(&"lib/paint.py".to_owned()));
    project.write("src/net/.gitignore", "retry.rs\n");
    assert!(project.paths("symbol:HttpClient").is_empty());
}

#[test]
fn a_folder_that_becomes_a_link_leads_nowhere() {
    let project = Project::new(FILES);
    project.settle();
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir(outside.path().join("net")).unwrap();
    std::fs::write(outside.path().join("net/retry.rs"), "fn outside_of_the_project() {}\n").unwrap();
    std::fs::remove_dir_all(project.root().join("src")).unwrap();
    std::os::unix::fs::symlink(outside.path(), project.root().join("src")).unwrap();
    assert!(project.paths("symbol:outside_of_the_project").is_empty());
    assert!(project.paths("symbol:HttpClient").is_empty());
    assert!(!holds(&project.bytes(), "outside_of_the_project"));
}

#[test]
fn what_cannot_be_read_is_said_and_found_once_it_can() {
    if mimi::base::path::user_id() == 0 {
        // Nothing is closed to root; the rest of this file still runs.
        return;
    }
    let project = Project::new(FILES);
    let path = project.root().join("src/cache.rs");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    let settled = project.settle();
    assert!(settled.notes.iter().any(|note| note.contains("cannot be read")), "{:?}", settled.notes);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
}

#[test]
fn a_folder_that_opens_to_nobody_is_said_and_the_rest_is_searched() {
    use rustix::fs::{Mode, OFlags, mkdirat, open, openat};
    let project = Project::new(FILES);
    let flags = OFlags::DIRECTORY | OFlags::RDONLY;
    // Deeper than any path may be long, so that root cannot read it either.
    let name = "n".repeat(250);
    let mut folder = open(project.root(), flags, Mode::empty()).unwrap();
    for _ in 0..20 {
        mkdirat(&folder, &name, Mode::RWXU).unwrap();
        folder = openat(&folder, &name, flags, Mode::empty()).unwrap();
    }
    let settled = project.settle();
    let said = settled.notes.iter().filter(|note| note.contains("cannot be read")).count();
    assert_eq!(said, 1, "{:?}", settled.notes);
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
}

#[test]
fn a_clock_that_was_set_back_hides_no_change() {
    let project = Project::new(FILES);
    let path = project.root().join("src/cache.rs");
    let ahead = SystemTime::now() + Duration::from_secs(86_400);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(ahead).unwrap();
    project.settle();
    std::fs::write(&path, "fn written_under_another_clock() {}\n").unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(ahead).unwrap();
    assert_eq!(project.paths("written_under_another_clock")[0], "src/cache.rs");
    // Written after the clock was set back by a year: older than what is in the index.
    project.write("src/cache.rs", "fn written_a_year_before() {}\n");
    let before = SystemTime::now() - Duration::from_secs(365 * 86_400);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
    assert_eq!(project.paths("written_a_year_before")[0], "src/cache.rs");
    assert!(project.paths("symbol:written_under_another_clock").is_empty());
}

#[test]
fn a_file_that_changes_while_it_is_read_is_named_and_comes_when_it_is_quiet() {
    let project = Project::new(FILES);
    // As large as files that are read may be, so that reading takes a while.
    let filler = "// a line that says nothing\n".repeat(18_000);
    project.write("src/restless.rs", format!("{filler}fn found_once_it_is_quiet() {{}}\n"));
    let file = std::fs::File::options().write(true).open(project.root().join("src/restless.rs")).unwrap();
    let is_over = AtomicBool::new(false);
    let noted = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in (1..).take_while(|_| !is_over.load(Ordering::Relaxed)) {
                file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_nanos(n)).unwrap();
            }
        });
        // Where the other thread does not run just then, the file keeps still: once is enough.
        let noted = (0..5000).any(|_| {
            let settled = project.settle();
            assert!(!project.index().search(&Query::parse("HttpClient"), 3, Sides::All).unwrap().is_empty());
            settled.notes.iter().any(|note| note == "1 file changed while being read; the next search looks again")
        });
        is_over.store(true, Ordering::Relaxed);
        noted
    });
    assert!(noted, "5000 times nothing changed while it was read");
    assert_eq!(project.paths("found_once_it_is_quiet")[0], "src/restless.rs");
    assert!(project.settle().notes.is_empty());
}

#[test]
fn a_change_of_mode_alone_parses_nothing_and_loses_nothing() {
    let project = Project::new(FILES);
    project.settle();
    let path = project.root().join("src/cache.rs");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let settled = project.settle();
    assert!(settled.updated.n_read >= 1);
    assert_eq!(settled.updated.n_parsed, 0);
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
}

#[test]
fn changes_in_more_folders_than_are_listed_one_by_one_are_all_found() {
    let project = Project::new(FILES);
    for n in 0..250 {
        project.write(&format!("many/f{n}/a.txt"), format!("text {n}\n"));
    }
    project.settle();
    for n in 0..250 {
        project.write(&format!("many/f{n}/b.txt"), format!("second{n}\n"));
    }
    project.remove("many/f7/a.txt");
    let settled = project.settle();
    assert_eq!((settled.updated.n_parsed, settled.updated.n_gone), (250, 1));
    assert_eq!(project.paths("second249")[0], "many/f249/b.txt");
}

#[test]
fn a_file_of_half_a_gigabyte_is_known_by_its_size_and_not_read() {
    let project = Project::new(FILES);
    // A hole: there is nothing on the disk, and reading it would still take its time.
    std::fs::File::create(project.root().join("dump.sql")).unwrap().set_len(500 << 20).unwrap();
    project.settle();
    assert_eq!(project.index().status().unwrap().unwrap().passed.get("too large"), Some(&1));
    std::fs::write(project.root().join("dump.sql"), "-- now it is small_enough\n").unwrap();
    assert_eq!(project.paths("small_enough")[0], "dump.sql");
}
