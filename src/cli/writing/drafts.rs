//! How do words that were being written survive the end of mimi?
//!
//! One private file a process in `drafts/` of the state folder, named by folder, session and process, written anew each time
//! hands rest. Whoever starts next in the folder takes over the newest one whose process is gone. Convenience only: what
//! cannot be kept is no error.

use std::path::{Path, PathBuf};

use crate::base::hash;
use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_file, write_atomic};

/// Bytes of a draft that are kept and read; who writes more has a file for it.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Characters of the hash that names a folder.
const HASH_CHARS: usize = 16;

/// The draft of this process.
pub struct Drafts {
    folder: PathBuf,
    /// How the names of all drafts of this project begin.
    project: String,
    file: PathBuf,
}

impl Drafts {
    /// Names the place; touches nothing.
    pub fn new(state_folder: &Path, root: &Path, session: &str) -> Self {
        let folder = state_folder.join("drafts");
        let hash = hash::of_bytes(root.as_os_str().as_encoded_bytes());
        let project = format!("{}-", hash.get(..HASH_CHARS).unwrap_or(&hash));
        let file = folder.join(format!("{project}{session}-{}", std::process::id()));
        Self { folder, project, file }
    }

    /// Keeps the words; none take the file away.
    pub fn keep(&self, words: &str) {
        if words.trim().is_empty() || words.len() as u64 > MAX_BYTES {
            drop(remove_file(&self.file));
            return;
        }
        if create_private_dir(&self.folder).is_ok() {
            drop(write_atomic(&self.file, words.as_bytes(), PRIVATE_FILE));
        }
    }

    /// Takes over what somebody wrote here whose process is gone, the newest; those of this session first.
    pub fn take_over(&self, session: &str) -> Option<String> {
        let entries = std::fs::read_dir(&self.folder).ok()?.filter_map(Result::ok);
        let mut left: Vec<_> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let (of_session, process) = name.strip_prefix(&self.project)?.rsplit_once('-')?;
                let meta = entry.metadata().ok().filter(|meta| meta.is_file() && meta.len() <= MAX_BYTES)?;
                let is_over = !Path::new("/proc").join(process).exists();
                is_over.then(|| (of_session == session, meta.modified().ok(), entry.path()))
            })
            .collect();
        left.sort();
        let (.., path) = left.pop()?;
        let words = std::fs::read_to_string(&path).ok();
        drop(remove_file(&path));
        words.filter(|words| !words.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that cannot be.
    const GONE: &str = "4194304999";

    #[test]
    fn words_of_a_process_that_is_gone_are_taken_over_once() {
        let folder = tempfile::tempdir().unwrap();
        let mine = Drafts::new(folder.path(), Path::new("/p"), "s1");
        let left = folder.path().join("drafts").join(format!("{}s0-{GONE}", mine.project));
        mine.keep("mine");
        std::fs::write(left, "half a thought").unwrap();
        assert_eq!(Drafts::new(folder.path(), Path::new("/other"), "s1").take_over("s1"), None);
        assert_eq!(mine.take_over("s1").as_deref(), Some("half a thought"));
        assert_eq!(mine.take_over("s1"), None, "this process still lives");
        mine.keep("");
        assert_eq!(std::fs::read_dir(folder.path().join("drafts")).unwrap().count(), 0);
    }

    #[test]
    fn a_draft_is_for_nobody_else() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let drafts = Drafts::new(folder.path(), Path::new("/p"), "s");
        drafts.keep("words");
        assert_eq!(drafts.file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
