//! Which tools are there, and which of them does a model see?
//!
//! One row a tool. A model is shown all of them, or, when it copes with few, the core ones and one door to the rest. The
//! order and the bytes never change within a version: they are the start of every prompt.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::base::text::{first_line, nearest};
use crate::protocol::profile::EditDialect;
use crate::protocol::tool::ToolSpec;
use crate::tools::Tool;
use crate::tools::bad_call::{BadCall, Malformed};
use crate::tools::manifest::Manifest;
use crate::tools::more_tools::{self, MoreTools};
use crate::tools::{
    apply_blocks, apply_diff, apply_patch, ask_user, edit_file, git, list_files, multi_edit, read_file, repo_map,
    search, search_code, shell, update_plan, write_file,
};

/// Where a tool is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// To every model.
    Core,
    /// To models that cope with many tools; to others behind the door.
    More,
    /// Instead of the tool that exchanges one place, to models that state changes best in this way.
    Instead(EditDialect),
}

/// One tool of the table.
struct Row {
    yaml: &'static str,
    build: fn(Manifest) -> Box<dyn Tool>,
    place: Place,
}

/// Makes a row of `tools/<name>.yaml` and the tool's constructor.
macro_rules! row {
    ($file:literal, $place:ident, $tool:path) => {
        row!($file, Place::$place, $tool)
    };
    ($file:literal, $place:expr, $tool:path) => {
        Row {
            yaml: include_str!(concat!("../../tools/", $file, ".yaml")),
            build: |manifest| Box::new(<$tool>::new(manifest)),
            place: $place,
        }
    };
}

/// The tools in the order models see them.
const TABLE: [Row; 15] = [
    row!("read_file", Core, read_file::ReadFile),
    row!("edit_file", Core, edit_file::EditFile),
    row!("write_file", Core, write_file::WriteFile),
    row!("shell", Core, shell::Shell),
    row!("search", Core, search::Search),
    row!("search_code", More, search_code::SearchCode),
    row!("repo_map", More, repo_map::RepoMap),
    row!("list_files", More, list_files::ListFiles),
    row!("git", More, git::Git),
    row!("update_plan", More, update_plan::UpdatePlan),
    row!("ask_user", More, ask_user::AskUser),
    row!("multi_edit", Place::Instead(EditDialect::MultiReplace), multi_edit::MultiEdit),
    row!("apply_blocks", Place::Instead(EditDialect::Blocks), apply_blocks::ApplyBlocks),
    row!("apply_diff", Place::Instead(EditDialect::UnifiedDiff), apply_diff::ApplyDiff),
    row!("apply_patch", Place::Instead(EditDialect::Patch), apply_patch::ApplyPatch),
];

/// The door to the tools a model is not shown.
const MORE_TOOLS: &str = include_str!("../../tools/more_tools.yaml");

/// The tool that exchanges one place of a file.
const EDIT_TOOL: &str = "edit_file";
/// The tool that writes whole files.
const WRITE_TOOL: &str = "write_file";

/// Names that other agents give to these tools, and models trained with them use.
const ALIASES: [(&str, &str); 14] = [
    ("edit", EDIT_TOOL),
    ("str_replace", EDIT_TOOL),
    ("str_replace_editor", EDIT_TOOL),
    ("replace", EDIT_TOOL),
    ("write", WRITE_TOOL),
    ("create_file", WRITE_TOOL),
    ("write_to_file", WRITE_TOOL),
    ("multi_replace", "multi_edit"),
    ("replace_in_file", "apply_blocks"),
    ("search_replace", "apply_blocks"),
    ("udiff", "apply_diff"),
    ("patch", "apply_patch"),
    ("codebase_search", "search_code"),
    ("semantic_search", "search_code"),
];

/// Prefixes some models put before a tool's name.
const PREFIXES: [&str; 5] = ["functions.", "functions:", "default_api:", "default_api.", "tools."];

/// Tools named in the answer to a call of one that does not exist: more of them help nobody.
const MAX_NAMES: usize = 10;
/// Characters of a name that does not exist that are repeated.
const MAX_NAME_CHARS: usize = 60;

/// Returns the tool by which a model states changes in this dialect.
pub fn tool_for(dialect: EditDialect) -> &'static str {
    match dialect {
        EditDialect::Replace => EDIT_TOOL,
        EditDialect::MultiReplace => "multi_edit",
        EditDialect::Blocks => "apply_blocks",
        EditDialect::UnifiedDiff => "apply_diff",
        EditDialect::Patch => "apply_patch",
        EditDialect::Whole => WRITE_TOOL,
    }
}

/// All tools, ready to be called.
pub struct Registry {
    tools: Vec<Box<dyn Tool>>,
    /// The specs of every tool but the door.
    all: Arc<[ToolSpec]>,
    /// The specs of the core tools and the door.
    core: Arc<[ToolSpec]>,
    /// The tool that is shown for each dialect instead of the usual one.
    instead: Vec<(EditDialect, ToolSpec)>,
}

impl Registry {
    /// Builds every tool of the table.
    pub fn new() -> Self {
        let (mut tools, mut all, mut core, mut hidden) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut instead = Vec::new();
        for row in &TABLE {
            let manifest = compiled_in(row.yaml);
            match row.place {
                Place::Core => core.push(manifest.spec()),
                Place::More => hidden.push(manifest.clone()),
                Place::Instead(dialect) => instead.push((dialect, manifest.spec())),
            }
            if !matches!(row.place, Place::Instead(_)) {
                all.push(manifest.spec());
            }
            tools.push((row.build)(manifest));
        }
        let door = MoreTools::new(compiled_in(MORE_TOOLS), &hidden);
        core.push(door.manifest().spec());
        tools.push(Box::new(door));
        Self { tools, all: all.into(), core: core.into(), instead }
    }

    /// Returns the tool of exactly this name.
    pub fn get(&self, name: &str) -> Option<&dyn Tool> {
        self.tools.iter().find(|tool| tool.manifest().name == name).map(Box::as_ref)
    }

    /// Returns the tool meant by a model's spelling: `Read_File`, `read-file`, `readFile`, `functions.read_file`.
    pub fn resolve(&self, name: &str) -> Option<&dyn Tool> {
        let bare = name.trim();
        let bare = PREFIXES.iter().find_map(|prefix| bare.strip_prefix(prefix)).unwrap_or(bare);
        let wanted = folded(bare);
        let alias = || ALIASES.iter().find(|(alias, _)| folded(alias) == wanted).map(|(_, name)| *name);
        let meant = || self.names().into_iter().find(|name| folded(name) == wanted).or_else(alias);
        self.get(bare).or_else(|| self.get(meant()?))
    }

    /// Returns every name, the door's last.
    pub fn names(&self) -> Vec<&str> {
        self.tools.iter().map(|tool| tool.manifest().name.as_str()).collect()
    }

    /// Returns what a model that copes with `tool_budget` tools is told: all but the door, or the core and the door.
    pub fn specs(&self, tool_budget: usize) -> Arc<[ToolSpec]> {
        Arc::clone(if tool_budget >= self.all.len() { &self.all } else { &self.core })
    }

    /// Returns what a model is told that copes with `tool_budget` tools and changes files best in this way. Instead of the
    /// tool that exchanges one place it is offered the one for its dialect, or none; calls of all are still understood.
    pub fn specs_for(&self, tool_budget: usize, dialect: EditDialect) -> Arc<[ToolSpec]> {
        let specs = self.specs(tool_budget);
        if dialect == EditDialect::Replace {
            return specs;
        }
        let instead = self.instead.iter().find(|row| row.0 == dialect).map(|row| &row.1);
        let spec = |spec: &ToolSpec| match spec.name.as_str() {
            EDIT_TOOL => instead.cloned(),
            WRITE_TOOL => Some(ToolSpec { description: without_edit(&spec.description, instead), ..spec.clone() }),
            _ => Some(spec.clone()),
        };
        specs.iter().filter_map(spec).collect()
    }

    /// Returns what models are told of every tool, whichever of them is offered to whom.
    pub fn every_spec(&self) -> Arc<[ToolSpec]> {
        self.all.iter().chain(self.instead.iter().map(|row| &row.1)).cloned().collect()
    }

    /// Finds the tool a call means, looking through the door, so that whoever judges the call judges what will run.
    ///
    /// The door itself comes back only for a call that asks what is behind it.
    pub fn unwrap(&self, name: &str, arguments: Value) -> Result<(&dyn Tool, Value), BadCall> {
        let tool = self.resolve(name).ok_or_else(|| self.unknown(name))?;
        if tool.manifest().name != more_tools::NAME {
            return Ok((tool, arguments));
        }
        match more_tools::inner_call(tool.manifest(), &arguments)? {
            None => Ok((tool, Value::Object(Map::new()))),
            Some((inner, arguments)) => {
                match self.resolve(&inner).filter(|inner| inner.manifest().name != more_tools::NAME) {
                    Some(inner) => Ok((inner, arguments)),
                    None => Err(self.unknown(&inner)),
                }
            }
        }
    }

    /// Answers a call of a tool that does not exist.
    pub fn unknown(&self, name: &str) -> BadCall {
        // Of the tools for changing files only the usual one is named: the others are for models that know them.
        let is_usual = |name: &&str| self.instead.iter().all(|(_, spec)| spec.name != *name);
        let names: Vec<&str> = self.names().into_iter().filter(is_usual).collect();
        let near =
            nearest(name, names.iter().copied()).and_then(|near| self.get(near)).map(|tool| tool.manifest().form());
        let is_near = |known: &&str| near.as_ref().is_some_and(|form| form.tool == *known);
        let (mut known, others): (Vec<&str>, Vec<&str>) = names.into_iter().partition(is_near);
        known.extend(others);
        let known = known.into_iter().take(MAX_NAMES).map(str::to_owned).collect();
        Malformed::Unknown { name: first_line(name, MAX_NAME_CHARS), known, near }.into()
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::expect_used, reason = "the manifests are compiled in, and a test parses every one")]
fn compiled_in(yaml: &str) -> Manifest {
    Manifest::parse(yaml).expect("a compiled-in manifest parses")
}

/// Names another tool where the description of one names the usual one for edits; without another, the sentence goes.
fn without_edit(description: &str, instead: Option<&ToolSpec>) -> String {
    match instead {
        Some(other) => description.replace(EDIT_TOOL, &other.name),
        None => description
            .split_inclusive(". ")
            .filter(|sentence| !sentence.contains(EDIT_TOOL))
            .collect::<String>()
            .trim_end()
            .to_owned(),
    }
}

/// Reduces a name to what is left when case and separators do not count.
fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}
