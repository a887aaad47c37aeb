//! How are links and folders put in place, as files are by [`crate::base::path`]?
//!
//! What was there is replaced at once or stays. Nothing here follows a link.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use crate::base::path::{PRIVATE_FILE, set_mode, stream_atomic, sync_parent};

/// Puts a symbolic link in place of a file, a link or nothing; fails where a folder is.
pub fn write_link(path: &Path, target: &Path) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.to_string_lossy();
    let name = crate::base::text::prefix(&name, 200);
    let temporary = path.with_file_name(format!(".{name}.mimi-{}", std::process::id()));
    drop(std::fs::remove_file(&temporary));
    std::os::unix::fs::symlink(target, &temporary)?;
    let result = std::fs::rename(&temporary, path);
    if result.is_err() {
        drop(std::fs::remove_file(&temporary));
    }
    result?;
    sync_parent(path);
    Ok(())
}

/// Creates a folder with exactly these permission bits, whatever the umask; its parent must exist.
pub fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(mode).create(path)?;
    set_mode(path, mode)?;
    sync_parent(path);
    Ok(())
}

/// Removes a folder that holds nothing.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    std::fs::remove_dir(path)?;
    sync_parent(path);
    Ok(())
}

/// Gives a file of ours a second name, so that it outlives being replaced under the first; a copy where the file system
/// knows no second names.
pub fn second_name(path: &Path, second: &Path) -> io::Result<()> {
    if std::fs::hard_link(path, second).is_ok() {
        return Ok(());
    }
    let mut file = std::fs::File::open(path)?;
    stream_atomic(second, |out| io::copy(&mut file, out).map(drop))
}

/// Moves a file of ours to another name of the same file system, replacing what is there, durably.
pub fn rename(path: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(path, to)?;
    sync_parent(to);
    Ok(())
}

/// Opens a private file that processes lock to keep out of each other's way, creating it when missing.
pub fn open_lock(path: &Path) -> io::Result<std::fs::File> {
    crate::base::path::open_append(path)
}

/// Writes a new private file whole, durably.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    crate::base::path::write_atomic(path, bytes, PRIVATE_FILE)?;
    sync_parent(path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn links_replace_what_is_no_folder_and_folders_get_their_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "text").unwrap();
        write_link(&path, Path::new("nowhere")).unwrap();
        write_link(&path, Path::new("elsewhere")).unwrap();
        assert_eq!(path.read_link().unwrap(), Path::new("elsewhere"));
        let below = folder.path().join("below");
        make_folder(&below, 0o775).unwrap();
        assert_eq!(below.metadata().unwrap().permissions().mode() & 0o7777, 0o775);
        assert!(write_link(&below, Path::new("x")).is_err());
        assert!(remove_folder(folder.path()).is_err(), "it is not empty");
        remove_folder(&below).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing left behind");
    }

    #[test]
    fn a_second_name_keeps_what_the_first_one_loses() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        write_private(&first, b"one").unwrap();
        second_name(&first, &second).unwrap();
        write_private(&first, b"two").unwrap();
        assert_eq!(std::fs::read(&second).unwrap(), b"one");
        rename(&second, &first).unwrap();
        assert_eq!(std::fs::read(&first).unwrap(), b"one");
    }
}
