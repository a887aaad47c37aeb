use super::*;
use crate::protocol::notice::Severity;
use crate::workspace::git_patch;

/// `src/a.rs` with new lines 10 to 14 and 40 to 41, a renamed file, one that is gone and one without lines.
fn files() -> Vec<FilePatch> {
    git_patch::parse(
        "diff --git a/src/a.rs b/src/a.rs\n--- a/src/a.rs\n+++ b/src/a.rs\n@@ -10,4 +10,5 @@\n one\n-two\n+TWO\n+three\n four\n five\n@@ -39,1 +40,2 @@\n x\n+y\n\
         diff --git a/old.rs b/new.rs\nrename from old.rs\nrename to new.rs\n--- a/old.rs\n+++ b/new.rs\n@@ -1 +1 @@\n-a\n+b\n\
         diff --git a/gone.rs b/gone.rs\ndeleted file mode 100644\n--- a/gone.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\
         diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n",
    )
}

fn stated(file: &str, line: Option<u32>) -> Stated {
    Stated { severity: Severity::Warning, file: file.to_owned(), line, why: "w".to_owned(), suggestion: None }
}

#[test]
fn places_are_held_to_the_new_side_of_the_change() {
    let table = [
        ("src/a.rs", Some(10), Some("src/a.rs:10"), 0),
        ("src/a.rs", Some(14), Some("src/a.rs:14"), 0),
        ("src/a.rs", Some(16), Some("src/a.rs:14"), 1),
        ("src/a.rs", Some(35), Some("src/a.rs:40"), 1),
        ("src/a.rs", Some(1), Some("src/a.rs:10"), 1),
        ("src/a.rs", Some(25), None, 0),
        ("src/a.rs", Some(900), None, 0),
        ("src/a.rs", None, Some("src/a.rs"), 0),
        ("b/src/a.rs", Some(11), Some("src/a.rs:11"), 0),
        ("./src/a.rs", Some(11), Some("src/a.rs:11"), 0),
        ("a.rs", Some(11), Some("src/a.rs:11"), 0),
        ("/work/project/src/a.rs", Some(11), Some("src/a.rs:11"), 0),
        ("old.rs", Some(1), Some("new.rs:1"), 0),
        ("gone.rs", Some(1), Some("gone.rs"), 1),
        ("run.sh", Some(1), Some("run.sh"), 1),
        ("src/b.rs", Some(11), None, 0),
        ("rs", Some(1), None, 0),
        ("", None, None, 0),
    ];
    for (file, line, expected, n_moved) in table {
        let settled = settle(vec![stated(file, line)], &files());
        let place = settled.findings.first().map(Finding::place);
        assert_eq!((place.as_deref(), settled.n_moved), (expected, n_moved), "{file} {line:?}");
        assert_eq!(settled.n_outside, usize::from(expected.is_none()), "{file} {line:?}");
    }
}

#[test]
fn findings_are_told_once_the_gravest_first() {
    let error = |why: &str| Stated { severity: Severity::Error, why: why.to_owned(), ..stated("src/a.rs", Some(40)) };
    let all = vec![
        Stated { severity: Severity::Note, ..stated("new.rs", Some(1)) },
        stated("src/a.rs", Some(41)),
        stated("src/a.rs", Some(12)),
        Stated { why: "It fails.".to_owned(), ..stated("src/a.rs", Some(40)) },
        error("it  fails"),
    ];
    let settled = settle(all, &files());
    let shown: Vec<String> =
        settled.findings.iter().map(|one| format!("{} {}", one.severity.name(), one.place())).collect();
    assert_eq!(shown, ["error src/a.rs:40", "warning src/a.rs:12", "warning src/a.rs:41", "note new.rs:1"]);
    assert_eq!(settled.n_repeated, 1);
}

#[test]
fn a_suggestion_that_changes_nothing_or_has_no_sure_place_is_dropped() {
    let table = [(Some(11), "TWO!", true), (Some(11), " TWO ", false), (Some(16), "six", false), (None, "six", false)];
    for (line, text, expected) in table {
        let settled = settle(vec![Stated { suggestion: Some(text.to_owned()), ..stated("src/a.rs", line) }], &files());
        assert_eq!(settled.findings[0].suggestion.is_some(), expected, "{line:?} {text}");
    }
}
