//! Are these the same bytes as before?
//!
//! BLAKE3 in lower-case hex, 64 characters. Files are read in pieces, so that a large one costs no memory. Must not be
//! used for secrets: equal contents give equal hashes on purpose.

use std::fs::File;
use std::io;
use std::path::Path;

/// A hash as bytes, for where many of them are held.
pub type Digest = [u8; 32];

/// Hashes bytes.
pub fn digest(bytes: &[u8]) -> Digest {
    *blake3::hash(bytes).as_bytes()
}

/// Writes a hash in hex.
pub fn to_hex(digest: &Digest) -> String {
    blake3::Hash::from_bytes(*digest).to_hex().to_string()
}

/// Reads a hash in lower-case hex; none when the text is something else.
pub fn from_hex(text: &str) -> Option<Digest> {
    let is_lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    blake3::Hash::from_hex(text).ok().filter(|_| is_lower).map(|hash| *hash.as_bytes())
}

/// Hashes bytes.
pub fn of_bytes(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Hashes several pieces as one, so that moving bytes from one piece to the next gives another hash.
pub fn of_parts(parts: &[&[u8]]) -> String {
    to_hex(&digest_of_parts(parts))
}

/// As [`of_parts`], as bytes.
pub fn digest_of_parts(parts: &[&[u8]]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// Hashes what is left to read.
pub fn of_reader(reader: impl io::Read) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(reader)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Hashes the content of a file, following links; fails when it cannot be opened or read.
pub fn of_file(path: &Path) -> io::Result<String> {
    of_reader(File::open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_piece_ends_matters() {
        let hashes =
            [of_parts(&[b"ab", b"c"]), of_parts(&[b"a", b"bc"]), of_parts(&[b"abc"]), of_parts(&[b"abc", b""])];
        let different: std::collections::BTreeSet<&String> = hashes.iter().collect();
        assert_eq!(different.len(), hashes.len());
        assert_eq!(of_parts(&[b"ab", b"c"]), hashes[0]);
    }

    #[test]
    fn a_file_hashes_like_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let bytes = vec![7_u8; 300_000];
        crate::base::path::write_atomic(&path, &bytes, 0o600).unwrap();
        assert_eq!(of_file(&path).unwrap(), of_bytes(&bytes));
        assert_eq!(of_bytes(b""), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
        assert!(of_file(&folder.path().join("none")).is_err());
        assert_eq!(to_hex(&digest(&bytes)), of_bytes(&bytes));
        assert_eq!(from_hex(&of_bytes(&bytes)), Some(digest(&bytes)));
        for bad in ["", "a", &"G".repeat(64), &"A".repeat(64), &"é".repeat(32), "../../../../etc/passwd"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }
}
