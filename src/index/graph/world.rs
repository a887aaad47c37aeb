//! What of the project is at hand while names are followed?
//!
//! The tables of one work tree, the paths of its files, and what its files say, each read once. Reads are bounded: whoever
//! follows too much is told so by [`World::is_tired`].

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::base::path::open_regular;
use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::files;
use crate::index::graph::facts::{self, Facts};
use crate::index::graph::modules::Modules;
use crate::index::language::{self, Kind};
use crate::index::store::names::{self, File};

/// Files read for one question; at a millisecond each a few seconds.
const MAX_FILES: usize = 4000;
/// Definitions of one name that are looked at.
const MAX_SAME: u64 = 500;

/// A definition: its file and its number there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Def {
    /// The file, by its path below the root.
    pub path: Rc<str>,
    /// Its place among the definitions of the file.
    pub number: u32,
}

/// A definition of a name, as the tables have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Which.
    pub def: Def,
    /// What it is.
    pub kind: Kind,
    /// Whether it stands at the top of its file.
    pub is_top: bool,
}

/// A file and what it says.
#[derive(Clone)]
pub struct At {
    /// The file.
    pub path: Rc<str>,
    /// Its language.
    pub language: &'static str,
    /// What it says.
    pub facts: Rc<Facts>,
}

impl At {
    /// Returns the kind of one of its definitions.
    pub fn kind(&self, number: u32) -> Kind {
        self.facts.definitions.get(number as usize).map_or(Kind::Heading, |found| found.kind)
    }

    /// Returns the definition around one of its definitions.
    pub fn parent(&self, number: u32) -> Option<u32> {
        self.facts.definitions.get(number as usize)?.parent
    }

    /// Returns the name of one of its definitions.
    pub fn name(&self, number: u32) -> &str {
        self.facts.definitions.get(number as usize).map_or("", |found| found.name.as_str())
    }

    /// Names one of its definitions.
    pub fn def(&self, number: u32) -> Def {
        Def { path: self.path.clone(), number }
    }
}

/// What is at hand.
pub struct World<'w> {
    /// The transaction.
    pub work: &'w Work<'w>,
    /// The work tree.
    pub tree: u64,
    /// The paths.
    pub modules: Modules,
    root: PathBuf,
    files: HashMap<String, File>,
    facts: RefCell<HashMap<Rc<str>, Option<At>>>,
    named: RefCell<HashMap<String, Rc<Vec<Named>>>>,
    n_read: Cell<usize>,
    trouble: RefCell<Option<IndexError>>,
}

impl<'w> World<'w> {
    /// Opens the world of a work tree.
    pub fn new(work: &'w Work<'w>, tree: u64, root: &Path) -> Result<Self, IndexError> {
        let files: HashMap<String, File> =
            names::files(work, tree)?.into_iter().map(|file| (file.path.clone(), file)).collect();
        Ok(Self {
            work,
            tree,
            modules: Modules::new(root, files.keys().cloned()),
            root: root.to_path_buf(),
            files,
            facts: RefCell::default(),
            named: RefCell::default(),
            n_read: Cell::new(0),
            trouble: RefCell::new(None),
        })
    }

    /// Returns what is known of a file.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Returns all paths with a document.
    pub fn paths(&self) -> impl Iterator<Item = &String> {
        self.files.keys()
    }

    /// Says whether so much was read that whoever asks had better stop.
    pub fn is_tired(&self) -> bool {
        self.n_read.get() >= MAX_FILES
    }

    /// Gives back what went wrong with the tables on the way.
    pub fn take_trouble(&self) -> Option<IndexError> {
        self.trouble.borrow_mut().take()
    }

    /// Returns what a file says; none when it has no grammar, cannot be read, or too much was read already.
    pub fn at(&self, path: &str) -> Option<At> {
        if let Some(known) = self.facts.borrow().get(path) {
            return known.clone();
        }
        let read = if self.is_tired() { None } else { self.read(path) };
        self.facts.borrow_mut().insert(path.into(), read.clone());
        read
    }

    fn read(&self, path: &str) -> Option<At> {
        let language = language::named(&self.files.get(path)?.language)?;
        self.n_read.set(self.n_read.get() + 1);
        let (file, meta) = open_regular(&self.root.join(path)).ok()?;
        let max_bytes = files::table().ok()?.max_bytes;
        let mut text = Vec::new();
        file.take(max_bytes).read_to_end(&mut text).ok().filter(|_| meta.len() <= max_bytes)?;
        // As when it was indexed: bytes that are no text are replaced, so that definitions have the same numbers.
        let text = String::from_utf8_lossy(&text);
        let facts = facts::read(language, text.as_bytes())?;
        Some(At { path: path.into(), language: language.name(), facts: Rc::new(facts) })
    }

    /// Returns the definitions of exactly this name in files of the same family of languages.
    pub fn named(&self, name: &str, family: &str) -> Vec<Named> {
        let known = self.named.borrow().get(name).cloned();
        let all = known.unwrap_or_else(|| {
            let rows = names::named(self.work, self.tree, name, MAX_SAME).unwrap_or_else(|error| {
                self.trouble.borrow_mut().get_or_insert(error);
                Vec::new()
            });
            let one = |(row, path): (names::Known, String)| Named {
                def: Def { path: path.into(), number: row.number },
                kind: row.kind,
                is_top: row.parent.is_none(),
            };
            let all: Rc<Vec<Named>> = Rc::new(rows.into_iter().map(one).collect());
            self.named.borrow_mut().insert(name.to_owned(), all.clone());
            all
        });
        let fits = |found: &&Named| {
            self.files.get(&*found.def.path).is_some_and(|file| self::family(&file.language) == family)
        };
        all.iter().filter(fits).cloned().collect()
    }
}

/// Returns the name languages share whose files use each other's names.
pub fn family(language: &str) -> &str {
    match language {
        "javascript" | "typescript" | "tsx" => "script",
        "c" | "cpp" => "c",
        "java" | "kotlin" | "scala" => "jvm",
        other => other,
    }
}
