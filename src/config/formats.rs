//! What else does this user's company call a secret?
//!
//! `secrets.yaml` beside the user's `config.yaml`: rows as in `config/secrets.yaml`, which add to those. A row that does not
//! find its own examples stops mimi with its line: a secret looked for in vain would be sent.

use crate::base::secrets::{self, Table};
use crate::config::dirs::Dirs;
use crate::config::error::ConfigError;
use crate::config::file::{Guard, read};
use crate::config::origin::{Layer, Source};

/// Reads the file, if there is one, and looks for what it says from now on.
///
/// # Errors
/// It cannot be read, others may change it, or a row of it does not do what it says.
pub fn load(dirs: &Dirs) -> Result<(), ConfigError> {
    let file = dirs.formats_file();
    let Some(text) = read(&file, Guard::Unaltered)? else { return Ok(()) };
    let rows = Table::parse(&text).map_err(|error| ConfigError::Syntax {
        problem: error.why.clone(),
        origin: Source::new(Layer::User, file.display().to_string()).origin(error.line, 1),
    })?;
    secrets::add(rows);
    Ok(())
}
