//! Where are keys kept when no keyring answers?
//!
//! In `credentials.yaml` of the configuration folder: provider names and keys, readable by its owner alone. A file others
//! could read is refused, not repaired, because its keys are no longer secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::path::{PRIVATE_FILE, create_private_dir, sync_parent, write_atomic};
use crate::base::yaml;
use crate::config::error::ConfigError;
use crate::config::file::{Guard, read};
use crate::config::origin::{Layer, Source};

/// Stands at the top of the file.
const HEADER: &str = "# Keys by provider, written by `mimi auth set`. Keep it readable by you alone (chmod 600).\n";

/// The file, by its path.
#[derive(Debug, Clone)]
pub struct Credentials {
    file: PathBuf,
}

impl Credentials {
    /// Names the file without touching it.
    pub fn at(file: PathBuf) -> Self {
        Self { file }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Reads all keys; none when there is no file.
    ///
    /// # Errors
    /// The file can be read by others, or is not a map of names to texts.
    pub fn load(&self) -> Result<BTreeMap<String, String>, ConfigError> {
        let Some(text) = read(&self.file, Guard::Private)? else { return Ok(BTreeMap::new()) };
        let keys = yaml::from_str::<Option<BTreeMap<String, String>>>(&text).map_err(|error| {
            let source = Source::new(Layer::User, self.file.display().to_string());
            ConfigError::Syntax { problem: error.message, origin: source.origin(error.line, error.column) }
        })?;
        Ok(keys.unwrap_or_default())
    }

    /// Stores the key of a provider.
    ///
    /// # Errors
    /// As [`Credentials::load`]; also when the file cannot be written.
    pub fn set(&self, provider: &str, key: &str) -> Result<(), ConfigError> {
        let mut keys = self.load()?;
        keys.insert(provider.to_owned(), key.to_owned());
        self.write(&keys)
    }

    /// Removes the key of a provider; says whether there was one.
    ///
    /// # Errors
    /// As [`Credentials::set`].
    pub fn remove(&self, provider: &str) -> Result<bool, ConfigError> {
        let mut keys = self.load()?;
        if keys.remove(provider).is_none() {
            return Ok(false);
        }
        self.write(&keys)?;
        Ok(true)
    }

    fn write(&self, keys: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        let unwritable = |source| ConfigError::Unwritable { file: self.file.clone(), source };
        let text = yaml::to_string(keys).map_err(|_| unwritable(std::io::ErrorKind::InvalidData.into()))?;
        let folder = self.file.parent().unwrap_or(Path::new("/"));
        create_private_dir(folder).map_err(unwritable)?;
        write_atomic(&self.file, format!("{HEADER}{text}").as_bytes(), PRIVATE_FILE).map_err(unwritable)?;
        // A key that was removed must not be back after a power cut.
        sync_parent(&self.file);
        Ok(())
    }
}
