//! What does the project say about itself, and how to work in it?
//!
//! Collects instruction files and a few facts anybody could read off the folder. Everything is capped, and nothing that
//! differs between users or days is in it, so that one project gives everyone the same prompt. Must not word prompts.

use std::io::Read as _;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::base::path::{open_read, user_id};
use crate::base::text::{one_line_name, prefix, size};
use crate::workspace::Workspace;
use crate::workspace::walk::{EntryKind, Walk};

/// Names of instruction files; of those in one folder the first counts.
const NAMES: [&str; 2] = ["AGENTS.md", "CLAUDE.md"];
/// Bytes taken of one file.
const MAX_FILE_BYTES: usize = 32_000;
/// Bytes taken of all files.
const MAX_TOTAL_BYTES: usize = 64_000;
/// Top-level entries named; a project has fewer, a heap of files is not described by more.
const MAX_TOP_ENTRIES: usize = 40;

/// Files that give a language or build tool away.
const MARKERS: [(&str, &str); 20] = [
    ("Cargo.toml", "Rust"),
    ("package.json", "JavaScript"),
    ("tsconfig.json", "TypeScript"),
    ("deno.json", "TypeScript"),
    ("pyproject.toml", "Python"),
    ("setup.py", "Python"),
    ("requirements.txt", "Python"),
    ("go.mod", "Go"),
    ("pom.xml", "Java"),
    ("build.gradle", "Java"),
    ("build.gradle.kts", "Kotlin"),
    ("CMakeLists.txt", "C/C++"),
    ("meson.build", "C/C++"),
    ("Makefile", "make"),
    ("Gemfile", "Ruby"),
    ("composer.json", "PHP"),
    ("mix.exs", "Elixir"),
    ("Package.swift", "Swift"),
    ("build.zig", "Zig"),
    ("flake.nix", "Nix"),
];

/// One instruction file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionFile {
    /// Path relative to the workspace.
    pub path: String,
    /// Its text, ending in a note when it was cut.
    pub text: String,
}

/// All instruction files that apply in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instructions {
    /// From the root down; where two disagree, the later counts.
    pub files: Vec<InstructionFile>,
    /// What was passed over and why, one sentence each, for the user.
    pub warnings: Vec<String>,
}

/// Collects the instruction files that apply in the workspace: from the root of its repository, which may lie above it,
/// down to the workspace itself.
pub fn of_workspace(workspace: &Workspace, home: &Path) -> Instructions {
    let top = repository_root(workspace.root(), home);
    let top = top.as_deref().unwrap_or(workspace.root());
    Tree { top, root: workspace.root() }.collect(workspace.root())
}

/// Collects the instruction files of the workspace's root and of the folders on the way down to `cwd`.
pub fn collect(workspace: &Workspace, cwd: &Path) -> Instructions {
    Tree { top: workspace.root(), root: workspace.root() }.collect(cwd)
}

/// Finds the repository `root` lies in: the nearest folder at or above it with a `.git`.
///
/// None when a folder on the way or the `.git` belongs to somebody else, who could put words into the model's mouth there,
/// or when it would lie above the home folder.
fn repository_root(root: &Path, home: &Path) -> Option<PathBuf> {
    let home = home.canonicalize().unwrap_or_else(|_| home.to_path_buf());
    let is_mine = |path: &Path| path.symlink_metadata().is_ok_and(|meta| meta.uid() == user_id());
    for folder in root.ancestors().take_while(|folder| is_mine(folder)) {
        let git = folder.join(".git");
        if git.symlink_metadata().is_ok() {
            return is_mine(&git).then(|| folder.to_path_buf());
        }
        if folder == home {
            return None;
        }
    }
    None
}

/// The folders instruction files are looked for in.
struct Tree<'a> {
    /// The outermost: the root of the repository, or of the workspace. Links that leave it are not followed.
    top: &'a Path,
    /// The root of the workspace, which names are relative to.
    root: &'a Path,
}

impl Tree<'_> {
    fn collect(&self, cwd: &Path) -> Instructions {
        let mut found = Instructions::default();
        let mut left_bytes = MAX_TOTAL_BYTES;
        // The nearest file counts most, so it is the last to be cut.
        for folder in self.folders(cwd).iter().rev() {
            if let Some(file) = self.read_folder(folder, left_bytes.min(MAX_FILE_BYTES), &mut found.warnings) {
                left_bytes = left_bytes.saturating_sub(file.text.len());
                found.files.insert(0, file);
            }
        }
        found
    }

    /// Returns the folders from the top down to `cwd`, both included.
    fn folders(&self, cwd: &Path) -> Vec<PathBuf> {
        let cwd = cwd.canonicalize().unwrap_or_else(|_| cwd.to_path_buf());
        let mut folders = vec![self.top.to_path_buf()];
        for part in cwd.strip_prefix(self.top).unwrap_or(Path::new("")).components() {
            let next = folders.last().map(|folder| folder.join(part));
            folders.extend(next);
        }
        folders
    }

    fn read_folder(&self, folder: &Path, max_bytes: usize, warnings: &mut Vec<String>) -> Option<InstructionFile> {
        let path = NAMES.iter().map(|name| folder.join(name)).find(|path| path.symlink_metadata().is_ok())?;
        let name = self.name(&path);
        match self.read(&path, max_bytes) {
            Ok(text) if text.trim().is_empty() => None,
            Ok(text) => Some(InstructionFile { path: name, text }),
            Err(reason) => {
                warnings.push(format!("`{name}` was passed over: {reason}."));
                None
            }
        }
    }

    /// Names a file relative to the workspace, so that no name of a user is in it: `../AGENTS.md` above it.
    fn name(&self, path: &Path) -> String {
        let up = self.root.ancestors().take_while(|folder| !path.starts_with(folder)).count();
        let base = self.root.ancestors().nth(up).unwrap_or(self.root);
        format!("{}{}", "../".repeat(up), path.strip_prefix(base).unwrap_or(path).display())
    }

    /// Reads one file, at most `max_bytes` of it; the error is a reason for the user.
    fn read(&self, path: &Path, max_bytes: usize) -> Result<String, String> {
        let target = path.canonicalize().map_err(|error| error.to_string())?;
        // A link out of the project would show the model what the project cannot know, such as a key.
        if !target.starts_with(self.top) {
            return Err("it is a link that leaves the project".to_owned());
        }
        if !target.is_file() {
            return Err("it is not a file".to_owned());
        }
        let file = open_read(&target).map_err(|error| error.to_string())?;
        let length = file.metadata().map_or(0, |meta| meta.len());
        let mut bytes = Vec::new();
        file.take(max_bytes as u64 + 4).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.contains(&0) {
            return Err("it is not text".to_owned());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.len() <= max_bytes {
            return Ok(text);
        }
        let kept = prefix(&text, max_bytes);
        let left_out = size(length.saturating_sub(kept.len() as u64));
        Ok(format!("{kept}\n[... cut here, {left_out} left out ...]\n"))
    }
}

/// Returns what the folder shows at first sight: languages by their marker files, and the top-level entries.
///
/// Stable: no absolute path, user, date or count is in it.
pub fn project_facts(workspace: &Workspace) -> String {
    let entries = top_entries(workspace);
    let languages = languages(workspace.root());
    let mut facts = String::new();
    if !languages.is_empty() {
        facts.push_str(&format!("languages: {}\n", languages.join(", ")));
    }
    let more = if entries.len() > MAX_TOP_ENTRIES { ", ..." } else { "" };
    let shown = &entries[..entries.len().min(MAX_TOP_ENTRIES)];
    let listing = if shown.is_empty() { "(empty folder)".to_owned() } else { shown.join(", ") };
    facts.push_str(&format!("top level: {listing}{more}\n"));
    facts
}

fn languages(root: &Path) -> Vec<String> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for (marker, language) in MARKERS.iter().filter(|(marker, _)| root.join(marker).is_file()) {
        match found.iter_mut().find(|(name, _)| name == language) {
            Some((_, markers)) => markers.push(marker),
            None => found.push((language, vec![marker])),
        }
    }
    found.iter().map(|(language, markers)| format!("{language} ({})", markers.join(", "))).collect()
}

fn top_entries(workspace: &Workspace) -> Vec<String> {
    let mut names = Vec::new();
    Walk::new(workspace.root(), workspace.root()).max_depth(1).visit(&mut |entry| {
        let slash = if entry.kind == EntryKind::Folder { "/" } else { "" };
        names.push(format!("{}{slash}", one_line_name(&entry.relative.to_string_lossy())));
        if names.len() > MAX_TOP_ENTRIES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    names
}
