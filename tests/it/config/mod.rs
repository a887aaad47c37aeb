//! Are settings and keys read as documented, and is everything else refused with its place?

mod bad_input;
mod commands;
mod layers;
mod project;
mod prompt;
mod schema;
mod secrets;
mod variables;

use std::path::{Path, PathBuf};

use mimi::base::fault::Fault;
use mimi::config::dirs::Dirs;
use mimi::config::env::Env;
use mimi::config::error::ConfigError;
use mimi::config::layer::{Loaded, Sources, load, load_or_problems};
use mimi::config::trust::{Brought, Trust};

/// A machine of its own: home, `/etc` file and project in a folder that goes away.
pub(crate) struct Machine {
    root: tempfile::TempDir,
    pairs: Vec<(String, String)>,
    flags: Vec<(String, String)>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home").display().to_string();
        Self { root, pairs: vec![("HOME".to_owned(), home)], flags: Vec::new() }
    }

    /// Returns a path below the machine's folder.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    pub(crate) fn system_file(&self) -> PathBuf {
        self.path("etc/mimi/config.yaml")
    }

    pub(crate) fn user_file(&self) -> PathBuf {
        self.path("home/.config/mimi/config.yaml")
    }

    pub(crate) fn project_file(&self) -> PathBuf {
        self.path("project/.mimi/config.yaml")
    }

    pub(crate) fn system(self, text: &str) -> Self {
        write(&self.system_file(), text);
        self
    }

    pub(crate) fn user(self, text: &str) -> Self {
        write(&self.user_file(), text);
        self
    }

    pub(crate) fn project(self, text: &str) -> Self {
        write(&self.project_file(), text);
        self
    }

    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.pairs.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn flag(mut self, key: &str, value: &str) -> Self {
        self.flags.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Trusts the project's files as they are.
    pub(crate) fn trusted(self) -> Self {
        let (root, dirs) = (self.path("project"), self.dirs());
        Trust::of(&dirs, &root).agree(&Brought::read(&root).unwrap(), 1).unwrap();
        self
    }

    pub(crate) fn env(&self) -> Env {
        Env::from_pairs(self.pairs.clone())
    }

    pub(crate) fn dirs(&self) -> Dirs {
        Dirs::from_env(&self.env()).unwrap()
    }

    fn with_sources<T>(&self, read: impl FnOnce(&Sources<'_>) -> T) -> T {
        let (env, dirs, system_file, root) = (self.env(), self.dirs(), self.system_file(), self.path("project"));
        let flags = self.flags.clone();
        read(&Sources {
            env: &env,
            dirs: &dirs,
            system_file: &system_file,
            project_root: Some(&root),
            trusted_hash: None,
            flags,
        })
    }

    pub(crate) fn load(&self) -> Result<Loaded, ConfigError> {
        self.with_sources(load)
    }

    pub(crate) fn problems(&self) -> Vec<ConfigError> {
        self.with_sources(load_or_problems).map_or_else(|problems| problems, |_| Vec::new())
    }

    /// Returns what the user reads, with the machine's folder taken out.
    pub(crate) fn fault(&self) -> String {
        let fault = Fault::from(self.load().expect_err("the settings are wrong and were taken"));
        fault.to_string().replace(&self.root.path().display().to_string(), "")
    }
}

/// Writes a file with its folders, changeable by its owner alone, whatever the umask of the tester is.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
    chmod(path, 0o600);
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
