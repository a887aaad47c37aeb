//! How do changes of files become a patch that `git apply` takes?
//!
//! In git's own extended format: text as lines, everything else as binary literals (both ways, so that it can be taken back),
//! links, new and removed files, executable bits. Needs no git. Surprising: text with a carriage return alone, or that is not UTF-8,
//! counts as binary, because lines of a patch end with line feeds only. Pure but for [`load`].

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::node::{Delta, Node};
use crate::checkpoint::store::Store;
use crate::edit::hunks::Compared;
use crate::protocol::fix_report::{FileChange, FileKind};

/// Modes git knows.
const PLAIN: u32 = 0o100_644;
const EXECUTABLE: u32 = 0o100_755;
const LINK: u32 = 0o120_000;
/// The name git gives to what is not there.
const NOTHING: &str = "0000000000000000000000000000000000000000";
/// Bytes of a line of a binary literal; git's own figure, and the most its length letter can say.
const LINE_BYTES: usize = 52;
/// Digits of the base-85 code of git (RFC 1924's alphabet).
const DIGITS: &[u8; 85] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// One side of a changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Its mode, as git has it.
    pub mode: u32,
    /// Its content; where it leads, for a link.
    pub bytes: Vec<u8>,
}

/// A file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Relative to the folder worked in.
    pub path: PathBuf,
    /// Before; none where it was not there.
    pub before: Option<Side>,
    /// After; none where it is gone.
    pub after: Option<Side>,
}

/// Reads both sides of each change from where they are kept. What is outside of `root`, and folders, are left out.
///
/// # Errors
/// A content is gone or damaged.
pub fn load(store: &Store, root: &Path, deltas: &[Delta]) -> Result<Vec<Changed>, CheckpointError> {
    let shelf = store.shelf()?;
    let side = |node: Option<&Node>| match node {
        Some(Node::File { hash, mode }) => {
            let mode = if mode.unwrap_or_default() & 0o100 == 0 { PLAIN } else { EXECUTABLE };
            shelf.load(hash).map(|bytes| Some(Side { mode, bytes }))
        }
        Some(Node::Link { target }) => Ok(Some(Side { mode: LINK, bytes: target.as_os_str().as_bytes().to_vec() })),
        Some(Node::Folder { .. }) | None => Ok(None),
    };
    let mut changed = Vec::new();
    for delta in deltas {
        let Ok(path) = delta.path.strip_prefix(root) else { continue };
        let (before, after) = (side(delta.before.as_ref())?, side(delta.after.as_ref())?);
        if before != after {
            changed.push(Changed { path: path.to_path_buf(), before, after });
        }
    }
    changed.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changed)
}

/// Writes the changes as a patch. `prefix` is the folder worked in, relative to the top of its repository.
pub fn write(changes: &[Changed], prefix: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    for changed in changes {
        let path = prefix.join(&changed.path);
        match (&changed.before, &changed.after) {
            // Git has no word for a file that becomes a link: one goes and the other comes.
            (Some(before), Some(after)) if (before.mode == LINK) != (after.mode == LINK) => {
                entry(&mut out, &path, Some(before), None);
                entry(&mut out, &path, None, Some(after));
            }
            (before, after) => entry(&mut out, &path, before.as_ref(), after.as_ref()),
        }
    }
    out
}

fn entry(out: &mut Vec<u8>, path: &Path, before: Option<&Side>, after: Option<&Side>) {
    let (old, new) = (quoted("a/", path), quoted("b/", path));
    let mut head = format!("diff --git {old} {new}\n");
    match (before, after) {
        (None, Some(after)) => head.push_str(&format!("new file mode {:06o}\n", after.mode)),
        (Some(before), None) => head.push_str(&format!("deleted file mode {:06o}\n", before.mode)),
        (Some(before), Some(after)) if before.mode != after.mode => {
            head.push_str(&format!("old mode {:06o}\nnew mode {:06o}\n", before.mode, after.mode));
        }
        _ => {}
    }
    let bytes = |side: Option<&Side>| side.map(|side| side.bytes.clone()).unwrap_or_default();
    let (old_bytes, new_bytes) = (bytes(before), bytes(after));
    if before.is_some() && after.is_some() && old_bytes == new_bytes {
        return out.extend_from_slice(head.as_bytes());
    }
    let kept_mode = before.zip(after).filter(|(before, after)| before.mode == after.mode);
    let mode = kept_mode.map_or_else(String::new, |(before, _)| format!(" {:06o}", before.mode));
    head.push_str(&format!("index {}..{}{mode}\n", name(before), name(after)));
    out.extend_from_slice(head.as_bytes());
    match (text(&old_bytes), text(&new_bytes)) {
        (Some(old_text), Some(new_text)) if old_text == new_text => {}
        (Some(old_text), Some(new_text)) => {
            let (from, to) = (before.map_or("/dev/null", |_| &old), after.map_or("/dev/null", |_| &new));
            out.extend_from_slice(format!("--- {}\n+++ {}\n", ended(from), ended(to)).as_bytes());
            out.extend_from_slice(Compared::new(old_text, new_text).unified().as_bytes());
        }
        _ => {
            out.extend_from_slice(b"GIT binary patch\n");
            literal(out, &new_bytes);
            literal(out, &old_bytes);
        }
    }
}

/// Returns the name git would give to a content.
fn name(side: Option<&Side>) -> String {
    let Some(side) = side else { return NOTHING.to_owned() };
    let mut hash = sha1_smol::Sha1::new();
    hash.update(format!("blob {}\0", side.bytes.len()).as_bytes());
    hash.update(&side.bytes);
    hash.digest().to_string()
}

/// Returns the content as text that a patch can hold line by line.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_lone = |at: &usize| bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    let is_plain = !bytes.contains(&0) && !(0..bytes.len()).any(|at| is_lone(&at));
    is_plain.then_some(text)
}

/// A name with a blank is ended by a tab, because what follows it is a time elsewhere.
fn ended(name: &str) -> String {
    if name.contains(' ') && !name.starts_with('"') { format!("{name}\t") } else { name.to_owned() }
}

/// Writes a path as git does: quoted like a string of C where it holds anything but printable ASCII.
fn quoted(prefix: &str, path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    if bytes.iter().all(|byte| (0x20..0x7f).contains(byte) && !matches!(byte, b'"' | b'\\')) {
        return format!("{prefix}{}", String::from_utf8_lossy(bytes));
    }
    let mut out = format!("\"{prefix}");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            0x20..0x7f => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push('"');
    out
}

/// Writes a content as git's binary patches hold it: packed by zlib, in lines of base 85, and an empty line behind.
fn literal(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing to memory does not fail.
    drop(packer.write_all(bytes));
    let packed = packer.finish().unwrap_or_default();
    out.extend_from_slice(format!("literal {}\n", bytes.len()).as_bytes());
    for line in packed.chunks(LINE_BYTES) {
        let n = line.len() as u8;
        out.push(if n <= 26 { b'A' + n - 1 } else { b'a' + n - 27 });
        for group in line.chunks(4) {
            let mut word = [0; 4];
            word[..group.len()].copy_from_slice(group);
            let mut rest = u32::from_be_bytes(word);
            let mut digits = [0; 5];
            for digit in digits.iter_mut().rev() {
                *digit = DIGITS[(rest % 85) as usize];
                rest /= 85;
            }
            out.extend_from_slice(&digits);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// Says how each file changed, with its lines.
pub fn counted(changes: &[Changed]) -> Vec<FileChange> {
    changes.iter().map(counted_file).collect()
}

fn counted_file(changed: &Changed) -> FileChange {
    let empty = Vec::new();
    let bytes = |side: &Option<Side>| side.as_ref().map_or_else(|| empty.clone(), |side| side.bytes.clone());
    let (old, new) = (bytes(&changed.before), bytes(&changed.after));
    let kind = match (&changed.before, &changed.after) {
        (None, _) => FileKind::Created,
        (_, None) => FileKind::Deleted,
        _ if old == new => FileKind::Mode,
        _ => FileKind::Changed,
    };
    let counts = text(&old).zip(text(&new)).map(|(old, new)| Compared::new(old, new).counts());
    let (added, removed) = counts.unwrap_or_default();
    FileChange { path: changed.path.display().to_string(), kind, added, removed, is_binary: counts.is_none() }
}
