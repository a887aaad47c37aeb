//! In which order do settings override each other?
//!
//! Compiled-in defaults, the machine's file, the user's file, the project's file, `MIMI_*` variables, flags. The first
//! three and the last two are the user's to choose; the project's came with the code and may only narrow until its user has
//! trusted it. Nothing is skipped in silence: a key that is unknown, wrong or not allowed where it stands is an error with its
//! place, and what waits for trust is told in [`Loaded::wants`].

use std::path::{Path, PathBuf};

use crate::base::yaml::{self, Node};
use crate::config::dirs::{Dirs, PROJECT_FILE};
use crate::config::env::Env;
use crate::config::error::ConfigError;
use crate::config::file::{Guard, read};
use crate::config::merge::Merged;
use crate::config::origin::{Layer, Origins, Source};
use crate::config::project::{Judged, Project, Want};
use crate::config::schema::Config;
use crate::config::sense;
use crate::config::shape::Shape;
use crate::config::trust::Brought;
use crate::config::variables;

/// Every key with its default; the only place of a default.
const DEFAULT_YAML: &str = include_str!("../../config/default.yaml");
/// The servers known without configuration.
const PROVIDERS_YAML: &str = include_str!("../../config/providers.yaml");

/// Where settings are looked for.
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    /// The environment.
    pub env: &'a Env,
    /// The user's folders.
    pub dirs: &'a Dirs,
    /// The machine's file, normally [`crate::config::dirs::SYSTEM_FILE`].
    pub system_file: &'a Path,
    /// The folder of the project, when there is one.
    pub project_root: Option<&'a Path>,
    /// Hash of the project's files that are trusted for this once.
    pub trusted_hash: Option<&'a str>,
    /// Key paths and their values from the command line; a later one wins.
    pub flags: Vec<(String, String)>,
}

/// Settings of all layers, checked.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Where each came from.
    pub origins: Origins,
    /// What the user should know and what stops nothing.
    pub warnings: Vec<String>,
    /// The files that were found and read, lowest layer first.
    pub files: Vec<PathBuf>,
    /// What the project brought, as it was read.
    pub brought: Brought,
    /// What its settings ask for beyond narrowing; in use only when [`Brought::is_trusted`].
    pub wants: Vec<Want>,
}

/// Reads and merges every layer.
///
/// # Errors
/// The first problem found, lowest layer first; [`load_or_problems`] returns all of them.
pub fn load(sources: &Sources<'_>) -> Result<Loaded, ConfigError> {
    load_or_problems(sources).map_err(|problems| {
        let nothing = || ConfigError::BuiltIn { file: "config/default.yaml", problem: "no problem named".to_owned() };
        problems.into_iter().next().unwrap_or_else(nothing)
    })
}

/// As [`load`], with every problem there is.
///
/// # Errors
/// All problems, never an empty list.
pub fn load_or_problems(sources: &Sources<'_>) -> Result<Loaded, Vec<ConfigError>> {
    let user_file = sources.dirs.config_file();
    let mut stack = Stack::built_in(&user_file).map_err(|problem| vec![problem])?;
    stack.add_file(Layer::System, sources.system_file, &sources.system_file.display().to_string());
    stack.add_file(Layer::User, &user_file, &user_file.display().to_string());
    if let Some(root) = sources.project_root {
        match Brought::find(root, sources.dirs, sources.trusted_hash) {
            Ok(brought) => stack.add_project(root, brought),
            Err(problem) => stack.problems.push(problem),
        }
    }
    stack.add_env(sources.env);
    stack.add_flags(&sources.flags);
    stack.finish()
}

/// Checks one file as if it were the file of `layer`, without any other file, variable or flag.
///
/// # Errors
/// All problems, never an empty list; also when the file does not exist.
pub fn check_file(file: &Path, layer: Layer, dirs: &Dirs) -> Result<Loaded, Vec<ConfigError>> {
    let user_file = dirs.config_file();
    let mut stack = Stack::built_in(&user_file).map_err(|problem| vec![problem])?;
    stack.add_file(layer, file, &file.display().to_string());
    if stack.files.is_empty() && stack.problems.is_empty() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        stack.problems.push(ConfigError::Unreadable { file: file.to_path_buf(), source });
    }
    stack.finish()
}

/// The layers read so far.
struct Stack<'a> {
    shape: Shape,
    merged: Merged,
    problems: Vec<ConfigError>,
    warnings: Vec<String>,
    files: Vec<PathBuf>,
    user_file: &'a Path,
    brought: Brought,
    wants: Vec<Want>,
}

impl<'a> Stack<'a> {
    fn built_in(user_file: &'a Path) -> Result<Self, ConfigError> {
        let default = built_in("config/default.yaml", DEFAULT_YAML)?;
        let providers = built_in("config/providers.yaml", PROVIDERS_YAML)?;
        let shape = Shape::of_config(&default);
        let mut merged = Merged::empty();
        merged.add(default, &Source::new(Layer::Default, "config/default.yaml"));
        merged.add(below("providers", providers), &Source::new(Layer::Default, "config/providers.yaml"));
        let (problems, warnings, files) = (Vec::new(), Vec::new(), Vec::new());
        let (brought, wants) = (Brought::default(), Vec::new());
        Ok(Self { shape, merged, problems, warnings, files, user_file, brought, wants })
    }

    fn add_project(&mut self, root: &Path, brought: Brought) {
        self.brought = brought;
        if let Some(text) = self.brought.text(PROJECT_FILE).map(str::to_owned) {
            self.files.push(root.join(PROJECT_FILE));
            self.add_text(&text, &Source::new(Layer::Project, PROJECT_FILE));
        }
    }

    fn add_file(&mut self, layer: Layer, file: &Path, name: &str) {
        let guard = match layer {
            Layer::System => Guard::Unaltered,
            Layer::User => Guard::Own,
            _ => Guard::Open,
        };
        match read(file, guard) {
            Ok(Some(text)) => {
                self.files.push(file.to_path_buf());
                self.add_text(&text, &Source::new(layer, name));
            }
            Ok(None) => {}
            Err(problem) => self.problems.push(problem),
        }
    }

    fn add_text(&mut self, text: &str, source: &Source) {
        let mut tree = match yaml::parse(text) {
            Ok(tree) => tree,
            Err(error) => {
                let origin = source.origin(error.line, error.column);
                self.problems.push(ConfigError::Syntax { problem: error.message, origin });
                return;
            }
        };
        let n_before = self.problems.len();
        self.shape.check(&tree, source, &mut self.problems);
        if source.layer == Layer::Project {
            let project = Project { tree: &tree, source, below: &self.merged.tree, user_file: self.user_file };
            let Judged { narrowing, wants, breaches } = project.judge();
            self.problems.extend(breaches);
            self.wants.extend(wants);
            if !self.brought.is_trusted() {
                tree = narrowing;
            }
        }
        // A tree of wrong shape is not merged: what it replaced would be reported a second time, as another problem.
        if self.problems.len() == n_before {
            self.merged.add(tree, source);
        }
    }

    fn add_env(&mut self, env: &Env) {
        let assigned = variables::from_env(env, &self.shape, &self.merged.tree);
        self.warnings.extend(assigned.warnings);
        self.problems.extend(assigned.problems);
        for assignment in assigned.values {
            self.merged.add(assignment.tree, &assignment.source);
        }
    }

    fn add_flags(&mut self, flags: &[(String, String)]) {
        match variables::from_flags(flags, &self.shape) {
            Ok(values) => values.into_iter().for_each(|value| self.merged.add(value.tree, &value.source)),
            Err(problems) => self.problems.extend(problems),
        }
    }

    fn finish(self) -> Result<Loaded, Vec<ConfigError>> {
        let Self { merged: Merged { tree, origins }, mut problems, warnings, files, brought, wants, .. } = self;
        let config = match yaml::from_node::<Config>(&tree) {
            Ok(config) => config,
            Err(error) => {
                let key = if error.path.is_empty() { "the configuration".to_owned() } else { error.path };
                let origin = origins.find_or_default(&key);
                problems.push(ConfigError::WrongValue { key, problem: problem(&error.message), origin });
                return Err(problems);
            }
        };
        problems.extend(sense::problems(&config, &origins));
        let loaded = Loaded { config, origins, warnings, files, brought, wants };
        if problems.is_empty() { Ok(loaded) } else { Err(problems) }
    }
}

/// Words what serde found wrong, to be read after the key. A value of a closed set is text whatever it says.
fn problem(message: &str) -> String {
    match message.strip_prefix("expected one of ") {
        Some(names) => format!("must be one of {}", names.strip_suffix(", found text").unwrap_or(names)),
        None => format!("is wrong: {message}"),
    }
}

fn built_in(file: &'static str, text: &str) -> Result<Node, ConfigError> {
    yaml::parse(text).map_err(|error| ConfigError::BuiltIn { file, problem: error.to_string() })
}

/// Puts a tree below a key.
fn below(key: &str, value: Node) -> Node {
    let entry = yaml::Entry { key: key.to_owned(), line: 1, column: 1, value };
    Node { line: 1, column: 1, value: yaml::Value::Map(vec![entry]) }
}
