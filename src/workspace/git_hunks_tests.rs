use super::*;

fn one(text: &str) -> Changed {
    let mut files = parse(text);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn hunks_are_read_with_everything_it_takes_to_decide_them() {
    let text = "diff --git a/x y.rs b/x y.rs\nindex 1..2 100644\n--- a/x y.rs\t\n+++ b/x y.rs\t\n@@ -1,3 +1,2 @@ fn f() {\n a\n-b\n c\n\
                @@ -9,0 +9,2 @@\n+new\r\n+last\n\\ No newline at end of file\n";
    let file = one(text);
    assert_eq!((file.diff.path.as_str(), file.diff.added, file.diff.removed), ("x y.rs", 2, 1));
    assert_eq!(file.by, By::Hunk);
    let [first, second] = file.diff.hunks.as_slice() else { panic!("{:?}", file.diff.hunks) };
    assert_eq!((first.old_start, first.old_lines, first.new_start, first.new_lines), (1, 3, 1, 2));
    assert_eq!((second.old_start, second.old_lines, second.new_start), (10, 0, 9));
    assert_eq!(second.lines, ["+new\r", "+last", NO_END]);
    assert_ne!(first.id, second.id);
}

#[test]
fn the_same_lines_in_two_places_are_two_hunks() {
    let hunk = "@@ -1,1 +1,1 @@\n-a\n+b\n";
    let file =
        one(&format!("diff --git a/x b/x\n--- a/x\n+++ b/x\n{hunk}{}", hunk.replace('1', "9").replace(",9", ",1")));
    assert_ne!(file.diff.hunks[0].id, file.diff.hunks[1].id);
}

#[test]
fn what_cannot_be_decided_by_hunk_says_so() {
    let table = [
        ("new file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n", Kind::Created, By::File),
        ("deleted file mode 100755\nindex 1..0\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", Kind::Deleted, By::File),
        ("index 1..2 100644\nBinary files a/x and b/x differ\n", Kind::Changed, By::File),
        ("old mode 100644\nnew mode 100755\n", Kind::Changed, By::File),
        ("similarity index 100%\nrename from o\nrename to x\n", Kind::Renamed, By::File),
        (
            "index 1..2 120000\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n",
            Kind::Changed,
            By::File,
        ),
    ];
    for (header, kind, by) in table {
        let file = one(&format!("diff --git a/x b/x\n{header}"));
        assert_eq!((file.diff.kind, file.by, file.diff.path.as_str()), (kind, by, "x"), "{header}");
    }
    let file = one(
        "diff --git a/s b/s\nindex 1..2 160000\n--- a/s\n+++ b/s\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n",
    );
    assert!(matches!(file.by, By::Nobody(_)));
}

#[test]
fn what_a_merge_left_undecided_is_shown_and_not_decided() {
    let text = "diff --cc a.txt\nindex 1,2..0\n--- a/a.txt\n+++ b/a.txt\n@@@ -1,1 -1,1 +1,5 @@@\n++<<<<<<< HEAD\n +mine\n++=======\n+ theirs\n++>>>>>>> other\n";
    let file = one(text);
    assert!(matches!(&file.by, By::Nobody(why) if why.contains("conflicts")));
    assert_eq!(file.diff.hunks[0].lines, ["+<<<<<<< HEAD", "+mine", "+=======", "+theirs", "+>>>>>>> other"]);
}

#[test]
fn content_that_looks_like_a_heading_is_content() {
    let file = one("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a/y\n+++ b/y\n diff --git a/q b/q\n");
    assert_eq!(file.diff.hunks[0].lines, ["--- a/y", "+++ b/y", " diff --git a/q b/q"]);
}

#[test]
fn a_new_file_is_shown_in_full() {
    let file = created("n", "a\r\nb");
    assert_eq!((file.diff.added, file.by), (2, By::File));
    assert_eq!(file.diff.hunks[0].lines, ["+a\r", "+b", NO_END]);
    assert!(created("n", "").diff.hunks.is_empty());
}
