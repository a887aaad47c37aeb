//! Is this a file whose text is worth searching, and may it be read at all?
//!
//! By the tables of `config/files.yaml`. The path decides before anything is opened; then the first bytes, then the whole.
//! Must not read files itself: it judges what it is shown.

use std::path::Path;
use std::sync::OnceLock;

use memchr::{memchr, memchr_iter};
use serde::Deserialize;

use crate::base::text::fits;
use crate::base::yaml;
use crate::index::error::IndexError;
use crate::index::language::numbered;

numbered! {
    /// Why the text of a file is not in the index.
    Passed {
        /// Its name is that of a file of keys; it was not opened.
        Secret = 1 "may hold keys",
        /// Too large.
        Huge = 2 "too large",
        /// Not text.
        Binary = 3 "binary",
        /// Made by a minifier.
        Minified = 4 "minified",
        /// Made by a program.
        Generated = 5 "generated",
        /// It cannot be read.
        Unreadable = 6 "unreadable",
        /// It is no regular file any more, or changed again and again while it was read.
        Restless = 7 "changing while it is read",
    }
}

/// `config/files.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Largest file that is read.
    pub max_bytes: u64,
    minified: Minified,
    vendored: Vec<String>,
    generated: Generated,
    secret_paths: Vec<String>,
    secret_exceptions: Vec<String>,
    /// What is assigned to something called a secret.
    pub secret_assignment: SecretAssignment,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Minified {
    mean_line_bytes: usize,
    longest_line_bytes: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generated {
    names: Vec<String>,
    endings: Vec<String>,
    beginnings: Vec<String>,
    marks: Vec<String>,
    mark_bytes: usize,
}

/// A key without a form of its own, by what it is assigned to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretAssignment {
    /// A regular expression; its group is what must look random.
    pub pattern: String,
    /// Bits of a character from which a text looks random.
    pub bits: f64,
}

/// Returns the table; it is compiled in, so a broken one is a bug.
pub fn table() -> Result<&'static Table, IndexError> {
    static TABLE: OnceLock<Result<Table, String>> = OnceLock::new();
    let read = || yaml::from_str(include_str!("../../config/files.yaml")).map_err(|error| error.to_string());
    TABLE.get_or_init(read).as_ref().map_err(|error| IndexError::Table(format!("files.yaml: {error}")))
}

/// A file NUL bytes are looked for in so much of; git looks as far.
const BINARY_BYTES: usize = 8000;

impl Table {
    /// Judges a file by its path below the root and its size; none when it is to be opened.
    pub fn by_path(&self, path: &Path, size: u64) -> Option<Passed> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let any = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, &name));
        if any(&self.secret_paths) && !any(&self.secret_exceptions) {
            return Some(Passed::Secret);
        }
        (size > self.max_bytes).then_some(Passed::Huge)
    }

    /// Judges a file by its content; none when it is text somebody wrote. Encodings other than UTF-8 count as text when
    /// they have no NUL in the beginning.
    pub fn by_content(&self, path: &Path, bytes: &[u8]) -> Option<Passed> {
        if memchr(0, bytes.get(..BINARY_BYTES).unwrap_or(bytes)).is_some() {
            return Some(Passed::Binary);
        }
        if self.is_generated(path, bytes) {
            return Some(Passed::Generated);
        }
        self.is_minified(bytes).then_some(Passed::Minified)
    }

    fn is_generated(&self, path: &Path, bytes: &[u8]) -> bool {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let table = &self.generated;
        let is_named = table.names.iter().any(|known| *known == name)
            || table.endings.iter().any(|ending| name.ends_with(ending.as_str()))
            || table.beginnings.iter().any(|beginning| name.starts_with(beginning.as_str()));
        let start = String::from_utf8_lossy(bytes.get(..table.mark_bytes).unwrap_or(bytes));
        // Only in remarks: a program that looks for the mark, or writes it, is not generated.
        let is_marked = |line: &str| {
            let line = line.trim_start();
            let is_remark =
                ["//", "#", "/*", "*", "--", "<!--", ";", "\"\"\"", "%"].iter().any(|mark| line.starts_with(mark));
            is_remark && table.marks.iter().any(|mark| line.contains(mark.as_str()))
        };
        is_named || start.lines().any(is_marked)
    }

    fn is_minified(&self, bytes: &[u8]) -> bool {
        let table = &self.minified;
        // Texts have long lines too: a paragraph a line.
        let (mut longest, mut n_lines, mut begin) = (0, 0, 0);
        for end in memchr_iter(b'\n', bytes).chain([bytes.len()]) {
            longest = longest.max(end.saturating_sub(begin));
            n_lines += 1;
            begin = end + 1;
        }
        longest > table.longest_line_bytes || (bytes.len() > 4096 && bytes.len() / n_lines > table.mean_line_bytes)
    }

    /// Says whether a file is other people's code: what it defines can be found, its text is not searched.
    pub fn is_vendored(&self, path: &Path) -> bool {
        let folders = path.parent().into_iter().flat_map(Path::components);
        folders.into_iter().any(|folder| self.vendored.iter().any(|name| folder.as_os_str() == name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_judged_by_path_and_content() {
        let table = table().unwrap();
        let by_path = [
            ("src/lib.rs", 100, None),
            ("deploy/.env", 1, Some(Passed::Secret)),
            ("deploy/.env.production", 1, Some(Passed::Secret)),
            ("deploy/.env.example", 1, None),
            ("ID_RSA", 1, Some(Passed::Secret)),
            ("id_rsa.pub", 1, None),
            ("infra/prod.tfstate", 1, Some(Passed::Secret)),
            ("data.csv", 600_000, Some(Passed::Huge)),
        ];
        for (path, size, expected) in by_path {
            assert_eq!(table.by_path(Path::new(path), size), expected, "{path}");
        }
        let long = "x".repeat(6000);
        let by_content = [
            ("a.rs", "fn main() {}\n", None),
            ("a.bin", "ab\0cd", Some(Passed::Binary)),
            ("a.js", long.as_str(), Some(Passed::Minified)),
            ("a.pb.go", "package a\n", Some(Passed::Generated)),
            ("a.go", "// Code generated by stringer. DO NOT EDIT.\npackage a\n", Some(Passed::Generated)),
            ("a.go", "package a\nconst mark = \"DO NOT EDIT\"\n", None),
            ("Cargo.lock", "version = 4\n", Some(Passed::Generated)),
            ("empty.py", "", None),
        ];
        for (path, text, expected) in by_content {
            assert_eq!(table.by_content(Path::new(path), text.as_bytes()), expected, "{path}");
        }
        assert!(table.is_vendored(Path::new("web/node_modules/x/index.js")));
        assert!(!table.is_vendored(Path::new("src/vendor.rs")));
    }
}
