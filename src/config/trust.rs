//! Has the user agreed to what this project's own files ask for?
//!
//! Not to the project, and not to a folder: to the very bytes of its `.mimi/config.yaml` and `.mimi/policy.yaml`, read once and
//! then used, so that nothing can be exchanged in between. What was agreed to is kept whole in a private file, for the
//! difference when a byte has changed. Must not be written for anybody but the person, or a hash they typed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::hash;
use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_file, write_atomic};
use crate::config::dirs::{Dirs, PROJECT_FILE, PROJECT_RULES};
use crate::config::error::ConfigError;
use crate::config::file::{Guard, MAX_FILE_BYTES, read};

/// Version of the file.
const VERSION: u32 = 1;

/// What a project brought with it to be read by mimi.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// Texts by their path below the project.
    files: BTreeMap<String, String>,
    is_trusted: bool,
}

impl Brought {
    /// Reads the files and finds out whether they are trusted: by the user before, or by this hash.
    ///
    /// # Errors
    /// A file that is there and cannot be read, or what was agreed to cannot.
    pub fn find(root: &Path, dirs: &Dirs, hash: Option<&str>) -> Result<Self, ConfigError> {
        let mut brought = Self::read(root)?;
        if !brought.files.is_empty() {
            brought.is_trusted = hash == Some(brought.hash().as_str())
                || Trust::of(dirs, root).agreed()?.is_some_and(|agreed| agreed.files == brought.files);
        }
        Ok(brought)
    }

    /// Reads the files; nobody trusts them.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn read(root: &Path) -> Result<Self, ConfigError> {
        let mut files = BTreeMap::new();
        for name in [PROJECT_FILE, PROJECT_RULES] {
            files.extend(read(&root.join(name), Guard::Open)?.map(|text| (name.to_owned(), text)));
        }
        Ok(Self { files, is_trusted: false })
    }

    /// Says whether the user trusts them.
    pub fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// Takes them as trusted, because the person just said so.
    pub fn trust(&mut self) {
        self.is_trusted = true;
    }

    /// Returns one of the texts.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }

    /// Returns all of them by name.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// Returns the hash of them all, in 64 characters.
    pub fn hash(&self) -> String {
        let parts: Vec<&[u8]> = self.files.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]).collect();
        hash::of_parts(&parts)
    }
}

/// What the user agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    v: u32,
    /// The project, for whoever looks into the file.
    project: String,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// The texts by their path below the project.
    pub files: BTreeMap<String, String>,
}

/// Where it is kept what the user agreed to in one project.
#[derive(Debug, Clone)]
pub struct Trust {
    file: PathBuf,
    project: PathBuf,
}

impl Trust {
    /// Names the file of a project.
    pub fn of(dirs: &Dirs, root: &Path) -> Self {
        let project = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let name = hash::of_parts(&[project.as_os_str().as_encoded_bytes()]);
        Self { file: dirs.trust().join(format!("{}.json", &name[..32.min(name.len())])), project }
    }

    /// Returns what was agreed to last.
    ///
    /// # Errors
    /// The file cannot be read, is open to others, or is not what mimi wrote.
    pub fn agreed(&self) -> Result<Option<Agreed>, ConfigError> {
        let Some(text) = read(&self.file, Guard::Private)? else { return Ok(None) };
        let agreed = serde_json::from_str(&text);
        agreed.map(Some).map_err(|error| ConfigError::BadTrust { file: self.file.clone(), problem: error.to_string() })
    }

    /// Keeps these files as agreed to.
    ///
    /// # Errors
    /// They are too large to be looked through by anybody, or the file cannot be written.
    pub fn agree(&self, brought: &Brought, now_ms: u64) -> Result<(), ConfigError> {
        let unwritable = |source| ConfigError::Unwritable { file: self.file.clone(), source };
        let project = self.project.display().to_string();
        let agreed = Agreed { v: VERSION, project, at_ms: now_ms, files: brought.files.clone() };
        let text = serde_json::to_string_pretty(&agreed).map_err(|error| unwritable(error.into()))?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(ConfigError::TooLarge { file: self.project.join(".mimi"), limit_bytes: MAX_FILE_BYTES });
        }
        if let Some(folder) = self.file.parent() {
            create_private_dir(folder).map_err(unwritable)?;
        }
        write_atomic(&self.file, text.as_bytes(), PRIVATE_FILE).map_err(unwritable)
    }

    /// Forgets what was agreed to; says whether there was something.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(&self) -> Result<bool, ConfigError> {
        match remove_file(&self.file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(ConfigError::Unwritable { file: self.file.clone(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::Env;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn trust_is_in_these_bytes_of_this_project_and_in_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::from_env(&Env::from_pairs([("HOME", home.path().to_str().unwrap())])).unwrap();
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        for root in [&one, &two] {
            std::fs::create_dir_all(root.join(".mimi")).unwrap();
            std::fs::write(root.join(PROJECT_FILE), "fix: {test_command: make}\n").unwrap();
        }
        let is_trusted = |root: &Path, hash| Brought::find(root, &dirs, hash).unwrap().is_trusted();
        assert!(!is_trusted(&one, None));
        let hash = Brought::read(&one).unwrap().hash();
        assert!(is_trusted(&one, Some(&hash)) && !is_trusted(&one, None), "for once only");
        assert!(!is_trusted(&one, Some("")) && !is_trusted(&one, Some(&hash[..12])));
        let trust = Trust::of(&dirs, &one);
        trust.agree(&Brought::read(&one).unwrap(), 7).unwrap();
        assert!(is_trusted(&one, None) && !is_trusted(&two, None));
        assert_eq!(trust.file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(one.join(PROJECT_FILE), "fix: {test_command: mako}\n").unwrap();
        assert!(!is_trusted(&one, None) && !is_trusted(&one, Some(&hash)));
        assert_eq!(trust.agreed().unwrap().unwrap().files[PROJECT_FILE], "fix: {test_command: make}\n");
        std::fs::write(one.join(PROJECT_FILE), "fix: {test_command: make}\n").unwrap();
        assert!(is_trusted(&one, None), "as it was");
        std::fs::write(one.join(PROJECT_RULES), "rules: []\n").unwrap();
        assert!(!is_trusted(&one, None), "a second file");
        assert!(trust.forget().unwrap() && !trust.forget().unwrap());
        std::fs::write(&trust.file, "{").unwrap();
        std::fs::set_permissions(&trust.file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(Brought::find(&one, &dirs, None), Err(ConfigError::BadTrust { .. })));
        std::fs::set_permissions(&trust.file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Brought::find(&one, &dirs, None), Err(ConfigError::Exposed { .. })));
    }

    #[test]
    fn files_too_large_to_look_through_cannot_be_trusted() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::from_env(&Env::from_pairs([("HOME", home.path().to_str().unwrap())])).unwrap();
        std::fs::create_dir_all(home.path().join(".mimi")).unwrap();
        std::fs::write(home.path().join(PROJECT_FILE), "#\n".repeat(120_000)).unwrap();
        let brought = Brought::read(home.path()).unwrap();
        let refused = Trust::of(&dirs, home.path()).agree(&brought, 1);
        assert!(matches!(refused, Err(ConfigError::TooLarge { .. })), "{refused:?}");
    }
}
