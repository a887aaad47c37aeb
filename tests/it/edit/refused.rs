//! Is everything that cannot be changed safely refused in words, with nothing changed on disk?
//!
//! Through the tools, as a model calls them. Each case is checked against the whole tree before.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use mimi::protocol::tool::Action;
use serde_json::{Value, json};

use crate::tools::support::Bench;

/// Every path with its kind, mode, number and, where it is short, its content.
type Tree = BTreeMap<String, (u32, u64, Vec<u8>)>;

pub fn tree(root: &Path) -> Tree {
    let mut found = Tree::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let content =
                if meta.is_file() && meta.len() < 1 << 20 { std::fs::read(&path).unwrap() } else { Vec::new() };
            found.insert(path.display().to_string(), (meta.mode(), meta.ino(), content));
            if meta.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// What somebody else does to a file.
type Meddle = fn(&Path);

fn edit(path: &str) -> (&'static str, Value) {
    ("edit_file", json!({"path": path, "old_string": "one", "new_string": "two"}))
}

fn write(path: &str) -> (&'static str, Value) {
    ("write_file", json!({"path": path, "content": "two\n"}))
}

fn bench() -> Bench {
    let bench = Bench::new(&[
        ("plain", "one\n"),
        ("read-only", "one\n"),
        ("linked", "one\n"),
        ("folder/x", "one\n"),
        ("line\nend", "one\n"),
    ]);
    bench.write("image", b"\x89PNG\r\n\x1a\none");
    bench.write("nul", b"one\0two");
    bench.write("cut", b"\xc3\xbc\xc3\xbc one \xff\n");
    // 200 MB that take no room on disk.
    bench.write("large", "one\n");
    std::fs::File::options().write(true).open(bench.root().join("large")).unwrap().set_len(200_000_000).unwrap();
    let text: String = (0..600_000).map(|n| format!("one {n} of many lines of text\n")).collect();
    bench.write("long", text);
    bench.fifo("pipe");
    let socket = std::os::unix::net::UnixListener::bind(bench.root().join("socket")).unwrap();
    drop(socket);
    std::fs::set_permissions(bench.root().join("read-only"), std::fs::Permissions::from_mode(0o444)).unwrap();
    std::fs::hard_link(bench.root().join("linked"), bench.root().join("other")).unwrap();
    symlink("ring", bench.root().join("ring")).unwrap();
    bench
}

#[test]
fn what_must_not_be_changed_is_named_and_left_as_it_is() {
    let bench = bench();
    for name in ["plain", "read-only", "linked", "cut", "line\nend"] {
        bench.read(name);
    }
    let table = [
        ("image", "`image` is a PNG image"),
        ("nul", "`nul` is binary data"),
        ("cut", "`cut` is not valid UTF-8: writing it back would change bytes nobody touched"),
        ("long", "`long` has 19.7 MB, the most that is read whole is 8.0 MB"),
        ("large", "`large` is binary data (200.0 MB), not text"),
        ("read-only", "`read-only` is read-only"),
        ("linked", "`linked` has 2 hard links"),
        ("folder", "`folder` is a folder"),
        ("pipe", "`pipe` is a FIFO"),
        ("socket", "`socket` is a socket"),
        ("/dev/null", "`/dev/null` is a device"),
        ("ring", "`ring` lies behind a symbolic link that leads nowhere"),
        ("plain/below", ""),
    ];
    let before = tree(bench.root());
    for (name, expected) in table {
        for (tool, arguments) in [edit(name), write(name)] {
            let told = bench.failed(tool, arguments);
            assert!(told.starts_with(expected), "{tool} {name}: {told}");
            assert!(tree(bench.root()) == before, "{tool} {name} changed something: {told}");
        }
    }
}

#[test]
fn a_file_deleted_replaced_or_changed_since_it_was_read_is_not_written() {
    let changes: [(&str, Meddle); 4] = [
        ("deleted", |path| std::fs::remove_file(path).unwrap()),
        ("changed", |path| std::fs::write(path, "one more\n").unwrap()),
        ("made a folder", |path| {
            std::fs::remove_file(path).unwrap();
            std::fs::create_dir(path).unwrap();
        }),
        ("made a link", |path| {
            std::fs::remove_file(path).unwrap();
            symlink("../outside", path).unwrap();
        }),
    ];
    for (what, change) in changes {
        for (tool, arguments) in [edit("f"), write("f")] {
            let bench = Bench::new(&[("f", "one\n")]);
            std::fs::write(bench.outside().join("outside"), "one\n").unwrap();
            bench.read("f");
            let bench = approved(bench, tool, &arguments);
            change(&bench.root().join("f"));
            let before = tree(&bench.outside());
            let report = bench.call(tool, arguments);
            // A file that is gone may be written anew, which is what was asked for.
            let is_new = what == "deleted" && tool == "write_file";
            assert_eq!(report.outcome.is_ok(), is_new, "{what} {tool}: {}", report.outcome.text());
            assert!(is_new || tree(&bench.outside()) == before, "{what} {tool}");
        }
    }
}

/// Allows what the call would do now, as the agent does once it is approved.
fn approved(mut bench: Bench, tool: &str, arguments: &Value) -> Bench {
    let intent = bench.intent(tool, arguments.clone()).unwrap();
    bench.cx.writer = bench.cx.writer.only(intent.actions.iter().filter_map(Action::written).cloned());
    bench
}

#[test]
fn names_with_newlines_and_links_inside_the_project_work() {
    let bench = Bench::new(&[("line\nend", "one\n"), ("real/f", "one\n")]);
    symlink("real", bench.root().join("way")).unwrap();
    symlink("real/f", bench.root().join("link")).unwrap();
    for (name, real, text) in [("line\nend", "line\nend", "one"), ("way/f", "real/f", "one"), ("link", "real/f", "two")]
    {
        bench.read(name);
        bench.ok("edit_file", json!({"path": name, "old_string": text, "new_string": format!("{text} two")}));
        assert!(bench.text(real).contains("two"), "{name}");
    }
    assert!(bench.root().join("way").is_symlink() && bench.root().join("link").is_symlink());
    bench.ok("write_file", json!({"path": "way/new/f", "content": "x\n"}));
    assert_eq!(bench.text("real/new/f"), "x\n");
}
