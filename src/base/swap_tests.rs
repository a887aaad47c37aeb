//! Is a file replaced whole, back again, or not at all?

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;

/// What is not put back within this time is lost.
const LIMIT: Duration = Duration::from_secs(20);

struct Desk {
    folder: PathBuf,
    pending: Arc<Pending>,
    _base: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().canonicalize().unwrap().join("work");
        std::fs::create_dir(&folder).unwrap();
        Self { pending: Pending::new(base.path().join("pending")), folder, _base: base }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn with(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    fn prepare(&self, name: &str, before: Option<&str>, after: Option<&str>) -> Result<Swap, SwapError> {
        let before = before.map_or(Before::Nothing, |text| Before::Content(Content::of(text.as_bytes())));
        let after = after.map_or(After::Nothing, |text| After::Content { bytes: text.as_bytes(), mode: 0o644 });
        Swap::prepare(&self.path(name), before, after, &self.pending)
    }

    fn text(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn a_file_appears_changes_and_goes_and_each_can_be_taken_back() {
    let table = [(None, Some("new")), (Some("old"), Some("new")), (Some("old"), None)];
    for (before, after) in table {
        for is_reverted in [false, true] {
            let desk = before.map_or_else(Desk::new, |text| Desk::new().with("f", text));
            let inode = std::fs::metadata(desk.path("f")).ok().map(|meta| meta.ino());
            let swap = desk.prepare("f", before, after).unwrap();
            assert_eq!(desk.text("f").as_deref(), before, "nothing happens before the commit");
            let done = swap.commit().unwrap();
            assert_eq!(desk.text("f").as_deref(), after);
            assert_eq!(done.hash(), after.map(|text| hash::of_bytes(text.as_bytes())).as_deref());
            let left = if is_reverted {
                done.revert().unwrap();
                assert_eq!(std::fs::metadata(desk.path("f")).ok().map(|meta| meta.ino()), inode, "the very same file");
                before
            } else {
                drop(done);
                after
            };
            assert_eq!(desk.text("f").as_deref(), left);
            assert_eq!(desk.names().len(), usize::from(left.is_some()), "{:?}", desk.names());
        }
    }
}

#[test]
fn what_changed_between_preparing_and_committing_stays() {
    let table: [(Option<&str>, Option<&str>, Option<&str>); 6] = [
        (None, Some("new"), Some("theirs")),
        (Some("old"), Some("new"), Some("theirs")),
        (Some("old"), Some("new"), Some("odd")),
        (Some("old"), Some("new"), None),
        (Some("old"), None, Some("theirs")),
        (Some("old"), None, None),
    ];
    for (before, after, theirs) in table {
        let desk = before.map_or_else(Desk::new, |text| Desk::new().with("f", text));
        let swap = desk.prepare("f", before, after).unwrap();
        match theirs {
            Some(text) => std::fs::write(desk.path("f"), text).unwrap(),
            None => std::fs::remove_file(desk.path("f")).unwrap(),
        }
        assert!(matches!(swap.commit(), Err(SwapError::Changed)), "{before:?} {after:?} {theirs:?}");
        assert_eq!(desk.text("f").as_deref(), theirs);
        assert_eq!(desk.names().len(), usize::from(theirs.is_some()), "{:?}", desk.names());
        assert!(matches!(desk.prepare("f", before, after), Err(SwapError::Changed)) || theirs == Some("odd"));
    }
}

#[test]
fn where_names_cannot_be_exchanged_the_old_file_comes_back_all_the_same() {
    for is_reverted in [false, true] {
        let desk = Desk::new().with("f", "old");
        let inode = std::fs::metadata(desk.path("f")).unwrap().ino();
        let mut swap = desk.prepare("f", Some("old"), Some("new")).unwrap();
        swap.way = Way::Link;
        let done = swap.commit().unwrap();
        assert_eq!((desk.text("f").as_deref(), desk.names().len()), (Some("new"), 2));
        if is_reverted {
            done.revert().unwrap();
            let back = (desk.text("f"), std::fs::metadata(desk.path("f")).unwrap().ino());
            assert_eq!(back, (Some("old".to_owned()), inode));
        } else {
            drop(done);
            assert_eq!(desk.text("f").as_deref(), Some("new"));
        }
        assert_eq!(desk.names(), ["f"]);
    }
    let desk = Desk::new().with("f", "old");
    let mut swap = desk.prepare("f", Some("old"), Some("new")).unwrap();
    swap.way = Way::Link;
    std::fs::write(desk.path("f"), "odd").unwrap();
    assert!(matches!(swap.commit(), Err(SwapError::Changed)));
    assert_eq!((desk.text("f").as_deref(), desk.names().len()), (Some("odd"), 1));
}

#[test]
fn what_was_changed_after_the_commit_is_not_taken_back() {
    let desk = Desk::new().with("f", "old");
    let done = desk.prepare("f", Some("old"), Some("new")).unwrap().commit().unwrap();
    std::fs::write(desk.path("f"), "theirs").unwrap();
    assert!(matches!(done.revert(), Err(SwapError::Changed)));
    assert_eq!((desk.text("f").as_deref(), desk.names().len()), (Some("theirs"), 1));
}

#[test]
fn a_change_that_is_not_made_leaves_nothing_not_even_a_folder() {
    let desk = Desk::new();
    drop(desk.prepare("deep/er/f", None, Some("new")).unwrap());
    assert_eq!(desk.names(), Vec::<String>::new());
    desk.prepare("deep/er/f", None, Some("new")).unwrap().commit().unwrap().revert().unwrap();
    assert_eq!(desk.names(), Vec::<String>::new());
    drop(desk.prepare("deep/er/f", None, Some("new")).unwrap().commit().unwrap());
    assert_eq!(desk.text("deep/er/f").as_deref(), Some("new"));
}

#[test]
fn what_is_no_plain_file_of_ours_is_refused_by_its_kind() {
    let desk = Desk::new().with("read-only", "a").with("linked", "a").with("plain", "a");
    std::fs::set_permissions(desk.path("read-only"), Permissions::from_mode(0o444)).unwrap();
    std::fs::hard_link(desk.path("linked"), desk.path("other")).unwrap();
    symlink("plain", desk.path("link")).unwrap();
    std::fs::create_dir(desk.path("folder")).unwrap();
    symlink("folder", desk.path("way")).unwrap();
    let names = desk.names();
    for name in ["read-only", "linked", "link", "folder", "way/f", "plain/f"] {
        let why = desk.prepare(name, Some("a"), Some("b")).unwrap_err().to_string();
        let expected = match name {
            "read-only" => "it is read-only",
            "linked" => "it has 2 hard links",
            "folder" => "it is a folder",
            "plain/f" => "Not a directory (os error 20)",
            _ => "it lies behind a symbolic link",
        };
        assert_eq!(why, expected, "{name}");
        assert_eq!(desk.names(), names);
    }
}

/// An editor that saves by renaming, again and again, and looks after each time whether its words are still there.
fn save_and_look(desk: &Desk, n_saves: usize) -> usize {
    let mut n_lost = 0;
    for n in 0..n_saves {
        let own = format!("save {n}\n");
        std::fs::write(desk.path("theirs"), &own).unwrap();
        std::fs::rename(desk.path("theirs"), desk.path("f")).unwrap();
        // Content that was based on what it replaced may show for an instant, until it is found out and put back.
        // Whoever is to put it back may not be given a processor for a while.
        let deadline = Instant::now() + LIMIT;
        let mut is_there = false;
        while !is_there && Instant::now() < deadline {
            std::thread::yield_now();
            is_there = desk.text("f").is_some_and(|text| text.starts_with(&own));
        }
        n_lost += usize::from(!is_there);
    }
    n_lost
}

#[test]
fn a_save_while_a_change_is_taken_back_has_the_last_word() {
    let desk = Desk::new().with("f", "one\n");
    let save = |text: &str| {
        std::fs::write(desk.path("theirs"), text).unwrap();
        std::fs::rename(desk.path("theirs"), desk.path("f")).unwrap();
    };
    let mut swap = desk.prepare("f", Some("one\n"), Some("ours\n")).unwrap();
    save("two\n");
    swap.exchange().unwrap();
    assert_eq!(desk.text("f").as_deref(), Some("ours\n"));
    save("three\n");
    assert!(!swap.put_back().unwrap(), "it is the last save that is there");
    drop(swap);
    assert_eq!((desk.text("f").as_deref(), desk.names()), (Some("three\n"), vec!["f".to_owned()]));
}

#[test]
fn no_save_of_an_editor_is_overwritten_unseen() {
    let desk = Desk::new().with("f", "save\n");
    let is_over = AtomicBool::new(false);
    let (mut n_made, mut n_refused) = (0, 0);
    std::thread::scope(|scope| {
        let editor = scope.spawn(|| {
            let n_lost = save_and_look(&desk, 400);
            is_over.store(true, Ordering::Relaxed);
            n_lost
        });
        // On a busy machine the editor may win every time; once it is done nobody is in the way.
        while !is_over.load(Ordering::Relaxed) || n_made == 0 {
            let Some(text) = desk.text("f") else { continue };
            let longer = format!("{text}and ours");
            match desk.prepare("f", Some(&text), Some(&longer)).and_then(Swap::commit) {
                Ok(_) => n_made += 1,
                Err(SwapError::Changed) => n_refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(editor.join().unwrap(), 0, "{n_made} changes made, {n_refused} refused");
    });
    assert_eq!(desk.names(), ["f"]);
}
