//! What is asked, and which places are right?
//!
//! A file of questions holds one JSON object a line: `question`, `relevant` (paths, with lines where only these are right:
//! `src/a.rs:10-20`), and if wanted `kind`, by which figures are told apart, and `without_docs`: the question was taken from
//! a doc comment, so it is asked of a copy of the project that has none.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::base::fault::{Explain, Kind};
use crate::base::path::open_read;
use crate::base::text::{clip_line, shell_quoted, visible};
use crate::index::error::IndexError;

/// Largest file of questions that is read.
const MAX_BYTES: u64 = 64 << 20;
/// The kind of a question that names none.
const PLAIN: &str = "question";

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is asked.
    pub question: String,
    /// Places that are right, at least one.
    pub relevant: Vec<Gold>,
    /// What kind of question it is, in the words of whoever made the file.
    #[serde(default = "plain")]
    pub kind: String,
    /// Whether it comes from a doc comment and is asked of a copy without any.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_docs: bool,
}

fn plain() -> String {
    PLAIN.to_owned()
}

/// A place that is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Gold {
    /// The file, by its path below the root.
    pub path: String,
    /// First and last line, from 1; none where the whole file is right.
    pub lines: Option<(u32, u32)>,
}

impl Gold {
    /// Says whether some lines of a file answer.
    pub fn is_met_by(&self, path: &str, line: u32, end_line: u32) -> bool {
        self.path == path && self.lines.is_none_or(|(first, last)| line <= last && first <= end_line)
    }
}

impl TryFrom<String> for Gold {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (path, lines) = match text.rsplit_once(':') {
            Some((path, lines)) if lines.starts_with(|c: char| c.is_ascii_digit()) => {
                let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
                let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
                match (number(first), number(last)) {
                    (Some(first), Some(last)) if first <= last => (path, Some((first, last))),
                    _ => return Err(format!("`{text}` names no lines: PATH:FIRST-LAST is meant")),
                }
            }
            _ => (text.as_str(), None),
        };
        let path = path.trim_start_matches("./");
        if path.is_empty() || path.starts_with('/') {
            return Err(format!("`{text}` is no path below the root of the project"));
        }
        Ok(Self { path: path.to_owned(), lines })
    }
}

impl From<Gold> for String {
    fn from(gold: Gold) -> Self {
        match gold.lines {
            Some((first, last)) => format!("{}:{first}-{last}", gold.path),
            None => gold.path,
        }
    }
}

impl fmt::Display for Gold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(self.clone()))
    }
}

/// Why questions cannot be read or asked.
#[derive(Debug, Error)]
pub enum EvalError {
    /// A file cannot be read, or a folder not written.
    #[error("cannot use `{}`", visible(&path.display().to_string()))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is larger than any file of questions.
    #[error("`{}` is larger than 64 MB and no file of questions", visible(&path.display().to_string()))]
    Huge {
        /// The file.
        path: PathBuf,
    },
    /// A line is no question.
    #[error("line {line} of `{}` is no question: {why}", visible(&path.display().to_string()))]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// There is none.
    #[error("there is no question in `{}`", visible(&path.display().to_string()))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// None of the right places is in the project.
    #[error("none of the files the questions are about is in the index of `{}`", visible(&root.display().to_string()))]
    Elsewhere {
        /// The project.
        root: PathBuf,
    },
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Explain for EvalError {
    fn kind(&self) -> Kind {
        match self {
            Self::Index(error) => error.kind(),
            _ => Kind::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Index(error) => error.hints(),
            Self::File { path, source } if source.kind() != std::io::ErrorKind::NotFound => {
                vec![format!("ls -ld {}", shell_quoted(&path.display().to_string()))]
            }
            Self::Elsewhere { .. } => vec!["mimi eval search FILE --repo DIR".to_owned()],
            _ => vec!["mimi eval questions DIR > FILE.jsonl makes questions from doc comments".to_owned()],
        }
    }
}

/// Reads a file of questions.
pub fn read(path: &Path) -> Result<Vec<Question>, EvalError> {
    let failed = |source| EvalError::File { path: path.to_owned(), source };
    let file = open_read(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(EvalError::Huge { path: path.to_owned() });
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut questions = Vec::new();
    let text = text.trim_start_matches('\u{feff}');
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let question = parse(line).map_err(|why| EvalError::Line { path: path.to_owned(), line: at + 1, why })?;
        questions.push(question);
    }
    if questions.is_empty() {
        return Err(EvalError::Empty { path: path.to_owned() });
    }
    Ok(questions)
}

fn parse(line: &str) -> Result<Question, String> {
    let shown = |error: serde_json::Error| visible(&clip_line(&error.to_string(), 200)).into_owned();
    let question: Question = serde_json::from_str(line).map_err(shown)?;
    if question.question.trim().is_empty() {
        return Err("`question` is empty".to_owned());
    }
    if question.relevant.is_empty() {
        return Err("`relevant` names no place".to_owned());
    }
    Ok(question)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Question>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.jsonl");
        std::fs::write(&path, text).unwrap();
        read(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), "q.jsonl"))
    }

    #[test]
    fn a_question_is_a_line_and_names_files_or_lines() {
        let text = "\u{feff}{\"question\":\"where\",\"relevant\":[\"a.rs\",\"./b/c.rs:3-9\",\"d.rs:4\"]}\n\n\
            {\"question\":\"what\",\"relevant\":[\"a.rs\"],\"kind\":\"doc\",\"without_docs\":true}\n";
        let questions = read_text(text).unwrap();
        let names: Vec<String> = questions[0].relevant.iter().map(Gold::to_string).collect();
        assert_eq!(names, ["a.rs", "b/c.rs:3-9", "d.rs:4-4"]);
        assert_eq!((questions[0].kind.as_str(), questions[0].without_docs), ("question", false));
        assert_eq!((questions[1].kind.as_str(), questions[1].without_docs), ("doc", true));
        for question in &questions {
            assert_eq!(&parse(&serde_json::to_string(question).unwrap()).unwrap(), question);
        }
        let gold = &questions[0].relevant[1];
        let table = [("b/c.rs", 1, 2, false), ("b/c.rs", 1, 3, true), ("b/c.rs", 9, 20, true), ("c.rs", 3, 9, false)];
        for (path, line, end_line, expected) in table {
            assert_eq!(gold.is_met_by(path, line, end_line), expected, "{path} {line}");
        }
    }

    #[test]
    fn a_bad_file_is_named_with_its_line() {
        let table = [
            ("", "there is no question in `q.jsonl`"),
            ("not json\n", "line 1 of `q.jsonl` is no question"),
            ("{\"question\":\"a\",\"relevant\":[\"a\"]}\n{\"question\":\"a\"}\n", "line 2 of `q.jsonl` is no question"),
            ("{\"question\":\" \",\"relevant\":[\"a\"]}\n", "`question` is empty"),
            ("{\"question\":\"a\",\"relevant\":[]}\n", "`relevant` names no place"),
            ("{\"question\":\"a\",\"relevant\":[\"a:9-3\"]}\n", "names no lines"),
            ("{\"question\":\"a\",\"relevant\":[\"/etc/x\"]}\n", "no path below the root"),
            ("{\"question\":\"a\",\"relevant\":[\"a\"],\"paths\":1}\n", "unknown field `paths`"),
        ];
        for (text, expected) in table {
            let error = read_text(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(read(Path::new("/nowhere/q.jsonl")).unwrap_err().to_string().contains("cannot use `/nowhere/q.jsonl`"));
    }
}
