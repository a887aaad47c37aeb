//! How fast is a question answered where there are half a million pieces?
//!
//! Nobody has such a project at hand, so its pieces are made up of the words of this repository's sources, in their places
//! and as often as there, and written through the tables of the index. Whoever asks for memory does so in a process of its own: see [`child`].

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use mimi::db::open::Db;
use mimi::index::document::{Chunk, Document};
use mimi::index::embed::Embedder as _;
use mimi::index::embed::table::table;
use mimi::index::engine::Index;
use mimi::index::search::Sides;
use mimi::index::search::route::Query;
use mimi::index::store::PLAN;
use mimi::index::store::packed::Packed;
use mimi::index::store::write::{Outcome, Stamp, Writer};
use mimi::index::token;
use mimi::index::vectors::{self, Choice, Store};
use mimi::index::words::Counter;

use crate::process::{Memory, memory, mib};
use crate::search::{QUESTIONS, ask, slow, sources};
use crate::{Measured, Unit, spread};

/// Pieces, and pieces of a file.
const N_PIECES: u64 = 500_000;
const PIECES_OF_FILE: u64 = 8;
/// Files written in one transaction.
const BATCH: u64 = 2500;
/// A piece is made of so many places of so many words.
const PLACES: usize = 12;
const WORDS: usize = 10;
/// The word by which this program knows that it is to be the child.
pub const CHILD: &str = "--ask-many";

/// Numbers that look random and are the same every time (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n.max(1)
    }
}

/// Half a million pieces, made once for all figures.
fn many() -> Result<&'static PathBuf, String> {
    static MANY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    MANY.get_or_init(|| make().map_err(|error| error.to_string())).as_ref().map_err(Clone::clone)
}

type Failed = Box<dyn std::error::Error>;

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Deletes what was made; nothing that is static is dropped by itself.
pub fn tidy_up() {
    if let Some(folder) = FOLDER.get() {
        drop(std::fs::remove_dir_all(folder));
    }
}

fn index(folder: &Path) -> Result<Index, Failed> {
    Ok(Index::of(&folder.join("cache"), &folder.join("work"))?)
}

fn make() -> Result<PathBuf, Failed> {
    let folder = tempfile::tempdir()?.keep();
    FOLDER.get_or_init(|| folder.clone());
    std::fs::create_dir_all(folder.join("work"))?;
    let index = index(&folder)?;
    let mut runs: Vec<String> = Vec::new();
    for (_, text) in sources()? {
        token::runs(&text, |run| runs.push(run.to_owned()));
    }
    let table = table()?;
    let root = index.place().root.to_string_lossy().into_owned();
    let mut db = Db::open(&index.place().database(), PLAN)?;
    let (mut numbers, mut counter) = (Numbers(7), Counter::default());
    for batch in 0..N_PIECES / PIECES_OF_FILE / BATCH {
        let documents: Vec<Document> =
            (0..BATCH).map(|_| document(&mut numbers, &mut counter, &runs)).collect::<Result<_, Failed>>()?;
        db.write(|work| {
            let kept = vectors::choose(work, (table.id(), table.dimensions()), Choice::Only(Store::Codes), 0)?;
            let mut writer = Writer::new(work)?;
            let tree = writer.tree(&root, 1)?;
            for (n, document) in (batch * BATCH..).zip(documents) {
                let mut key = [0; 16];
                key[..8].copy_from_slice(&n.to_le_bytes());
                let blob = writer.put(&key, document, &Packed::default())?;
                let path = format!("part{}/file{n}.rs", n % 500);
                writer.set_file(tree, &path, Stamp { value: 0, is_racy: false }, Outcome::Blob(blob))?;
            }
            writer.finish(&kept)
        })?;
    }
    db.write(mimi::index::store::frequent::count)?;
    Ok(folder)
}

fn document(numbers: &mut Numbers, counter: &mut Counter, runs: &[String]) -> Result<Document, Failed> {
    let table = table()?;
    let mut document = Document { language: "rust", bytes: 12_000, ..Document::default() };
    for n in 0..PIECES_OF_FILE {
        let mut words: Vec<&str> = Vec::new();
        for _ in 0..PLACES {
            let at = numbers.below(runs.len() - WORDS);
            words.extend(runs[at..at + WORDS].iter().map(String::as_str));
        }
        counter.add_body(&words.join(" "));
        let vector = table.counted(&mut counter.parts());
        let mut text = [0; 16];
        text[..8].copy_from_slice(&numbers.next().to_le_bytes());
        let line = n as u32 * 40 + 1;
        document.chunks.push(Chunk { line, end_line: line + 39, text, words: counter.take(), vector });
    }
    Ok(document)
}

/// Measures questions alone, within a process.
pub fn query() -> Result<Measured, String> {
    let index = index(many()?).map_err(|error| error.to_string())?;
    spread(ask(&index)?, Unit::Milliseconds)
}

/// As [`query`]: the time 95 of 100 questions stay below.
pub fn query_slow() -> Result<Measured, String> {
    let index = index(many()?).map_err(|error| error.to_string())?;
    slow(ask(&index)?)
}

/// Measures the most memory a process holds that asks every question once.
pub fn peak() -> Result<Measured, String> {
    let folder = many()?;
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(own).arg(CHILD).arg(folder).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let bytes: u64 = said.trim().parse().map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(Measured { value: mib(bytes), detail: format!("{} questions", QUESTIONS.len()) })
}

/// Is the child: asks every question once and says the most memory it held, in bytes.
pub fn child(folder: &Path) -> Result<(), String> {
    let index = index(folder).map_err(|error| error.to_string())?;
    for question in QUESTIONS {
        index.search(&Query::parse(question), 8, Sides::All).map_err(|error| error.to_string())?;
    }
    println!("{}", memory(std::process::id(), Memory::Peak).ok_or("the kernel does not say")?);
    Ok(())
}
