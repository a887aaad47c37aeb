//! Which checks has this project, and which of them is meant?
//!
//! The rows of `config/runners.yaml` say by which files a check is known. A folder that a row fits is a root: the nearest one
//! from the current folder upwards, up to the top of the repository, else those below it. Starts nothing. Surprising: a check
//! whose program is missing is found all the same, so that the user is told what to install.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::base::text::fits;
use crate::base::yaml;
use crate::protocol::fix_report::{CheckKind, CheckSpec};
use crate::strategy::runner::CheckError;
use crate::workspace::walk::{Entry, EntryKind, Walk};

/// Levels below the current folder at which roots are looked for.
const MAX_DEPTH: usize = 4;
/// Roots below the current folder that are looked at; a project with more names its checks.
const MAX_ROOTS: usize = 50;
/// Files whose content is looked at for one pattern.
const MAX_FILES: usize = 20;
/// Bytes of one such file.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// By what a row of a table is known to fit a folder.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Signs {
    /// Names or patterns that must be there; `a|b` for either.
    pub files: Vec<String>,
    /// A pattern that one of the files behind the first entry must contain.
    pub needs: String,
    /// A pattern that none of them may contain.
    pub lacks: String,
    /// Programs that must be there; `a|b` takes the first that is.
    pub programs: Vec<String>,
}

/// One row of `config/runners.yaml`.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    /// What the runner is called.
    pub name: String,
    /// What it is for.
    pub kind: CheckKind,
    /// By what it is known.
    #[serde(flatten)]
    pub signs: Signs,
    /// The check; `{0}` is the first program.
    pub command: String,
    /// The command that runs only the tests named by `{ids}`; empty where there is none.
    #[serde(default)]
    pub only: String,
    /// Files the check writes for programs to read, as patterns.
    #[serde(default)]
    pub reports: Vec<String>,
}

/// A check that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The runner.
    pub name: String,
    /// What it is for.
    pub kind: CheckKind,
    /// The command, as bash reads it.
    pub command: String,
    /// The folder it runs in.
    pub root: PathBuf,
    /// The command that runs only some tests; empty where there is none.
    pub only: String,
    /// Files it writes for programs to read, as patterns.
    pub reports: Vec<String>,
    /// The program that is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

impl Found {
    /// Says what it is, for a report, as seen from `folder`.
    pub fn spec(&self, folder: &Path) -> CheckSpec {
        let below = self.root.strip_prefix(folder).unwrap_or(&self.root);
        CheckSpec { kind: self.kind, command: self.command.clone(), folder: below.display().to_string() }
    }
}

/// All that was found, and where.
#[derive(Debug, Clone, Default)]
pub struct Detected {
    /// The folder to work in: the nearest root upwards, else the current folder.
    pub folder: PathBuf,
    /// Every check, root by root, in the order of the table.
    pub found: Vec<Found>,
}

impl Detected {
    /// Returns the checks that run when nothing is asked for: of each root its test, else its build, else its lint.
    pub fn usual(&self) -> Vec<&Found> {
        let kinds = [CheckKind::Test, CheckKind::Build, CheckKind::Lint];
        let of_root = |root: &Path| kinds.iter().find_map(|kind| self.first(root, *kind));
        self.roots().into_iter().filter_map(of_root).collect()
    }

    /// Returns the first check of this kind of each root.
    pub fn of_kind(&self, kind: CheckKind) -> Vec<&Found> {
        self.roots().into_iter().filter_map(|root| self.first(root, kind)).collect()
    }

    fn roots(&self) -> Vec<&Path> {
        let mut roots: Vec<&Path> = self.found.iter().map(|found| found.root.as_path()).collect();
        roots.dedup();
        roots
    }

    /// The first whose program is there; one that cannot run is better than none, because its error says what to install.
    fn first(&self, root: &Path, kind: CheckKind) -> Option<&Found> {
        let fitting = || self.found.iter().filter(|found| found.root == root && found.kind == kind);
        fitting().find(|found| found.missing.is_none()).or_else(|| fitting().next())
    }
}

/// Reads the rows of `config/runners.yaml`.
///
/// # Errors
/// The compiled-in table is broken.
pub fn rows() -> Result<Vec<Row>, CheckError> {
    yaml::from_str(include_str!("../../config/runners.yaml")).map_err(|error| CheckError::Table(error.to_string()))
}

/// Looks for the checks of `folder`, an absolute path; programs are looked for on `path`, a list of folders.
///
/// # Errors
/// The compiled-in table is broken.
pub fn detect(folder: &Path, path: &str) -> Result<Detected, CheckError> {
    let rows = rows()?;
    let top = folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(folder);
    for root in folder.ancestors().take_while(|above| above.starts_with(top)) {
        let found = of_root(&rows, root, path);
        if !found.is_empty() {
            return Ok(Detected { folder: root.to_path_buf(), found });
        }
    }
    let mut found: Vec<Found> = Vec::new();
    for root in folders_below(folder) {
        // A package of a workspace is checked with it.
        let is_covered = |of: &Found| found.iter().any(|outer| outer.name == of.name && root.starts_with(&outer.root));
        let own: Vec<Found> = of_root(&rows, &root, path).into_iter().filter(|of| !is_covered(of)).collect();
        found.extend(own);
    }
    Ok(Detected { folder: folder.to_path_buf(), found })
}

fn of_root(rows: &[Row], root: &Path, path: &str) -> Vec<Found> {
    rows.iter().filter_map(|row| found(row, root, path)).collect()
}

fn found(row: &Row, root: &Path, path: &str) -> Option<Found> {
    if !row.signs.fit(root) {
        return None;
    }
    let (programs, missing) = row.signs.programs(root, path);
    let fill = |text: &str| programs.first().map_or_else(|| text.to_owned(), |first| text.replace("{0}", first));
    Some(Found {
        name: row.name.clone(),
        kind: row.kind,
        command: fill(&row.command),
        root: root.to_path_buf(),
        only: fill(&row.only),
        reports: row.reports.clone(),
        missing,
    })
}

impl Signs {
    /// Says whether the files of `root` are those of the row; programs are not looked at.
    pub fn fit(&self, root: &Path) -> bool {
        let mut entries = self.files.iter().map(|entry| files_of(root, entry));
        let Some(first) = entries.next() else { return false };
        if first.is_empty() || entries.any(|files| files.is_empty()) {
            return false;
        }
        let contains = |pattern: &str| {
            let Ok(pattern) = Regex::new(pattern) else { return false };
            first.iter().take(MAX_FILES).any(|file| text_of(file).is_some_and(|text| pattern.is_match(&text)))
        };
        (self.needs.is_empty() || contains(&self.needs)) && (self.lacks.is_empty() || !contains(&self.lacks))
    }

    /// Returns the programs as they are to be called, and the one that is not there.
    pub fn programs(&self, root: &Path, path: &str) -> (Vec<String>, Option<String>) {
        let mut missing = None;
        let called = self.programs.iter().map(|entry| {
            let there = entry.split('|').find(|name| is_there(name, root, path));
            let last = entry.rsplit('|').next().unwrap_or(entry);
            if there.is_none() {
                missing.get_or_insert_with(|| last.to_owned());
            }
            there.unwrap_or(last).to_owned()
        });
        (called.collect(), missing)
    }
}

/// Says whether a program can be started: one with a slash from the folder, any other from `path`.
fn is_there(name: &str, root: &Path, path: &str) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let is_program =
        |file: PathBuf| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    if name.contains('/') {
        return is_program(root.join(name));
    }
    path.split(':').filter(|folder| !folder.is_empty()).any(|folder| is_program(Path::new(folder).join(name)))
}

/// Returns the files behind an entry: `a|b`, each a name or pattern.
pub fn files_of(root: &Path, entry: &str) -> Vec<PathBuf> {
    entry.split('|').flat_map(|pattern| matching(root, pattern)).filter(|path| path.is_file()).collect()
}

/// Returns the paths that a pattern stands for, in the order of their names.
pub fn matching(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut paths = vec![root.to_path_buf()];
    for part in pattern.split('/') {
        paths = if part.contains('*') {
            paths.iter().flat_map(|folder| children(folder, part)).collect()
        } else {
            paths.into_iter().map(|folder| folder.join(part)).collect()
        };
    }
    paths
}

fn children(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let named = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        // As in a shell: what is hidden is named as such.
        let is_shown = !name.starts_with('.') || pattern.starts_with('.');
        (is_shown && fits(pattern, &name)).then(|| entry.path())
    };
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).filter_map(named).collect();
    found.sort();
    found
}

fn text_of(file: &Path) -> Option<String> {
    let is_small = file.metadata().is_ok_and(|meta| meta.len() <= MAX_FILE_BYTES);
    is_small.then(|| std::fs::read(file).ok()).flatten().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Lists the folders below, those further up first; what the project ignores is left out.
fn folders_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut visit = |entry: Entry| {
        if entry.kind == EntryKind::Folder {
            found.push((entry.depth, entry.path));
        }
        if found.len() < MAX_ROOTS * 20 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    Walk::new(folder, folder).max_depth(MAX_DEPTH).visit(&mut visit);
    found.sort();
    found.into_iter().map(|(_, path)| path).filter(|path| !is_foreign(path)).take(MAX_ROOTS * 20).collect()
}

/// Says whether a folder holds what others wrote, also where nothing ignores it.
fn is_foreign(path: &Path) -> bool {
    let foreign = ["node_modules", "target", "vendor", "third_party", "__pycache__", "build", "dist"];
    path.iter().any(|part| foreign.iter().any(|name| part == *name))
}
