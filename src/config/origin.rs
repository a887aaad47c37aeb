//! Where did this value come from?
//!
//! Every value keeps its layer and place, for messages and for `mimi config show --origin`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// A source of settings; later ones win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Compiled in: `config/default.yaml` and `config/providers.yaml`.
    Default,
    /// The machine's file below `/etc`.
    System,
    /// The user's own file.
    User,
    /// The project's file. It may only narrow.
    Project,
    /// `MIMI_*` variables.
    Env,
    /// The command line.
    Flag,
}

impl Layer {
    /// Returns the name shown to people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::System => "system",
            Self::User => "user",
            Self::Project => "project",
            Self::Env => "env",
            Self::Flag => "flag",
        }
    }

    /// Says whether its values stand in a file, at a line.
    pub fn is_file(self) -> bool {
        !matches!(self, Self::Env | Self::Flag)
    }
}

/// One place settings are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its layer.
    pub layer: Layer,
    /// The file as the user would name it, the variable, or `command line`.
    pub name: String,
}

impl Source {
    /// Builds a source.
    pub fn new(layer: Layer, name: impl Into<String>) -> Self {
        Self { layer, name: name.into() }
    }

    /// Returns the origin of something at a line and column of this source.
    pub fn origin(&self, line: usize, column: usize) -> Origin {
        let (line, column) = if self.layer.is_file() { (line, column) } else { (0, 0) };
        Origin { layer: self.layer, file: self.name.clone(), line, column }
    }
}

/// Where one value stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Its layer.
    pub layer: Layer,
    /// File, variable, or `command line`.
    pub file: String,
    /// Line in the file, from 1; 0 outside files.
    pub line: usize,
    /// Column in the file, from 1; 0 outside files.
    pub column: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(out, "{}", self.file)
        } else {
            write!(out, "{}:{}:{}", self.file, self.line, self.column)
        }
    }
}

/// The origin of every value, by key path: `agent.max_steps`, `policy.deny[0]`, and the maps they stand in.
#[derive(Debug, Clone, Default)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Returns the origin of a key; of the list or map it stands in when it has none of its own.
    pub fn find(&self, key: &str) -> Option<&Origin> {
        let mut key = key;
        loop {
            if let Some(origin) = self.0.get(key) {
                return Some(origin);
            }
            key = &key[..key.rfind(['.', '['])?];
        }
    }

    /// Returns the origin for a message; a value nobody set comes from the defaults.
    pub fn find_or_default(&self, key: &str) -> Origin {
        let built_in = || Source::new(Layer::Default, "config/default.yaml").origin(0, 0);
        self.find(key).cloned().unwrap_or_else(built_in)
    }

    /// Notes where a key was set.
    pub fn set(&mut self, key: &str, origin: Origin) {
        self.0.insert(key.to_owned(), origin);
    }

    /// Forgets a key and all below it, because a higher layer replaced it.
    pub fn forget(&mut self, key: &str) {
        self.0.retain(|other, _| {
            !other.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
    }
}
