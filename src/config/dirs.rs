//! In which folders does mimi keep its own files?
//!
//! By the XDG base directory specification: its variables, else folders below the home folder. Only names them: a folder is
//! created, for its owner alone, by whoever first writes into it.

use std::path::{Path, PathBuf};

use crate::config::env::Env;
use crate::config::error::ConfigError;

/// The settings file of the whole machine.
pub const SYSTEM_FILE: &str = "/etc/mimi/config.yaml";
/// The rules of the whole machine.
pub const SYSTEM_RULES: &str = "/etc/mimi/policy.yaml";
/// The rules of a project, below its root.
pub const PROJECT_RULES: &str = ".mimi/policy.yaml";
/// The settings file of a project, below its root.
pub const PROJECT_FILE: &str = ".mimi/config.yaml";

/// The folders of the person at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    /// The home folder.
    pub home: PathBuf,
    /// `config.yaml` and `credentials.yaml`.
    pub config: PathBuf,
    /// Sessions and the usage ledger: to be kept.
    pub state: PathBuf,
    /// Index and response cache: may be deleted at any time.
    pub cache: PathBuf,
}

impl Dirs {
    /// Reads `HOME`, `XDG_CONFIG_HOME`, `XDG_STATE_HOME` and `XDG_CACHE_HOME`.
    ///
    /// # Errors
    /// `HOME` is unset, empty or relative. There is no guess: files of a wrong person are worse than none.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let home = absolute(env, "HOME").ok_or_else(|| ConfigError::NoHome { problem: home_problem(env) })?;
        let folder = |variable: &str, below_home: &str| {
            // The specification: a path that is not absolute is to be ignored.
            absolute(env, variable).unwrap_or_else(|| home.join(below_home)).join("mimi")
        };
        Ok(Self {
            config: folder("XDG_CONFIG_HOME", ".config"),
            state: folder("XDG_STATE_HOME", ".local/state"),
            cache: folder("XDG_CACHE_HOME", ".cache"),
            home,
        })
    }

    /// Returns the path of the user's settings file.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.yaml")
    }

    /// Returns the path of the user's rules.
    pub fn rules_file(&self) -> PathBuf {
        self.config.join("policy.yaml")
    }

    /// Returns the path of the file that holds keys where there is no keyring.
    pub fn credentials_file(&self) -> PathBuf {
        self.config.join("credentials.yaml")
    }

    /// Returns the folder of the session files.
    pub fn sessions(&self) -> PathBuf {
        self.state.join("sessions")
    }

    /// Returns the folder of the files as they were before they were changed.
    pub fn checkpoints(&self) -> PathBuf {
        self.state.join("checkpoints")
    }

    /// Returns the folder where running processes write down their temporary files.
    pub fn pending(&self) -> PathBuf {
        self.state.join("pending")
    }

    /// Returns the folder of the locks that count requests under way, one folder a process tree.
    pub fn slots(&self) -> PathBuf {
        self.state.join("slots")
    }

    /// Returns the folder of the rules agreed to for always, one file a repository.
    pub fn agreed(&self) -> PathBuf {
        self.state.join("rules")
    }

    /// Returns the folder of what projects were trusted with, one file a project.
    pub fn trust(&self) -> PathBuf {
        self.state.join("trust")
    }

    /// Returns the folder of outputs too long for the model, one folder a session.
    pub fn outputs(&self) -> PathBuf {
        self.state.join("out")
    }

    /// Returns the folder of what was measured about models.
    pub fn profiles(&self) -> PathBuf {
        self.cache.join("profiles")
    }

    /// Returns the path of the usage ledger.
    pub fn ledger_file(&self) -> PathBuf {
        self.state.join("usage.db")
    }

    /// Returns the path of the file with what was found out about model servers.
    pub fn servers_file(&self) -> PathBuf {
        self.cache.join("servers.json")
    }

    /// Returns the path of the file with the lines typed in chats.
    pub fn history_file(&self) -> PathBuf {
        self.state.join("history")
    }
}

fn absolute(env: &Env, variable: &str) -> Option<PathBuf> {
    env.get_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn home_problem(env: &Env) -> &'static str {
    match env.get_os("HOME") {
        None if env.is_set("HOME") => "is empty",
        None => "is not set",
        Some(path) if Path::new(path).is_relative() => "is not an absolute path",
        Some(_) => "cannot be used",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fault::Fault;

    #[test]
    fn folders_follow_xdg_and_ignore_what_it_says_to_ignore() {
        let table = [
            (vec![("HOME", "/home/a")], "/home/a/.config/mimi", "/home/a/.local/state/mimi", "/home/a/.cache/mimi"),
            (
                vec![("HOME", "/home/a"), ("XDG_CONFIG_HOME", "/c"), ("XDG_STATE_HOME", ""), ("XDG_CACHE_HOME", "rel")],
                "/c/mimi",
                "/home/a/.local/state/mimi",
                "/home/a/.cache/mimi",
            ),
        ];
        for (pairs, config, state, cache) in table {
            let dirs = Dirs::from_env(&Env::from_pairs(pairs)).unwrap();
            assert_eq!((dirs.config, dirs.state, dirs.cache), (config.into(), state.into(), cache.into()));
        }
    }

    #[test]
    fn no_usable_home_is_an_error_that_says_what_to_type() {
        let table = [
            (Env::default(), "is not set"),
            (Env::from_pairs([("HOME", "")]), "is empty"),
            (Env::from_pairs([("HOME", "rel")]), "is not an absolute path"),
        ];
        for (env, problem) in table {
            let fault = Fault::from(Dirs::from_env(&env).unwrap_err());
            assert!(fault.message.contains(problem) && fault.hints[0].contains("export HOME="), "{fault}");
        }
    }
}
