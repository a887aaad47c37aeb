//! What does `@something` in a message add to it?
//!
//! A file, a folder, a definition, what a search finds, the changes since the last commit, or another session: each as one
//! labelled block of bounded size behind the person's own words. Must not change those words, nor guess: an `@` that names
//! nothing here (a mail address, a decorator) is left alone.

use std::fmt::Write as _;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::Path;

use crate::app::App;
use crate::base::fault::{Fault, Kind};
use crate::base::path::open_regular;
use crate::base::text::{clip_line, clip_middle, count, one_line_name, prefix};
use crate::context::prompt::MENTION;
use crate::index::fresh::{self, BUDGET, Fresh};
use crate::index::search::route::Query;
use crate::index::search::{Sides, snippet};
use crate::index::symbols::Symbol;
use crate::policy::path::is_secret;
use crate::session::{export, list};
use crate::strategy::review::part;
use crate::workspace::git::Git;
use crate::workspace::git_changes::Scope;
use crate::workspace::walk::{EntryKind, Walk};

/// Bytes of one block; about 4,000 tokens.
const MAX_BYTES: usize = 16_000;
/// Bytes of one line.
const MAX_LINE_BYTES: usize = 400;
/// Definitions of one name that are shown whole; others are named.
const MAX_DEFINITIONS: usize = 4;
/// Places a search adds, and lines of each.
const MAX_HITS: usize = 8;
const HIT_LINES: usize = 30;
/// Levels of a folder.
const MAX_DEPTH: usize = 3;
/// Tokens of the changes that are shown.
const DIFF_TOKENS: u64 = 6_000;
/// Bytes of a file that are read; beyond them it is no file somebody wrote.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Something named with `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    /// A file, or some of its lines, counted from 1.
    File {
        /// Its path below the project's folder.
        path: String,
        /// First and last line.
        lines: Option<(u32, u32)>,
    },
    /// A folder.
    Folder(String),
    /// A definition: `name`, `Owner.name`, `path:name`.
    Symbol(String),
    /// What a search finds.
    Codebase(String),
    /// The changes since the last commit.
    Diff,
    /// Another session, by the beginning of its id.
    Session(String),
}

/// What a mention adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is, for a person: `src/a.rs:10-44`.
    pub label: String,
    /// The block as the model reads it.
    pub text: String,
}

impl Block {
    fn new(label: String, body: &str) -> Self {
        let body = clip_middle(body.trim_end(), MAX_BYTES, "left out; read the rest with your tools");
        Self { text: MENTION.render(&[&label.replace('"', "'"), &body]), label }
    }
}

/// What stands at a path of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// Finds the mentions in a message, each once, in order. `there` says what stands at a path.
pub fn mentions(text: &str, there: impl Fn(&str) -> Option<There>) -> Vec<Mention> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let is_begin = text[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || "([{\"'`".contains(c));
        let mention = is_begin.then(|| read(&text[at + 1..], &there)).flatten();
        found.extend(mention.filter(|mention| !found.contains(mention)).into_iter().collect::<Vec<_>>());
    }
    found
}

/// Reads one mention behind its sign.
fn read(rest: &str, there: &impl Fn(&str) -> Option<There>) -> Option<Mention> {
    let line = rest.lines().next().unwrap_or_default();
    if let Some(question) = line.strip_prefix("codebase").filter(|rest| rest.starts_with([' ', ':'])) {
        let question = question.trim_matches([' ', ':', '"']);
        return (!question.is_empty()).then(|| Mention::Codebase(question.to_owned()));
    }
    let word = match line.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => line.split_whitespace().next().unwrap_or_default(),
    };
    // A sentence may end with a mention.
    let word = word.trim_end_matches([',', '.', ';', '!', '?', ')', ']', '}', '\'', '"', '`']);
    match word.split_once(':') {
        Some(("symbol", name)) if !name.is_empty() => Some(Mention::Symbol(name.to_owned())),
        Some(("session", id)) if !id.is_empty() => Some(Mention::Session(id.to_owned())),
        _ if word == "diff" => Some(Mention::Diff),
        _ => path(word.trim_end_matches(':'), there),
    }
}

fn path(word: &str, there: &impl Fn(&str) -> Option<There>) -> Option<Mention> {
    if word.is_empty() {
        return None;
    }
    match there(word) {
        Some(There::Folder) => return Some(Mention::Folder(word.trim_end_matches('/').to_owned())),
        Some(There::File) => return Some(Mention::File { path: word.to_owned(), lines: None }),
        None => {}
    }
    let (path, range) = word.rsplit_once(':')?;
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let lines = (first.parse().ok()?, last.parse().ok()?);
    (there(path)? == There::File && lines.0 <= lines.1)
        .then(|| Mention::File { path: path.to_owned(), lines: Some(lines) })
}

impl App {
    /// Returns the definitions whose names hold what was typed, for picking one: the best first.
    ///
    /// # Errors
    /// The index cannot be made or read.
    pub async fn symbols(&self, typed: &str, n: usize) -> Result<Vec<Symbol>, Fault> {
        let typed = typed.to_owned();
        self.with_index(move |fresh| Ok(fresh.index.symbols_like(&typed, n)?)).await
    }

    /// Finds the mentions in a message.
    pub fn mentions(&self, text: &str) -> Vec<Mention> {
        mentions(text, |path| {
            let target = self.workspace.resolve(path);
            let meta = target.absolute.metadata().ok().filter(|_| target.is_inside())?;
            if meta.is_dir() { Some(There::Folder) } else { meta.is_file().then_some(There::File) }
        })
    }

    /// Returns a message with what it mentions behind it, and a line for each mention that adds nothing.
    pub async fn with_mentions(&self, text: &str) -> (String, Vec<String>) {
        let (mut whole, mut notes) = (text.to_owned(), Vec::new());
        for mention in self.mentions(text) {
            match self.mentioned(&mention).await {
                Ok(block) => {
                    whole.push_str("\n\n");
                    whole.push_str(&block.text);
                }
                Err(fault) => notes.push(fault.line()),
            }
        }
        (whole, notes)
    }

    /// Returns what a mention adds.
    ///
    /// # Errors
    /// What it names is not there, cannot be read, or may hold secrets.
    pub async fn mentioned(&self, mention: &Mention) -> Result<Block, Fault> {
        match mention {
            Mention::File { path, lines } => self.file_block(path, *lines),
            Mention::Folder(path) => self.folder_block(path),
            Mention::Symbol(written) => {
                let (root, written) = (self.workspace.root().to_path_buf(), written.clone());
                self.with_index(move |fresh| symbol_block(&root, &fresh, &written)).await
            }
            Mention::Codebase(question) => {
                let question = question.clone();
                self.with_index(move |fresh| codebase_block(&fresh, &question)).await
            }
            Mention::Diff => self.diff_block().await,
            Mention::Session(id) => self.session_block(id),
        }
    }

    /// Does something with the index on a thread of its own, as up to date as a short time allows.
    async fn with_index<T: Send + 'static>(
        &self,
        work: impl FnOnce(Fresh) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (cache, root) = (self.dirs.cache.clone(), self.workspace.root().to_path_buf());
        let done = tokio::task::spawn_blocking(move || work(fresh::within(&cache, &root, BUDGET)?));
        done.await.map_err(|error| Fault::new(Kind::Bug, "the index was not asked").cause(error.to_string()))?
    }

    fn file_block(&self, path: &str, lines: Option<(u32, u32)>) -> Result<Block, Fault> {
        let target = self.workspace.resolve(path);
        let name = one_line_name(&target.display()).into_owned();
        let text = readable(&target.absolute, Path::new(&name))?;
        let (first, last) = lines.unwrap_or((1, u32::MAX));
        let label = if lines.is_some() { format!("{name}:{first}-{last}") } else { name };
        Ok(Block::new(label, &numbered(&text, first, last)))
    }

    fn folder_block(&self, path: &str) -> Result<Block, Fault> {
        let target = self.workspace.resolve(path);
        let mut listed = String::new();
        Walk::new(self.workspace.root(), &target.absolute).max_depth(MAX_DEPTH).visit(&mut |entry| {
            let end = if entry.kind == EntryKind::Folder { "/" } else { "" };
            let _ = writeln!(listed, "{}{end}", one_line_name(&entry.relative.to_string_lossy()));
            if listed.len() < 2 * MAX_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        let name = one_line_name(&target.display()).into_owned();
        if listed.is_empty() {
            return Err(Fault::new(Kind::Task, format!("the folder `{name}` has no files")));
        }
        Ok(Block::new(format!("{name}/"), &listed))
    }

    async fn diff_block(&self) -> Result<Block, Fault> {
        let changes = Git::new(&self.runner, self.workspace.root()).changes(&Scope::WorkTree).await?;
        let room = part::Room { part_tokens: DIFF_TOKENS, max_parts: 1, skip: &[], is_secret };
        let parts = part::split(&changes.files, &room);
        let left_out: String =
            parts.left_out.iter().map(|left| format!("[{} is not shown]\n", one_line_name(&left.path))).collect();
        match parts.parts.first() {
            Some(part) => Ok(Block::new(changes.what, &format!("{}\n{left_out}", part.text.trim_end()))),
            None if left_out.is_empty() => Err(Fault::new(Kind::Task, "nothing has changed since the last commit")),
            None => Ok(Block::new(changes.what, &left_out)),
        }
    }

    fn session_block(&self, id: &str) -> Result<Block, Fault> {
        let path = list::find(&self.dirs.sessions(), id)?;
        let mut text = String::new();
        export::write(&path, export::Format::Markdown, |line| {
            text.push_str(line);
            text.push('\n');
            Ok::<(), Fault>(())
        })?;
        Ok(Block::new(format!("session {id}"), &text))
    }
}

/// Shows the definitions a name may mean; many are only named.
fn symbol_block(root: &Path, fresh: &Fresh, written: &str) -> Result<Block, Fault> {
    let (found, near) = fresh.index.symbols_meant(written)?;
    if found.is_empty() {
        let fault =
            Fault::new(Kind::Task, format!("no definition is called `{}`", one_line_name(&clip_line(written, 80))));
        return Err(match near {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint("mimi index --status"),
        });
    }
    let shown = found.iter().take(MAX_DEFINITIONS);
    let room = MAX_BYTES / found.len().min(MAX_DEFINITIONS);
    let mut body = String::new();
    for symbol in shown {
        let head = format!(
            "{}:{}-{} {} {}",
            symbol.path,
            symbol.line,
            symbol.end_line,
            symbol.kind.word(),
            symbol.full_name()
        );
        let code = match readable(&root.join(&symbol.path), Path::new(&symbol.path)) {
            Ok(text) => numbered(&text, symbol.line, symbol.end_line),
            Err(fault) => fault.line(),
        };
        let code = clip_middle(code.trim_end(), room, "left out; read the rest with your tools");
        let _ = writeln!(body, "{}\n{code}\n", one_line_name(&head));
    }
    for symbol in found.iter().skip(MAX_DEFINITIONS).take(50) {
        let _ = writeln!(body, "also {} {}", one_line_name(&symbol.place()), symbol.full_name());
    }
    let label = match found.as_slice() {
        [only] => format!("{} {}, {}", only.kind.word(), only.full_name(), only.place()),
        all => format!("{} called {}", count(all.len(), "definition"), all[0].name),
    };
    Ok(Block::new(label, &body))
}

/// Shows what a search finds.
fn codebase_block(fresh: &Fresh, question: &str) -> Result<Block, Fault> {
    let query = Query::parse(question);
    let hits = fresh.index.search(&query, MAX_HITS, Sides::All)?;
    let root = &fresh.index.place().root;
    let mut body: String = fresh.notes.iter().map(|note| format!("[{note}]\n")).collect();
    for hit in hits.iter().filter(|hit| !is_secret(Path::new(&hit.path))) {
        let _ = writeln!(body, "{}:{}-{} {}", one_line_name(&hit.path), hit.line, hit.end_line, hit.scope);
        for (line, text) in snippet::lines(root, hit, &query.text, HIT_LINES) {
            let _ = writeln!(body, "{line:>5}  {text}");
        }
        body.push('\n');
        if body.len() > MAX_BYTES {
            break;
        }
    }
    let shown = one_line_name(&clip_line(question, 80)).into_owned();
    if hits.is_empty() {
        return Err(Fault::new(Kind::Task, format!("nothing found for `{shown}`")).hint("mimi index --status"));
    }
    Ok(Block::new(format!("what a search for `{shown}` finds"), prefix(&body, MAX_BYTES)))
}

/// Reads a text file whose name does not say that it holds keys.
fn readable(path: &Path, name: &Path) -> Result<String, Fault> {
    let shown = one_line_name(&name.to_string_lossy()).into_owned();
    if is_secret(name) {
        return Err(Fault::new(Kind::Task, format!("`{shown}` may hold keys and is not added to the message")));
    }
    let broken = |error: std::io::Error| Fault::io(Kind::Task, format!("cannot read `{shown}`"), &error);
    let (file, _) = open_regular(path).map_err(broken)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.contains(&0) {
        return Err(Fault::new(Kind::Task, format!("`{shown}` is no text")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Renders lines with their numbers.
fn numbered(text: &str, first: u32, last: u32) -> String {
    let mut out = String::new();
    let wanted = (first.max(1) as usize - 1, last as usize);
    for (at, line) in text.lines().enumerate().take(wanted.1).skip(wanted.0) {
        let _ = writeln!(out, "{:>5}  {}", at + 1, clip_line(line, MAX_LINE_BYTES));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Mention> {
        mentions(text, |path| match path {
            "src" | "src/" => Some(There::Folder),
            "src/a.rs" | "Makefile" | "a b.txt" => Some(There::File),
            _ => None,
        })
    }

    #[test]
    fn mentions_are_told_from_other_signs() {
        let file = |path: &str, lines| Mention::File { path: path.to_owned(), lines };
        let table = [
            ("look at @src/a.rs, please", vec![file("src/a.rs", None)]),
            ("(@src/a.rs:10-20)", vec![file("src/a.rs", Some((10, 20)))]),
            ("@src/a.rs:7 @src/a.rs:7", vec![file("src/a.rs", Some((7, 7)))]),
            ("@src/ and @Makefile.", vec![Mention::Folder("src".to_owned()), file("Makefile", None)]),
            ("@\"a b.txt\" is odd", vec![file("a b.txt", None)]),
            ("@symbol:src/a.rs:App.run?", vec![Mention::Symbol("src/a.rs:App.run".to_owned())]),
            ("@codebase where are retries\nnext", vec![Mention::Codebase("where are retries".to_owned())]),
            ("what of @diff", vec![Mention::Diff]),
            ("@session:0198ab", vec![Mention::Session("0198ab".to_owned())]),
            ("me@src.rs @pytest.fixture @types/node @ @nothing @codebase", vec![]),
            ("@src/a.rs:20-10", vec![]),
        ];
        for (text, expected) in table {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn a_block_is_bounded_and_says_what_it_is() {
        let block = Block::new("a \"b\"".to_owned(), &"line\n".repeat(10_000));
        assert!(
            block.text.len() < MAX_BYTES + 300 && block.text.starts_with("<mentioned what=\"a 'b'\">"),
            "{}",
            block.text
        );
        assert_eq!(numbered("a\nb\nc\n", 2, 9), "    2  b\n    3  c\n");
    }
}
