//! Which names of files are special?
//!
//! The table is `config/policy.yaml`. Names are matched without regard to case, because some file systems ignore it.

use std::path::Path;
use std::sync::LazyLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::policy::PolicyError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    secrets: Vec<String>,
    not_secrets: Vec<String>,
    protected: Vec<String>,
}

static NAMES: LazyLock<Option<Names>> = LazyLock::new(|| Names::load().ok());

/// Says whether the file may hold secrets, for tools that come upon files nobody named. `path` is relative to the
/// workspace where it is inside.
pub fn is_secret(path: &Path) -> bool {
    // The table is compiled in and read by a test; without it nothing would be safe to show.
    NAMES.as_ref().is_none_or(|names| names.is_secret(path))
}

/// The special names, ready to match.
#[derive(Debug)]
pub struct Names {
    secrets: GlobSet,
    not_secrets: GlobSet,
    protected: GlobSet,
}

impl Names {
    /// Loads the compiled-in table.
    pub fn load() -> Result<Self, PolicyError> {
        let table: Table = crate::base::yaml::from_str(include_str!("../../config/policy.yaml"))
            .map_err(|error| PolicyError::Table(error.to_string()))?;
        Ok(Self {
            secrets: name_set(&table.secrets)?,
            not_secrets: name_set(&table.not_secrets)?,
            protected: name_set(&table.protected)?,
        })
    }

    /// Says whether any part of the path is the name of something secret.
    pub fn is_secret(&self, path: &Path) -> bool {
        path.components().any(|part| {
            let name = Path::new(part.as_os_str());
            self.secrets.is_match(name) && !self.not_secrets.is_match(name)
        })
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
