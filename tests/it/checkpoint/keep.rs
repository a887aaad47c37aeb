//! Is the content of every file kept once, privately, or said not to be?

use std::os::unix::fs::{PermissionsExt as _, symlink};

use mimi::base::fault::Fault;
use mimi::base::hash;
use mimi::checkpoint::error::CheckpointError;
use mimi::checkpoint::store::{Kept, MAX_FILE_BYTES, Skipped, Store};

use super::Place;

fn kept_files(place: &Place) -> Vec<std::path::PathBuf> {
    let list = |path| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    list(place.kept()).filter(|path| path.is_dir()).flat_map(list).collect()
}

#[test]
fn equal_contents_are_kept_once_and_only_for_the_user() {
    let place = Place::new();
    place.write("a", "same");
    place.write("b", "same");
    std::fs::set_permissions(place.path("b"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let hash = hash::of_bytes(b"same");
    let content = |mode| Kept::Content { hash: hash.clone(), mode };
    std::fs::set_permissions(place.path("a"), std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(place.store.keep(&place.path("a")).unwrap(), content(0o640));
    assert_eq!(place.store.keep(&place.path("b")).unwrap(), content(0o755));
    let files = kept_files(&place);
    assert_eq!(files, [place.kept().join(&hash[..2]).join(&hash)], "too short to be compressed");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&files[0]), mode(&place.kept())), (0o600, 0o700));
    assert_eq!(place.store.load(&hash).unwrap(), b"same");
}

#[test]
fn what_is_not_kept_is_never_taken_for_missing() {
    let place = Place::new();
    place.write("real", "x");
    symlink(place.path("real"), place.path("link")).unwrap();
    symlink(place.path("nowhere"), place.path("dangling")).unwrap();
    std::fs::create_dir(place.path("folder")).unwrap();
    std::fs::File::create(place.path("huge")).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    let table = [
        ("missing", Kept::Missing),
        ("real/below-a-file", Kept::Missing),
        ("link", Kept::Skipped(Skipped::Link)),
        ("dangling", Kept::Skipped(Skipped::Link)),
        ("folder", Kept::Skipped(Skipped::NotAFile)),
        ("huge", Kept::Skipped(Skipped::TooLarge { bytes: MAX_FILE_BYTES + 1 })),
    ];
    for (name, expected) in table {
        let kept = place.store.keep(&place.path(name)).unwrap();
        assert_eq!(kept, expected, "{name}");
        assert_eq!(kept.change(&place.path(name)).unwrap(), None, "{name}");
    }
    let pipe = std::os::unix::net::UnixListener::bind(place.path("socket")).unwrap();
    assert_eq!(place.store.keep(&place.path("socket")).unwrap(), Kept::Skipped(Skipped::NotAFile));
    drop(pipe);
}

#[test]
fn a_call_that_changed_nothing_leaves_no_change() {
    let place = Place::new();
    place.write("a", "x");
    let kept = place.store.keep(&place.path("a")).unwrap();
    place.write("a", "x");
    assert_eq!(kept.change(&place.path("a")).unwrap(), None);
}

#[test]
fn damaged_missing_and_false_hashes_are_errors() {
    let place = Place::new();
    place.write("a", "good");
    place.store.keep(&place.path("a")).unwrap();
    let hash = hash::of_bytes(b"good");
    std::fs::write(kept_files(&place).remove(0), b"evil").unwrap();
    assert!(matches!(place.store.load(&hash), Err(CheckpointError::Damaged { .. })));
    assert!(matches!(place.store.load(&hash::of_bytes(b"none")), Err(CheckpointError::Load { .. })));
    // A torn content is written again.
    for bad in ["", "a", "../../../../etc/passwd", &"G".repeat(64), &"é".repeat(32)] {
        assert!(matches!(place.store.load(bad), Err(CheckpointError::BadHash { .. })), "{bad}");
    }
    // A torn content of another length is written again.
    std::fs::write(kept_files(&place).remove(0), b"").unwrap();
    place.store.keep(&place.path("a")).unwrap();
    assert_eq!(place.store.load(&hash).unwrap(), b"good");
}

#[test]
fn long_contents_are_compressed_and_what_was_kept_plain_before_is_still_read() {
    let place = Place::new();
    place.write("a", &"the same line again\n".repeat(1000));
    place.store.keep(&place.path("a")).unwrap();
    let files = kept_files(&place);
    assert!(files[0].extension().is_some_and(|ending| ending == "lz4"), "{files:?}");
    assert!(files[0].metadata().unwrap().len() < 500);
    let old = "kept by an earlier version, as it is ".repeat(20);
    let hash = hash::of_bytes(old.as_bytes());
    std::fs::create_dir_all(place.kept().join(&hash[..2])).unwrap();
    std::fs::write(place.kept().join(&hash[..2]).join(&hash), &old).unwrap();
    assert_eq!(place.store.load(&hash).unwrap(), old.as_bytes());
    place.write("b", &old);
    place.store.keep(&place.path("b")).unwrap();
    assert_eq!(kept_files(&place).len(), 2, "kept once");
}

#[test]
fn a_store_that_cannot_be_made_is_named() {
    let place = Place::new();
    place.write("file", "");
    let fault = Fault::from(Store::open(&place.path("file")).unwrap_err());
    assert!(fault.message.contains("file`") && fault.hints[0].contains("XDG_STATE_HOME"), "{fault}");
}
