//! Which names of files are special?
//!
//! The table is `config/policy.yaml`. Names are matched without regard to case, because some file systems ignore it.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::policy::error::PolicyError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    secrets: Vec<String>,
    not_secrets: Vec<String>,
    protected: Vec<String>,
    secret_places: Vec<String>,
    listed: Vec<String>,
    guarded: Vec<String>,
    /// Read by `rule_file`.
    #[serde(rename = "rules")]
    _rules: serde::de::IgnoredAny,
}

static NAMES: LazyLock<Result<Arc<Names>, String>> =
    LazyLock::new(|| Names::read().map(Arc::new).map_err(|error| error.to_string()));

/// Says whether the file may hold secrets, for tools that come upon files nobody named. `path` is relative to the
/// workspace where it is inside.
pub fn is_secret(path: &Path) -> bool {
    // The table is compiled in and read by a test; without it nothing would be safe to show.
    NAMES.as_ref().map_or(true, |names| names.is_secret(path))
}

/// The special names, ready to match.
#[derive(Debug)]
pub struct Names {
    secrets: GlobSet,
    not_secrets: GlobSet,
    protected: GlobSet,
    secret_places: GlobSet,
    listed: GlobSet,
    /// Paths in parts.
    guarded: Vec<Vec<String>>,
    /// The patterns of `secrets` as written.
    patterns: Vec<String>,
}

impl Names {
    /// Returns the compiled-in table, read once.
    pub fn load() -> Result<Arc<Self>, PolicyError> {
        NAMES.clone().map_err(PolicyError::Table)
    }

    fn read() -> Result<Self, PolicyError> {
        let table: Table = crate::base::yaml::from_str(include_str!("../../config/policy.yaml"))
            .map_err(|error| PolicyError::Table(error.to_string()))?;
        Ok(Self {
            secrets: name_set(&table.secrets)?,
            not_secrets: name_set(&table.not_secrets)?,
            protected: name_set(&table.protected)?,
            secret_places: name_set(&table.secret_places)?,
            listed: name_set(&table.listed)?,
            guarded: table.guarded.iter().map(|path| path.split('/').map(str::to_owned).collect()).collect(),
            patterns: table.secrets,
        })
    }

    /// Says whether any part of the path is the name of something secret.
    pub fn is_secret(&self, path: &Path) -> bool {
        path.components().any(|part| {
            let name = Path::new(part.as_os_str());
            self.secrets.is_match(name) && !self.not_secrets.is_match(name)
        })
    }

    /// Says whether an absolute path is one of the system's places with secrets.
    pub fn is_secret_place(&self, path: &Path) -> bool {
        self.secret_places.is_match(path)
    }

    /// Says whether anybody may see the names there.
    pub fn is_listed(&self, path: &Path) -> bool {
        self.listed.is_match(path)
    }

    /// Returns the patterns of names that hold secrets.
    pub fn secret_patterns(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(String::as_str)
    }

    /// Says whether the path leads to what only git and mimi themselves may write.
    pub fn is_guarded(&self, path: &Path) -> bool {
        let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().to_lowercase()).collect();
        self.guarded.iter().any(|guarded| parts.windows(guarded.len()).any(|window| window == guarded))
    }

    /// Says whether any part of the path is the name of something that runs code later.
    pub fn is_protected(&self, path: &Path) -> bool {
        path.components().any(|part| self.protected.is_match(Path::new(part.as_os_str())))
    }
}

fn name_set(patterns: &[String]) -> Result<GlobSet, PolicyError> {
    let broken = |error: globset::Error| PolicyError::Table(error.to_string());
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).case_insensitive(true).build().map_err(broken)?);
    }
    set.build().map_err(broken)
}
