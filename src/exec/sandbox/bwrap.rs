//! What is bubblewrap told, and which bubblewrap is trusted?
//!
//! The command gets a file system put together from nothing, in the order of the arguments: later mounts cover earlier ones.
//! Arguments go through a file in memory, since a process list shows those of every program to everybody.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::exec::sandbox::Sandbox;
use crate::exec::sandbox::view::View;

/// Where mimi itself lies inside.
pub(crate) const INSIDE: &str = "/run/mimi/mimi";
/// Where it says inside what may be changed.
pub(crate) const WALLS: &str = "/run/mimi/walls";

/// Room in what stands for a protected name that is missing: the least a file system in memory can have, one page.
const MASK_BYTES: &str = "4096";

/// What every command gets. User namespaces inside would open kernel code that only root reaches otherwise.
const ALWAYS: [&str; 11] = [
    "--unshare-user",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--disable-userns",
    "--die-with-parent",
    "--as-pid-1",
    "--cap-drop",
    "ALL",
];

/// Arguments, one after the other.
struct Arguments(Vec<OsString>);

impl Arguments {
    fn push<const N: usize>(&mut self, words: [&dyn AsRef<std::ffi::OsStr>; N]) {
        self.0.extend(words.iter().map(|word| word.as_ref().to_os_string()));
    }
}

/// Returns the arguments that build `view`, up to the command itself. `own` is the mimi binary, `walls` the number of the file
/// that says what may be changed.
pub(crate) fn arguments(sandbox: &Sandbox, view: &View, own: &Path, cwd: &Path, walls: Option<i32>) -> Vec<OsString> {
    let mut args = Arguments(ALWAYS.map(OsString::from).to_vec());
    base(&mut args, sandbox, view);
    let (above_home, rest): (Vec<_>, Vec<_>) =
        view.read.iter().partition(|path| view.home.as_ref().is_some_and(|home| home.starts_with(path)));
    for path in above_home {
        args.push([&"--ro-bind-try", path, path]);
    }
    if let Some(home) = &view.home {
        args.push([&"--perms", &"0700"]);
        temporary(&mut args, sandbox, home);
    }
    for path in rest {
        args.push([&"--ro-bind-try", path, path]);
    }
    for (at, target) in &view.links {
        args.push([&"--symlink", target, at]);
    }
    for path in &view.write {
        args.push([&"--bind", path, path]);
    }
    for path in &view.guarded {
        args.push([&"--ro-bind-try", path, path]);
    }
    for path in &view.absent {
        // Nothing of it reaches the project, and it is made much quicker than a folder is closed: for each folder bubblewrap
        // reads the list of all mounts.
        args.push([&"--perms", &"0555", &"--size", &MASK_BYTES, &"--tmpfs", path]);
    }
    for path in &view.hidden {
        if path.is_dir() {
            args.push([&"--perms", &"0000", &"--tmpfs", path, &"--remount-ro", path]);
        } else {
            args.push([&"--ro-bind", &"/dev/null", path]);
        }
    }
    args.push([&"--ro-bind", &own, &INSIDE]);
    if let Some(number) = walls {
        args.push([&"--perms", &"0400", &"--file", &number.to_string(), &WALLS]);
    }
    args.push([&"--setenv", &"TMPDIR", &"/tmp", &"--remount-ro", &"/", &"--chdir", &cwd]);
    args.0
}

/// Parts of `/proc` that change the machine. bubblewrap leaves them as they are, and root may write some without any
/// capability. Where Landlock stands behind it these are not needed, and each mount takes time.
const MACHINE: [&str; 8] = ["sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "mtrr"];

/// Kernel file systems, devices and places for temporary files.
fn base(args: &mut Arguments, sandbox: &Sandbox, view: &View) {
    if sandbox.has_proc {
        args.push([&"--proc", &"/proc"]);
        let is_open = !sandbox.has_walls && crate::base::path::user_id() == 0;
        for name in MACHINE.iter().filter(|_| is_open) {
            let path = format!("/proc/{name}");
            args.push([&"--ro-bind-try", &path, &path]);
        }
    }
    args.push([&"--dev", &"/dev"]);
    for path in &view.devices {
        args.push([&"--dev-bind-try", path, path]);
    }
    for folder in ["/dev/shm", "/tmp", "/var/tmp"] {
        args.push([&"--perms", &"1777"]);
        temporary(args, sandbox, Path::new(folder));
    }
}

fn temporary(args: &mut Arguments, sandbox: &Sandbox, at: &Path) {
    if sandbox.tmp_mb > 0 {
        let bytes = sandbox.tmp_mb.saturating_mul(1 << 20).to_string();
        args.push([&"--size", &bytes]);
    }
    args.push([&"--tmpfs", &at]);
}

/// Joins arguments as `--args` reads them.
pub(crate) fn joined(args: &[OsString]) -> Vec<u8> {
    args.iter().flat_map(|arg| [arg.as_bytes(), b"\0"].concat()).collect()
}

/// Why a bubblewrap is not used: names of rows in `config/sandbox.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// There is none.
    Missing,
    /// It is setuid.
    Setuid,
    /// Others could have put it there.
    NotOwned,
}

impl Unfit {
    /// Returns the name of the row that says what to do.
    pub(crate) fn lack(self) -> &'static str {
        match self {
            Self::Missing => "no_bwrap",
            Self::Setuid => "setuid_bwrap",
            Self::NotOwned => "bwrap_not_owned",
        }
    }
}

/// Finds bubblewrap in the folders of `PATH`. `/usr/bin` comes first: distributions give their rights to that one.
pub(crate) fn find(path: &str, workspace: &Path) -> Result<PathBuf, Unfit> {
    let mut folders: Vec<&str> = path.split(':').filter(|folder| folder.starts_with('/')).collect();
    folders.sort_by_key(|folder| *folder != "/usr/bin");
    let found = folders.iter().map(|folder| Path::new(folder).join("bwrap")).find(|path| path.is_file());
    let real = found.and_then(|path| path.canonicalize().ok()).ok_or(Unfit::Missing)?;
    let meta = std::fs::metadata(&real).map_err(|_| Unfit::Missing)?;
    let own = crate::base::path::user_id();
    if meta.mode() & 0o6000 != 0 {
        Err(Unfit::Setuid)
    } else if real.starts_with(workspace) || ![0, own].contains(&meta.uid()) || meta.mode() & 0o022 != 0 {
        Err(Unfit::NotOwned)
    } else {
        Ok(real)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bubblewrap_nobody_else_could_have_put_there_is_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let path = root.display().to_string();
        let elsewhere = Path::new("/nowhere");
        assert_eq!(find(&path, elsewhere), Err(Unfit::Missing));
        assert_eq!(find("bin:.", elsewhere), Err(Unfit::Missing));
        std::fs::write(root.join("bwrap"), "").unwrap();
        let found = |mode, workspace: &Path| {
            std::fs::set_permissions(root.join("bwrap"), PermissionsExt::from_mode(mode)).unwrap();
            find(&path, workspace)
        };
        assert_eq!(found(0o755, elsewhere), Ok(root.join("bwrap")));
        assert_eq!(found(0o4755, elsewhere), Err(Unfit::Setuid));
        assert_eq!(found(0o775, elsewhere), Err(Unfit::NotOwned));
        assert_eq!(found(0o755, &root), Err(Unfit::NotOwned));
    }

    #[test]
    fn what_covers_comes_after_what_is_covered() {
        let sandbox = Sandbox::new(crate::exec::sandbox::Tier::Full, Path::new("/h/u/w"), Path::new("/h/u"));
        let path = |text: &str| vec![PathBuf::from(text)];
        let view = View {
            read: [path("/h"), path("/h/u/.cargo")].concat(),
            write: path("/h/u/w"),
            guarded: path("/h/u/w/.git"),
            absent: path("/h/u/w/.mimi"),
            hidden: path("/h/u/.cargo/credentials"),
            home: Some("/h/u".into()),
            ..View::default()
        };
        let args = arguments(&sandbox, &view, Path::new("/m"), Path::new("/h/u/w"), Some(7));
        let at = |wanted: &str| args.iter().position(|arg| arg == wanted).unwrap_or_else(|| panic!("{wanted}"));
        let order =
            ["/tmp", "/h", "/h/u", "/h/u/.cargo", "/h/u/w", "/h/u/w/.git", "/h/u/w/.mimi", "/h/u/.cargo/credentials"];
        let places = order.map(at);
        assert!(places.is_sorted(), "{args:?}");
        assert_eq!(joined(&["a".into(), "b c".into()]), b"a\0b c\0");
    }
}
