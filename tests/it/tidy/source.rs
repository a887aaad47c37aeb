//! How is Rust text read well enough to judge it, without a parser?
//!
//! Splits a file into code and comments of the same length, so that offsets and lines stay true, then finds test items,
//! functions and paths in the code. Knows strings, raw strings, characters, lifetimes and nested comments; expands
//! `use` groups. Does not expand macros: what only a macro writes is not seen.

use std::ops::Range;
use std::path::Path;

/// One `.rs` file, cut up for the rules.
pub struct Source {
    /// Path from the root, with forward slashes.
    pub path: String,
    /// The file as it is.
    pub text: String,
    /// The file with comments and the insides of literals blanked.
    pub code: String,
    /// `code` with items under `#[cfg(test)]` blanked too: what users run.
    pub shipped: String,
    /// The file with everything but comments blanked.
    pub comments: String,
    /// Where the items under `#[cfg(test)]` are.
    pub tests: Vec<Range<usize>>,
}

/// A path such as `crate::base::fault::Kind`, with `use` groups expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathAt {
    /// Where its last part stands.
    pub at: usize,
    /// Its parts.
    pub parts: Vec<String>,
    /// Whether a `pub use` makes it visible to others.
    pub is_reexport: bool,
}

impl PathAt {
    /// Says whether `parts` (such as `fs::write`) stand next to each other somewhere in the path.
    pub fn contains(&self, parts: &str) -> bool {
        let wanted: Vec<&str> = parts.split("::").collect();
        self.parts.windows(wanted.len()).any(|window| window.iter().map(String::as_str).eq(wanted.iter().copied()))
    }
}

/// A function with a body.
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`, from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace.
    pub n_lines: usize,
}

impl Source {
    /// Cuts up `text` as if it stood at `path`.
    pub fn of(path: &str, text: &str) -> Self {
        let (code, comments) = split(text);
        let whole = is_test_file(path) || code.contains("#![cfg(test)]");
        let tests = if whole { std::iter::once(0..code.len()).collect() } else { test_items(&code) };
        let shipped = blank(&code, &tests);
        Self { path: path.to_owned(), text: text.to_owned(), code, shipped, comments, tests }
    }

    /// Reads every `.rs` file below `folder`, in the order of their paths.
    pub fn read_all(root: &Path, folder: &str) -> Vec<Self> {
        let mut found = Vec::new();
        collect(&root.join(folder), &mut found);
        found.sort();
        assert!(!found.is_empty(), "no Rust files below {}", root.join(folder).display());
        let read = |path: &std::path::PathBuf| {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            Self::of(&name, &std::fs::read_to_string(path).unwrap())
        };
        found.iter().map(read).collect()
    }

    /// Returns the room of a file in `src/`; none for `main.rs` and `lib.rs`, which stand above all rooms.
    pub fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let room = inside.split('/').next()?;
        match room {
            "main.rs" | "lib.rs" => None,
            _ => Some(room.strip_suffix(".rs").unwrap_or(room)),
        }
    }

    /// Says whether the file is the door of a folder.
    pub fn is_door(&self) -> bool {
        self.path.ends_with("/mod.rs")
    }

    /// Returns the line of an offset, from 1.
    pub fn line(&self, at: usize) -> usize {
        self.text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// Renders where an offset is and what is wrong there.
    pub fn breach(&self, at: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{}: {what}", self.path, self.line(at))
    }

    /// Counts lines without the items under `#[cfg(test)]`.
    pub fn shipped_lines(&self) -> usize {
        let in_tests: usize = self.tests.iter().map(|range| self.text[range.clone()].lines().count()).sum();
        self.text.lines().count() - in_tests
    }

    /// Returns the code of the items under `#[cfg(test)]`, everything else blanked.
    pub fn test_code(&self) -> String {
        let mut rest = Vec::new();
        let mut from = 0;
        for range in &self.tests {
            rest.push(from..range.start);
            from = range.end;
        }
        rest.push(from..self.code.len());
        blank(&self.code, &rest)
    }
}

/// Says whether a file holds nothing but tests, by its name.
pub fn is_test_file(path: &str) -> bool {
    path.ends_with("_tests.rs") || path.ends_with("/tests.rs") || path.starts_with("tests/")
}

fn collect(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        // What tests work on is nobody's program here.
        if path.is_dir() && !path.ends_with("tests/fixtures") {
            collect(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Blanks ranges, keeping line ends and length.
fn blank(code: &str, ranges: &[Range<usize>]) -> String {
    let mut bytes = code.as_bytes().to_vec();
    for range in ranges {
        bytes[range.clone()].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Splits a file into its code and its comments, each as long as the file, the other part blanked.
fn split(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let (mut comments, mut literals) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        let after = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => end_of_line(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => end_of_block(bytes, at),
            b'"' => end_of_string(bytes, at),
            b'r' | b'b' | b'c' if at == 0 || !is_word(bytes[at - 1]) => end_of_raw_string(bytes, at).unwrap_or(at + 1),
            b'\'' => end_of_character(text, at),
            _ => at + 1,
        };
        match bytes[at] {
            b'/' if after > at + 1 => comments.push(at..after),
            b'"' | b'\'' if after > at + 1 => literals.push(at + 1..after - 1),
            b'r' | b'b' | b'c' if after > at + 1 => literals.push(at..after),
            _ => {}
        }
        at = after;
    }
    let mut others = Vec::new();
    let mut from = 0;
    for range in &comments {
        others.push(from..range.start);
        from = range.end;
    }
    others.push(from..bytes.len());
    let only_comments = blank(text, &others);
    let code = blank(&blank(text, &comments), &literals);
    (code, only_comments)
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |n| at + n)
}

fn end_of_block(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => (depth, at) = (depth + 1, at + 2),
            (b'*', Some(b'/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Returns the end of `r"..."`, `br#"..."#` and their like; none when no raw string starts here.
fn end_of_raw_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + usize::from(bytes[start] != b'r');
    if bytes.get(at) != Some(&b'r') {
        return None;
    }
    at += 1;
    let hashes = bytes[at..].iter().take_while(|byte| **byte == b'#').count();
    at += hashes;
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let length = bytes[at + 1..].windows(end.len()).position(|window| window == end);
    Some(length.map_or(bytes.len(), |n| at + 1 + n + end.len()))
}

/// Returns the end of a character literal, or of the quote alone when it starts a lifetime.
fn end_of_character(text: &str, start: usize) -> usize {
    let mut chars = text[start + 1..].char_indices();
    match (chars.next(), chars.next()) {
        // The escaped character may itself be a quote, so the closing one is looked for behind it.
        (Some((_, '\\')), Some((n, c))) => {
            let behind = start + 1 + n + c.len_utf8();
            text[behind..].find('\'').map_or(text.len(), |n| behind + n + 1)
        }
        (Some(_), Some((n, '\''))) => start + 1 + n + 1,
        _ => start + 1,
    }
}

/// Finds the items under `#[cfg(test)]`, from the attribute to their end.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(n) =
        ["#[cfg(test)]", "#[cfg(all(test,"].iter().filter_map(|attribute| code[from..].find(attribute)).min()
    {
        let start = from + n;
        let end = item_end(code, start);
        found.push(start..end);
        from = end;
    }
    found
}

/// Returns the end of the item whose attributes or keyword start at or after `from`.
fn item_end(code: &str, mut from: usize) -> usize {
    while let Some(rest) = code[from..].trim_start().strip_prefix('#') {
        let open = code.len() - rest.len();
        from = closing(code, open);
    }
    let head = code[from..].trim_start();
    // These may hold braces and yet end at the semicolon.
    let ends_at_semicolon = ["use ", "const ", "static ", "type ", "pub use ", "pub(crate) use "];
    let has_body = !ends_at_semicolon.iter().any(|word| head.starts_with(word)) || head.starts_with("const fn ");
    match body_or_semicolon(code, from) {
        Some(at) if code.as_bytes()[at] == b'{' && has_body => closing(code, at),
        Some(at) if code.as_bytes()[at] == b'{' => code[at..].find(';').map_or(code.len(), |n| at + n + 1),
        Some(at) => at + 1,
        None => code.len(),
    }
}

/// Returns the first `{` or `;` outside parentheses and brackets.
fn body_or_semicolon(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (n, byte) in code.as_bytes()[from..].iter().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' | b';' if depth == 0 => return Some(from + n),
            _ => {}
        }
    }
    None
}

/// Returns the offset behind the bracket that closes the one at or first after `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_i32;
    for (n, byte) in code.as_bytes()[open..].iter().enumerate() {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth -= 1;
                if depth <= 0 {
                    return open + n + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Finds words and punctuation; `::` is one token.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = if is_word(bytes[at]) {
            bytes[at..].iter().take_while(|byte| is_word(**byte)).count()
        } else if bytes[at..].starts_with(b"::") {
            2
        } else {
            1
        };
        if !bytes[at].is_ascii_whitespace() {
            found.push((at, &code[at..at + length]));
        }
        at += length;
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Finds every path of two parts or more, and single names that are imported.
pub fn paths(code: &str) -> Vec<PathAt> {
    let tokens = tokens(code);
    let text = |index: usize| tokens.get(index).map_or("", |token| token.1);
    let mut found = Vec::new();
    let mut index = 0;
    let (mut in_use, mut is_public) = (false, false);
    while index < tokens.len() {
        match text(index) {
            "use" => {
                in_use = true;
                is_public = index > 0 && is_visibility(&tokens[..index]);
                index += 1;
            }
            ";" => {
                (in_use, is_public) = (false, false);
                index += 1;
            }
            token if is_name(token) || token == "::" => {
                let first = found.len();
                let next = path_tree(&tokens, index, &[], &mut found);
                let keep = |path: &PathAt| path.parts.len() > 1 || in_use;
                let kept: Vec<PathAt> = found.drain(first..).filter(keep).collect();
                found.extend(kept.into_iter().map(|path| PathAt { is_reexport: is_public, ..path }));
                index = next.max(index + 1);
            }
            _ => index += 1,
        }
    }
    found
}

/// Says whether what stands before a `use` makes it visible outside: `pub` or `pub(...)`.
fn is_visibility(before: &[(usize, &str)]) -> bool {
    match before.last().map(|token| token.1) {
        Some("pub") => true,
        Some(")") => before.iter().rev().take(8).any(|token| token.1 == "pub"),
        _ => false,
    }
}

/// Reads one path, or a tree of them, that starts at `index`; returns the index behind it.
fn path_tree(tokens: &[(usize, &str)], mut index: usize, prefix: &[String], found: &mut Vec<PathAt>) -> usize {
    let text = |index: usize| tokens.get(index).map_or("", |token| token.1);
    let mut parts = prefix.to_vec();
    let mut at = tokens[index].0;
    if text(index) == "::" {
        index += 1;
    }
    loop {
        match text(index) {
            "{" if parts.len() > prefix.len() || !prefix.is_empty() => {
                return path_group(tokens, index + 1, &parts, found);
            }
            "*" if !parts.is_empty() => {
                parts.push("*".to_owned());
                index += 1;
            }
            "self" if !parts.is_empty() => index += 1,
            name if is_name(name) => {
                at = tokens[index].0;
                parts.push(name.to_owned());
                index += 1;
            }
            _ => break,
        }
        let goes_on = text(index) == "::" && (is_name(text(index + 1)) || matches!(text(index + 1), "{" | "*"));
        if !goes_on {
            break;
        }
        index += 1;
    }
    if !parts.is_empty() {
        found.push(PathAt { at, parts, is_reexport: false });
    }
    index
}

/// Reads the members of a `use` group up to its closing brace; returns the index behind it.
fn path_group(tokens: &[(usize, &str)], mut index: usize, prefix: &[String], found: &mut Vec<PathAt>) -> usize {
    while let Some((_, token)) = tokens.get(index) {
        match *token {
            "}" => return index + 1,
            "as" => index += 2,
            token if is_name(token) || token == "*" || token == "{" => {
                index = path_tree(tokens, index, prefix, found).max(index + 1);
            }
            _ => index += 1,
        }
    }
    index
}

/// Finds every function that has a body.
pub fn functions(source: &Source) -> Vec<Function> {
    let code = &source.shipped;
    let tokens = tokens(code);
    let mut found = Vec::new();
    for pair in tokens.windows(2) {
        let [(at, "fn"), (name_at, name)] = pair else { continue };
        let Some(open) = body_or_semicolon(code, *name_at) else { continue };
        if is_name(name) && code.as_bytes()[open] == b'{' {
            let (line, last) = (source.line(*at), source.line(closing(code, open) - 1));
            found.push(Function { name: (*name).to_owned(), line, n_lines: last - line + 1 });
        }
    }
    found
}

/// Finds the bodies of modules written in the file itself.
pub fn inline_modules(code: &str) -> Vec<Range<usize>> {
    let tokens = tokens(code);
    let is_inline = |three: &&[(usize, &str)]| three[0].1 == "mod" && is_name(three[1].1) && three[2].1 == "{";
    tokens.windows(3).filter(is_inline).map(|three| three[2].0..closing(code, three[2].0)).collect()
}

/// Finds modules that stand in files of their own, with the file an attribute names for them.
pub fn file_modules(source: &Source) -> Vec<(String, Option<String>)> {
    let tokens = tokens(&source.code);
    let mut found = Vec::new();
    for three in tokens.windows(3) {
        if three[0].1 == "mod" && is_name(three[1].1) && three[2].1 == ";" {
            found.push((three[1].1.to_owned(), named_file(source, three[0].0)));
        }
    }
    found
}

/// Returns the file that `#[path = "..."]` on the lines just above `at` names.
fn named_file(source: &Source, at: usize) -> Option<String> {
    let above = source.text[..at]
        .lines()
        .rev()
        .map(str::trim)
        .skip_while(|line| line.is_empty() || *line == "pub" || line.starts_with("pub("));
    let line = above.take_while(|line| line.starts_with("#[")).find(|line| line.starts_with("#[path"))?;
    line.split('"').nth(1).map(str::to_owned)
}

#[test]
fn words_in_comments_and_strings_are_not_code() {
    let hidden = [
        "// gone",
        "/* gone /* gone */ gone */",
        r#"let a = "gone \" gone";"#,
        "let a = r\"gone\";",
        "let a = r#\"gone \" gone\"#;",
        "let a = br##\"gone \"# gone\"##;",
        "let a = b\"gone\";",
        "let a = c\"gone \\\\\";",
        "/// gone",
    ];
    for text in hidden {
        let source = Source::of("src/base/x.rs", &format!("{text}\nkept"));
        assert!(!source.code.contains("gone") && source.code.contains("kept"), "{text}: {}", source.code);
        assert_eq!(source.code.len(), source.text.len(), "{text}");
    }
    let kept =
        ["fn a<'kept>(b: &'kept str)", "let a = ('x', kept);", "let a = ('\\'', kept);", "r#kept", "('é', kept)"];
    for text in kept {
        assert!(split(text).0.contains("kept"), "{text}: {}", split(text).0);
    }
    assert_eq!(split("let a = '\"'; kept(\"b\")").0, "let a = ' '; kept(\" \")");
}

#[test]
fn only_test_items_are_blanked() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { if true { c() } }\n}\nfn d() {}\n\
        #[cfg(test)]\n#[path = \"x_tests.rs\"]\nmod more;\nfn e() {}\n#[cfg(test)]\nuse f::{g, h};\nfn i() {}\n\
        #[cfg(all(test, unix))]\nmod last {}\n";
    let source = Source::of("src/base/x.rs", text);
    for kept in ["fn a", "fn d", "fn e", "fn i"] {
        assert!(source.shipped.contains(kept) && !source.test_code().contains(kept), "{kept}");
    }
    for gone in ["mod tests", "fn b", "mod more", "h}", "mod last"] {
        assert!(!source.shipped.contains(gone) && source.test_code().contains(gone), "{gone}");
    }
    assert_eq!(source.shipped_lines(), 4);
    assert!(Source::of("src/base/x_tests.rs", "fn a() {}").shipped.trim().is_empty());
}

#[test]
fn paths_are_expanded() {
    let table: [(&str, &[&str]); 9] = [
        ("use crate::base::fault::Kind;", &["crate::base::fault::Kind"]),
        ("use crate::{base::text, exec};", &["crate::base::text", "crate::exec"]),
        ("use a::{self, b::{C as D, E}, f::*};", &["a", "a::b::C", "a::b::E", "a::f::*"]),
        ("let x = crate::exec::run::<u8>(y);", &["crate::exec::run"]),
        ("let x = ::tokio::spawn(z);", &["tokio::spawn"]),
        ("#[derive(clap::Parser, serde::Serialize)]", &["clap::Parser", "serde::Serialize"]),
        ("impl a::B for c::D { fn e() {} }", &["a::B", "c::D"]),
        ("use regex;", &["regex"]),
        ("match x { A::B { c } => Vec::<d::E>::new() }", &["A::B", "d::E"]),
    ];
    for (code, expected) in table {
        let found: Vec<String> = paths(code).iter().map(|path| path.parts.join("::")).collect();
        assert_eq!(found, expected, "{code}");
    }
    assert!(paths("pub use crate::a::B;")[0].is_reexport && paths("pub(crate) use crate::a::B;")[0].is_reexport);
    assert!(!paths("pub fn f() {} use crate::a::B;")[0].is_reexport);
}
