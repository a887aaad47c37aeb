//! What kind of question is this?
//!
//! An identifier, a path, a stack trace, an error message, or words. `path:`, `lang:` and `symbol:` narrow it. Told by its
//! looks alone; a wrong guess shifts weights and loses nothing.

use std::sync::OnceLock;

use regex::Regex;

use crate::base::text::prefix;
use crate::index::language;

/// Longer questions are cut: what matters stands in the beginning, and a pasted log has no end.
const MAX_BYTES: usize = 16_000;
/// Places of a stack trace that are looked at.
const MAX_FRAMES: usize = 20;

/// What a question looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name from code.
    Symbol,
    /// A path of a file.
    Path,
    /// Places as they stand in stack traces.
    Trace,
    /// An error message.
    Error,
    /// Anything else.
    Words,
}

impl Kind {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Symbol => "symbol",
            Self::Path => "path",
            Self::Trace => "trace",
            Self::Error => "error",
            Self::Words => "words",
        }
    }
}

/// A question, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What it looks like.
    pub kind: Kind,
    /// What is searched for, without what narrows it.
    pub text: String,
    /// Names from code in it; of a question that is a name, that one.
    pub symbols: Vec<String>,
    /// Places in it: a path and a line.
    pub frames: Vec<(String, u32)>,
    /// Parts of paths one of which must fit.
    pub paths: Vec<String>,
    /// Languages one of which must fit, by name.
    pub languages: Vec<String>,
    /// Whether only what defines one of the names is wanted.
    pub wants_definitions: bool,
}

impl Query {
    /// Reads a question.
    pub fn parse(given: &str) -> Self {
        let given = prefix(given, MAX_BYTES);
        let (mut paths, mut languages, mut symbols, mut rest) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for word in given.split_whitespace() {
            match word.split_once(':') {
                Some(("path", value)) if !value.is_empty() => paths.push(value.trim_matches('"').to_owned()),
                Some(("lang", value)) if !value.is_empty() => {
                    languages.push(language::named(value).map_or(value, |language| language.name()).to_owned());
                }
                Some(("symbol", value)) if !value.is_empty() => symbols.push(last_name(value).to_owned()),
                _ => rest.push(word),
            }
        }
        let is_named = !symbols.is_empty();
        let mut text = rest.join(" ");
        let frames = frames(given);
        let kind = match rest.as_slice() {
            _ if is_named => Kind::Symbol,
            _ if frames.len() > 1 || (frames.len() == 1 && rest.len() > 1) => Kind::Trace,
            [only] if is_path(only) => Kind::Path,
            [only] if is_identifier(only) => Kind::Symbol,
            _ if looks_like_error(&text) => Kind::Error,
            _ => Kind::Words,
        };
        if is_named {
            text = symbols.iter().map(String::as_str).chain(rest.iter().copied()).collect::<Vec<_>>().join(" ");
        } else if let (Kind::Symbol, [only]) = (kind, rest.as_slice()) {
            symbols.push(last_name(only).to_owned());
        } else {
            symbols.extend(
                rest.iter()
                    .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_'))
                    .filter(|word| is_compound(word))
                    .map(|word| last_name(word).to_owned())
                    .take(8),
            );
        }
        Self { kind, text, symbols, frames, paths, languages, wants_definitions: is_named }
    }

    /// Says whether a file may be shown.
    pub fn allows(&self, path: &str) -> bool {
        if !self.is_narrow() {
            return true;
        }
        let fits_path = |wanted: &String| path.to_lowercase().contains(&wanted.trim_start_matches("./").to_lowercase());
        let of = language::of_file(std::path::Path::new(path), b"").map(|language| language.name());
        (self.paths.is_empty() || self.paths.iter().any(fits_path))
            && (self.languages.is_empty() || self.languages.iter().any(|wanted| of == Some(wanted.as_str())))
    }

    /// Says whether only some files may be shown.
    pub fn is_narrow(&self) -> bool {
        !self.paths.is_empty() || !self.languages.is_empty()
    }
}

/// Returns the last name of `a::b::c`, `a.b.c` or `a->c`, without what is behind a bracket.
fn last_name(text: &str) -> &str {
    let text = text.split(['(', '<', '[', '{']).next().unwrap_or(text);
    text.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).find(|name| !name.is_empty()).unwrap_or(text)
}

/// A name as nobody writes it in a sentence.
fn is_compound(word: &str) -> bool {
    let name = last_name(word);
    let has_hump = name.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_plain
        && name.len() > 2
        && (has_hump || name.trim_matches('_').contains('_') || word.contains("::") || word.ends_with("()"))
}

fn is_identifier(word: &str) -> bool {
    let starts = word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
    let fits = |c: char| c.is_alphanumeric() || "_:.$()<>->#".contains(c);
    starts && word.chars().all(fits) && !last_name(word).is_empty()
}

fn is_path(word: &str) -> bool {
    let is_plain = word.chars().all(|c| c.is_alphanumeric() || "_-./@+:~".contains(c));
    let known = word.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty() && language::named(ending.split(':').next().unwrap_or(ending)).is_some()
    });
    is_plain && !word.contains("::") && (word.contains('/') || known)
}

fn looks_like_error(text: &str) -> bool {
    let marks = [
        "error:",
        "error[",
        "Error:",
        "Exception",
        "panicked at",
        "Traceback",
        "fatal:",
        "failed to",
        "cannot ",
        "undefined reference",
        "warning:",
    ];
    marks.iter().any(|mark| text.contains(mark))
}

/// Finds places as compilers and interpreters write them: `src/a.rs:10:5`, `File "a.py", line 10`.
fn frames(text: &str) -> Vec<(String, u32)> {
    static FRAME: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = r#"File "([^"\n]+)", line (\d+)|([A-Za-z0-9_@+~./-]+\.[A-Za-z0-9]{1,8})[:(](\d+)"#;
    let Some(frame) = FRAME.get_or_init(|| Regex::new(pattern).ok()) else { return Vec::new() };
    let mut found: Vec<(String, u32)> = Vec::new();
    for captures in frame.captures_iter(text).take(MAX_FRAMES) {
        let part = |a, b| captures.get(a).or(captures.get(b)).map(|part| part.as_str());
        if let (Some(path), Some(line)) = (part(1, 3), part(2, 4).and_then(|line| line.parse().ok()))
            && !found.iter().any(|known| known.0 == path && known.1 == line)
        {
            found.push((path.to_owned(), line));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_known_by_their_looks() {
        let table = [
            ("how are expired entries removed", Kind::Words),
            ("parse_request", Kind::Symbol),
            ("HttpClient::send", Kind::Symbol),
            ("symbol:run where", Kind::Symbol),
            ("src/index/mod.rs", Kind::Path),
            ("mod.rs", Kind::Path),
            ("thread 'main' panicked at src/lib.rs:10:5:", Kind::Trace),
            ("Traceback:\n File \"a/b.py\", line 3, in f\n File \"c.py\", line 9", Kind::Trace),
            ("error: cannot open the database", Kind::Error),
            ("", Kind::Words),
            ("удалить старые записи", Kind::Words),
            ("\" OR NEAR( *", Kind::Words),
        ];
        for (text, kind) in table {
            assert_eq!(Query::parse(text).kind, kind, "{text}");
        }
    }

    #[test]
    fn what_narrows_a_question_is_taken_out_of_it() {
        let query = Query::parse("retry policy path:src/net lang:py symbol:Client.send");
        assert_eq!((query.text.as_str(), query.symbols), ("send retry policy", vec!["send".to_owned()]));
        assert_eq!(query.languages, ["python"]);
        let query = Query::parse("retry path:src/net lang:py");
        assert!(query.allows("src/net/a.py") && !query.allows("src/a.py") && !query.allows("src/net/a.rs"));
        assert_eq!(Query::parse("where does `HttpClient` call send_all(x)?").symbols, ["HttpClient", "send_all"]);
        assert_eq!(Query::parse(&"a".repeat(100_000)).text.len(), MAX_BYTES);
    }

    #[test]
    fn places_are_read_out_of_traces() {
        let query = Query::parse("at f (src/a.js:10:5)\nFile \"b.py\", line 7\n  c.go:3 +0x1d");
        let frames: Vec<(&str, u32)> = query.frames.iter().map(|(path, line)| (path.as_str(), *line)).collect();
        assert_eq!(frames, [("src/a.js", 10), ("b.py", 7), ("c.go", 3)]);
    }
}
