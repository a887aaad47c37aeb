//! How is the disk looked at while a command is judged?

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use crate::base::path::{open_regular, resolve};
use crate::policy::command::place::Disk;

/// Longest file that is read, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// The disk of this machine.
#[derive(Debug, Clone, Default)]
pub struct RealDisk {
    /// The folders of `PATH` that commands get.
    pub path: Vec<PathBuf>,
}

impl Disk for RealDisk {
    fn follow(&self, path: &Path) -> PathBuf {
        let root = Path::new("/");
        let is_up = |part: Component<'_>| part == Component::ParentDir;
        if !path.components().any(is_up) {
            return resolve(root, path).absolute;
        }
        // `link/..` is the folder the link leads into, not the one it stands in.
        path.components().fold(root.to_path_buf(), |at, part| match part {
            part if is_up(part) => at.parent().unwrap_or(root).to_path_buf(),
            part => resolve(root, &at.join(part)).absolute,
        })
    }

    fn list(&self, folder: &Path, max: usize) -> Option<Vec<(String, bool)>> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Some(Vec::new()) };
        let mut names = Vec::new();
        for entry in entries.flatten() {
            if names.len() == max {
                return None;
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            names.push((entry.file_name().to_string_lossy().into_owned(), is_folder));
        }
        Some(names)
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        self.path.iter().map(|folder| folder.join(name)).find(|path| path.exists()).map(|path| self.follow(&path))
    }

    fn text(&self, path: &Path) -> Option<String> {
        let (file, meta) = open_regular(path).ok()?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut bytes).ok()?;
        (meta.len() <= MAX_FILE).then(|| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn exists(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok()
    }
}
