//! Does writing a file create or replace it, and nothing else?

use std::os::unix::fs::{PermissionsExt as _, symlink};

use mimi::protocol::tool::Action;
use serde_json::{Value, json};

use super::support::Bench;

fn write(path: &str, content: &str) -> Value {
    json!({"path": path, "content": content})
}

#[test]
fn a_new_file_is_created_with_its_folders_and_may_be_edited_at_once() {
    let bench = Bench::new(&[]);
    let report = bench.call("write_file", write("deep/er/new.txt", "one\ntwo\n"));
    assert_eq!(report.outcome.text(), "created `deep/er/new.txt` (2 lines)");
    assert_eq!(report.diffs[0].unified, "--- /dev/null\n+++ b/deep/er/new.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n");
    assert_eq!(bench.text("deep/er/new.txt"), "one\ntwo\n");
    bench.ok("edit_file", json!({"path": "deep/er/new.txt", "old_string": "one", "new_string": "1"}));
    assert_eq!(
        bench.ok("write_file", write("deep/er/new.txt", "1\ntwo\n")),
        "`deep/er/new.txt` already has this content; nothing was changed"
    );
    let entries = std::fs::read_dir(bench.root().join("deep/er")).unwrap().count();
    assert_eq!(entries, 1, "a temporary file stayed behind");
}

#[test]
fn a_replaced_file_keeps_its_encoding_line_ends_and_mode() {
    let table: [(&[u8], &str, &[u8]); 5] = [
        (b"a\r\nb\r\n", "x\ny\n", b"x\r\ny\r\n"),
        (b"a\n", "x", b"x\n"),
        (b"\xef\xbb\xbfa\n", "b\n", b"\xef\xbb\xbfb\n"),
        (b"\xe4\n", "ö\n", b"\xf6\n"),
        (b"", "x", b"x"),
    ];
    for (before, content, after) in table {
        let bench = Bench::new(&[]);
        let path = bench.write("f", before);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).unwrap();
        bench.read("f");
        bench.ok("write_file", json!({"file_path": "f", "text": content}));
        assert_eq!(bench.bytes("f"), after);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
    }
}

#[test]
fn what_must_not_be_replaced_stays() {
    let long = "line\n".repeat(200);
    let bench = Bench::new(&[("unread", "keep\n"), ("long", &long), ("linked", "a\n"), ("folder/x", "")]);
    bench.write("image.png", b"\x89PNG\r\n\x1a\n");
    bench.fifo("pipe");
    std::fs::hard_link(bench.root().join("linked"), bench.root().join("other")).unwrap();
    bench.read("long");
    bench.read("linked");
    let table = [
        (write("unread", "x\n"), "`unread` exists and has not been read in this session; nothing was written"),
        (write("long", "x\n"), "the content has 1 lines, the file has 200. Nothing was written"),
        (
            write("long", &format!("{long}// ... rest of the code\n")),
            "line 201 of the content stands for code left out: `// ... rest of the code`",
        ),
        (write("new", "a\n# ... existing code ...\n"), "line 2 of the content stands for code left out"),
        (write("linked", "b\n"), "`linked` has 2 hard links"),
        (write("folder", "x"), "`folder` is a folder, not a file"),
        (write("pipe", "x"), "`pipe` is a FIFO, not a file"),
        (write("/dev/null", "x"), "`/dev/null` is a device, not a file"),
        (write("image.png", "x"), "`image.png` is a PNG image"),
        (write("unread/x/y", "x"), "nothing can be below `unread`, because that is a file"),
        (json!({"path": "a"}), "wrong arguments for `write_file`: missing field `content`"),
    ];
    for (arguments, expected) in table {
        let told = bench.failed("write_file", arguments);
        assert!(told.starts_with(expected), "{told}");
    }
    assert_eq!((bench.text("unread"), bench.text("long"), bench.text("linked")), ("keep\n".into(), long, "a\n".into()));
    assert!(!bench.root().join("new").exists());
}

#[test]
fn a_file_changed_since_it_was_read_is_not_replaced() {
    let bench = Bench::new(&[("f", "a\n")]);
    bench.read("f");
    bench.write("f", "somebody else\n");
    let told = bench.failed("write_file", write("f", "b\n"));
    assert!(told.starts_with("`f` has changed since it was read") && !told.contains("somebody"), "{told}");
    assert_eq!(bench.text("f"), "somebody else\n");
}

#[test]
fn the_intent_names_the_real_place_and_shows_the_change_to_come() {
    let bench = Bench::new(&[("f", "a\n")]);
    symlink(bench.outside(), bench.root().join("out")).unwrap();
    let intent = bench.intent("write_file", write("out/new", "x\n")).unwrap();
    assert_eq!(intent.actions, [Action::Write { path: bench.outside().join("new") }]);
    let intent = bench.intent("write_file", write("f", "b\n")).unwrap();
    let draft = intent.drafts.first().unwrap();
    assert_eq!((draft.name.as_str(), draft.before.as_deref(), draft.after.as_deref()), ("f", Some("a\n"), Some("b\n")));
    assert_eq!(bench.text("f"), "a\n");
    assert!(bench.intent("write_file", write("g", "// ... existing code ...\n")).is_err());
}

#[test]
fn names_of_any_kind_can_be_written() {
    let bench = Bench::new(&[]);
    let long = "n".repeat(250);
    for name in ["with space", "line\nend", "-dash", "ümlaut", long.as_str()] {
        bench.ok("write_file", write(name, "x\n"));
        assert_eq!(bench.text(name), "x\n");
    }
    let told = bench.failed("write_file", write(&"n".repeat(300), "x"));
    assert!(told.contains("File name too long"), "{told}");
}
