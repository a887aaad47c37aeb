//! Which paths of the machine does a confined command see, and which may it change?
//!
//! Worked out anew for each command by the supervisor, because files come and go. Both tiers enforce the same view, the one
//! by what is mounted, the other by what the kernel refuses. Everything is left out that nobody named.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exec::sandbox::protect::{self, Guards};
use crate::exec::sandbox::table::Table;
use crate::exec::sandbox::{Access, Sandbox};

/// Names of files with keys at the top of a toolchain, wherever it lies.
const KEY_FILES: [&str; 2] = ["credentials", "credentials.toml"];

/// What there is. Paths are real: no part of them is a link.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct View {
    /// May be read, in the order they are to be mounted.
    pub(crate) read: Vec<PathBuf>,
    /// May be changed.
    pub(crate) write: Vec<PathBuf>,
    /// Parts of what may be changed that may only be read.
    pub(crate) guarded: Vec<PathBuf>,
    /// Names in what may be changed that must not come to be.
    pub(crate) absent: Vec<PathBuf>,
    /// Parts of all this that are not there.
    pub(crate) hidden: Vec<PathBuf>,
    /// Links: where they stand and where they lead.
    pub(crate) links: Vec<(PathBuf, PathBuf)>,
    /// The home folder, to be replaced by an empty one.
    pub(crate) home: Option<PathBuf>,
    /// Devices below `/dev`.
    pub(crate) devices: Vec<PathBuf>,
}

impl View {
    /// Works out what a command sees; `places` are the folders programs and toolchains are looked for in.
    ///
    /// # Errors
    /// Something cannot be protected; the text says what, why, and what helps.
    pub(crate) fn of(sandbox: &Sandbox, places: &[PathBuf]) -> Result<Self, String> {
        let table = Table::get();
        let mut view = Self::default();
        table.system.iter().for_each(|path| view.show_system(path));
        let home = sandbox.home.canonicalize().ok().filter(|home| !holds_system(home));
        for path in sandbox.readable.iter().filter(|path| home.as_ref().is_some_and(|home| home.starts_with(path))) {
            // What holds the home folder goes below it.
            view.show(path);
        }
        if let Some(home) = &home {
            if *home != sandbox.home && !view.is_linked(&sandbox.home) {
                view.links.push((sandbox.home.clone(), home.clone()));
            }
            table.home.iter().for_each(|path| view.show(&sandbox.home.join(path)));
        }
        let is_home = |path: &Path| home.as_ref().is_some_and(|home| home.starts_with(path));
        for place in places {
            if let Ok(real) = place.canonicalize()
                && !is_home(&real)
            {
                view.show(&toolchain(&real).unwrap_or_else(|| place.clone()));
            }
        }
        sandbox.readable.iter().for_each(|path| view.show(path));
        view.home = home;
        view.open(sandbox)?;
        view.devices = devices(&sandbox.devices);
        view.hide(sandbox);
        Ok(view)
    }

    /// Decides what may be changed, and what of that may not.
    fn open(&mut self, sandbox: &Sandbox) -> Result<(), String> {
        let workspace = sandbox.workspace.canonicalize().unwrap_or_else(|_| sandbox.workspace.clone());
        // Whoever may write the home folder may write what starts at the next login.
        let holds_home = self.home.as_ref().is_some_and(|home| home.starts_with(&workspace));
        let access = if holds_home { Access::Read } else { sandbox.access };
        let guards = protect::guards(&workspace, access)?;
        let Guards { readable, writable, guarded, absent } = guards;
        if access == Access::Read {
            self.show(&workspace);
            // What the home folder hides, the project shows.
            if holds_home {
                self.home = None;
            }
        } else {
            self.write.push(workspace);
            let table = Table::get();
            let caches = sandbox.caches.iter().filter_map(|name| table.caches.get(name)).flatten();
            let caches = caches.map(|path| sandbox.home.join(path));
            let more = sandbox.writable.iter().cloned().chain(caches).filter_map(|path| path.canonicalize().ok());
            let system =
                |path: &PathBuf| path.parent().is_none() || self.home.as_ref().is_some_and(|home| home == path);
            let more: Vec<PathBuf> = more.filter(|path| !system(path)).collect();
            for path in &more {
                self.guarded.extend(protect::repository(path));
            }
            self.write.extend(more);
        }
        self.write.extend(writable);
        readable.iter().for_each(|path| self.show(path));
        self.guarded.extend(guarded);
        self.absent = absent;
        Ok(())
    }

    fn show_system(&mut self, path: &Path) {
        match std::fs::symlink_metadata(path) {
            Ok(meta) if meta.is_symlink() => {
                if let Ok(target) = path.read_link() {
                    self.links.push((path.to_path_buf(), target));
                }
                self.read.extend(path.canonicalize().ok().filter(|real| !self.is_covered(real)));
            }
            Ok(_) => self.read.push(path.to_path_buf()),
            Err(_) => {}
        }
    }

    /// Makes a path readable under the name given, when it exists.
    fn show(&mut self, path: &Path) {
        // Most of what is named is not there, and this is the cheapest way to learn it.
        if std::fs::symlink_metadata(path).is_err() {
            return;
        }
        let Ok(real) = path.canonicalize() else { return };
        let is_special = |path: &Path| path.starts_with("/proc") || path.starts_with("/dev") || path.parent().is_none();
        if is_special(&real) {
            return;
        }
        if real != path && !self.is_linked(path) && !self.is_covered(path) {
            self.links.push((path.to_path_buf(), real.clone()));
        }
        if !self.is_covered(&real) {
            self.read.push(real);
        }
    }

    /// Says whether some link on the way to `path` is there already.
    fn is_linked(&self, path: &Path) -> bool {
        self.links.iter().any(|(at, _)| path.starts_with(at))
    }

    pub(crate) fn is_covered(&self, path: &Path) -> bool {
        self.read.iter().chain(&self.write).any(|root| path.starts_with(root))
    }

    /// Collects what is hidden of all that is shown.
    fn hide(&mut self, sandbox: &Sandbox) {
        let table = Table::get();
        let in_home = table.home_hidden.iter().map(|path| sandbox.home.join(path));
        let keys = self.read.iter().flat_map(|root| KEY_FILES.map(|name| root.join(name)));
        let system = table.system_hidden.iter().filter(|path| is_open(path)).cloned();
        let all = system.chain(in_home).chain(sandbox.hidden.iter().cloned()).chain(keys);
        let there = all.filter(|path| std::fs::symlink_metadata(path).is_ok());
        let real = there.filter_map(|path| path.canonicalize().ok());
        let is_ours = |path: &PathBuf| sandbox.workspace.starts_with(path);
        let mut hidden: Vec<PathBuf> = real.filter(|path| self.is_covered(path) && !is_ours(path)).collect();
        hidden.sort();
        hidden.dedup();
        self.hidden = hidden;
    }
}

/// Says whether there is anything to hide: what the user may not look into stays closed inside, where they are the same user.
fn is_open(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(path, Access::READ_OK).is_ok() || path.is_dir() && access(path, Access::EXEC_OK).is_ok()
}

/// Says whether replacing this home folder would take the system away: some containers have `/` there.
fn holds_system(home: &Path) -> bool {
    home.parent().is_none() || Table::get().system.iter().any(|path| path.starts_with(home))
}

/// Returns the toolchain a folder belongs to, by the names toolchains have in home folders: `/opt/x/.pyenv/shims` needs all
/// of `/opt/x/.pyenv`.
fn toolchain(path: &Path) -> Option<PathBuf> {
    let is_name = |folder: &&Path| {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with('.') && Table::get().home.iter().any(|known| known.as_os_str() == name)
    };
    path.ancestors().find(is_name).map(Path::to_path_buf)
}

/// Finds the devices of the groups named.
fn devices(groups: &[String]) -> Vec<PathBuf> {
    let patterns: Vec<&String> = groups.iter().filter_map(|name| Table::get().devices.get(name)).flatten().collect();
    let Ok(entries) = std::fs::read_dir("/dev") else { return Vec::new() };
    let is_wanted = |name: &str| {
        patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern.as_str(),
        })
    };
    let wanted = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_wanted));
    wanted.map(|entry| entry.path()).collect()
}
