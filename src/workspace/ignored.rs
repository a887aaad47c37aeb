//! Does git ignore this path?
//!
//! By `.gitignore` files up to the top of the repository, and its `info/exclude`; without a repository up to the workspace.
//! Unlike [`crate::workspace::walk`] it walks nothing and hides nothing: it answers for single paths. Surprising: a file that
//! was added to git in spite of a rule counts as ignored, because only git's index would tell.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The ignore rules of a workspace, read as they are needed. They are as of then: make a new one to see changed rules.
#[derive(Debug)]
pub struct Ignored {
    root: PathBuf,
    /// Top of the repository, or the workspace.
    top: PathBuf,
    rules: Mutex<HashMap<PathBuf, Arc<Rules>>>,
}

/// What is known of one folder.
#[derive(Debug)]
struct Rules {
    /// Whether it is itself ignored, and so all below it.
    is_ignored: bool,
    own: Gitignore,
}

impl Ignored {
    /// Begins with the workspace at `root`, an absolute path with links followed.
    pub fn new(root: &Path) -> Self {
        let top = root.ancestors().find(|above| above.join(".git").exists()).unwrap_or(root).to_path_buf();
        Self { root: root.to_path_buf(), top, rules: Mutex::default() }
    }

    /// Says whether the path of a folder or of something else, relative to the workspace, is ignored.
    pub fn covers(&self, relative: &Path, is_folder: bool) -> bool {
        let path = self.root.join(relative);
        let Some(folder) = path.parent().filter(|folder| folder.starts_with(&self.top)) else { return false };
        self.folder(folder).is_ignored || self.is_matched(&path, is_folder)
    }

    fn folder(&self, folder: &Path) -> Arc<Rules> {
        let known = self.rules.lock().unwrap_or_else(PoisonError::into_inner).get(folder).cloned();
        if let Some(rules) = known {
            return rules;
        }
        let above = folder.parent().filter(|above| above.starts_with(&self.top) && folder != self.top);
        let is_ignored = above.is_some_and(|above| self.folder(above).is_ignored || self.is_matched(folder, true));
        let rules = Arc::new(Rules { is_ignored, own: self.own(folder) });
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_path_buf(), rules.clone());
        rules
    }

    fn own(&self, folder: &Path) -> Gitignore {
        let mut builder = GitignoreBuilder::new(folder);
        // Rules that cannot be read, or are no rules, are none; later ones win.
        if folder == self.top {
            drop(builder.add(folder.join(".git/info/exclude")));
        }
        drop(builder.add(folder.join(".gitignore")));
        builder.build().unwrap_or_else(|_| Gitignore::empty())
    }

    /// Asks the rules of the folders above, the nearest first.
    fn is_matched(&self, path: &Path, is_folder: bool) -> bool {
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.top)) {
            let rules = self.folder(folder);
            let found = rules.own.matched(path, is_folder);
            if !found.is_none() {
                return found.is_ignore();
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_count_as_git_counts_them() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let write = |path: &str, text: &str| {
            let path = top.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(".git/info/exclude", "private\n");
        write(".gitignore", "target/\n*.log\n/only-top\n");
        write("work/.gitignore", "!keep.log\nnode_modules\n");
        let table = [
            ("a.rs", false),
            ("a.log", true),
            ("keep.log", false),
            ("target/debug/a", true),
            ("target/keep.log", true),
            ("target", false),
            ("deep/node_modules/x/y", true),
            ("only-top", false),
            ("private", true),
        ];
        let ignored = Ignored::new(&top.join("work"));
        for (path, expected) in table {
            assert_eq!(ignored.covers(Path::new(path), false), expected, "{path}");
        }
        assert!(Ignored::new(&top).covers(Path::new("only-top"), false));
        assert!(ignored.covers(Path::new("target"), true), "as a folder");
    }
}
