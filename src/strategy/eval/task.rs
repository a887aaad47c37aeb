//! What is a task, and what does it need of the machine?
//!
//! A folder with `task.yaml` and the files of a project in `repository/`; a `script.yaml` beside them says what a scripted
//! model does. README describes the keys.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::base::fault::{Explain, Kind};
use crate::base::yaml;

/// The file that makes a folder a task.
const TASK_FILE: &str = "task.yaml";
/// The folder of the project's files.
const REPOSITORY: &str = "repository";
/// The file with the words of a scripted model.
const SCRIPT: &str = "script.yaml";

/// One task.
#[derive(Debug, Clone)]
pub struct Task {
    /// The name of its folder.
    pub name: String,
    /// The project's files.
    pub repository: PathBuf,
    /// What a scripted model does; none where there is no script.
    pub script: Option<PathBuf>,
    /// What `task.yaml` says.
    pub order: Order,
}

/// What `task.yaml` says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What is wrong, in a few words.
    pub title: String,
    /// What it is written in.
    #[serde(default)]
    pub language: String,
    /// Programs that must be there; without one of them the task is skipped.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The check; found from the project's files when not given.
    #[serde(default)]
    pub check: Option<String>,
    /// Times the agent is handed the failures.
    #[serde(default = "three")]
    pub max_rounds: u32,
    /// Seconds the whole work may take.
    #[serde(default = "five_minutes")]
    pub max_seconds: u64,
    /// Rules that allow what would be asked about.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Settings, as `--set` takes them.
    #[serde(default)]
    pub set: Vec<String>,
}

fn three() -> u32 {
    3
}

fn five_minutes() -> u64 {
    300
}

/// Why there is nothing to evaluate.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The folder cannot be read.
    #[error("cannot read the tasks in `{}`", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no task in it.
    #[error("there is no task in `{}`: a task is a folder with a `{TASK_FILE}`", folder.display())]
    None {
        /// The folder.
        folder: PathBuf,
    },
    /// A task cannot be read.
    #[error("the task `{name}` cannot be read: {why}")]
    Broken {
        /// The task.
        name: String,
        /// Why.
        why: String,
    },
    /// A task was named that is not there.
    #[error("there is no task `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// The tasks there are.
        known: Vec<String>,
    },
}

impl Explain for TaskError {
    fn kind(&self) -> Kind {
        match self {
            Self::Broken { .. } => Kind::Config,
            _ => Kind::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Folder { folder, .. } => vec![format!("ls -ld {}", folder.display())],
            Self::None { .. } | Self::Broken { .. } => {
                vec!["a task.yaml in two lines: title: adds wrongly / check: make test".to_owned()]
            }
            Self::Unknown { known, .. } => vec![format!("there are: {}", known.join(", "))],
        }
    }
}

/// Reads all tasks of a folder, in the order of their names; `folder` may also be a single task.
pub fn read_all(folder: &Path) -> Result<Vec<Task>, TaskError> {
    let unreadable = |source| TaskError::Folder { folder: folder.to_path_buf(), source };
    let folder = folder.canonicalize().map_err(unreadable)?;
    if folder.join(TASK_FILE).is_file() {
        return Ok(vec![read(&folder)?]);
    }
    let entries = std::fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|source| TaskError::Folder { folder: folder.clone(), source })?;
    let mut folders: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join(TASK_FILE).is_file());
    folders.sort();
    if folders.is_empty() {
        return Err(TaskError::None { folder });
    }
    folders.iter().map(|folder| read(folder)).collect()
}

/// Keeps the tasks that were asked for by name.
pub fn choose(tasks: Vec<Task>, names: &[String]) -> Result<Vec<Task>, TaskError> {
    if let Some(name) = names.iter().find(|name| !tasks.iter().any(|task| task.name == **name)) {
        let known = tasks.into_iter().map(|task| task.name).collect();
        return Err(TaskError::Unknown { name: name.clone(), known });
    }
    Ok(tasks.into_iter().filter(|task| names.is_empty() || names.contains(&task.name)).collect())
}

fn read(folder: &Path) -> Result<Task, TaskError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let broken = |why: String| TaskError::Broken { name: name.clone(), why };
    let text = std::fs::read_to_string(folder.join(TASK_FILE)).map_err(|error| broken(error.to_string()))?;
    let order: Order = yaml::from_str(&text).map_err(|error| broken(error.to_string()))?;
    let repository = folder.join(REPOSITORY);
    if !repository.is_dir() {
        return Err(broken(format!("it has no folder `{REPOSITORY}`")));
    }
    let script = Some(folder.join(SCRIPT)).filter(|script| script.is_file());
    Ok(Task { name, repository, script, order })
}

impl Task {
    /// Returns the first program it needs that is in none of the folders of `path`.
    pub fn lacks(&self, path: &str) -> Option<&str> {
        let is_there = |program: &String| std::env::split_paths(path).any(|folder| folder.join(program).is_file());
        self.order.needs.iter().find(|program| !is_there(program)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(root: &Path, name: &str, yaml: &str) {
        std::fs::create_dir_all(root.join(name).join(REPOSITORY)).unwrap();
        std::fs::write(root.join(name).join(TASK_FILE), yaml).unwrap();
    }

    #[test]
    fn a_folder_of_tasks_is_read_in_order() {
        let root = tempfile::tempdir().unwrap();
        task(root.path(), "b", "title: two\nneeds: [surely-not-there, sh]\n");
        task(root.path(), "a", "title: one\ncheck: make\n");
        std::fs::create_dir(root.path().join("other")).unwrap();
        let tasks = read_all(root.path()).unwrap();
        assert_eq!(tasks.iter().map(|task| task.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((tasks[0].lacks("/bin"), tasks[1].lacks("/bin")), (None, Some("surely-not-there")));
        assert_eq!(read_all(&root.path().join("a")).unwrap()[0].order.check.as_deref(), Some("make"));
        let one = choose(tasks.clone(), &["b".to_owned()]).unwrap();
        assert_eq!(one[0].order.title, "two");
        assert!(choose(tasks, &["c".to_owned()]).unwrap_err().hints()[0].ends_with("a, b"));
    }

    #[test]
    fn what_is_no_task_is_said_so() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(read_all(&root.path().join("gone")), Err(TaskError::Folder { .. })));
        assert!(matches!(read_all(root.path()), Err(TaskError::None { .. })));
        for yaml in ["", "title: [", "title: x\ncolour: red\n", "check: make\n"] {
            task(root.path(), "a", yaml);
            assert!(matches!(read_all(root.path()), Err(TaskError::Broken { .. })), "{yaml}");
        }
    }
}
