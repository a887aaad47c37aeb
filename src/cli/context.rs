//! What does every command know about where it runs?
//!
//! Built once from the process; tests build it from folders of their own. Must not hold settings: a command that needs
//! them calls [`Cx::load`], so that `mimi config edit` works while they are broken.

use std::path::PathBuf;

use crate::base::fault::{Fault, Kind};
use crate::cli::output::Out;
use crate::config::dirs::Dirs;
use crate::config::env::Env;
use crate::config::layer::{Loaded, Sources, load_or_problems};

/// The surroundings of a command.
#[derive(Debug, Clone)]
pub struct Cx {
    /// The environment at the start.
    pub env: Env,
    /// The user's folders.
    pub dirs: Dirs,
    /// The machine's settings file.
    pub system_file: PathBuf,
    /// The folder mimi works in.
    pub workspace_root: PathBuf,
    /// Settings from the command line: key path and value.
    pub flags: Vec<(String, String)>,
    /// Where output goes.
    pub out: Out,
}

impl Cx {
    /// Returns the places settings are read from.
    pub fn sources(&self) -> Sources<'_> {
        Sources {
            env: &self.env,
            dirs: &self.dirs,
            system_file: &self.system_file,
            project_root: Some(&self.workspace_root),
            flags: self.flags.clone(),
        }
    }

    /// Reads the settings; warnings become remarks.
    ///
    /// # Errors
    /// The first problem of the settings; a hint says how to see the others.
    pub fn load(&self) -> Result<Loaded, Fault> {
        let loaded = load_or_problems(&self.sources()).map_err(|problems| {
            let n_problems = problems.len();
            let first = problems.into_iter().next().map(Fault::from);
            let fault = first.unwrap_or_else(|| Fault::new(Kind::Bug, "no problem named"));
            if n_problems > 1 {
                fault.hint(format!("mimi config check lists all {n_problems} problems"))
            } else {
                fault
            }
        })?;
        for warning in &loaded.warnings {
            self.out.note(format!("warning: {warning}"));
        }
        Ok(loaded)
    }
}
