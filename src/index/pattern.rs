//! How are the patterns of a language found in a syntax tree, quickly?
//!
//! Patterns are written in the query language of tree-sitter (`config/languages/*.scm`) and mean what they mean there; a test
//! holds both against each other. Its own engine asks every pattern at every node, which took a third of indexing, and needs
//! tens of milliseconds to compile them; here the kind of a node tells which patterns to try. Of the language only what the
//! files use is understood: kinds, fields, `!field`, `_`, `[..]`, `.`, captures, `#eq?` and `#match?`. All else is an error.

use regex::Regex;
use tree_sitter::{Language as Grammar, Node, Tree, TreeCursor};

/// Deeper than this nothing is looked for: no code somebody wrote is.
const MAX_DEPTH: usize = 1000;

/// A number of a capture and the node it captured.
pub type Capture<'t> = (usize, Node<'t>);

/// The patterns of a language.
pub struct Patterns {
    /// Which patterns to try, by the kind of the node.
    by_kind: Vec<Group>,
    all: Vec<Pattern>,
    names: Vec<String>,
}

/// The patterns for nodes of one kind.
#[derive(Debug, Clone, Default)]
struct Group {
    numbers: Vec<usize>,
    /// Whether one of them looks at children.
    has_children: bool,
}

/// One pattern: a node, and conditions on what it captured.
#[derive(Debug)]
struct Pattern {
    shape: Shape,
    conditions: Vec<Condition>,
}

/// What a node must look like.
#[derive(Debug, Default)]
struct Shape {
    /// Its kind; none where any will do.
    kind: Option<u16>,
    captures: Vec<usize>,
    /// Fields it must not have.
    absent: Vec<u16>,
    /// Children it must have, in this order, with any others between them.
    children: Vec<Child>,
    /// Whether nothing follows the last of them.
    is_end: bool,
}

/// What a child must look like.
#[derive(Debug)]
struct Child {
    field: Option<u16>,
    /// Whether nothing stands between it and the child before.
    is_next: bool,
    /// One of these.
    shapes: Vec<Shape>,
}

/// A condition on the text of a captured node.
#[derive(Debug)]
enum Condition {
    Equal(usize, String),
    Match(usize, Regex),
}

impl Patterns {
    /// Reads patterns; the error names what is not understood, or a kind or field the grammar does not have.
    pub fn new(grammar: &Grammar, text: &str) -> Result<Self, String> {
        let mut reading = Reading { grammar, words: words(text)?.into_iter().peekable(), names: Vec::new() };
        let mut all = Vec::new();
        while reading.words.peek().is_some() {
            all.push(reading.pattern()?);
        }
        let mut by_kind = vec![Group::default(); grammar.node_kind_count()];
        for (number, pattern) in all.iter().enumerate() {
            let kind = pattern.shape.kind.ok_or("a pattern for nodes of every kind")?;
            let group = by_kind.get_mut(usize::from(kind)).ok_or("a kind beyond all kinds")?;
            group.numbers.push(number);
            group.has_children |= !pattern.shape.children.is_empty() || !pattern.shape.absent.is_empty();
        }
        Ok(Self { by_kind, all, names: reading.names })
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns the names of the captures, by their numbers.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Shows what each pattern captures: nodes in the order of the text, for each the patterns in their order.
    pub fn each<'t>(&self, tree: &'t Tree, text: &[u8], mut show: impl FnMut(&[Capture<'t>])) {
        let mut finding = Finding { text, below: tree.walk(), children: Vec::new(), found: Vec::new() };
        // Nodes to be looked at, the next last, each with its depth. Signs and keywords are no part of any pattern.
        let mut open = vec![(tree.root_node(), 0)];
        while let Some((node, depth)) = open.pop() {
            // What is broken has a kind beyond the table.
            let group = self.by_kind.get(usize::from(node.kind_id())).filter(|group| !group.numbers.is_empty());
            let is_above = depth < MAX_DEPTH && node.named_child_count() > 0;
            let has_children = group.is_some_and(|group| group.has_children);
            let fields = if has_children { Fields::Known } else { Fields::Unknown };
            finding.children.clear();
            // All patterns of a kind look at the same children, and so does the way down.
            let children = if is_above || has_children { finding.children_of(node, fields) } else { (0, 0) };
            for number in group.iter().flat_map(|group| &group.numbers) {
                if let Some(pattern) = self.all.get(*number) {
                    finding.pattern(pattern, node, children, &mut show);
                }
            }
            if is_above {
                open.extend(finding.children.iter().rev().map(|(child, _)| (*child, depth + 1)));
            }
        }
    }
}

/// Children of a node, as a range of a list.
type Range = (usize, usize);

/// Whether the fields of children are asked for, which takes as long as to find the children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fields {
    Known,
    Unknown,
}

/// Looks for one pattern at one node.
struct Finding<'t, 'x> {
    text: &'x [u8],
    below: TreeCursor<'t>,
    /// Named children of the nodes on the way down, each with its field.
    children: Vec<(Node<'t>, u16)>,
    found: Vec<Capture<'t>>,
}

/// What is still to be looked for once a shape fits, the nearest first.
struct Rest<'r> {
    /// Children of a node further up: the list, the first one wanted, where to go on, whether to go on there exactly.
    shape: &'r Shape,
    at: usize,
    range: Range,
    from: usize,
    then: Option<&'r Self>,
}

impl<'t> Finding<'t, '_> {
    /// Lists the named children of a node; only with their fields can patterns look at them.
    fn children_of(&mut self, node: Node<'t>, fields: Fields) -> Range {
        let begin = self.children.len();
        self.below.reset(node);
        if self.below.goto_first_child() {
            loop {
                let child = self.below.node();
                if child.is_named() {
                    let field = if fields == Fields::Known { self.below.field_id().map_or(0, u16::from) } else { 0 };
                    self.children.push((child, field));
                }
                if !self.below.goto_next_sibling() {
                    break;
                }
            }
        }
        (begin, self.children.len())
    }

    fn pattern(&mut self, pattern: &Pattern, node: Node<'t>, children: Range, show: &mut impl FnMut(&[Capture<'t>])) {
        self.found.clear();
        let mut shown = |found: &[Capture<'t>], text: &[u8]| {
            if pattern.conditions.iter().all(|condition| condition.holds(found, text)) {
                show(found);
            }
        };
        self.shape(&pattern.shape, node, Some(children), None, &mut shown);
    }

    /// Looks whether a node has a shape, and then for what is left.
    fn shape(
        &mut self,
        shape: &Shape,
        node: Node<'t>,
        known: Option<Range>,
        then: Option<&Rest<'_>>,
        show: &mut dyn FnMut(&[Capture<'t>], &[u8]),
    ) {
        if shape.kind.is_some_and(|kind| kind != node.kind_id()) {
            return;
        }
        let n_found = self.found.len();
        self.found.extend(shape.captures.iter().map(|capture| (*capture, node)));
        if shape.children.is_empty() && shape.absent.is_empty() {
            self.rest(then, show);
        } else {
            let n_children = self.children.len();
            let range = known.unwrap_or_else(|| self.children_of(node, Fields::Known));
            let has = |field: &u16| self.children[range.0..range.1].iter().any(|(_, own)| own == field);
            if !shape.absent.iter().any(has) {
                self.rest(Some(&Rest { shape, at: 0, range, from: range.0, then }), show);
            }
            self.children.truncate(n_children);
        }
        self.found.truncate(n_found);
    }

    /// Looks for what is left, every way it can be found.
    fn rest(&mut self, rest: Option<&Rest<'_>>, show: &mut dyn FnMut(&[Capture<'t>], &[u8])) {
        let Some(Rest { shape, at, range, from, then }) = rest else {
            show(&self.found, self.text);
            return;
        };
        let Some(child) = shape.children.get(*at) else {
            if !shape.is_end || *from == range.1 {
                self.rest(*then, show);
            }
            return;
        };
        let last = if child.is_next { range.1.min(from + 1) } else { range.1 };
        for place in *from..last {
            let (node, field) = self.children[place];
            if child.field.is_none_or(|wanted| wanted == field) {
                let next = Rest { shape, at: at + 1, range: *range, from: place + 1, then: *then };
                for shape in &child.shapes {
                    self.shape(shape, node, None, Some(&next), show);
                }
            }
        }
    }
}

impl Condition {
    fn holds(&self, found: &[Capture<'_>], text: &[u8]) -> bool {
        let of = |wanted: &usize| {
            let node = found.iter().find(|(capture, _)| capture == wanted)?.1;
            std::str::from_utf8(text.get(node.byte_range())?).ok()
        };
        match self {
            Self::Equal(capture, expected) => of(capture).is_some_and(|text| text == expected),
            Self::Match(capture, pattern) => of(capture).is_some_and(|text| pattern.is_match(text)),
        }
    }
}

/// Reads patterns.
struct Reading<'g> {
    grammar: &'g Grammar,
    words: std::iter::Peekable<std::vec::IntoIter<String>>,
    names: Vec<String>,
}

impl Reading<'_> {
    fn next(&mut self) -> Result<String, String> {
        self.words.next().ok_or_else(|| "a pattern without an end".to_owned())
    }

    fn takes(&mut self, word: &str) -> bool {
        self.words.next_if(|next| next == word).is_some()
    }

    /// A pattern with its conditions, which stand in it.
    fn pattern(&mut self) -> Result<Pattern, String> {
        let mut conditions = Vec::new();
        let mut shapes = self.shapes(&mut conditions)?;
        match (shapes.pop(), shapes.is_empty()) {
            (Some(shape), true) => Ok(Pattern { shape, conditions }),
            _ => Err("a pattern of several shapes".to_owned()),
        }
    }

    /// One shape, or several in brackets, with the captures behind them.
    fn shapes(&mut self, conditions: &mut Vec<Condition>) -> Result<Vec<Shape>, String> {
        let mut shapes = Vec::new();
        match self.next()?.as_str() {
            "[" => {
                while !self.takes("]") {
                    shapes.extend(self.shapes(conditions)?);
                }
            }
            "(" => shapes.push(self.shape(conditions)?),
            other => return Err(format!("`{other}` where a node is expected")),
        }
        self.captured(&mut shapes);
        Ok(shapes)
    }

    fn captured(&mut self, shapes: &mut [Shape]) {
        while let Some(name) = self.words.next_if(|next| next.starts_with('@')) {
            let number = self.capture(&name);
            shapes.iter_mut().for_each(|shape| shape.captures.push(number));
        }
    }

    /// A shape whose bracket has been opened.
    fn shape(&mut self, conditions: &mut Vec<Condition>) -> Result<Shape, String> {
        let kind = self.next()?;
        let mut shape = Shape { kind: self.kind(&kind)?, ..Shape::default() };
        let mut is_next = false;
        loop {
            let word = self.next()?;
            let (field, shapes) = match word.as_str() {
                ")" => {
                    shape.is_end = is_next;
                    return Ok(shape);
                }
                "." => {
                    is_next = true;
                    continue;
                }
                "(" if self.words.peek().is_some_and(|next| next.starts_with('#')) => {
                    conditions.push(self.condition()?);
                    continue;
                }
                "(" => {
                    let mut shapes = vec![self.shape(conditions)?];
                    self.captured(&mut shapes);
                    (None, shapes)
                }
                _ => match (word.strip_prefix('!'), word.strip_suffix(':')) {
                    (Some(absent), _) => {
                        shape.absent.push(self.field(absent)?);
                        continue;
                    }
                    (None, Some(field)) => (Some(self.field(field)?), self.shapes(conditions)?),
                    (None, None) => return Err(format!("`{word}` in a pattern")),
                },
            };
            shape.children.push(Child { field, is_next, shapes });
            is_next = false;
        }
    }

    fn condition(&mut self) -> Result<Condition, String> {
        let (what, capture, value) = (self.next()?, self.next()?, self.next()?);
        let number = self.capture(&capture);
        let value = value.strip_prefix('"').ok_or(format!("`{value}` where a text is expected"))?.to_owned();
        if !self.takes(")") {
            return Err(format!("more than a text behind `{what}`"));
        }
        match what.as_str() {
            "#eq?" => Ok(Condition::Equal(number, value)),
            "#match?" => Ok(Condition::Match(number, Regex::new(&value).map_err(|error| error.to_string())?)),
            _ => Err(format!("the condition `{what}`")),
        }
    }

    fn capture(&mut self, name: &str) -> usize {
        let name = name.trim_start_matches('@');
        self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        })
    }

    fn kind(&self, name: &str) -> Result<Option<u16>, String> {
        match name {
            "_" => Ok(None),
            _ => match self.grammar.id_for_node_kind(name, true) {
                0 => Err(format!("no kind of node is called `{name}`")),
                kind => Ok(Some(kind)),
            },
        }
    }

    fn field(&self, name: &str) -> Result<u16, String> {
        self.grammar.field_id_for_name(name).map(u16::from).ok_or_else(|| format!("no field is called `{name}`"))
    }
}

/// Cuts a text of patterns into brackets, names and texts; a text keeps its first quote, to be told from a name.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let n_bytes = match first {
            ';' => {
                rest = rest.split_once('\n').map_or("", |(_, after)| after).trim_start();
                continue;
            }
            '(' | ')' | '[' | ']' => 1,
            '"' => {
                let (word, n_bytes) = quoted(rest)?;
                words.push(word);
                rest = rest[n_bytes..].trim_start();
                continue;
            }
            _ => rest.find(|c: char| c.is_whitespace() || "()[]\"".contains(c)).unwrap_or(rest.len()),
        };
        words.push(rest[..n_bytes].to_owned());
        rest = rest[n_bytes..].trim_start();
    }
    Ok(words)
}

/// Reads a text in quotes; returns it behind one quote, and how many bytes it took.
fn quoted(text: &str) -> Result<(String, usize), String> {
    let mut word = "\"".to_owned();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((word, at + 1)),
            '\\' => word.extend(chars.next().map(|(_, escaped)| escaped)),
            c => word.push(c),
        }
    }
    Err("a text without an end".to_owned())
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
