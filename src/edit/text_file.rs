//! How is a text file read, and written back with everything kept that the change did not mean?
//!
//! Encoding, byte-order mark, mode and owner survive; line ends are the business of the caller's text. Never waits: a FIFO
//! or device is named, not opened. A file that changed since it was read is not written.

use std::fs::{File, FileType, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::base::hash;
use crate::base::path::{create_dirs, open_read, write_atomic};
use crate::edit::EditError;
use crate::edit::encoding::{Encoding, HEAD_BYTES, binary_kind, decode, encode};

/// Longest file that is held whole. Source files end far below; what is longer is data.
pub const MAX_TEXT_BYTES: u64 = 8_000_000;
/// Mode of new files before the user's umask.
const NEW_FILE: u32 = 0o666;

/// A text file as it was when it was read.
#[derive(Debug, Clone)]
pub struct TextFile {
    path: PathBuf,
    name: String,
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
        let bytes = load_bytes(path, name)?;
        let decoded = decode(&bytes);
        Ok(Self {
            path: path.to_path_buf(),
            name: name.to_owned(),
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
        let meta = std::fs::metadata(&self.path).map_err(|source| EditError::Write { name: name(), source })?;
        // A rename would replace even a file nobody may write; its mode is the owner's word.
        if meta.permissions().mode() & 0o222 == 0 {
            return Err(EditError::ReadOnly { name: name() });
        }
        if meta.nlink() > 1 {
            return Err(EditError::HardLinked { name: name(), links: meta.nlink() });
        }
        encode(text, self.encoding).map_err(|character| EditError::Unencodable { name: name(), encoding, character })
    }

    /// Returns the hash the file will have once it was rewritten with `text`; none when it cannot be.
    pub fn promise(&self, text: &str) -> Option<String> {
        self.check_rewrite(text).ok().map(|bytes| hash::of_bytes(&bytes))
    }

    /// Replaces the content of the file by `text`, in the same encoding, and returns the hash of the new bytes.
    pub fn rewrite(&self, text: &str) -> Result<String, EditError> {
        let bytes = self.check_rewrite(text)?;
        if hash::of_bytes(&load_bytes(&self.path, &self.name)?) != self.hash {
            return Err(EditError::Changed { name: self.name.clone() });
        }
        write(&self.path, &self.name, &bytes)
    }
}

/// Writes a new UTF-8 file, its folders included, and returns the hash of its bytes.
pub fn create(path: &Path, name: &str, text: &str) -> Result<String, EditError> {
    if let Some(folder) = path.parent() {
        create_dirs(folder).map_err(|source| match file_above(path, name) {
            Some(above) => EditError::BelowAFile { above },
            None => EditError::Write { name: name.to_owned(), source },
        })?;
    }
    write(path, name, text.as_bytes())
}

/// Returns the name of the file among the folders `path` would lie in, if one of them is a file.
fn file_above(path: &Path, name: &str) -> Option<String> {
    let mut names = Path::new(name).ancestors().skip(1);
    path.ancestors().skip(1).find_map(|above| {
        let shown = names.next().filter(|shown| !shown.as_os_str().is_empty()).unwrap_or(above);
        above.is_file().then(|| shown.display().to_string())
    })
}

fn write(path: &Path, name: &str, bytes: &[u8]) -> Result<String, EditError> {
    write_atomic(path, bytes, NEW_FILE).map_err(|source| EditError::Write { name: name.to_owned(), source })?;
    Ok(hash::of_bytes(bytes))
}

/// Reads a whole text file's bytes; stops at the head of one that is binary and before one that is too long.
fn load_bytes(path: &Path, name: &str) -> Result<Vec<u8>, EditError> {
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
    Ok(bytes)
}

/// Fails when the first bytes of a file are not text.
pub fn refuse_binary(head: &[u8], name: &str, size_bytes: u64) -> Result<(), EditError> {
    match binary_kind(head) {
        Some(kind) => Err(EditError::Binary { name: name.to_owned(), kind, size_bytes }),
        None => Ok(()),
    }
}

/// Opens what is a regular file; folders, FIFOs, sockets and devices are named instead of opened.
pub fn open_regular(path: &Path, name: &str) -> Result<(File, Metadata), EditError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => EditError::Missing { name: name.to_owned() },
        _ => EditError::Read { name: name.to_owned(), source },
    };
    let check = |meta: Metadata| match kind_of(meta.file_type()) {
        Some(kind) => Err(EditError::NotAFile { name: name.to_owned(), kind }),
        None => Ok(meta),
    };
    check(std::fs::metadata(path).map_err(fail)?)?;
    let file = open_read(path).map_err(fail)?;
    // Again, on what was really opened.
    let meta = check(file.metadata().map_err(fail)?)?;
    Ok((file, meta))
}

/// Names what is not a regular file, with its article.
fn kind_of(kind: FileType) -> Option<&'static str> {
    let kinds = [
        (kind.is_dir(), "a folder"),
        (kind.is_fifo(), "a FIFO"),
        (kind.is_socket(), "a socket"),
        (kind.is_char_device() || kind.is_block_device(), "a device"),
        (!kind.is_file(), "something else"),
    ];
    kinds.iter().find(|(is_it, _)| *is_it).map(|row| row.1)
}
