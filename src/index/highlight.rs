//! Which words of a piece of code are what, so that they can be coloured?
//!
//! From the syntax tree alone, by a table of kinds (`config/highlight.yaml`): no queries, since compiling one takes longer than
//! most texts. A piece without its surroundings is read as well as it goes. Bounded: what is long is data, and stays plain.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tree_sitter::{Node, ParseOptions, Parser, Tree, TreeCursor};

use crate::base::yaml;
use crate::index::grammar::grammar;
use crate::index::language::{named, of_file};

/// Bytes of a text that is coloured, and of a line of it.
const MAX_TEXT_BYTES: usize = 300_000;
const MAX_LINE_BYTES: usize = 10_000;
/// Time a text may take: a person waits for it.
const PARSE_TIME: Duration = Duration::from_millis(40);

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A word of the language.
    Keyword,
    /// Text.
    String,
    /// A number or another constant.
    Number,
    /// A comment.
    Comment,
    /// The name of a type.
    Type,
    /// The name of a function.
    Function,
}

/// The parts of one line: bytes of it and what they are, in order and apart from each other.
pub type Parts = Vec<(Range<usize>, Part)>;

/// The table of kinds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    comment: Vec<String>,
    string: Vec<String>,
    number: Vec<String>,
    r#type: Vec<String>,
    keyword: Vec<String>,
    holes: Vec<String>,
}

/// What is known of a kind of node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Part(Part),
    Hole,
}

fn kinds() -> &'static HashMap<String, Known> {
    static KINDS: OnceLock<HashMap<String, Known>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let Ok(table) = yaml::from_str::<Table>(include_str!("../../config/highlight.yaml")) else {
            return HashMap::new();
        };
        let rows = [
            (table.comment, Known::Part(Part::Comment)),
            (table.string, Known::Part(Part::String)),
            (table.number, Known::Part(Part::Number)),
            (table.r#type, Known::Part(Part::Type)),
            (table.keyword, Known::Part(Part::Keyword)),
            (table.holes, Known::Hole),
        ];
        rows.into_iter().flat_map(|(kinds, known)| kinds.into_iter().map(move |kind| (kind, known))).collect()
    })
}

/// Finds the parts of each line of a text, which is code of a file or a language of this name; none where nobody knows the
/// language, or there is too much of it.
pub fn parts(name: &str, text: &str) -> Option<Vec<Parts>> {
    if text.len() > MAX_TEXT_BYTES || text.split('\n').any(|line| line.len() > MAX_LINE_BYTES) {
        return None;
    }
    let language = named(name).or_else(|| of_file(Path::new(name), text.as_bytes()))?;
    let mut parser = Parser::new();
    parser.set_language(&grammar(language.name())?).ok()?;
    let tree = parse(&mut parser, text)?;
    let mut found = Vec::new();
    collect(&tree, text.as_bytes(), &mut found);
    Some(by_line(text, &found))
}

fn parse(parser: &mut Parser, text: &str) -> Option<Tree> {
    let until = Instant::now() + PARSE_TIME;
    let mut stop = |_: &tree_sitter::ParseState| {
        if Instant::now() > until { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut stop);
    parser.parse_with_options(&mut |at, _| text.as_bytes().get(at..).unwrap_or_default(), None, Some(options))
}

/// Goes through the tree and adds what is known, in the order of the text.
fn collect(tree: &Tree, text: &[u8], found: &mut Parts) {
    let mut cursor = tree.walk();
    let mut covers: Vec<(usize, Part)> = Vec::new();
    loop {
        let node = cursor.node();
        covers.retain(|(end, _)| *end > node.start_byte());
        let mut goes_down = true;
        match kinds().get(node.kind()).filter(|_| node.is_named()) {
            Some(Known::Part(part)) => {
                goes_down = has_hole(node);
                covers.push((node.end_byte(), *part));
                if !goes_down {
                    put(found, node.byte_range(), *part);
                }
            }
            Some(Known::Hole) => covers.clear(),
            None if node.child_count() == 0 => {
                let part = covers.last().map(|(_, part)| *part).or_else(|| of_leaf(&cursor, node, text));
                if let Some(part) = part {
                    put(found, node.byte_range(), part);
                }
            }
            None => {}
        }
        if goes_down && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

fn put(found: &mut Parts, range: Range<usize>, part: Part) {
    let start = found.last().map_or(0, |(last, _)| last.end).max(range.start);
    if start < range.end {
        found.push((start..range.end, part));
    }
}

fn has_hole(node: Node<'_>) -> bool {
    (0..node.child_count()).filter_map(|at| node.child(at)).any(|child| kinds().get(child.kind()) == Some(&Known::Hole))
}

/// Says what a leaf is that no row names.
fn of_leaf(cursor: &TreeCursor<'_>, node: Node<'_>, text: &[u8]) -> Option<Part> {
    let words = text.get(node.byte_range())?;
    if !node.is_named() {
        let is_word = words.len() > 1
            && words.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'#' | b'@'));
        return (is_word && words.iter().any(u8::is_ascii_alphabetic)).then_some(Part::Keyword);
    }
    if !node.kind().contains("identifier") && !matches!(node.kind(), "word" | "name" | "command_name") {
        return None;
    }
    let parent = node.parent()?;
    let is_call = |node: Node<'_>| ["call", "invocation", "macro"].iter().any(|word| node.kind().contains(word));
    let is_definition = |node: Node<'_>| ["function", "method"].iter().any(|word| node.kind().contains(word));
    let is_named_so = match cursor.field_name() {
        Some("name" | "method" | "declarator") => is_definition(parent) || is_call(parent),
        Some("function" | "macro") => is_call(parent),
        // The last of `a.b.c()`.
        Some("field" | "property" | "attribute") => {
            parent.parent().is_some_and(|outer| is_call(outer) && outer.child_by_field_name("function") == Some(parent))
        }
        _ => parent.kind() == "command_name",
    };
    is_named_so.then_some(Part::Function)
}

/// Cuts parts at the ends of lines.
fn by_line(text: &str, found: &Parts) -> Vec<Parts> {
    let mut lines = Vec::new();
    let (mut start, mut next) = (0, 0);
    for line in text.split('\n') {
        let end = start + line.len();
        let mut parts = Parts::new();
        while let Some((range, part)) = found.get(next).filter(|(range, _)| range.start < end) {
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to && text.is_char_boundary(from) && text.is_char_boundary(to) {
                parts.push((from - start..to - start, *part));
            }
            if range.end > end {
                break;
            }
            next += 1;
        }
        lines.push(parts);
        start = end + 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, text: &str) -> Vec<String> {
        let lines = parts(name, text).unwrap();
        let word = |line: &str, (range, part): &(Range<usize>, Part)| format!("{part:?}:{}", &line[range.clone()]);
        text.split('\n')
            .zip(&lines)
            .map(|(line, parts)| parts.iter().map(|part| word(line, part)).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn words_are_told_apart_in_every_language() {
        let table = [
            (
                "a.rs",
                "fn f(x: u8) -> String { g(\"a\", 1) } // no",
                "Keyword:fn Function:f Type:u8 Type:String Function:g String:\"a\" Number:1 Comment:// no",
            ),
            ("python", "def f(a):\n    return g(1, 'x')  # no", "Keyword:def Function:f"),
            ("a.js", "const a = f(`x ${b} y`);", "Keyword:const Function:f String:` String:x"),
            ("a.go", "func f() { return nil }", "Keyword:func Function:f Keyword:return Number:nil"),
            ("bash", "echo \"$a\" # no", "Function:echo"),
            ("a.json", "{\"a\": [1, true]}", "String:\"a\" Number:1 Number:true"),
        ];
        for (name, text, expected) in table {
            let lines = shown(name, text);
            assert!(lines[0].starts_with(expected), "{name}: {lines:?}");
        }
    }

    #[test]
    fn what_goes_over_lines_is_cut_at_their_ends() {
        assert_eq!(shown("c", "/* a\nb */ int x;"), ["Comment:/* a", "Comment:b */ Type:int"]);
    }

    #[test]
    fn pieces_and_nonsense_are_read_as_well_as_it_goes() {
        for text in ["} else {\n", "", "\n\n", "\"", "fn é(\u{1F600}", "/*"] {
            assert_eq!(parts("rust", text).unwrap().len(), text.split('\n').count(), "{text:?}");
        }
    }

    #[test]
    fn what_nobody_knows_or_is_too_long_is_plain() {
        assert_eq!(parts("a.unknown", "x"), None);
        assert_eq!(parts("a.rs", &"x".repeat(MAX_LINE_BYTES + 1)), None);
        assert_eq!(parts("a.rs", &"x\n".repeat(MAX_TEXT_BYTES)), None);
    }

    #[test]
    fn the_table_can_be_read() {
        assert!(kinds().len() > 50);
    }
}
