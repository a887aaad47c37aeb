use super::*;
use crate::workspace::git_patch;

fn room(part_tokens: u64, max_parts: usize, skip: &[String]) -> Room<'_> {
    Room { part_tokens, max_parts, skip, is_secret: |path| path.ends_with(".env") }
}

fn changed(path: &str, n_lines: usize) -> FilePatch {
    let added: String = (0..n_lines).map(|n| format!("+let value_{n} = {n};\n")).collect();
    let text =
        format!("diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1,{} @@\n a\n{added}", n_lines + 1);
    git_patch::parse(&text).remove(0)
}

#[test]
fn lines_carry_their_numbers_in_the_new_file() {
    let text = "diff --git a/x b/y\nrename from x\nrename to y\n--- a/x\n+++ b/y\n@@ -9,3 +10,3 @@ fn f() {\n a\n-b\n+c\r\n d\n";
    let parts = split(&git_patch::parse(text), &room(1000, 9, &[]));
    let expected =
        "=== y (renamed from x, +1 -1)\n@@ from line 10, in: fn f() {\n   10  a\n      -b\n   11 +c\n   12  d";
    assert_eq!(parts.parts, [Part { text: expected.to_owned(), files: vec!["y".to_owned()] }]);
}

#[test]
fn small_files_share_a_part_and_large_ones_are_cut() {
    let files = [changed("a", 10), changed("b", 3), changed("d", 26), changed("c", 200)];
    let mut parts = split(&files, &room(400, 99, &[])).parts;
    assert_eq!(parts[0].files, ["a", "b"]);
    assert_eq!(parts.remove(1).files, ["d"], "it fits a part, if not the rest of the first");
    assert!(parts[1..].iter().all(|part| part.files == ["c"] && part.text.starts_with("=== c (")), "{parts:?}");
    assert!(parts.len() > 3, "{}", parts.len());
    let all: String = parts.iter().map(|part| part.text.as_str()).collect();
    for n in 26..200 {
        assert_eq!(all.matches(&format!("{:>5} +let value_{n} = {n};", n + 2)).count(), 1, "{n}");
    }
    for part in &parts {
        assert!(text_tokens(&part.text) < 500.0, "{}", part.text);
    }
}

#[test]
fn what_is_not_shown_is_named_with_its_reason() {
    let skip = ["*.lock".to_owned(), "dist/*".to_owned()];
    let binary = FilePatch { nature: Nature::Binary, ..FilePatch::created("p.png".to_owned(), "") };
    let module = FilePatch { nature: Nature::Submodule, ..FilePatch::created("sub".to_owned(), "") };
    let files =
        [changed("sub/Cargo.lock", 1), changed("dist/x/a.js", 1), changed(".env", 1), binary, module, changed("a", 1)];
    let parts = split(&files, &room(1000, 9, &skip));
    let left: Vec<String> = parts.left_out.iter().map(|left| format!("{}: {}", left.path, left.why)).collect();
    assert_eq!(
        left,
        [
            "sub/Cargo.lock: review.skip has `*.lock`",
            "dist/x/a.js: review.skip has `dist/*`",
            ".env: it may hold secrets",
            "p.png: it is no text",
            "sub: it is another repository",
        ]
    );
    assert_eq!(parts.parts.len(), 1);
}

#[test]
fn parts_beyond_the_limit_are_left_out() {
    let files = [changed("a", 100), changed("b", 100), changed("c", 100)];
    let parts = split(&files, &room(1100, 2, &[]));
    assert_eq!(parts.parts.len(), 2);
    assert!(parts.left_out.iter().all(|left| left.why.contains("beyond the 2 parts")), "{parts:?}");
    assert_eq!(parts.left_out.last().unwrap().path, "c");
}

#[test]
fn a_deleted_file_is_named_and_not_printed() {
    let text = "diff --git a/n b/n\ndeleted file mode 100644\n--- a/n\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n";
    let parts = split(&git_patch::parse(text), &room(1000, 9, &[]));
    assert_eq!(parts.parts[0].text, "=== n (deleted, +0 -2)");
}

#[test]
fn a_part_follows_from_the_window() {
    let table = [
        (8_192, 3_000, 800, 1_000),
        (32_768, 3_000, 6_000, 12_000),
        (1_000_000, 3_000, 12_000, 12_000),
        (2_048, 3_000, 400, 400),
    ];
    for (window, fixed, low, high) in table {
        let tokens = part_tokens(window, fixed, 8_192);
        assert!((low..=high).contains(&tokens), "{window}: {tokens}");
    }
}

#[test]
fn long_lines_are_cut() {
    let file = FilePatch::created("min.js".to_owned(), &"x".repeat(100_000));
    let parts = split(&[file], &room(1000, 9, &[]));
    assert!(parts.parts[0].text.len() < 1000, "{}", parts.parts[0].text.len());
}
