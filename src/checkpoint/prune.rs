//! What of the store may go, and how much room does that make?
//!
//! What some step or tree names stays; what nothing names goes, a day after it was last used. Steps go by age, and the oldest
//! sessions and trees go first when all together are too large; those of sessions in use never. Deleting needs the store for
//! itself alone, so that nobody finds a content that is about to vanish.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::base::clock::new_id;
use crate::base::hash::{self, Digest};
use crate::base::path::{remove_file, remove_tree};
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::node::Node;
use crate::checkpoint::pack::{self, Pack};
use crate::checkpoint::step::{self, NAMING, Steps, TREE_ENDING, with_ending};
use crate::checkpoint::store::{PACK, Store, entries};
use crate::checkpoint::tree::{Content, Tree};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Packs smaller than this are joined when there are many.
const SMALL_PACK_BYTES: u64 = 4 << 20;
/// So many small packs are joined into one.
const MANY_PACKS: usize = 16;

/// What may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Days for which steps are kept; 0 for ever.
    pub keep_days: u64,
    /// Bytes of all contents; 0 for no limit.
    pub max_bytes: u64,
    /// The time, in milliseconds since the Unix epoch.
    pub now_ms: u64,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Sessions whose steps went.
    pub sessions: usize,
    /// Contents that went.
    pub contents: usize,
    /// Bytes that became free.
    pub freed_bytes: u64,
    /// Bytes of contents that stay.
    pub kept_bytes: u64,
}

/// A session's folder or a workspace's tree.
#[derive(Debug)]
struct Owner {
    path: PathBuf,
    used_at: SystemTime,
    is_in_use: bool,
}

impl Owner {
    fn remove(&self) -> bool {
        if self.path.is_dir() { remove_tree(&self.path).is_ok() } else { remove_file(&self.path).is_ok() }
    }
}

/// Deletes what the rules do not keep. What cannot be read or deleted stays.
pub fn prune(store: &Store, rules: Rules) -> Result<Pruned, CheckpointError> {
    let file = store.lock_file()?;
    file.lock().map_err(|_| CheckpointError::NoLocks { path: store.folder().to_path_buf() })?;
    let now = UNIX_EPOCH + Duration::from_millis(rules.now_ms);
    let mut pruned = Pruned::default();
    let mut owners = owners(store.folder());
    if rules.keep_days > 0 {
        let kept = DAY * u32::try_from(rules.keep_days).unwrap_or(u32::MAX);
        let limit = now.checked_sub(kept).unwrap_or(UNIX_EPOCH);
        owners.retain(|owner| owner.is_in_use || owner.used_at >= limit || !removed(owner, &mut pruned));
        for folder in entries(&store.folder().join("conflicts")) {
            if used_at(&folder) < limit {
                drop(remove_tree(&folder));
            }
        }
    }
    let mut named = named(&owners);
    let sizes = sizes(store);
    shrink(&owners, &mut named, &sizes, rules.max_bytes, &mut pruned);
    let sweep = Sweep { named: &named, limit: now.checked_sub(DAY).unwrap_or(UNIX_EPOCH) };
    sweep.loose(store, &mut pruned);
    sweep.packs(store, &mut pruned);
    pruned.kept_bytes = self::sizes(store).values().sum();
    Ok(pruned)
}

/// Returns the bytes of all contents.
pub fn stored_bytes(store: &Store) -> u64 {
    sizes(store).values().sum()
}

fn removed(owner: &Owner, pruned: &mut Pruned) -> bool {
    let is_session = owner.path.is_dir();
    let is_gone = owner.remove();
    pruned.sessions += usize::from(is_session && is_gone);
    is_gone
}

/// Lists sessions and trees, those longest unused first, those in use last.
fn owners(folder: &Path) -> Vec<Owner> {
    let sessions: Vec<PathBuf> = entries(&folder.join("steps")).into_iter().filter(|path| path.is_dir()).collect();
    let leased: Vec<&PathBuf> = sessions.iter().filter(|session| Steps::is_leased(session)).collect();
    let workspaces: Vec<PathBuf> = leased.iter().filter_map(|session| Steps::workspace_of(session)).collect();
    let mut owners: Vec<Owner> = Vec::new();
    for path in &sessions {
        let used_at = entries(path).iter().map(|path| used_at(path)).max().unwrap_or(UNIX_EPOCH);
        owners.push(Owner { path: path.clone(), used_at, is_in_use: leased.contains(&path) });
    }
    for path in with_ending(&folder.join("trees"), TREE_ENDING) {
        let root = std::fs::read(&path).ok().and_then(|bytes| Tree::decode(&bytes)).map(|(root, _)| root);
        let is_in_use = root.is_some_and(|root| workspaces.contains(&root));
        owners.push(Owner { used_at: used_at(&path), path, is_in_use });
    }
    owners.sort_by_key(|owner| (owner.is_in_use, owner.used_at));
    owners
}

fn used_at(path: &Path) -> SystemTime {
    path.metadata().and_then(|meta| meta.modified()).unwrap_or(UNIX_EPOCH)
}

/// Returns which contents are named, each with the last of the owners that name it.
fn named(owners: &[Owner]) -> HashMap<Digest, usize> {
    let mut named = HashMap::new();
    for (at, owner) in owners.iter().enumerate() {
        let mut name = |digest: Digest| {
            named.insert(digest, at);
        };
        if !owner.path.is_dir() {
            tree_digests(&owner.path, &mut name);
            continue;
        }
        for tree in with_ending(&owner.path, TREE_ENDING) {
            tree_digests(&tree, &mut name);
        }
        for path in NAMING.iter().flat_map(|ending| with_ending(&owner.path, ending)) {
            let deltas = step::read(&path).map(|step| step.deltas).unwrap_or_default();
            let nodes = deltas.iter().flat_map(|delta| [&delta.before, &delta.after]).flatten();
            nodes.filter_map(Node::hash).filter_map(hash::from_hex).for_each(&mut name);
        }
    }
    named
}

fn tree_digests(path: &Path, name: &mut impl FnMut(Digest)) {
    let tree = std::fs::read(path).ok().and_then(|bytes| Tree::decode(&bytes));
    for entry in tree.map(|(_, tree)| tree.entries).unwrap_or_default() {
        if let Content::File(digest) = entry.content {
            name(digest);
        }
    }
}

/// Returns the bytes each content takes.
fn sizes(store: &Store) -> HashMap<Digest, u64> {
    let mut sizes = HashMap::new();
    for (path, digest) in loose(store) {
        sizes.insert(digest, path.metadata().map_or(0, |meta| meta.len()));
    }
    for pack in packs(store) {
        sizes.extend(pack.rows.iter().map(|row| (row.digest, u64::from(row.stored_bytes))));
    }
    sizes
}

/// Lists the contents that are files of their own.
fn loose(store: &Store) -> Vec<(PathBuf, Digest)> {
    let is_shard = |path: &PathBuf| path.file_name().is_some_and(|name| name.len() == 2) && path.is_dir();
    let files = entries(store.folder()).into_iter().filter(is_shard).flat_map(|shard| entries(&shard));
    let digest = |path: &PathBuf| path.file_stem().and_then(|name| hash::from_hex(&name.to_string_lossy()));
    files.filter_map(|path| digest(&path).map(|digest| (path, digest))).collect()
}

fn packs(store: &Store) -> Vec<Pack> {
    with_ending(&store.packs(), PACK).iter().filter_map(|path| Pack::open(path).ok()).collect()
}

/// Gives up the owners longest unused until what the others name is small enough.
fn shrink(
    owners: &[Owner],
    named: &mut HashMap<Digest, usize>,
    sizes: &HashMap<Digest, u64>,
    max_bytes: u64,
    pruned: &mut Pruned,
) {
    let mut own_bytes = vec![0; owners.len()];
    for (digest, at) in named.iter() {
        own_bytes[*at] += sizes.get(digest).copied().unwrap_or_default();
    }
    let mut total: u64 = own_bytes.iter().sum();
    let mut given_up = vec![false; owners.len()];
    for (at, owner) in owners.iter().enumerate() {
        if max_bytes == 0 || total <= max_bytes || owner.is_in_use {
            break;
        }
        given_up[at] = removed(owner, pruned);
        total -= if given_up[at] { own_bytes[at] } else { 0 };
    }
    named.retain(|_, at| !given_up[*at]);
}

/// What is taken away.
struct Sweep<'n> {
    named: &'n HashMap<Digest, usize>,
    /// What was used later stays in any case.
    limit: SystemTime,
}

impl Sweep<'_> {
    fn is_old(&self, path: &Path) -> bool {
        used_at(path) < self.limit
    }

    fn loose(&self, store: &Store, pruned: &mut Pruned) {
        for (path, digest) in loose(store) {
            let bytes = path.metadata().map_or(0, |meta| meta.len());
            if !self.named.contains_key(&digest) && self.is_old(&path) && remove_file(&path).is_ok() {
                pruned.contents += 1;
                pruned.freed_bytes += bytes;
            }
        }
    }

    /// Deletes packs of which nothing is named, and joins small ones and those of which less than half is.
    fn packs(&self, store: &Store, pruned: &mut Pruned) {
        let is_named = |row: &pack::Row| self.named.contains_key(&row.digest);
        let bytes =
            |rows: &mut dyn Iterator<Item = &pack::Row>| rows.map(|row| u64::from(row.stored_bytes)).sum::<u64>();
        let mut old: Vec<Pack> = packs(store);
        old.retain(|pack| self.is_old(&pack.path));
        let is_small = |pack: &Pack| bytes(&mut pack.rows.iter()) < SMALL_PACK_BYTES;
        let has_many = old.iter().filter(|pack| is_small(pack)).count() > MANY_PACKS;
        let is_wasteful =
            |pack: &Pack| 2 * bytes(&mut pack.rows.iter().filter(|row| is_named(row))) < bytes(&mut pack.rows.iter());
        old.retain(|pack| is_wasteful(pack) || (has_many && is_small(pack)));
        let kept: Vec<(&Pack, pack::Row)> = old
            .iter()
            .flat_map(|pack| pack.rows.iter().filter(|row| is_named(row)).map(move |row| (pack, *row)))
            .collect();
        if !kept.is_empty() {
            let path = store.packs().join(format!("{}.{PACK}", new_id()));
            let mut is_whole = true;
            let contents = kept.iter().map_while(|(pack, row)| {
                let read = pack.read(*row).ok();
                is_whole &= read.is_some();
                read
            });
            let written = pack::write(&path, contents);
            if written.is_err() || !is_whole {
                drop(remove_file(&path));
                return;
            }
        }
        for pack in &old {
            if remove_file(&pack.path).is_ok() {
                pruned.contents += pack.rows.iter().filter(|row| !is_named(row)).count();
                pruned.freed_bytes += bytes(&mut pack.rows.iter().filter(|row| !is_named(row)));
            }
        }
    }
}
