//! Where is the key of a server found?
//!
//! The variable the provider names, the file named by that variable with `_FILE` appended, the keyring, `credentials.yaml`:
//! the first that has one wins and later ones are not even asked. Keys never stand in settings, messages or debug output.

use std::fmt;
use std::path::PathBuf;

use crate::base::text::visible;
use crate::config::credentials::Credentials;
use crate::config::dirs::Dirs;
use crate::config::env::Env;
use crate::config::error::ConfigError;
use crate::config::file::{Guard, read};
use crate::config::keyring::{Ring, SystemRing};
use crate::config::sense::{AUTO_PROVIDER, is_provider_name};

/// Longest key that is taken. Long tokens (JWT) have some kilobytes; servers refuse headers beyond 8 to 16 kB.
pub const MAX_KEY_BYTES: usize = 16 * 1024;

/// A key. Shown by nothing but [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    key: String,
    place: Place,
}

impl Secret {
    /// Returns the key itself; only for the header of a request and for redaction.
    pub fn expose(&self) -> &str {
        &self.key
    }

    /// Returns where it was found.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Secret(from {})", self.place)
    }
}

/// Where a key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this variable.
    Variable(String),
    /// In this file, named by a variable.
    NamedFile(PathBuf),
    /// In the keyring of the desktop.
    Keyring,
    /// In `credentials.yaml`, at this path.
    Credentials(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(out, "the variable `{name}`"),
            Self::NamedFile(file) | Self::Credentials(file) => write!(out, "`{}`", file.display()),
            Self::Keyring => out.write_str("the keyring"),
        }
    }
}

/// Finds the key of a provider; `None` when nobody stored one. `key_env` may be empty.
///
/// # Errors
/// A place that should hold a key cannot be read, is open to others, or holds what no header can carry.
pub fn find(env: &Env, dirs: &Dirs, provider: &str, key_env: &str) -> Result<Option<Secret>, ConfigError> {
    KeyStore::new(env, dirs, &SystemRing::new(env)).find(provider, key_env)
}

/// Returns the keys that can be read at once, so all but those in the keyring, which may let us wait. `key_envs` are the
/// variables that may hold one.
pub fn at_hand<'a>(env: &Env, dirs: &Dirs, key_envs: impl Iterator<Item = &'a str>) -> Vec<String> {
    let ring = SystemRing::default();
    let store = KeyStore::new(env, dirs, &ring);
    // A place that cannot be read is reported when its key is needed.
    let named = key_envs.filter_map(|name| store.find_in_env(name).ok().flatten()).map(|secret| secret.key);
    let stored = store.credentials.load().unwrap_or_default().into_values();
    named.chain(stored).collect()
}

/// All places keys are kept in.
pub struct KeyStore<'a> {
    env: &'a Env,
    credentials: Credentials,
    ring: &'a dyn Ring,
}

impl<'a> KeyStore<'a> {
    /// Names the places without touching them.
    pub fn new(env: &'a Env, dirs: &Dirs, ring: &'a dyn Ring) -> Self {
        Self { env, credentials: Credentials::at(dirs.credentials_file()), ring }
    }

    /// Finds the key of a provider. The keyring is asked only when the environment has none.
    ///
    /// # Errors
    /// As [`find`].
    pub fn find(&self, provider: &str, key_env: &str) -> Result<Option<Secret>, ConfigError> {
        if let Some(secret) = self.find_in_env(key_env)? {
            return Ok(Some(secret));
        }
        if let Ok(Some(key)) = self.ring.get(provider) {
            return usable(&key, Place::Keyring).map(Some);
        }
        let place = || Place::Credentials(self.credentials.path().to_path_buf());
        self.credentials.load()?.get(provider).map(|key| usable(key, place())).transpose()
    }

    fn find_in_env(&self, key_env: &str) -> Result<Option<Secret>, ConfigError> {
        if key_env.is_empty() {
            return Ok(None);
        }
        if let Some(value) = self.env.get_os(key_env) {
            let place = Place::Variable(key_env.to_owned());
            // Bytes that are not UTF-8 become characters `usable` refuses.
            return usable(&value.to_string_lossy(), place).map(Some);
        }
        let Some(file) = self.env.get_os(&format!("{key_env}_FILE")).map(PathBuf::from) else { return Ok(None) };
        let missing = || ConfigError::Unreadable { file: file.clone(), source: std::io::ErrorKind::NotFound.into() };
        let text = read(&file, Guard::Open)?.ok_or_else(missing)?;
        usable(&text, Place::NamedFile(file)).map(Some)
    }

    /// Refuses names no provider can have; `auto` stands for the server named by `server.url`.
    ///
    /// # Errors
    /// The name.
    pub fn check_name(&self, provider: &str) -> Result<(), ConfigError> {
        if is_provider_name(provider) || provider == AUTO_PROVIDER {
            return Ok(());
        }
        Err(ConfigError::ProviderName { name: visible(provider).into_owned() })
    }

    /// Stores a key: in the keyring when it answers, else in `credentials.yaml`. Says where.
    ///
    /// # Errors
    /// The name or key cannot be used, or the file cannot be written.
    pub fn set(&self, provider: &str, key: &str) -> Result<Place, ConfigError> {
        self.check_name(provider)?;
        let key = key.trim();
        if let Some(problem) = key_problem(key) {
            return Err(ConfigError::UnusableKey { place: "your input".to_owned(), problem });
        }
        if self.ring.get(provider).is_ok() && self.ring.set(provider, key).is_ok() {
            // The older copy would be found by nobody and could leak.
            self.credentials.remove(provider)?;
            return Ok(Place::Keyring);
        }
        self.credentials.set(provider, key)?;
        Ok(Place::Credentials(self.credentials.path().to_path_buf()))
    }

    /// Returns the providers that have a key and where it comes from. `providers` are names with their variables; names
    /// found in `credentials.yaml` are added.
    ///
    /// # Errors
    /// As [`find`].
    pub fn list(&self, providers: &[(String, String)]) -> Result<Vec<(String, Place)>, ConfigError> {
        let mut rows: Vec<(String, String)> = providers.to_vec();
        for name in self.credentials.load()?.into_keys() {
            if !rows.iter().any(|(known, _)| *known == name) {
                rows.push((name, String::new()));
            }
        }
        rows.sort();
        let found = rows.into_iter().map(|(name, key_env)| {
            let secret = self.find(&name, &key_env)?;
            Ok(secret.map(|secret| (name, secret.place)))
        });
        found.filter_map(Result::transpose).collect()
    }

    /// Removes the stored key of a provider; says from where. Variables are not ours to remove.
    ///
    /// # Errors
    /// `credentials.yaml` cannot be read or written.
    pub fn remove(&self, provider: &str) -> Result<Vec<Place>, ConfigError> {
        let mut removed = Vec::new();
        if self.ring.remove(provider) == Ok(true) {
            removed.push(Place::Keyring);
        }
        if self.credentials.remove(provider)? {
            removed.push(Place::Credentials(self.credentials.path().to_path_buf()));
        }
        Ok(removed)
    }
}

/// Takes a key if a header can carry it; white space around it comes from files and copying.
fn usable(key: &str, place: Place) -> Result<Secret, ConfigError> {
    let key = key.trim();
    match key_problem(key) {
        Some(problem) => Err(ConfigError::UnusableKey { place: place.to_string(), problem }),
        None => Ok(Secret { key: key.to_owned(), place }),
    }
}

/// Returns what is wrong with a key, to be read after its place.
fn key_problem(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        Some("is empty")
    } else if key.len() > MAX_KEY_BYTES {
        Some("is too long to be a key")
    } else if key.bytes().any(|byte| !byte.is_ascii_graphic()) {
        Some("has characters a header cannot carry (white space, control or non-ASCII)")
    } else {
        None
    }
}
