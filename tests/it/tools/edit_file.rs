//! Does an edit change what was meant and nothing else?

use std::os::unix::fs::{PermissionsExt as _, symlink};

use mimi::protocol::tool::Action;
use serde_json::{Value, json};

use super::support::Bench;

fn edit(path: &str, old: &str, new: &str) -> Value {
    json!({"path": path, "old_string": old, "new_string": new})
}

#[test]
fn an_edit_reports_where_and_shows_the_change() {
    let bench = Bench::new(&[("src/a.rs", "one\ntwo\nthree\n")]);
    bench.read("src/a.rs");
    let report = bench.call("edit_file", edit("src/a.rs", "two", "2"));
    assert_eq!(report.outcome.text(), "edited `src/a.rs` at line 2 (+1 -1)");
    assert_eq!(report.summary, "+1 -1");
    assert_eq!(report.diffs[0].unified, "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n");
    assert_eq!(bench.text("src/a.rs"), "one\n2\nthree\n");
    // Its own change is known: no new reading is needed.
    assert_eq!(bench.ok("edit_file", edit("src/a.rs", "2", "zwei")), "edited `src/a.rs` at line 2 (+1 -1)");
}

#[test]
fn every_name_models_have_for_the_arguments_works() {
    let table = [
        json!({"file_path": "a", "old_str": "x", "new_str": "y", "replace_all": "true"}),
        json!({"filename": "a", "oldString": "x", "newString": "y", "replaceAll": true}),
        json!({"path": "a", "search": "x", "replace": "y", "replace_all": 1}),
    ];
    for arguments in table {
        let bench = Bench::new(&[("a", "x x\n")]);
        bench.read("a");
        assert_eq!(bench.ok("edit_file", arguments), "edited `a` in 2 places (+1 -1)");
        assert_eq!(bench.text("a"), "y y\n");
    }
}

#[test]
fn an_edit_that_does_not_fit_changes_nothing_and_says_what_would() {
    let text = "fn one() {\n    let count = 1;\n}\n\nfn two() {\n    let total = 1;\n}\n";
    let table = [
        (
            edit("a.rs", "let coutn = 1;", "x"),
            "the old text is not in the file. The nearest lines are:\n    1\tfn one() {\n    2\t    let count = 1;\n",
        ),
        (edit("a.rs", "SELECT * FROM t", "x"), "the old text is not in the file, nor anything like it"),
        (edit("a.rs", " = 1;", " = 2;"), "the old text is in the file 2 times, at lines 2, 6; add lines"),
        (edit("a.rs", "one", "one"), "the old and the new text are the same"),
        (edit("a.rs", "", "x"), "the old text is empty, but the file is not"),
        (edit("b.rs", "a", "b"), "`b.rs` does not exist; did you mean `a.rs`?"),
        (json!({"path": "a.rs", "old_string": "a"}), "wrong arguments for `edit_file`: missing field `new_string`"),
        (
            json!({"path": "a.rs", "old_string": {"a": 1}, "new_string": ""}),
            "wrong arguments for `edit_file` at `old_string`",
        ),
    ];
    for (arguments, expected) in table {
        let bench = Bench::new(&[("a.rs", text)]);
        bench.read("a.rs");
        let told = bench.failed("edit_file", arguments.clone());
        assert!(told.starts_with(expected), "{told}");
        // The person is not asked about a change that cannot be made.
        let refused = bench.intent("edit_file", arguments).unwrap_err().to_string();
        assert_eq!(refused, told);
        assert_eq!(bench.text("a.rs"), text);
    }
}

#[test]
fn an_edit_made_twice_is_made_once() {
    let table = [
        ("let old = 1;", "let brand_new = 2;", "a\nlet brand_new = 2;\nb\n"),
        ("use a;", "use a;\nuse b;", "use a;\nuse b;\n"),
    ];
    for (old, new, text) in table {
        let bench = Bench::new(&[("f", text)]);
        bench.read("f");
        let told = bench.ok("edit_file", edit("f", old, new));
        assert!(told.contains("already has the new text, at line"), "{told}");
        assert_eq!(bench.text("f"), text);
    }
}

#[test]
fn a_file_not_seen_as_it_is_is_shown_instead_of_changed() {
    let text: String = (1..=60).map(|n| format!("line {n}\n")).collect();
    let bench = Bench::new(&[("f", &text)]);
    let told = bench.failed("edit_file", edit("f", "line 40\n", "changed\n"));
    assert!(told.starts_with("`f` has not been read in this session; nothing was changed. It reads now:\n"), "{told}");
    assert!(told.contains("   40\tline 40\n") && !told.contains("line 60"), "{told}");
    assert_eq!(bench.text("f"), text);
    bench.ok("edit_file", edit("f", "line 40\n", "changed\n"));
    bench.write("f", text.replace("line 7\n", "somebody else\n"));
    let told = bench.failed("edit_file", edit("f", "line 7\n", "x\n"));
    assert!(told.starts_with("`f` has changed since it was read") && told.contains("somebody else"), "{told}");
    let told = bench.failed("edit_file", edit("f", "line 7\n", "x\n"));
    assert!(told.starts_with("the old text is not in the file. The nearest lines"), "{told}");
}

#[test]
fn encoding_line_ends_and_mode_survive() {
    let table: [(&[u8], &str, &str, &[u8]); 8] = [
        (b"a\r\nb\r\nc\r\n", "a\nb", "a\nx\ny", b"a\r\nx\r\ny\r\nc\r\n"),
        (b"a\r\nb\nc\r\n", "a\nb\nc", "a\nx\nc", b"a\r\nx\nc\r\n"),
        (b"a\nb\r\nc\n", "b\n", "b\nb2\n", b"a\nb\r\nb2\r\nc\n"),
        (b"\xef\xbb\xbfa\n", "a", "b", b"\xef\xbb\xbfb\n"),
        (b"gr\xfcn\n", "grün", "blau, grün", b"blau, gr\xfcn\n"),
        (b"\xff\xfea\0\r\0\n\0", "a", "ü", b"\xff\xfe\xfc\0\r\0\n\0"),
        (b"no newline", "no", "still no", b"still no newline"),
        (b"", "", "born\n", b"born\n"),
    ];
    for (before, old, new, after) in table {
        let bench = Bench::new(&[]);
        let path = bench.write("f", before);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o754)).unwrap();
        bench.read("f");
        bench.ok("edit_file", edit("f", old, new));
        assert_eq!(bench.bytes("f"), after, "{old:?} -> {new:?}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o754);
    }
}

#[test]
fn what_a_change_would_damage_is_left_alone() {
    let bench = Bench::new(&[]);
    bench.write("f", b"gr\xfcn a\n");
    bench.read("f");
    let told = bench.failed("edit_file", edit("f", "a", "\u{4e2d}"));
    assert!(told.starts_with("`f` is in Latin-1 (Windows-1252), which has no `\u{4e2d}`"), "{told}");
    let bench = Bench::new(&[("read-only", "a\n"), ("linked", "a\n")]);
    bench.write("broken", b"\xc3\xbc\xc3\xbc a \xff\n");
    std::fs::set_permissions(bench.root().join("read-only"), std::fs::Permissions::from_mode(0o444)).unwrap();
    std::fs::hard_link(bench.root().join("linked"), bench.root().join("other")).unwrap();
    for (name, expected) in [
        ("read-only", "`read-only` is read-only; with `shell`: chmod u+w 'read-only'"),
        ("linked", "`linked` has 2 hard links"),
        ("broken", "`broken` is not valid UTF-8: writing it back would change bytes nobody touched"),
    ] {
        bench.read(name);
        let before = bench.bytes(name);
        let told = bench.failed("edit_file", edit(name, "a", "b"));
        assert!(told.starts_with(expected), "{told}");
        assert_eq!(bench.bytes(name), before);
    }
}

#[test]
fn a_folder_that_cannot_be_written_says_so() {
    let bench = Bench::new(&[("locked/f", "a\n")]);
    bench.read("locked/f");
    let folder = bench.root().join("locked");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::File::create(folder.join("probe")).is_err() {
        let told = bench.failed("edit_file", edit("locked/f", "a", "b"));
        assert!(told.contains("cannot write `locked/f`: Permission denied"), "{told}");
    }
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_intent_previews_and_tells_nothing_of_files_not_yet_allowed() {
    let bench = Bench::new(&[("f", "a\n")]);
    let secret = bench.outside().join("secret");
    std::fs::write(&secret, "the key is 1234\n").unwrap();
    symlink(&secret, bench.root().join("link")).unwrap();
    let actions = vec![Action::Read { path: secret.clone() }];
    for path in ["link", secret.to_str().unwrap(), "../secret"] {
        let intent = bench.intent("edit_file", edit(path, "the key was", "x")).unwrap();
        assert_eq!((intent.actions, intent.drafts), (actions.clone(), Vec::new()), "{path}");
    }
    assert_eq!(bench.intent("edit_file", edit("f", "a", "b")).unwrap().drafts, Vec::new());
    assert_eq!(bench.cx.workspace.seen(&bench.root().join("f")), None, "asking what it would do is no reading");
    bench.read("f");
    let intent = bench.intent("edit_file", edit("f", "a", "b")).unwrap();
    let drafts: Vec<_> = intent.drafts.iter().map(|draft| (draft.before.as_deref(), draft.after.as_deref())).collect();
    assert_eq!(drafts, [(Some("a\n"), Some("b\n"))]);
    assert!(!intent.is_parallel_safe);
    assert_eq!(bench.text("f"), "a\n");
}

#[test]
fn an_edit_through_a_link_keeps_the_link() {
    let bench = Bench::new(&[("real", "a\n")]);
    symlink("real", bench.root().join("link")).unwrap();
    bench.read("link");
    bench.ok("edit_file", edit("link", "a", "b"));
    assert_eq!(bench.text("real"), "b\n");
    assert!(bench.root().join("link").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn a_file_that_was_not_read_is_only_read_so_nobody_is_asked_about_a_change() {
    let bench = Bench::new(&[("a.rs", "one\n")]);
    let actions = || bench.intent("edit_file", edit("a.rs", "one", "two")).unwrap().actions;
    let path = bench.root().join("a.rs");
    assert_eq!(actions(), [Action::Read { path: path.clone() }]);
    bench.read("a.rs");
    assert_eq!(actions(), [Action::Read { path: path.clone() }, Action::Write { path }]);
}
