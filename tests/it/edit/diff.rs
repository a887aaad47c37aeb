//! How does a change of a file read?

use mimi::edit::diff::file_diff;

#[test]
fn a_diff_counts_and_names_sides() {
    let table = [
        (None, Some("a\n"), 1, 0, "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n"),
        (Some("a\n"), None, 0, 1, "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"),
        (Some("a"), Some("a\n"), 1, 1, "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
        (Some("a\n"), Some("a\n"), 0, 0, ""),
    ];
    for (before, after, added, removed, unified) in table {
        let diff = file_diff("f", before, after);
        assert_eq!((diff.added, diff.removed, diff.unified.as_str()), (added, removed, unified));
    }
}

#[test]
fn a_name_cannot_forge_lines_of_the_diff() {
    let diff = file_diff("f\n+++ b/other", Some("a\n"), Some("b\n"));
    assert!(diff.unified.starts_with("--- a/\"f\\n+++ b/other\"\n+++ b/\"f"), "{}", diff.unified);
}

#[test]
fn a_huge_change_is_cut_and_still_counted() {
    let text: String = (0..50_000).map(|n| format!("line {n}\n")).collect();
    let diff = file_diff("f", None, Some(&text));
    assert_eq!(diff.added, 50_000);
    assert!(diff.unified.len() < 201_000);
}
