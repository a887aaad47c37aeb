//! Which tool does a model mean, however it spells the name, and may it be called with these arguments?
//!
//! Only the tools of the request count: what the model was not offered is not run from its words. Must not guess: a name
//! or key with two readings is none.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use crate::model::recover::coerce::{self, Origin};
use crate::model::recover::schema::Check;
use crate::protocol::tool::ToolSpec;

/// What models and gateways put in front of a tool's name.
const PREFIXES: &[&str] =
    &["functions.", "functions:", "default_api:", "default_api.", "tools.", "tool.", "call:", "to="];

/// The tools on offer.
#[derive(Clone)]
pub struct Toolbox {
    tools: Arc<[ToolSpec]>,
    /// The schemas of the tools, in their order, compiled when first needed.
    checks: Arc<[OnceLock<Check>]>,
}

/// Arguments that passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The tool's name as registered.
    pub name: String,
    /// Its arguments, an object in the model's order.
    pub arguments: Value,
    /// Whether they had to be changed.
    pub is_coerced: bool,
}

impl Toolbox {
    /// Holds the tools of a request.
    pub fn new(tools: Arc<[ToolSpec]>) -> Self {
        let checks = tools.iter().map(|_| OnceLock::new()).collect();
        Self { tools, checks }
    }

    /// Says whether there is nothing to call.
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// Returns the tool of exactly this name.
    pub fn get(&self, name: &str) -> Option<&ToolSpec> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// Returns the tool meant by `Read_File`, `read-file`, `functions.read_file:0`, `mcp__files__read_file`.
    pub fn resolve(&self, name: &str) -> Option<&ToolSpec> {
        let bare = bare(name);
        self.get(name).or_else(|| self.get(bare)).or_else(|| self.folded(bare)).or_else(|| {
            let (_, last) = bare.strip_prefix("mcp__")?.rsplit_once("__")?;
            self.get(last).or_else(|| self.folded(last))
        })
    }

    fn folded(&self, name: &str) -> Option<&ToolSpec> {
        let wanted = folded(name);
        let mut meant = self.tools.iter().filter(|tool| folded(&tool.name) == wanted);
        let first = meant.next().filter(|_| !wanted.is_empty());
        first.filter(|_| meant.next().is_none())
    }

    /// Returns the tool whose name `text` begins with, where the name ends there.
    pub fn at_start(&self, text: &str) -> Option<&ToolSpec> {
        let end = text.find(|c: char| !is_name_char(c)).unwrap_or(text.len());
        self.get(&text[..end])
    }

    /// Says whether `text` may be the beginning of a tool's name.
    pub fn may_start(&self, text: &str) -> bool {
        self.tools.iter().any(|tool| tool.name.starts_with(text))
    }

    /// Checks arguments against the schema of a tool of this box; the error says in one line what does not fit.
    pub fn check(&self, tool: &ToolSpec, arguments: &Value) -> Result<(), String> {
        let at = self.tools.iter().position(|other| std::ptr::eq(other, tool));
        match at.and_then(|at| self.checks.get(at)) {
            Some(check) => check.get_or_init(|| Check::new(&tool.parameters)).check(arguments),
            None => Check::new(&tool.parameters).check(arguments),
        }
    }

    /// Fits arguments to the tool's schema; the error says in words why they cannot be.
    pub fn accept(&self, tool: &ToolSpec, given: Map<String, Value>, origin: Origin) -> Result<Accepted, String> {
        let before = Value::Object(given.clone());
        let arguments = Value::Object(coerce::fit(&tool.parameters, given, origin)?);
        self.check(tool, &arguments)?;
        let is_coerced = before != arguments;
        Ok(Accepted { name: tool.name.clone(), arguments, is_coerced })
    }
}

/// Says whether a tool's name may hold this character.
pub fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

/// Strips what is not part of a name: quotes, prefixes, the number Kimi adds, marks that stuck to it.
pub fn bare(name: &str) -> &str {
    let name = name.trim().trim_matches(['"', '\'', '`']);
    let name = name.find("<|").map_or(name, |at| &name[..at]);
    let name = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    match name.rsplit_once(':') {
        Some((before, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => before,
        _ => name,
    }
}

/// Reduces a name to what is left when case and separators do not count.
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolbox(names: &[&str]) -> Toolbox {
        let spec = |name: &&str| ToolSpec {
            name: (*name).to_owned(),
            description: String::new(),
            parameters: serde_json::json!({"type": "object", "properties": {}}),
        };
        Toolbox::new(names.iter().map(spec).collect())
    }

    #[test]
    fn a_name_is_found_in_every_spelling_that_means_one_tool() {
        let tools = toolbox(&["read_file", "shell", "Get-Weather", "a_b", "ab", "mcp__git__log"]);
        let table = [
            ("read_file", Some("read_file")),
            ("Read_File", Some("read_file")),
            ("readFile", Some("read_file")),
            ("read-file", Some("read_file")),
            ("functions.read_file", Some("read_file")),
            ("functions.read_file:12", Some("read_file")),
            ("default_api:read_file", Some("read_file")),
            ("mcp__files__read_file", Some("read_file")),
            ("mcp__git__log", Some("mcp__git__log")),
            ("shell<|channel|>commentary", Some("shell")),
            ("\"shell\"", Some("shell")),
            (" shell\n", Some("shell")),
            ("get_weather", Some("Get-Weather")),
            ("A_B", None),
            ("read", None),
            ("read_files", None),
            ("", None),
            ("_", None),
        ];
        for (name, expected) in table {
            assert_eq!(tools.resolve(name).map(|tool| tool.name.as_str()), expected, "{name}");
        }
    }
}
