//! Of which type is something, as far as its own line says?
//!
//! From a declared type the name of the type whose functions are called on it; from a value the type that is made there.
//! What is not plain is unknown: a wrong type draws a wrong edge, an unknown one draws none.

use tree_sitter::Node;

/// What is known of the type of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Nothing.
    Unknown,
    /// It is declared to be of this type.
    Is(Vec<String>),
    /// What a call of this makes: of this type where it is one.
    Made(Vec<String>),
    /// What another name is.
    Like(String),
}

/// Types that stand for what they hold: calls go through them.
const THROUGH: [&str; 9] = ["Box", "Rc", "Arc", "Optional", "Readonly", "Final", "ClassVar", "Annotated", "Required"];
/// Functions that make what they belong to, by custom.
const MAKERS: [&str; 2] = ["new", "default"];
/// What is in front of them in Rust; in other languages `default` is a word like any other.
const OF: &str = "::";
/// Words before a type that say nothing about its functions.
const WORDS: [&str; 11] = [
    "mut ",
    "dyn ",
    "impl ",
    "const ",
    "final ",
    "readonly ",
    "volatile ",
    "struct ",
    "class ",
    "static ",
    "typename ",
];

/// Reads a declared type as it is written in any language: `&mut Box<dyn a::B>` is `a`, `B`.
pub fn declared(text: &str) -> Option<Vec<String>> {
    let mut text = text.trim().trim_start_matches(':').trim();
    for _ in 0..12 {
        let before = text;
        text = text.trim_matches(|c: char| c.is_whitespace() || "&*?\"'()".contains(c));
        if before.trim_start().starts_with("&'") || before.starts_with('\'') && text.contains(' ') {
            // A lifetime.
            text = text.split_once(' ').map_or(text, |(first, rest)| if first.len() < 12 { rest } else { text });
        }
        for word in WORDS {
            text = text.strip_prefix(word).unwrap_or(text);
        }
        if let Some(inner) = through(text) {
            text = inner;
        }
        if let Some((first, rest)) = text.split_once('|') {
            let is_nothing = |part: &str| matches!(part.trim(), "None" | "null" | "undefined");
            text = if is_nothing(first) {
                rest
            } else if rest.split('|').all(is_nothing) {
                first
            } else {
                return None;
            };
        }
        if text == before {
            break;
        }
    }
    let bare = text.split(['<', '[']).next().unwrap_or_default().trim();
    // `[]T`, `T[]`, `list[T]` and the like hold a type and are none of it; generics of one's own are.
    let is_many = text.starts_with('[') || text.ends_with("[]") || (text.contains('[') && !text.contains('<'));
    if is_many { None } else { path(bare) }
}

/// Returns what stands in a type that calls go through.
fn through(text: &str) -> Option<&str> {
    let at = text.find(['<', '['])?;
    let name = text[..at].rsplit(['.', ':']).next()?;
    let inner = text[at + 1..].trim_end().strip_suffix(['>', ']'])?;
    let first = inner.split(',').next().unwrap_or(inner);
    THROUGH.contains(&name).then_some(first)
}

/// Cuts a name with dots, colons or backslashes into its parts; none when it is anything else.
pub fn path(text: &str) -> Option<Vec<String>> {
    let unified = text.replace("?.", ".").replace("::", ".").replace(['\\', '>'], ".").replace("-.", ".");
    let parts: Vec<&str> = unified.split('.').map(|part| part.trim().trim_start_matches(['$', '@'])).collect();
    let is_name = |part: &&str| {
        part.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let named: Vec<String> = parts.iter().skip_while(|part| part.is_empty()).map(|part| (*part).to_owned()).collect();
    let is_path = !named.is_empty() && named.iter().map(String::as_str).all(|part| is_name(&part));
    is_path.then_some(named)
}

/// Reads what a value makes.
pub fn made(node: Node<'_>, text: &[u8]) -> Typed {
    let words =
        |node: Node<'_>| std::str::from_utf8(text.get(node.byte_range()).unwrap_or_default()).unwrap_or_default();
    let child = |names: &[&str]| names.iter().find_map(|name| node.child_by_field_name(name));
    match node.kind() {
        "as_expression" if child(&["right"]).is_some() => {
            child(&["right"]).and_then(|named| declared(words(named))).map_or(Typed::Unknown, Typed::Is)
        }
        "identifier" | "variable_name" => Typed::Like(words(node).trim_start_matches('$').to_owned()),
        "parenthesized_expression"
        | "await"
        | "await_expression"
        | "try_expression"
        | "reference_expression"
        | "unary_expression"
        | "as_expression"
        | "non_null_expression"
        | "pointer_expression" => {
            let inner = child(&["value", "operand", "argument"]).or_else(|| node.named_child(0));
            inner.map_or(Typed::Unknown, |inner| made(inner, text))
        }
        "new_expression" | "object_creation_expression" => {
            let named = child(&["constructor", "type"]).or_else(|| node.named_child(0));
            named.and_then(|named| declared(words(named))).map_or(Typed::Unknown, Typed::Is)
        }
        "composite_literal" | "struct_expression" => {
            child(&["type", "name"]).and_then(|named| declared(words(named))).map_or(Typed::Unknown, Typed::Is)
        }
        "call" | "call_expression" | "invocation_expression" | "method_invocation" => called(node, text),
        _ => Typed::Unknown,
    }
}

/// Reads what a call makes: `a.B()` a `B` where that is a type, `B::new()` and `B.new` a `B`.
fn called(node: Node<'_>, text: &[u8]) -> Typed {
    let words =
        |node: Node<'_>| std::str::from_utf8(text.get(node.byte_range()).unwrap_or_default()).unwrap_or_default();
    let whole = match (node.child_by_field_name("receiver"), node.child_by_field_name("method")) {
        (Some(receiver), Some(method)) => format!("{}.{}", words(receiver), words(method)),
        _ if node.kind() == "method_invocation" => {
            let named = [node.child_by_field_name("object"), node.child_by_field_name("name")];
            named.into_iter().flatten().map(words).collect::<Vec<_>>().join(".")
        }
        // Kotlin's grammar names no field here.
        _ => node
            .child_by_field_name("function")
            .or_else(|| node.named_child(0))
            .map(words)
            .unwrap_or_default()
            .to_owned(),
    };
    let Some(mut path) = path(&without_generics(&whole)) else { return Typed::Unknown };
    let is_maker = |last: &String| MAKERS.contains(&last.as_str()) && (last == MAKERS[0] || whole.contains(OF));
    if path.len() > 1 && path.last().is_some_and(is_maker) {
        path.pop();
        return Typed::Is(path);
    }
    Typed::Made(path)
}

/// Takes away what stands in angle brackets: `Vec::<u8>::new` is `Vec::new`.
pub fn without_generics(text: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out.replace("::::", "::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_type_is_read_in_every_language() {
        let table = [
            ("&mut Foo", Some("Foo")),
            ("&'a Foo<'a, T>", Some("Foo")),
            ("Arc<dyn a::Foo>", Some("a.Foo")),
            ("&Box<Foo>", Some("Foo")),
            ("*pkg.Foo", Some("pkg.Foo")),
            (": Foo | null", Some("Foo")),
            ("Optional[Foo]", Some("Foo")),
            ("typing.Optional[a.Foo]", Some("a.Foo")),
            ("None | Foo", Some("Foo")),
            ("\"Foo\"", Some("Foo")),
            ("?\\App\\Foo", Some("App.Foo")),
            ("const ns::Foo &", Some("ns.Foo")),
            ("Foo<Bar>", Some("Foo")),
            ("list[Foo]", None),
            ("[]Foo", None),
            ("Foo[]", None),
            ("Foo | Bar", None),
            ("fn(u8) -> Foo", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(declared(text).map(|path| path.join(".")).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn paths_are_cut_and_expressions_are_none() {
        assert_eq!(path("a::b.c").unwrap(), ["a", "b", "c"]);
        assert_eq!(path("$this->db").unwrap(), ["this", "db"]);
        assert_eq!(path("\\App\\Db").unwrap(), ["App", "Db"]);
        assert_eq!(path("a[0]"), None);
        assert_eq!(path("f()"), None);
        assert_eq!(without_generics("Vec::<Vec<u8>>::new"), "Vec::new");
    }
}
