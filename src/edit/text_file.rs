//! How is a text file read, and written back with everything kept that the change did not mean?
//!
//! Encoding and byte-order mark survive here; line ends are the business of the caller's text, and `writer` keeps the rest.
//! Never waits: a FIFO or device is named, not opened. Follows no link, so that what is read is what was judged.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::base::beneath::{Folder, Found, is_link_met};
use crate::base::hash;
use crate::base::swap::Content;
use crate::edit::EditError;
use crate::edit::encoding::{Encoding, HEAD_BYTES, binary_kind, decode, encode};

/// Longest file that is held whole. Source files end far below; what is longer is data.
pub const MAX_TEXT_BYTES: u64 = 8_000_000;

/// A text file as it was when it was read.
#[derive(Debug, Clone)]
pub struct TextFile {
    path: PathBuf,
    name: String,
    n_bytes: u64,
    mode: u32,
    n_links: u64,
    /// Its text with its own line ends, without byte-order mark.
    pub text: String,
    /// How it is stored.
    pub encoding: Encoding,
    /// Whether some bytes had no meaning; such a file cannot be written back.
    pub is_lossy: bool,
    /// Hash of its bytes.
    pub hash: String,
}

impl TextFile {
    /// Reads the file at `path` (absolute, links followed), called `name` in errors.
    pub fn load(path: &Path, name: &str) -> Result<Self, EditError> {
        let (bytes, meta) = load_bytes(path, name)?;
        let decoded = decode(&bytes);
        Ok(Self {
            path: path.to_path_buf(),
            name: name.to_owned(),
            n_bytes: bytes.len() as u64,
            mode: meta.permissions().mode(),
            n_links: meta.nlink(),
            text: decoded.text,
            encoding: decoded.encoding,
            is_lossy: decoded.is_lossy,
            hash: hash::of_bytes(&bytes),
        })
    }

    /// Checks that the file could be rewritten with `text`, and returns the bytes that would be written.
    pub fn check_rewrite(&self, text: &str) -> Result<Vec<u8>, EditError> {
        let name = || self.name.clone();
        let encoding = self.encoding.label();
        if self.is_lossy {
            return Err(EditError::Lossy { name: name(), encoding });
        }
        // A rename would replace even a file nobody may write; its mode is the owner's word.
        if self.mode & 0o222 == 0 {
            return Err(EditError::ReadOnly { name: name() });
        }
        if self.n_links > 1 {
            return Err(EditError::HardLinked { name: name(), links: self.n_links });
        }
        encode(text, self.encoding).map_err(|character| EditError::Unencodable { name: name(), encoding, character })
    }

    /// Returns the hash the file will have once it was rewritten with `text`; none when it cannot be.
    pub fn promise(&self, text: &str) -> Option<String> {
        self.check_rewrite(text).ok().map(|bytes| hash::of_bytes(&bytes))
    }

    /// Returns its path: absolute, links followed.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns its name as the user or model knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its permission bits.
    pub fn mode(&self) -> u32 {
        self.mode & 0o7777
    }

    /// Returns what its bytes are recognised by.
    pub fn content(&self) -> Content {
        Content { hash: self.hash.clone(), bytes: self.n_bytes }
    }
}

/// Returns the name of the file among the folders `path` would lie in, if one of them is a file.
pub(crate) fn file_above(path: &Path, name: &str) -> Option<String> {
    let mut names = Path::new(name).ancestors().skip(1);
    path.ancestors().skip(1).find_map(|above| {
        let shown = names.next().filter(|shown| !shown.as_os_str().is_empty()).unwrap_or(above);
        above.is_file().then(|| shown.display().to_string())
    })
}

/// Reads a whole text file's bytes; stops at the head of one that is binary and before one that is too long.
fn load_bytes(path: &Path, name: &str) -> Result<(Vec<u8>, Metadata), EditError> {
    let (mut file, meta) = open_regular(path, name)?;
    let read_error = |source| EditError::Read { name: name.to_owned(), source };
    let mut bytes = Vec::new();
    (&mut file).take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(read_error)?;
    refuse_binary(&bytes, name, meta.len())?;
    if meta.len() > MAX_TEXT_BYTES {
        return Err(EditError::TooLarge { name: name.to_owned(), size_bytes: meta.len() });
    }
    // The length may be wrong: it is 0 for everything in /proc, and files grow.
    file.take(MAX_TEXT_BYTES).read_to_end(&mut bytes).map_err(read_error)?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(EditError::TooLarge { name: name.to_owned(), size_bytes: bytes.len() as u64 });
    }
    Ok((bytes, meta))
}

/// Fails when the first bytes of a file are not text.
pub fn refuse_binary(head: &[u8], name: &str, size_bytes: u64) -> Result<(), EditError> {
    match binary_kind(head) {
        Some(kind) => Err(EditError::Binary { name: name.to_owned(), kind, size_bytes }),
        None => Ok(()),
    }
}

/// Opens what is a regular file, following no link; folders, FIFOs, sockets and devices are named instead of opened.
pub fn open_regular(path: &Path, name: &str) -> Result<(File, Metadata), EditError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => EditError::Missing { name: name.to_owned() },
        _ if is_link_met(&source) => EditError::Redirected { name: name.to_owned() },
        _ => EditError::Read { name: name.to_owned(), source },
    };
    let (Some(folder), Some(file)) = (path.parent(), path.file_name()) else {
        return Err(EditError::NotAFile { name: name.to_owned(), kind: "a folder" });
    };
    match Folder::open(folder).and_then(|folder| folder.look(file)).map_err(fail)? {
        Found::File(file, meta) => Ok((file, meta)),
        Found::Other(kind) => Err(EditError::NotAFile { name: name.to_owned(), kind }),
        Found::Nothing => Err(EditError::Missing { name: name.to_owned() }),
    }
}
