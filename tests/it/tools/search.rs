//! Is what stands in the project found, and nothing beside it?

use serde_json::json;

use super::support::Bench;

#[test]
fn matches_come_grouped_by_file_in_order() {
    let bench = Bench::new(&[
        ("b.rs", "fn b() {}\nlet x = 1;\n"),
        ("a/z.rs", "let x = 2;\r\n"),
        ("a/y.txt", "x\nlet X = 3;\n"),
        (".hidden", "let x = 4;\n"),
        ("target/out.rs", "let x = 5;\n"),
        (".gitignore", "target/\n"),
    ]);
    bench.write("c.bin", b"let x = 6;\0");
    bench.write("latin", b"let x = \xfc;\n");
    bench.fifo("pipe");
    std::os::unix::fs::symlink("/etc", bench.root().join("link")).unwrap();
    let table = [
        (
            json!({"pattern": "let x"}),
            "a/z.rs\n    1: let x = 2;\nb.rs\n    2: let x = 1;\nlatin\n    1: let x = ü;\n[3 matches in 3 files]",
        ),
        (
            json!({"pattern": "^let x = \\d;$", "glob": "*.rs", "path": "a"}),
            "a/z.rs\n    1: let x = 2;\n[1 match in 1 file]",
        ),
        (
            json!({"pattern": "let x", "glob": "!*.rs", "ignore_case": "true"}),
            "a/y.txt\n    2: let X = 3;\nlatin\n    1: let x = ü;\n[2 matches in 2 files]",
        ),
        (json!({"pattern": "let x", "path": ".hidden"}), ".hidden\n    1: let x = 4;\n[1 match in 1 file]"),
        (json!({"pattern": "let x", "path": "target"}), "target/out.rs\n    1: let x = 5;\n[1 match in 1 file]"),
        (
            json!({"query": "x = [12]", "max_results": "1"}),
            "a/z.rs\n    1: let x = 2;\n[1 match in 1 file; there are more; narrow the search with path, glob or a longer pattern]",
        ),
        (json!({"pattern": "nowhere"}), "no line matches `nowhere` in 4 files"),
        (json!({"pattern": "x", "glob": "*.py"}), "no line matches `x` in 0 files"),
    ];
    for (arguments, expected) in table {
        assert_eq!(bench.ok("search", arguments), expected);
    }
}

#[test]
fn context_joins_where_it_overlaps() {
    let text: String =
        (1..=20).map(|n| format!("{}{n}\n", if [3, 5, 15].contains(&n) { "hit" } else { "line" })).collect();
    let bench = Bench::new(&[("f", &text)]);
    assert_eq!(
        bench.ok("search", json!({"pattern": "hit", "context": 1})),
        "f\n    2- line2\n    3: hit3\n    4- line4\n    5: hit5\n    6- line6\n   --\n   14- line14\n   15: hit15\n   16- line16\n[3 matches in 1 file]"
    );
}

#[test]
fn wrong_input_is_answered_with_what_would_work() {
    let bench = Bench::new(&[("src/a.rs", "x\n")]);
    bench.fifo("pipe");
    let table = [
        (
            json!({"pattern": "foo("}),
            "`foo(` is not a valid regular expression: unclosed group. To search for exactly this text, use the pattern `foo\\(`",
        ),
        (json!({"pattern": ""}), "the pattern is empty"),
        (json!({"pattern": "a\\nb"}), "the pattern has a line end"),
        (json!({"pattern": "(a{1000}){1000}"}), "`(a{1000}){1000}` is not a valid regular expression"),
        (json!({"pattern": "x", "glob": "[a"}), "`[a` is not a file pattern"),
        (json!({"pattern": "x", "path": "srcs"}), "`srcs` does not exist; did you mean `src`?"),
        (json!({"pattern": "x", "path": "pipe"}), "`pipe` is a FIFO, not a file"),
        (json!({"path": "src"}), "wrong arguments for `search`: missing field `pattern`"),
    ];
    for (arguments, expected) in table {
        let told = bench.failed("search", arguments);
        assert!(told.starts_with(expected), "{told}");
    }
    assert!(bench.ok("search", json!({"pattern": r"\\n"})).starts_with("no line matches"));
}

#[test]
fn a_flood_of_matches_stays_within_the_cap() {
    let bench = Bench::new(&[]);
    for n in 0..200 {
        bench.write(&format!("f{n:03}"), format!("{}needle{}\n", "x".repeat(5000), "y".repeat(5000)).repeat(3));
    }
    let text = bench.ok("search", json!({"pattern": "needle", "max_results": 5000, "context": 99}));
    assert!(text.len() < 10_000, "{}", text.len());
    assert!(text.contains("...xx") && text.contains("needleyy") && text.ends_with("or a longer pattern]"), "{text}");
    let bench = Bench::new(&[("f", &"hit\n".repeat(500))]);
    assert!(bench.ok("search", json!({"pattern": "hit"})).contains("[100 matches in 1 file; there are more"));
}
