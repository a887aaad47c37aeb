//! Which language is a file written in, and how is it read?
//!
//! By its name, its ending, or the program of its first line. Its patterns are read when the first file of a language is
//! met. A language without a grammar here is plain text.

use std::path::Path;
use std::sync::OnceLock;

use serde::Deserialize;
use tree_sitter::Language as Grammar;

use crate::base::yaml;
use crate::index::grammar;
use crate::index::pattern::Patterns;

/// A row of `config/languages.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its name, also that of the grammar.
    pub name: String,
    /// The file of queries.
    queries: String,
    #[serde(default)]
    extensions: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    shebangs: Vec<String>,
    /// Kinds of nodes that belong to what follows them.
    #[serde(default)]
    pub remarks: Vec<String>,
}

/// What a capture of a query stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The name of the definition around it.
    Name,
    /// A definition of this kind.
    Definition(Kind),
    /// A name that is used.
    Reference(Use),
    /// What is brought in from elsewhere.
    Import,
    /// Only for conditions of the query.
    Other,
}

/// Declares a fieldless enum kept in the database by number, with the words of the queries.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// All of them with their numbers in the database and their words.
            pub const TABLE: &[(Self, u8, &str)] = &[$((Self::$variant, $number, $word)),*];

            /// Returns its number in the database.
            pub fn number(self) -> u8 {
                Self::TABLE.iter().find(|row| row.0 == self).map_or(0, |row| row.1)
            }

            /// Returns the one with this number.
            pub fn of_number(number: u64) -> Option<Self> {
                Self::TABLE.iter().find(|row| u64::from(row.1) == number).map(|row| row.0)
            }

            /// Returns its word.
            pub fn word(self) -> &'static str {
                Self::TABLE.iter().find(|row| row.0 == self).map_or("", |row| row.2)
            }

            /// Returns the one with this word.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::TABLE.iter().find(|row| row.2 == word).map(|row| row.0)
            }
        }
    };
}
pub(crate) use numbered;

numbered! {
    /// What a definition defines.
    Kind {
        /// A function of its own.
        Function = 1 "function",
        /// A function of a type.
        Method = 2 "method",
        /// A class.
        Class = 3 "class",
        /// A struct, enum, union or alias.
        Type = 4 "type",
        /// An interface, trait or protocol.
        Interface = 5 "interface",
        /// The functions of a type, away from it.
        Implementation = 6 "implementation",
        /// A module or namespace.
        Module = 7 "module",
        /// A macro.
        Macro = 8 "macro",
        /// A constant, a static or a field.
        Constant = 9 "constant",
        /// A function only announced.
        Declaration = 10 "declaration",
        /// A heading of a text.
        Heading = 11 "heading",
        /// A rule of a style sheet.
        Rule = 12 "rule",
    }
}

numbered! {
    /// How a name is used.
    Use {
        /// Called by its bare name.
        Call = 1 "call",
        /// Called as a member of something.
        Method = 2 "method",
        /// As a type.
        Type = 3 "type",
    }
}

/// A grammar with its queries.
pub struct Compiled {
    /// The grammar.
    pub grammar: Grammar,
    /// The patterns of the language.
    pub patterns: Patterns,
    /// What each of their captures stands for.
    pub roles: Vec<Role>,
    /// Numbers of the kinds of nodes that belong to what follows them.
    pub remarks: Vec<u16>,
}

/// One language.
pub struct Language {
    /// Its row.
    pub row: Row,
    compiled: OnceLock<Option<Compiled>>,
}

impl Language {
    /// Returns its grammar and queries; none where it is read as plain text.
    pub fn compiled(&self) -> Option<&Compiled> {
        self.compiled.get_or_init(|| compile(&self.row).ok().flatten()).as_ref()
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.row.name
    }

    /// Returns the text of its patterns.
    pub fn patterns(&self) -> &'static str {
        grammar::queries(&self.row.queries)
    }
}

/// Joins a row with its grammar; none when that is not compiled in.
pub fn compile(row: &Row) -> Result<Option<Compiled>, String> {
    let Some(grammar) = grammar::grammar(&row.name) else { return Ok(None) };
    let patterns = Patterns::new(&grammar, grammar::queries(&row.queries))
        .map_err(|error| format!("config/languages/{}.scm for {}: {error}", row.queries, row.name))?;
    let roles = patterns.names().iter().map(|name| role(name)).collect::<Result<_, _>>()?;
    let kind = |name: &String| Some(grammar.id_for_node_kind(name, true)).filter(|id| *id != 0);
    let remarks = row.remarks.iter().filter_map(kind).collect();
    Ok(Some(Compiled { grammar, patterns, roles, remarks }))
}

fn role(capture: &str) -> Result<Role, String> {
    let known = match capture.split_once('.') {
        Some(("definition", word)) => Kind::of_word(word).map(Role::Definition),
        Some(("reference", word)) => Use::of_word(word).map(Role::Reference),
        None if capture == "name" => Some(Role::Name),
        None if capture == "import" => Some(Role::Import),
        None if capture.starts_with('_') => Some(Role::Other),
        _ => None,
    };
    known.ok_or_else(|| format!("a capture `@{capture}` that means nothing"))
}

/// Returns all languages in the order of the table.
pub fn all() -> &'static [Language] {
    static ALL: OnceLock<Vec<Language>> = OnceLock::new();
    ALL.get_or_init(|| {
        let rows = rows().unwrap_or_default();
        rows.into_iter().map(|row| Language { row, compiled: OnceLock::new() }).collect()
    })
}

fn rows() -> Result<Vec<Row>, yaml::YamlError> {
    yaml::from_str(include_str!("../../config/languages.yaml"))
}

/// Returns the language with a name, as `lang:` names it; common short forms are understood.
pub fn named(name: &str) -> Option<&'static Language> {
    let name = name.to_ascii_lowercase();
    let extension = |language: &&Language| language.row.extensions.contains(&name);
    all().iter().find(|language| language.row.name == name).or_else(|| all().iter().find(extension))
}

/// Returns the language of a file by its path and, where that says nothing, its first line.
pub fn of_file(path: &Path, start: &[u8]) -> Option<&'static Language> {
    let name = path.file_name()?.to_str()?;
    if let Some(language) = all().iter().find(|language| language.row.names.iter().any(|known| known == name)) {
        return Some(language);
    }
    if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
        let extension = extension.to_ascii_lowercase();
        let found = all().iter().find(|language| language.row.extensions.contains(&extension));
        let is_other = |language: &&Language| extension == "h" && language.name() == "c" && is_cpp(start);
        return if found.as_ref().is_some_and(is_other) { named("cpp") } else { found };
    }
    let program = shebang(start)?;
    all().iter().find(|language| language.row.shebangs.iter().any(|known| known == program))
}

/// Says whether a header is one of C++: as C, most of it would be an error, which also takes longest to parse.
fn is_cpp(text: &[u8]) -> bool {
    let text = text.get(..MARK_BYTES).unwrap_or(text);
    let begins = |line: &[u8]| {
        let line = line.trim_ascii_start();
        CPP_MARKS.iter().any(|mark| line.starts_with(mark.as_bytes()))
    };
    text.split(|byte| *byte == b'\n').any(begins)
}

/// Only so much of a header is looked at.
const MARK_BYTES: usize = 32 << 10;
/// Beginnings of lines that are no C.
const CPP_MARKS: [&str; 9] = [
    "namespace ",
    "template<",
    "template <",
    "class ",
    "using ",
    "public:",
    "private:",
    "inline namespace ",
    "constexpr ",
];

/// Returns the program a script names in its first line, without its folder and version.
fn shebang(start: &[u8]) -> Option<&str> {
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line.get(..line.len().min(200))?).ok()?;
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let first = words.next()?;
    let program =
        if first == "env" { words.find(|word| !word.starts_with('-') && !word.contains('='))? } else { first };
    Some(program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')).filter(|program| !program.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_grammar_and_queries_that_fit_it() {
        let rows = rows().unwrap();
        assert!(rows.len() >= 23);
        for row in &rows {
            let compiled = compile(row).unwrap();
            let is_extra = ["csharp", "kotlin", "scala", "swift"].contains(&row.name.as_str());
            assert_eq!(compiled.is_some(), !is_extra || cfg!(feature = "lang-extra"), "{}", row.name);
            if let Some(compiled) = compiled {
                assert_eq!(
                    compiled.remarks.len(),
                    row.remarks.len(),
                    "{}: a remark its grammar does not know",
                    row.name
                );
            }
        }
    }

    #[test]
    fn nothing_is_claimed_by_two_languages() {
        for pick in
            [|row: &Row| row.extensions.clone(), |row: &Row| row.names.clone(), |row: &Row| row.shebangs.clone()]
        {
            let mut claimed: Vec<String> = rows().unwrap().iter().flat_map(pick).collect();
            let n_claims = claimed.len();
            claimed.sort();
            claimed.dedup();
            assert_eq!(claimed.len(), n_claims);
        }
    }

    #[test]
    fn files_are_known_by_name_ending_and_first_line() {
        let table = [
            ("src/lib.rs", "", Some("rust")),
            ("a/Rakefile", "", Some("ruby")),
            ("X.PY", "", Some("python")),
            ("tool", "#!/usr/bin/env -S FOO=1 python3.12 -u\n", Some("python")),
            ("tool", "#!/bin/bash\n", Some("bash")),
            ("tool", "text", None),
            ("a.unknown", "#!/bin/sh", None),
            ("a.tsx", "", Some("tsx")),
            ("a.h", "#ifdef __cplusplus\nextern \"C\" {\n#endif\nstruct class_of { int a; };\n", Some("c")),
            ("a.h", "#pragma once\n\nnamespace n {\n  class A;\n}\n", Some("cpp")),
            ("a.H", "/* using it */\n template <class T> struct S;\n", Some("cpp")),
        ];
        for (path, start, expected) in table {
            assert_eq!(of_file(Path::new(path), start.as_bytes()).map(Language::name), expected, "{path}");
        }
        assert_eq!(named("PY").map(Language::name), Some("python"));
        assert_eq!(named("klingon").map(Language::name), None);
    }
}
