//! How is a file reached so that nobody can lead us elsewhere while we work on it?
//!
//! Through a descriptor of its folder: whatever is renamed or exchanged for a link afterwards, names are looked up in that
//! very folder. No symbolic link is followed on the way, so the caller follows them first and has the result judged; a link
//! put there since is an error (`ELOOP`), never a detour.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    Access, AtFlags, CWD, FileType, Mode, OFlags, RawMode, RenameFlags, accessat, fsync, mkdirat, openat, statat,
};
use rustix::io::Errno;

use crate::base::umask;

/// Opens a folder for looking names up in it; needs no right to list it where the system knows such a thing.
#[cfg(target_os = "linux")]
const SEARCH: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const SEARCH: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Times the kernel is asked again when somebody renames folders on the way at that moment.
#[cfg(target_os = "linux")]
const MAX_RETRIES: u32 = 16;

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

/// Folders that were made on the way, the outermost first.
#[derive(Debug, Default)]
pub struct Made(Vec<(OwnedFd, OsString)>);

impl Folder {
    /// Opens the folder at `path`, which is absolute and holds neither dots nor links.
    pub fn open(path: &Path) -> io::Result<Self> {
        let names = names(path)?;
        let root = root()?;
        let fd = match ask_kernel(&root, &names) {
            Some(result) => result?,
            None => walk(root, &names)?,
        };
        Ok(Self { fd, path: path.to_path_buf() })
    }

    /// Opens the folder, making it and those above it where they are missing, with the modes the user's umask gives.
    pub fn open_or_make(path: &Path) -> io::Result<(Self, Made)> {
        match Self::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => return result.map(|folder| (folder, Made::default())),
        }
        let mut made = Made::default();
        let mut fd = root()?;
        for name in names(path)? {
            let next = match step(&fd, name) {
                Err(Errno::NOENT) => {
                    made.make(&fd, name)?;
                    step(&fd, name)
                }
                result => result,
            };
            fd = next?;
        }
        Ok((Self { fd, path: path.to_path_buf() }, made))
    }

    /// Returns the path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file for reading, without ever waiting; none when nothing has that name. What is no regular file is
    /// returned as its kind.
    pub fn look(&self, name: &OsStr) -> io::Result<Found> {
        // First by name: opening a device can have effects of its own.
        let stat = match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            result => result?,
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Symlink {
            return Err(Errno::LOOP.into());
        }
        if kind != FileType::RegularFile {
            return Ok(Found::Other(kind_words(kind)));
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match openat(&self.fd, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            result => File::from(result?),
        };
        // Again, on what was really opened.
        let meta = file.metadata()?;
        Ok(if meta.is_file() { Found::File(file, meta) } else { Found::Other("something else") })
    }

    /// Says whether the user may write to the file.
    pub fn may_write(&self, name: &OsStr) -> bool {
        accessat(&self.fd, name, Access::WRITE_OK, AtFlags::EACCESS) != Err(Errno::ACCESS)
    }

    /// Makes a new file and opens it for writing; fails when the name is taken.
    pub fn create(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.fd, name, flags, Mode::from_raw_mode(mode as RawMode))?.into())
    }

    /// Gives a file another name in this folder, replacing what has that name.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Exchanges two names at once. None when the file system cannot.
    pub fn exchange(&self, one: &OsStr, other: &OsStr) -> io::Result<Option<()>> {
        unless_unknown(rustix::fs::renameat_with(&self.fd, one, &self.fd, other, RenameFlags::EXCHANGE))
    }

    /// Gives a file a name that is not taken; fails when it is.
    pub fn rename_to_free(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        let renamed = rustix::fs::renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE);
        if unless_unknown(renamed)?.is_some() {
            return Ok(());
        }
        self.link(from, to)?;
        self.remove(from)
    }

    /// Gives a file a second name; fails when it is taken.
    pub fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.fd, from, &self.fd, to, AtFlags::empty())?)
    }

    /// Takes a name away; one that is not there is as good.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the names in it durable; file systems that cannot are no reason to fail.
    pub fn sync(&self) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if let Ok(folder) = openat(&self.fd, ".", flags, Mode::empty()) {
            let _ = fsync(folder);
        }
    }
}

/// What has a name in a folder.
#[derive(Debug)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A regular file.
    File(File, Metadata),
    /// Something without content of its own: what it is, with its article.
    Other(&'static str),
}

impl Made {
    fn make(&mut self, parent: &OwnedFd, name: &OsStr) -> io::Result<()> {
        match mkdirat(parent, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => {
                self.0.push((parent.as_fd().try_clone_to_owned()?, name.to_owned()));
                // Not for us alone: it is the user's.
                let mode = Mode::from_raw_mode(0o777 & !umask::of_user());
                rustix::fs::chmodat(parent, name, mode, AtFlags::empty())?;
            }
            // Somebody else was quicker, which is as good.
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Removes them again as far as they are empty.
    pub fn unmake(self) {
        for (parent, name) in self.0.iter().rev() {
            if rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR).is_err() {
                return;
            }
        }
    }
}

fn root() -> io::Result<OwnedFd> {
    Ok(openat(CWD, "/", SEARCH, Mode::empty())?)
}

/// Splits an absolute path into its names; dots are refused, because `..` leads out of where we are.
fn names(path: &Path) -> io::Result<Vec<&OsStr>> {
    let mut parts = path.components();
    let is_absolute = parts.next() == Some(Component::RootDir);
    let names: Option<Vec<&OsStr>> = parts
        .map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect();
    names.filter(|_| is_absolute).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

/// Has the kernel walk the whole way, which it does in one step; none where it does not know how or is not allowed to.
#[cfg(target_os = "linux")]
fn ask_kernel(root: &OwnedFd, names: &[&OsStr]) -> Option<io::Result<OwnedFd>> {
    use rustix::fs::ResolveFlags;
    let path: PathBuf = if names.is_empty() { PathBuf::from(".") } else { names.iter().collect() };
    let rules = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    for _ in 0..MAX_RETRIES {
        match rustix::fs::openat2(root, &path, SEARCH, Mode::empty(), rules) {
            Err(Errno::AGAIN) => {}
            // Kernels before 5.6, and sandboxes that do not know the call. And walking tells a link from a file in place of
            // the last folder.
            Err(Errno::NOSYS | Errno::PERM | Errno::NOTDIR) => return None,
            result => return Some(result.map_err(Into::into)),
        }
    }
    None
}

#[cfg(not(target_os = "linux"))]
fn ask_kernel(_root: &OwnedFd, _names: &[&OsStr]) -> Option<io::Result<OwnedFd>> {
    None
}

/// Walks folder by folder.
fn walk(root: OwnedFd, names: &[&OsStr]) -> io::Result<OwnedFd> {
    names.iter().try_fold(root, |fd, name| Ok(step(&fd, name)?))
}

fn step(fd: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let error = match openat(fd, name, SEARCH, Mode::empty()) {
        Err(error @ (Errno::NOTDIR | Errno::LOOP | Errno::MLINK)) => error,
        result => return result,
    };
    let is_link = statat(fd, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
    Err(if is_link { Errno::LOOP } else { error })
}

fn unless_unknown(result: Result<(), Errno>) -> io::Result<Option<()>> {
    match result {
        Ok(()) => Ok(Some(())),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn kind_words(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "a folder",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    }
}

/// Says whether a link was met where none was expected.
pub fn is_link_met(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_is_followed_whoever_walks() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        std::fs::create_dir_all(base.join("real/deep")).unwrap();
        std::fs::write(base.join("file"), "").unwrap();
        symlink("real", base.join("link")).unwrap();
        symlink("/", base.join("real/up")).unwrap();
        let table = [
            ("real/deep", None),
            ("", None),
            ("link", Some(Errno::LOOP)),
            ("link/deep", Some(Errno::LOOP)),
            ("real/up/tmp", Some(Errno::LOOP)),
            ("real/none", Some(Errno::NOENT)),
            ("file/x", Some(Errno::NOTDIR)),
        ];
        for (path, expected) in table {
            let path = base.join(path);
            let opened = Folder::open(&path).err().and_then(|error| error.raw_os_error());
            assert_eq!(opened, expected.map(Errno::raw_os_error), "{}", path.display());
            let walked = walk(root().unwrap(), &names(&path).unwrap()).err().and_then(|error| error.raw_os_error());
            assert_eq!(walked, expected.map(Errno::raw_os_error), "{}", path.display());
        }
        for path in ["relative", "/tmp/../etc", "/tmp/.."] {
            assert_eq!(Folder::open(Path::new(path)).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{path}");
        }
    }

    #[test]
    fn folders_made_for_nothing_go_again_and_those_that_were_there_stay() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        std::fs::create_dir(base.join("old")).unwrap();
        let (_, made) = Folder::open_or_make(&base.join("old/new/er")).unwrap();
        assert!(base.join("old/new/er").is_dir());
        made.unmake();
        assert!(base.join("old").is_dir() && !base.join("old/new").exists());
        let (_, made) = Folder::open_or_make(&base.join("old/new")).unwrap();
        std::fs::write(base.join("old/new/file"), "").unwrap();
        made.unmake();
        assert!(base.join("old/new/file").exists());
        symlink("old", base.join("link")).unwrap();
        assert!(is_link_met(&Folder::open_or_make(&base.join("link/more")).unwrap_err()));
        assert!(!base.join("old/more").exists());
    }
}
