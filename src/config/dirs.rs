//! In which folders does mimi keep its own files?
//!
//! By the XDG base directory specification: its variables, else folders below the home folder. Only names them: a folder is
//! created, for its owner alone, by whoever first writes into it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::base::path::{PRIVATE_DIR, set_mode, user_id};
use crate::config::env::Env;
use crate::config::error::{ConfigError, quoted};

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

    /// Makes sure that nobody else can put anything into mimi's own folders, and that nobody else can look into those it
    /// makes. Links are followed: what they lead to is judged. What is missing is made later, private from the start.
    ///
    /// # Errors
    /// A folder, or one directly in it, belongs to somebody else or can be changed by others.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (folder, ownership) in [
            // Settings may be an administrator's; nothing is written there unasked.
            (&self.config, Ownership::OrRoot),
            (&self.state, Ownership::Own),
            (&self.cache, Ownership::Own),
        ] {
            check_folder(folder, ownership)?;
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                check_folder(&entry.path(), ownership)?;
            }
        }
        for folder in [&self.state, &self.cache] {
            let is_open = std::fs::metadata(folder).is_ok_and(|meta| meta.mode() & 0o077 != 0);
            if is_open {
                // On file systems without modes there is nothing to be done.
                drop(set_mode(folder, PRIVATE_DIR));
            }
        }
        Ok(())
    }

    /// Returns the path of the user's settings file.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.yaml")
    }

    /// Returns the path of the user's rules.
    pub fn rules_file(&self) -> PathBuf {
        self.config.join("policy.yaml")
    }

    /// Returns the path of the user's own forms of secrets.
    pub fn formats_file(&self) -> PathBuf {
        self.config.join("secrets.yaml")
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

/// Whose a folder may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ownership {
    /// The user's.
    Own,
    /// The user's or root's.
    OrRoot,
}

/// Fails when others can put something into a folder; what is no folder, or not there, holds nothing.
fn check_folder(folder: &Path, ownership: Ownership) -> Result<(), ConfigError> {
    let Some(meta) = std::fs::metadata(folder).ok().filter(std::fs::Metadata::is_dir) else { return Ok(()) };
    let is_ours = meta.uid() == user_id() || (ownership == Ownership::OrRoot && meta.uid() == 0);
    let (problem, command) = if !is_ours {
        (format!("belongs to another user (number {}), who could change what mimi keeps there", meta.uid()), "ls -ld")
    } else if meta.mode() & 0o022 != 0 {
        ("can be changed by others than its owner".to_owned(), "chmod go-w")
    } else {
        return Ok(());
    };
    let command = format!("{command} {}", quoted(folder));
    Err(ConfigError::Exposed { file: folder.to_path_buf(), problem, command })
}

fn absolute(env: &Env, variable: &str) -> Option<PathBuf> {
    let path = env.get_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())?;
    // A sandbox cannot be built around `..`.
    let is_plain = !path.components().any(|part| part == std::path::Component::ParentDir);
    Some(if is_plain { path } else { path.canonicalize().unwrap_or(path) })
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
    fn a_home_with_two_dots_is_named_without() {
        let home = tempfile::tempdir().unwrap();
        let plain = home.path().canonicalize().unwrap();
        std::fs::create_dir(plain.join("sub")).unwrap();
        let dotted = plain.join("sub").join("..");
        let dirs = Dirs::from_env(&Env::from_pairs([("HOME", dotted.to_str().unwrap())])).unwrap();
        assert_eq!(dirs.state, plain.join(".local/state/mimi"));
    }

    #[test]
    fn folders_others_can_change_are_refused_and_open_ones_closed() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::from_env(&Env::from_pairs([("HOME", home.path().to_str().unwrap())])).unwrap();
        dirs.check().unwrap();
        let state = |mode: u32| {
            std::fs::create_dir_all(dirs.sessions()).unwrap();
            set_mode(&dirs.state, mode).unwrap();
        };
        state(0o755);
        dirs.check().unwrap();
        assert_eq!(std::fs::metadata(&dirs.state).unwrap().mode() & 0o777, 0o700);
        for folder in [dirs.state.clone(), dirs.sessions()] {
            set_mode(&folder, 0o770).unwrap();
            let fault = Fault::from(dirs.check().unwrap_err());
            assert_eq!(fault.kind.exit_code(), 3);
            assert!(fault.message.contains("can be changed by others"), "{fault}");
            assert_eq!(fault.hints, [format!("chmod go-w {}", folder.display())]);
            set_mode(&folder, 0o700).unwrap();
        }
        // The same behind a link.
        let elsewhere = tempfile::tempdir().unwrap();
        set_mode(elsewhere.path(), 0o777).unwrap();
        std::fs::create_dir_all(dirs.cache.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), &dirs.cache).unwrap();
        assert!(dirs.check().is_err());
        set_mode(elsewhere.path(), 0o700).unwrap();
        dirs.check().unwrap();
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
