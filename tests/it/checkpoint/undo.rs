//! Do files go back, and stay when somebody else touched them?

use std::os::unix::fs::{PermissionsExt as _, symlink};

use mimi::checkpoint::node::Delta;
use mimi::checkpoint::undo::{carry_out, plan};
use mimi::protocol::diff::Change;

use super::Place;

/// Takes back and says what became of the files: restored names, then names with reasons.
fn take_back(place: &Place, changes: &[Change]) -> (Vec<String>, Vec<String>) {
    let deltas: Vec<Delta> = changes.iter().cloned().map(Delta::from).collect();
    let plan = plan(&place.store, &deltas).unwrap();
    let root = place.path("");
    let report = carry_out(&place.store, plan, &root, &place.rescue()).unwrap();
    let name = |path: &std::path::Path| path.strip_prefix(&root).unwrap().display().to_string();
    let restored = report.restored.iter().map(|path| name(path)).collect();
    let conflicts = report.left.iter().map(|left| format!("{}: {}", name(&left.path), left.why)).collect();
    (restored, conflicts)
}

#[test]
fn changed_created_and_removed_files_go_back() {
    let place = Place::new();
    place.write("changed", "one");
    place.write("deep/removed", "content");
    std::fs::set_permissions(place.path("deep/removed"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let changes = [
        place.change("changed", Some("two")),
        place.change("new", Some("made")),
        place.change("deep/removed", None),
        place.change("changed", Some("three")),
        place.change("new", Some("made again")),
    ];
    std::fs::remove_dir(place.path("deep")).unwrap();
    let expected = (vec!["changed".into(), "deep/removed".into(), "new".into()], vec![]);
    assert_eq!(take_back(&place, &changes), expected);
    assert_eq!(place.read("changed").as_deref(), Some("one"));
    assert_eq!(place.read("deep/removed").as_deref(), Some("content"));
    assert_eq!(place.read("new"), None);
    let mode = std::fs::metadata(place.path("deep/removed")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o777, "also bits the umask would take");
    // What a crash after the last file leaves to do: nothing.
    assert_eq!(take_back(&place, &changes), expected);
}

#[test]
fn what_somebody_else_did_since_is_not_touched() {
    let place = Place::new();
    for name in ["edited", "deleted", "removed", "fine"] {
        place.write(name, "one");
    }
    let changes = [
        place.change("edited", Some("two")),
        place.change("deleted", Some("two")),
        place.change("removed", None),
        place.change("created", Some("two")),
        place.change("fine", Some("two")),
    ];
    place.write("edited", "two and mine");
    std::fs::remove_file(place.path("deleted")).unwrap();
    place.write("removed", "mine");
    place.write("created", "mine");
    let (restored, conflicts) = take_back(&place, &changes);
    assert_eq!(restored, ["fine"]);
    assert_eq!(
        conflicts,
        [
            "created: it changed since",
            "deleted: it was deleted since",
            "edited: it changed since",
            "removed: there is a new file of that name"
        ]
    );
    assert_eq!(place.read("edited").as_deref(), Some("two and mine"));
    assert_eq!(place.read("deleted"), None);
    assert_eq!(place.read("created").as_deref(), Some("mine"));
    let kept = |name: &str| std::fs::read_to_string(place.rescue().join(name)).ok();
    assert_eq!(kept("edited").as_deref(), Some("one"), "both versions are kept");
    assert_eq!((kept("created"), kept("fine")), (None, None));
}

#[test]
fn an_edit_of_the_user_between_two_changes_is_kept() {
    let place = Place::new();
    place.write("a", "one");
    let first = place.change("a", Some("two"));
    place.write("a", "two and mine");
    let second = place.change("a", Some("three"));
    let (restored, conflicts) = take_back(&place, &[first, second]);
    assert_eq!(restored, [] as [&str; 0]);
    assert!(conflicts[0].contains("only the later ones went back"), "{conflicts:?}");
    assert_eq!(place.read("a").as_deref(), Some("two and mine"));
}

#[test]
fn nothing_is_written_through_a_link() {
    let place = Place::new();
    place.write("file", "one");
    place.write("folder/file", "one");
    place.write("gone/file", "one");
    place.write("outside/file", "two");
    place.write("target", "two");
    let changes =
        [place.change("file", Some("two")), place.change("folder/file", Some("two")), place.change("gone/file", None)];
    std::fs::remove_file(place.path("file")).unwrap();
    symlink(place.path("target"), place.path("file")).unwrap();
    std::fs::remove_dir_all(place.path("folder")).unwrap();
    symlink(place.path("outside"), place.path("folder")).unwrap();
    std::fs::remove_dir(place.path("gone")).unwrap();
    symlink(place.path("not-there"), place.path("gone")).unwrap();
    let (restored, conflicts) = take_back(&place, &changes);
    assert_eq!(restored, [] as [&str; 0]);
    assert_eq!(conflicts.len(), 3, "{conflicts:?}");
    assert_eq!(conflicts[0], "file: it changed since", "a link in its place");
    assert!(conflicts[1..].iter().all(|text| text.contains("no longer a regular file")), "{conflicts:?}");
    assert_eq!(place.read("target").as_deref(), Some("two"));
    assert_eq!(place.read("outside/file").as_deref(), Some("two"));
    assert!(!place.path("not-there").exists());
}

#[test]
fn a_file_whose_old_content_is_gone_stays_and_the_others_go_back() {
    let place = Place::new();
    place.write("a", "one");
    place.write("b", "other");
    let changes = [place.change("a", Some("two")), place.change("b", Some("two"))];
    let hash = changes[0].before.clone().unwrap();
    std::fs::remove_file(place.kept().join(&hash[..2]).join(hash)).unwrap();
    let (restored, conflicts) = take_back(&place, &changes);
    assert_eq!(restored, ["b"]);
    assert!(conflicts[0].contains("its old content is gone"), "{conflicts:?}");
    assert_eq!(place.read("a").as_deref(), Some("two"));
}
