//! What is a model shown when somebody asks what an error, or a place in a file, means?
//!
//! The words, what the readers of checks make of them, and the code at the places they name. Places that only a text names are
//! read when they lie in the project and hold no secrets; what the user names is read wherever it is. A text of any length is
//! read with flat memory. Must not ask the model: the command does.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::base::fault::{Fault, Kind};
use crate::base::path::open_regular;
use crate::base::text::{clip_line, count, gap_note, join_clipped, plain};
use crate::context::prompt;
use crate::strategy::failure::{self, Complaints, digest};
use crate::workspace::Workspace;

/// Bytes of a text that are kept: of its beginning, and of its end, where programs say what went wrong.
const HEAD_BYTES: usize = 8_000;
const TAIL_BYTES: usize = 16_000;
/// Bytes of the list of failures.
const LIST_BYTES: usize = 4_000;
/// Places a text names that are shown.
const MAX_PLACES: usize = 6;
/// Lines shown on each side of such a place, and of one that is asked about.
const AROUND: usize = 12;
const AROUND_ASKED: usize = 60;
/// Lines shown of a file that is asked about as a whole.
const WHOLE_LINES: usize = 250;
/// Longest line that is shown.
const MAX_LINE_BYTES: usize = 300;
/// Bytes of a file that are looked at: lines beyond are not shown.
const MAX_FILE_BYTES: u64 = 8_000_000;
/// Bytes in which a zero tells that a file is no text.
const BINARY_PROBE_BYTES: usize = 8_000;

static PLACES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"File "(?<py>[^"\n]+)", line (?<pyline>\d+)|(?<file>[\w./+@-]+\.\w+)[:(](?<line>\d+)"#).ok()
});

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A file, or a line of it, from 1.
    Place {
        /// As it was typed.
        path: String,
        /// The line.
        line: Option<usize>,
    },
    /// The words of an error.
    Text(String),
}

impl Subject {
    /// Tells a place from words: a place is one that exists, or looks like nothing else.
    pub fn of(what: &str, root: &Path) -> Self {
        let what = what.trim();
        let (path, line) = split(what);
        let looks_like_one = line.is_some() && path.contains(['.', '/']) && !path.contains(char::is_whitespace);
        if looks_like_one || (!what.contains('\n') && root.join(path).is_file()) {
            return Self::Place { path: path.to_owned(), line };
        }
        Self::Text(what.to_owned())
    }
}

/// Splits `src/lib.rs:12:5`.
fn split(what: &str) -> (&str, Option<usize>) {
    let what = what.strip_suffix(':').unwrap_or(what);
    let number = |text: &str| text.parse::<usize>().ok();
    match what.rsplit_once(':').map(|(rest, last)| (rest, number(last))) {
        Some((rest, Some(last))) => match rest.rsplit_once(':').map(|(path, line)| (path, number(line))) {
            // The last one is the column.
            Some((path, Some(line))) => (path, Some(line)),
            _ => (rest, Some(last)),
        },
        _ => (what, None),
    }
}

/// A text that was read, however long.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// It, or its beginning and its end.
    pub text: String,
    /// What it complains of; all of it was read for that.
    pub complaints: Complaints,
}

/// Reads a text to its end.
///
/// # Errors
/// It is empty, or no text.
pub fn take(source: impl Read, root: &Path) -> Result<Taken, Fault> {
    let mut tee = Tee { source, head: Vec::new(), tail: VecDeque::new(), n_bytes: 0, trouble: None };
    let complaints = failure::read_from(BufReader::new(&mut tee), root);
    if let Some(error) = tee.trouble {
        return Err(Fault::io(Kind::Usage, "cannot read what is to be explained", &error));
    }
    if tee.head.iter().take(BINARY_PROBE_BYTES).any(|byte| *byte == 0) {
        return Err(Fault::new(Kind::Usage, "what is to be explained is no text"));
    }
    let text = tee.text();
    if text.trim().is_empty() {
        return Err(Fault::new(Kind::Usage, "there is nothing to explain")
            .hint("mimi explain src/main.rs:42")
            .hint("cargo test 2>&1 | mimi explain -"));
    }
    Ok(Taken { text, complaints })
}

/// Passes a stream on and keeps its beginning and its end.
struct Tee<R> {
    source: R,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    n_bytes: u64,
    trouble: Option<io::Error>,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = match self.source.read(buffer) {
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.trouble = Some(error);
                0
            }
        };
        self.n_bytes += n as u64;
        let new = &buffer[..n];
        let (first, rest) = new.split_at(new.len().min(HEAD_BYTES.saturating_sub(self.head.len())));
        self.head.extend_from_slice(first);
        let rest = &rest[rest.len().saturating_sub(TAIL_BYTES)..];
        self.tail.extend(rest);
        let n_over = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..n_over);
        Ok(n)
    }
}

impl<R> Tee<R> {
    fn text(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        let n_left = self.n_bytes - self.head.len() as u64 - tail.len() as u64;
        if n_left == 0 {
            let all = [self.head.as_slice(), &tail].concat();
            return plain(&String::from_utf8_lossy(&all));
        }
        let (head, tail) = (plain(&String::from_utf8_lossy(&self.head)), plain(&String::from_utf8_lossy(&tail)));
        join_clipped(&head, &gap_note(0, n_left, ""), &tail)
    }
}

/// Puts into words what a model is asked about an error.
pub fn about_text(taken: &Taken, workspace: &Workspace, is_secret: fn(&Path) -> bool) -> String {
    let list = digest::words(&taken.complaints, LIST_BYTES);
    let list = if list.is_empty() {
        list
    } else {
        format!("\n{}\n", prompt::TASK_EXPLAIN_FAILURES.render(&[list.trim_end()]))
    };
    let mut code = Vec::new();
    for (file, line) in places(taken) {
        let found = workspace.resolve(&file);
        if code.len() >= MAX_PLACES {
            break;
        }
        // What a program printed must not make us show what it may not see.
        if !found.is_inside() || is_secret(Path::new(&found.display())) {
            continue;
        }
        code.extend(excerpt(&workspace.root().join(&file), &found.display(), Some(line), AROUND).ok());
    }
    let code = if code.is_empty() {
        String::new()
    } else {
        format!("\n{}", prompt::TASK_EXPLAIN_CODE.render(&[&code.join("\n\n")]))
    };
    prompt::TASK_EXPLAIN_ERROR.render(&[taken.text.trim_end(), &list, &code])
}

/// Puts into words what a model is asked about a place.
///
/// # Errors
/// There is no such file or line, or it cannot be shown.
pub fn about_place(
    path: &str,
    line: Option<usize>,
    workspace: &Workspace,
    is_secret: fn(&Path) -> bool,
) -> Result<String, Fault> {
    let found = workspace.resolve(path);
    let name = found.display();
    if is_secret(Path::new(&name)) {
        return Err(Fault::new(Kind::Denied, format!("`{path}` may hold secrets, so no model is shown it")));
    }
    let code = excerpt(&workspace.root().join(path), &name, line, AROUND_ASKED)?;
    let place = line.map_or_else(|| format!("`{name}`"), |line| format!("line {line} of `{name}`"));
    Ok(prompt::TASK_EXPLAIN_PLACE.render(&[&place, &code]))
}

/// Returns the places a text names, those of its failures first, each once.
fn places(taken: &Taken) -> Vec<(String, usize)> {
    let of_failures = taken.complaints.failures.iter().flat_map(|failure| {
        let own = failure.file.clone().zip(failure.line);
        let frames = failure.stack.iter().map(|frame| (frame.file.clone(), frame.line));
        own.into_iter().chain(frames).map(|(file, line)| (file, line as usize))
    });
    let mut all: Vec<(String, usize)> = Vec::new();
    let in_text = PLACES.iter().flat_map(|pattern| pattern.captures_iter(&taken.text)).filter_map(|found| {
        let (file, line) =
            found.name("py").zip(found.name("pyline")).or_else(|| found.name("file").zip(found.name("line")))?;
        Some((file.as_str().to_owned(), line.as_str().parse().ok()?))
    });
    for (file, line) in of_failures.chain(in_text) {
        let file = file.strip_prefix("./").unwrap_or(&file).to_owned();
        // What lies in an excerpt before it needs none of its own.
        if !all.iter().any(|(other, near)| *other == file && near.abs_diff(line) <= AROUND) {
            all.push((file, line));
        }
    }
    all
}

/// Reads the lines around one, or the first ones of a file, with their numbers.
fn excerpt(path: &Path, name: &str, line: Option<usize>, around: usize) -> Result<String, Fault> {
    let unreadable = |error: &io::Error| {
        let fault = Fault::io(Kind::Usage, format!("cannot read `{name}`"), error);
        if error.kind() == io::ErrorKind::NotFound {
            fault.hint("to explain words, put them in quotes with a blank in them")
        } else {
            fault
        }
    };
    let (file, _) = open_regular(path).map_err(|error| unreadable(&error))?;
    let (first, last) = match line {
        Some(0) => return Err(Fault::new(Kind::Usage, format!("`{name}` has no line 0: they are counted from 1"))),
        Some(line) => (line.saturating_sub(around).max(1), line + around),
        None => (1, WHOLE_LINES),
    };
    let mut source = BufReader::with_capacity(BINARY_PROBE_BYTES, file.take(MAX_FILE_BYTES));
    if source.fill_buf().map_err(|error| unreadable(&error))?.contains(&0) {
        return Err(Fault::new(Kind::Usage, format!("`{name}` is no text")));
    }
    let (mut number, mut rows, mut bytes) = (0, Vec::new(), Vec::new());
    loop {
        bytes.clear();
        if source.read_until(b'\n', &mut bytes).map_err(|error| unreadable(&error))? == 0 {
            break;
        }
        number += 1;
        if number > last {
            rows.push("      ...".to_owned());
            break;
        }
        if number >= first {
            let text = String::from_utf8_lossy(&bytes);
            let mark = if line == Some(number) { '>' } else { ' ' };
            rows.push(format!("{mark}{number:>5}  {}", clip_line(text.trim_end_matches(['\n', '\r']), MAX_LINE_BYTES)));
        }
    }
    if let Some(line) = line.filter(|line| number < *line) {
        return Err(Fault::new(Kind::Usage, format!("`{name}` has {}, and no line {line}", count(number, "line"))));
    }
    if rows.is_empty() {
        return Err(Fault::new(Kind::Usage, format!("`{name}` is empty")));
    }
    Ok(format!("{name}:\n{}", rows.join("\n")))
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
