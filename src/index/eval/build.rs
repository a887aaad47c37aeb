//! How does a project ask questions about itself?
//!
//! The first sentence of a doc comment asks for what it is about: a function, a type, or the whole file. Left out: sentences
//! of fewer than 5 or more than 40 words, those that stand in the project twice, licences, tests, and other people's code.
//! Of a Go doc the leading name is taken away: it is the answer. All definitions stay among what may be found, tests too.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;

use regex::Regex;

use crate::base::hash;
use crate::base::path::open_regular;
use crate::index::error::IndexError;
use crate::index::eval::docs::{self, Owner};
use crate::index::eval::question::{Gold, Question};
use crate::index::files;
use crate::index::language::Kind;
use crate::index::scan::scan;
use crate::index::search::rank;
use crate::index::store::read::Known;

/// Words of a sentence that is asked.
const WORDS: std::ops::RangeInclusive<usize> = 5..=40;
/// Words that tell of a licence.
const LICENCE: [&str; 4] = ["copyright", "licence", "license", "spdx"];

/// What comments begin with that speak to a program.
const DIRECTIVES: [&str; 8] =
    ["go:", "+build", "-*-", "vim:", "frozen_string_literal", "eslint", "encoding:", "coding:"];

/// Reads every file of a project that the index would keep, with its path below the root.
pub fn each_file(root: &Path, mut each: impl FnMut(&str, &[u8])) -> Result<(), IndexError> {
    let table = files::table()?;
    let mut paths = scan(root, &Known::default(), SystemTime::now()).changed;
    paths.sort();
    for path in paths {
        let whole = root.join(&path);
        let Ok(meta) = whole.symlink_metadata() else { continue };
        if table.by_path(Path::new(&path), meta.len()).is_some() {
            continue;
        }
        // What cannot be read is not in the index either.
        if let Some(bytes) = read(&whole, table.max_bytes)
            && table.by_content(Path::new(&path), &bytes).is_none()
        {
            each(&path, &bytes);
        }
    }
    Ok(())
}

fn read(path: &Path, max_bytes: u64) -> Option<Vec<u8>> {
    let (file, _) = open_regular(path).ok()?;
    let mut bytes = Vec::new();
    file.take(max_bytes).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Makes questions from the doc comments of a project; of more than `at_most` some, always the same.
pub fn build(root: &Path, at_most: Option<usize>) -> Result<Vec<Question>, IndexError> {
    let (table, weights) = (files::table()?, rank::weights()?);
    let mut found: Vec<Question> = Vec::new();
    each_file(root, |path, bytes| {
        if !table.is_vendored(Path::new(path)) && !weights.is_test(path) && !path.ends_with(".md") {
            of_file(path, &String::from_utf8_lossy(bytes), &mut found);
        }
    })?;
    let mut counts: HashMap<String, usize> = HashMap::new();
    found.iter().for_each(|question| *counts.entry(question.question.to_lowercase()).or_default() += 1);
    found.retain(|question| counts.get(&question.question.to_lowercase()) == Some(&1));
    if let Some(at_most) = at_most.filter(|at_most| *at_most < found.len()) {
        // By hash: a question stays in the choice when others come and go.
        found.sort_by_key(|question| hash::of_bytes(question.question.as_bytes()));
        found.truncate(at_most);
        found.sort_by(|a, b| {
            (&a.relevant[0].path, a.relevant[0].lines).cmp(&(&b.relevant[0].path, b.relevant[0].lines))
        });
    }
    Ok(found)
}

fn of_file(path: &str, text: &str, found: &mut Vec<Question>) {
    let lines: Vec<&str> = text.lines().collect();
    for doc in docs::docs(Path::new(path), text) {
        let (kind, lines_of_it, name) = match &doc.owner {
            Owner::File => ("file", None, ""),
            Owner::Nobody => continue,
            Owner::Definition(definition) => {
                let kind = match definition.kind {
                    Kind::Function | Kind::Method | Kind::Macro => "function",
                    Kind::Class | Kind::Type | Kind::Interface => "type",
                    _ => continue,
                };
                (kind, Some((definition.line, definition.end_line)), definition.name.as_str())
            }
        };
        let remark = lines.get(doc.first..=doc.last).unwrap_or_default();
        let Some(mut sentence) = sentence(remark) else { continue };
        if path.ends_with(".go")
            && let Some(rest) = sentence.strip_prefix(name).and_then(|rest| rest.strip_prefix(' '))
        {
            sentence = rest.to_owned();
        }
        let lower = sentence.to_lowercase();
        if WORDS.contains(&sentence.split_whitespace().count()) && !LICENCE.iter().any(|word| lower.contains(word)) {
            let gold = Gold { path: path.to_owned(), lines: lines_of_it };
            found.push(Question {
                question: sentence,
                relevant: vec![gold],
                kind: kind.to_owned(),
                without_docs: true,
            });
        }
    }
}

/// Returns the first sentence of a doc, without marks of comments and of markup.
fn sentence(remark: &[&str]) -> Option<String> {
    let mut words = String::new();
    for line in remark {
        let line = bare(line);
        if DIRECTIVES.iter().any(|word| line.starts_with(word)) {
            continue;
        }
        let is_end =
            line.is_empty() || line.starts_with(['@', ':', '#']) || line.starts_with("```") || line.ends_with(':');
        if is_end && words.is_empty() && !line.ends_with(':') {
            continue;
        }
        if is_end {
            break;
        }
        words.push_str(line);
        words.push(' ');
    }
    let text = without_markup(&words);
    let text = first_sentence(&text).trim().trim_end_matches(['.', ':', ';', ' ']);
    (!text.is_empty()).then(|| text.to_owned())
}

/// A line of a comment without what makes it one.
fn bare(line: &str) -> &str {
    const QUOTES: [char; 2] = ['"', '\''];
    let line = line.trim();
    let unprefixed = line.trim_start_matches(['r', 'u', 'R', 'U']);
    if unprefixed.starts_with(QUOTES) {
        return unprefixed.trim_matches(QUOTES).trim();
    }
    let line = line.trim_end_matches("*/").trim_end_matches(QUOTES).trim_end();
    // One kind of mark: what stands behind it may be a heading of Markdown.
    let marks: &[char] = match line.chars().next() {
        Some('/' | '*') => &['/', '*', '!'],
        Some('#') => &['#'],
        Some('-') => &['-'],
        _ => &[],
    };
    line.trim_start_matches(marks).trim()
}

fn without_markup(text: &str) -> String {
    static MARKUP: OnceLock<Option<[(Regex, &str); 4]>> = OnceLock::new();
    let made = || {
        let one = |pattern: &str| Regex::new(pattern).ok();
        Some([
            (one(r"\[([^\]]*)\]\([^)]*\)")?, "$1"),
            (one(r"\{@\w+\s+([^}]*)\}")?, "$1"),
            (one(r":\w+(?::\w+)?:`~?([^`]*)`")?, "$1"),
            (one(r"</?[A-Za-z][^>]*>")?, " "),
        ])
    };
    let Some(rules) = MARKUP.get_or_init(made) else { return text.to_owned() };
    let plain = rules.iter().fold(text.to_owned(), |text, (rule, by)| rule.replace_all(&text, *by).into_owned());
    plain.replace(['`', '[', ']'], "").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn first_sentence(text: &str) -> &str {
    let is_abbreviation = |before: &str| ["e.g", "i.e", "etc", "vs", "cf"].iter().any(|word| before.ends_with(word));
    let end = text.match_indices(". ").map(|(at, _)| at).find(|at| !is_abbreviation(&text[..*at]));
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_of_a_doc_is_what_is_asked() {
        let table: [(&[&str], Option<&str>); 10] = [
            (&["/// Opens `path`, e.g. a file. More."], Some("Opens path, e.g. a file")),
            (
                &["    /**", "     * Keeps a [list](https://x) of {@link Item}s.", "     * @param a b", "     */"],
                Some("Keeps a list of Items"),
            ),
            (&["# Removes old", "# entries", "#", "# More."], Some("Removes old entries")),
            (
                &["\"\"\"Return the :class:`~a.Name` of it.", "", "    Args: x", "\"\"\""],
                Some("Return the a.Name of it"),
            ),
            (&["r'''", "Finds it.", "'''"], Some("Finds it")),
            (&["//! # Heading", "//!", "//! Words."], Some("Words")),
            (&["-- Sends it <b>twice</b>."], Some("Sends it twice")),
            (&["/// Example:", "/// code"], None),
            (&["//", "/* */"], None),
            (&["# -*- coding: utf-8 -*-", "# frozen_string_literal: true", "# Words."], Some("Words")),
        ];
        for (remark, expected) in table {
            assert_eq!(sentence(remark).as_deref(), expected, "{remark:?}");
        }
    }

    #[test]
    fn questions_come_from_docs_of_the_project_itself_and_each_is_asked_once() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let go = "// Copyright of somebody who wrote this file.\n\npackage a\n\n// Open opens the file that was named.\nfunc Open() {}\n";
        write("a.go", go);
        let rust = "//! Says how bytes are counted in here.\n\n/// Too short.\nfn a() {}\n\n/// Counts the bytes of every line.\nfn b() {}\n";
        write("b.rs", rust);
        let twice = "/// Asked twice, and so not asked.\n";
        write("c.rs", &format!("{twice}fn c() {{}}\n{twice}fn d() {{}}\n"));
        write("tests/d.rs", "/// Checks that nothing of this is asked.\nfn e() {}\n");
        write("vendor/x/e.rs", "/// Belongs to somebody else in the world.\nfn f() {}\n");
        let questions = build(folder.path(), None).unwrap();
        let told: Vec<String> =
            questions.iter().map(|q| format!("{} {}: {}", q.kind, q.relevant[0], q.question)).collect();
        let expected = [
            "function a.go:6-6: opens the file that was named",
            "file b.rs: Says how bytes are counted in here",
            "function b.rs:7-7: Counts the bytes of every line",
        ];
        assert_eq!(told, expected);
        let some = build(folder.path(), Some(2)).unwrap();
        assert_eq!(some, build(folder.path(), Some(2)).unwrap());
        assert!(some.len() == 2 && some.iter().all(|question| questions.contains(question)));
    }
}
