//! Does each file open by saying which question it answers?

use crate::tidy::source::{Source, is_test_file};
use crate::tidy::{assert_none, root};

/// Lines a head may have: the question, a blank line, and what surprises. Doors also say how to add one.
const MAX_HEAD_LINES: usize = 12;

fn head_breaches(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| !is_test_file(&source.path)) {
        let head: Vec<&str> = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
        let first = head.first().map_or("", |line| line.trim_start_matches("//!").trim());
        if first.split_whitespace().count() < 2 {
            breaches
                .push(source.breach(0, "open the file with `//! ` and the question a newcomer has that it answers"));
            continue;
        }
        let Some(_room) = source.room() else { continue };
        if !first.contains('?') {
            breaches.push(source.breach(0, "make the first line a question that this file answers"));
        }
        if head.len() > MAX_HEAD_LINES {
            let what = format!("the head has {} lines, {MAX_HEAD_LINES} are enough: keep what surprises", head.len());
            breaches.push(source.breach(0, what));
        }
        if source.is_door() && !head.iter().any(|line| line.contains("To add")) {
            breaches.push(source.breach(0, "say in the head of a door how to add one more: `To add ...: ...`"));
        }
    }
    breaches
}

#[test]
fn files_open_with_their_question() {
    assert_none("Every file opens with `//!`.", &head_breaches(&Source::read_all(&root(), "src")));
}

#[test]
fn silent_files_are_found() {
    let table = [
        ("src/base/text.rs", "//! How is text cut?\n", 0),
        ("src/base/text.rs", "//! Text functions.\n", 1),
        ("src/base/text.rs", "use x;\n//! How is text cut?\n", 1),
        ("src/base/text.rs", "", 1),
        ("src/base/text_tests.rs", "", 0),
        ("src/base/mod.rs", "//! What is here?\n", 1),
        ("src/base/mod.rs", "//! What is here?\n//! To add one: a file.\n", 0),
        ("src/lib.rs", "//! The map.\n", 0),
        ("src/main.rs", "fn main() {}\n", 1),
    ];
    for (path, text, expected) in table {
        assert_eq!(head_breaches(&[Source::of(path, text)]).len(), expected, "{path}: {text}");
    }
    let long = "//! Why?\n".repeat(MAX_HEAD_LINES + 1);
    assert_eq!(head_breaches(&[Source::of("src/base/text.rs", &long)]).len(), 1);
}
