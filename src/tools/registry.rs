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
use crate::tools::{ask_user, edit_file, git, list_files, read_file, search, shell, update_plan, write_file};

/// Where a tool is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// To every model.
    Core,
    /// To models that cope with many tools; to others behind the door.
    More,
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
        Row {
            yaml: include_str!(concat!("../../tools/", $file, ".yaml")),
            build: |manifest| Box::new(<$tool>::new(manifest)),
            place: Place::$place,
        }
    };
}

/// The tools in the order models see them.
const TABLE: [Row; 9] = [
    row!("read_file", Core, read_file::ReadFile),
    row!("edit_file", Core, edit_file::EditFile),
    row!("write_file", Core, write_file::WriteFile),
    row!("shell", Core, shell::Shell),
    row!("search", Core, search::Search),
    row!("list_files", More, list_files::ListFiles),
    row!("git", More, git::Git),
    row!("update_plan", More, update_plan::UpdatePlan),
    row!("ask_user", More, ask_user::AskUser),
];

/// The door to the tools a model is not shown.
const MORE_TOOLS: &str = include_str!("../../tools/more_tools.yaml");

/// The tool that exchanges one place of a file.
const EDIT_TOOL: &str = "edit_file";

/// Prefixes some models put before a tool's name.
const PREFIXES: [&str; 5] = ["functions.", "functions:", "default_api:", "default_api.", "tools."];

/// Tools named in the answer to a call of one that does not exist: more of them help nobody.
const MAX_NAMES: usize = 10;
/// Characters of a name that does not exist that are repeated.
const MAX_NAME_CHARS: usize = 60;

/// All tools, ready to be called.
pub struct Registry {
    tools: Vec<Box<dyn Tool>>,
    /// The specs of every tool but the door.
    all: Arc<[ToolSpec]>,
    /// The specs of the core tools and the door.
    core: Arc<[ToolSpec]>,
}

impl Registry {
    /// Builds every tool of the table.
    pub fn new() -> Self {
        let (mut tools, mut all, mut core, mut hidden) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for row in &TABLE {
            let manifest = compiled_in(row.yaml);
            all.push(manifest.spec());
            match row.place {
                Place::Core => core.push(manifest.spec()),
                Place::More => hidden.push(manifest.clone()),
            }
            tools.push((row.build)(manifest));
        }
        let door = MoreTools::new(compiled_in(MORE_TOOLS), &hidden);
        core.push(door.manifest().spec());
        tools.push(Box::new(door));
        Self { tools, all: all.into(), core: core.into() }
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
        let meant = || self.names().into_iter().find(|name| folded(name) == wanted);
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

    /// Returns what a model is told that copes with `tool_budget` tools and changes files best in this way. One that
    /// cannot name a place is not offered the tool for it; calls of it are still understood.
    pub fn specs_for(&self, tool_budget: usize, dialect: EditDialect) -> Arc<[ToolSpec]> {
        let specs = self.specs(tool_budget);
        match dialect {
            EditDialect::Whole => specs.iter().filter(|spec| spec.name != EDIT_TOOL).cloned().collect(),
            _ => specs,
        }
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
        let near = nearest(name, self.names()).and_then(|near| self.get(near)).map(|tool| tool.manifest().form());
        let is_near = |known: &&str| near.as_ref().is_some_and(|form| form.tool == *known);
        let (mut known, others): (Vec<&str>, Vec<&str>) = self.names().into_iter().partition(is_near);
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

/// Reduces a name to what is left when case and separators do not count.
fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}
