//! How do files by their paths become a tree?
//!
//! Folders that hold nothing but one folder are one row. Pure.

use crate::tui::state::review::file::File;

/// A row of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// How deep it stands, from 0.
    pub depth: usize,
    /// Its name; of a folder with a slash.
    pub name: String,
    /// Which file; none for a folder.
    pub file: Option<usize>,
    /// Lines added in it or below it.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
}

/// Makes the tree of files that are sorted by path.
pub(super) fn branches(files: &[File]) -> Vec<Branch> {
    let mut rows = Vec::new();
    below(files, 0, &[], 0, &mut rows);
    rows
}

/// Adds what stands below a folder; `first` is the place of the first of these files among all.
fn below(files: &[File], first: usize, folder: &[&str], depth: usize, rows: &mut Vec<Branch>) {
    let mut at = 0;
    while at < files.len() {
        let parts = parts(&files[at], folder.len());
        let Some((name, rest)) = parts.split_first() else { return };
        let (added, removed) = counts(&files[at..=at]);
        if rest.is_empty() {
            rows.push(Branch { depth, name: (*name).to_owned(), file: Some(first + at), added, removed });
            at += 1;
            continue;
        }
        let n = files[at..].iter().take_while(|file| is_below(file, folder.len(), name)).count();
        let group = &files[at..at + n];
        let inner = shared(group, folder.len());
        let name = format!("{}/", inner[folder.len()..].join("/"));
        let (added, removed) = counts(group);
        rows.push(Branch { depth, name, file: None, added, removed });
        below(group, first + at, &inner, depth + 1, rows);
        at += n;
    }
}

fn parts(file: &File, from: usize) -> Vec<&str> {
    file.diff.path.split('/').skip(from).collect()
}

fn is_below(file: &File, depth: usize, name: &str) -> bool {
    let mut parts = file.diff.path.split('/').skip(depth);
    parts.next() == Some(name) && parts.next().is_some()
}

/// Returns the folders that all of these files lie below; at least one more than `depth`.
fn shared(files: &[File], depth: usize) -> Vec<&str> {
    let Some(first) = files.first() else { return Vec::new() };
    let all: Vec<&str> = first.diff.path.split('/').collect();
    let mut n = all.len() - 1;
    for file in files {
        let same = file.diff.path.split('/').zip(&all).take_while(|(a, b)| a == *b).count();
        n = n.min(same).min(file.diff.path.matches('/').count());
    }
    all[..n.max(depth + 1)].to_vec()
}

fn counts(files: &[File]) -> (usize, usize) {
    files.iter().fold((0, 0), |sum, file| (sum.0 + file.diff.added, sum.1 + file.diff.removed))
}
