//! What did the whole workspace look like, so that a command's changes can be told by looking again?
//!
//! Every path with what the file system says of it and the hash of its content, sorted by path. Kept in one binary file,
//! numbers little-endian, with a hash over all at its end: a file that does not add up is no tree. Reads no workspace:
//! [`crate::checkpoint::scan`] does.

use std::path::{Path, PathBuf};

use crate::base::hash::{self, Digest};
use crate::checkpoint::node::{Delta, Node, PERMISSIONS};

/// First bytes of a tree's file: what it is, and the version of its form.
const MAGIC: &[u8; 8] = b"mimitr1\n";
/// Longest path that is kept; systems open none that is longer.
pub const MAX_PATH_BYTES: usize = 4096;

/// What the file system says of a path. Equal for two looks when nothing happened to it in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stat {
    /// Kind and permission bits.
    pub mode: u32,
    /// Size in bytes.
    pub size: u64,
    /// Last change of the content, in nanoseconds since the Unix epoch.
    pub mtime_ns: i64,
    /// Last change of anything, in nanoseconds since the Unix epoch.
    pub ctime_ns: i64,
    /// Number of the file on its file system.
    pub ino: u64,
}

/// Why the content of a path is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unkept {
    /// It is too large.
    TooLarge,
    /// Git ignores it, and it is too large for that.
    Ignored,
    /// It cannot be read.
    Unreadable,
    /// It is a device, pipe or socket, or a folder of another file system.
    Foreign,
}

impl std::fmt::Display for Unkept {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::TooLarge => "larger than 64 MiB",
            Self::Ignored => "ignored by git and larger than `checkpoint` in the configuration allows",
            Self::Unreadable => "unreadable",
            Self::Foreign => "no file, link or folder of this file system",
        })
    }
}

/// What is known of the content of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file whose content is in the store.
    File(Digest),
    /// A link, with where it leads.
    Link(Box<[u8]>),
    /// A folder.
    Folder,
    /// Nothing.
    Unkept(Unkept),
}

/// One path of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the workspace.
    pub path: Box<[u8]>,
    /// What the file system said when the content was read.
    pub stat: Stat,
    /// What is known of the content.
    pub content: Content,
    /// Whether it changed so shortly before it was read that another change might not show: it is read again next time.
    pub is_fresh: bool,
    /// Whether git ignores it.
    pub is_ignored: bool,
}

impl Entry {
    /// Returns what is at the path, where its content is known.
    pub fn node(&self) -> Option<Node> {
        let mode = self.stat.mode & PERMISSIONS;
        match &self.content {
            Content::File(digest) => Some(Node::File { hash: hash::to_hex(digest), mode: Some(mode) }),
            Content::Link(target) => Some(Node::Link { target: path_of(target) }),
            Content::Folder => Some(Node::Folder { mode }),
            Content::Unkept(_) => None,
        }
    }

    /// Says whether somebody who looks at kind, content and permission bits sees the same.
    fn is_same(&self, other: &Self) -> bool {
        let is_same_content = match (&self.content, &other.content) {
            // Only the file system can tell.
            (Content::Unkept(_), Content::Unkept(_)) => self.stat == other.stat,
            (a, b) => a == b,
        };
        let has_mode = !matches!(self.content, Content::Link(_));
        is_same_content && (!has_mode || self.stat.mode == other.stat.mode)
    }
}

/// Turns bytes into a path.
pub fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// A workspace as it looked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Every path, sorted.
    pub entries: Vec<Entry>,
}

/// What differs between two looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Paths whose content is known on both sides.
    pub deltas: Vec<Delta>,
    /// Paths whose content is not known on one side, with the reason.
    pub skipped: Vec<(PathBuf, Unkept)>,
}

impl Tree {
    /// Compares with a later look at the same workspace, whose root is `root`.
    pub fn difference(&self, later: &Self, root: &Path) -> Difference {
        let mut found = Difference::default();
        let (mut old, mut new) = (self.entries.iter().peekable(), later.entries.iter().peekable());
        loop {
            let (before, after) = match (old.peek(), new.peek()) {
                (None, None) => return found,
                (Some(_), None) => (old.next(), None),
                (None, Some(_)) => (None, new.next()),
                (Some(a), Some(b)) => match a.path.cmp(&b.path) {
                    std::cmp::Ordering::Less => (old.next(), None),
                    std::cmp::Ordering::Greater => (None, new.next()),
                    std::cmp::Ordering::Equal => (old.next(), new.next()),
                },
            };
            found.add(before, after, root);
        }
    }

    /// Writes the tree of the workspace at `root`.
    pub fn encode(&self, root: &Path) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.entries.len() * 128);
        out.extend_from_slice(MAGIC);
        put_bytes(&mut out, root.as_os_str().as_encoded_bytes());
        out.extend_from_slice(&(self.entries.len() as u64).to_le_bytes());
        for entry in &self.entries {
            put_entry(&mut out, entry);
        }
        let sum = hash::digest(&out);
        out.extend_from_slice(&sum);
        out
    }

    /// Reads a tree and the root of its workspace; none when the bytes are no whole tree of this version.
    pub fn decode(bytes: &[u8]) -> Option<(PathBuf, Self)> {
        let (body, sum) = bytes.split_last_chunk::<32>()?;
        if hash::digest(body) != *sum {
            return None;
        }
        let mut input = Input(body.strip_prefix(MAGIC)?);
        let root = path_of(input.bytes()?);
        let n_entries = u64::from_le_bytes(*input.chunk()?) as usize;
        let mut entries = Vec::with_capacity(n_entries.min(body.len()));
        for _ in 0..n_entries {
            entries.push(input.entry()?);
        }
        Some((root, Self { entries }))
    }
}

impl Difference {
    fn add(&mut self, before: Option<&Entry>, after: Option<&Entry>, root: &Path) {
        let (Some(entry), false) = (after.or(before), before.zip(after).is_some_and(|(a, b)| a.is_same(b))) else {
            return;
        };
        let path = root.join(path_of(&entry.path));
        let unkept = [before, after].into_iter().flatten().find_map(|entry| match entry.content {
            Content::Unkept(why) => Some(why),
            _ => None,
        });
        match unkept {
            Some(why) => self.skipped.push((path, why)),
            None => self.deltas.push(Delta {
                path,
                before: before.and_then(Entry::node),
                after: after.and_then(Entry::node),
            }),
        }
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn put_entry(out: &mut Vec<u8>, entry: &Entry) {
    let Stat { mode, size, mtime_ns, ctime_ns, ino } = entry.stat;
    let tag = match entry.content {
        Content::File(_) => 0,
        Content::Link(_) => 1,
        Content::Folder => 2,
        Content::Unkept(Unkept::TooLarge) => 3,
        Content::Unkept(Unkept::Ignored) => 4,
        Content::Unkept(Unkept::Unreadable) => 5,
        Content::Unkept(Unkept::Foreign) => 6,
    };
    out.extend_from_slice(&[tag, u8::from(entry.is_fresh) | u8::from(entry.is_ignored) << 1]);
    out.extend_from_slice(&mode.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&mtime_ns.to_le_bytes());
    out.extend_from_slice(&ctime_ns.to_le_bytes());
    out.extend_from_slice(&ino.to_le_bytes());
    put_bytes(out, &entry.path);
    match &entry.content {
        Content::File(digest) => out.extend_from_slice(digest),
        Content::Link(target) => put_bytes(out, target),
        Content::Folder | Content::Unkept(_) => {}
    }
}

/// What is left to read.
struct Input<'b>(&'b [u8]);

impl<'b> Input<'b> {
    fn chunk<const N: usize>(&mut self) -> Option<&'b [u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(chunk)
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = u32::from_le_bytes(*self.chunk()?) as usize;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn entry(&mut self) -> Option<Entry> {
        let [tag, flags] = *self.chunk()?;
        let stat = Stat {
            mode: u32::from_le_bytes(*self.chunk()?),
            size: u64::from_le_bytes(*self.chunk()?),
            mtime_ns: i64::from_le_bytes(*self.chunk()?),
            ctime_ns: i64::from_le_bytes(*self.chunk()?),
            ino: u64::from_le_bytes(*self.chunk()?),
        };
        let path = self.bytes()?.into();
        let content = match tag {
            0 => Content::File(*self.chunk()?),
            1 => Content::Link(self.bytes()?.into()),
            2 => Content::Folder,
            3 => Content::Unkept(Unkept::TooLarge),
            4 => Content::Unkept(Unkept::Ignored),
            5 => Content::Unkept(Unkept::Unreadable),
            6 => Content::Unkept(Unkept::Foreign),
            _ => return None,
        };
        Some(Entry { path, stat, content, is_fresh: flags & 1 != 0, is_ignored: flags & 2 != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, content: Content, mode: u32) -> Entry {
        let stat = Stat { mode, size: 3, mtime_ns: -1, ctime_ns: i64::MAX, ino: 7 };
        Entry { path: path.as_bytes().into(), stat, content, is_fresh: path.len() == 1, is_ignored: path.len() == 2 }
    }

    fn tree() -> Tree {
        let entries = vec![
            entry("a", Content::File([1; 32]), 0o100_644),
            entry("bb", Content::Link(b"to".as_slice().into()), 0o120_777),
            entry("c", Content::Folder, 0o40_755),
            entry("d", Content::Unkept(Unkept::Ignored), 0o100_600),
        ];
        Tree { entries }
    }

    #[test]
    fn what_is_written_is_read_and_damage_is_noticed() {
        let (root, bytes) = (Path::new("/w"), tree().encode(Path::new("/w")));
        assert_eq!(Tree::decode(&bytes), Some((root.to_path_buf(), tree())));
        for cut in 0..bytes.len() {
            assert_eq!(Tree::decode(&bytes[..cut]), None, "{cut}");
        }
        let mut bad = bytes;
        bad[20] ^= 1;
        assert_eq!(Tree::decode(&bad), None);
    }

    #[test]
    fn content_kind_and_mode_count_and_times_do_not() {
        let root = Path::new("/w");
        let mut later = tree();
        for entry in &mut later.entries[..3] {
            entry.stat.mtime_ns = 9;
            entry.is_fresh = false;
        }
        assert_eq!(tree().difference(&later, root), Difference::default());
        later.entries[0].stat.mode = 0o100_755;
        later.entries[1].stat.mode = 0o120_700;
        later.entries[3].stat.mtime_ns = 9;
        later.entries.remove(2);
        later.entries.push(entry("e", Content::File([2; 32]), 0o100_644));
        let found = tree().difference(&later, root);
        let paths: Vec<&Path> = found.deltas.iter().map(|delta| delta.path.as_path()).collect();
        assert_eq!(paths, [Path::new("/w/a"), Path::new("/w/c"), Path::new("/w/e")]);
        assert_eq!(found.deltas[1].after, None);
        assert_eq!(found.skipped, [(PathBuf::from("/w/d"), Unkept::Ignored)]);
    }
}
