//! What do git's outputs for programs say?
//!
//! Pure: text in, values out. A line that is not understood is left out, since a newer git may say more than we know.

use std::collections::{BTreeSet, HashMap};

/// Ends a record of [`LOG_FORMAT`].
const RECORD: char = '\u{1e}';
/// Stands between its fields.
const FIELD: char = '\u{1f}';
/// Format handed to `git log`: what [`log`] reads.
pub(crate) const LOG_FORMAT: &str = "--format=%h%x1f%an%x1f%as%x1f%s%x1e";

/// How the work tree, the index and the last commit differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Branch; none when no branch is checked out.
    pub branch: Option<String>,
    /// Last commit; none before the first.
    pub commit: Option<String>,
    /// The branch it follows.
    pub upstream: Option<String>,
    /// Commits we have and upstream has not.
    pub ahead: u64,
    /// Commits upstream has and we have not.
    pub behind: u64,
    /// Files that differ, in git's order.
    pub entries: Vec<StatusEntry>,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEntry {
    /// Commit against index, as git's letter: `M`, `A`, `D`, `R`, `C`, `T`, `U`, `?`, or `.` for no difference.
    pub staged: char,
    /// Index against work tree, likewise.
    pub unstaged: char,
    /// Path relative to the top of the work tree.
    pub path: String,
    /// Path before a rename or copy.
    pub origin: Option<String>,
}

/// Lines changed in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCount {
    /// Path as git shows it; `old => new` after a rename.
    pub path: String,
    /// Lines added; none for a binary file.
    pub added: Option<usize>,
    /// Lines removed; none for a binary file.
    pub removed: Option<usize>,
}

/// A difference between two states.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// The files it touches.
    pub files: Vec<FileCount>,
    /// The change in unified format.
    pub text: String,
}

/// One commit of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Shortest unambiguous hash.
    pub id: String,
    /// Name of its author.
    pub author: String,
    /// Day it was authored: `2026-01-31`.
    pub date: String,
    /// First paragraph of its message.
    pub subject: String,
}

/// One line of a file and who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlameLine {
    /// Hash of the commit; all zeros for a line not committed yet.
    pub commit: String,
    /// Name of its author.
    pub author: String,
    /// When it was authored, in seconds since the Unix epoch.
    pub authored_at_s: u64,
    /// Number of the line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

/// Reads `git status --porcelain=v2 --branch -z`.
pub(crate) fn status(bytes: &[u8]) -> Status {
    let text = String::from_utf8_lossy(bytes);
    let mut status = Status::default();
    let mut records = text.split('\0');
    while let Some(record) = records.next() {
        match record.split_at_checked(2) {
            Some(("# ", header)) => status.read_header(header),
            Some(("1 ", rest)) => status.add(rest, 6, None),
            Some(("2 ", rest)) => status.add(rest, 7, records.next()),
            Some(("u ", rest)) => status.add(rest, 8, None),
            Some(("? ", path)) => status.add(&format!("?? {path}"), 0, None),
            _ => {}
        }
    }
    status
}

impl Status {
    fn read_header(&mut self, header: &str) {
        let Some((name, value)) = header.split_once(' ') else { return };
        match name {
            "branch.oid" => self.commit = (value != "(initial)").then(|| value.to_owned()),
            "branch.head" => self.branch = (value != "(detached)").then(|| value.to_owned()),
            "branch.upstream" => self.upstream = Some(value.to_owned()),
            "branch.ab" => {
                let mut counts = value.split(' ').map(|count| count[1..].parse().unwrap_or_default());
                self.ahead = counts.next().unwrap_or_default();
                self.behind = counts.next().unwrap_or_default();
            }
            _ => {}
        }
    }

    /// Reads `XY`, skips `n_skipped` fields, and takes the rest as the path, which may hold spaces.
    fn add(&mut self, record: &str, n_skipped: usize, origin: Option<&str>) {
        let mut fields = record.splitn(n_skipped + 2, ' ');
        let mut letters = fields.next().unwrap_or_default().chars();
        let (Some(staged), Some(unstaged), Some(path)) = (letters.next(), letters.next(), fields.nth(n_skipped)) else {
            return;
        };
        self.entries.push(StatusEntry { staged, unstaged, path: path.to_owned(), origin: origin.map(str::to_owned) });
    }
}

/// Reads `git diff --numstat -p`: counts, an empty line, the patch.
pub(crate) fn patch(bytes: &[u8]) -> Patch {
    let text = String::from_utf8_lossy(bytes);
    let (counts, patch) = text.split_once("\n\n").unwrap_or((&text, ""));
    Patch { files: counts.lines().filter_map(file_count).collect(), text: patch.to_owned() }
}

fn file_count(line: &str) -> Option<FileCount> {
    let mut fields = line.splitn(3, '\t');
    let (added, removed) = (fields.next()?.parse().ok(), fields.next()?.parse().ok());
    Some(FileCount { path: fields.next()?.to_owned(), added, removed })
}

/// Reads what `git log` prints with [`LOG_FORMAT`].
pub(crate) fn log(bytes: &[u8]) -> Vec<Commit> {
    let text = String::from_utf8_lossy(bytes);
    let commit = |record: &str| {
        let mut fields = record.trim_start_matches('\n').splitn(4, FIELD).map(str::to_owned);
        Some(Commit { id: fields.next()?, author: fields.next()?, date: fields.next()?, subject: fields.next()? })
    };
    text.split(RECORD).filter_map(commit).collect()
}

/// Reads `git blame --porcelain`, which says who a commit is of only the first time it names it.
pub(crate) fn blame(bytes: &[u8]) -> Vec<BlameLine> {
    let text = String::from_utf8_lossy(bytes);
    let mut authors: HashMap<String, (String, u64)> = HashMap::new();
    let mut lines = Vec::new();
    let mut at = (String::new(), 0);
    for line in text.lines() {
        if let Some(text) = line.strip_prefix('\t') {
            let (author, authored_at_s) = authors.get(&at.0).cloned().unwrap_or_default();
            lines.push(BlameLine { commit: at.0.clone(), author, authored_at_s, line: at.1, text: text.to_owned() });
        } else if let Some(next) = blame_heading(line) {
            at = next;
        } else if let Some(author) = line.strip_prefix("author ") {
            authors.entry(at.0.clone()).or_default().0 = author.to_owned();
        } else if let Some(time) = line.strip_prefix("author-time ") {
            authors.entry(at.0.clone()).or_default().1 = time.parse().unwrap_or_default();
        }
    }
    lines
}

/// Reads `HASH OLD-LINE NEW-LINE [COUNT]`.
fn blame_heading(line: &str) -> Option<(String, usize)> {
    let mut words = line.split(' ');
    let hash = words.next().filter(|hash| hash.len() >= 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    words.next()?;
    Some((hash.to_owned(), words.next()?.parse().ok()?))
}

/// Returns the content filters that the repository itself defines, from `git config --list --show-scope -z`.
///
/// Those of the user's own configuration, such as large-file storage, are the user's choice and stay.
pub(crate) fn own_filters(bytes: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut records = text.split('\0');
    let mut filters = BTreeSet::new();
    while let (Some(scope), Some(setting)) = (records.next(), records.next()) {
        let key = setting.split('\n').next().unwrap_or_default();
        if matches!(scope, "local" | "worktree") {
            let name = key.strip_prefix("filter.").and_then(|key| Some(key.rsplit_once('.')?.0));
            filters.extend(name.map(str::to_owned));
        }
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_with_every_kind_of_record_is_read() {
        let bytes = b"# branch.oid abc\0# branch.head main\0# branch.upstream origin/main\0# branch.ab +1 -2\0\
            1 .M N... 100644 100644 100644 aa bb a file\0\
            2 R. N... 100644 100644 100644 aa bb R100 new\0old\0\
            u UU N... 100644 100644 100644 100644 aa bb cc both\0? un tracked\0! ignored\0";
        let status = status(bytes);
        assert_eq!((status.branch.as_deref(), status.upstream.as_deref()), (Some("main"), Some("origin/main")));
        assert_eq!((status.ahead, status.behind), (1, 2));
        let entries: Vec<String> =
            status.entries.iter().map(|e| format!("{}{} {} {:?}", e.staged, e.unstaged, e.path, e.origin)).collect();
        assert_eq!(entries, [".M a file None", "R. new Some(\"old\")", "UU both None", "?? un tracked None"]);
    }

    #[test]
    fn filters_of_the_repository_are_told_from_the_users() {
        let bytes = b"global\0filter.lfs.clean\ngit-lfs\0local\0filter.a=b.c.clean\nevil\nfilter.x.clean\0local\0core.bare\nfalse\0";
        assert_eq!(own_filters(bytes).into_iter().collect::<Vec<_>>(), ["a=b.c"]);
    }

    #[test]
    fn torn_input_gives_fewer_entries_and_no_panic() {
        for bytes in [&b"1 .M N..."[..], b"# branch.ab", b"# branch.ab x", b"2 ", b"\xff\0\xff", b"? ", b"u"] {
            assert!(status(bytes).entries.len() <= 1);
            assert!(log(bytes).is_empty() && blame(bytes).is_empty() && own_filters(bytes).is_empty());
        }
        assert_eq!(patch(b""), Patch::default());
    }
}
