//! What does mimi know of a project without asking anybody?

pub mod git;
mod instructions;
mod walk;

/// Makes a project of these files and opens it.
fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, mimi::workspace::Workspace) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let workspace = mimi::workspace::Workspace::open(folder.path()).unwrap();
    (folder, workspace)
}
