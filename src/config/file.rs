//! How is a file of settings or keys read without trusting it?
//!
//! What is opened is what is judged: size, owner and mode are those of the open file. A file that is not there is no error.

use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::base::path::{open_regular, user_id};
use crate::config::error::{ConfigError, quoted};

/// Largest settings or credentials file that is read. Long ones are some kilobytes.
pub const MAX_FILE_BYTES: u64 = 256 * 1024;

/// From whom a file must be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Anybody may have written it; its content is judged instead.
    Open,
    /// Its group may share it, not everybody: many systems give each user a group of their own.
    Own,
    /// Only root and the user may have written it: it can redirect every request.
    Unaltered,
    /// Only the user may have written or read it: it holds keys.
    Private,
}

/// Reads a text file; `None` when it does not exist.
///
/// # Errors
/// It is a folder or device, cannot be read, is too large, is not UTF-8, or fails its guard.
pub fn read(path: &Path, guard: Guard) -> Result<Option<String>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { file: path.to_path_buf(), source };
    let (file, meta) = match open_regular(path) {
        Ok(opened) => opened,
        // `.mimi` may be a plain file of the project; then there is no `.mimi/config.yaml`.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error)),
    };
    if let Some((problem, command)) = exposure(guard, &File { owner: meta.uid(), mode: meta.mode() }, user_id()) {
        let command = format!("{command} {}", quoted(path));
        return Err(ConfigError::Exposed { file: path.to_path_buf(), problem: problem.to_owned(), command });
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ConfigError::TooLarge { file: path.to_path_buf(), limit_bytes: MAX_FILE_BYTES });
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let line =
            1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        ConfigError::NotUtf8 { file: path.to_path_buf(), line }
    })
}

/// What decides whether others can touch a file.
struct File {
    owner: u32,
    mode: u32,
}

/// Returns what is wrong with owner or mode, and the command that mends it.
fn exposure(guard: Guard, file: &File, user: u32) -> Option<(&'static str, &'static str)> {
    match guard {
        Guard::Unaltered if file.owner != 0 && file.owner != user => {
            Some(("belongs to another user, who could redirect your requests", "sudo chown root"))
        }
        Guard::Unaltered if file.mode & 0o022 != 0 => {
            Some(("can be changed by others than its owner", "sudo chmod go-w"))
        }
        Guard::Private if file.owner != user => Some(("belongs to another user", "sudo chown \"$(id -u)\"")),
        Guard::Private if file.mode & 0o077 != 0 => Some(("holds keys and can be read by others", "chmod 600")),
        Guard::Own if file.mode & 0o002 != 0 => Some(("can be changed by every user of this machine", "chmod o-w")),
        Guard::Open | Guard::Own | Guard::Unaltered | Guard::Private => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_others_could_touch_are_refused_by_owner_and_mode() {
        let table = [
            (Guard::Open, 7, 0o666, None),
            (Guard::Unaltered, 0, 0o644, None),
            (Guard::Unaltered, 1000, 0o644, None),
            (Guard::Unaltered, 7, 0o644, Some("sudo chown root")),
            (Guard::Unaltered, 0, 0o664, Some("sudo chmod go-w")),
            (Guard::Unaltered, 0, 0o646, Some("sudo chmod go-w")),
            (Guard::Own, 1000, 0o664, None),
            (Guard::Own, 1000, 0o666, Some("chmod o-w")),
            (Guard::Private, 1000, 0o600, None),
            (Guard::Private, 1000, 0o640, Some("chmod 600")),
            (Guard::Private, 1000, 0o604, Some("chmod 600")),
            (Guard::Private, 0, 0o600, Some("sudo chown \"$(id -u)\"")),
        ];
        for (guard, owner, mode, expected) in table {
            let found = exposure(guard, &File { owner, mode }, 1000).map(|(_, command)| command);
            assert_eq!(found, expected, "{guard:?} {owner} {mode:o}");
        }
    }
}
