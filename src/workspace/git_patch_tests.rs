use super::*;

fn shown(file: &FilePatch) -> String {
    let from = file.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    let hunks: Vec<String> = file
        .hunks
        .iter()
        .map(|hunk| format!(" +{},{} [{}] {}", hunk.new_start, hunk.new_lines, hunk.heading, hunk.lines.join("|")))
        .collect();
    format!("{}{from} {:?} {:?}{}", file.path, file.kind, file.nature, hunks.concat())
}

#[test]
fn every_kind_of_change_is_read() {
    let table = [
        (
            "a change",
            "diff --git a/x.rs b/x.rs\nindex 1..2 100644\n--- a/x.rs\n+++ b/x.rs\n@@ -1,2 +1,3 @@ fn main() {\n a\n-b\n+c\n+d\n",
            "x.rs Changed Text +1,3 [fn main() {]  a|-b|+c|+d",
        ),
        (
            "a new file that is not ended",
            "diff --git a/n b/n\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+one\n\\ No newline at end of file\n",
            "n Created Text +1,1 [] +one",
        ),
        (
            "a file that is gone",
            "diff --git a/n b/n\ndeleted file mode 100644\nindex 0..1\n--- a/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n",
            "n Deleted Text +0,0 [] -one",
        ),
        (
            "a rename",
            "diff --git a/old name b/new\nsimilarity index 90%\nrename from old name\nrename to new\nindex 1..2 100644\n--- a/old name\t\n+++ b/new\n@@ -1 +1 @@\n-a\n+b\n",
            "new from old name Renamed Text +1,1 [] -a|+b",
        ),
        (
            "a name with blanks and only a mode",
            "diff --git a/a b c b/a b c\nold mode 100644\nnew mode 100755\n",
            "a b c Changed Text",
        ),
        (
            "a quoted name",
            "diff --git \"a/t\\tab\\303\\244\" \"b/t\\tab\\303\\244\"\nindex 1..2 100644\n--- \"a/t\\tab\\303\\244\"\n+++ \"b/t\\tab\\303\\244\"\n@@ -1 +1 @@\n-a\n+b\n",
            "t\tabä Changed Text +1,1 [] -a|+b",
        ),
        (
            "bytes",
            "diff --git a/p.png b/p.png\nnew file mode 100644\nindex 0..1\nBinary files /dev/null and b/p.png differ\n",
            "p.png Created Binary",
        ),
        (
            "a submodule",
            "diff --git a/sub b/sub\nindex 1..2 160000\n--- a/sub\n+++ b/sub\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n",
            "sub Changed Submodule",
        ),
        (
            "a link",
            "diff --git a/l b/l\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n",
            "l Created Link",
        ),
        (
            "content that looks like a heading",
            "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n diff --git a/q b/q\n+++ b/evil\n--- a/evil\n+@@ -9 +9 @@\n",
            "x Changed Text +1,3 []  diff --git a/q b/q|+++ b/evil|--- a/evil|+@@ -9 +9 @@",
        ),
        (
            "an empty line without its sign",
            "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n",
            "x Changed Text +1,3 []  a| |-b|+c",
        ),
    ];
    for (case, text, expected) in table {
        let files = parse(text);
        assert_eq!(files.iter().map(shown).collect::<Vec<_>>(), [expected], "{case}");
    }
}

#[test]
fn several_files_and_hunks_stand_in_their_order() {
    let text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n@@ -9,0 +10,2 @@ here\n+c\n+d\ndiff --git a/y b/y\n--- a/y\n+++ b/y\n@@ -1 +0,0 @@\n-a\n";
    let files = parse(text);
    let all: Vec<String> = files.iter().map(shown).collect();
    assert_eq!(all, ["x Changed Text +1,1 [] -a|+b +10,2 [here] +c|+d", "y Changed Text +0,0 [] -a"]);
    assert_eq!(files[0].counts(), (3, 1));
    assert_eq!(files[0].hunks[1].added().collect::<Vec<_>>(), [10, 11]);
}

#[test]
fn torn_and_foreign_text_gives_less_and_no_panic() {
    let whole =
        "diff --git \"a/\\303\" \"b/\\303\"\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@ f\n a\n-b\n+c\n+d\n";
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        assert!(parse(&whole[..end]).len() <= 1);
    }
    for text in [
        "",
        "\n\n",
        "@@ -1 +1 @@\n+a",
        "diff --git \n@@ -x +y @@",
        "diff --git \"a\n",
        "* Unmerged path x\n",
        "diff --git ä",
    ] {
        assert!(parse(text).len() <= 1, "{text}");
    }
    assert_eq!(parse("diff --git a/x b/x\n@@ -1 +1,99999999999 @@\n+a")[0].hunks[0].lines, ["+a"]);
}

#[test]
fn a_new_file_is_all_added() {
    assert_eq!(shown(&FilePatch::created("n".to_owned(), "a\n\nb")), "n Created Text +1,3 [] +a|+|+b");
    assert!(FilePatch::created("n".to_owned(), "").hunks.is_empty());
}
