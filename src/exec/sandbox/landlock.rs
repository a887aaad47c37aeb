//! What does the kernel refuse this process and everything it starts?
//!
//! All there is where namespaces are forbidden; behind namespaces a second wall, which refuses changes also where a mount should
//! fail to.
//! Landlock only ever grants: a folder that may be changed may be changed down to its last file. So a project with protected
//! names is granted child by child, and a new entry at its top cannot be made; that one needs mimi's own tools. Changing
//! modes, times and owners of files elsewhere is beyond it. The list of what it lets through is
//! `tests/it/exec/sandbox/landlock.yaml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

use crate::exec::sandbox::view::View;

/// What is asked of the kernel, as far as it knows it; what version 1 has is required.
const ABI_WANTED: ABI = ABI::V9;

/// Devices that may be used.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// Deepest folder that is granted child by child.
const MAX_DEPTH: usize = 4;

/// Says what the kernel has; none when it has nothing, with the name of the row in `config/sandbox.yaml` that says why.
pub(crate) fn version() -> Result<u32, &'static str> {
    // It tells only who restricts themselves. The restriction is the thread's own and ends with it.
    let restrict = || Ruleset::default().handle_access(AccessFs::MakeBlock)?.create()?.restrict_self();
    let status = std::thread::spawn(restrict).join().ok().and_then(Result::ok);
    match status.map(|status| status.landlock) {
        Some(LandlockStatus::Available { effective_abi, .. }) => Ok(effective_abi as u32),
        Some(LandlockStatus::NotEnabled) => Err("landlock_off"),
        Some(LandlockStatus::NotImplemented) => Err("landlock_missing"),
        None => Err("landlock_failed"),
    }
}

/// Puts up the walls for `view`, with a temporary folder of the command's own; returns the version of what holds them.
///
/// # Errors
/// The kernel does not enforce them; then nothing may be started.
pub(crate) fn restrict(view: &View, temporary: &Path) -> Result<u32, String> {
    let failed = |error: RulesetError| format!("landlock: {error}");
    let ruleset = ruleset().map_err(failed)?;
    enforce(granted(ruleset, view, temporary).map_err(failed)?)
}

/// Puts rules into force; returns the version of Landlock.
fn enforce(ruleset: RulesetCreated) -> Result<u32, String> {
    let status = ruleset.restrict_self().map_err(|error| format!("landlock: {error}"))?;
    let is_enforced = matches!(status.ruleset, RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced);
    match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if is_enforced && status.no_new_privs => {
            Ok(effective_abi as u32)
        }
        _ => Err("landlock: the kernel does not enforce the rules".to_owned()),
    }
}

/// Puts up the second wall, inside of namespaces: everything there may be read, and only this changed, besides devices and
/// temporary folders.
///
/// # Errors
/// The kernel does not enforce it; then nothing may be started.
pub(crate) fn restrict_within(may_change: &[PathBuf]) -> Result<(), String> {
    let failed = |error: RulesetError| format!("landlock: {error}");
    let read = AccessFs::from_read(ABI_WANTED);
    let mut ruleset = files().and_then(|rules| rules.scope(Scope::from_all(ABI_WANTED))?.create()).map_err(failed)?;
    ruleset = grant(ruleset, Path::new("/"), read).map_err(failed)?;
    for path in may_change.iter().map(PathBuf::as_path).chain(OWN.map(Path::new)) {
        ruleset = grant(ruleset, path, changing()).map_err(failed)?;
    }
    enforce(ruleset).map(drop)
}

/// Places that are a command's own inside of namespaces.
const OWN: [&str; 3] = ["/dev", "/tmp", "/var/tmp"];

/// Everything but device files, which lead to whole disks for whoever may make them.
fn changing() -> BitFlags<AccessFs> {
    AccessFs::from_all(ABI_WANTED) & !(AccessFs::MakeBlock | AccessFs::MakeChar)
}

fn files() -> Result<Ruleset, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI_WANTED))
}

fn ruleset() -> Result<RulesetCreated, RulesetError> {
    files()?.handle_access(AccessNet::from_all(ABI_WANTED))?.scope(Scope::from_all(ABI_WANTED))?.create()
}

fn granted(mut ruleset: RulesetCreated, view: &View, temporary: &Path) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::from_read(ABI_WANTED);
    let change = changing();
    let hidden: BTreeSet<&Path> = view.hidden.iter().map(PathBuf::as_path).collect();
    let kept: BTreeSet<&Path> = view.guarded.iter().map(PathBuf::as_path).chain(hidden.iter().copied()).collect();
    let devices = DEVICES.iter().map(PathBuf::from).chain(view.devices.iter().cloned());
    for path in view.read.iter().chain(&view.write).flat_map(|path| split(path, &hidden, 0)) {
        ruleset = grant(ruleset, &path, read)?;
    }
    ruleset = grant(ruleset, Path::new("/proc"), read)?;
    for path in view.write.iter().flat_map(|path| split(path, &kept, 0)) {
        ruleset = grant(ruleset, &path, change)?;
    }
    for path in devices.chain([temporary.to_path_buf()]) {
        ruleset = grant(ruleset, &path, change)?;
    }
    Ok(ruleset)
}

/// Adds one rule; a path that is gone needs none.
fn grant(ruleset: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, RulesetError> {
    let Ok(handle) = PathFd::new(path) else { return Ok(ruleset) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(ABI_WANTED) };
    ruleset.add_rule(PathBeneath::new(handle, access))
}

/// Returns `path`, or what is in it without the `excluded` ones where it holds any. Links are left out: what they lead to is
/// granted for itself or not at all.
fn split(path: &Path, excluded: &BTreeSet<&Path>, depth: usize) -> Vec<PathBuf> {
    if excluded.contains(path) {
        return Vec::new();
    }
    if !excluded.iter().any(|inner| inner.starts_with(path)) {
        return vec![path.to_path_buf()];
    }
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    if depth >= MAX_DEPTH {
        return Vec::new();
    }
    let is_real = |path: &PathBuf| std::fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_symlink());
    let children = entries.flatten().map(|entry| entry.path()).filter(is_real);
    children.flat_map(|child| split(&child, excluded, depth + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_granted_whole_unless_something_in_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["a/b/secret", "a/c", "d"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        std::os::unix::fs::symlink("/etc", root.join("link")).unwrap();
        let secret = root.join("a/b/secret");
        let whole = |path: &str| split(&root.join(path), &BTreeSet::from([secret.as_path()]), 0);
        let mut found = whole("");
        found.sort();
        assert_eq!(found, [root.join("a/c"), root.join("d")]);
        assert_eq!(whole("d"), [root.join("d")]);
        assert!(whole("a/b/secret").is_empty() && whole("a/b").is_empty());
    }
}
