//! What more than definitions and references must the graph know of a language?
//!
//! The queries of `config/graph/`, compiled when the first file of a language is followed. A language without one is followed
//! by its names alone.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use tree_sitter::{Language, Query};

/// What a capture stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// A name bound in a function.
    Local,
    /// A field of the surrounding type.
    Field,
    /// The declared type of either.
    Type,
    /// What either is set to.
    Value,
    /// What is brought in.
    Import,
    /// A module in a file of its own.
    Module,
    /// The package or namespace.
    Package,
    /// What a module gives out by default.
    Default,
    /// What is mixed into a type.
    Mixin,
    /// Only for conditions.
    Other,
}

/// A compiled query with the meaning of its captures.
pub struct Bound {
    /// The query.
    pub query: Query,
    /// What each capture stands for.
    pub captures: Vec<Capture>,
}

/// Makes a row of `config/graph/<name>.scm`.
macro_rules! bound {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../config/graph/", $name, ".scm")))),*]
    };
}

const TABLE: &[(&str, &str)] = bound![
    "bash",
    "c",
    "cpp",
    "csharp",
    "go",
    "java",
    "javascript",
    "kotlin",
    "php",
    "python",
    "ruby",
    "rust",
    "typescript"
];

/// Returns the query of a language of `config/languages.yaml`; none when it has none.
pub fn bound(language: &str, grammar: &Language) -> Option<&'static Bound> {
    static DONE: OnceLock<Mutex<HashMap<String, Option<&'static Bound>>>> = OnceLock::new();
    let mut done = DONE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = done.get(language) {
        return *known;
    }
    // One for each language in the life of a process: never given back.
    let found = compile(language, grammar).ok().flatten().map(|bound| &*Box::leak(Box::new(bound)));
    done.insert(language.to_owned(), found);
    found
}

fn compile(language: &str, grammar: &Language) -> Result<Option<Bound>, String> {
    let name = if language == "tsx" { "typescript" } else { language };
    let Some((_, text)) = TABLE.iter().find(|row| row.0 == name) else { return Ok(None) };
    let query = Query::new(grammar, text).map_err(|error| format!("config/graph/{name}.scm: {error}"))?;
    let captures = query.capture_names().iter().map(|name| capture(name)).collect::<Result<_, _>>()?;
    Ok(Some(Bound { query, captures }))
}

fn capture(name: &str) -> Result<Capture, String> {
    Ok(match name {
        "local" => Capture::Local,
        "field" => Capture::Field,
        "type" => Capture::Type,
        "value" => Capture::Value,
        "import" => Capture::Import,
        "module" => Capture::Module,
        "package" => Capture::Package,
        "default" => Capture::Default,
        "mixin" => Capture::Mixin,
        name if name.starts_with('_') => Capture::Other,
        name => return Err(format!("a capture `@{name}` that means nothing")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::language;

    #[test]
    fn every_query_fits_its_grammar() {
        let mut n_compiled = 0;
        for row in language::all() {
            if let Some(compiled) = row.compiled() {
                let found = compile(row.name(), &compiled.grammar).unwrap();
                n_compiled += usize::from(found.is_some());
            }
        }
        assert!(n_compiled >= 12, "{n_compiled}");
    }
}
