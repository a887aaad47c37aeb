//! How does a database come to be open, private and of the right version, whatever lies in its place?
//!
//! A file of a newer mimi is refused and left as it is. A damaged one is deleted or set aside, as its plan says. No
//! descriptor of an existing database is opened and closed here: closing any drops SQLite's locks of the whole process.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::base::path::{PRIVATE_FILE, create_private, create_private_dir, set_mode};
use crate::base::text::visible;
use crate::db::error::DbError;
use crate::db::place::{self, Journal};
use crate::db::vec0;
use crate::db::work::Work;

/// The log is cut back to this after it has been carried over, so that one long transaction leaves no large file.
const LOG_BYTES: u64 = 16 << 20;
/// Pause between two tries of what SQLite does not wait for by itself.
const PAUSE: Duration = Duration::from_millis(5);
/// Statements kept prepared: more than any one kind of work takes turns with.
const STATEMENTS: usize = 64;
/// Endings of the files SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Creating a file takes a descriptor that is closed again; no thread of this process may open it meanwhile.
static CREATING: Mutex<()> = Mutex::new(());

/// What becomes of a damaged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damaged {
    /// It is deleted: all in it can be made again.
    Delete,
    /// It is renamed and kept: nothing else holds what is in it.
    SetAside,
}

/// What a database is opened by.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What it is, for messages: `response cache`.
    pub what: &'static str,
    /// The statements that lead from each version to the next; a new file is of version 0. Only ever added to.
    pub migrations: &'static [&'static str],
    /// What becomes of a damaged file.
    pub damaged: Damaged,
    /// How long to wait for other processes, at each step.
    pub patience: Duration,
    /// Bytes of a page of a file that is made anew; a power of two from 512 to 65536.
    pub page_bytes: u32,
}

/// An open database. One thread uses it at a time.
pub struct Db {
    connection: Connection,
    path: PathBuf,
    plan: Plan,
    /// Device and number of the file, to notice that another process put a new one in its place.
    identity: Option<(u64, u64)>,
    note: Option<String>,
}

impl Db {
    /// Opens a file, making it and its folder when missing. A damaged one is replaced, which [`Db::take_note`] says.
    pub fn open(path: &Path, plan: Plan) -> Result<Self, DbError> {
        let before = identity(path);
        match Self::open_sound(path, plan, None) {
            Err(error) if error.is_corrupt() => {
                let note = replace(path, plan, before)?;
                let db = Self::open_sound(path, plan, None)?;
                Ok(Self { note, ..db })
            }
            opened => opened,
        }
    }

    /// As [`Db::open`], with the journal of a network file system.
    pub fn open_as_shared(path: &Path, plan: Plan) -> Result<Self, DbError> {
        Self::open_sound(path, plan, Some(Journal::Rollback))
    }

    /// Opens an existing file and changes nothing, so that it works also where nothing can be written. It is not brought to
    /// the newest version either.
    pub fn open_to_read(path: &Path, plan: Plan) -> Result<Self, DbError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let open = |how| connect(&uri(path, how), path, plan, flags).and_then(|opened| is_readable(opened, path));
        let connection = match open("mode=ro") {
            // A log needs a file of shared memory beside it. Where none can be made nobody writes, and none is needed. But
            // one who is only in the way does write, and whoever reads past his locks finds halves of what he wrote.
            Err(error) if !error.is_busy() && !error.is_corrupt() => open("immutable=1")?,
            opened => opened?,
        };
        let db = Self { connection, path: path.to_path_buf(), plan, identity: identity(path), note: None };
        db.check_version()?;
        Ok(db)
    }

    fn open_sound(path: &Path, plan: Plan, journal: Option<Journal>) -> Result<Self, DbError> {
        create(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(path, path, plan, flags)?;
        let mut db = Self { connection, path: path.to_path_buf(), plan, identity: identity(path), note: None };
        let version = db.check_version()?;
        // Of no effect on a file that has pages already.
        db.batch(&format!("PRAGMA page_size = {}", plan.page_bytes))?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        db.set_journal(journal.unwrap_or_else(|| place::journal(folder)))?;
        if version < plan.migrations.len() {
            db.migrate()?;
        }
        Ok(db)
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns, once, what the user should know about how it was opened.
    pub fn take_note(&mut self) -> Option<String> {
        self.note.take()
    }

    /// Reads: all statements see the same state.
    pub fn read<T, E: From<DbError>>(&mut self, work: impl FnOnce(&Work<'_>) -> Result<T, E>) -> Result<T, E> {
        self.transact(TransactionBehavior::Deferred, work)
    }

    /// Writes: all or nothing. Keep it short: other processes wait meanwhile.
    pub fn write<T, E: From<DbError>>(&mut self, work: impl FnOnce(&Work<'_>) -> Result<T, E>) -> Result<T, E> {
        // A transaction that begins by reading and then writes would fail at once when another process wrote in between.
        self.transact(TransactionBehavior::Immediate, work)
    }

    fn transact<T, E: From<DbError>>(
        &mut self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Work<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (path, plan) = (&self.path, self.plan);
        let wrap = |error| DbError::of(path, error);
        let is_writing = matches!(behavior, TransactionBehavior::Immediate);
        let transaction = self.connection.transaction_with_behavior(behavior).map_err(wrap)?;
        let done = work(&Work { connection: &transaction, path, plan, is_writing })?;
        transaction.commit().map_err(wrap)?;
        Ok(done)
    }

    /// Replaces the file after an error that [`DbError::is_corrupt`], unless another process has done so meanwhile.
    pub fn mend(self) -> Result<Self, DbError> {
        let Self { connection, path, plan, identity, .. } = self;
        drop(connection);
        let note = replace(&path, plan, identity)?;
        let db = Self::open(&path, plan)?;
        Ok(Self { note: note.or(db.note), ..db })
    }

    /// Gives the room of deleted rows back to the disk. Fails when others use the file, which does no harm.
    pub fn shrink(&mut self) -> Result<(), DbError> {
        self.batch("VACUUM")?;
        self.pragma("wal_checkpoint(TRUNCATE)").map(drop)
    }

    /// Bounds the file, in pages; writes beyond fail like on a full disk.
    pub fn bound(&self, pages: u32) -> Result<(), DbError> {
        self.pragma(&format!("max_page_count = {pages}")).map(drop)
    }

    /// Carries the log over into the file and empties it, when it has grown beyond `limit_bytes`. Readers that are under way
    /// are waited for no longer than the plan's patience; then it is left for later.
    pub fn trim_log(&self, limit_bytes: u64) -> Result<(), DbError> {
        let size = with_ending(&self.path, "-wal").metadata().map_or(0, |meta| meta.len());
        if size <= limit_bytes {
            return Ok(());
        }
        self.pragma("wal_checkpoint(TRUNCATE)")
    }

    /// Lets this connection use tables of vectors (`vec0`).
    pub fn know_vectors(&self) -> Result<(), DbError> {
        vec0::load(&self.connection).map_err(|error| self.error(error))
    }

    /// Holds so many bytes of pages in memory while this connection is open.
    pub fn hold(&self, cache_bytes: u64) -> Result<(), DbError> {
        self.batch(&format!("PRAGMA cache_size = -{}", cache_bytes / 1024))
    }

    /// Has SQLite look through the whole file; returns what it finds wrong with it, at most a few lines.
    pub fn check(&self) -> Result<Vec<String>, DbError> {
        let wrap = |error| self.error(error);
        let mut statement = self.connection.prepare("PRAGMA integrity_check(10)").map_err(wrap)?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0)).map_err(wrap)?;
        let lines: Vec<String> = lines.collect::<Result<_, _>>().map_err(wrap)?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    /// Says whether it has no tables yet, because another process is just making it.
    pub fn is_bare(&self) -> Result<bool, DbError> {
        Ok(self.version()? == 0)
    }

    /// Reads the version and refuses one this mimi does not know.
    fn check_version(&self) -> Result<usize, DbError> {
        let (known, found) = (self.plan.migrations.len(), self.version()?);
        match usize::try_from(found) {
            Ok(version) if version <= known => Ok(version),
            _ => Err(DbError::Newer { path: self.path.clone(), found, known: known as i64 }),
        }
    }

    fn version(&self) -> Result<i64, DbError> {
        self.connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|error| self.error(error))
    }

    fn migrate(&mut self) -> Result<(), DbError> {
        let (path, plan) = (self.path.clone(), self.plan);
        let wrap = |error| DbError::of(&path, error);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrap)?;
        // Another process may have done some or all of it while this one waited.
        let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(wrap)?;
        for sql in plan.migrations.iter().skip(usize::try_from(version).unwrap_or_default()) {
            transaction.execute_batch(sql).map_err(wrap)?;
        }
        let newest = version.max(plan.migrations.len() as i64);
        transaction.pragma_update(None, "user_version", newest).map_err(wrap)?;
        transaction.commit().map_err(wrap)
    }

    /// Changing the journal needs the file alone, and SQLite does not wait for that by itself.
    fn set_journal(&self, journal: Journal) -> Result<(), DbError> {
        let (mode, sync) = match journal {
            // A power cut may cost the last transactions, never the file.
            Journal::Wal => ("wal", "normal"),
            Journal::Rollback => ("truncate", "full"),
        };
        let deadline = Instant::now() + self.plan.patience;
        while let Err(error) = self.pragma(&format!("journal_mode = {mode}")) {
            if !matches!(error, DbError::Busy { .. }) || Instant::now() >= deadline {
                return Err(error);
            }
            std::thread::sleep(PAUSE);
        }
        self.pragma(&format!("journal_size_limit = {LOG_BYTES}"))?;
        self.batch(&format!("PRAGMA synchronous = {sync}"))
    }

    /// Runs a pragma that answers with a row.
    fn pragma(&self, text: &str) -> Result<(), DbError> {
        self.connection.query_row(&format!("PRAGMA {text}"), [], |_| Ok(())).map_err(|error| self.error(error))
    }

    fn batch(&self, sql: &str) -> Result<(), DbError> {
        self.connection.execute_batch(sql).map_err(|error| self.error(error))
    }

    fn error(&self, error: rusqlite::Error) -> DbError {
        DbError::of(&self.path, error)
    }
}

fn connect(name: &Path, path: &Path, plan: Plan, flags: OpenFlags) -> Result<Connection, DbError> {
    let wrap = |error| DbError::of(path, error);
    let connection = Connection::open_with_flags(name, flags).map_err(wrap)?;
    connection.busy_timeout(plan.patience).map_err(wrap)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else a statement may be prepared anew with every new value, which takes longer than most of ours run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(wrap)?;
    Ok(connection)
}

/// SQLite opens a file when it first reads it.
fn is_readable(connection: Connection, path: &Path) -> Result<Connection, DbError> {
    let read = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    read.map(|()| connection).map_err(|error| DbError::of(path, error))
}

/// Returns a path as an address with an option; all but the plainest characters are written as numbers.
fn uri(path: &Path, option: &str) -> PathBuf {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let bytes = path.as_os_str().as_encoded_bytes();
    let text: String = bytes
        .iter()
        .map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02x}") })
        .collect();
    PathBuf::from(format!("file:{text}?{option}"))
}

/// Makes folder and file, private from the start: SQLite would take the umask's mode, and gives the files beside it the
/// mode of this one.
fn create(path: &Path) -> Result<(), DbError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    create_private_dir(folder).map_err(|source| {
        // "File exists" would not say what is wrong with it.
        let is_file = folder.exists() && !folder.is_dir();
        let source = if is_file { std::io::ErrorKind::NotADirectory.into() } else { source };
        DbError::Make { path: folder.to_path_buf(), source }
    })?;
    let _guard = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    match path.metadata() {
        Ok(meta) if meta.is_file() && meta.permissions().mode() & 0o077 != 0 => {
            // Somebody else's file keeps its mode; whether it can be written is seen soon enough.
            drop(set_mode(path, PRIVATE_FILE));
            Ok(())
        }
        // Opening a pipe would wait for ever.
        Ok(meta) if !meta.is_file() => {
            let source = std::io::Error::other("something that is no regular file lies in its place");
            Err(DbError::Make { path: path.to_path_buf(), source })
        }
        Ok(_) => Ok(()),
        Err(_) => match create_private(path) {
            Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(DbError::Make { path: path.to_path_buf(), source })
            }
            _ => Ok(()),
        },
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|meta| (meta.dev(), meta.ino()))
}

/// Takes a damaged file away and says so. Does nothing when it is no longer the one that was found damaged.
fn replace(path: &Path, plan: Plan, damaged: Option<(u64, u64)>) -> Result<Option<String>, DbError> {
    if identity(path) != damaged {
        return Ok(None);
    }
    let failed = |source| DbError::Make { path: path.to_path_buf(), source };
    let shown = visible(&path.display().to_string()).into_owned();
    match plan.damaged {
        Damaged::Delete => {
            BESIDE.iter().for_each(|ending| drop(std::fs::remove_file(with_ending(path, ending))));
            std::fs::remove_file(path).map_err(failed)?;
            Ok(Some(format!("the {} was damaged and is built anew: {shown}", plan.what)))
        }
        Damaged::SetAside => {
            let aside = free_name(path);
            // The log first: what it holds belongs to the old file and must not be read into the new one.
            for ending in BESIDE {
                drop(std::fs::rename(with_ending(path, ending), with_ending(&aside, ending)));
            }
            std::fs::rename(path, &aside).map_err(failed)?;
            let aside = visible(&aside.display().to_string()).into_owned();
            Ok(Some(format!("the {} was damaged; it is kept as {aside}, and a new one is begun", plan.what)))
        }
    }
}

/// Returns a name beside `path` that nothing has.
fn free_name(path: &Path) -> PathBuf {
    let numbered = |n: u32| with_ending(path, &format!(".damaged-{n}"));
    (1..u32::MAX).map(numbered).find(|name| name.symlink_metadata().is_err()).unwrap_or_else(|| numbered(0))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
