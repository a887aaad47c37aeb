//! What does the index keep of one file?
//!
//! A function of its path and its bytes alone, so that many files are read at once and the same content is never read twice.
//! Pieces that hold keys are left out with all names in them. Must not touch files or databases.

use std::path::Path;

use tree_sitter::Parser;

use crate::base::hash;
use crate::index::chunk::{self, Lines, Piece};
use crate::index::embed::Embedder;
use crate::index::error::IndexError;
use crate::index::files;
use crate::index::language;
use crate::index::secret::{Secrets, secrets};
use crate::index::syntax::{self, Symbols};
use crate::index::words::{Counter, Words};

/// What a document is known by: path and content hashed as one, half of it.
pub type Key = [u8; 16];

/// One piece of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// Hash of its text: equal texts share a vector.
    pub text: Key,
    /// What the full-text table is given.
    pub words: Words,
    /// Its vector by the built-in embedder; none when that knows none of its words.
    pub vector: Option<Vec<f32>>,
}

/// What is kept of one file.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The language's name; empty for plain text.
    pub language: &'static str,
    /// Size in bytes.
    pub bytes: u64,
    /// Its pieces in order; those with keys are missing.
    pub chunks: Vec<Chunk>,
    /// What it says about names.
    pub symbols: Symbols,
    /// Pieces left out because of keys.
    pub n_secrets: u32,
    /// Whether it is other people's code.
    pub is_vendored: bool,
}

/// Returns what a file with this path and content is known by.
pub fn key(path: &Path, bytes: &[u8]) -> Key {
    let name = path.as_os_str().as_encoded_bytes();
    half(&[name, bytes])
}

/// Returns what a text is known by.
pub fn text_key(text: &str) -> Key {
    half(&[text.as_bytes()])
}

fn half(parts: &[&[u8]]) -> Key {
    let whole = hash::digest_of_parts(parts);
    let mut half = Key::default();
    half.copy_from_slice(&whole[..16]);
    half
}

/// Reads documents.
pub struct Reader<'e> {
    embedder: &'e dyn Embedder,
    secrets: &'static Secrets,
    table: &'static files::Table,
    counter: Counter,
    parser: Parser,
}

impl<'e> Reader<'e> {
    /// Prepares to read; fails when a table compiled in is broken.
    pub fn new(embedder: &'e dyn Embedder) -> Result<Self, IndexError> {
        Ok(Self {
            embedder,
            secrets: secrets()?,
            table: files::table()?,
            counter: Counter::default(),
            parser: Parser::new(),
        })
    }

    /// Reads one file. `path` is relative to the root of the project.
    pub fn read(&mut self, path: &Path, bytes: &[u8]) -> Document {
        let whole = String::from_utf8_lossy(bytes);
        let text = whole.as_bytes();
        let language = language::of_file(path, text);
        let lines = Lines::of(text);
        let is_vendored = self.table.is_vendored(path);
        let compiled = language.and_then(language::Language::compiled);
        let parsed =
            compiled.and_then(|compiled| Some((compiled, syntax::parse_by(&mut self.parser, compiled, text)?)));
        let (symbols, pieces) = match &parsed {
            Some((compiled, tree)) => {
                let symbols = match compiled.patterns.is_empty() {
                    true => Symbols::default(),
                    false => syntax::symbols(compiled, tree, text),
                };
                let pieces = if is_vendored { Vec::new() } else { chunk::tree::cut(tree, &lines, &compiled.remarks) };
                (symbols, pieces)
            }
            None if is_vendored => (Symbols::default(), Vec::new()),
            None => (Symbols::default(), chunk::text::cut(text, &lines)),
        };
        let mut document = Document {
            language: language.map_or("", language::Language::name),
            bytes: bytes.len() as u64,
            symbols,
            is_vendored,
            ..Document::default()
        };
        self.leave_secrets_out(&mut document, &whole, &lines, pieces, path);
        document
    }

    fn leave_secrets_out(
        &mut self,
        document: &mut Document,
        text: &str,
        lines: &Lines,
        pieces: Vec<Piece>,
        path: &Path,
    ) {
        let secrets = self.secrets.find(text);
        let holds = |piece: &Piece| {
            let range = lines.range(*piece);
            secrets.iter().any(|secret| secret.start < range.end && range.start < secret.end)
        };
        if !secrets.is_empty() {
            let hidden: Vec<Piece> = pieces.iter().copied().filter(holds).collect();
            document.n_secrets = u32::try_from(hidden.len().max(1)).unwrap_or(u32::MAX);
            hide(&mut document.symbols, &hidden, pieces.is_empty());
        }
        let header = header(path);
        for piece in pieces.into_iter().filter(|piece| secrets.is_empty() || !holds(piece)) {
            let body = text.get(lines.range(piece)).unwrap_or_default();
            if !body.trim().is_empty() {
                let chunk = self.chunk(&document.symbols, piece, body, &header);
                document.chunks.push(chunk);
            }
        }
    }

    fn chunk(&mut self, symbols: &Symbols, piece: Piece, body: &str, header: &str) -> Chunk {
        let (line, end_line) = (number(piece.first + 1), number(piece.end));
        let defined = symbols.definitions.iter().filter(|found| line <= found.line && found.line <= end_line);
        self.counter.add_body(body);
        self.counter.add(header, 1);
        self.counter.add(&symbols.scope_at(line), 1);
        self.counter.add_names(defined.map(|found| found.name.as_str()));
        let vector = self.embedder.counted(&mut self.counter.parts());
        let vector = vector.unwrap_or_else(|| self.embedder.document(body));
        Chunk {
            line,
            end_line,
            text: text_key(body),
            words: self.counter.take(),
            vector: vector.iter().any(|number| *number != 0.0).then_some(vector),
        }
    }
}

/// The words of a path: its folders, and its stem twice.
fn header(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    format!("{} {stem}", path.to_string_lossy())
}

/// Forgets every name in lines that hold keys; all names where the whole file does.
fn hide(symbols: &mut Symbols, hidden: &[Piece], is_whole: bool) {
    let is_seen = |line: u32| {
        !is_whole && !hidden.iter().any(|piece| number(piece.first + 1) <= line && line <= number(piece.end))
    };
    if is_whole {
        *symbols = Symbols::default();
        return;
    }
    // Places in the list of definitions are referred to, so that a definition loses its name and not its place.
    symbols.definitions.iter_mut().filter(|found| !is_seen(found.line)).for_each(|found| found.name.clear());
    symbols.references.retain(|found| is_seen(found.line));
    symbols.imports.retain(|found| is_seen(found.line));
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::embed::table::table;

    fn read(path: &str, text: &str) -> Document {
        Reader::new(table().unwrap()).unwrap().read(Path::new(path), text.as_bytes())
    }

    #[test]
    fn a_piece_with_a_key_leaves_no_trace_and_the_rest_stays() {
        let filler = "    let value = compute(value);\n".repeat(50);
        let key = ["AKIA", "QYZ2J7RLP4XW6TQA"].concat();
        let text =
            format!("fn open() {{\n{filler}}}\n\nfn hidden() {{ let leaked = \"{key}\"; sneak(leaked); {filler}}}\n");
        let document = read("src/a.rs", &text);
        assert!(document.n_secrets > 0);
        let all = format!("{document:?}").to_lowercase();
        for gone in [key.to_lowercase().as_str(), "hidden", "sneak", "leaked"] {
            assert!(!all.contains(gone), "{gone}");
        }
        assert!(document.symbols.definitions.iter().any(|definition| definition.name == "open"));
        assert!(!document.chunks.is_empty());
    }

    #[test]
    fn text_of_other_people_is_left_and_their_names_are_kept() {
        let document = read("vendor/x/a.go", "package a\n\nfunc Run() { stop() }\n");
        assert!(document.chunks.is_empty() && document.is_vendored);
        assert_eq!(document.symbols.definitions[0].name, "Run");
    }

    #[test]
    fn every_kind_of_text_becomes_pieces() {
        for (path, text) in
            [("notes.txt", "Some words."), ("a.md", "# Title\n\nWords.\n"), ("a.sql", "SELECT 1;"), ("a.rs", "fn (((")]
        {
            let document = read(path, text);
            assert_eq!(document.chunks.len(), 1, "{path}");
            assert!(!document.chunks[0].words.text.is_empty(), "{path}");
        }
        assert!(read("empty.py", "\n\n").chunks.is_empty());
        let mixed = Reader::new(table().unwrap()).unwrap().read(Path::new("a.c"), b"int caf\xe9(void) { return 1; }\n");
        assert_eq!(mixed.chunks.len(), 1, "other encodings are read as far as they go");
    }

    #[test]
    fn the_key_depends_on_path_and_content() {
        assert_ne!(key(Path::new("a"), b"bc"), key(Path::new("ab"), b"c"));
        assert_eq!(key(Path::new("a"), b"bc"), key(Path::new("a"), b"bc"));
    }
}
