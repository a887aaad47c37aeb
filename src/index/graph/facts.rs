//! What does one file say about the names it uses, in full?
//!
//! More than the tables keep, so it is read again from its text when it is followed: the receiver of every call, names bound in
//! functions, types of fields, bases of classes, aliases of imports. Definitions have the numbers of the tables.
//! Must not look at other files: that is [`crate::index::graph::resolve`].

use std::collections::HashMap;

use tree_sitter::{Node, QueryCursor, StreamingIterator as _, Tree};

use crate::index::graph::arguments;
use crate::index::graph::imports::{self, Brought};
use crate::index::graph::queries::{self, Capture};
use crate::index::graph::typed::{self, Typed};
use crate::index::language::{Compiled, Kind, Language, Role, Use};
use crate::index::syntax::{self, Definition};

/// What a call or use stands behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// Nothing: the bare name.
    None,
    /// What it is called on comes from above: `super`.
    Super,
    /// Names: `a.b`, `self.field`, `crate::x`.
    Path(Vec<String>),
    /// Something made on the spot.
    Value(Typed),
    /// Anything else.
    Other,
}

/// One use of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The name.
    pub name: String,
    /// How it is used.
    pub how: Use,
    /// What it stands behind.
    pub receiver: Receiver,
    /// The innermost definition around it.
    pub within: Option<u32>,
    /// Its line.
    pub line: u32,
    /// Arguments of the call.
    pub n_args: Option<usize>,
    /// Whether a macro is called.
    pub is_macro: bool,
}

/// A name bound somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// The name.
    pub name: String,
    /// What is known of its type.
    pub typed: Typed,
    /// The innermost definition around it; none at the top of the file.
    pub within: Option<u32>,
    /// Whether a definition of the tables says the same: it hides nothing.
    pub is_definition: bool,
    /// Whether the type is written down, and not only that of what it is set to first.
    is_declared: bool,
    begin: usize,
}

/// A field of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What is known of its type.
    pub typed: Typed,
    /// The definition it was met in: the type itself or one of its functions.
    pub within: Option<u32>,
}

/// What else is known of a definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct More {
    /// The type it belongs to where that is written in front of its name: Go's receivers, `A::b` of C++.
    pub owner: Option<Vec<String>>,
    /// Least and most arguments it takes.
    pub arity: Option<(usize, usize)>,
    /// The type of what it gives back, where that is written down.
    pub returns: Option<Vec<String>>,
    /// What a type is derived from.
    pub bases: Vec<Vec<String>>,
    /// Whether it belongs to the type and not to its values, or to the file alone.
    pub is_static: bool,
}

/// What a file says.
#[derive(Debug, Default)]
pub struct Facts {
    /// Its definitions.
    pub definitions: Vec<Definition>,
    /// More about each.
    pub more: Vec<More>,
    /// The uses of names.
    pub sites: Vec<Site>,
    /// Names bound.
    pub locals: Vec<Local>,
    /// Fields.
    pub fields: Vec<Field>,
    /// What is brought in, and the definition within which.
    pub imports: Vec<(Brought, Option<u32>)>,
    /// The package or namespace.
    pub package: Option<String>,
    /// What is given out by default.
    pub default: Option<String>,
}

/// Reads a file of this language.
pub fn read(language: &'static Language, text: &[u8]) -> Option<Facts> {
    let compiled = language.compiled()?;
    let tree = syntax::parse(compiled, text)?;
    let definitions = syntax::symbols(compiled, &tree, text).definitions;
    let mut reading = Reading::new(definitions, text, language.name());
    reading.references(compiled, &tree);
    reading.bound(compiled, &tree);
    Some(reading.finish())
}

/// Functions of Kotlin whose own argument is a function that sees what they are called on.
const RECEIVING: [&str; 7] = ["apply", "run", "with", "buildString", "buildList", "buildMap", "buildSet"];

struct Reading<'t> {
    text: &'t [u8],
    language: &'static str,
    facts: Facts,
    /// Begin and end of each definition, in bytes.
    spans: Vec<(usize, usize)>,
    sites: Vec<(usize, Site)>,
}

impl<'t> Reading<'t> {
    fn new(definitions: Vec<Definition>, text: &'t [u8], language: &'static str) -> Self {
        let n = definitions.len();
        let facts = Facts { definitions, more: vec![More::default(); n], ..Facts::default() };
        Self { text, language, facts, spans: vec![(0, 0); n], sites: Vec::new() }
    }

    fn words(&self, node: Node<'_>) -> &'t str {
        std::str::from_utf8(self.text.get(node.byte_range()).unwrap_or_default()).unwrap_or_default()
    }

    /// Collects definitions with their places, then uses.
    fn references(&mut self, compiled: &Compiled, tree: &Tree) {
        let mut by_line: HashMap<(u32, String, Kind), Vec<u32>> = HashMap::new();
        for (number, found) in self.facts.definitions.iter().enumerate() {
            by_line.entry((found.line, found.name.clone(), found.kind)).or_default().push(number as u32);
        }
        let text = self.text;
        compiled.patterns.each(tree, text, |captures| {
            let (mut name, mut definition) = (None, None);
            for (capture, node) in captures {
                match compiled.roles.get(*capture) {
                    Some(Role::Name) => name = Some(*node),
                    Some(Role::Definition(kind)) => definition = Some((*kind, *node)),
                    Some(Role::Reference(how)) => self.site(*node, *how),
                    _ => {}
                }
            }
            if let (Some(name), Some((kind, node))) = (name, definition) {
                let key = (line_of(node), self.words(name).trim().to_owned(), kind);
                if let Some(number) = by_line.get_mut(&key).filter(|left| !left.is_empty()).map(|left| left.remove(0)) {
                    self.spans[number as usize] = (node.start_byte(), node.end_byte());
                    self.facts.more[number as usize] = self.more(node, name);
                }
            }
        });
    }

    fn site(&mut self, node: Node<'_>, how: Use) {
        let name = self.words(node).trim().to_owned();
        if name.is_empty() {
            return;
        }
        let holder = node.parent();
        let receiver = match how {
            Use::Type => self.qualifier(node),
            _ if self.language == "kotlin" && self.is_of_another(node) => Receiver::Other,
            _ => self.receiver(node),
        };
        let is_macro = holder.is_some_and(|holder| holder.kind() == "macro_invocation");
        let site =
            Site { name, how, receiver, within: None, line: line_of(node), n_args: arguments::given(node), is_macro };
        self.sites.push((node.start_byte(), site));
    }

    /// What a called name stands behind.
    fn receiver(&self, node: Node<'_>) -> Receiver {
        let Some(holder) = self.holder(node) else { return Receiver::None };
        let fields = [
            "object",
            "value",
            "argument",
            "operand",
            "path",
            "scope",
            "receiver",
            "expression",
            "prefix",
            "target",
            "condition",
        ];
        // The value of a pair, say, is no receiver: only of nodes that stand for a member of something.
        let is_member = matches!(
            holder.kind(),
            "attribute"
                | "field_expression"
                | "member_expression"
                | "selector_expression"
                | "method_invocation"
                | "scoped_identifier"
                | "qualified_identifier"
                | "call"
                | "member_call_expression"
                | "scoped_call_expression"
                | "nullsafe_member_call_expression"
                | "member_access_expression"
                | "qualified_name"
                | "scoped_type_identifier"
                | "navigation_expression"
                | "conditional_access_expression"
        );
        let by_field = fields.iter().filter(|_| is_member).find_map(|field| holder.child_by_field_name(field));
        // Kotlin's grammar names no fields here.
        let by_place = || (holder.kind() == "navigation_expression").then(|| holder.named_child(0)).flatten();
        let found = by_field.or_else(by_place);
        let Some(found) = found.filter(|found| found.id() != node.id()) else { return Receiver::None };
        let words = self.words(found).trim();
        match words {
            "super" if self.language == "rust" => return Receiver::Path(vec![words.to_owned()]),
            "super" | "super()" => return Receiver::Super,
            "parent" if self.language == "php" => return Receiver::Super,
            "base" if self.language == "csharp" => return Receiver::Super,
            // What PHP calls by the name of its own type.
            "" => return Receiver::None,
            _ => {}
        }
        if let Some(path) = typed::path(typed::without_generics(words).trim_end_matches(':')) {
            return Receiver::Path(path);
        }
        match typed::made(found, self.text) {
            Typed::Unknown => Receiver::Other,
            typed => Receiver::Value(typed),
        }
    }

    /// Says whether a bare name of Kotlin may belong to what a function around it is called on: `other.apply { name() }`.
    fn is_of_another(&self, node: Node<'_>) -> bool {
        let mut at = node;
        let is_bare = node.parent().is_some_and(|holder| holder.kind() == "call_expression");
        while let Some(above) = at.parent().filter(|_| is_bare) {
            if above.kind() == "annotated_lambda" {
                let called = above.parent().and_then(|call| call.named_child(0)).map(|called| self.words(called));
                let called = called.unwrap_or_default().rsplit('.').next().unwrap_or_default();
                if RECEIVING.contains(&called.split('(').next().unwrap_or_default()) {
                    return true;
                }
            }
            at = above;
        }
        false
    }

    /// The node in which a called name stands beside what it is called on.
    fn holder<'a>(&self, node: Node<'a>) -> Option<Node<'a>> {
        let mut holder = node.parent()?;
        // `a.F<T>()` and `a?.F()` of C#, `a.f()` of Swift.
        while matches!(holder.kind(), "member_binding_expression" | "navigation_suffix")
            || (holder.kind() == "generic_name" && self.language == "csharp")
        {
            holder = holder.parent()?;
        }
        Some(holder)
    }

    /// The names in front of a type: `a::B`, `pkg.B`.
    fn qualifier(&self, node: Node<'_>) -> Receiver {
        let Some(holder) = node.parent() else { return Receiver::None };
        let is_qualified = matches!(
            holder.kind(),
            "scoped_type_identifier"
                | "qualified_type"
                | "nested_type_identifier"
                | "qualified_identifier"
                | "qualified_name"
        );
        let before = if is_qualified { self.text.get(holder.start_byte()..node.start_byte()) } else { None };
        let before = before.map(String::from_utf8_lossy).unwrap_or_default();
        let before = before.trim_end_matches([':', '.', '\\', ' ']);
        match typed::path(before) {
            Some(path) => Receiver::Path(path),
            None if before.is_empty() => Receiver::None,
            None => Receiver::Other,
        }
    }

    fn more(&self, node: Node<'_>, name: Node<'_>) -> More {
        let mut more = More { bases: self.bases(node), ..More::default() };
        if let Some(receiver) = node.child_by_field_name("receiver").filter(|_| self.language == "go") {
            let words = self.words(receiver).trim_matches(['(', ')']).trim();
            more.owner = typed::declared(words.rsplit_once(' ').map_or(words, |(_, kind)| kind));
        }
        if self.language == "cpp"
            && let Some(holder) = name.parent().filter(|holder| holder.kind() == "qualified_identifier")
        {
            let mut outer = holder;
            while let Some(above) = outer.parent().filter(|above| above.kind() == "qualified_identifier") {
                outer = above;
            }
            let before = self.text.get(outer.start_byte()..name.start_byte()).map(String::from_utf8_lossy);
            more.owner = typed::path(typed::without_generics(&before.unwrap_or_default()).trim_end_matches(':'));
        }
        let mut inner = Some(node);
        while let Some(at) = inner {
            if let Some(parameters) = arguments::list(at) {
                more.arity = Some(arguments::taken(parameters));
                break;
            }
            inner = at.child_by_field_name("declarator");
        }
        more.returns = returns_of(node).and_then(|returns| typed::declared(self.words(returns)));
        let head = self.text.get(node.start_byte()..name.start_byte()).map(String::from_utf8_lossy).unwrap_or_default();
        more.is_static = node.kind() == "singleton_method" || head.split_whitespace().any(|word| word == "static");
        more
    }

    fn bases(&self, node: Node<'_>) -> Vec<Vec<String>> {
        let mut bases = Vec::new();
        let mut cursor = node.walk();
        for (field, child) in
            node.children(&mut cursor).enumerate().map(|(n, child)| (node.field_name_for_child(n as u32), child))
        {
            let is_heritage = matches!(field, Some("superclasses" | "superclass" | "interfaces" | "bounds"))
                || matches!(
                    child.kind(),
                    "class_heritage"
                        | "extends_type_clause"
                        | "extends_interfaces"
                        | "base_class_clause"
                        | "base_clause"
                        | "class_interface_clause"
                        | "base_list"
                        | "delegation_specifiers"
                );
            if is_heritage {
                self.names_in(child, &mut bases);
            } else if field == Some("trait") {
                bases.extend(typed::declared(self.words(child)));
            }
        }
        bases
    }

    /// Collects the names of types in a list of bases, without their arguments.
    fn names_in(&self, node: Node<'_>, found: &mut Vec<Vec<String>>) {
        match node.kind() {
            "type_arguments"
            | "template_argument_list"
            | "keyword_argument"
            | "type_parameters"
            | "type_argument_list"
            | "value_arguments" => {}
            "argument_list" if self.language == "csharp" => {}
            "identifier"
            | "type_identifier"
            | "constant"
            | "name"
            | "qualified_name"
            | "scoped_type_identifier"
            | "attribute"
            | "member_expression"
            | "nested_type_identifier"
            | "qualified_identifier"
            | "scope_resolution" => {
                found.extend(typed::path(self.words(node)));
            }
            _ => {
                let mut cursor = node.walk();
                node.named_children(&mut cursor).for_each(|child| self.names_in(child, found));
            }
        }
    }

    /// Collects what the queries of the graph find.
    fn bound(&mut self, compiled: &Compiled, tree: &Tree) {
        let Some(bound) = queries::bound(self.language, &compiled.grammar) else { return };
        let mut cursor = QueryCursor::new();
        let mut matches = cursor.matches(&bound.query, tree.root_node(), self.text);
        while let Some(matched) = matches.next() {
            let mut typed = Typed::Unknown;
            let mut is_declared = false;
            let mut names = Vec::new();
            for capture in matched.captures() {
                let node = capture.node;
                match bound.captures.get(capture.index as usize) {
                    Some(Capture::Type) => {
                        is_declared = true;
                        typed = typed::declared(self.words(node))
                            .filter(|path| path.last().is_some_and(|last| !matches!(last.as_str(), "auto" | "var")))
                            .map_or(Typed::Unknown, Typed::Is);
                    }
                    Some(Capture::Value) => typed = typed::made(node, self.text),
                    Some(kind) => names.push((*kind, node)),
                    None => {}
                }
            }
            for (kind, node) in names {
                self.take(kind, node, (typed.clone(), is_declared));
            }
        }
    }

    fn take(&mut self, kind: Capture, node: Node<'_>, (typed, is_declared): (Typed, bool)) {
        let name = || self.words(node).trim_start_matches(['$', '@']).to_owned();
        let within = self.innermost(node.start_byte());
        match kind {
            Capture::Local => {
                let local =
                    Local { name: name(), typed, within, is_definition: false, is_declared, begin: node.start_byte() };
                self.facts.locals.push(local);
            }
            Capture::Field => {
                let field = Field { name: name(), typed, within };
                self.facts.fields.push(field);
            }
            Capture::Import => {
                let text = self.words(node).split_whitespace().collect::<Vec<_>>().join(" ");
                let brought = imports::read(self.language, &text);
                // A binding that brings something in is a definition of the tables too, around itself.
                let within = within
                    .filter(|at| self.spans[*at as usize].0 != node.start_byte())
                    .or_else(|| within.and_then(|at| self.facts.definitions[at as usize].parent));
                self.facts.imports.extend(brought.into_iter().map(|brought| (brought, within)));
            }
            Capture::Module => {
                let name = name();
                self.facts.imports.push((Brought::child(&name), within));
            }
            Capture::Package => self.facts.package = Some(self.words(node).to_owned()),
            Capture::Default => self.facts.default = Some(name()),
            Capture::Mixin => {
                if let (Some(at), Some(path)) = (within, typed::declared(self.words(node))) {
                    self.facts.more[at as usize].bases.push(path);
                }
            }
            Capture::Type | Capture::Value | Capture::Other => {}
        }
    }

    fn innermost(&self, at: usize) -> Option<u32> {
        // Definitions are in the order of their begin, outer ones first: the last that holds the place is the innermost.
        let around = |(begin, end): &(usize, usize)| *begin <= at && at < *end;
        self.spans.iter().rposition(around).map(|number| number as u32)
    }

    fn finish(mut self) -> Facts {
        let sites = std::mem::take(&mut self.sites);
        let mut placed: Vec<(usize, Site)> = sites
            .into_iter()
            .map(|(at, site)| (at, Site { within: self.innermost(at), ..site }))
            // A definition names itself; that is no use of it.
            .filter(|(_, site)| {
                let own = site.within.map(|within| &self.facts.definitions[within as usize]);
                !own.is_some_and(|own| site.how == Use::Type && own.name == site.name && own.line == site.line)
            })
            .collect();
        placed.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.how.cmp(&b.1.how)));
        placed.dedup_by(|b, a| a.0 == b.0);
        self.facts.sites = placed.into_iter().map(|(_, site)| site).collect();
        self.settle_locals();
        self.facts
    }

    /// One binding found twice is one; one that the tables call a definition hides nothing.
    fn settle_locals(&mut self) {
        let rank = |local: &Local| match local.typed {
            Typed::Is(_) if local.is_declared => 0,
            Typed::Is(_) => 1,
            Typed::Made(_) => 2,
            Typed::Like(_) => 3,
            Typed::Unknown => 4,
        };
        self.facts.locals.sort_by_key(|local| (local.begin, rank(local)));
        self.facts.locals.dedup_by(|b, a| a.begin == b.begin);
        let Facts { locals, definitions, .. } = &mut self.facts;
        for local in locals {
            let own = local.within.map(|within| &definitions[within as usize]);
            if let Some(own) = own.filter(|own| {
                own.name == local.name
                    && (!is_function(own.kind)
                        || self.spans[local.within.unwrap_or_default() as usize].0 == local.begin)
            }) {
                local.is_definition = true;
                local.within = own.parent;
            }
        }
    }
}

/// Returns the node that says what a function gives back.
fn returns_of(node: Node<'_>) -> Option<Node<'_>> {
    let fields: &[&str] = match node.kind() {
        // Of Java and of C++.
        "method_declaration" | "function_definition" => &["return_type", "result", "returns", "type"],
        _ => &["return_type", "result", "returns"],
    };
    fields.iter().find_map(|field| node.child_by_field_name(field))
}

fn is_function(kind: Kind) -> bool {
    matches!(kind, Kind::Function | Kind::Method)
}

fn line_of(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX)
}
