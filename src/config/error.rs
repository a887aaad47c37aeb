//! What can be wrong with settings and keys, and what does the user type then?
//!
//! No variant carries a value from a file or variable, only names and places: the value may be a key.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::fault::{Explain, Kind};
use crate::config::origin::{Layer, Origin};

/// Why settings or a key could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no home folder to look in.
    #[error("`HOME` {problem}")]
    NoHome {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file is there and cannot be read.
    #[error("cannot read `{}`", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is larger than any sensible one.
    #[error("`{}` is larger than {limit_bytes} bytes", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The limit.
        limit_bytes: u64,
    },
    /// A file is not text.
    #[error("`{}` is not UTF-8 text (line {line})", file.display())]
    NotUtf8 {
        /// The file.
        file: PathBuf,
        /// Line of the first wrong byte.
        line: usize,
    },
    /// Others could change or read a file that must be safe from them.
    #[error("`{}` {problem}", file.display())]
    Exposed {
        /// The file.
        file: PathBuf,
        /// Who can do what.
        problem: String,
        /// The command that mends it.
        command: String,
    },
    /// The text is not the YAML we read.
    #[error("{problem} ({origin})")]
    Syntax {
        /// What the parser says.
        problem: String,
        /// Where.
        origin: Origin,
    },
    /// There is no such key.
    #[error("unknown key `{key}` ({origin})")]
    UnknownKey {
        /// Path of the key.
        key: String,
        /// The valid key nearest in spelling.
        nearest: Option<String>,
        /// Where.
        origin: Origin,
    },
    /// A value cannot be used.
    #[error("`{key}` {problem} ({origin})")]
    WrongValue {
        /// Path of the key.
        key: String,
        /// What is wrong, to be read after the key.
        problem: String,
        /// Where.
        origin: Origin,
    },
    /// A project's file sets what only its user may set.
    #[error("`{key}` cannot be set by a project ({origin})")]
    Protected {
        /// Path of the key.
        key: String,
        /// Where.
        origin: Origin,
        /// The user's own file, where it may stand.
        user_file: PathBuf,
    },
    /// What was agreed to in a project is not what mimi wrote.
    #[error("`{}` is broken: {problem}", file.display())]
    BadTrust {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A variable cannot be used.
    #[error("`{name}` {problem}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong, to be read after the name.
        problem: String,
    },
    /// A key for a server cannot be sent in a header.
    #[error("the key from {place} {problem}")]
    UnusableKey {
        /// Where it was found.
        place: String,
        /// What is wrong, to be read after the place.
        problem: &'static str,
    },
    /// A provider cannot have this name.
    #[error("`{name}` cannot be the name of a provider: use letters, digits, `-` and `_`")]
    ProviderName {
        /// The name.
        name: String,
    },
    /// The compiled-in tables are broken; a test prevents it.
    #[error("the compiled-in `{file}` is broken: {problem}")]
    BuiltIn {
        /// The table.
        file: &'static str,
        /// Why.
        problem: String,
    },
}

impl Explain for ConfigError {
    fn kind(&self) -> Kind {
        match self {
            Self::BuiltIn { .. } => Kind::Bug,
            Self::UnknownKey { origin, .. } | Self::WrongValue { origin, .. } | Self::Syntax { origin, .. }
                if origin.layer == Layer::Flag =>
            {
                Kind::Usage
            }
            _ => Kind::Config,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoHome { .. } => vec!["export HOME=/path/to/your/home".to_owned()],
            Self::Unreadable { file, .. } => vec![format!("ls -ld {}", quoted(file))],
            Self::Unwritable { file, .. } => {
                vec![format!("ls -ld {}", quoted(file.parent().unwrap_or(Path::new("/"))))]
            }
            Self::TooLarge { file, .. } => vec![format!("ls -l {}", quoted(file))],
            Self::NotUtf8 { file, .. } => vec![format!("file {}", quoted(file))],
            Self::Exposed { command, .. } => vec![command.clone()],
            Self::UnknownKey { nearest: Some(key), origin, .. } => vec![nearest_hint(key, origin)],
            Self::UnknownKey { nearest: None, .. } => vec!["mimi config show lists every key".to_owned()],
            Self::BadTrust { .. } => vec!["mimi trust forget".to_owned()],
            Self::Protected { user_file, .. } => vec![
                format!("only you may say so: move the line to {}", quoted(user_file)),
                "mimi config edit".to_owned(),
            ],
            Self::UnusableKey { .. } => vec!["mimi auth set PROVIDER".to_owned()],
            Self::Syntax { origin, .. } | Self::WrongValue { origin, .. } if origin.layer == Layer::User => {
                vec!["mimi config edit".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

fn nearest_hint(key: &str, origin: &Origin) -> String {
    if origin.layer == Layer::Env { format!("export {key}=...") } else { format!("did you mean `{key}`?") }
}

/// Returns a path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@:,~".contains(c)) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
