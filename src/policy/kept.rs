//! Which rules did the user agree to for always, in this repository?
//!
//! One private file a repository in the state folder. "Always" has an end, because a repository changes: a rule counts until its
//! day. The repository is known by the folder git keeps it in, so that its work trees share their rules and another one that
//! later stands at the same place does not get them.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::hash;
use crate::base::path::{PRIVATE_FILE, create_private_dir, write_atomic};
use crate::config::dirs::Dirs;
use crate::config::file::{self, Guard};
use crate::policy::error::PolicyError;
use crate::policy::rules::{Force, Rule, Stated, Where};

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3600 * 1000;
/// Version of the file.
const VERSION: u32 = 1;
/// Most rules of a repository; the oldest make room.
const MAX_RULES: usize = 500;

/// A rule agreed to for always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// The rule.
    pub rule: String,
    /// When it was agreed to, in Unix milliseconds.
    pub at_ms: u64,
    /// Until when it counts.
    pub until_ms: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    v: u32,
    repository: String,
    rules: Vec<Agreed>,
}

/// The rules of one repository.
#[derive(Debug, Clone)]
pub struct Kept {
    file: PathBuf,
    repository: String,
}

impl Kept {
    /// Finds the rules of the repository `root` stands in, or of the folder itself.
    pub fn of(dirs: &Dirs, root: &Path) -> Self {
        let place = repository(root);
        let inode = place.metadata().map(|meta| format!("{}:{}", meta.dev(), meta.ino())).unwrap_or_default();
        let name = hash::of_parts(&[place.as_os_str().as_encoded_bytes(), inode.as_bytes()]);
        Self {
            file: dirs.agreed().join(format!("{}.json", &name[..32.min(name.len())])),
            repository: place.display().to_string(),
        }
    }

    /// Returns the rules that still count.
    ///
    /// # Errors
    /// The file cannot be read, belongs to somebody else, or is not what mimi wrote.
    pub fn agreed(&self, now_ms: u64) -> Result<Vec<Agreed>, PolicyError> {
        Ok(self.read()?.rules.into_iter().filter(|agreed| agreed.until_ms > now_ms).collect())
    }

    /// Returns them as rules.
    ///
    /// # Errors
    /// As [`Kept::agreed`]; also a rule that cannot be read.
    pub fn stated(&self, now_ms: u64, root: &Path) -> Result<Vec<Stated>, PolicyError> {
        let state = |agreed: Agreed| {
            let rule = Rule::parse(&agreed.rule, root)?;
            Ok(Stated {
                rule,
                force: Force::Allow,
                place: Where::Any,
                why: None,
                origin: "agreed to in chat".to_owned(),
            })
        };
        self.agreed(now_ms)?.into_iter().map(state).collect()
    }

    /// Keeps a rule for so many days; one that is there already counts anew.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn add(&self, rule: &str, now_ms: u64, days: u64) -> Result<(), PolicyError> {
        let mut rules = self.agreed(now_ms)?;
        rules.retain(|agreed| agreed.rule != rule);
        let until_ms = now_ms.saturating_add(days.saturating_mul(DAY_MS));
        rules.push(Agreed { rule: rule.to_owned(), at_ms: now_ms, until_ms });
        let n_over = rules.len().saturating_sub(MAX_RULES);
        rules.drain(..n_over);
        self.write(rules)
    }

    /// Forgets a rule, or all of them. Returns those forgotten.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn forget(&self, rule: Option<&str>, now_ms: u64) -> Result<Vec<Agreed>, PolicyError> {
        let all = self.agreed(now_ms)?;
        let (gone, left) = all.into_iter().partition(|agreed| rule.is_none_or(|rule| agreed.rule == rule));
        self.write(left)?;
        Ok(gone)
    }

    fn read(&self) -> Result<Content, PolicyError> {
        let text = file::read(&self.file, Guard::Private);
        let text = text.map_err(|source| PolicyError::Unreadable { source: Box::new(source) })?;
        let Some(text) = text else { return Ok(Content::default()) };
        serde_json::from_str(&text).map_err(|error| PolicyError::BadFile {
            file: self.file.display().to_string(),
            line: error.line(),
            why: error.to_string(),
        })
    }

    fn write(&self, rules: Vec<Agreed>) -> Result<(), PolicyError> {
        let unwritable = |source| PolicyError::Unwritable { file: self.file.clone(), source };
        let content = Content { v: VERSION, repository: self.repository.clone(), rules };
        let text = serde_json::to_string_pretty(&content).map_err(|error| unwritable(error.into()))?;
        if let Some(folder) = self.file.parent() {
            create_private_dir(folder).map_err(unwritable)?;
        }
        write_atomic(&self.file, text.as_bytes(), PRIVATE_FILE).map_err(unwritable)
    }
}

/// Returns the folder git keeps the repository in, without asking git; the workspace itself where there is none.
fn repository(root: &Path) -> PathBuf {
    let Some(entry) = root.ancestors().map(|place| place.join(".git")).find(|entry| entry.exists()) else {
        return root.to_path_buf();
    };
    let shared = crate::policy::command::git::shared(&crate::policy::command::disk::RealDisk::default(), &entry);
    shared.canonicalize().unwrap_or(shared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::Env;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn rules_belong_to_one_repository_and_end_on_their_day() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::from_env(&Env::from_pairs([("HOME", home.path().to_str().unwrap())])).unwrap();
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        std::fs::create_dir_all(one.join(".git/worktrees/w")).unwrap();
        std::fs::create_dir_all(&two).unwrap();
        let tree = home.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::write(tree.join(".git"), format!("gitdir: {}\n", one.join(".git/worktrees/w").display())).unwrap();
        std::fs::write(one.join(".git/worktrees/w/commondir"), "../..\n").unwrap();
        let kept = Kept::of(&dirs, &one);
        kept.add("shell:make", 1000, 2).unwrap();
        kept.add("shell:make", 2000, 2).unwrap();
        let rules = |root: &Path, now| Kept::of(&dirs, root).agreed(now).unwrap().len();
        assert_eq!((rules(&one, 2001), rules(&tree, 2001), rules(&two, 2001)), (1, 1, 0));
        assert_eq!((rules(&one, 2000 + 2 * DAY_MS), rules(&one, 1999 + 2 * DAY_MS)), (0, 1));
        assert_eq!(kept.file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::rename(&one, home.path().join("gone")).unwrap();
        std::fs::create_dir_all(one.join(".git")).unwrap();
        assert_eq!(rules(&one, 2001), 0, "another repository at the same place");
        let kept = Kept::of(&dirs, &two);
        kept.add("write:a", 1, 1).unwrap();
        assert_eq!(kept.forget(Some("write:b"), 2).unwrap().len(), 0);
        assert_eq!((kept.forget(Some("write:a"), 2).unwrap().len(), rules(&two, 2)), (1, 0));
        std::fs::write(&kept.file, "{\n \"v\": x}").unwrap();
        assert!(kept.agreed(1).unwrap_err().to_string().contains("line 2"));
    }
}
