//! Which places and words does `config/sandbox.yaml` name?

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// The file.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// What is there to read.
    pub(crate) system: Vec<PathBuf>,
    /// Parts of it that are not.
    pub(crate) system_hidden: Vec<PathBuf>,
    /// What is there to read below the home folder.
    pub(crate) home: Vec<PathBuf>,
    /// What never is.
    pub(crate) home_hidden: Vec<PathBuf>,
    /// Variables that name toolchains.
    pub(crate) variables: Vec<String>,
    /// Names in the project that cannot be changed or created.
    pub(crate) protected: Vec<String>,
    /// Caches by name.
    pub(crate) caches: BTreeMap<String, Vec<PathBuf>>,
    /// Devices by name.
    pub(crate) devices: BTreeMap<String, Vec<String>>,
    /// What may be missing; no order needs it.
    #[serde(default, skip_serializing)]
    pub(crate) lacks: BTreeMap<String, Lack>,
}

/// Why a kind of sandbox is missing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lack {
    /// In words.
    pub(crate) says: String,
    /// What mends it, to be typed.
    pub(crate) fix: Vec<String>,
}

static TABLE: OnceLock<Table> = OnceLock::new();

impl Table {
    /// Returns the table. It is compiled in and read by a test; an empty one would show a command nothing at all.
    pub(crate) fn get() -> &'static Self {
        TABLE.get_or_init(|| Self::load().unwrap_or_default())
    }

    /// Makes this the table: the one that came with an order, so that not every command waits until the file is read anew.
    pub(crate) fn take_over(self) {
        drop(TABLE.set(self));
    }

    fn load() -> Result<Self, crate::base::yaml::YamlError> {
        crate::base::yaml::from_str(include_str!("../../../config/sandbox.yaml"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_table_is_whole_and_travels() {
        let table = Table::load().unwrap();
        let sent: Table = serde_json::from_slice(&serde_json::to_vec(&table).unwrap()).unwrap();
        assert_eq!(format!("{sent:?}"), format!("{:?}", Table { lacks: BTreeMap::new(), ..table.clone() }));
        assert!(table.system.iter().chain(&table.system_hidden).all(|path| path.is_absolute()));
        let in_home = table.home.iter().chain(&table.home_hidden).chain(table.caches.values().flatten());
        assert!(in_home.into_iter().all(|path| path.is_relative()));
        assert!(table.protected.iter().all(|name| !name.contains('/')));
        assert!(table.lacks.values().all(|lack| !lack.says.is_empty() && !lack.fix.is_empty()));
    }
}
