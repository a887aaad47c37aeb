use super::*;
use crate::edit::diff::file_diff;
use crate::protocol::changes::Place::{New, Old, Text};

fn numbered(n: usize) -> String {
    (1..=n).map(|n| format!("line {n}\n")).collect()
}

#[test]
fn hunks_go_back_and_come_again_each_by_itself() {
    let before = numbered(40);
    let after = before.replace("line 3\n", "three\nand more\n").replace("line 30\n", "");
    let diff = file_diff("a", Some(&before), Some(&after));
    assert_eq!(diff.hunks.len(), 2);
    let states = [[New, New], [Old, New], [New, Old], [Old, Old], [Text("mine\n".into()), New]];
    let text = |state: &[Place; 2]| settled(&after, &diff, &[New, New], state).unwrap();
    assert_eq!(text(&states[3]), before);
    for from in &states {
        for to in &states {
            assert_eq!(settled(&text(from), &diff, from, to).unwrap(), text(to), "{from:?} {to:?}");
        }
    }
}

#[test]
fn line_ends_and_a_last_line_without_one_survive() {
    let table = [
        ("a\r\nb\r\nc\r\n", "a\r\nB\r\nc\r\n"),
        ("a\nb", "a\nB"),
        ("a\nb\n", "a\nb"),
        ("a\nb", "a\nb\n"),
        ("a\r\nb\n", "a\nb\r\n"),
        ("a\n\n", "\n\nb\n"),
        ("x\ny\n", "x\n"),
        ("x\n", "x\ny\nz"),
    ];
    for (before, after) in table {
        let diff = file_diff("a", Some(before), Some(after));
        let all = |place: &Place| vec![place.clone(); diff.hunks.len()];
        assert_eq!(settled(after, &diff, &all(&New), &all(&Old)).unwrap(), before, "{after:?}");
        assert_eq!(settled(before, &diff, &all(&Old), &all(&New)).unwrap(), after, "{before:?}");
    }
}

#[test]
fn a_file_that_changed_since_is_left_alone() {
    let before = numbered(20);
    let after = before.replace("line 9\n", "nine\n");
    let diff = file_diff("a", Some(&before), Some(&after));
    for now in [after.replace("nine", "neuf"), after.replace("line 1\n", ""), before, String::new()] {
        let result = settled(&now, &diff, &[New], &[Old]);
        assert!(matches!(result, Err(PlaceError::Stale { .. })), "{now}: {result:?}");
    }
    // What was written elsewhere stays.
    let now = after.replace("line 19\n", "other\n");
    assert_eq!(settled(&now, &diff, &[New], &[Old]).unwrap(), now.replace("nine", "line 9"));
}

#[test]
fn a_hunk_is_written_as_git_reads_it() {
    let diff = file_diff("a b", Some("a\nb\nc"), Some("a\nB\nc"));
    let expected = "--- a/a b\t\n+++ b/a b\t\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n\\ No newline at end of file\n";
    assert_eq!(patch(&diff, &diff.hunks[0], &New, 0).unwrap(), expected);
    let text = Text("a\nmine\nmore\nc\n".into());
    let expected =
        "--- a/a b\t\n+++ b/a b\t\n@@ -3,3 +3,4 @@\n a\n-b\n+mine\n+more\n c\n\\ No newline at end of file\n";
    assert_eq!(patch(&diff, &diff.hunks[0], &text, 2).unwrap(), expected);
    assert_eq!(patch(&diff, &diff.hunks[0], &Old, 0), None);
    let odd = FileDiff { path: "t\té\"".into(), ..diff };
    assert!(patch(&odd, &odd.hunks[0], &New, 0).unwrap().starts_with("--- \"a/t\\011\\303\\251\\\"\"\n"));
}
