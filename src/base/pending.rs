//! What becomes of a temporary file whose process was killed before it could rename it?
//!
//! Each process writes down where its temporary files lie before it makes them, in a book of its own that it keeps locked
//! while it lives. Whoever starts next takes the books nobody holds a lock on and removes what stands in them. A lock tells a
//! dead process from a living one also across containers and reused process ids. Surprising: only files whose names carry
//! the mark of the book are removed, so a book that was tampered with cannot have anything else deleted.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::beneath::{Folder, Found, is_link_met};
use crate::base::clock::new_id;
use crate::base::path::{create_private, create_private_dir, open_existing_append};
use crate::base::text;

/// Bytes of a book that are read; a process has few files open at once.
const MAX_BOOK_BYTES: u64 = 1 << 20;
/// Bytes of the user's file name kept in a temporary one: names may have 255, and the mark must fit too.
const MAX_NAME_BYTES: usize = 150;

/// Where a process writes its temporary files down. Touches nothing before the first.
#[derive(Debug)]
pub struct Pending {
    folder: PathBuf,
    mark: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    book: Option<Book>,
    /// Names handed out so far.
    n_names: u64,
}

#[derive(Debug)]
struct Book {
    file: File,
    path: PathBuf,
    /// Files that are not done.
    n_open: usize,
}

/// A temporary file that was written down; dropped when it is gone.
#[derive(Debug)]
pub struct Noted {
    pending: Arc<Pending>,
    is_written: bool,
}

impl Pending {
    /// Keeps its book in `folder`, which is made when needed.
    pub fn new(folder: PathBuf) -> Arc<Self> {
        let mark = format!("{}-{}", std::process::id(), &new_id()[24..]);
        Arc::new(Self { folder, mark, state: Mutex::default() })
    }

    /// Chooses the name of a temporary file for `name` in `folder` and writes it down. Where that cannot be done the file is
    /// made all the same: a left-over is a smaller harm than work refused.
    pub fn note(self: &Arc<Self>, folder: &Path, name: &OsStr) -> (OsString, Noted) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.n_names += 1;
        let temporary = OsString::from(format!("{}{}", prefix(name, &self.mark), state.n_names));
        if state.book.is_none() {
            state.book = Book::begin(&self.folder, &self.mark).ok();
        }
        let is_written = state.book.as_mut().is_some_and(|book| book.enter(&folder.join(&temporary)).is_ok());
        (temporary, Noted { pending: self.clone(), is_written })
    }
}

impl Noted {
    /// Chooses and writes down the name of one more temporary file for `name`.
    pub fn another(&self, folder: &Path, name: &OsStr) -> (OsString, Self) {
        self.pending.note(folder, name)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = state.book.take().filter(|book| book.n_open == 0) {
            drop(std::fs::remove_file(&book.path));
        }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if !self.is_written {
            return;
        }
        let mut state = self.pending.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = &mut state.book {
            book.n_open = book.n_open.saturating_sub(1);
            if book.n_open == 0 {
                drop(book.file.set_len(0));
            }
        }
    }
}

impl Book {
    fn begin(folder: &Path, mark: &str) -> io::Result<Self> {
        create_private_dir(folder)?;
        let path = folder.join(mark);
        loop {
            drop(create_private(&path));
            let file = open_existing_append(&path)?;
            file.lock()?;
            // Somebody may have swept the empty book away before it was locked.
            if file.metadata()?.nlink() > 0 {
                return Ok(Self { file, path, n_open: 0 });
            }
        }
    }

    fn enter(&mut self, path: &Path) -> io::Result<()> {
        let line = [path.as_os_str().as_bytes(), b"\0"].concat();
        self.file.write_all(&line)?;
        self.n_open += 1;
        Ok(())
    }
}

/// Removes what processes that were killed left behind, and returns how many files that were.
pub fn sweep(folder: &Path) -> usize {
    let books = std::fs::read_dir(folder).into_iter().flatten().flatten();
    books.map(|book| sweep_book(&book.path())).sum()
}

fn sweep_book(path: &Path) -> usize {
    let (Ok(file), Some(mark)) = (open_existing_append(path), path.file_name().and_then(OsStr::to_str)) else {
        return 0;
    };
    let mut bytes = Vec::new();
    if file.try_lock().is_err() || (&file).take(MAX_BOOK_BYTES).read_to_end(&mut bytes).is_err() {
        return 0;
    }
    let paths = bytes.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    let ends: Vec<End> = paths.map(|path| sweep_file(Path::new(OsStr::from_bytes(path)), mark)).collect();
    if !ends.contains(&End::Stays) {
        drop(std::fs::remove_file(path));
    }
    ends.iter().filter(|end| **end == End::Removed).count()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Removed,
    /// It was gone, or never ours.
    Gone,
    /// It could not be reached now; the book is kept for later.
    Stays,
}

fn sweep_file(path: &Path, mark: &str) -> End {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return End::Gone };
    if !is_ours(name, mark) {
        return End::Gone;
    }
    let removed = Folder::open(folder).and_then(|folder| match folder.look(name)? {
        Found::File(..) => folder.remove(name).map(|()| End::Removed),
        Found::Nothing | Found::Other(_) => Ok(End::Gone),
    });
    match removed {
        Ok(end) => end,
        Err(error) if is_link_met(&error) => End::Gone,
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput => End::Gone,
            _ => End::Stays,
        },
    }
}

/// Returns how a temporary name for `name` begins; a number follows.
fn prefix(name: &OsStr, mark: &str) -> String {
    format!(".{}.mimi-{mark}-", text::prefix(&name.to_string_lossy(), MAX_NAME_BYTES))
}

fn is_ours(name: &OsStr, mark: &str) -> bool {
    let name = name.to_owned().into_vec();
    let name = String::from_utf8_lossy(&name);
    let Some((before, number)) = name.rsplit_once('-') else { return false };
    before.starts_with('.') && before.ends_with(&format!(".mimi-{mark}")) && number.parse::<u64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_dead_process_left_goes_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        let (books, work) = (base.join("books"), base.join("work"));
        std::fs::create_dir(&work).unwrap();
        let living = Pending::new(books.clone());
        let (own, noted) = living.note(&work, OsStr::new("a.rs"));
        std::fs::write(work.join(&own), "").unwrap();
        // The book of a process that is gone: nobody holds its lock.
        let ours = ".a.rs.mimi-1-dead-1";
        let (stranger, link) = ("notes.txt", ".b.mimi-1-dead-2");
        for name in [ours, stranger] {
            std::fs::write(work.join(name), "").unwrap();
        }
        std::os::unix::fs::symlink(stranger, work.join(link)).unwrap();
        let lines: Vec<String> = [ours, stranger, link, "gone/.x.mimi-1-dead-3"]
            .iter()
            .map(|name| format!("{}\0", work.join(name).display()))
            .collect();
        std::fs::write(books.join("1-dead"), lines.concat()).unwrap();
        assert_eq!(sweep(&books), 1);
        let mut expected = vec![own.to_str().unwrap(), stranger, link];
        expected.sort_unstable();
        assert_eq!(names(&work), expected);
        assert_eq!(names(&books), std::slice::from_ref(&living.mark));
        drop(noted);
        assert_eq!(std::fs::metadata(books.join(&living.mark)).unwrap().len(), 0, "done is struck out");
        drop(living);
        assert_eq!(names(&books), Vec::<String>::new());
    }

    #[test]
    fn a_temporary_name_fits_and_is_recognised() {
        let pending = Pending::new(PathBuf::from("/dev/null/none"));
        for name in ["a", "\n", &"ü".repeat(127), "x.mimi-1"] {
            let (temporary, _noted) = pending.note(Path::new("/tmp"), OsStr::new(name));
            assert!(temporary.len() <= 255 && is_ours(&temporary, &pending.mark), "{temporary:?}");
        }
        assert!(!is_ours(OsStr::new("a.rs"), &pending.mark));
        assert!(!is_ours(OsStr::new(".a.mimi-1-x"), &pending.mark));
    }
}
