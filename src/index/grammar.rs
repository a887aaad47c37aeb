//! Which grammar and which queries does a language have?
//!
//! The one place that names the grammar crates. A grammar that is not compiled in (feature `lang-extra`) is none: files of
//! that language are cut as plain text. Must not know what the captures mean: that is `syntax`.
//! To add one: a crate in `Cargo.toml`, a line here, a row in `config/languages.yaml`.

use tree_sitter::Language;

/// Returns the grammar of a row of `config/languages.yaml`.
pub fn grammar(name: &str) -> Option<Language> {
    Some(match name {
        "bash" => tree_sitter_bash::LANGUAGE.into(),
        "c" => tree_sitter_c::LANGUAGE.into(),
        "cpp" => tree_sitter_cpp::LANGUAGE.into(),
        "css" => tree_sitter_css::LANGUAGE.into(),
        "go" => tree_sitter_go::LANGUAGE.into(),
        "html" => tree_sitter_html::LANGUAGE.into(),
        "java" => tree_sitter_java::LANGUAGE.into(),
        "javascript" => tree_sitter_javascript::LANGUAGE.into(),
        "json" => tree_sitter_json::LANGUAGE.into(),
        "lua" => tree_sitter_lua::LANGUAGE.into(),
        "markdown" => tree_sitter_md::LANGUAGE.into(),
        "php" => tree_sitter_php::LANGUAGE_PHP.into(),
        "python" => tree_sitter_python::LANGUAGE.into(),
        "ruby" => tree_sitter_ruby::LANGUAGE.into(),
        "rust" => tree_sitter_rust::LANGUAGE.into(),
        "toml" => tree_sitter_toml_ng::LANGUAGE.into(),
        "tsx" => tree_sitter_typescript::LANGUAGE_TSX.into(),
        "typescript" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        "yaml" => tree_sitter_yaml::LANGUAGE.into(),
        #[cfg(feature = "lang-extra")]
        "csharp" => tree_sitter_c_sharp::LANGUAGE.into(),
        #[cfg(feature = "lang-extra")]
        "kotlin" => tree_sitter_kotlin_ng::LANGUAGE.into(),
        #[cfg(feature = "lang-extra")]
        "scala" => tree_sitter_scala::LANGUAGE.into(),
        #[cfg(feature = "lang-extra")]
        "swift" => tree_sitter_swift::LANGUAGE.into(),
        _ => return None,
    })
}

/// Makes a row of `config/languages/<name>.scm`.
macro_rules! queries {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../config/languages/", $name, ".scm")))),*]
    };
}

const QUERIES: &[(&str, &str)] = queries![
    "bash",
    "c",
    "cpp",
    "csharp",
    "css",
    "data",
    "go",
    "java",
    "javascript",
    "kotlin",
    "lua",
    "markdown",
    "php",
    "python",
    "ruby",
    "rust",
    "scala",
    "swift",
    "typescript",
];

/// Returns the text of `config/languages/<name>.scm`; empty when there is none.
pub fn queries(name: &str) -> &'static str {
    QUERIES.iter().find(|row| row.0 == name).map_or("", |row| row.1)
}
