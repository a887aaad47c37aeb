//! What can be wrong with rules, and what does the user type then?

use crate::base::fault::{Explain, Kind};
use crate::config::error::ConfigError;

/// Why a policy cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A rule cannot be read.
    #[error("the rule `{rule}` is not understood: {why}")]
    BadRule {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file of rules cannot be used.
    #[error("the rules of `{file}` are not used, so nothing is: line {line}: {why}")]
    BadFile {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A file of rules cannot be read.
    #[error("the rules cannot be read")]
    Unreadable {
        /// Why.
        #[source]
        source: Box<ConfigError>,
    },
    /// The compiled-in table is broken.
    #[error("config/policy.yaml is broken: {0}")]
    Table(String),
}

impl Explain for PolicyError {
    fn kind(&self) -> Kind {
        match self {
            Self::BadRule { .. } | Self::BadFile { .. } => Kind::Config,
            Self::Unreadable { source } => source.kind(),
            Self::Table(_) => Kind::Bug,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::BadFile { file, line, .. } => vec![format!("$EDITOR +{line} {file}")],
            Self::Unreadable { source } => source.hints(),
            Self::BadRule { .. } | Self::Table(_) => vec![
                "rules look like `shell:cargo test`, `shell:make *`, `write:src/**`, `read:/etc/hosts`, `git:commit`"
                    .to_owned(),
            ],
        }
    }
}
