//! What does the model see of a file, whatever is in it?

use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, Instant};

use mimi::protocol::tool::{Action, ToolOutcome};
use serde_json::json;

use super::support::Bench;

#[test]
fn text_comes_numbered_with_what_is_unusual_about_it() {
    let table: [(&[u8], &str); 10] = [
        (b"one\ntwo\n", "f, lines 1-2 of 2:\n    1\tone\n    2\ttwo\n"),
        (b"one\ntwo", "f, lines 1-2 of 2:\n    1\tone\n    2\ttwo\n[no newline at the end of the file]"),
        (b"", "`f` is empty"),
        (b"\n", "f, lines 1-1 of 1:\n    1\t\n"),
        (b"a\r\nb\r\n", "f, lines 1-2 of 2, CRLF line ends:\n    1\ta\n    2\tb\n"),
        (b"a\r\nb\n", "f, lines 1-2 of 2, mixed CRLF and LF line ends:\n    1\ta\n    2\tb\n"),
        (b"\xef\xbb\xbfa\n", "f, lines 1-1 of 1, UTF-8 with byte-order mark:\n    1\ta\n"),
        (b"gr\xfcn\n", "f, lines 1-1 of 1, Latin-1 (Windows-1252):\n    1\tgrün\n"),
        (b"\xff\xfea\0\n\0", "f, lines 1-1 of 1, UTF-16LE with byte-order mark:\n    1\ta\n"),
        (b"\xfe\xff\0a\0\n", "f, lines 1-1 of 1, UTF-16BE with byte-order mark:\n    1\ta\n"),
    ];
    for (bytes, expected) in table {
        let bench = Bench::new(&[]);
        bench.write("f", bytes);
        assert_eq!(bench.read("f"), expected);
    }
}

#[test]
fn a_range_is_taken_however_it_is_written() {
    let bench = Bench::new(&[("f", "1\n2\n3\n4\n5\n")]);
    let table = [
        (
            json!({"path": "f", "start_line": 2, "end_line": 3}),
            "f, lines 2-3 of 5:\n    2\t2\n    3\t3\n[2 lines more; read on with start_line 4]",
        ),
        (json!({"file_path": "f", "start_line": "4"}), "f, lines 4-5 of 5:\n    4\t4\n    5\t5\n"),
        (json!({"filename": "f", "start_line": 5.0, "end_line": 99}), "f, lines 5-5 of 5:\n    5\t5\n"),
        (
            json!({"path": "./f", "start_line": 0, "end_line": 1}),
            "f, lines 1-1 of 5:\n    1\t1\n[4 lines more; read on with start_line 2]",
        ),
        (
            json!({"path": "f", "start_line": null, "end_line": ""}),
            "f, lines 1-5 of 5:\n    1\t1\n    2\t2\n    3\t3\n    4\t4\n    5\t5\n",
        ),
    ];
    for (arguments, expected) in table {
        assert_eq!(bench.ok("read_file", arguments), expected);
    }
    let wrong = [
        (json!({"path": "f", "start_line": 6}), "`f` has 5 lines; there is no line 6"),
        (json!({"path": "f", "start_line": 3, "end_line": 2}), "end_line 2 is before start_line 3"),
        (json!({"path": "f", "start_line": "two"}), "wrong arguments for `read_file` at `start_line`"),
        (json!({"path": "f", "start_line": -1}), "wrong arguments for `read_file` at `start_line`"),
        (json!({"path": "f", "lines": 2}), "wrong arguments for `read_file` at `lines`"),
        (json!({}), "wrong arguments for `read_file`: missing field `path`"),
        (json!([]), "wrong arguments for `read_file`"),
    ];
    for (arguments, expected) in wrong {
        let text = bench.failed("read_file", arguments);
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn long_files_come_in_pages_that_join_without_a_gap() {
    let bench = Bench::new(&[]);
    for line in ["x", "a line of ordinary length, as one finds them in code"] {
        bench.write("f", format!("{line}\n").repeat(1000));
        let (mut next, mut seen) = (1, 0);
        while next <= 1000 {
            let page = bench.ok("read_file", json!({"path": "f", "start_line": next}));
            assert!(page.len() < 10_000);
            seen += page.lines().filter(|row| row.ends_with(&format!("\t{line}"))).count();
            next = page
                .rsplit("start_line ")
                .next()
                .and_then(|rest| rest.trim_end_matches(']').parse().ok())
                .unwrap_or(9999);
        }
        assert_eq!(seen, 1000);
    }
}

#[test]
fn a_line_of_a_million_characters_is_cut_and_says_so() {
    let bench = Bench::new(&[]);
    bench.write("f", format!("{}\nsecond\n", "é".repeat(1_000_000)));
    let text = bench.read("f");
    assert!(text.contains("[... 1998000 more bytes]\n    2\tsecond"), "{}", &text[text.len() - 200..]);
}

#[test]
fn what_cannot_be_read_is_named_and_never_waited_for() {
    let bench = Bench::new(&[("src/main.rs", "fn main() {}\n"), ("src/lib/deep.rs", ""), ("a.png", "")]);
    bench.write("a.png", b"\x89PNG\r\n\x1a\n\0\0");
    bench.write("blob", b"abc\0def");
    bench.fifo("pipe");
    symlink("nowhere", bench.root().join("dangling")).unwrap();
    symlink("ring", bench.root().join("ring")).unwrap();
    let table = [
        ("src/mian.rs", "`src/mian.rs` does not exist; did you mean `src/main.rs`?"),
        ("main.rs", "`main.rs` does not exist; did you mean `src/main.rs`?"),
        ("/home/user/project/src/main.rs", "did you mean `src/main.rs`?"),
        ("lib/deep.rs", "did you mean `src/lib/deep.rs`?"),
        ("zzzzzz", "`zzzzzz` does not exist; search for it"),
        ("src", "`src` is a folder, not a file; list it with `list_files`"),
        ("", "`.` is a folder, not a file"),
        ("a.png", "`a.png` is a PNG image (10 bytes), not text"),
        ("blob", "`blob` is binary data (7 bytes), not text"),
        ("pipe", "`pipe` is a FIFO, not a file"),
        ("/dev/zero", "`/dev/zero` is a device, not a file"),
        ("dangling", "`dangling` does not exist"),
        ("ring", "`ring` lies behind a symbolic link that leads nowhere"),
        ("src/main.rs/x", "`src/main.rs/x` does not exist"),
        ("a\0b", "cannot read `\"a\\0b\"`: "),
    ];
    for (path, expected) in table {
        let text = bench.failed("read_file", json!({ "path": path }));
        assert!(text.contains(expected), "{path:?}: {text}");
    }
}

#[test]
fn a_file_without_permission_says_so() {
    let bench = Bench::new(&[("secret", "x\n")]);
    let path = bench.root().join("secret");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything; then there is nothing to see here.
    if std::fs::File::open(&path).is_err() {
        assert!(
            bench.failed("read_file", json!({"path": "secret"})).contains("cannot read `secret`: Permission denied")
        );
    }
}

#[test]
fn a_file_of_a_gigabyte_is_read_where_asked_at_once() {
    let bench = Bench::new(&[]);
    let path = bench.write("huge", "line\n".repeat(5000));
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(1_000_000_000)).unwrap();
    file.write_all(b"end\n").unwrap();
    let started = Instant::now();
    let text = bench.ok("read_file", json!({"path": "huge", "start_line": 4000, "end_line": 4001}));
    assert_eq!(
        text,
        "huge, lines 4000-4001 of a file too long to edit:\n 4000\tline\n 4001\tline\n\
         [more lines follow, not counted; read on with start_line 4002]"
    );
    let text = bench.failed("read_file", json!({"path": "huge", "start_line": 900_000}));
    assert!(text.contains("further in than is read here"), "{text}");
    let text = bench.failed("edit_file", json!({"path": "huge", "old_string": "end", "new_string": "x"}));
    assert!(text.contains("`huge` has 1.0 GB, the most that is read whole is 8.0 MB"), "{text}");
    // Reading it whole would take longer even from memory; far more than any of this needs.
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[test]
fn names_with_line_ends_stay_on_one_line() {
    let bench = Bench::new(&[("a\nb.txt", "x\n")]);
    assert_eq!(bench.read("a\nb.txt"), "\"a\\nb.txt\", lines 1-1 of 1:\n    1\tx\n");
}

#[test]
fn the_intent_names_where_links_lead_and_spilled_output_is_free() {
    let bench = Bench::new(&[("a.txt", "x\n")]);
    symlink("/etc", bench.root().join("out")).unwrap();
    symlink("/etc/hosts", bench.cx.spill_dir.join("planted")).unwrap();
    std::fs::write(bench.cx.spill_dir.join("1.txt"), "spilled\n").unwrap();
    let read = |path: &str| Action::Read { path: path.into() };
    let inside = bench.root().join("a.txt");
    let spilled = bench.cx.spill_dir.join("1.txt");
    let planted = bench.cx.spill_dir.join("planted");
    let table = [
        ("a.txt", vec![read(inside.to_str().unwrap())]),
        ("out/hosts", vec![read("/etc/hosts")]),
        ("../../../../../../etc/hosts", vec![read("/etc/hosts")]),
        (spilled.to_str().unwrap(), vec![]),
        (planted.to_str().unwrap(), vec![read("/etc/hosts")]),
    ];
    for (path, actions) in table {
        let intent = bench.intent("read_file", json!({ "path": path })).unwrap();
        assert_eq!((intent.actions, intent.is_parallel_safe), (actions, true), "{path}");
    }
    let target = |range| bench.intent("read_file", range).unwrap().target;
    assert_eq!(target(json!({"path": "a.txt", "start_line": 3, "end_line": 9})), "a.txt:3-9");
    assert!(bench.read(spilled.to_str().unwrap()).contains("spilled"));
}

#[test]
fn a_cancelled_call_ends_as_cancelled() {
    let bench = Bench::new(&[("a.txt", "x\n")]);
    bench.cx.cancel.cancel();
    for (tool, arguments) in [
        ("read_file", json!({"path": "a.txt"})),
        ("search", json!({"pattern": "x"})),
        ("list_files", json!({})),
        ("write_file", json!({"path": "b.txt", "content": "x"})),
    ] {
        assert_eq!(bench.call(tool, arguments).outcome, ToolOutcome::Cancelled, "{tool}");
    }
    assert!(!bench.root().join("b.txt").exists());
}
