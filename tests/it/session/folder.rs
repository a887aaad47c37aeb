//! Are sessions found, listed, deleted and copied, whatever lies in their folder?

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use mimi::base::fault::{Fault, Kind};
use mimi::protocol::event::{Author, Event};
use mimi::protocol::message::Usage;
use mimi::session::error::SessionError;
use mimi::session::fork::fork;
use mimi::session::header::Header;
use mimi::session::journal::Journal;
use mimi::session::list;
use mimi::session::reader::load;

use super::{BEGIN_MS, Sessions, clock, turn, user, write};

#[test]
fn the_list_tells_the_latest_first_and_what_each_is_about() {
    let sessions = Sessions::new();
    let mut one = sessions.begin("0193aaaa-1", "a", 0);
    write(&mut one, &[Event::UserMessage { author: Author::Project, text: "x".repeat(100_000) }]);
    write(&mut one, &turn(1, "fix the parser\nplease"));
    let usage = Event::Usage {
        usage: Usage::default(),
        model: "m1".into(),
        context_tokens: 0,
        window_tokens: 0,
        stats: Default::default(),
    };
    write(&mut sessions.begin("0193aaaa-2", "b", 5000), &[turn(1, "two"), turn(2, "more"), vec![usage]].concat());
    drop(sessions.begin("0193aaab-3", "a", 9000));
    sessions.put("garbage.jsonl", b"\0\0garbage");
    sessions.put("notes.txt", b"not a session");
    sessions.put(".half.jsonl.mimi-1", b"{");
    std::fs::create_dir(sessions.path().join("folder.jsonl")).unwrap();
    std::fs::write(sessions.path().join(std::ffi::OsStr::from_bytes(b"\xff.jsonl")), b"{").unwrap();

    let all = list::summaries(&sessions.path(), None).unwrap();
    let seen: Vec<_> = all.iter().map(|s| (s.id.as_str(), s.title.as_deref(), s.turns, s.model.as_deref())).collect();
    assert_eq!(
        seen,
        [
            ("0193aaab-3", None, 0, None),
            ("0193aaaa-2", Some("two"), 2, Some("m1")),
            ("0193aaaa-1", Some("fix the parser"), 1, None),
        ]
    );
    let short: Vec<_> = all.iter().map(|s| s.short_id.as_str()).collect();
    assert_eq!(short, ["0193aaab", "0193aaaa-2", "0193aaaa-1"]);
    assert_eq!(all[2].created_ms, BEGIN_MS);
    assert!(all[2].active_ms > BEGIN_MS);
    let of_a = list::summaries(&sessions.path(), Some(Path::new("/work/a"))).unwrap();
    assert_eq!(of_a.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["0193aaab-3", "0193aaaa-1"]);
    let latest = list::latest(&sessions.path(), Path::new("/work/a")).unwrap().unwrap();
    assert_eq!(latest.id, "0193aaaa-1", "a session in which nobody said anything is not gone on with");
    assert_eq!(list::latest(&sessions.path(), Path::new("/nowhere")).unwrap(), None);
    assert_eq!(list::summaries(&sessions.path().join("missing"), None).unwrap(), []);
}

#[test]
fn a_turn_longer_than_the_tail_is_still_counted() {
    let sessions = Sessions::new();
    let mut journal = sessions.begin("long", "a", 0);
    write(&mut journal, &turn(1, "hi"));
    write(&mut journal, &[Event::TurnStarted { turn: 2 }, user(&"y".repeat(300_000))]);
    let summary = &list::summaries(&sessions.path(), None).unwrap()[0];
    assert_eq!((summary.turns, summary.title.as_deref()), (2, Some("hi")));
}

#[test]
fn a_thousand_sessions_list_from_heads_and_tails() {
    let sessions = Sessions::new();
    let mut journal = sessions.begin("model", "a", 0);
    write(&mut journal, &turn(1, "hi"));
    let bytes = std::fs::read(journal.path()).unwrap();
    for n in 0..1000 {
        sessions.put(&format!("s{n:04}.jsonl"), &bytes);
    }
    assert_eq!(list::summaries(&sessions.path(), None).unwrap().len(), 1001);
}

#[test]
fn an_id_is_found_by_its_beginning_when_that_is_clear() {
    let sessions = Sessions::new();
    for id in ["aa", "aab", "ab c'd\"", "ü"] {
        drop(sessions.begin(id, "a", 0));
    }
    let find = |prefix: &str| list::find(&sessions.path(), prefix).map(|path| path.file_name().unwrap().to_owned());
    assert_eq!(find("aab").unwrap(), "aab.jsonl");
    assert_eq!(find("aa").unwrap(), "aa.jsonl", "a whole id is clear");
    assert_eq!(find("ab").unwrap(), "ab c'd\".jsonl");
    assert_eq!(find("ü").unwrap(), "ü.jsonl");
    let fault = Fault::from(find("a").unwrap_err());
    assert_eq!(fault.message, "`a` could be any of 3 sessions: ab c'd\", aab, aa");
    for prefix in ["", "zz", "../sessions/aa", "aa.jsonl", "\u{1b}[2J"] {
        let fault = Fault::from(find(prefix).unwrap_err());
        assert_eq!(
            (fault.kind, fault.hints.as_slice()),
            (Kind::Usage, ["mimi session list --all".to_owned()].as_slice())
        );
        assert!(!fault.message.contains('\u{1b}'));
    }
}

#[test]
fn ids_that_would_leave_the_folder_are_refused() {
    let sessions = Sessions::new();
    for id in ["", ".", "..", ".hidden", "a/b", "../x", "a\0b"] {
        let mut header = Header::new(Path::new("/work/a"), clock().as_ref());
        header.id = id.to_owned();
        let made = Journal::create(&sessions.path(), header, clock());
        assert!(matches!(made, Err(SessionError::BadId { .. })), "{id:?}");
    }
}

fn kept_path(transcript: &mimi::session::transcript::Transcript) -> std::path::PathBuf {
    match transcript.kept_since(1).remove(0) {
        mimi::session::transcript::Kept::File(change) => change.path,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_workspace_whose_name_is_not_text_keeps_its_sessions() {
    let sessions = Sessions::new();
    let workspace = Path::new(std::ffi::OsStr::from_bytes(b"/work/\xff\n\"odd"));
    let mut journal = Journal::create(&sessions.path(), Header::new(workspace, clock().as_ref()), clock()).unwrap();
    let path = workspace.join("file");
    let change = Event::Checkpointed { turn: 1, path: path.clone(), before: None, after: None, mode: Some(0o644) };
    write(&mut journal, &[user("hi"), change]);
    assert_eq!(list::latest(&sessions.path(), workspace).unwrap().unwrap().workspace, workspace);
    assert_eq!(kept_path(&load(journal.path()).unwrap().transcript), path);
}

#[test]
fn files_are_private_and_an_open_folder_is_told() {
    let sessions = Sessions::new();
    let journal = sessions.begin("a", "a", 0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(journal.path()), mode(&sessions.path())), (0o600, 0o700));
    assert_eq!(journal.notes(), [] as [&str; 0]);
    std::fs::set_permissions(sessions.path(), std::fs::Permissions::from_mode(0o770)).unwrap();
    let journal = sessions.begin("b", "a", 0);
    assert!(journal.notes()[0].contains("chmod 700"), "{:?}", journal.notes());
    assert_eq!(mode(journal.path()), 0o600);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_a_way_out() {
    // A file in the place of the folder fails for every user; a mode would not stop root.
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("sessions");
    std::fs::write(&blocked, b"").unwrap();
    let header = Header::new(Path::new("/work/a"), clock().as_ref());
    let fault = Fault::from(Journal::create(&blocked, header.clone(), clock()).map(|_| ()).unwrap_err());
    assert_eq!(fault.kind, Kind::Config);
    assert!(fault.message.contains("sessions`") && fault.hints[0].contains("XDG_STATE_HOME"), "{fault}");
    // `/proc` takes no new files, whoever asks: as good as a disk mounted read-only.
    let fault = Fault::from(Journal::create(Path::new("/proc"), header, clock()).map(|_| ()).unwrap_err());
    assert!(fault.message.contains("`/proc`") && fault.hints[0].contains("XDG_STATE_HOME"), "{fault}");
}

#[test]
fn old_sessions_go_unless_they_are_in_use_or_none() {
    let sessions = Sessions::new();
    let age = |path: &Path, days: u64| {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(
            SystemTime::UNIX_EPOCH + Duration::from_millis(BEGIN_MS) - Duration::from_secs(days * 86_400),
        )
        .unwrap();
    };
    let used = sessions.begin("used", "a", 0);
    age(used.path(), 100);
    age(sessions.begin("old", "a", 0).path(), 91);
    age(sessions.begin("young", "a", 0).path(), 89);
    age(&sessions.put("notes.jsonl", b"mine"), 500);
    age(&sessions.put(".x.jsonl.mimi-7", b"{"), 2);
    age(&sessions.put(".y.jsonl.mimi-7", b"{"), 0);
    assert_eq!(list::prune(&sessions.path(), 0, BEGIN_MS).unwrap(), [] as [&str; 0]);
    assert_eq!(list::prune(&sessions.path(), u64::MAX, BEGIN_MS).unwrap(), [] as [&str; 0]);
    assert_eq!(list::prune(&sessions.path(), 90, BEGIN_MS).unwrap(), ["old"]);
    let left = |name: &str| sessions.path().join(name).exists();
    assert!(!left(".x.jsonl.mimi-7") && left(".y.jsonl.mimi-7"), "only copies that are surely cut off go");
    assert!(left("used.jsonl") && left("young.jsonl") && left("notes.jsonl") && !left("old.jsonl"));
}

#[test]
fn a_copy_ends_where_it_is_told_and_goes_its_own_way() {
    let sessions = Sessions::new();
    let mut journal = sessions.begin("source", "a", 0);
    let undone = Event::Undone { turn: 2, restored: vec![], conflicts: vec![], checkpoint: None };
    write(&mut journal, &[turn(1, "one"), turn(2, "two"), vec![undone], turn(3, "three")].concat());
    let before = std::fs::read(journal.path()).unwrap();

    let words = |path: &Path| {
        let messages = load(path).unwrap().transcript.messages;
        let users = messages.iter().filter_map(|m| match m {
            mimi::protocol::message::Message::User { text, .. } => Some(text.clone()),
            _ => None,
        });
        users.collect::<Vec<_>>()
    };
    let whole = fork(journal.path(), None, clock().as_ref()).unwrap();
    assert_eq!((words(&whole.path), whole.records), (vec!["one".to_owned(), "three".to_owned()], 19));
    let early = fork(journal.path(), Some(2), clock().as_ref()).unwrap();
    assert_eq!(words(&early.path), ["one", "two"], "a turn taken back later stands again");
    assert_eq!(load(&early.path).unwrap().header.forked_from.as_deref(), Some("source"));
    assert_eq!(std::fs::metadata(&early.path).unwrap().permissions().mode() & 0o777, 0o600);

    let (mut copy, transcript) = Journal::resume(&early.path, clock()).unwrap();
    assert_eq!(transcript.undoable().unwrap(), 2);
    write(&mut copy, &turn(3, "elsewhere"));
    assert_eq!(std::fs::read(journal.path()).unwrap(), before, "the source stays as it is");

    let listed = list::summaries(&sessions.path(), None).unwrap();
    assert_ne!(listed[0].id, "source", "a copy is newer than what it holds");
    for bad in [0, 4] {
        let fault = Fault::from(fork(journal.path(), Some(bad), clock().as_ref()).unwrap_err());
        assert_eq!(fault.message, format!("session `source` has no turn {bad}; it has 3 turns"));
    }
    assert_eq!(list::summaries(&sessions.path(), None).unwrap().len(), 3, "a refused copy leaves nothing");
}
