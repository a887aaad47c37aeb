//! Is the code that a command runs still what it was when the command was judged?
//!
//! A person may think for long over a question, and what they approve must be what runs: the bytes of scripts in the project,
//! and which file of the system a program's name stands for. Looked at just before it runs; what comes later is for the
//! sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::base::hash;

/// Largest file whose content is compared; a larger one, and any outside the project, is known by its place on the disk and the
/// time it was changed, which only its owner can set.
const MAX_HASHED_BYTES: u64 = 4 * 1024 * 1024;

/// What the files of a command were like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prints(BTreeMap<PathBuf, String>);

impl Prints {
    /// Looks at the files; `root` is the project.
    pub fn of(files: &BTreeSet<PathBuf>, root: &Path) -> Self {
        Self(files.iter().map(|path| (path.clone(), print(path, root))).collect())
    }

    /// Names the first file that is not what it was before; none when all are.
    pub fn changed_since<'a>(&'a self, before: &'a Self) -> Option<&'a Path> {
        let paths = self.0.keys().chain(before.0.keys());
        paths.map(PathBuf::as_path).find(|path| self.0.get(*path) != before.0.get(*path))
    }
}

fn print(path: &Path, root: &Path) -> String {
    let Ok(meta) = path.metadata() else { return "gone".to_owned() };
    if meta.is_file() && path.starts_with(root) && meta.len() <= MAX_HASHED_BYTES {
        return hash::of_file(path).unwrap_or_else(|error| error.to_string());
    }
    format!("{}:{}:{}:{}:{}", meta.dev(), meta.ino(), meta.len(), meta.ctime(), meta.ctime_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_counts_in_the_project_and_identity_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let (script, tool) = (folder.path().join("w/x.sh"), folder.path().join("tool"));
        std::fs::create_dir(folder.path().join("w")).unwrap();
        std::fs::write(&script, "one").unwrap();
        std::fs::write(&tool, "one").unwrap();
        let look = |files: &[&PathBuf]| {
            Prints::of(&files.iter().map(|path| (*path).clone()).collect(), &folder.path().join("w"))
        };
        let before = look(&[&script, &tool]);
        std::fs::write(&script, "one").unwrap();
        assert_eq!(look(&[&script, &tool]).changed_since(&before), None, "written again, the same");
        std::fs::write(&script, "two").unwrap();
        assert_eq!(look(&[&script, &tool]).changed_since(&before), Some(script.as_path()));
        std::fs::write(&script, "one").unwrap();
        std::fs::rename(&tool, folder.path().join("old")).unwrap();
        std::fs::write(&tool, "one").unwrap();
        assert_eq!(look(&[&script, &tool]).changed_since(&before), Some(tool.as_path()));
        std::fs::remove_file(&tool).unwrap();
        assert_eq!(look(&[&script]).changed_since(&before), Some(tool.as_path()), "found nowhere");
    }
}
