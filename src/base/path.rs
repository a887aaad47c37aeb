//! Where may a path point, and how is a file written so that a crash cannot tear it?
//!
//! The only room that writes files. The user's own files come here through `edit`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use crate::base::umask;

/// Mode of files only their owner may read.
pub const PRIVATE_FILE: u32 = 0o600;
/// Mode of folders only their owner may enter.
pub const PRIVATE_DIR: u32 = 0o700;

/// A path a model or user named, resolved against the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Absolute, with every symbolic link of its existing part followed.
    pub absolute: PathBuf,
    /// Relative to the workspace when inside it.
    pub relative: Option<PathBuf>,
}

impl Resolved {
    /// Says whether the path lies in the workspace after following links.
    pub fn is_inside(&self) -> bool {
        self.relative.is_some()
    }

    /// Returns the shortest honest name: relative inside the workspace, absolute outside it.
    pub fn display(&self) -> String {
        match &self.relative {
            Some(path) if path.as_os_str().is_empty() => ".".to_owned(),
            Some(path) => path.display().to_string(),
            None => self.absolute.display().to_string(),
        }
    }
}

/// Resolves `given` against `root`, following the links of the part that exists.
///
/// `root` must be canonical. Never fails: what cannot be followed is resolved by its text, which is then judged.
pub fn resolve(root: &Path, given: &Path) -> Resolved {
    let absolute = follow_existing(&normalise(&root.join(given)));
    let relative = absolute.strip_prefix(root).map(Path::to_path_buf).ok();
    Resolved { absolute, relative }
}

/// Removes `.` and `..` by text alone.
fn normalise(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Canonicalises the longest existing ancestor and keeps the rest as text.
fn follow_existing(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut current = path;
    loop {
        if let Ok(real) = current.canonicalize() {
            return missing.iter().rev().fold(real, |path, name| path.join(name));
        }
        // A dangling link is followed by its text: writing through it would create the target.
        if let Ok(target) = current.read_link() {
            let base = current.parent().unwrap_or(Path::new("/"));
            let next = normalise(&base.join(target));
            if next != current && missing.len() < 64 {
                let rest = missing.iter().rev().fold(next, |path: PathBuf, name| path.join(name));
                return if rest == path { rest } else { follow_existing_bounded(&rest, 16) };
            }
        }
        let (Some(parent), Some(name)) = (current.parent(), current.file_name()) else {
            return path.to_path_buf();
        };
        missing.push(name.to_owned());
        current = parent;
    }
}

/// Follows a chain of dangling links, a bounded number of times, because a chain may be a ring.
fn follow_existing_bounded(path: &Path, left: u32) -> PathBuf {
    match path.read_link() {
        Ok(target) if left > 0 => {
            let base = path.parent().unwrap_or(Path::new("/"));
            follow_existing_bounded(&normalise(&base.join(target)), left - 1)
        }
        _ => match (path.parent().and_then(|parent| parent.canonicalize().ok()), path.file_name()) {
            (Some(parent), Some(name)) => parent.join(name),
            _ => path.to_path_buf(),
        },
    }
}

/// Creates a folder, and its parents, that only the user may enter.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(PRIVATE_DIR).create(path)
}

/// Creates a folder, and its parents, with the modes the user's umask gives.
pub fn create_dirs(path: &Path) -> io::Result<()> {
    umask::create_dirs(path)
}

/// Opens a file for reading without ever waiting: a FIFO put in its place since the caller looked would block.
pub fn open_read(path: &Path) -> io::Result<File> {
    // From <fcntl.h>: Linux on the platforms mimi is built for, and macOS.
    const O_NONBLOCK: i32 = if cfg!(target_os = "linux") { 0o4000 } else { 0x4 };
    OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path)
}

/// Replaces the content of `path` so that readers and crashes see the old bytes or the new, never a mixture.
///
/// Which of the two a power cut leaves is not known before the folder is synced: [`sync_parent`], for what must not come
/// back. Mode and, where the system lets us, owner of an existing file are kept; a new file gets `mode` less the umask.
/// The temporary file lies in the same folder.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.to_string_lossy();
    let temporary = folder.join(format!("{}{}", temporary_prefix(&name), std::process::id()));
    let result = write_and_rename(&temporary, path, bytes, mode);
    if result.is_err() {
        drop(std::fs::remove_file(&temporary));
    }
    result
}

/// Removes what [`write_atomic`] to `path` left beside it when its process was killed; what cannot be removed stays.
pub fn remove_left_overs(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let prefix = temporary_prefix(&name.to_string_lossy());
    let is_over = |entry: &std::fs::DirEntry| {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(&prefix)).and_then(|pid| pid.parse().ok());
        pid.and_then(rustix::process::Pid::from_raw)
            .is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
    };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().filter(is_over) {
        drop(std::fs::remove_file(entry.path()));
    }
}

/// Returns how the names of temporary files for `name` begin; the number of the process follows. Names may have 255 bytes;
/// the temporary one must not outgrow that.
fn temporary_prefix(name: &str) -> String {
    format!(".{}.mimi-", crate::base::text::prefix(name, 200))
}

/// Writes a new private file piece by piece, which appears under its name only when `fill` is done and all is on disk.
///
/// For files too long to hold in memory. Replaces a file of that name. A crash leaves a hidden file in the folder.
pub fn stream_atomic(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.mimi-{}", std::process::id()));
    let result = stream_and_rename(&temporary, path, fill);
    if result.is_err() {
        drop(std::fs::remove_file(&temporary));
    }
    result?;
    sync_parent(path);
    Ok(())
}

fn stream_and_rename(
    temporary: &Path,
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = io::BufWriter::new(create_private(temporary)?);
    fill(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(temporary, path)
}

/// Makes the names in the folder of `path` durable; file systems that cannot sync a folder are no reason to fail.
pub fn sync_parent(path: &Path) {
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        drop(folder.sync_all());
    }
}

/// Opens an existing file for reading and for appending; fails when it does not exist.
pub fn open_existing_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).open(path)
}

/// Removes a file, durably.
pub fn remove_file(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)?;
    sync_parent(path);
    Ok(())
}

/// Removes a folder with all that is in it; one that is not there is as good.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Copies a folder with all that is in it: files with their modes, links as links. Pipes, sockets and devices are left out.
pub fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, target)?;
        } else if kind.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if kind.is_file() {
            let (mut source, meta) = open_regular(&entry.path())?;
            let mode = meta.permissions().mode() & 0o7777;
            let mut copy = OpenOptions::new().write(true).create_new(true).mode(mode).open(&target)?;
            io::copy(&mut source, &mut copy)?;
            set_mode(&target, mode)?;
        }
    }
    set_mode(to, from.metadata()?.permissions().mode() & 0o7777 | 0o700)
}

/// Creates the missing folders above a file of the user's, with the modes the user's umask gives.
pub fn create_parents(path: &Path) -> io::Result<()> {
    // A bare name has an empty parent, and that is no folder.
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), umask::create_dirs)
}

/// Writes a file where it lies, making it when missing: through links, and torn when mimi is killed meanwhile. For what must
/// do as another program does; everything else takes [`write_atomic`].
pub fn write_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let is_new = path.symlink_metadata().is_err();
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    if is_new {
        umask::apply(&file, 0o666)?;
    }
    file.write_all(bytes)
}

/// Gives a file exactly these permission bits, whatever the umask.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Marks a file as used at `now`, so that whatever deletes old files keeps it.
pub fn touch(path: &Path, now: std::time::SystemTime) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.set_modified(now)
}

/// Marks a private file as used now, creating it when missing.
pub fn touch_new(path: &Path) -> io::Result<()> {
    open_append(path)?.set_modified(std::time::SystemTime::now())
}

fn write_and_rename(temporary: &Path, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let old = std::fs::metadata(path).ok();
    let mode = old.as_ref().map_or(mode, |old| old.permissions().mode() & 0o7777);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(temporary).or_else(|error| {
        // A left-over of a crash under a process id that came round again.
        if error.kind() != io::ErrorKind::AlreadyExists {
            return Err(error);
        }
        std::fs::remove_file(temporary)?;
        OpenOptions::new().write(true).create_new(true).mode(mode).open(temporary)
    })?;
    if let Some(old) = old {
        // Only root may give a file away; for everybody else this changes nothing or at most the group. Before the
        // mode, because a change of owner clears the set-id bits.
        drop(std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid())));
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    } else if mode != PRIVATE_FILE {
        umask::apply(&file, mode)?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(temporary, path)
}

/// Returns the numeric id of the user this process acts as.
pub fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens an existing regular file for reading; never waits on a pipe that lies where a file is expected.
///
/// The metadata is that of the opened file, so that what is judged is what is read.
pub fn open_regular(path: &Path) -> io::Result<(File, std::fs::Metadata)> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    Ok((file, meta))
}

/// Opens a private file for appending, creating it when missing.
pub fn open_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(PRIVATE_FILE).open(path)
}

/// Creates a file of the user's for writing piece by piece, with the mode the umask gives; what it held is gone.
pub fn create_anew(path: &Path) -> io::Result<File> {
    create_parents(path)?;
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

/// Adds to a file of somebody else's, which is made when missing.
pub fn append_to(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(bytes)
}

/// Creates a new private file for writing; fails when it exists.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_dots_cannot_hide_where_a_path_leads() {
        let outside = tempfile::tempdir().unwrap();
        let inside = tempfile::tempdir().unwrap();
        let root = inside.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("src")).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("out")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("new.txt"), root.join("dangling")).unwrap();
        std::os::unix::fs::symlink("ring", root.join("ring")).unwrap();
        let table = [
            ("src/a.rs", true),
            ("./src/../src/new/b.rs", true),
            ("../x", false),
            ("/etc/passwd", false),
            ("out/x", false),
            ("out/../../x", false),
            ("dangling", false),
            ("ring", true),
            ("", true),
        ];
        for (given, expected) in table {
            assert_eq!(resolve(&root, Path::new(given)).is_inside(), expected, "{given}");
        }
    }

    #[test]
    fn left_overs_of_dead_processes_go_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let own = format!(".a.rs.mimi-{}", std::process::id());
        // No process has this number: Linux and macOS count below it.
        for name in [".a.rs.mimi-2000000000", ".b.rs.mimi-2000000000", ".a.rs.mimi-x", "a.rs", &own] {
            write_atomic(&folder.path().join(name), b"", PRIVATE_FILE).unwrap();
        }
        remove_left_overs(&folder.path().join("a.rs"));
        let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        let mut expected = vec![".a.rs.mimi-x", ".b.rs.mimi-2000000000", own.as_str(), "a.rs"];
        expected.sort_unstable();
        assert_eq!(left, expected);
    }

    #[test]
    fn a_rewrite_keeps_the_mode_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.sh");
        write_atomic(&path, b"one", 0o755).unwrap();
        write_atomic(&path, b"two", PRIVATE_FILE).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
