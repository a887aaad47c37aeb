//! What kind of question is this?
//!
//! An identifier, a path, a stack trace, an error message, or words. `path:`, `lang:` and `symbol:` narrow it. Told by its
//! looks alone; a wrong guess shifts weights and loses nothing. Nothing in a question is an operator: quotes, stars and the
//! words of SQLite's full-text search are text like any other.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use regex::Regex;

use crate::base::text::{fits, prefix, suffix};
use crate::index::language;
use crate::index::search::frames::{self, Frame};

/// Longer questions are cut in the middle: a pasted log says what matters at its beginning or at its end.
pub const MAX_BYTES: usize = 16_000;
/// Names of one question that are looked up.
const MAX_SYMBOLS: usize = 8;
/// What error messages have in them, in lower case.
const ERROR_MARKS: [&str; 22] = [
    "error:",
    "error[",
    "error ",
    "exception",
    "panicked at",
    "traceback",
    "fatal:",
    "failed to ",
    "failed:",
    "cannot ",
    "can't ",
    "could not ",
    "undefined reference",
    "warning:",
    "not found",
    "no such ",
    "assertion",
    "fehler:",
    "erreur",
    "ошибка",
    "错误",
    "エラー",
];
/// What a sentence begins with that asks about an error instead of being one, in lower case.
const ASKING: [&str; 14] =
    ["how", "what", "where", "why", "which", "when", "who", "is", "are", "does", "do", "can", "find", "show"];

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
    /// Places in it, the innermost call first; of a question that is a path, that one.
    pub frames: Vec<Frame>,
    /// Parts of paths one of which must fit.
    pub paths: Vec<String>,
    /// Languages one of which must fit, by name.
    pub languages: Vec<String>,
    /// Whether only what defines one of the names is wanted.
    pub wants_definitions: bool,
    /// Languages that were asked for and that mimi does not know.
    pub unknown_languages: Vec<String>,
    /// Whether the middle of it was left out.
    pub is_cut: bool,
}

impl Query {
    /// Reads a question.
    pub fn parse(given: &str) -> Self {
        let (given, is_cut) = cut(given);
        let (narrowed, rest) = narrowings(&given);
        let text = rest.split_whitespace().collect::<Vec<_>>().join(" ");
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        let mut query = Self {
            kind: Kind::Words,
            text: String::new(),
            symbols: narrowed.symbols,
            frames: frames::frames(&rest),
            paths: narrowed.paths,
            languages: narrowed.languages,
            wants_definitions: false,
            unknown_languages: narrowed.unknown_languages,
            is_cut,
        };
        query.wants_definitions = !query.symbols.is_empty();
        query.kind = query.kind_of(&text, &words);
        match (query.kind, words.as_slice()) {
            _ if query.wants_definitions => {}
            (Kind::Symbol, [only]) => query.symbols.push(last_name(only).to_owned()),
            (Kind::Path, [only]) if query.frames.is_empty() => query.frames.push(((*only).to_owned(), 1)),
            _ => query.symbols.extend(names_in(&words)),
        }
        let of_symbols = query.symbols.iter().map(String::as_str).filter(|_| query.wants_definitions);
        query.text = of_symbols.chain(words).collect::<Vec<_>>().join(" ");
        query
    }

    fn kind_of(&self, text: &str, words: &[&str]) -> Kind {
        match words {
            _ if self.wants_definitions => Kind::Symbol,
            _ if self.frames.len() > 1 || (self.frames.len() == 1 && words.len() > 1) => Kind::Trace,
            [only] if is_path(only) => Kind::Path,
            [only] if is_identifier(only) => Kind::Symbol,
            _ if looks_like_error(text) => Kind::Error,
            _ => Kind::Words,
        }
    }

    /// Says whether a file may be shown.
    pub fn allows(&self, path: &str) -> bool {
        if !self.is_narrow() {
            return true;
        }
        let fits_path = |wanted: &String| {
            let (wanted, path) = (wanted.trim_start_matches("./").to_lowercase(), path.to_lowercase());
            if wanted.contains('*') {
                fits(&wanted, &path) || fits(&format!("*/{wanted}"), &path)
            } else {
                path.contains(&wanted)
            }
        };
        let of = language::of_file(Path::new(path), b"").map(|language| language.name());
        (self.paths.is_empty() || self.paths.iter().any(fits_path))
            && (self.languages.is_empty() || self.languages.iter().any(|wanted| of == Some(wanted.as_str())))
    }

    /// Says whether only some files may be shown.
    pub fn is_narrow(&self) -> bool {
        !self.paths.is_empty() || !self.languages.is_empty()
    }
}

/// What narrows a question.
#[derive(Default)]
struct Narrowed {
    symbols: Vec<String>,
    paths: Vec<String>,
    languages: Vec<String>,
    unknown_languages: Vec<String>,
}

fn cut(given: &str) -> (Cow<'_, str>, bool) {
    if given.len() <= MAX_BYTES {
        return (Cow::Borrowed(given), false);
    }
    let half = MAX_BYTES / 2;
    (Cow::Owned(format!("{}\n{}", prefix(given, half), suffix(given, half - 1))), true)
}

/// Takes `path:`, `lang:` and `symbol:` out of a question; what stands behind them may be in quotes.
fn narrowings(given: &str) -> (Narrowed, String) {
    static PATTERN: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = r#"(?:^|\s)(path|lang|symbol):(?:"([^"\n]+)"|([^\s":][^\s]*|::?[^\s:]+))"#;
    let mut found = Narrowed::default();
    let Some(pattern) = PATTERN.get_or_init(|| Regex::new(pattern).ok()) else { return (found, given.to_owned()) };
    for captures in pattern.captures_iter(given) {
        let group = |n: usize| captures.get(n).map_or("", |group| group.as_str());
        let value = format!("{}{}", group(2), group(3));
        match (group(1), language::named(&value)) {
            ("path", _) => found.paths.push(value),
            ("symbol", _) => found.symbols.push(last_name(&value).to_owned()),
            (_, Some(language)) => found.languages.push(language.name().to_owned()),
            (_, None) => found.unknown_languages.push(value),
        }
    }
    let rest = pattern.replace_all(given, " ").into_owned();
    (found, rest)
}

/// Names from code among the words of a sentence.
fn names_in(words: &[&str]) -> Vec<String> {
    let bare = words.iter().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && !"_()".contains(c)));
    let mut names: Vec<String> = Vec::new();
    for name in bare.filter(|word| is_compound(word)).map(last_name) {
        if names.len() < MAX_SYMBOLS && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
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
    let text = text.to_lowercase();
    let first = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    !ASKING.contains(&first) && ERROR_MARKS.iter().any(|mark| text.contains(mark))
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
            ("java.io.IOException: connection reset", Kind::Error),
            ("why can't the client connect", Kind::Words),
            ("where is the error type defined", Kind::Words),
            ("src/index/mod.rs:12", Kind::Path),
            ("wo werden alte Einträge entfernt", Kind::Words),
            ("أين تحذف الإدخالات القديمة", Kind::Words),
            ("在哪里删除旧条目", Kind::Symbol),
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
        let query = Query::parse("lang:klingon path:\"my dir/a\" open symbol::new x");
        assert_eq!(query.unknown_languages, ["klingon"]);
        assert_eq!((query.paths, query.symbols), (vec!["my dir/a".to_owned()], vec!["new".to_owned()]));
        let query = Query::parse("path:src/**/*.rs x");
        assert!(query.allows("src/a/b.rs") && !query.allows("src/a/b.py"));
    }

    #[test]
    fn of_a_very_long_question_beginning_and_end_count() {
        let query = Query::parse(&format!("begin {} end", "middle ".repeat(20_000)));
        assert!(query.is_cut && query.text.len() <= MAX_BYTES);
        assert!(query.text.starts_with("begin ") && query.text.ends_with(" end"));
        assert!(!Query::parse("begin end").is_cut);
    }
}
