//! Does a grammar of bash see the same text the same way, and nothing in it that is more than plain commands?
//!
//! tree-sitter-bash is tolerant: it finds a tree in almost everything. So only the kinds of nodes listed here count, every
//! one of them, and its words must stand exactly where [`crate::policy::command::scan`] found them. Bounded in time.

use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use tree_sitter::{Node, ParseOptions, Parser};

/// Longest time a text of the longest length may take; a usual command takes well under a millisecond.
const MAX_TIME: Duration = Duration::from_millis(500);
/// Most nodes of a text that is judged.
const MAX_NODES: usize = 20_000;
/// Deepest nesting that is judged.
const MAX_DEPTH: usize = 60;

/// Nodes of plain commands: what runs is what stands there.
const PLAIN: &[&str] = &[
    "program",
    "list",
    "pipeline",
    "command",
    "command_name",
    "redirected_statement",
    "file_redirect",
    "file_descriptor",
    "heredoc_redirect",
    "heredoc_body",
    "heredoc_content",
    "heredoc_end",
    "herestring_redirect",
    "string_content",
    "comment",
    "variable_name",
    "test_command",
    "unary_expression",
    "binary_expression",
    "test_operator",
];
/// Nodes that are one word each, or a part of one.
const WORDS: &[&str] = &[
    "word",
    "string",
    "raw_string",
    "ansi_c_string",
    "number",
    "concatenation",
    "brace_expression",
    "variable_assignment",
    "heredoc_start",
];
/// Signs.
const SIGNS: &[&str] = &[
    "&&", "||", ";", "|", "|&", "\n", "<", ">", ">>", "&>", "&>>", ">&", "<&", ">|", "<<", "<<-", "<<<", "\"", "'",
    "=", "[", "]", "{", "}", "..", "-", "!", "!=", "==", "=~", "-a", "-o", "<&-", ">&-", "$",
];

/// What the grammar saw.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// Plain commands; the places of their words in order, those inside `[ ]` left out, and the places of `[ ]`.
    Plain {
        /// Places of words.
        words: Vec<Range<usize>>,
        /// Places of tests in brackets.
        tests: Vec<Range<usize>>,
    },
    /// Something else.
    Doubt(String),
}

/// Reads a text by the grammar.
pub fn see(text: &str) -> Seen {
    let mut parser = Parser::new();
    if parser.set_language(&tree_sitter_bash::LANGUAGE.into()).is_err() {
        return Seen::Doubt("the grammar of bash is missing".to_owned());
    }
    let started = Instant::now();
    let mut look = |_: &tree_sitter::ParseState| match started.elapsed() > MAX_TIME {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let options = ParseOptions::new().progress_callback(&mut look);
    let bytes = text.as_bytes();
    let tree = parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options));
    let Some(tree) = tree else { return Seen::Doubt("it takes too long to read".to_owned()) };
    let mut walk = Walk { text, n_nodes: 0, words: Vec::new(), tests: Vec::new() };
    match walk.visit(tree.root_node(), Inside::Line, 0) {
        Ok(()) => Seen::Plain { words: walk.words, tests: walk.tests },
        Err(why) => Seen::Doubt(why),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Line,
    Word,
    Test,
}

struct Walk<'a> {
    text: &'a str,
    n_nodes: usize,
    words: Vec<Range<usize>>,
    tests: Vec<Range<usize>>,
}

impl Walk<'_> {
    fn visit(&mut self, node: Node<'_>, inside: Inside, depth: usize) -> Result<(), String> {
        self.n_nodes += 1;
        if self.n_nodes > MAX_NODES || depth > MAX_DEPTH {
            return Err("it is too large to read".to_owned());
        }
        if node.is_error() || node.is_missing() {
            return Err("bash would not read it the way it looks".to_owned());
        }
        let kind = node.kind();
        let inside = match kind {
            "test_command" if self.text[node.start_byte()..].starts_with("[[") => return Err(unplain(kind)),
            "test_command" => {
                self.tests.push(node.byte_range());
                Inside::Test
            }
            _ if WORDS.contains(&kind) => {
                if inside == Inside::Line {
                    self.words.push(node.byte_range());
                }
                if inside == Inside::Test { Inside::Test } else { Inside::Word }
            }
            _ if PLAIN.contains(&kind) || (!node.is_named() && SIGNS.contains(&kind)) => inside,
            // What a test is made of is judged as words, as bash does.
            "regex" | "extglob_pattern" if inside == Inside::Test => inside,
            _ => return Err(unplain(kind)),
        };
        let mut cursor = node.walk();
        node.children(&mut cursor).try_for_each(|child| self.visit(child, inside, depth + 1))
    }
}

fn unplain(kind: &str) -> String {
    format!("it has more than plain commands in it ({})", kind.replace('_', " "))
}
