//! Is each file and function short enough to be read at once?
//!
//! Tests do not count. When a file nears its limit, one job moves out with its tests and its docs.

use crate::tidy::source::{Source, functions};
use crate::tidy::{assert_none, root};

/// Lines allowed by the kind of file; the first row that fits counts.
const LIMITS: &[(&str, usize)] = &[
    // The map, and the list of rooms below it.
    ("src/lib.rs", 150),
    ("/mod.rs", 250),
    ("src/cli/commands/", 400),
    ("src/tools/", 450),
    ("src/model/providers/", 600),
    ("src/tui/widgets/", 500),
    ("src/tui/views/", 500),
    ("src/", 600),
];

/// Lines a function may have, signature and closing brace included.
const MAX_FUNCTION_LINES: usize = 100;

/// Flat tables of rows that have no state: they may be as long as they need.
const TABLES: &[&str] = &[];

fn limit(path: &str) -> usize {
    let fits =
        |pattern: &str| if pattern.starts_with('/') { path.ends_with(pattern) } else { path.starts_with(pattern) };
    LIMITS.iter().find(|row| fits(row.0)).map_or(usize::MAX, |row| row.1)
}

fn long_files(sources: &[Source], tables: &[&str]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let (n_lines, limit) = (source.shipped_lines(), limit(&source.path));
        let is_table = tables.contains(&source.path.as_str());
        if n_lines > limit && !is_table {
            let what = format!("{n_lines} lines without tests, at most {limit}: move one job out, with its tests");
            breaches.push(source.breach(0, what));
        }
        if n_lines <= limit && is_table {
            breaches.push(source.breach(0, "short enough now: strike it from TABLES in tests/it/tidy/sizes.rs"));
        }
    }
    let is_gone = |table: &&&str| !sources.iter().any(|source| source.path == **table);
    breaches.extend(tables.iter().filter(is_gone).map(|table| format!("{table}: gone: strike it from TABLES")));
    breaches
}

fn long_functions(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        for function in functions(source).iter().filter(|function| function.n_lines > MAX_FUNCTION_LINES) {
            breaches.push(format!(
                "{}:{}: `{}` has {} lines, at most {MAX_FUNCTION_LINES}: give a part of it a name of its own",
                source.path, function.line, function.name, function.n_lines
            ));
        }
    }
    breaches
}

#[test]
fn files_are_short() {
    assert_none("Files hold one job.", &long_files(&Source::read_all(&root(), "src"), TABLES));
}

#[test]
fn functions_are_short() {
    assert_none("Functions fit on a screen.", &long_functions(&Source::read_all(&root(), "src")));
}

#[test]
fn long_files_are_found() {
    let table = [
        ("src/base/text.rs", 600, 0),
        ("src/base/text.rs", 601, 1),
        ("src/base/mod.rs", 251, 1),
        ("src/cli/commands/fix.rs", 401, 1),
        ("src/tools/shell.rs", 451, 1),
        ("src/model/providers/openai.rs", 600, 0),
    ];
    for (path, n_lines, expected) in table {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "let a = 1;\n".repeat(500));
        let source = Source::of(path, &("let a = 1;\n".repeat(n_lines) + &tests));
        assert_eq!(long_files(&[source], &[]).len(), expected, "{path} {n_lines}");
    }
    let long = Source::of("src/base/text.rs", &"row\n".repeat(700));
    assert!(long_files(&[long], &["src/base/text.rs"]).is_empty());
    let short = Source::of("src/base/text.rs", "row\n");
    assert_eq!(long_files(&[short], &["src/base/text.rs", "src/base/gone.rs"]).len(), 2);
}

#[test]
fn long_functions_are_found() {
    let body = |n: usize| {
        format!(
            "trait T {{ fn none(a: [u8; 4]); }}\npub fn it<T>(a: T)\nwhere\n    T: A,\n{{\n{}}}\n",
            "a();\n".repeat(n)
        )
    };
    assert!(long_functions(&[Source::of("src/base/x.rs", &body(95))]).is_empty());
    let breaches = long_functions(&[Source::of("src/base/x.rs", &body(96))]);
    assert_eq!(breaches.len(), 1);
    assert!(breaches[0].starts_with("src/base/x.rs:2: `it` has 101 lines"), "{}", breaches[0]);
}
