//! What is the model told about the project before the user's first words?
//!
//! The same bytes for every user and every clone of a project: no absolute path, no name, no date. That keeps the
//! server's prefix cache shared by the team. What changes belongs into the newest message instead.

use std::path::Path;

use crate::context::prompt;
use crate::workspace::Workspace;
use crate::workspace::instructions;

/// Builds the opening message and the warnings met while reading instruction files. Above `home` none are read.
pub fn build(workspace: &Workspace, home: &Path) -> (String, Vec<String>) {
    let facts = instructions::project_facts(workspace);
    let found = instructions::of_workspace(workspace, home);
    let texts = found.files.iter().map(|file| format!("# {}\n{}", file.path, file.text.trim()));
    let texts = texts.collect::<Vec<_>>().join("\n\n");
    (prompt::OPENING.render(&[facts.trim(), &texts]).trim_end().to_owned(), found.warnings)
}
