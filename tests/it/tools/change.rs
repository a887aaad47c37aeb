//! Does a change in another dialect go the way of an edit, whichever tool it comes through, and all of it or none?

use std::os::unix::fs::{PermissionsExt as _, symlink};

use mimi::protocol::profile::EditDialect;
use mimi::protocol::tool::Action;
use mimi::tools::bad_call::BadCall;
use serde_json::{Value, json};

use super::support::Bench;

const PATCH: &str = "*** Begin Patch\n*** Update File: a.rs\n@@\n-two\n+2\n*** End Patch";

fn bench() -> Bench {
    let bench = Bench::new(&[("a.rs", "one\ntwo\nthree\n"), ("b.rs", "x\n"), ("sub/c.rs", "c\n")]);
    for file in ["a.rs", "b.rs", "sub/c.rs"] {
        bench.read(file);
    }
    bench
}

fn patch(sections: &str) -> Value {
    json!({ "patch": format!("*** Begin Patch\n{sections}*** End Patch") })
}

#[test]
fn every_tool_that_states_edits_takes_every_dialect() {
    let table = [
        ("apply_patch", json!({"patch": PATCH})),
        ("apply_patch", json!({"input": PATCH})),
        ("edit_file", json!({"patch": PATCH})),
        ("edit_file", json!({"path": "a.rs", "edits": [{"old_string": "two", "new_string": "2"}]})),
        (
            "edit_file",
            json!({"path": "a.rs", "old_string": "", "new_string": "<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE"}),
        ),
        ("write_file", json!({"path": "a.rs", "content": PATCH})),
        ("write_file", json!({"diff": "--- a/a.rs\n+++ b/a.rs\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"})),
        ("multi_edit", json!({"path": "a.rs", "edits": [{"old_string": "two", "new_string": "2"}]})),
        ("multi_edit", json!({"file_path": "a.rs", "edits": "[{\"old_string\": \"two\", \"new_string\": \"2\"}]"})),
        ("apply_diff", json!({"diff": "--- a/a.rs\n+++ b/a.rs\n@@ -9 +9 @@\n-two\n+2\n"})),
        ("apply_blocks", json!({"path": "a.rs", "blocks": "<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE"})),
        ("apply_blocks", json!({"path": "a.rs", "diff": "------- SEARCH\ntwo\n=======\n2\n+++++++ REPLACE"})),
        ("shell", json!({"command": format!("apply_patch <<'EOF'\n{PATCH}\nEOF")})),
        ("shell", json!({"command": format!("bash -lc \"apply_patch <<'EOF'\n{PATCH}\nEOF\"")})),
    ];
    for (tool, arguments) in table {
        let bench = bench();
        let intent = bench.intent(tool, arguments.clone()).unwrap();
        let path = bench.root().join("a.rs");
        assert_eq!(intent.actions, [Action::Read { path: path.clone() }, Action::Write { path }], "{arguments}");
        assert!(intent.promised.is_some() && intent.dialect.is_some(), "{arguments}");
        let report = bench.call(tool, arguments.clone());
        assert_eq!(report.outcome.text(), "edited `a.rs` at line 2 (+1 -1)", "{arguments}");
        assert_eq!(bench.text("a.rs"), "one\n2\nthree\n", "{arguments}");
        assert_eq!(report.diffs.len(), 1);
    }
}

#[test]
fn a_patch_in_a_shell_starts_where_the_shell_would() {
    let patch = "*** Begin Patch\n*** Update File: c.rs\n@@\n-c\n+d\n*** End Patch";
    for (command, cwd) in [("cd sub && apply_patch", ""), ("apply_patch", "sub"), ("cd ../sub && apply_patch", "sub")] {
        let bench = bench();
        bench.ok("shell", json!({"command": format!("{command} <<'EOF'\n{patch}\nEOF"), "cwd": cwd}));
        assert_eq!(bench.text("sub/c.rs"), "d\n", "{command}");
    }
    let bench = bench();
    let told = bench.failed("shell", json!({"command": format!("apply_patch <<'EOF'\n{patch}\nEOF\ncargo test")}));
    assert!(told.contains("does nothing else") && told.contains("call of their own"), "{told}");
}

#[test]
fn several_files_are_made_changed_moved_and_deleted_together() {
    let bench = bench();
    let path = bench.root().join("sub/c.rs");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let sections = "*** Add File: new/n.rs\n+n\n*** Update File: a.rs\n@@\n-two\n+2\n*** Delete File: b.rs\n*** Update File: sub/c.rs\n*** Move to: d.rs\n@@\n-c\n+d\n";
    let report = bench.call("apply_patch", patch(sections));
    assert_eq!(
        report.outcome.text(),
        "created `new/n.rs` (1 line)\nedited `a.rs` at line 2 (+1 -1)\ndeleted `b.rs` (+0 -1)\nmoved `sub/c.rs` to `d.rs` (+1 -1)"
            .replace("deleted `b.rs` (+0 -1)", "deleted `b.rs`")
    );
    assert_eq!(
        (bench.text("new/n.rs"), bench.text("a.rs"), bench.text("d.rs")),
        ("n\n".into(), "one\n2\nthree\n".into(), "d\n".into())
    );
    assert!(!bench.root().join("b.rs").exists() && !path.exists());
    let mode = std::fs::metadata(bench.root().join("d.rs")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert_eq!(report.summary, "4 files, +3 -3");
    // What it wrote it knows.
    bench.ok("edit_file", json!({"path": "d.rs", "old_string": "d", "new_string": "e"}));
}

#[test]
fn when_one_of_several_files_cannot_be_changed_none_is() {
    let good = "*** Update File: a.rs\n@@\n-two\n+2\n*** Add File: n.rs\n+n\n";
    type Spoil = fn(&Bench);
    let table: [(&str, &str, Spoil); 12] = [
        ("*** Delete File: gone.rs\n", "`gone.rs` does not exist", |_| {}),
        ("*** Update File: b.rs\n@@\n-zebra\n+y\n", "the old text is not in the file", |_| {}),
        ("*** Delete File: sub\n", "`sub` is a folder, not a file", |_| {}),
        ("*** Update File: b.rs\n*** Move to: sub/c.rs\n", "`sub/c.rs` already exists", |_| {}),
        ("*** Update File: b.rs\n*** Move to: B.rs\n", "differ only in upper and lower case", |_| {}),
        ("*** Update File: b.rs\n*** Move to: sub\n", "`sub` is a folder", |_| {}),
        ("*** Delete File: bin\n", "`bin` is binary data", |bench| drop(bench.write("bin", b"\0\x01"))),
        ("*** Update File: b.rs\n@@\n-x\n+y\n", "`b.rs` is read-only", |bench| {
            std::fs::set_permissions(bench.root().join("b.rs"), std::fs::Permissions::from_mode(0o444)).unwrap();
        }),
        ("*** Delete File: b.rs\n", "`b.rs` has 2 hard links", |bench| {
            std::fs::hard_link(bench.root().join("b.rs"), bench.root().join("other.rs")).unwrap();
        }),
        ("*** Delete File: big\n", "`big` has 200.0 MB", |bench| {
            std::fs::File::create(bench.write("big", "text\n")).unwrap().set_len(200_000_000).unwrap();
            let file = std::fs::OpenOptions::new().write(true).open(bench.root().join("big")).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, &[b'x'; 8192], 0).unwrap();
        }),
        ("*** Add File: a.rs/below\n+x\n", "nothing can be below `a.rs`", |_| {}),
        ("*** Delete File: b.rs\n", "`b.rs` has changed since it was read", |bench| {
            drop(bench.write("b.rs", "other\n"));
        }),
    ];
    for (section, expected, spoil) in table {
        let bench = bench();
        spoil(&bench);
        let arguments = patch(&format!("{good}{section}"));
        let told = bench.failed("apply_patch", arguments);
        assert!(told.contains(expected), "{section}: {told}");
        assert_eq!(bench.text("a.rs"), "one\ntwo\nthree\n", "{section}");
        assert!(!bench.root().join("n.rs").exists(), "{section}");
    }
}

#[test]
fn what_was_written_is_taken_back_when_a_later_file_fails() {
    let bench = bench();
    // The folder lets nothing be removed or made, which only the write finds out.
    let sub = bench.root().join("sub");
    std::fs::set_permissions(&sub, std::fs::Permissions::from_mode(0o555)).unwrap();
    let sections = "*** Update File: a.rs\n@@\n-two\n+2\n*** Add File: n.rs\n+n\n*** Delete File: b.rs\n*** Delete File: sub/c.rs\n";
    let report = bench.call("apply_patch", patch(sections));
    std::fs::set_permissions(&sub, std::fs::Permissions::from_mode(0o755)).unwrap();
    // Root may do it all the same.
    if !report.outcome.is_ok() {
        assert_eq!(bench.text("a.rs"), "one\ntwo\nthree\n");
        assert_eq!(bench.text("b.rs"), "x\n");
        assert!(!bench.root().join("n.rs").exists());
    }
}

#[test]
fn files_that_were_not_read_are_shown_and_the_same_call_then_succeeds() {
    let bench = Bench::new(&[("a.rs", "one\ntwo\nthree\n"), ("b.rs", "x\n")]);
    let sections = "*** Update File: a.rs\n@@\n-two\n+2\n*** Delete File: b.rs\n";
    let intent = bench.intent("apply_patch", patch(sections)).unwrap();
    assert!(intent.actions.iter().all(|action| matches!(action, Action::Read { .. })), "{:?}", intent.actions);
    let told = bench.failed("apply_patch", patch(sections));
    assert!(told.contains("`a.rs` has not been read in this session. It reads now:\n    1\tone\n"), "{told}");
    assert!(told.contains("`b.rs` has not been read") && told.contains("Nothing was changed."), "{told}");
    assert!(bench.root().join("b.rs").exists());
    bench.ok("apply_patch", patch(sections));
    assert!(!bench.root().join("b.rs").exists());
}

#[test]
fn nothing_is_said_of_a_file_outside_before_policy_has_spoken() {
    let bench = bench();
    let outside = bench.outside().join("secret");
    std::fs::write(&outside, "hidden\n").unwrap();
    symlink(&outside, bench.root().join("link")).unwrap();
    for path in [outside.display().to_string(), "link".to_owned()] {
        let sections = format!("*** Update File: {path}\n@@\n-zebra\n+y\n");
        let intent = bench.intent("apply_patch", patch(&sections)).unwrap();
        assert!(intent.actions.iter().any(|action| matches!(action, Action::Read { path } if *path == outside)));
        assert!(intent.drafts.is_empty());
    }
}

#[test]
fn a_slip_in_a_dialect_is_told_from_trouble_with_a_file() {
    let bench = bench();
    let slips = [
        ("apply_patch", patch("*** Update File: a.rs\n@@\n-zebra\n+y\n"), EditDialect::Patch),
        ("apply_patch", patch("*** Frobnicate: a.rs\n"), EditDialect::Patch),
        ("edit_file", json!({"path": "a.rs", "old_string": "zebra", "new_string": "y"}), EditDialect::Replace),
        (
            "multi_edit",
            json!({"path": "a.rs", "edits": [{"old_string": "e", "new_string": "y"}]}),
            EditDialect::MultiReplace,
        ),
        ("write_file", json!({"path": "a.rs", "content": "# ... rest of the code\n"}), EditDialect::Whole),
        ("apply_diff", json!({"diff": "--- a/a.rs\n+++ b/b.rs\n@@ -1 +1 @@\n-x\n+y\n"}), EditDialect::UnifiedDiff),
    ];
    for (tool, arguments, dialect) in slips {
        match bench.intent(tool, arguments.clone()) {
            Err(BadCall::Unfit { dialect: counted, .. }) => assert_eq!(counted, dialect, "{arguments}"),
            other => panic!("{arguments}: {other:?}"),
        }
    }
    for (tool, arguments) in [
        ("apply_patch", patch("*** Delete File: gone.rs\n")),
        ("edit_file", json!({"path": "gone.rs", "old_string": "x", "new_string": "y"})),
        ("apply_patch", patch("*** Update File: a.rs\n*** Move to: A.rs\n")),
    ] {
        assert!(matches!(bench.intent(tool, arguments.clone()), Err(BadCall::Impossible(_))), "{arguments}");
    }
}
