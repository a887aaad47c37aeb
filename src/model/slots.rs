//! How many requests may one user's processes have at a server at once, and who goes first?
//!
//! A slot is a lock on a file: the processes of one tree (a terminal, a CI job) share a folder, and each server has as many
//! files there as requests are allowed. The system drops the lock of a process that ends, however it ends, so that no slot is
//! ever lost. Who waits for a person marks that it waits, and those of lower class leave the next slot to it. Nobody waits for
//! a second slot while holding one, so nothing can lock up. Where files cannot be locked, the process counts for itself alone.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use crate::base::path::{create_private_dir, open_append, remove_tree};
use crate::base::{clock, hash};
use crate::protocol::task::Class;

/// Time between two looks for a slot that another process gave back; up to twice that, by chance.
const LOOK: Duration = Duration::from_millis(50);
/// Folders of trees that nobody has used for so long are deleted.
const KEEP: Duration = Duration::from_secs(7 * 24 * 3600);
/// Classes that others let go first, and the name of the mark of who waits.
const MARKS: [(Class, &str); 2] = [(Class::Interactive, "person-waits"), (Class::Ci, "script-waits")];

/// Where the slots of one process tree are.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder of all trees.
    pub folder: PathBuf,
    /// Names the tree; fit for the name of a folder.
    pub tree: String,
}

/// Hands out slots.
#[derive(Debug)]
pub struct Slots {
    place: Option<Place>,
    /// Whether files can be made there; found out when the first slot is taken.
    is_usable: OnceLock<bool>,
    /// Requests at one server at once; none for no bound.
    max: Option<u32>,
    counts: Arc<Counts>,
}

/// What the process itself has under way, for when there are no locks.
#[derive(Debug, Default)]
struct Counts {
    under_way: Mutex<HashMap<String, u32>>,
    freed: Notify,
}

/// The right to one request. Dropping it gives the slot back.
#[derive(Debug)]
pub struct Permit {
    /// Holds the lock.
    file: Option<File>,
    server: String,
    counts: Arc<Counts>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Before the others are told.
        drop(self.file.take());
        let mut under_way = self.counts.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.server) {
            *count = count.saturating_sub(1);
        }
        self.counts.freed.notify_waiters();
    }
}

/// The way to one server.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Hands out slots.
    pub slots: Arc<Slots>,
    /// The server's address.
    pub server: String,
}

impl Gate {
    /// Waits for a slot. Dropping the future gives up.
    pub fn take(&self, class: Class) -> BoxFuture<'static, Permit> {
        let Self { slots, server } = self.clone();
        Box::pin(async move { slots.take(&server, class).await })
    }
}

/// What came of looking for a slot.
enum Look {
    Free(Option<File>),
    Full,
}

impl Slots {
    /// Lets everybody through.
    pub fn unlimited() -> Self {
        Self { place: None, is_usable: OnceLock::new(), max: None, counts: Arc::default() }
    }

    /// Allows `max` requests at each server, counted in the files of `place`.
    pub fn new(place: Place, max: u32) -> Self {
        Self { place: Some(place), max: Some(max.max(1)), ..Self::unlimited() }
    }

    fn place(&self) -> Option<&Place> {
        let place = self.place.as_ref()?;
        self.is_usable.get_or_init(|| place.prepare()).then_some(place)
    }

    /// Waits for a slot at `server`. Dropping the future gives up.
    pub async fn take(&self, server: &str, class: Class) -> Permit {
        let mut mark = None;
        loop {
            // Told before looking, or a slot given back in between would be missed.
            let freed = self.counts.freed.notified();
            if !self.is_outranked(server, class)
                && let Look::Free(file) = self.look(server)
            {
                return Permit { file, server: server.to_owned(), counts: self.counts.clone() };
            }
            if mark.is_none() {
                mark = self.mark(server, class);
            }
            let pause = LOOK + LOOK.mul_f64(clock::random_fraction());
            tokio::select! {
                () = freed => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn look(&self, server: &str) -> Look {
        let mut under_way = self.counts.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let count = under_way.entry(server.to_owned()).or_default();
        let Some(max) = self.max else {
            *count += 1;
            return Look::Free(None);
        };
        if *count >= max {
            return Look::Full;
        }
        let look = self.place().map_or(Look::Free(None), |place| place.look(server, max));
        *count += u32::from(matches!(look, Look::Free(_)));
        look
    }

    /// Marks that a request of this class waits; the mark goes with the handle.
    fn mark(&self, server: &str, class: Class) -> Option<File> {
        let (_, name) = MARKS.iter().find(|(marked, _)| *marked == class)?;
        let file = open_append(&self.place()?.file(server, name)).ok()?;
        file.try_lock_shared().is_ok().then_some(file)
    }

    /// Says whether somebody of a higher class waits for the same server.
    fn is_outranked(&self, server: &str, class: Class) -> bool {
        let Some(place) = self.place() else { return false };
        MARKS.iter().filter(|(marked, _)| *marked < class).any(|(_, name)| {
            let file = File::open(place.file(server, name));
            file.is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
        })
    }
}

impl Place {
    /// Makes the folder of the tree; says whether it is there.
    fn prepare(&self) -> bool {
        let folder = self.folder.join(&self.tree);
        if !folder.exists() {
            delete_old(&self.folder);
        }
        create_private_dir(&folder).is_ok()
    }

    fn file(&self, server: &str, name: &str) -> PathBuf {
        let server = hash::of_bytes(server.as_bytes());
        self.folder.join(&self.tree).join(format!("{}.{name}", crate::base::text::prefix(&server, 16)))
    }

    fn look(&self, server: &str, max: u32) -> Look {
        for number in 0..max {
            let Ok(file) = open_append(&self.file(server, &number.to_string())) else { return Look::Free(None) };
            match file.try_lock() {
                Ok(()) => return Look::Free(Some(file)),
                Err(std::fs::TryLockError::WouldBlock) => {}
                // A file system without locks.
                Err(std::fs::TryLockError::Error(_)) => return Look::Free(None),
            }
        }
        Look::Full
    }
}

/// Deletes the folders of trees that are long gone; what cannot be deleted stays.
fn delete_old(folder: &Path) {
    let is_old = |path: &Path| {
        let used = std::fs::metadata(path).and_then(|meta| meta.modified());
        used.is_ok_and(|used| used + KEEP < SystemTime::now())
    };
    let is_free = |path: &Path| File::open(path).is_ok_and(|file| file.try_lock().is_ok());
    let files = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    for tree in files(folder).filter(|tree| is_old(tree)) {
        if files(&tree).all(|file| is_free(&file)) {
            drop(remove_tree(&tree));
        }
    }
}
