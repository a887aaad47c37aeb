//! Does a listing show a folder as it is, however full?

use serde_json::json;

use super::support::Bench;

#[test]
fn a_folder_shows_as_a_tree_or_as_matching_paths() {
    let bench = Bench::new(&[
        ("README.md", ""),
        ("src/main.rs", ""),
        ("src/a/b/c.rs", ""),
        (".env", ""),
        ("build/out.o", ""),
        (".gitignore", "build\n"),
        ("odd\nname", ""),
    ]);
    bench.fifo("pipe");
    std::os::unix::fs::symlink("/etc", bench.root().join("link")).unwrap();
    let top = "README.md\nlink -> /etc\n\"odd\\nname\"\npipe (not a file)\nsrc/\n";
    let table = [
        (json!({}), format!("{top}  a/\n  main.rs\n")),
        (json!({"depth": "1"}), top.to_owned()),
        (json!({"path": "src", "depth": 3}), "a/\n  b/\n    c.rs\nmain.rs\n".to_owned()),
        (json!({"glob": "*.rs"}), "src/a/b/c.rs\nsrc/main.rs\n".to_owned()),
        (json!({"glob": "src/*.rs"}), "src/main.rs\n".to_owned()),
        (json!({"path": "build"}), "out.o\n".to_owned()),
        (json!({"glob": "*.py"}), "`.` has no files to list (ignored and hidden ones are left out)".to_owned()),
    ];
    for (arguments, expected) in table {
        assert_eq!(bench.ok("list_files", arguments), expected);
    }
    let wrong = [
        (json!({"path": "README.md"}), "`README.md` is not a folder; read it with `read_file`"),
        (json!({"path": "srk"}), "`srk` does not exist; did you mean `src`?"),
        (json!({"glob": "{"}), "`{` is not a file pattern"),
    ];
    for (arguments, expected) in wrong {
        let told = bench.failed("list_files", arguments);
        assert!(told.starts_with(expected), "{told}");
    }
}

#[test]
fn a_full_folder_does_not_crowd_out_the_rest() {
    let bench = Bench::new(&[("z.txt", "")]);
    for n in 0..100 {
        bench.write(&format!("data/{n:03}.csv"), "");
        bench.write(&format!("more/{n:03}/x"), "");
    }
    let text = bench.ok("list_files", json!({}));
    assert!(text.contains("  059.csv\n  [40 more]\nmore/\n"), "{text}");
    assert!(text.ends_with("  059/\n  [40 more]\nz.txt\n"), "{text}");
    for n in 0..1000 {
        bench.write(&format!("heap/{n:04}/a-name-that-takes-some-room/x"), "");
    }
    let text = bench.ok("list_files", json!({"glob": "x"}));
    assert!(text.len() < 10_000 && text.ends_with("[there are more; narrow the list with path, depth or glob]\n"));
}
