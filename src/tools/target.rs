//! Which file does a call mean, and what is said when it is not there?

use std::ops::ControlFlow;
use std::path::{Component, Path};

use crate::base::path::Resolved;
use crate::base::text::nearest;
use crate::protocol::review::Draft;
use crate::protocol::tool::Action;
use crate::tools::ToolContext;
use crate::workspace::Workspace;
use crate::workspace::walk::Walk;

/// Entries looked at for the name that was meant.
const MAX_CANDIDATES: usize = 20_000;

/// Returns the action of reading `target`; none for outputs of the session's own calls, which the model was shown anyway.
pub fn read_actions(cx: &ToolContext, target: &Resolved) -> Vec<Action> {
    let spill_dir = cx.spill_dir.canonicalize().unwrap_or_else(|_| cx.spill_dir.clone());
    if target.absolute.starts_with(&spill_dir) {
        return Vec::new();
    }
    vec![Action::Read { path: target.absolute.clone() }]
}

/// States what a call would make of `target`; a text is none where there is no file.
pub fn draft(target: &Resolved, before: Option<String>, after: Option<String>) -> Draft {
    Draft { name: target.display(), path: target.absolute.clone(), from: None, before, after }
}

/// Says that `given` does not exist and names what was probably meant.
pub fn missing(workspace: &Workspace, given: &str) -> String {
    match meant(workspace, given) {
        Some(meant) => format!("`{given}` does not exist; did you mean `{meant}`?"),
        None => format!("`{given}` does not exist; search for it with `search` or list the folder with `list_files`"),
    }
}

/// Finds the existing path nearest to `given`: a tail of it, a near name in its folder, its name or a near one elsewhere.
fn meant(workspace: &Workspace, given: &str) -> Option<String> {
    existing_tail(workspace.root(), given).or_else(|| sibling(workspace, given)).or_else(|| elsewhere(workspace, given))
}

/// Returns the longest tail of an invented absolute path that exists in the workspace: `/home/user/src/a.rs`.
fn existing_tail(root: &Path, given: &str) -> Option<String> {
    let names: Vec<_> = Path::new(given).components().filter(|part| matches!(part, Component::Normal(_))).collect();
    let tails = (1..names.len()).map(|from| names[from..].iter().collect::<std::path::PathBuf>());
    tails.into_iter().find(|tail| root.join(tail).exists()).map(|tail| tail.display().to_string())
}

fn sibling(workspace: &Workspace, given: &str) -> Option<String> {
    let target = workspace.resolve(given);
    let relative = target.relative.as_deref()?;
    let folder = target.absolute.parent()?;
    let names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .take(MAX_CANDIDATES)
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    let name = nearest(&relative.file_name()?.to_string_lossy(), names)?.to_owned();
    Some(relative.with_file_name(name).display().to_string())
}

fn elsewhere(workspace: &Workspace, given: &str) -> Option<String> {
    let name = Path::new(given).file_name()?.to_string_lossy().into_owned();
    let mut paths = Vec::new();
    Walk::new(workspace.root(), workspace.root()).visit(&mut |entry| {
        paths.push(entry.relative);
        if paths.len() < MAX_CANDIDATES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let name_of = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let same = paths.iter().find(|path| name_of(path) == name);
    let near = || {
        let names: Vec<String> = paths.iter().map(|path| name_of(path)).collect();
        let near = nearest(&name, names.iter().map(String::as_str))?;
        paths.iter().find(|path| name_of(path) == near)
    };
    same.or_else(near).map(|path| path.display().to_string())
}
