//! Which names in a project must a command not touch, and where does its repository really lie?
//!
//! A repository's folder can name programs that git runs later, outside of any sandbox; so can the settings of editors and
//! of mimi. A `.git` file may lead anywhere, and came with the project: only a folder that belongs to this project is
//! believed. Must not follow a link in place of a protected name: the link itself could be exchanged.

use std::path::{Path, PathBuf};

use crate::exec::sandbox::Access;
use crate::exec::sandbox::table::Table;

/// Longest file that says where a repository lies.
const MAX_POINTER_BYTES: u64 = 4096;

/// What stands between a command and the parts of a project that are not its business.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Guards {
    /// Parts of the repository outside of the project.
    pub(crate) readable: Vec<PathBuf>,
    /// The same, to be changed.
    pub(crate) writable: Vec<PathBuf>,
    /// What is there and must stay as it is.
    pub(crate) guarded: Vec<PathBuf>,
    /// What is not there and must not come.
    pub(crate) absent: Vec<PathBuf>,
}

/// Finds what is to be guarded in a project.
///
/// # Errors
/// A protected name is a link.
pub(crate) fn guards(workspace: &Path, access: Access) -> Result<Guards, String> {
    let mut guards = Guards::default();
    if access != Access::Read {
        for name in &Table::get().protected {
            guards.guard(&workspace.join(name), access)?;
        }
    }
    for path in repository_of(workspace) {
        match access {
            Access::Commit => guards.writable.push(path),
            Access::Work if path.starts_with(workspace) => guards.guarded.push(path),
            Access::Work | Access::Read => guards.readable.push(path),
        }
    }
    guards.readable.extend(rules_above(workspace));
    guards.guarded.dedup();
    Ok(guards)
}

/// Returns the folder of the repository at the top of a further folder that may be changed.
pub(crate) fn repository(folder: &Path) -> Vec<PathBuf> {
    let found = folder.join(".git");
    if std::fs::symlink_metadata(&found).is_ok_and(|meta| !meta.is_symlink()) { vec![found] } else { Vec::new() }
}

impl Guards {
    fn guard(&mut self, path: &Path, access: Access) -> Result<(), String> {
        let is_repository = path.ends_with(".git");
        match std::fs::symlink_metadata(path) {
            Err(_) => self.absent.push(path.to_path_buf()),
            Ok(_) if is_repository && access == Access::Commit => {}
            Ok(meta) if meta.is_symlink() => return Err(link_refused(path, is_repository)),
            Ok(_) => self.guarded.push(path.to_path_buf()),
        }
        Ok(())
    }
}

fn link_refused(path: &Path, is_repository: bool) -> String {
    let target = path.read_link().unwrap_or_default();
    let (path, target) = (path.display(), target.display());
    let hint = if is_repository {
        format!("rm {path} && echo 'gitdir: {target}' > {path}")
    } else {
        format!("cp -rL {path} {path}.real && rm {path} && mv {path}.real {path}")
    };
    format!("{path} is a link, which cannot be protected from the command; put the thing itself there: {hint}")
}

/// Returns the folders with git's own files for a project: below it, above it, or where a `.git` file of its leads.
fn repository_of(workspace: &Path) -> Vec<PathBuf> {
    let Some(found) = workspace.ancestors().map(|folder| folder.join(".git")).find(|path| path.exists()) else {
        return Vec::new();
    };
    let top = found.parent().unwrap_or(workspace);
    let Ok(real) = found.canonicalize() else { return Vec::new() };
    if real.is_dir() {
        return if is_git_folder(&real) { vec![real] } else { Vec::new() };
    }
    let pointed = pointer(&real, "gitdir: ").map(|target| top.join(target)).and_then(|path| path.canonicalize().ok());
    let mut paths = vec![real];
    if let Some(folder) = pointed.filter(|folder| is_git_folder(folder)) {
        paths.extend(belonging(&folder, top));
    }
    paths
}

/// Returns a folder that a `.git` file names and the repository it is part of, when both agree that they belong together.
fn belonging(folder: &Path, top: &Path) -> Vec<PathBuf> {
    // A linked work tree: its folder names the file that names it, and lies in the repository it shares.
    let back = pointer(&folder.join("gitdir"), "").and_then(|path| folder.join(path).canonicalize().ok());
    if back.is_some_and(|back| back == top.join(".git")) {
        let common = pointer(&folder.join("commondir"), "").and_then(|path| folder.join(path).canonicalize().ok());
        return common
            .filter(|common| is_git_folder(common) && folder.starts_with(common.join("worktrees")))
            .into_iter()
            .collect();
    }
    // A submodule: its folder lies in the repository of the project around it.
    let around = top.ancestors().skip(1).map(|folder| folder.join(".git/modules"));
    let is_module = around.filter_map(|path| path.canonicalize().ok()).any(|modules| folder.starts_with(modules));
    if is_module { vec![folder.to_path_buf()] } else { Vec::new() }
}

fn is_git_folder(folder: &Path) -> bool {
    folder.join("HEAD").symlink_metadata().is_ok()
        && (folder.join("objects").is_dir() || folder.join("commondir").is_file())
}

/// Reads what a small file says behind `prefix`.
fn pointer(file: &Path, prefix: &str) -> Option<String> {
    let is_small = std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_POINTER_BYTES);
    let text = if is_small { std::fs::read_to_string(file).ok()? } else { return None };
    text.trim_end().strip_prefix(prefix).map(str::to_owned)
}

/// Returns the files of git's rules in the folders between a project and the top of its repository.
fn rules_above(workspace: &Path) -> Vec<PathBuf> {
    let Some(top) = workspace.ancestors().find(|folder| folder.join(".git").exists()) else { return Vec::new() };
    let between = workspace.ancestors().skip(1).take_while(|folder| folder.starts_with(top));
    let files = between.flat_map(|folder| [".gitignore", ".gitattributes"].map(|name| folder.join(name)));
    files.filter(|path| path.is_file()).collect()
}
