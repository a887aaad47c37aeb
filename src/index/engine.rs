//! How is the index of a project used as a whole?
//!
//! [`Index::settle`] brings it up to date, [`Index::search`] asks it. Both do what they can: when another process writes, the
//! disk is full or the time is out, the answer comes from what is there, and [`Settled::notes`] says so once.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use crate::base::text::count;
use crate::db::error::DbError;
use crate::db::open::Db;
use crate::db::work::Work;
use crate::index::ask::Covered;
use crate::index::embed::Embedder as _;
use crate::index::embed::server::Server;
use crate::index::embed::table::{self, Table};
use crate::index::error::IndexError;
use crate::index::files::Passed;
use crate::index::place::{Elected, Place};
use crate::index::scan::{self, Scan};
use crate::index::search::route::Query;
use crate::index::search::{Hit, Sides};
use crate::index::store::read::{self, Known};
use crate::index::store::write::{Writer, number};
use crate::index::store::{CONTENT_VERSION, PLAN};
use crate::index::update::{self, Limits, Progress, Updated};
use crate::index::vectors::kept;
use crate::index::vectors::{self, Choice};

/// How long a search waits for another process that is just writing what it needs.
const PATIENCE: Duration = Duration::from_millis(150);

/// The index of one project.
pub struct Index {
    place: Place,
    pub(super) embedder: &'static Table,
    pub(super) vectors: Choice,
    pub(super) server: Option<Arc<dyn Server>>,
    /// Whether the database is that of a newer mimi, and this one keeps its own beside it.
    is_beside: AtomicBool,
}

/// How the index is brought up to date.
pub struct Settling<'s> {
    /// When to stop and answer with what is there.
    pub deadline: Option<Instant>,
    /// How long to wait for another writer.
    pub patience: Duration,
    /// Is told how far it is.
    pub progress: &'s dyn Fn(Progress),
}

impl Settling<'_> {
    /// As for a search by a person: no limit in time, no wait for others.
    pub const PLAIN: Settling<'static> = Settling { deadline: None, patience: PATIENCE, progress: &|_| {} };
}

/// What came of bringing it up to date.
#[derive(Debug, Default)]
pub struct Settled {
    /// What was done.
    pub updated: Updated,
    /// What the user should know, each once.
    pub notes: Vec<String>,
}

/// What is in the index.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The database.
    pub database: PathBuf,
    /// Its size with its log.
    pub bytes: u64,
    /// Files of this work tree with a document.
    pub n_files: u64,
    /// Files passed over, by the reason.
    pub passed: BTreeMap<String, u64>,
    /// Bytes of the documents of this work tree.
    pub source_bytes: u64,
    /// Pieces of this work tree.
    pub n_chunks: u64,
    /// Definitions of this work tree.
    pub n_definitions: u64,
    /// Pieces of this work tree left out because of keys.
    pub n_secrets: u64,
    /// Files by language.
    pub languages: BTreeMap<String, u64>,
    /// Documents of all work trees, and pieces of all.
    pub n_documents: u64,
    /// Pieces of all work trees.
    pub n_all_chunks: u64,
    /// Vectors by embedder.
    pub vectors: BTreeMap<String, u64>,
    /// Where they are, and of how much of this work tree.
    pub embedders: Vec<Covered>,
    /// Roots of the work trees that share it.
    pub trees: Vec<String>,
}

impl Index {
    /// Finds the index of the project at `root` below the cache folder; opens nothing yet.
    pub fn of(cache: &Path, root: &Path) -> Result<Self, IndexError> {
        let (place, embedder) = (Place::of(cache, root)?, table::table()?);
        Ok(Self { place, embedder, vectors: Choice::Keep, server: None, is_beside: AtomicBool::new(false) })
    }

    /// Says where vectors are to be kept; else they stay where they are.
    pub fn keeping_vectors(self, vectors: Choice) -> Self {
        Self { vectors, ..self }
    }

    /// Lets a model on a server take part.
    pub fn served_by(self, server: Arc<dyn Server>) -> Self {
        Self { server: Some(server), ..self }
    }

    /// Returns where it lies.
    pub fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn root(&self) -> String {
        self.place.root.to_string_lossy().into_owned()
    }

    /// Returns the database this mimi uses.
    fn database(&self) -> PathBuf {
        if self.is_beside.load(Ordering::Relaxed) {
            self.place.database_of(CONTENT_VERSION)
        } else {
            self.place.database()
        }
    }

    /// Does something with the database; where that is of a newer mimi, which is left alone, with one beside it.
    fn or_beside<T>(&self, work: impl Fn() -> Result<T, IndexError>) -> Result<T, IndexError> {
        match work() {
            Err(IndexError::Newer { .. }) if !self.is_beside.swap(true, Ordering::Relaxed) => work(),
            done => done,
        }
    }

    /// Opens the database to read; none when there is none yet, or an older one that is to be built anew.
    pub(super) fn reader(&self) -> Result<Option<Db>, IndexError> {
        self.or_beside(|| self.opened())
    }

    fn opened(&self) -> Result<Option<Db>, IndexError> {
        let path = self.database();
        if !path.exists() {
            return Ok(None);
        }
        let mut db = match Db::open_to_read(&path, PLAN) {
            // Another process is just building it anew.
            Err(DbError::Open { .. }) if !path.exists() => return Ok(None),
            opened => opened?,
        };
        if db.is_bare()? {
            return Ok(None);
        }
        db.know_vectors()?;
        match db.read(|work| number(work, "content"))? {
            CONTENT_VERSION => Ok(Some(db)),
            found if found > CONTENT_VERSION => Err(IndexError::Newer { path }),
            _ => Ok(None),
        }
    }

    /// Opens the database to write; a damaged or older one is built anew, which the note says.
    pub(super) fn writer(&self, _elected: &Elected, notes: &mut Vec<String>) -> Result<Db, IndexError> {
        // A newer one is noticed before anything of it is changed.
        drop(self.reader());
        let path = self.database();
        if self.is_beside.load(Ordering::Relaxed) && !path.exists() {
            notes.push("the index was made by a newer mimi; this one makes its own beside it".to_owned());
        }
        let mut db = Db::open(&path, PLAN)?;
        db.know_vectors()?;
        notes.extend(db.take_note());
        let content = db.read(|work| number(work, "content"))?;
        if content > CONTENT_VERSION {
            return Err(IndexError::Newer { path });
        }
        if content < CONTENT_VERSION {
            drop(db);
            self.delete()?;
            notes.push("the index was made by an older mimi and is built anew".to_owned());
            db = Db::open(&path, PLAN)?;
            db.know_vectors()?;
        }
        Ok(db)
    }

    fn delete(&self) -> Result<(), IndexError> {
        let path = self.database();
        for ending in ["-wal", "-shm", "-journal", ""] {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            let removed = crate::base::path::remove_file(Path::new(&name));
            if let Err(source) = removed
                && source.kind() != std::io::ErrorKind::NotFound
            {
                return Err(DbError::Make { path, source }.into());
            }
        }
        Ok(())
    }

    /// Finds out what changed, and brings the index up to date if this process can be the writer.
    pub fn settle(&self, settling: &Settling<'_>) -> Result<Settled, IndexError> {
        let mut settled = Settled::default();
        let known = match self.known() {
            Err(error) if error.is_corrupt() => Known::default(),
            known => known?,
        };
        let scan = scan::scan(&self.place.root, &known, SystemTime::now());
        if scan.is_empty() && known.tree.is_some() {
            self.place.note_use();
            return Ok(settled);
        }
        let Some(elected) = self.place.elect(settling.patience)? else {
            let n = scan.changed.len() + scan.gone.len();
            settled
                .notes
                .push(format!("another mimi is writing the index; {} may be shown as before", count(n, "file")));
            settled.updated.n_left = n;
            return Ok(settled);
        };
        match self.catch_up(&elected, &known, scan, settling, &mut settled.notes) {
            Ok(updated) => settled.updated = updated,
            Err(error) if error.is_full() => {
                settled
                    .notes
                    .push(format!("{}; the index is as before", crate::base::fault::Fault::from(error).line()));
            }
            Err(error) if error.is_corrupt() => {
                self.delete()?;
                settled.notes.push("the index was damaged and is built anew".to_owned());
                let known = Known::default();
                let scan = scan::scan(&self.place.root, &known, SystemTime::now());
                settled.updated = self.catch_up(&elected, &known, scan, settling, &mut settled.notes)?;
            }
            Err(error) => return Err(error),
        }
        self.place.note_use();
        if settled.updated.n_left > 0 {
            settled.notes.push(format!("{} not looked at yet", count(settled.updated.n_left, "changed file")));
        }
        if settled.updated.n_unreadable > 0 {
            settled.notes.push(format!("{} cannot be read", count(settled.updated.n_unreadable, "file or folder")));
        }
        if settled.updated.n_restless > 0 {
            let n = count(settled.updated.n_restless, "file");
            settled.notes.push(format!("{n} changed while being read; the next search looks again"));
        }
        Ok(settled)
    }

    fn known(&self) -> Result<Known, IndexError> {
        match self.reader()? {
            Some(mut db) => db.read(|work| read::known(work, &self.root())),
            None => Ok(Known::default()),
        }
    }

    fn catch_up(
        &self,
        elected: &Elected,
        known: &Known,
        scan: Scan,
        settling: &Settling<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Updated, IndexError> {
        let mut db = self.writer(elected, notes)?;
        let now = db.read(|work| read::tree(work, &self.root()))?;
        let is_as_scanned = now.map_or(known.tree.is_none(), |(tree, generation)| {
            known.tree == Some(tree) && known.generation == generation
        });
        // Another process wrote in between.
        let scan = if is_as_scanned {
            scan
        } else {
            let known = db.read(|work| read::known(work, &self.root()))?;
            scan::scan(&self.place.root, &known, SystemTime::now())
        };
        let limits = Limits { deadline: settling.deadline, progress: settling.progress, vectors: self.vectors };
        update::update(&mut db, &self.place.root, &scan, self.embedder, &limits)
    }

    /// Searches what is in the index.
    pub fn search(&self, query: &Query, limit: usize, sides: Sides) -> Result<Vec<Hit>, IndexError> {
        Ok(self.ask(query, limit, sides)?.hits)
    }

    /// Reads the tables within one transaction, given the number of the work tree; `none` when it was never indexed.
    pub fn read_tree<T>(
        &self,
        none: T,
        read: impl FnOnce(&Work<'_>, u64) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        let Some(mut db) = self.reader()? else { return Ok(none) };
        db.read(|work| match read::tree(work, &self.root())? {
            Some((tree, _)) => read(work, tree),
            None => Ok(none),
        })
    }

    /// Deletes the index, so that the next settling builds it anew.
    pub fn forget(&self) -> Result<(), IndexError> {
        let _elected = self.place.elect(Duration::ZERO)?.ok_or(IndexError::Writing)?;
        // That of a newer mimi is not this one's to delete; a damaged one is.
        drop(self.reader());
        self.delete()
    }

    /// Forgets work trees that are gone and documents no file has, gives their room back to the disk, and then deletes
    /// the indexes used longest ago while all together are larger than `max_bytes`. Returns documents and indexes forgotten.
    pub fn prune(&self, max_bytes: u64) -> Result<(usize, usize), IndexError> {
        let elected = self.place.elect(Duration::ZERO)?.ok_or(IndexError::Writing)?;
        if self.reader()?.is_none() {
            return Ok((0, self.place.make_room(max_bytes)));
        }
        let mut db = self.writer(&elected, &mut Vec::new())?;
        let dimensions = self.embedder.dimensions();
        let n_forgotten = db.write(|work| {
            for (tree, root) in work.rows("SELECT id, root FROM tree", &[], |row| Ok((row.count(0)?, row.text(1)?)))? {
                if !Path::new(&root).is_dir() {
                    for sql in [
                        "DELETE FROM file WHERE tree = ?1",
                        "DELETE FROM folder WHERE tree = ?1",
                        "DELETE FROM tree WHERE id = ?1",
                    ] {
                        work.run(sql, &[tree.into()])?;
                    }
                }
            }
            let strays = update::strays(work, 0)?;
            let kept = vectors::choose(work, (self.embedder.id(), dimensions), self.vectors, 0)?;
            let mut writer = Writer::new(work)?;
            writer.remove_blobs(&strays)?;
            writer.remove_stray_texts()?;
            writer.finish(&kept)?;
            Ok::<_, IndexError>(strays.len())
        })?;
        // Readers that are under way keep the room for now.
        drop(db.shrink());
        drop(db);
        Ok((n_forgotten, self.place.make_room(max_bytes)))
    }

    /// Looks through the whole database; returns what is wrong with it, nothing when all is well.
    pub fn verify(&self) -> Result<Vec<String>, IndexError> {
        let Some(mut db) = self.reader()? else { return Ok(vec!["there is no index yet".to_owned()]) };
        let mut wrong = db.check()?;
        let checks = [
            ("pieces without a document", "SELECT count(*) FROM chunk WHERE blob NOT IN (SELECT id FROM blob)"),
            (
                "files whose document is missing",
                "SELECT count(*) FROM file WHERE blob IS NOT NULL AND blob NOT IN (SELECT id FROM blob)",
            ),
            ("pieces whose text is unknown", "SELECT count(*) FROM chunk WHERE text NOT IN (SELECT id FROM text)"),
            ("definitions without a document", "SELECT count(*) FROM defined WHERE blob NOT IN (SELECT id FROM blob)"),
        ];
        for (what, sql) in checks {
            let n = db.read(|work| work.first(sql, &[], |row| row.count(0)))?.unwrap_or_default();
            if n > 0 {
                wrong.push(format!("{n} {what}"));
            }
        }
        let n = db.read(stray_vectors)?;
        if n > 0 {
            wrong.push(format!("{n} vectors without a text"));
        }
        Ok(wrong)
    }

    /// Says what is in the index; none when there is none yet.
    pub fn status(&self) -> Result<Option<Status>, IndexError> {
        let Some(mut db) = self.reader()? else { return Ok(None) };
        let root = self.root();
        let size = |ending: &str| {
            PathBuf::from(format!("{}{ending}", self.database().display())).metadata().map_or(0, |meta| meta.len())
        };
        let bytes = size("") + size("-wal");
        let database = self.database();
        db.read(|work| {
            let Some((tree, _)) = read::tree(work, &root)? else { return Ok(None) };
            let count = |sql: &str| work.first(sql, &[tree.into()], |row| row.count(0)).map(Option::unwrap_or_default);
            let pairs = |sql: &str| {
                work.rows(sql, &[tree.into()], |row| Ok((row.text(0)?, row.count(1)?))).map(BTreeMap::from_iter)
            };
            let of_tree = "FROM file f JOIN blob b ON b.id = f.blob WHERE f.tree = ?1";
            let sql = "SELECT passed, count(*) FROM file WHERE tree = ?1 AND passed IS NOT NULL GROUP BY passed";
            let passed = work.rows(sql, &[tree.into()], |row| Ok((row.count(0)?, row.count(1)?)))?;
            let why = |number: u64| Passed::of_number(number).map_or("unknown", Passed::word).to_owned();
            let embedders = self.covered(work, tree)?;
            Ok(Some(Status {
                database,
                bytes,
                n_files: count(&format!("SELECT count(*) {of_tree}"))?,
                passed: passed.into_iter().map(|(number, n)| (why(number), n)).collect(),
                source_bytes: count(&format!("SELECT coalesce(sum(b.bytes), 0) {of_tree}"))?,
                n_chunks: count(&format!("SELECT coalesce(sum(b.n_chunks), 0) {of_tree}"))?,
                n_definitions: count(&format!("SELECT coalesce(sum(b.n_definitions), 0) {of_tree}"))?,
                n_secrets: count(&format!("SELECT coalesce(sum(b.n_secrets), 0) {of_tree}"))?,
                languages: pairs(&format!(
                    "SELECT iif(b.language = '', 'text', b.language), count(*) {of_tree} GROUP BY 1"
                ))?,
                n_documents: count("SELECT count(*) FROM blob WHERE ?1 = ?1")?,
                n_all_chunks: count("SELECT count(*) FROM chunk WHERE ?1 = ?1")?,
                vectors: embedders.iter().map(|own| (own.embedder.clone(), own.n_vectors)).collect(),
                embedders,
                trees: work.rows("SELECT root FROM tree ORDER BY root", &[], |row| row.text(0))?,
            }))
        })
    }
}

/// Counts vectors of texts that are no longer there.
fn stray_vectors(work: &Work<'_>) -> Result<usize, IndexError> {
    let texts: HashSet<u64> = work.rows("SELECT id FROM text", &[], |row| row.count(0))?.into_iter().collect();
    let mut n = 0;
    for embedder in kept::all(work)? {
        vectors::open(work, &embedder).each(&mut |entry| n += usize::from(!texts.contains(&entry.text)))?;
    }
    Ok(n)
}
