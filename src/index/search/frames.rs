//! Which places in code does a pasted text name?
//!
//! Stack traces and messages of compilers, by the rows of `config/frames.yaml`, innermost call first. A path in a trace is
//! that of the machine where the program ran: [`in_common`] tells which file here is meant. Must not look at files.
//! To add a language: a row with its sample.

use std::sync::OnceLock;

use regex::Regex;
use serde::Deserialize;

use crate::base::yaml;
use crate::index::error::IndexError;

/// Places of one text that are looked at.
const MAX_FRAMES: usize = 20;
/// What says that the innermost call stands last.
const LAST_IS_INNERMOST: &str = "most recent call last";

/// A row of `config/frames.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[allow(dead_code, reason = "for whoever reads the table, and for the test's words")]
    name: String,
    pattern: String,
    #[allow(dead_code, reason = "checked by the test")]
    sample: String,
    #[allow(dead_code, reason = "checked by the test")]
    place: String,
}

/// A place: a path as the text has it, and a line from 1.
pub type Frame = (String, u32);

fn rows() -> Result<Vec<Row>, IndexError> {
    yaml::from_str(include_str!("../../../config/frames.yaml"))
        .map_err(|error| IndexError::Table(format!("frames.yaml: {error}")))
}

/// The patterns, compiled once; empty when the table is broken, which a test would have found.
fn patterns() -> &'static [Regex] {
    static PATTERNS: OnceLock<Vec<Regex>> = OnceLock::new();
    let compile = || rows().unwrap_or_default().iter().filter_map(|row| Regex::new(&row.pattern).ok()).collect();
    PATTERNS.get_or_init(compile)
}

/// Finds the places a text names, the innermost call first.
pub fn frames(text: &str) -> Vec<Frame> {
    // By where they begin; what two patterns find in one place counts once, for the earlier row.
    let mut found: Vec<(std::ops::Range<usize>, Frame)> = Vec::new();
    for pattern in patterns() {
        for captures in pattern.captures_iter(text).take(10 * MAX_FRAMES) {
            let group = |name: &str| captures.name(name).map_or("", |group| group.as_str());
            let whole = captures.get(0).map_or(0..0, |whole| whole.range());
            let is_new = !found.iter().any(|(known, _)| known.start < whole.end && whole.start < known.end);
            if let (Ok(line), true) = (group("line").parse::<u32>(), is_new) {
                let package = group("package").replace('.', "/");
                found.push((whole, (package + &group("path").replace('\\', "/"), line)));
            }
        }
    }
    found.sort_by_key(|(whole, _)| whole.start);
    if text.contains(LAST_IS_INNERMOST) {
        found.reverse();
    }
    let mut frames: Vec<Frame> = Vec::new();
    for (_, frame) in found {
        if frames.len() < MAX_FRAMES && !frames.contains(&frame) {
            frames.push(frame);
        }
    }
    frames
}

/// Returns how many names at the end of two paths are the same; 0 unless that is enough to mean the same file: all of the
/// shorter path, or two.
pub fn in_common(one: &str, other: &str) -> usize {
    let names = |path: &str| -> Vec<String> {
        path.rsplit('/').filter(|name| !name.is_empty() && *name != ".").map(str::to_owned).collect()
    };
    let (one, other) = (names(one), names(other));
    let n = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    if n >= 2 || (n > 0 && n == one.len().min(other.len())) { n } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        frames(text).into_iter().map(|(path, line)| format!("{path}:{line}")).collect()
    }

    #[test]
    fn every_row_finds_the_place_of_its_sample() {
        let rows = rows().unwrap();
        assert_eq!(rows.len(), patterns().len());
        for row in rows {
            assert_eq!(told(&row.sample), [row.place.as_str()], "{}", row.name);
        }
    }

    #[test]
    fn traces_of_many_languages_are_read_innermost_first() {
        let table: [(&str, &[&str]); 14] = [
            (
                "Traceback (most recent call last):\n  File \"a/b.py\", line 3, in f\n    g()\n  File \"c.py\", line 9, in g\nKeyError: 'x'",
                &["c.py:9", "a/b.py:3"],
            ),
            ("goroutine 1 [running]:\nmain.f(0x1)\n\t/src/app/main.go:12 +0x1d", &["/src/app/main.go:12"]),
            (
                "    at f (/srv/app/a.js:10:5)\n    at async file:///srv/app/b.mjs:3:1",
                &["/srv/app/a.js:10", "///srv/app/b.mjs:3"],
            ),
            ("TypeError\n    at Object.<anonymous> (webpack:///./src/x.tsx:1:2)", &["///./src/x.tsx:1"]),
            ("   0: std::panicking\n             at ./src/net/mod.rs:10:5", &["./src/net/mod.rs:10"]),
            ("a.rb:10:in 'Foo#bar': no (ArgumentError)\n\tfrom lib/b.rb:2:in 'g'", &["a.rb:10", "lib/b.rb:2"]),
            ("#0 /srv/www/a.php(12): f()", &["/srv/www/a.php:12"]),
            ("** (KeyError) key not found\n    (app 0.1.0) lib/app/a.ex:7: App.A.f/1", &["lib/app/a.ex:7"]),
            ("src/a.ts(10,5): error TS2322: Type", &["src/a.ts:10"]),
            (" --> src/main.rs:3:14", &["src/main.rs:3"]),
            ("C:\\app\\src\\main.cpp(7): error C2065", &["C:/app/src/main.cpp:7"]),
            ("lua: a.lua:3: attempt to index a nil value", &["a.lua:3"]),
            ("Died at lib/App/Run.pm line 4.", &["lib/App/Run.pm:4"]),
            ("Caused by: java.io.IOException\n\tat com.a.B.c(B.java:1)\n\tat com.a.B.c(B.java:1)", &["com/a/B.java:1"]),
        ];
        for (text, expected) in table {
            assert_eq!(told(text), expected, "{text}");
        }
        for text in ["at 10:30:00 it was 3.5:1", "version 1.2.3:4", "http://example.com:8080/x", ""] {
            assert!(told(text).iter().all(|place| !place.starts_with("10")), "{text}");
        }
        assert_eq!(frames(&"a.rs:1 b.rs:2 ".repeat(5000)).len(), 2);
    }

    #[test]
    fn a_path_of_another_machine_means_the_file_whose_end_is_the_same() {
        let table = [
            ("/srv/app/src/net/a.rs", "src/net/a.rs", 3),
            ("a.rs", "src/net/a.rs", 1),
            ("/build/x/src/net/a.rs", "lib/src/net/a.rs", 3),
            ("/rustc/123/library/std/mod.rs", "src/net/mod.rs", 0),
            ("./b/a.rs", "b/a.rs", 2),
            ("aa.rs", "a.rs", 0),
            ("", "a.rs", 0),
        ];
        for (one, other, expected) in table {
            assert_eq!(in_common(one, other), expected, "{one} {other}");
        }
    }
}
