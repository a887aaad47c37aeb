//! What does every command know?

use std::path::{Path, PathBuf};

use crate::app::App;
use crate::base::fault::{Fault, Kind};
use crate::cli::Global;
use crate::cli::output::Out;
use crate::config::dirs::Dirs;
use crate::config::env::Env;
use crate::config::layer::{self, Loaded, Sources};

/// Where the administrator's settings are.
pub const SYSTEM_FILE: &str = "/etc/mimi/config.yaml";

/// The environment, the folders and the options of every command.
pub struct Cx {
    /// The environment at the start.
    pub env: Env,
    /// Where mimi keeps things.
    pub dirs: Dirs,
    /// The folder worked in.
    pub workspace_root: PathBuf,
    /// Where output goes.
    pub out: Out,
    /// The options of every command.
    pub global: Global,
}

impl Cx {
    /// Reads what every command needs; loads no configuration yet.
    pub fn new(env: Env, global: Global) -> Result<Self, Fault> {
        let workspace_root = match &global.cwd {
            Some(folder) => folder.clone(),
            None => std::env::current_dir()
                .map_err(|error| Fault::io(Kind::Usage, "the present folder is gone", &error))?,
        };
        let workspace_root = workspace_root.canonicalize().map_err(|error| {
            Fault::io(Kind::Usage, format!("cannot work in `{}`", workspace_root.display()), &error)
        })?;
        let dirs = Dirs::from_env(&env)?;
        let out = Out::new(&env, &global);
        Ok(Self { env, dirs, workspace_root, out, global })
    }

    /// Loads the configuration from all layers and says what is odd about it.
    pub fn load(&self) -> Result<Loaded, Fault> {
        let loaded = layer::load(&Sources {
            env: &self.env,
            dirs: &self.dirs,
            system_file: Path::new(SYSTEM_FILE),
            project_root: Some(&self.workspace_root),
            flags: self.flags()?,
        })?;
        for warning in &loaded.warnings {
            self.out.note(warning);
        }
        Ok(loaded)
    }

    /// Loads the configuration and puts everything together.
    pub fn app(&self) -> Result<App, Fault> {
        let loaded = self.load()?;
        App::new(loaded.config, &self.env, self.dirs.clone(), &self.workspace_root)
    }

    fn flags(&self) -> Result<Vec<(String, String)>, Fault> {
        let mut flags = Vec::new();
        for text in &self.global.set {
            let (key, value) = text.split_once('=').ok_or_else(|| {
                Fault::new(Kind::Usage, format!("`--set {text}` has no value")).hint("--set agent.max_steps=20")
            })?;
            flags.push((key.trim().to_owned(), value.trim().to_owned()));
        }
        Ok(flags)
    }
}

/// Builds the runtime a command runs its agent on: one thread is enough, and keeps a session small.
pub fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::io(Kind::Bug, "cannot start the runtime", &error))
}
